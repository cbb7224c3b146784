"""The text layer of a PDF: what a reader copies and finds where letters are drawn in pieces.

Typst draws a letter and its marks (the dots of Arabic, the hat of x̂) as separate pieces wherever a
mark stands higher or lower than its font says, and gives each piece the text of the whole letter:
copied, the letter comes twice. Here a letter gets its own text and its first mark the text of the
marks; a mark is known by its width, which is 0. The page itself stays as it is.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pypdf.generic import StreamObject

IN_PIECES = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0600-\u08ff\u0900-\u109f\u1780-\u17ff\u20d0-\u20ff]"
)
"""Marks, Arabic, and the scripts of India and its neighbours: what may be drawn in pieces."""

_NOTHING = "\u034f"  # is not seen and ends no word; a font must name a text for each of its pieces
# Lam and alef are one piece. Some readers turn the letters of a line from right to left around,
# and these two with them; they know the sign that stands for both.
_LIGATURES = {
    unicodedata.normalize("NFKC", sign).encode("utf-16-be").hex().upper().encode(): b"%04X"
    % ord(sign)
    for sign in "ﻵﻷﻹﻻ"
}
_ENTRY = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")
_FONT = rb"/(f\d+) [\d.]+ Tf"
_SPAN = re.compile(
    rb"/Span <<\s*/ActualText <FEFF([0-9A-F]*)>\s*>> BDC(.*?)EMC|" + _FONT, re.DOTALL
)
_SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class _Piece:
    """What is shown under one text: a letter, its marks, or several at once."""

    font: int  # the number of the font's object
    text: bytes  # in hexadecimal digits of UTF-16
    letters: list[int]  # the codes that have a width
    marks: list[int]  # and those that have none


def mend_text_layer(pdf: bytes) -> bytes:
    """Return a PDF by Typst in which a reader copies and finds a letter and its marks once."""
    from pypdf import PdfWriter  # takes 0.1 s, and most documents do not need it

    writer = PdfWriter(BytesIO(pdf), incremental=True)
    fonts: dict[int, Any] = {}  # the types of pypdf say only that there may be any object
    pages = []
    for page in writer.pages:
        named = cast(Any, page["/Resources"]).get("/Font", {})
        fonts |= {
            font.idnum: font.get_object()
            for font in named.values()
            if "/DescendantFonts" in font.get_object()  # not a font of coloured pictures
        }
        names = {name.removeprefix("/").encode(): font.idnum for name, font in named.items()}
        if "/Contents" in page:
            pages.append((cast(Any, page["/Contents"]).get_object(), names))
    wide = {number: _codes_with_width(font) for number, font in fonts.items()}
    marks: dict[tuple[int, bytes], set[int]] = {}  # the marks that come with a text
    known: dict[tuple[int, bytes, int], bytes] = {}  # a code's part of a text

    def note(piece: _Piece) -> bytes:
        codes = piece.letters + piece.marks
        if piece.marks:
            marks.setdefault((piece.font, piece.text), set()).update(piece.marks)
        text = _read(piece.text)
        if len(codes) == len(text) > 1 and _is_letter_with_marks(text):
            parts = zip(codes, text, strict=True)
            known.update({(piece.font, piece.text, code): _write(part) for code, part in parts})
        return piece.text

    def mend(piece: _Piece) -> bytes:
        codes = piece.letters + piece.marks
        if len(codes) == 1 and (piece.font, piece.text, codes[0]) in known:
            return known[piece.font, piece.text, codes[0]]
        thin = marks.get((piece.font, piece.text))
        text = _own_text(piece, min(thin)) if thin else piece.text
        return _LIGATURES.get(text, text) if len(piece.letters) == 1 else text

    for change in (note, mend):
        for number, font in fonts.items():
            _change_font(font["/ToUnicode"].get_object(), number, wide[number], change)
        for contents, names in pages:
            _change_page(contents, names, wide, change)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _own_text(piece: _Piece, first_mark: int) -> bytes:
    """Return the text of a piece, of which Typst says the text of the whole letter.

    The first mark has the text of all marks, since they may be drawn as one.
    """
    text = _read(piece.text)
    is_whole = piece.letters and len(piece.letters + piece.marks) > 1
    if is_whole or all(map(_is_mark, text)):
        return piece.text
    own = text
    if _is_letter_with_marks(text):
        own = text[:1] if piece.letters else text[1:]
    elif piece.marks:
        own = ""
    if piece.marks and first_mark not in piece.marks:
        own = ""
    return _write(own or _NOTHING)


def _is_letter_with_marks(text: str) -> bool:
    return not _is_mark(text[0]) and all(map(_is_mark, text[1:]))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me", "Cf")


def _read(digits: bytes) -> str:
    """Return a composed text from hexadecimal digits of UTF-16."""
    text = bytes.fromhex(digits.decode()).decode("utf-16-be", "replace")
    return unicodedata.normalize("NFC", text)


def _write(text: str) -> bytes:
    return text.encode("utf-16-be").hex().upper().encode()


def _codes_with_width(font: Any) -> set[int]:
    """Return the codes to which a font gives a width; Typst leaves the others at the width 0."""
    widths = list(font["/DescendantFonts"].get_object()[0].get_object().get("/W", []))
    codes: set[int] = set()
    while widths:  # a code and a list of widths, or a range of codes and one width
        first, second = widths.pop(0), widths.pop(0)
        if isinstance(second, list):
            codes |= {first + number for number, width in enumerate(second) if width}
        elif widths.pop(0):
            codes |= set(range(first, second + 1))
    return codes


def _piece(font: int, text: bytes, codes: list[int], wide: set[int]) -> _Piece:
    letters = [code for code in codes if code in wide]
    return _Piece(font, text, letters, [code for code in codes if code not in wide])


def _change_font(
    table: "StreamObject", font: int, wide: set[int], change: Callable[[_Piece], bytes]
) -> None:
    """Change the text that a font gives to each of its codes."""

    def entry(match: re.Match[bytes]) -> bytes:
        text = change(_piece(font, match[2], [int(match[1], 16)], wide))
        return b"<%s> <%s>" % (match[1], text)

    _rewrite(table, _ENTRY, entry)


def _change_page(
    contents: "StreamObject",
    names: dict[bytes, int],
    wide: dict[int, set[int]],
    change: Callable[[_Piece], bytes],
) -> None:
    """Change the text that a page gives to its pieces where it is not the text of their font."""
    font = 0

    def span(match: re.Match[bytes]) -> bytes:
        nonlocal font
        inner = re.search(_FONT, match[0])
        font = names[inner[1]] if inner else font
        if match[3] or font not in wide:
            return match[0]
        codes = [code for shown in _SHOWN.finditer(match[2]) for code in _codes(shown[1])]
        text = change(_piece(font, match[1], codes, wide[font]))
        return match[0].replace(b"<FEFF" + match[1], b"<FEFF" + text, 1)

    _rewrite(contents, _SPAN, span)


def _codes(shown: bytes) -> list[int]:
    """Return the codes in a string of a page, of two bytes each."""

    def escape(match: re.Match[bytes]) -> bytes:
        if match[1].isdigit():
            return bytes([int(match[1], 8)])
        return _ESCAPED.get(match[1], match[1])

    data = _ESCAPE.sub(escape, shown)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def _rewrite(
    stream: "StreamObject", pattern: re.Pattern[bytes], write: Callable[[re.Match[bytes]], bytes]
) -> None:
    data = stream.get_data()
    changed = pattern.sub(write, data)
    if changed != data:
        stream.set_data(changed)
