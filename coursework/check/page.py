"""A PDF read back with PDFium: its text in order, its formulas and pictures, and where they are."""

import contextlib
import ctypes
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from coursework.check.layout import ARCS, Fault, Objects, find_faults
from coursework.check.shapes import Bar, Glyph

FIGURE, FORMULA, EMPTY = "\ufffc", "\ue010", "\ue011"
"""What stands in the text of a PDF for a picture, a formula, and a glyph without a character."""

_FOOTER = re.compile(r"page\s*(\d+)\s*of\s*(\d+)\s*$")
_PAGE_BELOW = 10_000.0  # points by which each page lies below the one before it


@dataclass(eq=False)
class Formula:
    """A formula that the tags of a PDF name; equal only to itself."""

    tex: str  # what the tag says it is
    glyphs: str = ""  # the characters drawn, folded
    places: list[Glyph] = field(default_factory=list)  # where each of them stands
    bars: list[Bar] = field(default_factory=list)  # lines drawn within it, as in fractions
    beside: bool = False  # whether an arc that belongs above its letters stands beside them
    start: int = 0  # where in the text its sign stands


@dataclass(frozen=True)
class Picture:
    """A picture on a page."""

    page: int  # counted from 0
    number: int  # of its object on the page
    width: float  # on the page, in points
    height: float
    pixels: tuple[int, int]  # its own width and height; zeros for a drawing


@dataclass
class Reading:
    """What a reader of a PDF gets."""

    parts: list[str] = field(default_factory=list)
    """The characters of the text, folded, without headers and footers; `FIGURE` and `FORMULA`
    stand for pictures and for formulas that are tagged."""
    places: list[tuple[int, int]] = field(default_factory=list)
    """For each of them, the page and the character's number there."""
    breaks: set[int] = field(default_factory=set)  # where in the text a word begins
    lines: set[int] = field(default_factory=set)  # where a line of a page begins
    pictures: dict[int, Picture] = field(default_factory=dict)  # by the place of their sign
    formulas: list[Formula] | None = None  # in order; None if the PDF has no tags
    page_texts: list[str] = field(default_factory=list)
    """For each page all of its text, folded, with header and footer."""
    numbering: list[str] = field(default_factory=list)
    """The "page n of N" of each page, empty where there is none."""
    blank: list[int] = field(default_factory=list)
    """Numbers of pages that show nothing but header and footer."""
    faults: list[Fault] = field(default_factory=list)
    """What is wrong on a page whatever the notebook says."""

    @cached_property
    def text(self) -> str:
        """All of the text, once every page is read."""
        return "".join(self.parts)

    def add_sign(self, sign: str, place: tuple[int, int]) -> None:
        """Add the sign of a picture or a formula, which parts words."""
        self.breaks |= {len(self.parts), len(self.parts) + 1}
        self.parts.append(sign)
        self.places.append(place)


class _Fold(dict[int, str]):
    """Characters as they are compared; each is worked out once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = "".join(
            part
            for part in unicodedata.normalize("NFKD", char)
            if not part.isspace() and unicodedata.category(part) not in ("Cf", "Cc", "Cs")
        )
        self[code] = folded
        return folded


# PDFium reads a hyphen at the end of a line as one of two marks of its own.
_FOLD = _Fold(dict.fromkeys([0xFFFE, 0x02, 0x2010, 0x2011, 0x2212], "-"))
_FOLD.update({0x2254: ":=", 0x27C2: "⊥"})
# Tones of skin are drawn with their emoji; the others are signs of the check's own.
_FOLD.update(dict.fromkeys([*range(0x1F3FB, 0x1F400), *range(0xE000, 0xE012), 0xFFFC], ""))


def fold(text: str) -> str:
    """Return a text as it is compared: without spaces, in compatibility form, letter by letter."""
    return text.translate(_FOLD)


def read_pdf(path: Path, most_pages: int) -> Reading:
    """Read a PDF; of a longer one, only its first pages.

    Raises
    ------
    ValueError
        If that is not possible; the message says why.
    """
    reading = Reading()
    try:
        with contextlib.closing(pdfium.PdfDocument(path)) as document:
            count = len(document)
            for index in range(min(count, most_pages)):
                _read_page(reading, document, index)
    except (pdfium.PdfiumError, ValueError) as error:  # ValueError: an object that is not there
        if "password" in str(error).lower():
            message = "the PDF is encrypted; export it without a password"
        else:
            message = f"it cannot be read ({error}); export it again"
        raise ValueError(message) from error
    reading.page_texts += [""] * (count - len(reading.page_texts))
    return reading


@dataclass
class _Page:
    """A page being read."""

    reading: Reading  # gets the text
    page: pdfium.PdfPage
    text_page: pdfium.PdfTextPage
    index: int  # counted from 0
    objects: Objects
    formulas: dict[int, Formula] = field(default_factory=dict)  # by the mark of their content
    figures: dict[int, int] = field(default_factory=dict)  # numbers of pictures, by their marks
    tagged: bool = False  # whether the page has tags
    seen: set[int] = field(default_factory=set)  # the pictures whose signs are in the text

    def read_tags(self) -> None:
        """Find what the tags name: formulas and figures."""
        tree = pdf.FPDF_StructTree_GetForPage(self.page.raw)
        count = pdf.FPDF_StructTree_CountChildren(tree) if tree else 0
        self.tagged = count > 0
        roots = (pdf.FPDF_StructTree_GetChildAtIndex(tree, child) for child in range(count))
        for name, element in enumerate(_walk(filter(None, roots))):
            kind = _string(pdf.FPDF_StructElement_GetType, element)
            if kind == "Formula":
                formula = Formula(_string(pdf.FPDF_StructElement_GetAltText, element))
                self.formulas.update(dict.fromkeys(_marks(element), formula))
            elif kind == "Figure":
                self.figures.update(dict.fromkeys(_marks(element), name))
        if tree:
            pdf.FPDF_StructTree_Close(tree)
        if self.tagged and self.reading.formulas is None:
            self.reading.formulas = []

    def add_text(self, characters: list[str], owners: list[int]) -> int:
        """Add the text and the signs of formulas and pictures; how many characters are shown."""
        reading, shown, passed, starts_word = self.reading, 0, 0, True
        reading.lines.add(len(reading.parts))
        last = -1
        for position, (char, owner) in enumerate(zip(characters, owners, strict=True)):
            folded = _FOLD[ord(char)] if char else ""
            if char == "\x00":
                folded = EMPTY
            if not folded:
                starts_word = True
                if char == "\n":
                    reading.lines.add(len(reading.parts))
                continue
            if self.tagged and (owner < 0 or self.objects.artifact[owner] or self.is_drawn(owner)):
                # Text of a picture belongs to the picture; headers and footers to no cell.
                continue
            if last >= 0 and not self.objects.share_height(last, owner):
                # A reader leaves out the end of a line of a single character.
                starts_word = True
                reading.lines.add(len(reading.parts))
            last = owner
            shown += 1
            self.add_figures(range(passed, owner))
            passed = max(passed, owner)
            formula = self.formulas.get(self.objects.marks[owner]) if self.tagged else None
            if formula is not None:
                self.add_formula(formula, owner, position, folded)
                starts_word = True
                continue
            if starts_word:
                reading.breaks.add(len(reading.parts))
                starts_word = False
            reading.parts += folded
            reading.places += [(self.index, position)] * len(folded)
        self.add_figures(range(passed, len(self.objects.kinds)))
        return shown

    def is_drawn(self, number: int) -> bool:
        """Whether an object is part of a picture."""
        return self.objects.marks[number] in self.figures

    def add_figures(self, numbers: Iterable[int]) -> None:
        """Add the sign of each picture among some objects, once for each picture."""
        for number in numbers:
            kind = self.objects.kinds[number]
            if self.tagged:
                name = self.figures.get(self.objects.marks[number])
            else:
                name = -number - 1 if kind == pdf.FPDF_PAGEOBJ_IMAGE else None
            if name is None or name in self.seen:
                continue
            self.seen.add(name)
            width, height = ctypes.c_uint(), ctypes.c_uint()
            picture = pdf.FPDFPage_GetObject(self.page.raw, number)
            pdf.FPDFImageObj_GetImagePixelSize(picture, width, height)
            left, bottom, right, top = self.objects.bounds[number].tolist()
            pixels = width.value, height.value
            self.reading.pictures[len(self.reading.parts)] = Picture(
                self.index, number, right - left, top - bottom, pixels
            )
            self.reading.add_sign(FIGURE, (self.index, -1))

    def add_formula(self, formula: Formula, owner: int, position: int, glyph: str) -> None:
        """Add a glyph to a formula, and the sign of the formula before its first one."""
        assert self.reading.formulas is not None
        if not formula.glyphs:
            formula.start = len(self.reading.parts)
            self.reading.formulas.append(formula)
            self.reading.add_sign(FORMULA, (self.index, position))
        formula.glyphs += glyph
        x, y = ctypes.c_double(), ctypes.c_double()
        pdf.FPDFText_GetCharOrigin(self.text_page.raw, position, x, y)
        formula.places.append(Glyph(glyph, x.value, y.value - self.index * _PAGE_BELOW))
        self.objects.formulas[owner] = formula.tex
        if glyph in ARCS:
            self.objects.arcs.add(owner)

    def look_at_formulas(self) -> None:
        """Find the lines drawn between the glyphs of each formula, and its arcs."""
        objects = self.objects
        parts: dict[Formula, list[int]] = {}
        for number in objects.formulas:
            parts.setdefault(self.formulas[objects.marks[number]], []).append(number)
        for formula, numbers in parts.items():
            for left, bottom, right in objects.bars_within(numbers):
                formula.bars.append(Bar(left, right, bottom - self.index * _PAGE_BELOW))
            formula.beside = any(
                not any(objects.share_width(arc, other) for other in numbers if other != arc)
                for arc in objects.arcs.intersection(numbers)
            )


def _read_page(reading: Reading, document: pdfium.PdfDocument, index: int) -> None:
    page = document[index]
    text_page = page.get_textpage()
    objects = Objects(page)
    characters, owners = _characters(text_page, objects)
    reader = _Page(reading, page, text_page, index, objects)
    reader.read_tags()
    whole = "".join(characters)
    footer = _FOOTER.search(whole)
    # Where no tags tell a footer from a line, this is how it is known.
    end = len(characters) - (len(footer[0]) if footer and not reader.tagged else 0)
    shown = reader.add_text(characters[:end], owners[:end])
    reader.look_at_formulas()
    reading.page_texts.append(fold(whole))
    reading.numbering.append(" ".join(footer[0].split()) if footer else "")
    if not shown and not reader.seen:
        reading.blank.append(index + 1)
    # What a picture shows is the work of its author.
    owners = [-1 if owner < 0 or reader.is_drawn(owner) else owner for owner in owners]
    reading.faults += find_faults(page, index, text_page, objects, characters, owners)
    text_page.close()
    page.close()


def _characters(text_page: pdfium.PdfTextPage, objects: Objects) -> tuple[list[str], list[int]]:
    """Return the characters of a page and the object of each, -1 for one within a picture."""
    raw = text_page.raw
    numbers = {address: number for number, address in enumerate(objects.addresses)}
    characters: list[str] = []
    owners: list[int] = []
    last = -1
    half = 0  # of a letter in two halves; where text runs from right to left, its end comes first
    for position in range(text_page.count_chars()):
        code = pdf.FPDFText_GetUnicode(raw, position)
        if half and 0xD800 <= code < 0xE000 and (half < 0xDC00) != (code < 0xDC00):
            high, low = sorted((half, code))
            code, half = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 0
        else:
            half = code if 0xD800 <= code < 0xE000 else 0
        found = pdf.FPDFText_GetTextObject(raw, position)
        if found:
            last = numbers.get(ctypes.addressof(found.contents), -1)
        characters.append("" if half else chr(code))
        owners.append(last)
    return characters, owners


def _walk(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield elements and all that is in them, each once: a structure tree may run in circles."""
    waiting = [*roots][::-1]
    seen: set[int] = set()
    while waiting:
        element = waiting.pop()
        address = ctypes.addressof(element.contents)
        if address not in seen:
            seen.add(address)
            yield element
            count = pdf.FPDF_StructElement_CountChildren(element)
            inner = (
                pdf.FPDF_StructElement_GetChildAtIndex(element, child)
                for child in reversed(range(count))
            )
            waiting += filter(None, inner)


def _marks(element: object) -> Iterator[int]:
    """Yield the marks that an element and the elements in it have on the page."""
    for part in _walk([element]):
        for child in range(pdf.FPDF_StructElement_CountChildren(part)):
            mark = pdf.FPDF_StructElement_GetChildMarkedContentID(part, child)
            if mark >= 0:
                yield mark


def _string(read: Callable[..., int], element: object) -> str:
    length = read(element, None, 0)
    buffer = ctypes.create_string_buffer(length)
    read(element, buffer, length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")
