"""The pictures of a page held against those of the notebook: the same ones, and large enough."""

import base64
import io
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdf
from numpy.typing import NDArray
from PIL import Image

from coursework.check.align import Alignment
from coursework.check.expected import Item
from coursework.check.finding import Finding
from coursework.check.page import Picture
from coursework.check.pages import Pages

_DOT = 12.0  # points: a picture that is no larger shows nothing
_SMALL = 64  # pixels: a picture that is no larger may be meant as a dot
_SIDE = 32  # of the small copies that are compared
_SAME = 16  # levels of gray by which two copies of the same picture may differ
_MOST_PIXELS = 100_000_000  # that are compared in a PDF: some seconds
_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}

_Small = NDArray[np.int16]


def find_other_pictures(
    pages: Pages, alignment: Alignment, pictures: dict[int, Picture]
) -> Iterator[Finding]:
    """Find the pictures of the notebook in whose places others stand, or dots."""
    others: list[tuple[Item, _Small, _Small]] = []
    left = _MOST_PIXELS
    for item, span in zip(alignment.items, alignment.spans, strict=True):
        if item.kind != "figure" or span is None or item.size is None:
            continue
        picture = pictures[span[0]]
        if max(picture.width, picture.height) < _DOT < _SMALL < max(item.size):
            message = f"{item.where}: the picture is only {picture.width:.1f} points wide"
            yield Finding("figure", message)
            continue
        left -= item.size[0] * item.size[1]
        if not picture.pixels[0] or left < 0:
            continue
        wanted, found = _wanted(item.picture), _found(pages, picture)
        if wanted is not None and found is not None and not _are_alike(wanted, found):
            others.append((item, wanted, found))
    exchanged = [
        item for item, wanted, _ in others if any(_are_alike(wanted, found) for *_, found in others)
    ]
    if len(exchanged) > 1:
        places = " and ".join(dict.fromkeys(item.where for item in exchanged))
        message = f"{exchanged[0].where}: the pictures of {places} have changed places"
        yield Finding("figure", message)
    for item, _, _ in others:
        if len(exchanged) < 2 or item not in exchanged:
            message = f"{item.where}: another picture stands in the place of the picture"
            yield Finding("figure", message)


def _are_alike(one: _Small, other: _Small) -> bool:
    return bool(np.abs(one - other).max() < _SAME)


def _wanted(data: str) -> _Small | None:
    """Return a small copy of a picture in base64, ``None`` where it cannot be compared."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            is_plain = picture.mode in _MODES and "icc_profile" not in picture.info
            return _small(picture) if is_plain else None
    except (OSError, ValueError, SyntaxError):
        return None


def _found(pages: Pages, picture: Picture) -> _Small | None:
    page, _ = pages.open(picture.page)
    found = pdf.FPDFPage_GetObject(page.raw, picture.number)
    bitmap = pdf.FPDFImageObj_GetBitmap(found)
    return _small(pdfium.PdfBitmap.from_raw(bitmap).to_pil()) if bitmap else None


def _small(picture: Image.Image) -> _Small:
    """Return a small gray copy; what shows through is left out, as a PDF keeps it apart."""
    gray = picture.convert("RGB").convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(gray, dtype=np.int16)
