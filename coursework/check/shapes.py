r"""How the parts of a formula stand to each other: by its TeX, and by its glyphs on the page.

The tag of a formula may say $x^2$ while the page shows $x_2$, and the signs are the same in both.
So the pairs of signs are counted that must stand above, below or before each other. A pair is wrong
only where it stands the other way round instead: an unusual layout alone is no fault.
"""

import re
from collections import Counter
from dataclasses import dataclass

from coursework.check.tex import SIGNS, UNARY, tokens_of

_HIGHER = 0.8  # points by which the baseline of an index differs from the baseline of its letter
_SCRIPT = 16.0  # points to the right within which the first letter of an index begins
_LIMIT = 30.0  # points to either side, where the index belongs to a large operator
_TALL = 40.0  # points that a fraction reaches above and below its bar
_BETWEEN = ("+", "-", "=", "<", ">")
_LARGE = set("∑∏∐∫∬∭∮")


@dataclass(frozen=True)
class Glyph:
    """A sign that is drawn, and where its baseline begins, in points."""

    sign: str
    x: float
    y: float


@dataclass(frozen=True)
class Bar:
    """A horizontal line, in points."""

    left: float
    right: float
    y: float


@dataclass(frozen=True)
class Pair:
    """Two signs of a formula, and how they stand to each other.

    The kind says what the second is to the first: its exponent (``"up"``), its index (``"down"``),
    its denominator (``"over"``), or what follows it after a sign, which is named (``"-"``).
    """

    kind: str
    first: str
    second: str

    @property
    def turned(self) -> "Pair":
        """The pair the other way round."""
        if self.kind in ("up", "down"):
            return Pair("down" if self.kind == "up" else "up", self.first, self.second)
        return Pair(self.kind, self.second, self.first)


_WORDS = {
    "up": "stands below and not above",
    "down": "stands above and not below",
    "over": "stands above and not below the bar, where there is",
}


def turned_round(tex: str, glyphs: list[Glyph], bars: list[Bar]) -> str:
    """Say which two signs of a formula are drawn the other way round; empty if none are."""
    wanted: Counter[Pair] = Counter()
    try:
        _read(tokens_of(tex), 0, "", wanted)
    except RecursionError:
        return ""
    for pair, count in wanted.items():
        is_less = _count(pair, glyphs, bars) < count
        if is_less and _count(pair.turned, glyphs, bars) > wanted[pair.turned]:
            how = _WORDS.get(pair.kind, f"stands before {pair.kind} and not after")
            return f"{pair.second} {how} {pair.first}"
    return ""


def _read(tokens: list[str], start: int, stop: str, pairs: Counter[Pair]) -> tuple[list[str], int]:
    """Count the pairs of a group; return its signs, and where the group ends."""
    signs: list[str] = []
    base = before = ""  # what an index belongs to, and what stands before a sign
    between = ""  # the sign
    position = start
    while position < len(tokens):
        token = tokens[position]
        position += 1
        sign = SIGNS.get(token[1:], "") if token[0] == "\\" else token
        if token == stop:
            break
        if token in ("^", "_"):
            inner, position = _argument(tokens, position, pairs)
            if base and inner:
                pairs[Pair("up" if token == "^" else "down", base, inner[0])] += 1
            signs += inner
        elif len(sign) == 1 and (sign.isalnum() or sign in _LARGE):
            if before and between and before != sign:
                pairs[Pair(between, before, sign)] += 1
            base = before = sign
            between = ""
            signs.append(sign)
        elif token == "{" or token[1:] in UNARY:
            inner, position = _argument(tokens, position - (token == "{"), pairs)
            base, before, between = inner[0] if len(inner) == 1 else "", "", ""
            signs += inner
        elif re.fullmatch(r"\\[dtc]?frac", token):
            above, position = _argument(tokens, position, pairs)
            below, position = _argument(tokens, position, pairs)
            first = next((sign for sign in above if sign not in below), "")
            second = next((sign for sign in below if sign not in above), "")
            if first and second:
                pairs[Pair("over", first, second)] += 1
            signs += above + below
            base = before = between = ""
        elif token in _BETWEEN:
            between, base = token, ""
        elif token not in ("'", r"\limits", r"\nolimits"):
            base = before = between = ""
    return signs, position


def _argument(tokens: list[str], position: int, pairs: Counter[Pair]) -> tuple[list[str], int]:
    """Read a group in braces, or one token."""
    if position >= len(tokens):
        return [], position
    if tokens[position] == "{":
        return _read(tokens, position + 1, "}", pairs)
    token = tokens[position]
    if token[1:] in UNARY:
        return _argument(tokens, position + 1, pairs)
    sign = SIGNS.get(token[1:], "") if token[0] == "\\" else token
    return ([sign] if sign.isalnum() else []), position + 1


def _count(pair: Pair, glyphs: list[Glyph], bars: list[Bar]) -> int:
    """Count how often two signs stand so to each other on the page."""
    firsts = [glyph for glyph in glyphs if glyph.sign == pair.first]
    seconds = [glyph for glyph in glyphs if glyph.sign == pair.second]
    if pair.kind == "over":
        return sum(
            any(_is_at(bar, glyph, 1) for glyph in firsts)
            and any(_is_at(bar, glyph, -1) for glyph in seconds)
            for bar in bars
        )
    if pair.kind in _BETWEEN:
        signs = [glyph for glyph in glyphs if glyph.sign == pair.kind]
        return sum(_neighbours(sign, glyphs) == [pair.first, pair.second] for sign in signs)
    side = 1 if pair.kind == "up" else -1
    return sum(any(_is_index(one, other, side) for one in firsts) for other in seconds)


def _neighbours(sign: Glyph, glyphs: list[Glyph]) -> list[str]:
    """Return the signs before and after one on its line."""
    line = [glyph for glyph in glyphs if abs(glyph.y - sign.y) < _HIGHER]
    before = max((g for g in line if g.x < sign.x), key=lambda g: g.x, default=None)
    after = min((g for g in line if g.x > sign.x), key=lambda g: g.x, default=None)
    return [glyph.sign for glyph in (before, after) if glyph]


def _is_index(one: Glyph, other: Glyph, side: int) -> bool:
    """Whether the second sign is an exponent of the first (1) or its index (-1)."""
    if side * (other.y - one.y) < _HIGHER:
        return False
    if abs(one.y - other.y) > _LIMIT:
        return False
    if one.sign in _LARGE:
        return abs(other.x - one.x) < _LIMIT
    return 0 < other.x - one.x < _SCRIPT


def _is_at(bar: Bar, glyph: Glyph, side: int) -> bool:
    """Whether a sign stands above a bar (1) or below it (-1)."""
    return bar.left - 1 < glyph.x < bar.right and 0 < side * (glyph.y - bar.y) < _TALL
