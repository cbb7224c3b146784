"""A PDF read back: its text in order, its figures and formulas, and what lies outside a page."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject

_FOOTER = re.compile(r"^page \d+ of \d+$")
PICTURE = "a picture"
_MARGIN = 3.0  # points by which text or a picture may reach over the edge of the page


class UnreadablePdfError(ValueError):
    """A file that is no PDF, or one that cannot be read whole."""


@dataclass(frozen=True)
class Readback:
    """What a reader of the PDF gets.

    Attributes
    ----------
    pages
        The text of each page.
    text
        The text of all pages without headers, footers and white space, in compatibility form
        (NFKC).
    formulas
        How many tags name each formula, by its TeX without spaces; ``None`` if there are no tags.
    figures
        How many pictures the tags name, or if there are no tags, how many the pages draw.
    blank_pages
        Numbers of pages that show nothing but their header and footer.
    outside
        Pairs of a page's number and something that lies outside of the page, in words.
    numbering
        The "page n of N" of each page, where there is one.
    """

    pages: tuple[str, ...]
    text: str
    formulas: Counter[str] | None
    figures: int
    blank_pages: tuple[int, ...]
    outside: tuple[tuple[int, str], ...]
    numbering: tuple[str, ...]


def read_back(path: Path) -> Readback:
    """Read a PDF.

    Raises
    ------
    UnreadablePdfError
        If the file cannot be read; the message says why.
    """
    try:
        reader = PdfReader(path, strict=False)
        if reader.is_encrypted:
            raise UnreadablePdfError("the PDF is encrypted; export it without a password")
        pages, drawn, outside = [], [], []
        for number, page in enumerate(reader.pages, 1):
            text, pictures, beyond = _read_page(page)
            pages.append(text)
            drawn.append(pictures)
            outside += [(number, what) for what in beyond]
        tags = _tags(reader)
    except (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UnreadablePdfError | FileNotFoundError):
            raise
        raise UnreadablePdfError(f"it cannot be read ({error}); export it again") from error
    bodies = _without_headers(pages)
    return Readback(
        pages=tuple(pages),
        text=squeeze("\n".join(bodies)),
        formulas=None if tags is None else tags.formulas,
        figures=sum(drawn) if tags is None else tags.figures,
        blank_pages=tuple(
            number
            for number, (body, pictures) in enumerate(zip(bodies, drawn, strict=True), 1)
            if not body.strip() and not pictures
        ),
        outside=tuple(outside),
        numbering=tuple(
            next((line for line in page.splitlines() if _FOOTER.match(line.strip())), "")
            for page in pages
        ),
    )


def squeeze(text: str) -> str:
    """Return a text as it is compared: no spaces, no invisible marks, one form of each letter."""
    text = unicodedata.normalize("NFKC", text)
    # Invisible characters are format characters (Cf); emoji are joined by some of them.
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def holds_reordered(squeezed: str, text: str) -> bool:
    """Return whether a squeezed page holds each word of a text that runs from right to left.

    Each reader of PDFs orders the words of such scripts, and sometimes their letters, in its own
    way. So the words may stand apart, and each may be spelled in either direction.
    """
    if not any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return False
    words = map(squeeze, text.split())
    return all(word in squeezed or word[::-1] in squeezed for word in words)


def _without_headers(pages: list[str]) -> list[str]:
    """Drop the footer of each page, and a first line that most pages share."""
    split = [[line for line in page.splitlines() if line.strip()] for page in pages]
    split = [[line for line in page if not _FOOTER.match(line.strip())] for page in split]
    for _ in range(2):
        first = Counter(page[0] for page in split if page)
        common = first.most_common(1)
        if len(pages) > 1 and common and common[0][1] > len(pages) / 2:
            split = [page[1:] if page and page[0] == common[0][0] else page for page in split]
    return ["\n".join(page) for page in split]


def _read_page(page: Any) -> tuple[str, int, list[str]]:
    """Return the text of a page, the number of its pictures, and what lies outside of the page."""
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    xobjects = _entry(_entry(page, "/Resources"), "/XObject")
    pictures = 0
    beyond: list[str] = []

    def on_text(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        shown = text.strip()
        if not shown:
            return
        x, y = _point(cm, tm[4], tm[5])
        scale = abs(tm[0] * cm[0]) or abs(tm[1] * cm[1]) or 1.0
        # The letters of every text face are wider than this on average: only sure cases count.
        width = 0.3 * size * scale * len(shown)
        across = left - _MARGIN <= x and x + width <= right + _MARGIN
        if not across or not bottom - _MARGIN <= y <= top + _MARGIN:
            beyond.append(f"the text {_short(shown)!r}")

    def on_operator(operator: bytes, operands: Any, cm: Any, tm: Any) -> None:
        nonlocal pictures
        if operator != b"Do" or not operands or operands[0] not in xobjects:
            return
        if xobjects[operands[0]].get_object().get("/Subtype") != "/Image":
            return
        pictures += 1
        corners = [_point(cm, x, y) for x in (0, 1) for y in (0, 1)]
        if any(
            not (left - _MARGIN <= x <= right + _MARGIN and bottom - _MARGIN <= y <= top + _MARGIN)
            for x, y in corners
        ):
            beyond.append(PICTURE)

    text = page.extract_text(visitor_text=on_text, visitor_operand_before=on_operator)
    return text, pictures, beyond


def _entry(dictionary: Any, name: str) -> Any:
    """Return an entry, also if it is stored elsewhere in the file; ``{}`` if there is none."""
    value = dictionary.get(name)
    return {} if value is None else value.get_object()


def _point(matrix: Any, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = (float(value) for value in matrix)
    return a * x + c * y + e, b * x + d * y + f


@dataclass(frozen=True)
class _Tags:
    formulas: Counter[str]
    figures: int


def _tags(reader: PdfReader) -> _Tags | None:
    """Count formulas and figures in the tags, which a PDF holds for screen readers."""
    catalog = reader.trailer["/Root"].get_object()
    root = catalog.get("/StructTreeRoot") if isinstance(catalog, DictionaryObject) else None
    if root is None:
        return None
    formulas: Counter[str] = Counter()
    figures = 0
    waiting = [root.get_object()]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, DictionaryObject):
            continue
        if node.get("/S") == "/Formula":
            formulas[squeeze(str(node.get("/Alt", "")))] += 1
        figures += node.get("/S") == "/Figure"
        kids = node.get("/K", [])
        kids = kids.get_object() if hasattr(kids, "get_object") else kids
        for kid in kids if isinstance(kids, list) else [kids]:
            waiting.append(kid.get_object() if hasattr(kid, "get_object") else kid)
    return _Tags(formulas, figures)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
