"""Faults of a page that its text does not show: ink painted over, lines on lines, ink outside."""

import ctypes
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdf
from numpy.typing import NDArray

_MARGIN = 3.0  # points that a glyph may reach over the edge of its measure
_THIN = 2.0  # points: a rule or a strike is no thicker
_THICK = 3.0  # points: the bar of a fraction is thinner
_SCALE = 2.0  # pixels for a point, where two pictures of a page are compared
_MOST_PIXELS = 4000  # a side of such a picture
_HIDDEN = 0.005  # of the pixels of a picture, where something hides part of it
_PICTURES = (pdf.FPDF_PAGEOBJ_IMAGE, pdf.FPDF_PAGEOBJ_FORM)
_INK = 48  # levels of gray by which ink differs from paper
_LINE_ENDS = ("\r", "\n")
Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""
_Pixel = TypeVar("_Pixel", np.bool_, np.uint8)
ARCS = set("⏜⏝⏞⏟⎴⎵⏠⏡")
"""Braces and arcs that span the letters they belong to."""


@dataclass(frozen=True)
class Fault:
    """Something wrong on a page."""

    kind: str  # "covered", "unseen", "overlap", "outside", "picture covered", "picture outside"
    page: int  # counted from 1
    text: str  # the line of text that it is about, or TeX
    position: int  # the number on the page of a character at fault, or of a picture's object


class Objects:
    """The objects that a page draws, as they are painted; not those that are within a picture."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        count = pdf.FPDFPage_CountObjects(page.raw)
        found = [pdf.FPDFPage_GetObject(page.raw, number) for number in range(count)]
        self.kinds: list[int] = [pdf.FPDFPageObj_GetType(one) for one in found]
        self.addresses = [ctypes.addressof(one.contents) for one in found]
        # The number of the marked content of each, and whether the tags call it decoration.
        self.marks: list[int] = [pdf.FPDFPageObj_GetMarkedContentID(one) for one in found]
        self.artifact = [
            mark < 0 and "Artifact" in _mark_names(one)
            for one, mark in zip(found, self.marks, strict=True)
        ]
        self.bounds = np.zeros((count, 4), np.float32)  # left, bottom, right, top, in points
        edges = [ctypes.c_float() for _ in range(4)]
        for number, one in enumerate(found):
            if pdf.FPDFPageObj_GetBounds(one, *edges):
                self.bounds[number] = [edge.value for edge in edges]
        self.formulas: dict[int, str] = {}  # the TeX of the formula of which a text is part
        self.arcs: set[int] = set()  # texts that are a brace or an arc

    def bars_within(self, numbers: list[int]) -> list[tuple[float, float, float]]:
        """Return left, bottom and right of the horizontal lines between some objects."""
        left, bottom = self.bounds[numbers, :2].min(axis=0)
        right, top = self.bounds[numbers, 2:].max(axis=0)
        low = self.bounds[:, 3] - self.bounds[:, 1] < _THICK
        inside = (self.bounds[:, 0] > left - _MARGIN) & (self.bounds[:, 2] < right + _MARGIN)
        inside &= (self.bounds[:, 1] > bottom) & (self.bounds[:, 3] < top)
        return [
            tuple(self.bounds[number, :3].tolist())
            for number in np.flatnonzero(low & inside)
            if self.kinds[number] == pdf.FPDF_PAGEOBJ_PATH
        ]

    def share_height(self, one: int, other: int) -> bool:
        """Return whether two objects stand beside each other."""
        low, high = self.bounds[one, 1], self.bounds[one, 3]
        return bool(self.bounds[other, 1] < high and self.bounds[other, 3] > low)

    def share_width(self, one: int, other: int) -> bool:
        """Return whether two objects stand above each other."""
        left = max(self.bounds[one, 0], self.bounds[other, 0])
        right = min(self.bounds[one, 2], self.bounds[other, 2])
        return bool(right - left > 0.5)


def find_faults(
    page: pdfium.PdfPage,
    index: int,
    text_page: pdfium.PdfTextPage,
    objects: Objects,
    characters: list[str],
    owners: list[int],
) -> list[Fault]:
    """List the faults of a page, the number of which is ``index``, counted from 0.

    Each line and each formula is named once.
    """
    owned: dict[int, list[int]] = {}
    for position, owner in enumerate(owners):
        if characters[position].strip() and owner >= 0:
            owned.setdefault(owner, []).append(position)
    boxes = _Boxes(page, index, text_page, objects, characters, owned)
    return [*_outside(boxes), *_unseen(boxes), *_covered(boxes), *_overlapping(boxes)]


@dataclass
class _Boxes:
    """The characters of a page and their boxes, each asked for when it is needed."""

    page: pdfium.PdfPage
    index: int
    text_page: pdfium.PdfTextPage
    objects: Objects
    characters: list[str]
    owned: dict[int, list[int]]  # the positions of the characters of each object

    def of(self, position: int) -> Box:
        """Return the box of a character."""
        return cast(Box, self.text_page.get_charbox(position))

    def line(self, number: int) -> str:
        """Return the text of the line on which an object stands, or the TeX of its formula."""
        if number in self.objects.formulas:
            return self.objects.formulas[number]
        start = end = self.owned[number][0]
        while start > 0 and self.characters[start - 1] not in _LINE_ENDS:
            start -= 1
        while end < len(self.characters) and self.characters[end] not in _LINE_ENDS:
            end += 1
        return "".join(self.characters[start:end])

    def faults(self, kind: str, numbers: Iterable[int]) -> Iterator[Fault]:
        """Yield a fault for each line or formula among some objects."""
        lines: dict[str, int] = {}
        for number in numbers:
            lines.setdefault(self.line(number), number)
        for line, number in lines.items():
            yield Fault(kind, self.index + 1, line, self.owned[number][0])


def _mark_names(found: object) -> list[str]:
    names = []
    for number in range(pdf.FPDFPageObj_CountMarks(found)):
        mark = pdf.FPDFPageObj_GetMark(found, number)
        buffer = (pdf.FPDF_WCHAR * 32)()
        length = ctypes.c_ulong()
        if pdf.FPDFPageObjMark_GetName(mark, buffer, ctypes.sizeof(buffer), length):
            names.append(bytes(buffer)[: length.value - 2].decode("utf-16-le", "replace"))
    return names


def _outside(boxes: _Boxes) -> Iterator[Fault]:
    left, bottom, right, top = boxes.page.get_mediabox()
    bounds = boxes.objects.bounds
    beyond = (
        (bounds[:, 0] < left - _MARGIN)
        | (bounds[:, 1] < bottom - _MARGIN)
        | (bounds[:, 2] > right + _MARGIN)
        | (bounds[:, 3] > top + _MARGIN)
    )
    numbers = np.flatnonzero(beyond & (bounds[:, 2] > bounds[:, 0])).tolist()
    for number in numbers:
        if boxes.objects.kinds[number] in _PICTURES:
            yield Fault("picture outside", boxes.index + 1, "", number)
    yield from boxes.faults("outside", [number for number in numbers if number in boxes.owned])


def _unseen(boxes: _Boxes) -> Iterator[Fault]:
    """Find letters without ink: white on white, clear, or cut off."""
    suspects = [number for number in boxes.owned if _may_be_unseen(boxes.page, number)]
    if not suspects:
        return
    shown, unseen = _gray(boxes.page), []
    for number in suspects:
        letters = (_pixels(shown, boxes.page, boxes.of(p)) for p in boxes.owned[number])
        if not any(pixels.size and np.ptp(pixels) > _INK for pixels in letters):
            unseen.append(number)
    yield from boxes.faults("unseen", unseen)


def _may_be_unseen(page: pdfium.PdfPage, number: int) -> bool:
    """Whether a text is light, clear or clipped, so that only its pixels tell."""
    found = pdf.FPDFPage_GetObject(page.raw, number)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    pdf.FPDFPageObj_GetFillColor(found, red, green, blue, alpha)
    is_light = min(red.value, green.value, blue.value) > 255 - _INK or alpha.value < _INK
    mode = pdf.FPDFTextObj_GetTextRenderMode(found)
    is_clipped = pdf.FPDFClipPath_CountPaths(pdf.FPDFPageObj_GetClipPath(found)) > 0
    return bool(is_light or is_clipped or mode == pdf.FPDF_TEXTRENDERMODE_INVISIBLE)


def _covered(boxes: _Boxes) -> Iterator[Fault]:
    """Find ink that something opaque is painted over: by boxes first, then by pixels."""
    page = boxes.page
    bounds = boxes.objects.bounds
    kinds = boxes.objects.kinds
    pictures = [number for number, kind in enumerate(kinds) if kind in _PICTURES]
    drawn = np.array(sorted([*boxes.owned, *pictures]), dtype=int)
    covers: set[int] = set()
    letters: set[tuple[int, int]] = set()  # a text that may be covered, and which character of it
    hidden: set[int] = set()  # pictures that may be covered
    for number in _opaque(page, boxes.objects):
        before = drawn[drawn < number]
        shared = _shared(bounds[number], bounds[before])
        for owner in before[(shared > 0.4).all(axis=1)].tolist():
            if kinds[owner] in _PICTURES:
                # A drawing may paint over a picture of its own, such as numbers over a heat map.
                mark = boxes.objects.marks[owner]
                if mark < 0 or mark != boxes.objects.marks[number]:
                    hidden.add(owner)
                    covers.add(number)
                continue
            for position in boxes.owned[owner]:
                if _share(boxes.of(position), bounds[number]) > 0.1:
                    letters.add((owner, position))
                    covers.add(number)
    if not covers:
        return
    shown = _gray(page)
    again = page.pdf[boxes.index]
    for number in sorted(covers, reverse=True):
        cover = pdf.FPDFPage_GetObject(again.raw, number)
        pdf.FPDFPage_RemoveObject(again.raw, cover)
        pdf.FPDFPageObj_Destroy(cover)
    below = _gray(again)
    again.close()
    lost = below.astype(int) + _INK < shown
    covered = {owner for owner, p in letters if _pixels(lost, page, boxes.of(p)).sum() > 1}
    yield from boxes.faults("covered", sorted(covered))
    for picture in sorted(hidden):
        if _pixels(lost, page, tuple(bounds[picture])).mean() > _HIDDEN:
            yield Fault("picture covered", boxes.index + 1, "", picture)


def _opaque(page: pdfium.PdfPage, objects: Objects) -> Iterator[int]:
    """Yield the numbers of the areas and pictures that hide what is below them."""
    width = objects.bounds[:, 2] - objects.bounds[:, 0]
    height = objects.bounds[:, 3] - objects.bounds[:, 1]
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    for number, kind in enumerate(objects.kinds):
        if min(width[number], height[number]) <= _THIN:
            continue
        if kind == pdf.FPDF_PAGEOBJ_IMAGE:
            yield number
        elif kind == pdf.FPDF_PAGEOBJ_PATH:
            found = pdf.FPDFPage_GetObject(page.raw, number)
            pdf.FPDFPath_GetDrawMode(found, mode, stroke)
            pdf.FPDFPageObj_GetFillColor(found, red, green, blue, alpha)
            if mode.value and alpha.value > 128:
                yield number


def _overlapping(boxes: _Boxes) -> Iterator[Fault]:
    """Find letters that stand on letters of another line or of another part of a formula."""
    hits = list(itertools.islice(_letters_on_letters(boxes), 2))
    if len(hits) == 2:  # one alone may be meant: a sign made of two letters
        yield from list(boxes.faults("overlap", hits))[:1]


def _letters_on_letters(boxes: _Boxes) -> Iterator[int]:
    """Yield the text objects of which a letter stands on one of another object."""
    plain = {
        owner: letters
        for owner, positions in boxes.owned.items()
        if (letters := [p for p in positions if _is_plain(boxes.characters[p])])
    }
    bounds = boxes.objects.bounds
    numbers = np.array(sorted(plain), dtype=int)
    for row, one in enumerate(numbers.tolist()):
        later = numbers[row + 1 :]
        shared = _shared(bounds[one], bounds[later])
        for other in later[(shared > 1).all(axis=1)].tolist():
            for ours, theirs in itertools.product(plain[one], plain[other]):
                box, its = boxes.of(ours), boxes.of(theirs)
                if min(_share(box, its), _share(its, box)) > 0.25:
                    yield one


def _shared(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the width and the height that a box shares with each of some others."""
    return np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])


def _is_plain(char: str) -> bool:
    """Whether a character is a letter or digit that no other is meant to stand on."""
    return char.isalnum() and (
        char < "\u0250" or "\u0391" <= char < "\u0400" or char > "\U0001d3ff"
    )


def _share(
    box: tuple[float, ...] | NDArray[np.float32], other: tuple[float, ...] | NDArray[np.float32]
) -> float:
    """Return the share of a box that another one covers."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    across = min(box[2], other[2]) - max(box[0], other[0])
    along = min(box[3], other[3]) - max(box[1], other[1])
    if area <= 0 or across <= 0 or along <= 0:
        return 0.0
    return float(across * along / area)


def _gray(page: pdfium.PdfPage) -> NDArray[np.uint8]:
    picture = page.render(scale=_scale(page), grayscale=True).to_numpy()
    return cast(NDArray[np.uint8], picture.reshape(picture.shape[0], picture.shape[1]))


def _scale(page: pdfium.PdfPage) -> float:
    return float(min(_SCALE, _MOST_PIXELS / max(page.get_size())))


def _pixels(
    picture: NDArray[_Pixel], page: pdfium.PdfPage, box: tuple[float, ...]
) -> NDArray[_Pixel]:
    left, _, _, top = page.get_mediabox()
    scale = _scale(page)
    columns = slice(int((box[0] - left) * scale), int((box[2] - left) * scale) + 1)
    rows = slice(int((top - box[3]) * scale), int((top - box[1]) * scale) + 1)
    return picture[rows, columns]
