"""Lines of fixed-pitch text in colour: wrapped at the page's width, written as Typst."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from coursework.pdf.typst import string

COLUMNS = 100
"""Characters of code that fit on a line of the page; style.typ sets type and margins to match."""

KEEP = 500
"""Lines kept at each end of an output that is longer than twice this."""


@dataclass(frozen=True)
class Span:
    """Text in one style.

    Attributes
    ----------
    text
        What is shown.
    style
        Arguments of Typst's ``text``; empty for plain text.
    background
        A Typst colour, or empty.
    underline
        Whether it is underlined.
    """

    text: str
    style: str = ""
    background: str = ""
    underline: bool = False


Line = list[Span]


@lru_cache(maxsize=4096)
def char_width(char: str) -> int:
    """Return the columns a character takes: 2 for CJK and emoji, 0 for combining marks."""
    if char < "\u0300":
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str) -> int:
    """Return the columns a text takes."""
    return len(text) if text.isascii() else sum(map(char_width, text))


def split_lines(spans: Iterable[Span]) -> list[Line]:
    """Split spans that may hold newlines into lines."""
    lines: list[Line] = [[]]
    for span in spans:
        first, *rest = span.text.split("\n")
        if first:
            lines[-1].append(replace(span, text=first))
        for part in rest:
            lines.append([replace(span, text=part)] if part else [])
    return lines


def wrap(line: Line, columns: int) -> list[tuple[int, Line]]:
    """Break a line at ``columns``, after a space or a comma where there is one near the end.

    Returns
    -------
    list
        Pairs of an indent and a line. The indent of the first is 0; those of the others hang: four
        columns more than the line's own.
    """
    text = "".join(span.text for span in line)
    if text_width(text) <= columns:
        return [(0, line)]
    own = len(text) - len(text.lstrip(" "))
    hang = min(own + 4, columns // 2)
    cuts = _cuts(text, columns, columns - hang)
    pieces = _slice(line, cuts)
    return [(0 if i == 0 else hang, piece) for i, piece in enumerate(pieces)]


def _cuts(text: str, first: int, others: int) -> list[int]:
    """Return the positions at which ``text`` is broken."""
    cuts: list[int] = []
    start, room = 0, first
    while True:
        end, used = start, 0
        while end < len(text) and used + char_width(text[end]) <= room:
            used += char_width(text[end])
            end += 1
        if end >= len(text):
            return cuts
        end = max(end, start + 1)
        end = start + _nice_end(text[start:end])
        cuts.append(end)
        start, room = end, others


def _nice_end(line: str) -> int:
    """Return where to break a full line: after a space, or some sign, or just anywhere."""
    for signs, earliest in ((" ", len(line) // 2), (",;/([{=|", len(line) * 2 // 3)):
        end = max(line.rfind(sign) for sign in signs) + 1
        if end > earliest:
            return end
    return len(line)


def _slice(line: Line, cuts: list[int]) -> list[Line]:
    pieces: list[Line] = [[]]
    position = 0
    remaining = list(cuts)
    for span in line:
        text = span.text
        while remaining and position + len(text) >= remaining[0]:
            head = remaining.pop(0) - position
            if head:
                pieces[-1].append(replace(span, text=text[:head]))
            pieces.append([])
            text, position = text[head:], position + head
        if text:
            pieces[-1].append(replace(span, text=text))
            position += len(text)
    return pieces


def write_lines(lines: list[Line], columns: int, keep: int | None = None) -> tuple[str, int]:
    """Write lines as Typst markup.

    Parameters
    ----------
    lines
        What to write.
    columns
        The width available.
    keep
        Lines kept at each end, where there are more than twice as many; ``None`` keeps all.

    Returns
    -------
    tuple
        The markup, and how many lines were left out.
    """
    wrapped = [piece for line in lines for piece in wrap(line, columns)]
    dropped = 0 if keep is None else max(0, len(wrapped) - 2 * keep)
    if not dropped or keep is None:
        return _join(wrapped), 0
    note = f"#omitted({dropped});"
    return f"{_join(wrapped[:keep])}\n{note}\n{_join(wrapped[-keep:])}", dropped


def _join(wrapped: list[tuple[int, Line]]) -> str:
    return "#linebreak();\n".join(_written(wrapped))


def _written(wrapped: list[tuple[int, Line]]) -> Iterator[str]:
    for hang, line in wrapped:
        # An empty line would have no height: a zero-width space has.
        body = "".join(map(_write_span, line)) or "#h(0pt);"
        yield f"#hang({hang});{body}" if hang else body


def _write_span(span: Span) -> str:
    shown = string(span.text)
    if span.style:
        shown = f"text({span.style}, {shown})"
    if span.background:
        shown = f"highlight(fill: {span.background}, {shown})"
    if span.underline:
        shown = f"underline({shown})"
    return f"#{shown};"
