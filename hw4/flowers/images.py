"""JPEG and PNG files, read as upright RGB pictures."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG")
"""The formats that are opened, whatever the name of a file. Pillow knows some forty more, a few of
which start other programs."""

MOST_PIXELS = 50_000_000
"""Pixels of an image at most, as many as large cameras take. A small file may hold far more."""

MOST_BYTES = 4 * MOST_PIXELS
"""Bytes of the file of an image at most."""


def load_image(path: Path | str, least_side: int | None = None) -> Image.Image:
    """Read a JPEG or PNG file as RGB, the way up that a person sees it.

    Grayscale, palette, CMYK and 16-bit images are converted; transparent pixels become white; the
    camera's EXIF orientation is applied; an animation gives its first picture.

    Parameters
    ----------
    path
        The file.
    least_side
        If given, a JPEG may be decoded at a half, a quarter or an eighth of its size, as long as
        its short side keeps at least so many pixels. That is much faster.

    Returns
    -------
    PIL.Image.Image
        A picture of mode ``"RGB"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is broken, cut short, of another format, or larger than `MOST_PIXELS`. The
        message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such image; put it back, or fetch the data again")
    size = path.stat().st_size
    try:
        if size > MOST_BYTES:
            raise ValueError(f"at most {MOST_BYTES:,} bytes are read")
        # Pillow asks a file for as many bytes as a damaged length says, and gets memory for them.
        content = io.BytesIO(path.read_bytes())
        with Image.open(content, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ValueError(
                    f"it has {width} x {height} pixels, at most {MOST_PIXELS:,} are read"
                )
            if least_side is not None:
                _draft(image, least_side)
            image.load()
            with suppress(Exception):  # damaged EXIF data says nothing about the pixels
                ImageOps.exif_transpose(image, in_place=True)
            return _as_rgb(image)
    except MemoryError:
        raise
    except Exception as error:  # Pillow, zlib and struct each report a bad file in their own way
        reason = "it is neither" if isinstance(error, UnidentifiedImageError) else error
        raise ValueError(
            f"{path} cannot be read as a JPEG or PNG image ({reason}; {size:,} bytes); the file is "
            "damaged or of another kind: replace it, or fetch the data again"
        ) from error


def _draft(image: Image.Image, least_side: int) -> None:
    """Let the JPEG decoder reduce the image, to no less than ``least_side`` on the short side."""
    width, height = image.size
    scale = least_side / min(width, height)
    if image.format == "JPEG" and scale < 1:
        # Pillow takes the smallest size that is not below the one asked for.
        image.draft(None, (int(np.ceil(width * scale)), int(np.ceil(height * scale))))


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        # 16 bits a pixel: Pillow's own conversion makes every value above 255 white.
        deep = np.clip(np.asarray(image).astype(np.float64), 0, 65535)
        return Image.fromarray(np.rint(deep / 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return image.convert("RGB")
