r"""What a terminal would show for the text a program printed.

Progress bars draw over themselves with ``\r``, ``\b`` and cursor movements; colours are escape
sequences. A small terminal plays them all, so that a bar is one line, as on the screen.
"""

import re
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from coursework.pdf.lines import Line, Span

# Dark enough to read on white paper, and distinct when printed in gray.
PALETTE = (
    "#24292f", "#b3261e", "#1a6b2f", "#8a5a00", "#1f4fa3", "#8a2b8f", "#0f6b74", "#6e7781",
    "#57606a", "#cf352b", "#24813c", "#a06c00", "#2f66c9", "#a44aa9", "#1b8490", "#8c959f",
)  # fmt: skip
_TIME = r"[\d:]+(?:<[\d:?]+(?:,\s*[^,\]]*/[^,\]]*)?|,\s*[^,\]]*/[^,\]]*)"
# How a progress bar is known, and its times and speeds, which differ from run to run: of tqdm
# (of ten of a hundred, or of 10it: how many is unknown), of fastprogress and of Keras.
_BARS = [
    (re.compile(known), re.compile(times))
    for known, times in (
        (r"%\||\d\S* \[\d+:\d\d", rf"\s*\[{_TIME}\]|(?<=\[){_TIME},\s*"),
        (r"% \[\d+/\d+ \d+:\d\d<", r"(?<=\d) [\d:]+<[\d:?]+"),
        (
            r"\d/\d+ (━|\[[=>.])",
            r"(?<=[━\]])( -)?( ETA:)? \d[\d:]*s?( [\d.]+[mun]?s/(step|sample|epoch))?(?=\s|$)",
        ),
    )
]
_CONTROL = re.compile(r"\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\n\r\b]")


# What one number of an escape sequence changes: "\x1b[1;31m" is bold and red.
_SWITCHES: dict[int, tuple[str, Any]] = {
    1: ("bold", True), 3: ("italic", True), 4: ("underline", True), 7: ("inverse", True),
    22: ("bold", False), 23: ("italic", False), 24: ("underline", False), 27: ("inverse", False),
    39: ("color", ""), 49: ("background", ""),
}  # fmt: skip
for _number, _hue in zip((*range(30, 38), *range(90, 98)), PALETTE, strict=True):
    _SWITCHES[_number] = ("color", _hue)
    _SWITCHES[_number + 10] = ("background", _hue)


@dataclass(frozen=True)
class _Style:
    color: str = ""
    background: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False


@dataclass(frozen=True)
class Screen:
    """The lines a terminal ends up with, and the control characters it had to spell out."""

    lines: list[Line]
    spelled_out: tuple[str, ...]


class _Terminal:
    """An endless sheet of paper under a cursor that moves."""

    def __init__(self) -> None:
        self.rows: list[list[tuple[str, _Style]]] = [[]]
        self.row = self.column = 0
        self.style = _Style()
        self.spelled: dict[str, None] = {}

    def write(self, text: str) -> None:
        """Write text without control sequences over what stands at the cursor."""
        text = _printable(text, self.column, self.spelled)
        cells = self.rows[self.row]
        if len(cells) < self.column:
            cells.extend([(" ", _Style())] * (self.column - len(cells)))
        cells[self.column : self.column + len(text)] = [(char, self.style) for char in text]
        self.column += len(text)

    def move(self, char: str) -> None:
        r"""Obey ``\n``, ``\r`` or ``\b``; the title of a window moves nothing."""
        if char == "\n":
            self.row, self.column = self.row + 1, 0
            if len(self.rows) == self.row:
                self.rows.append([])
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)

    def obey(self, command: str, argument: str) -> None:
        """Obey an escape sequence; those that neither move, delete nor colour change nothing."""
        count = max(1, int(argument)) if argument.isdigit() else 1
        if command == "m":
            self.style = _restyle(self.style, argument)
        elif command == "A":
            self.row = max(0, self.row - count)
        elif command == "B":
            self.row = min(len(self.rows) - 1, self.row + count)
        elif command == "C":
            self.column += min(count, 1000)
        elif command == "D":
            self.column = max(0, self.column - count)
        elif command == "K" and argument in ("", "0"):
            del self.rows[self.row][self.column :]
        elif command == "K" and argument == "2":
            self.rows[self.row].clear()


def play(text: str) -> Screen:
    r"""Play a stream on an endless sheet of paper and return what stands on it.

    A character that moves nothing and draws nothing, such as NUL, is written out as ``\x00``.
    """
    text = text.replace("\r\n", "\n")
    if not re.search(r"[\x1b\r\b]", text):
        # Most streams move no cursor, and this way is many times as fast.
        shown, spelled = printable(without_times(text).rstrip("\n"))
        return Screen([[Span(line)] if line else [] for line in shown.split("\n")], spelled)
    terminal = _Terminal()
    position = 0
    for match in _CONTROL.finditer(text):
        terminal.write(text[position : match.start()])
        position = match.end()
        if match[2]:
            terminal.obey(match[2], match[1])
        else:
            terminal.move(match[0])
    terminal.write(text[position:])
    rows = terminal.rows
    while len(rows) > 1 and not rows[-1]:
        rows.pop()
    for cells in rows:
        for start, end in _times("".join(char for char, _ in cells)):
            del cells[start:end]
    return Screen([_spans(cells) for cells in rows], tuple(terminal.spelled))


def without_times(text: str) -> str:
    """Leave the time and the speed out of each progress bar: they are new in every run."""
    if "[" not in text and "━" not in text:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for start, end in _times(line):
            lines[number] = lines[number][:start] + lines[number][end:]
    return "\n".join(lines)


def progress_bar(value: Any, most: Any) -> str:
    """Return a bar as tqdm draws it, of ten characters; empty if there is no value."""
    try:
        share = float(value) / float(most or 1)
    except (TypeError, ValueError):
        share = 0.0
    full = round(10 * min(1.0, max(0.0, share)))
    return "|" + "█" * full + " " * (10 - full) + "|"


def _times(line: str) -> list[tuple[int, int]]:
    """Return where the times of progress bars stand in a line, the last one first."""
    times = next((times for known, times in _BARS if known.search(line)), None)
    return [match.span() for match in times.finditer(line)][::-1] if times else []


def printable(text: str) -> tuple[str, tuple[str, ...]]:
    """Write tabs as spaces and spell out other control characters; return their spellings too."""
    spelled: dict[str, None] = {}
    lines = [_printable(line, 0, spelled) for line in text.split("\n")]
    return "\n".join(lines), tuple(spelled)


def _printable(text: str, column: int, spelled: dict[str, None]) -> str:
    if text.isprintable():
        return text
    out: list[str] = []
    for char in text:
        if char == "\t":
            out.append(" " * (8 - (column + len(out)) % 8))
        elif _is_control(char):
            code = f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
            spelled[code] = None
            out.extend(code)
        else:
            out.append(char)
    return "".join(out)


def _is_control(char: str) -> bool:
    """Whether a character draws nothing: controls, surrogates, numbers that are no characters.

    A zero-width space, which breaks a program unseen, and the marks that reorder a line count too.
    """
    code = ord(char)
    return (
        code < 32
        or 127 <= code < 160
        or code in (0x200B, 0xFEFF)
        or 0x2028 <= code < 0x202F
        or 0x2066 <= code < 0x206A
        or 0xD800 <= code < 0xE000
        or 0xFDD0 <= code < 0xFDF0
        or code & 0xFFFE == 0xFFFE
    )


def _spans(cells: list[tuple[str, _Style]]) -> Line:
    runs = groupby(cells, key=itemgetter(1))
    return [_span("".join(char for char, _ in run), style) for style, run in runs]


def _span(text: str, style: _Style) -> Span:
    color, background = style.color, style.background
    if style.inverse:
        color, background = background or "#ffffff", color or PALETTE[0]
    arguments = [f'fill: rgb("{color}")'] if color else []
    if style.bold:
        arguments.append('weight: "bold"')
    if style.italic:
        arguments.append('style: "italic"')
    fill = f'rgb("{background}")' if background else ""
    return Span(text, ", ".join(arguments), fill, style.underline)


def _restyle(style: _Style, argument: str) -> _Style:
    """Apply the numbers of an SGR sequence."""
    codes = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", argument)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = _Style()
        elif code in _SWITCHES:
            name, value = _SWITCHES[code]
            style = replace(style, **{name: value})
        elif code == 38:
            style = replace(style, color=_extended(codes))
        elif code == 48:
            style = replace(style, background=_extended(codes))
    return style


def _extended(codes: list[int]) -> str:
    """Take the numbers of a 256-colour or 24-bit colour from ``codes``, and return the colour."""
    kind = codes.pop(0) if codes else 0
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(255, codes.pop(0)) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    if kind != 5 or not codes:
        return ""
    index = min(255, codes.pop(0))
    if index < 16:
        return PALETTE[index]
    if index >= 232:
        level = 8 + 10 * (index - 232)
        return f"#{level:02x}{level:02x}{level:02x}"
    steps = (0, 95, 135, 175, 215, 255)
    index -= 16
    return "#" + "".join(f"{steps[index // place % 6]:02x}" for place in (36, 6, 1))
