"""How a text stands on the page: its face, its direction, its place, the colours behind it."""

import itertools
from collections.abc import Iterator

from coursework.check.align import Alignment, is_joined
from coursework.check.expected import Expected, Item
from coursework.check.finding import WARNING, Finding, shorten
from coursework.check.layout import Box
from coursework.check.pages import Color, Pages

_OFF_CENTER = 30.0  # points by which the middle of a centred line may miss the middle of the page
_GAP = 2.5  # between the words of a line, in heights of a letter, where the line is torn apart
_LINE = 9.0  # points: what is less far above the lowest mark of a line is on that line
_SAME_COLOR = 60  # levels by which red, green and blue of a colour may differ
_SHORT = 30  # characters of an entry of a list that has room for a neighbour


def find_odd_looks(pages: Pages, expected: Expected, alignment: Alignment) -> Iterator[Finding]:
    """Find what looks otherwise than its author asked."""
    for where, what in _odd_looks(pages, expected, alignment):
        yield Finding("looks", f"{where}: {shorten(what, 120)}", WARNING)


def _odd_looks(pages: Pages, expected: Expected, alignment: Alignment) -> Iterator[tuple[str, str]]:
    owned: dict[int, list[int]] = {}  # the positions of each item's letters
    for position, owner in enumerate(alignment.owners):
        if owner >= 0 and pages.places[position][1] >= 0:
            owned.setdefault(owner, []).append(position)
    torn_cells = {item.cell for item in expected.replaced if item.also}
    faces: dict[str, str] = {}
    for number, here in sorted(owned.items()):
        item = alignment.items[number]
        face = _wrong_face(pages, item, alignment, here)
        if face:
            faces.setdefault(face, item.where)
        is_centred = "center" in item.looks and item.row == (0, 0)  # in a cell of a table, of it
        if item.kind == "heading" and is_centred and _is_off_center(pages, here):
            yield item.where, f"a centred heading stands at the side: {item.text}"
        if "rtl" in item.looks and _runs_from_left(pages, alignment, number):
            yield item.where, f"a text from right to left is set from left to right: {item.text}"
        if item.kind == "text" and item.cell in torn_cells and _is_torn(pages, here):
            yield item.where, f"a line is torn apart: {item.text}"
    for face, where in faces.items():
        yield where, f"a script whose letters are joined is set from {face}, which does not join"
    for where in _columns(pages, alignment, owned):
        yield where, "a list that runs in a line is set as a column"
    for item, colors in expected.colors:
        numbers = [n for n in owned if alignment.items[n].where == item.where]
        on_pages = {pages.page_of(position) for n in numbers for position in owned[n]}
        if not any(_share_color(colors, pages.colors(page)) for page in on_pages):
            yield item.where, "the colours of a table are not on the page"


def _wrong_face(pages: Pages, item: Item, alignment: Alignment, here: list[int]) -> str:
    """Return the font of a text, if it is one that does not join the letters of its script."""
    joined = next((position for position in here if is_joined(alignment.text[position])), None)
    if joined is None:
        return ""
    font, _ = pages.font(joined)
    is_prose = item.kind not in ("code", "output")
    return font if "Math" in font or ("Mono" in font and is_prose) else ""


def _first_line(pages: Pages, here: list[int]) -> list[Box]:
    first = pages.page_of(here[0])
    boxes = [pages.box(position) for position in here if pages.page_of(position) == first]
    return [box for box in boxes if box[1] < boxes[0][3] and box[3] > boxes[0][1]]


def _is_off_center(pages: Pages, here: list[int]) -> bool:
    line = _first_line(pages, here)
    left, _, right, _ = pages.open(pages.page_of(here[0]))[0].get_mediabox()
    middle = (min(box[0] for box in line) + max(box[2] for box in line)) / 2
    return bool(abs(middle - (left + right) / 2) > _OFF_CENTER)


def _runs_from_left(pages: Pages, alignment: Alignment, number: int) -> bool:
    """Whether the full stop of a text stands at the right end of its last line.

    The letters cannot tell: readers reorder them.
    """
    stop = alignment.items[number].text.rstrip()[-1]
    start, end = alignment.spans[number] or alignment.gaps()[number]
    if stop.isalnum() or start >= end:
        return False
    last = pages.page_of(end - 1)
    boxes = [
        (pages.box(position), alignment.text[position])
        for position in range(start, end)
        if pages.page_of(position) == last
    ]
    lowest = min(box[1] for box, _ in boxes)
    return max((box[0], char) for box, char in boxes if box[1] < lowest + _LINE)[1] == stop


def _is_torn(pages: Pages, here: list[int]) -> bool:
    line = _first_line(pages, here)
    height = max(box[3] - box[1] for box in line)
    gaps = [after[0] - box[2] for box, after in itertools.pairwise(line)]
    return max(gaps, default=0.0) > _GAP * height


def _columns(pages: Pages, alignment: Alignment, owned: dict[int, list[int]]) -> Iterator[str]:
    """Find lists whose short entries stand below each other, where they run in a line."""
    lists: dict[str, list[int]] = {}
    for number, here in sorted(owned.items()):
        item = alignment.items[number]
        if "inline" in item.looks and len(item.text) < _SHORT:
            lists.setdefault(item.where, []).append(here[0])
    for where, starts in lists.items():
        lines = {(pages.page_of(start), round(pages.box(start)[1])) for start in starts}
        if len(starts) > 2 and len(lines) == len(starts):
            yield where


def _share_color(wanted: set[Color], found: set[Color]) -> bool:
    """Whether one of the wanted colours is near one that was found."""
    return any(
        all(abs(a - b) < _SAME_COLOR for a, b in zip(color, other, strict=True))
        for color in wanted
        for other in found
    )
