"""Spaces of code and of printed lines: the comparison of texts leaves them out.

In a typewriter face each character has the same width, so a line that is narrower than its
characters, or that begins farther to the left than its indent, has lost spaces.
"""

import ctypes
import statistics
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from coursework.check.align import Alignment
from coursework.check.expected import Item

_FEWEST = 5  # characters of a line from which the width of a character is told
_FIXED_PITCH = 1  # in the flags of a font


@dataclass(frozen=True)
class _Line:
    """A line on a page.

    Attributes
    ----------
    item
        The line of the notebook.
    indent, count
        The spaces at its start, and the characters after them.
    left, width
        Where the first character begins, and from there where the last one does, in points.
    size
        The size of its letters, in tenths of a point.
    """

    item: Item
    indent: int
    count: int
    left: float
    width: float
    size: int


def find_lost_spaces(
    path: Path, alignment: Alignment, places: list[tuple[int, int]]
) -> Iterator[Item]:
    """Yield each line of code or output that has fewer spaces on its page."""
    groups: dict[tuple[str, str], list[_Line]] = {}
    widths: dict[int, list[float]] = {}  # of a character, by the size of the letters
    with closing(pdfium.PdfDocument(path)) as document:
        pages: dict[int, pdfium.PdfTextPage] = {}
        for item, span in zip(alignment.items, alignment.spans, strict=True):
            if item.kind not in ("code", "output") or not item.required or not span:
                continue
            text = item.text.strip()
            if not text.isascii() or span[1] - span[0] != len("".join(text.split())):
                continue  # of another width, or found in another form
            (page, first), (last_page, last) = places[span[0]], places[span[1] - 1]
            if page not in pages:
                pages[page] = document[page].get_textpage()
            if not _is_typewritten(pages[page], first):
                continue
            left, top = _origin(pages[page], first)
            right, bottom = _origin(pages[page], last)
            if page == last_page and abs(top - bottom) < 1:
                indent = len(item.text.rstrip()) - len(text)
                size = round(10 * pdf.FPDFText_GetFontSize(pages[page].raw, first))
                line = _Line(item, indent, len(text), left, right - left, size)
                groups.setdefault((item.where, item.kind), []).append(line)
                if line.count >= _FEWEST:
                    widths.setdefault(size, []).append(line.width / (line.count - 1))
    width_of = {size: statistics.median(each) for size, each in widths.items()}
    for lines in groups.values():
        yield from _narrow(lines, width_of)


def _origin(page: pdfium.PdfTextPage, position: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdf.FPDFText_GetCharOrigin(page.raw, position, x, y)
    return x.value, y.value


def _is_typewritten(page: pdfium.PdfTextPage, position: int) -> bool:
    """Whether all characters of a character's font have the same width, as the font says."""
    flags = ctypes.c_int()
    pdf.FPDFText_GetFontInfo(page.raw, position, None, 0, flags)
    return bool(flags.value & _FIXED_PITCH)


def _narrow(lines: list[_Line], width_of: dict[int, float]) -> Iterator[Item]:
    for number, line in enumerate(lines):
        width = width_of.get(line.size, 0.0)
        # Several listings may have edges of their own: the indent is that from the nearest line.
        near = [*reversed(lines[:number]), *lines[number + 1 :]]
        other = next((other for other in near if other.indent < line.indent), line)
        indent = (line.indent - other.indent - 0.5) * width
        if line.width < (line.count - 1.5) * width or line.left < other.left + indent:
            yield line.item
