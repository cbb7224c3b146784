"""The formulas of a notebook held against those of its PDF: by their tags, or by their signs."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from coursework.check.align import Alignment
from coursework.check.expected import Expected, Item
from coursework.check.finding import LOST, WARNING, Finding, shorten
from coursework.check.order import find_disorder
from coursework.check.page import Formula, Reading, fold
from coursework.check.shapes import turned_round
from coursework.check.tex import OTHERS, Shown, defined_names, drawn_otherwise, read_tex

_GOES_ON = "…"  # the exporter's tag for what follows the first part of a broken formula
# The text between two dollars that are the signs of amounts.
_AMOUNT = re.compile(r"\d[\d.,]*(?:\s*[|)]|\s+[^\W\d_]{2})")


def find_odd_formulas(
    expected: Expected, reading: Reading, alignment: Alignment
) -> Iterator[Finding]:
    """Find formulas that are not drawn, drawn otherwise, or shown as their source."""
    items = [item for item in expected.items if item.kind == "formula"]
    defined = defined_names(item.text for item in items)
    shown = {item.text: read_tex(item.text, defined) for item in items}
    items = [item for item in items if shown[item.text].visible]
    if reading.formulas is None:
        yield from _check_untagged(items, shown, alignment)
        return
    drawn, alike, missing = _match(items, reading.formulas, shown)
    yield from _check_order(expected, alignment, drawn)
    for item, formula in alike:
        turned = "" if defined else turned_round(item.text, formula.places, formula.bars)
        if turned:
            yield _tell(item, turned)
        elif not defined and formula.tex not in ("", _GOES_ON):
            message = f"{item.where}: the PDF has {shorten(formula.tex)!r} with the same signs for"
            yield Finding("formula", f"{message} {shorten(item.text)}", WARNING)
    for item, formula in drawn:
        yield from _check_drawing(item, formula, shown[item.text])
    rest = alignment.rest
    for item in missing:
        source = fold(item.text)
        # Two amounts in dollars look like a formula, and are right as text.
        severity = WARNING if _AMOUNT.match(item.text) else LOST
        if source not in rest:
            yield _tell(item, "not shown as a formula", severity)
            continue
        rest = rest.replace(source, "", 1)
        if re.search(r"[\\^_{}]", item.text):
            yield _tell(item, "raw TeX is left on the page", kind="tex")


def _tell(item: Item, what: str, severity: str = LOST, kind: str = "formula") -> Finding:
    return Finding(kind, f"{item.where}: {what}: {shorten(item.text)}", severity)


def _check_order(
    expected: Expected, alignment: Alignment, drawn: list[tuple[Item, Formula]]
) -> Iterator[Finding]:
    """Find what is on the page, but not in its place."""
    spans = {
        id(item): span
        for item, span in zip(alignment.items, alignment.spans, strict=True)
        if span and item.required and bool(item.row[0]) == bool(item.row[1])
    }
    spans |= {id(item): (formula.start, formula.start + 1) for item, formula in drawn}
    placed = [(item, spans[id(item)]) for item in expected.items if id(item) in spans]
    for first, other in find_disorder(placed, alignment):
        shown, behind = (
            shorten(item.text) if item.kind != "figure" else "a picture" for item in (other, first)
        )
        place = f" of {other.where}" if other.where != first.where else ""
        message = f"not in its place: {shown}{place} stands before {behind}"
        yield Finding(first.kind, f"{first.where}: {message}")


def _match(
    items: list[Item], formulas: list[Formula], shown: dict[str, Shown]
) -> tuple[list[tuple[Item, Formula]], list[tuple[Item, Formula]], list[Item]]:
    """Give each formula of the notebook one of the PDF: by its tag, or by what is drawn.

    Return pairs with the same TeX, pairs with the same signs, and what has no formula.
    """
    by_tex: dict[str, list[Formula]] = {}
    for formula in formulas:
        by_tex.setdefault(_spelling(formula.tex), []).append(formula)
    pairs, left = [], []
    for item in items:
        if same := by_tex.get(_spelling(item.text)):
            pairs.append((item, same.pop(0)))
        else:
            left.append(item)
    after = dict(itertools.pairwise(formulas))
    for item, formula in pairs:
        # A formula that goes on on the next page is tagged there once more, or with dots.
        more = after.get(formula)
        while more and more.tex in (formula.tex, _GOES_ON):
            same = by_tex[_spelling(more.tex)]
            if more not in same or shown[item.text].symbols <= Counter(formula.glyphs):
                break
            formula.glyphs += more.glyphs
            formula.places += more.places
            formula.bars += more.bars
            same.remove(more)
            more = after.get(more)
    spare = [formula for same in by_tex.values() for formula in same]
    alike, missing = [], []
    for item in left:
        fit = next((f for f in spare if _fits(shown[item.text], f)), None)
        if fit is None:
            missing.append(item)
        else:
            spare.remove(fit)
            alike.append((item, fit))
    return pairs, alike, missing


def _spelling(tex: str) -> str:
    """Return a TeX as it is compared: in a table a bar parts cells, and is named instead."""
    return fold(re.sub(r"\\vert(?![A-Za-z])", "|", re.sub(r"\\\||\\Vert(?![A-Za-z])", "‖", tex)))


def _fits(shown: Shown, formula: Formula) -> bool:
    wanted, drawn = shown.symbols, Counter(formula.glyphs)
    return bool(wanted) and wanted <= drawn and wanted.total() > 0.7 * drawn.total()


def _check_drawing(item: Item, formula: Formula, shown: Shown) -> Iterator[Finding]:
    missing = shown.symbols - Counter(formula.glyphs)
    if missing:
        signs = " ".join(dict.fromkeys(missing.elements()))
        yield _tell(item, f"drawn without {signs}")
    elif turned := turned_round(item.text, formula.places, formula.bars):
        yield _tell(item, turned)
    elif why := drawn_otherwise(item.text, formula.glyphs, bool(formula.bars), formula.beside):
        yield _tell(item, why, WARNING)


def _check_untagged(
    items: list[Item], shown: dict[str, Shown], alignment: Alignment
) -> Iterator[Finding]:
    """Without tags, the signs of all formulas together must be in what is left of the text."""
    wanted: Counter[str] = Counter()
    for item in items:
        wanted += shown[item.text].symbols
    rest = alignment.rest
    for sign, count in wanted.items():
        found = rest.count(sign)
        if not sign.isascii() and sign not in OTHERS.values() and found < count:
            yield Finding("formula", f"formulas hold {sign} {count} times, the PDF {found} times")
    for item in items:
        if re.search(r"\\[A-Za-z]{2,}", item.text) and fold(item.text) in rest:
            yield _tell(item, "raw TeX is left on the page", kind="tex")
