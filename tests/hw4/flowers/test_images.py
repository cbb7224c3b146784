"""Coding part 1: images of any kind load upright and as RGB; broken ones are named."""

import contextlib
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from hw4.flowers.images import load_image

pytestmark = [pytest.mark.hw4_flowers, pytest.mark.handed_out]

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def file(tmp_path):
    """Return a function that saves a picture under a name and gives the path."""

    def save(picture, name="image.png", **options):
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return save


def picture(mode, colour, size=(6, 4)):
    return Image.new(mode, size, colour)


@pytest.mark.parametrize(
    ("mode", "colour", "name", "expected"),
    [
        ("RGB", (10, 20, 30), "a.png", (10, 20, 30)),
        ("L", 77, "a.png", (77, 77, 77)),
        ("L", 77, "a.jpg", (77, 77, 77)),
        ("1", 1, "a.png", WHITE),
        ("LA", (0, 255), "a.png", (0, 0, 0)),
        ("LA", (0, 0), "a.png", WHITE),
        ("RGBA", (255, 0, 0, 255), "a.png", RED),
        ("RGBA", (255, 0, 0, 0), "a.png", WHITE),
        ("RGBA", (255, 0, 0, 51), "a.png", (255, 204, 204)),
        ("CMYK", (0, 255, 255, 0), "a.jpg", RED),
        ("I;16", 257 * 99, "a.png", (99, 99, 99)),
        ("I;16", 65535, "a.png", WHITE),
        ("YCbCr", (255, 128, 128), "a.jpg", WHITE),
    ],
)
def test_every_mode_becomes_rgb(file, mode, colour, name, expected):
    loaded = load_image(file(picture(mode, colour), name))
    assert (loaded.mode, loaded.size) == ("RGB", (6, 4))
    difference = np.abs(np.asarray(loaded).astype(int) - expected)
    # JPEG may be off by two.
    assert difference.max() <= (2 if name.endswith("jpg") else 0)


def test_a_palette_with_and_without_transparency(file):
    indexed = picture("P", 1)
    indexed.putpalette([0, 0, 0, 255, 0, 0])
    assert load_image(file(indexed)).getpixel((0, 0)) == RED
    assert load_image(file(indexed, transparency=1)).getpixel((0, 0)) == WHITE


def test_one_colour_declared_transparent_becomes_white(file):
    both = picture("RGB", RED)
    both.putpixel((0, 0), (0, 0, 255))
    loaded = load_image(file(both, transparency=RED))
    assert (loaded.getpixel((0, 0)), loaded.getpixel((1, 1))) == ((0, 0, 255), WHITE)


def test_the_first_picture_of_an_animation(file):
    frames = [picture("RGB", RED), picture("RGB", WHITE)]
    path = file(frames[0], save_all=True, append_images=frames[1:])
    assert load_image(path).getpixel((0, 0)) == RED


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_stands_upright(file, orientation, mode):
    """Pillow's own exif_transpose is the oracle; and 6, a camera held on its side, by hand."""
    gradient = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    source = Image.fromarray(gradient)
    if mode == "I;16":
        source = Image.fromarray(gradient.astype(np.uint16) * 257)
    elif mode != "L":
        source = source.convert(mode)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = file(source, exif=exif)
    loaded = np.asarray(load_image(path))
    with Image.open(path) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    if mode == "I;16":
        expected = expected // 257
    assert (loaded[..., 0] == (expected if expected.ndim == 2 else expected[..., 0])).all()
    if orientation == 6:
        assert (loaded[..., 0] == np.rot90(gradient, -1)).all()


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_an_orientation_that_does_not_exist_changes_nothing(file, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert load_image(file(picture("RGB", RED), exif=exif)).size == (6, 4)


def test_damaged_exif_data_do_not_matter(file):
    path = file(picture("RGB", RED), "a.jpg", exif=b"Exif\x00\x00garbage that is no TIFF")
    assert load_image(path).size == (6, 4)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(f"{tmp_path / 'no.jpg'}: no such image")):
        load_image(tmp_path / "no.jpg")


def test_a_broken_file_is_named(tmp_path, file):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = file(Image.fromarray(noise), "whole.jpg").read_bytes()
    for content in (b"", b"<html>404</html>", whole[:20], whole[: len(whole) // 2]):
        path = tmp_path / "image_00001.jpg"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(str(path)) + " cannot be read.*fetch the"):
            load_image(path)


@pytest.mark.parametrize("kind", ["gif", "tiff", "bmp", "ppm", "webp", "eps"])
def test_other_formats_are_not_opened_whatever_their_name(file, kind):
    path = file(picture("RGB", RED), "image_00001.jpg", format=kind)
    with pytest.raises(ValueError, match=re.escape(str(path)) + " cannot be read as a JPEG or PNG"):
        load_image(path)


def test_a_damaged_length_takes_no_memory(tmp_path, file):
    """The length of the data is 3.6 GB, in a file of some hundred bytes."""
    path = file(picture("RGB", RED))
    content = path.read_bytes()
    start = content.index(b"IDAT") - 4
    path.write_bytes(content[:start] + b"\xdb\0\0\x38" + content[start + 4 :])
    tracemalloc.start()
    with contextlib.suppress(ValueError):
        load_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(7100, 7100), (12_000, 12_000), (60_000, 60_000)])
def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(tmp_path, size):
    """Only the header of a PNG says how large it is: no pixels are in this file."""
    header = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    path = tmp_path / "image_00001.jpg"
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
    content += struct.pack(">I", zlib.crc32(header))
    path.write_bytes(content + struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT")))
    with pytest.raises(ValueError, match=re.escape(str(path)) + ".* pixels"):
        load_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of data that it skips
@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(["jpg", "png"]))
def test_a_damaged_byte_never_ends_in_a_foreign_error(tmp_path_factory, where, value, suffix):
    path = tmp_path_factory.mktemp("damaged") / f"image.{suffix}"
    picture("RGB", RED, (16, 16)).save(path)
    content = bytearray(path.read_bytes())
    content[where % len(content)] = value
    path.write_bytes(content)
    try:
        mode = load_image(path).mode
    except ValueError as error:
        mode = "RGB" if str(error).startswith(str(path)) else str(error)
    assert mode == "RGB"


def test_a_large_jpeg_is_decoded_smaller_but_not_below_what_is_asked_for(file):
    rng = np.random.default_rng(1)
    smooth = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    path = file(smooth.resize((800, 600), Image.Resampling.BICUBIC), "a.jpg", quality=95)
    for least, expected in (
        (None, (800, 600)),
        (601, (800, 600)),
        (300, (400, 300)),
        (301, (800, 600)),
        (140, (200, 150)),
        (1, (100, 75)),
    ):
        loaded = load_image(path, least)
        assert loaded.size == expected
        both = [np.asarray(x.resize((80, 60))).astype(int) for x in (loaded, load_image(path))]
        assert np.abs(both[0] - both[1]).mean() < 2
