"""What is on a page, but not in its place: outputs, cells of tables, items of lists exchanged."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from coursework.check.align import Alignment, is_hard_to_read, needle_of
from coursework.check.expected import Item
from coursework.check.page import FORMULA

_WIDEST = 100  # letters of a row and its frame that certainly stand side by side
_BETWEEN_CELLS = 2  # letters that the space between two cells takes
# What a page adds of its own: marks of lists and of outputs.
_ADDED = re.compile(r"stderr|error|\d+\.|\b[a-z]+\.|[^\w]")

Span = tuple[int, int]


def find_disorder(
    placed: list[tuple[Item, Span]], alignment: Alignment
) -> Iterator[tuple[Item, Item]]:
    """Yield an item, and a later one that stands before it on the page.

    Given are the items that are on the page, in the order of the notebook, and where they are.
    Items that stand in another order form a block of the notebook, and all of the block a part of
    the text. Only where that part holds the block and nothing else are the items surely exchanged;
    elsewhere a text may have been found in the place of an equal one.
    """
    # Up to each item, where the last text ends; and from each item on, where the first one starts.
    ends = [*itertools.accumulate((end for _, (_, end) in placed), max)]
    backwards = [len(alignment.text), *(start for _, (start, _) in reversed(placed))]
    starts = [*itertools.accumulate(backwards, min)][::-1]
    first = 0
    for number, end in enumerate(ends):
        if end <= starts[number + 1]:
            block = placed[first : number + 1]
            # Before the first item, a page may have a title of its own.
            part = ends[first - 1] if first else starts[0], starts[number + 1]
            if len(block) > 1 and _is_exchanged(block, part, alignment):
                yield block[0][0], min(block, key=lambda pair: pair[1])[0]
            first = number + 1


def _is_exchanged(block: list[tuple[Item, Span]], part: Span, alignment: Alignment) -> bool:
    items = [item for item, _ in block]
    if len({(item.where, item.row[0]) for item in items}) == 1 and _may_be_split(items):
        return False
    found = alignment.text[slice(*part)]
    if any(map(is_hard_to_read, found)) or _are_in_order(block, part[0], alignment.text):
        return False
    wanted = Counter("".join(map(needle_of, items)))
    owners = alignment.owners[slice(*part)]
    free = "".join(
        char for char, owner in zip(found, owners, strict=True) if owner < 0 and char != FORMULA
    )
    return wanted <= Counter(found) and not _ADDED.sub("", free)


def _are_in_order(block: list[tuple[Item, Span]], start: int, text: str) -> bool:
    """Whether a part of the text shows a block in its order, whatever stands in between.

    A formula is where its tag is; all formulas have the same sign.
    """
    last = max(end for _, (_, end) in block)
    for item, span in block:
        needle = needle_of(item)
        found = text.find(needle, start, last) if item.kind != "formula" else span[0]
        if found < start:
            return False
        start = found + len(needle)
    return True


def _may_be_split(items: list[Item]) -> bool:
    """Whether these are cells of a table so wide that its columns may go on below each other."""
    if not items[0].row[0]:
        return False
    widths: Counter[tuple[int, int]] = Counter()
    for item in items:
        widths[item.row] += max(map(len, item.text.split()), default=1) + _BETWEEN_CELLS
    return max(widths.values()) > _WIDEST
