"""Spaces of code and of printed lines: the comparison of texts leaves them out.

In a typewriter face each character has the same width, so a line that is narrower than its
characters, or that begins farther to the left than its indent, has lost spaces.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from coursework.check.align import Alignment
from coursework.check.expected import Item
from coursework.check.finding import Finding, shorten
from coursework.check.pages import Pages


@dataclass(frozen=True)
class _Line:
    """A line on a page."""

    item: Item  # the line of the notebook
    indent: int  # the spaces at its start
    count: int  # the characters after them
    left: float  # where the first character begins, in points
    width: float  # from there to where the last one begins
    size: int  # of its letters, in tenths of a point


def find_lost_spaces(pages: Pages, alignment: Alignment) -> Iterator[Finding]:
    """Find lines of code and output without their spaces, the first of each cell or output."""
    groups: dict[tuple[str, str], list[_Line]] = {}
    width_of: dict[int, float] = {}  # a character, by the size of the letters
    for item, span in zip(alignment.items, alignment.spans, strict=True):
        if item.kind not in ("code", "output") or not item.required or not span:
            continue
        text = item.text.strip()
        if not text.isascii() or span[1] - span[0] != len("".join(text.split())):
            continue  # of another width, or found in another form
        if "\t" in item.text or item.looks & {"center", "right"}:
            continue  # as wide as its reader likes, or without an indent
        first, last = span[0], span[1] - 1
        _, is_typewritten = pages.font(first)
        if pages.page_of(first) != pages.page_of(last) or not is_typewritten:
            continue
        left, top = pages.origin(first)
        right, bottom = pages.origin(last)
        if abs(top - bottom) < 1:
            indent = len(item.text.rstrip()) - len(text)
            line = _Line(item, indent, len(text), left, right - left, round(10 * pages.size(first)))
            groups.setdefault((item.where, item.kind), []).append(line)
            if " " not in text[:2] and line.count > 1:
                width_of.setdefault(line.size, pages.origin(first + 1)[0] - left)
    for (where, kind), lines in groups.items():
        narrow = next(_narrow(lines, width_of), None)
        if narrow:
            message = f"{where}: spaces are lost in the line: {shorten(narrow.text)}"
            yield Finding(kind, message)


def _narrow(lines: list[_Line], width_of: dict[int, float]) -> Iterator[Item]:
    for number, line in enumerate(lines):
        width = width_of.get(line.size, 0.0)
        # Several listings may have edges of their own: the indent is that from the nearest line.
        near = itertools.chain(range(number - 1, -1, -1), range(number + 1, len(lines)))
        outer = (lines[n] for n in near if lines[n].indent < line.indent)
        other = next(outer, line) if line.indent else line
        indent = (line.indent - other.indent - 0.5) * width
        if line.width < (line.count - 1.5) * width or line.left < other.left + indent:
            yield line.item
