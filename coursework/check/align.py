"""Which part of a PDF's text shows which part of a notebook.

Every item of the notebook takes a part of the text that no other has taken, so that a line which
the notebook shows twice must be there twice. What is left over belongs to no item.
"""

import bisect
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

from coursework.check.expected import Item
from coursework.check.page import EMPTY, FIGURE, FORMULA, Picture, Reading, fold

_ANCHOR = 8  # characters of a text that is looked for far from its neighbours
_NEAR = 3000  # characters of the page around the place where a short text must be
_ROUND = 200  # characters around a gap, as a reader may read one line before another
_LOOSE = set("*_`~\\\"'“”‘’:") | {EMPTY}
_DIGITS = "0123456789"
_TAKEN = "\x00"
_SHORT = 4  # a text of fewer words may be two cells of a table
_LONG, _PART = 300, 30  # a cell of a table that a page may break, and the least of its parts


class Alignment:
    """The text of a PDF, and which item of the notebook has taken what of it."""

    def __init__(self, reading: Reading, items: list[Item]) -> None:
        self.text, self.breaks, self.lines = reading.text, reading.breaks, reading.lines
        self.items = items  # all but formulas, which are told by their tags
        self.needles = [needle_of(item) for item in items]
        self.spans: list[tuple[int, int] | None] = [None] * len(items)  # None: not found
        self.owners = [-1] * len(reading.text)  # for each character the number of its item
        self.otherwise: list[int] = []  # items on the page of which a copy reads otherwise
        self.empty = 0  # how many characters of the items are empty glyphs

    @property
    def rest(self) -> str:
        """The text that nobody has taken, as long as the whole."""
        return "".join(
            char if owner < 0 else _TAKEN
            for char, owner in zip(self.text, self.owners, strict=True)
        )

    def missing(self) -> list[int]:
        """Return the numbers of the items that were not found."""
        return [
            number
            for number, span in enumerate(self.spans)
            if span is None and number not in self.otherwise
        ]

    def take(self, number: int, start: int, end: int) -> None:
        """Give a part of the text to an item."""
        self.spans[number] = (start, end)
        self.owners[start:end] = [number] * (end - start)

    def give_back(self, number: int) -> None:
        """Take from an item what it has."""
        start, end = self.spans[number] or (0, 0)
        self.owners[start:end] = [-1] * (end - start)
        self.spans[number] = None

    def next(self, number: int, start: int, end: int) -> int:
        """Return where the text of an item stands that nobody has taken, or -1.

        A line of an output begins with a line of the page, and not within one; the cell "0.00" of
        a table does not take the cells "0.0" and "0".
        """
        item, needle = self.items[number], self.needles[number]
        if item.kind in ("code", "output"):
            found = self.free(needle, start, end, starts=self.lines)
            if found >= 0:
                return found
        return self.free(needle, start, end, words=len(item.text.split()) or 1)

    def free(
        self,
        needle: str,
        start: int,
        end: int,
        as_words: bool = True,
        words: int = _SHORT,
        starts: set[int] | None = None,
    ) -> int:
        """Return where a text stands that nobody has taken and that has so few words, or -1."""
        for found in _places(self.text, needle, start, end):
            after = found + len(needle)
            is_whole = self._is_word(found, after) if as_words else not self.cuts(found, after)
            inner = range(found + 1, after) if words < _SHORT else ()
            if (
                is_whole
                and (starts is None or found in starts)
                and len(self.breaks.intersection(inner)) < words
                and max(self.owners[found:after]) < 0
            ):
                return found
        return -1

    def cuts(self, start: int, end: int) -> bool:
        """Whether a part of the text begins or ends within a number, of which it takes a piece."""
        text = self.text
        before = text[max(0, start - 1) : start] if start not in self.breaks else ""
        if text[start] in _DIGITS + "." and before in (*_DIGITS, *".-+"):
            return True
        following = text[end : end + 2] if end not in self.breaks else ""
        is_more = following[:1] in (*_DIGITS,) or re.match(r"[.,]\d", following) is not None
        return text[end - 1] in _DIGITS and is_more

    def _is_word(self, start: int, end: int) -> bool:
        return start in self.breaks and (end in self.breaks or end == len(self.text))

    def gaps(self) -> list[tuple[int, int]]:
        """Return for each item the part of the text between the items before and after it.

        These may have taken each other's places, as equal numbers in a table do.
        """
        starts, ends = [0], [len(self.text)]
        for span in self.spans:
            starts.append(span[1] if span else starts[-1])
        for span in reversed(self.spans):
            ends.append(span[0] if span else ends[-1])
        pairs = zip(starts[:-1], ends[-2::-1], strict=True)
        return [(min(pair), max(pair)) for pair in pairs]


def align(reading: Reading, items: list[Item]) -> Alignment:
    """Find each item in the text of a PDF."""
    alignment = Alignment(reading, items)
    _take_anchors(alignment)
    _take_between(alignment, required=True)
    _take_anywhere(alignment)
    _take_between(alignment, required=False)
    _take_empty(alignment)
    _take_in_parts(alignment)
    for read in (str, _loose, _skeleton):
        _take_as(alignment, read)
    _take_nearby(alignment)
    _order_equals(alignment)
    _take_between(alignment, required=True)  # what others have given back since
    _match_figures(alignment, reading.pictures)
    return alignment


def needle_of(item: Item) -> str:
    """Return what stands for an item in the text of a PDF."""
    return {"figure": FIGURE, "formula": FORMULA}.get(item.kind) or fold(item.text)


def _places(text: str, needle: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield each place where a text stands in another, also where two of them overlap."""
    found = text.find(needle, start, end)
    while found >= 0:
        yield found
        found = text.find(needle, found + 1, end)


def is_hard_to_read(char: str) -> bool:
    """Whether readers of PDFs are known to garble a character.

    They reorder and double the letters of scripts that are joined or that run from right to left,
    and the marks that stand on other letters.
    """
    return (
        unicodedata.category(char)[0] == "M"
        or unicodedata.bidirectional(char) in ("R", "AL", "AN")
        or "\u0900" <= char < "\u1100"
        or "\u1780" <= char < "\u1800"
        or "\u1ea0" <= char < "\u1f00"
        or char > "\U0001f000"
    )


def is_joined(char: str) -> bool:
    """Whether a letter is of a script whose letters take their form from their neighbours."""
    return "\u0600" <= char < "\u0780" or "\u0900" <= char < "\u0e00"


def skeleton(text: str) -> str:
    """Return a folded text without the marks on its letters, and each foreign letter once."""
    out: list[str] = []
    for char in text:
        if unicodedata.category(char)[0] == "M" or char == "\ufffd":
            continue
        if char > "\u02ff" and out and out[-1] == char:
            continue
        out.append(char)
    return "".join(out)


def _take_anchors(alignment: Alignment) -> None:
    """Find the texts that occur once in the notebook, in order."""
    counts = Counter(alignment.needles)
    position = 0
    for number, needle in enumerate(alignment.needles):
        if len(needle) < _ANCHOR or counts[needle] > 1 or not alignment.items[number].required:
            continue
        found = alignment.next(number, position, position + 2 * _NEAR + len(needle))
        if found >= 0:
            alignment.take(number, found, found + len(needle))
            position = found + len(needle)


def _take_between(alignment: Alignment, required: bool) -> None:
    """Find the other texts in the gaps, in order where they are in order.

    What is not required comes last, so that it takes nothing from what is.
    """
    gaps = alignment.gaps()
    start = position = 0
    for number, needle in enumerate(alignment.needles):
        span = alignment.spans[number]
        if span:
            start = position = span[1]
            continue
        if not needle:
            alignment.spans[number] = (position, position)
            continue
        if alignment.items[number].required != required:
            continue
        found = alignment.next(number, position, gaps[number][1])
        if found < 0:
            found = alignment.next(number, start, gaps[number][1])
        if found >= 0:
            alignment.take(number, found, found + len(needle))
            position = found + len(needle)


def _take_anywhere(alignment: Alignment) -> None:
    """Find what is out of order, the longest first; it robs shorter items that stand in it."""
    waiting = [number for number in alignment.missing() if alignment.items[number].required]
    waiting.sort(key=lambda number: -len(alignment.needles[number]))
    gaps = alignment.gaps()
    in_vain: set[tuple[str, int, int]] = set()
    for number in waiting:  # grows by those that are robbed, each of which is shorter
        needle = alignment.needles[number]
        start, end = 0, len(alignment.text)
        if len(needle) < _ANCHOR // 2:
            low, high = gaps[number]
            start, end = max(0, low - _NEAR), high + _NEAR
        if (needle, start, end) in in_vain:
            continue
        found = alignment.next(number, start, end)
        if found < 0:
            found = alignment.free(needle, start, end, as_words=False)
        if found < 0:
            found = _among_shorter(alignment, needle, start, end)
        if found >= 0:
            robbed = set(alignment.owners[found : found + len(needle)]) - {-1}
            for other in robbed:
                alignment.give_back(other)
            alignment.take(number, found, found + len(needle))
            waiting += robbed
        else:
            in_vain.add((needle, start, end))


def _among_shorter(alignment: Alignment, needle: str, start: int, end: int) -> int:
    """Return where a text stands of which only shorter items have taken parts, or -1."""
    for found in _places(alignment.text, needle, start, end):
        owners = set(alignment.owners[found : found + len(needle)]) - {-1}
        spans = [alignment.spans[owner] or (0, 0) for owner in owners]
        is_whole = not alignment.cuts(found, found + len(needle))
        if is_whole and all(span[1] - span[0] < len(needle) for span in spans):
            return found
    return -1


def _take_empty(alignment: Alignment) -> None:
    """Find texts of which some characters are empty glyphs, as no font had them."""
    known = set(alignment.text)
    for number in alignment.missing():
        needle = "".join(char if char in known else EMPTY for char in alignment.needles[number])
        found = alignment.free(needle, 0, len(alignment.text), as_words=False)
        if EMPTY in needle and found >= 0:
            alignment.take(number, found, found + len(needle))
            alignment.empty += needle.count(EMPTY)


def _take_in_parts(alignment: Alignment) -> None:
    """Find cells of tables that go on on the next page, after what stands beside them."""
    for number in alignment.missing():
        needle = alignment.needles[number]
        if alignment.items[number].kind != "table" or len(needle) < _LONG:
            continue
        rest, parts, end = alignment.rest, [], 0
        while needle:
            count = _longest_start(needle, rest[end:])
            if count < min(_PART, len(needle)):
                break
            start = rest.index(needle[:count], end)
            end = start + count
            parts.append((start, end))
            needle = needle[count:]
        else:
            for part in parts:
                alignment.take(number, *part)
            alignment.spans[number] = parts[0]


def _longest_start(needle: str, text: str) -> int:
    """Return how many letters from the start of a text stand together in another."""
    counts = range(1, len(needle) + 1)
    return bisect.bisect_left(counts, True, key=lambda count: needle[:count] not in text)


def _loose(text: str) -> str:
    """Drop the marks of Markdown, on which its readers differ, and forms of quotation marks."""
    return "".join(char for char in text if char not in _LOOSE)


def _skeleton(text: str) -> str:
    return skeleton(_loose(text))


def _take_as(alignment: Alignment, read: Callable[[str], str]) -> None:
    """Find missing items in what is left, both read in another way."""
    missing = alignment.missing()
    if not missing:
        return
    characters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(alignment.rest):
        for part in read(char):
            if read is _skeleton and characters and part == characters[-1] > "\u02ff":
                continue
            characters.append(part)
            places.append(place)
    rest = "".join(characters)
    for number in missing:
        item = alignment.items[number]
        if item.kind == "figure":
            continue  # its alternative text stands for no picture
        for text in [item.also] if read is str else [item.also, item.text]:
            needle = read(fold(text))
            for found in _places(rest, needle) if needle else ():
                start, end = places[found], places[found + len(needle) - 1] + 1
                if not alignment.cuts(start, end):
                    break
            else:
                continue
            rest = rest[:found] + _TAKEN * len(needle) + rest[found + len(needle) :]
            if read is _skeleton:
                alignment.otherwise.append(number)
            alignment.take(number, start, end)
            break


def _take_nearby(alignment: Alignment) -> None:
    """Accept a text that readers garble where about as many letters are left in its place.

    They change the order of its words, double its letters or move its marks. So it is enough if
    most of its letters, or as many letters of such scripts, are left between its neighbours.
    """
    gaps = alignment.gaps()
    if not any(map(is_hard_to_read, set(alignment.rest))):
        return
    # A text that may be anywhere comes last, so that it takes nothing from what has its place.
    for number in sorted(alignment.missing(), key=lambda n: gaps[n][1] - gaps[n][0] > 3 * _NEAR):
        item = alignment.items[number]
        letters = Counter(char for char in skeleton(fold(item.text)) if char.isalnum())
        hard = sum(is_hard_to_read(char) for char in fold(item.text))
        if item.kind == "figure" or not hard:
            continue
        start, end = gaps[number]
        end = min(end, start + _NEAR)
        near = range(max(0, start - _ROUND), min(len(alignment.text), end + _ROUND))
        free = [place for place in near if alignment.owners[place] < 0]
        found = Counter(alignment.text[place] for place in free)
        foreign = [place for place in free if is_hard_to_read(alignment.text[place])]
        foreign.sort(key=lambda place: not start <= place < end)
        if (letters & found).total() < 0.8 * letters.total() and len(foreign) < hard / 2:
            continue
        for place in foreign[:hard]:
            alignment.owners[place] = number
        alignment.otherwise.append(number)


def _order_equals(alignment: Alignment) -> None:
    """Give equal texts their places in order: which of them was found where says nothing."""
    equals: dict[str, list[int]] = {}
    for number, (span, needle) in enumerate(zip(alignment.spans, alignment.needles, strict=True)):
        if span and alignment.text[slice(*span)] == needle != "":
            equals.setdefault(needle, []).append(number)
    for numbers in equals.values():
        spans = [span for number in numbers if (span := alignment.spans[number])]
        for number, span in zip(numbers, sorted(spans), strict=True):
            alignment.take(number, *span)


def _match_figures(alignment: Alignment, pictures: dict[int, Picture]) -> None:
    """Where one of several neighbouring pictures is missing, tell by the sizes which one it is."""
    for _, group in itertools.groupby(
        range(len(alignment.items)), key=lambda number: alignment.items[number].kind == "figure"
    ):
        numbers = list(group)
        found = sorted(span[0] for n in numbers if (span := alignment.spans[n]))
        if alignment.items[numbers[0]].kind != "figure" or not 0 < len(found) < len(numbers):
            continue
        for number in numbers:
            alignment.spans[number] = None
        for place in found:
            size = pictures[place].pixels
            number = next((n for n in numbers if alignment.items[n].size == size), numbers[0])
            alignment.take(number, place, place + 1)
            numbers.remove(number)
