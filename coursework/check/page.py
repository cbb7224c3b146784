"""A PDF read back with PDFium: its text in order, its formulas and pictures, and where they are."""

import ctypes
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from coursework.check.layout import ARCS, Fault, Objects, find_faults

FIGURE, FORMULA = "\ufffc", "\ue010"
"""What stands in the text of a PDF for a picture and for a formula."""

_FOOTER = re.compile(r"page\s*(\d+)\s*of\s*(\d+)\s*$")
_DEEPEST = 200  # elements within elements: a structure tree may run in circles


class UnreadablePdfError(ValueError):
    """A file that is no PDF, or one that cannot be read whole."""


@dataclass
class Formula:
    """A formula that the tags of a PDF name.

    Attributes
    ----------
    tex
        What the tag says it is.
    glyphs
        The characters drawn, folded.
    bars
        How many lines, such as bars of fractions, are drawn within it.
    beside
        Whether a brace or arc that belongs above or below its letters stands beside them.
    """

    tex: str
    glyphs: str = ""
    bars: int = 0
    beside: bool = False


@dataclass
class Reading:
    """What a reader of a PDF gets.

    Attributes
    ----------
    parts
        The characters of the text, folded, without headers and footers; `FIGURE` and `FORMULA`
        stand for pictures and for formulas that are tagged.
    breaks
        Where in the text a word begins.
    places
        For each of its characters, the page and the character's number there.
    formulas
        In order; ``None`` if the PDF has no tags.
    heads
        For each page all of its text, folded: with header and footer.
    numbering
        The "page n of N" of each page, empty where there is none.
    blank
        Numbers of pages that show nothing but header and footer.
    faults
        What is wrong on a page whatever the notebook says.
    """

    parts: list[str] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    places: list[tuple[int, int]] = field(default_factory=list)
    formulas: list[Formula] | None = None
    heads: list[str] = field(default_factory=list)
    numbering: list[str] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

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
_FOLD[0x2254] = ":="
_FOLD.update(dict.fromkeys(range(0x1F3FB, 0x1F400), ""))  # tones of skin, drawn with their emoji


def fold(text: str) -> str:
    """Return a text as it is compared: without spaces, in compatibility form, letter by letter."""
    return text.translate(_FOLD)


def read_pdf(path: Path, most_pages: int) -> Reading:
    """Read a PDF; of a longer one, only its first pages.

    Raises
    ------
    UnreadablePdfError
        If that is not possible; the message says why.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if pdf.FPDF_GetLastError() == pdf.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise UnreadablePdfError(
                "the PDF is encrypted; export it without a password"
            ) from error
        raise UnreadablePdfError(f"it cannot be read ({error}); export it again") from error
    reading = Reading()
    try:
        for index in range(min(len(document), most_pages)):
            _read_page(reading, document, index)
    except pdfium.PdfiumError as error:
        raise UnreadablePdfError(f"it cannot be read ({error}); export it again") from error
    finally:
        count = len(document)
        document.close()
    if reading.formulas is None:
        _drop_repeated_lines(reading)
    reading.heads += [""] * (count - len(reading.heads))
    return reading


def _read_page(reading: Reading, document: pdfium.PdfDocument, index: int) -> None:
    page = document[index]
    text_page = page.get_textpage()
    objects = Objects.read(page)
    characters, owners = _characters(text_page, objects)
    formulas, figures, tagged = _read_tags(page)
    if tagged and reading.formulas is None:
        reading.formulas = []
    head, shown = [], 0
    passed = 0  # objects that come before the text read so far
    open_formula: Formula | None = None
    seen: set[int] = set()
    starts_word = True
    for position, (char, owner) in enumerate(zip(characters, owners, strict=True)):
        folded = _FOLD[ord(char)] if char else ""
        if folded and folded in ARCS:
            objects.arcs.add(owner)
        head.append(char)
        if not folded:
            starts_word = True
            continue
        if tagged and (owner < 0 or objects.artifact[owner]):
            # Text of a picture belongs to the picture; headers and footers to no cell.
            continue
        shown += 1
        for between in range(passed, owner):
            _add_figure(reading, index, objects, between, figures if tagged else None, seen)
        passed = max(passed, owner)
        formula = formulas.get(objects.marks[owner]) if tagged else None
        if formula is not None:
            if formula is not open_formula:
                _open_formula(reading, formula, index, position)
                open_formula = formula
            formula.glyphs += folded
            starts_word = True
            objects.formulas[owner] = formula.tex
            continue
        folded = folded.replace(FIGURE, "").replace(FORMULA, "")
        if starts_word:
            reading.breaks.add(len(reading.parts))
            starts_word = False
        reading.parts += folded
        reading.places += [(index, position)] * len(folded)
    for between in range(passed, len(objects.kinds)):
        _add_figure(reading, index, objects, between, figures if tagged else None, seen)
    _count_bars(objects, formulas)
    whole = "".join(head)
    reading.heads.append(fold(whole))
    footer = _FOOTER.search(whole.strip())
    reading.numbering.append(" ".join(footer[0].split()) if footer else "")
    if not shown and not seen:
        reading.blank.append(index + 1)
    reading.faults += find_faults(document, index, page, text_page, objects, characters, owners)
    text_page.close()
    page.close()


def _characters(text_page: pdfium.PdfTextPage, objects: "Objects") -> tuple[list[str], list[int]]:
    """Return the characters of a page and the object of each, -1 for one within a picture."""
    raw = text_page.raw
    numbers = {address: number for number, address in enumerate(objects.addresses)}
    characters: list[str] = []
    owners: list[int] = []
    last = -1
    for position in range(text_page.count_chars()):
        code = pdf.FPDFText_GetUnicode(raw, position)
        if 0xDC00 <= code < 0xE000 and characters and characters[-1] == "":
            high = pdf.FPDFText_GetUnicode(raw, position - 1)
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        found = pdf.FPDFText_GetTextObject(raw, position)
        if found:
            last = numbers.get(ctypes.cast(found, ctypes.c_void_p).value or 0, -1)
        characters.append("" if 0xD800 <= code < 0xDC00 else chr(code))
        owners.append(last)
    return characters, owners


def _add_figure(
    reading: Reading,
    index: int,
    objects: "Objects",
    number: int,
    figures: dict[int, int] | None,
    seen: set[int],
) -> None:
    """Put the sign of a picture into the text, once for each picture."""
    if objects.kinds[number] == pdf.FPDF_PAGEOBJ_TEXT:
        return
    if figures is None:
        if objects.kinds[number] != pdf.FPDF_PAGEOBJ_IMAGE:
            return
        name = -number - 1
    else:
        name = figures.get(objects.marks[number], -1)
        if name < 0:
            return
    if name not in seen:
        seen.add(name)
        reading.add_sign(FIGURE, (index, -1))


def _open_formula(reading: Reading, formula: Formula, index: int, position: int) -> None:
    assert reading.formulas is not None
    if any(formula is other for other in reading.formulas[-3:]):
        return
    reading.formulas.append(formula)
    reading.add_sign(FORMULA, (index, position))


def _count_bars(objects: "Objects", formulas: dict[int, Formula]) -> None:
    """Count the lines drawn between the first and the last glyph of each formula."""
    spans: dict[int, tuple[Formula, int, int]] = {}
    for number, mark in enumerate(objects.marks):
        formula = formulas.get(mark)
        if formula is not None and objects.kinds[number] == pdf.FPDF_PAGEOBJ_TEXT:
            _, first, _ = spans.get(id(formula), (formula, number, number))
            spans[id(formula)] = (formula, first, number)
    for formula, first, last in spans.values():
        texts = [n for n in range(first, last + 1) if formulas.get(objects.marks[n]) is formula]
        formula.bars = sum(
            objects.kinds[number] == pdf.FPDF_PAGEOBJ_PATH and objects.height(number) < 3
            for number in range(first, last)
        )
        for number in texts:
            if objects.is_arc(number):
                others = [n for n in texts if n != number]
                formula.beside = not any(objects.share_width(number, n) for n in others)


def _read_tags(page: pdfium.PdfPage) -> tuple[dict[int, Formula], dict[int, int], bool]:
    """Return what the tags of a page name: formulas and figures by their marks."""
    formulas: dict[int, Formula] = {}
    figures: dict[int, int] = {}
    tree = pdf.FPDF_StructTree_GetForPage(page.raw)
    count = pdf.FPDF_StructTree_CountChildren(tree) if tree else 0
    for name, (element, kind) in enumerate(_elements(tree, count)):
        if kind == "Formula":
            formula = Formula(_string(pdf.FPDF_StructElement_GetAltText, element))
            formulas.update(dict.fromkeys(_marks(element), formula))
        elif kind == "Figure":
            figures.update(dict.fromkeys(_marks(element), name))
    if tree:
        pdf.FPDF_StructTree_Close(tree)
    return formulas, figures, count > 0


def _elements(tree: object, count: int) -> Iterator[tuple[object, str]]:
    """Yield the elements that have content on a page, and their types."""
    waiting = [
        (element, 0)
        for child in reversed(range(count))
        if (element := pdf.FPDF_StructTree_GetChildAtIndex(tree, child))
    ]
    seen: set[int] = set()
    while waiting:
        element, depth = waiting.pop()
        address = ctypes.addressof(element.contents)
        if address in seen or depth > _DEEPEST:
            continue
        seen.add(address)
        yield element, _string(pdf.FPDF_StructElement_GetType, element)
        for child in reversed(range(max(0, pdf.FPDF_StructElement_CountChildren(element)))):
            inner = pdf.FPDF_StructElement_GetChildAtIndex(element, child)
            if inner:
                waiting.append((inner, depth + 1))


def _marks(element: object) -> Iterator[int]:
    """Yield the marks of the content of an element and of the elements in it."""
    for inner, _ in [(element, ""), *_below(element)]:
        for child in range(max(0, pdf.FPDF_StructElement_GetMarkedContentIdCount(inner))):
            mark = pdf.FPDF_StructElement_GetMarkedContentIdAtIndex(inner, child)
            if mark >= 0:
                yield mark


def _below(element: object, depth: int = 0) -> Iterator[tuple[object, str]]:
    if depth > 20:
        return
    for child in range(max(0, pdf.FPDF_StructElement_CountChildren(element))):
        inner = pdf.FPDF_StructElement_GetChildAtIndex(element, child)
        if inner:
            yield inner, ""
            yield from _below(inner, depth + 1)


def _string(read: object, element: object) -> str:
    length = read(element, None, 0)  # type: ignore[operator]
    if not length:
        return ""
    buffer = ctypes.create_string_buffer(length)
    read(element, buffer, length)  # type: ignore[operator]
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")


def _drop_repeated_lines(reading: Reading) -> None:
    """Without tags nothing tells a footer from a line: drop "page n of N" from the text."""
    for footer in reversed(list(re.finditer(r"page\d+of\d+", "".join(reading.parts)))):
        del reading.parts[footer.start() : footer.end()]
        del reading.places[footer.start() : footer.end()]
