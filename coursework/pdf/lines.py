"""Lines of fixed-pitch text: coloured as Jupyter does, wrapped, and written as Typst."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from coursework.pdf.typst import literal, string

COLUMNS = 100
"""Characters of code that fit on a line of the page; style.typ sets type and margins to match."""

KEEP = 500
"""Lines kept at each end of an output that is longer than twice this."""

_TOGETHER = 6
"""Lines of a function, its first and its last, between which no page ends."""

# The names are colours of style.typ, listed from the special to the general.
_STYLES = (
    (Token.Comment, 'fill: ink.comment, style: "italic"'),
    (Token.Keyword.Constant, "fill: ink.number"),
    (Token.Keyword, 'fill: ink.keyword, weight: "bold"'),
    (Token.Operator.Word, 'fill: ink.keyword, weight: "bold"'),
    (Token.Literal.String, "fill: ink.string"),
    (Token.Literal.Number, "fill: ink.number"),
    (Token.Name.Decorator, "fill: ink.decorator"),
    (Token.Name.Function, "fill: ink.name"),
    (Token.Name.Class, 'fill: ink.name, weight: "bold"'),
    (Token.Name.Builtin, "fill: ink.builtin"),
    (Token.Name.Exception, "fill: ink.builtin"),
    (Token.Operator, "fill: ink.operator"),
)


@dataclass(frozen=True)
class Span:
    """Text in one style: arguments of Typst's ``text``, and the colour behind it, or empty."""

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
    """Split spans that may hold newlines into lines, without empty lines at the end."""
    lines: list[Line] = [[]]
    for span in spans:
        first, *rest = span.text.split("\n")
        if first:
            lines[-1].append(replace(span, text=first))
        for part in rest:
            lines.append([replace(span, text=part)] if part else [])
    while lines and not lines[-1]:
        lines.pop()
    return lines


def highlight(code: str, language: str) -> list[Line]:
    """Return the lines of ``code`` in colour; an unknown language stays black."""
    lexer = _lexer(language)
    spans = [Span(text, _style(kind)) for kind, text in lexer.get_tokens(code)] if lexer else []
    if "".join(span.text for span in spans).rstrip("\n") != code.rstrip("\n"):
        # There is no lexer, or it changes line ends or tabs: the text matters more than its colour.
        spans = [Span(code)]
    return split_lines(spans)


@lru_cache
def _lexer(language: str) -> Lexer | None:
    # Pygments knows ipython3, as Jupyter calls Python, only where IPython is installed.
    for name in (language, language.replace("ipython", "python")):
        with suppress(ClassNotFound, ImportError):
            return get_lexer_by_name(name, stripnl=False)
    return None


@lru_cache
def _style(kind: _TokenType) -> str:
    for ancestor, style in _STYLES:
        if kind in ancestor:
            return style
    return ""


def wrap(line: Line, columns: int) -> list[tuple[int, Line]]:
    """Break a line at ``columns``, after a space or a comma where there is one near the end.

    Each piece comes with its indent: 0 for the first; the others hang by four columns more than
    the spaces at the start of the whole line.
    """
    text = "".join(span.text for span in line)
    if text_width(text) <= columns:
        return [(0, line)]
    own = len(text) - len(text.lstrip(" "))
    hang = min(own + 4, columns // 2)
    chars = [(char, span) for span in line for char in span.text]
    pieces: list[tuple[int, Line]] = []
    start = 0
    while start < len(text):
        indent = hang if pieces else 0
        end = _end_of_line(text, start, columns - indent)
        runs = groupby(chars[start:end], key=itemgetter(1))
        piece = [replace(span, text="".join(char for char, _ in run)) for span, run in runs]
        pieces.append((indent, piece))
        start = end
    return pieces


def _end_of_line(text: str, start: int, room: int) -> int:
    """Return where the line that begins at ``start`` ends."""
    end, used = start, 0
    while end < len(text) and used + char_width(text[end]) <= room:
        used += char_width(text[end])
        end += 1
    return end if end == len(text) else start + _nice_end(text[start:end])


def _nice_end(line: str) -> int:
    """Return where to break a full line: after a space, else after a sign, else at its end."""
    indent = len(line) - len(line.lstrip(" "))  # alone on a line it would be an empty line
    for signs, least in ((" ", len(line) // 2), (",;/([{=|", len(line) * 2 // 3)):
        earliest = max(least, indent)
        end = max(line.rfind(sign) for sign in signs) + 1
        if end > earliest:
            return end
    return len(line)


def write_lines(lines: list[Line], columns: int = COLUMNS) -> str:
    """Return lines of code as Typst markup, wrapped at a width in characters.

    No page ends right below the head of a function, or begins with its last lines.
    """
    written: list[str] = []
    function: list[tuple[int, Line]] = []
    for hang, line in _wrapped(lines, columns):
        is_next = line and [above for _, above in function[-2:]] == [[], []]
        if is_next and any(above for _, above in function):
            empty = 0
            while not function[-1][1]:
                function.pop()
                empty += 1
            written += [*_write_function(function), f"#code-gap({empty})"]
            function = []
        function.append((hang, line))
    return "\n".join([*written, *_write_function(function)])


def _write_function(lines: list[tuple[int, Line]]) -> list[str]:
    # Empty lines below it, above another piece of its cell, belong to its end.
    shown = max((number for number, (_, line) in enumerate(lines, 1) if line), default=0)
    if shown <= 2 * _TOGETHER:
        return [f"#code-together[{_join(lines)}]"]
    return [
        f"#code-head[{_join(lines[:_TOGETHER])}]",
        f"#code-middle[{_join(lines[_TOGETHER : shown - _TOGETHER])}]",
        f"#code-together[{_join(lines[shown - _TOGETHER :])}]",
    ]


def tail_start(lines: list[Line]) -> int:
    """Return where the last lines begin that stay with the output of a cell.

    They are whole functions of twelve lines in all, or else the last six lines of a longer one.
    """
    few = 2 * _TOGETHER
    if len(lines) <= few:
        return 0
    for number in range(max(2, len(lines) - few), len(lines)):
        if lines[number] and not any(lines[number - 2 : number]):
            return number
    return len(lines) - _TOGETHER


def write_ends(lines: list[Line]) -> tuple[str, int]:
    """Return the lines of an output as markup, and how many are left out in the middle."""
    wrapped = _wrapped(lines, COLUMNS)
    dropped = len(wrapped) - 2 * KEEP
    if dropped <= 0:
        return _join(wrapped), 0
    return f"{_join(wrapped[:KEEP])}\n#omitted({dropped});\n{_join(wrapped[-KEEP:])}", dropped


def _wrapped(lines: list[Line], columns: int) -> list[tuple[int, Line]]:
    return [piece for line in lines for piece in wrap(line, columns)]


def _join(wrapped: list[tuple[int, Line]]) -> str:
    written = []
    for hang, line in wrapped:
        body = "".join(map(_write_span, line))
        written.append(f"#hang({hang});{body}" if hang else body)
    # Typst drops an empty line at the end unless its end is written, too.
    ends_empty = bool(wrapped) and not wrapped[-1][1]
    return "#linebreak();\n".join(written) + "#linebreak();" * ends_empty


# Letters that the typewriter face lacks, upright or slanted; most of them are of Vietnamese.
_LACKING = "ǞǰǺǻѶѷḔḕḖḗḮḯṎṏṐṑṒṓṤṥṦṧṺṻẢảẤấẦầẨẩẪẫẮắẲẳẴẵẺẻẾếỀềỂểỄễỈỉỎỏỐốỒồỔổỖỗỞởỦủỬửỶỷ"
_MARKED = re.compile(
    f"[0-9A-Za-z\u00c0-\u024f\u0370-\u04ff\u1e00-\u1eff\u2100-\u22ff][\u0300-\u0338]+|[{_LACKING}]"
)
_LOW = "acegmnopqrsuvwxyz"
_ABOVE = 230  # the class of marks that stand above their letter


def typewritten(text: str, slanted: bool = False) -> str:
    """Return a Typst expression that shows a text in the typewriter face.

    The face places one mark over a low and upright letter. Anywhere else it draws marks beside
    their letter, or Typst gives the letter to readers twice; there style.typ places the marks.
    """
    parts = []
    end = 0
    for match in _MARKED.finditer(text):
        letter, marks = _taken_apart(match[0])
        over = "".join(mark for mark in marks if unicodedata.combining(mark) == _ABOVE)
        if not marks or (letter in _LOW and len(marks) == len(over) == 1 and not slanted):
            continue
        others = "".join(mark for mark in marks if unicodedata.combining(mark) != _ABOVE)
        parts.append(literal(text[end : match.start()]))
        parts.append(f"#stacked({string(letter)}, {string(over)}, {string(others)});")
        end = match.end()
    return f"[{''.join(parts)}{literal(text[end:])}]" if parts else string(text)


def _taken_apart(marked: str) -> tuple[str, str]:
    """Return a letter that the typewriter face has, and the marks that it needs."""
    composed = unicodedata.normalize("NFC", marked)
    letter, marks = composed[0], composed[1:]
    if letter in _LACKING:
        letter, mark = (chr(int(code, 16)) for code in unicodedata.decomposition(letter).split())
        marks = mark + marks
    return letter, marks


def _write_span(span: Span) -> str:
    shown = typewritten(span.text, "italic" in span.style)
    if span.style:
        shown = f"text({span.style}, {shown})"
    if span.background:
        shown = f"highlight(fill: {span.background}, {shown})"
    if span.underline:
        shown = f"underline({shown})"
    return f"#{shown};"
