"""How a text stands on the page: its face, its direction, its place, the colours behind it."""

import itertools
from collections.abc import Iterator

from coursework.check.align import Alignment, is_joined
from coursework.check.expected import Expected, Item
from coursework.check.pages import Box, Color, Pages

_OFF_CENTER = 30.0  # points by which the middle of a centred line may miss the middle of the page
_GAP = 2.5  # between the words of a line, in heights of a letter, where the line is torn apart
_LINE = 9.0  # points: what is less far above the lowest mark of a line is on that line
_SAME_COLOR = 60  # levels by which red, green and blue of a colour may differ
_SHORT = 30  # characters of an entry of a list that has room for a neighbour


def find_odd_looks(
    pages: Pages, expected: Expected, alignment: Alignment, places: list[tuple[int, int]]
) -> Iterator[tuple[str, str]]:
    """Yield where and how something looks otherwise than its author asked."""
    owned: dict[int, list[int]] = {}
    for position, owner in enumerate(alignment.owners):
        if owner >= 0 and places[position][1] >= 0:
            owned.setdefault(owner, []).append(position)
    torn_cells = {item.cell for item in expected.replaced if item.also}
    faces: dict[str, str] = {}
    for number, item in enumerate(alignment.items):
        if number not in owned:
            continue
        here = [places[position] for position in owned[number]]
        face = _wrong_face(pages, item, alignment, owned[number], places)
        if face:
            faces.setdefault(face, item.where)
        if item.kind == "heading" and "center" in item.looks and _is_off_center(pages, here):
            yield item.where, f"a centred heading stands at the side: {item.text}"
        if "rtl" in item.looks and _runs_from_left(pages, item, alignment, number, places):
            yield item.where, f"a text from right to left is set from left to right: {item.text}"
        if item.kind == "text" and item.cell in torn_cells and _is_torn(pages, here):
            yield item.where, f"a line is torn apart: {item.text}"
    for face, where in faces.items():
        yield where, f"a script whose letters are joined is set from {face}, which does not join"
    yield from _columns(pages, alignment, owned, places)
    for item, colors in expected.colors:
        numbers = [n for n in owned if alignment.items[n].where == item.where]
        on_pages = {places[position][0] for n in numbers for position in owned[n]}
        if not any(_share_color(colors, pages.drawn(page)) for page in on_pages):
            yield item.where, "the colours of a table are not on the page"


def _wrong_face(
    pages: Pages,
    item: Item,
    alignment: Alignment,
    owned: list[int],
    places: list[tuple[int, int]],
) -> str:
    """Return the font of a text, if it is one that does not join the letters of its script."""
    joined = next((p for p in owned if is_joined(alignment.text[p])), None)
    if joined is None:
        return ""
    font = pages.font(places[joined])
    is_prose = item.kind not in ("code", "output")
    return font if "Math" in font or ("Mono" in font and is_prose) else ""


def _first_line(pages: Pages, here: list[tuple[int, int]]) -> list[Box]:
    boxes = [pages.box(place) for place in here if place[0] == here[0][0]]
    return [box for box in boxes if box[1] < boxes[0][3] and box[3] > boxes[0][1]]


def _is_off_center(pages: Pages, here: list[tuple[int, int]]) -> bool:
    line = _first_line(pages, here)
    left, _, right, _ = pages.open(here[0][0])[0].get_mediabox()
    middle = (min(box[0] for box in line) + max(box[2] for box in line)) / 2
    return bool(abs(middle - (left + right) / 2) > _OFF_CENTER)


def _runs_from_left(
    pages: Pages, item: Item, alignment: Alignment, number: int, places: list[tuple[int, int]]
) -> bool:
    """Whether the full stop of a text stands at the right end of its last line.

    The letters cannot tell: readers reorder them.
    """
    stop = item.text.rstrip()[-1]
    start, end = alignment.spans[number] or alignment.gaps()[number]
    if stop.isalnum() or start >= end:
        return False
    last = places[end - 1][0]
    boxes = [
        (pages.box(places[position]), alignment.text[position])
        for position in range(start, end)
        if places[position][0] == last
    ]
    lowest = min(box[1] for box, _ in boxes)
    return max((box[0], char) for box, char in boxes if box[1] < lowest + _LINE)[1] == stop


def _is_torn(pages: Pages, here: list[tuple[int, int]]) -> bool:
    line = _first_line(pages, here)
    height = max(box[3] - box[1] for box in line)
    gaps = [after[0] - box[2] for box, after in itertools.pairwise(line)]
    return max(gaps, default=0.0) > _GAP * height


def _columns(
    pages: Pages,
    alignment: Alignment,
    owned: dict[int, list[int]],
    places: list[tuple[int, int]],
) -> Iterator[tuple[str, str]]:
    """Find lists whose short entries stand below each other, where they run in a line."""
    lists: dict[str, list[int]] = {}
    for number, item in enumerate(alignment.items):
        if "inline" in item.looks and len(item.text) < _SHORT and number in owned:
            lists.setdefault(item.where, []).append(number)
    for where, numbers in lists.items():
        lines = {
            (places[owned[n][0]][0], round(pages.box(places[owned[n][0]])[1])) for n in numbers
        }
        if len(numbers) > 2 and len(lines) == len(numbers):
            yield where, "a list that runs in a line is set as a column"


def _share_color(wanted: set[Color], found: set[Color]) -> bool:
    """Whether one of the wanted colours is near one that was found."""
    return any(
        all(abs(a - b) < _SAME_COLOR for a, b in zip(color, other, strict=True))
        for color in wanted
        for other in found
    )
