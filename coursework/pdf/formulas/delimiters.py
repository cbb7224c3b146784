r"""Brackets and bars of any size, and fractions: ``\left``, ``\big``, ``\over``, ``\genfrac``."""

from collections import deque
from functools import partial

from coursework.pdf.formulas.rewriter import Infix, Rewriter, Rule, show
from coursework.pdf.formulas.tex import (
    Tokens,
    UnreadableFormulaError,
    read_argument,
    read_length,
    read_until,
    skip_spaces,
)

_DELIMITERS = {
    "(": "paren.l", ")": "paren.r", "[": "bracket.l", "]": "bracket.r", r"\{": "brace.l",
    r"\}": "brace.r", r"\lbrace": "brace.l", r"\rbrace": "brace.r", "|": "bar.v",
    r"\|": "bar.v.double", r"\vert": "bar.v", r"\lvert": "bar.v", r"\rvert": "bar.v",
    r"\Vert": "bar.v.double", r"\lVert": "bar.v.double", r"\rVert": "bar.v.double",
    r"\langle": "chevron.l", r"\rangle": "chevron.r", "<": "chevron.l", ">": "chevron.r",
    r"\lt": "chevron.l", r"\gt": "chevron.r", r"\lbrack": "bracket.l", r"\rbrack": "bracket.r",
    r"\lfloor": "floor.l", r"\rfloor": "floor.r", r"\lceil": "ceil.l", r"\rceil": "ceil.r",
    r"\lgroup": "paren.l.flat", r"\rgroup": "paren.r.flat", r"\lmoustache": "mustache.l",
    r"\rmoustache": "mustache.r", r"\ulcorner": "corner.l.t", r"\urcorner": "corner.r.t",
    r"\llcorner": "corner.l.b", r"\lrcorner": "corner.r.b", r"\llbracket": "bracket.l.stroked",
    r"\rrbracket": "bracket.r.stroked", r"\arrowvert": "bar.v", r"\Arrowvert": "bar.v.double",
    r"\bracevert": "bar.v",
    "/": "slash", r"\backslash": "backslash", r"\\": "backslash", r"\uparrow": "arrow.t",
    r"\downarrow": "arrow.b", r"\updownarrow": "arrow.t.b", r"\Uparrow": "arrow.t.double",
    r"\Downarrow": "arrow.b.double", r"\Updownarrow": "arrow.t.b.double", ".": "",
}  # fmt: skip
_BARS = {command: symbol for command, symbol in _DELIMITERS.items() if symbol.startswith("bar.")}
_SIDES = {r"\l": "opening", r"\r": "closing"}
"""The kinds of bars, by the first letter of their names: without a kind Typst sets spaces."""

_SIZES = {"big": "1.2em", "Big": "1.6em", "bigg": "2.2em", "Bigg": "2.8em"}
_STYLES = {"0": "display(", "1": "inline(", "2": "script(", "3": "sscript("}


def _delimiter(tokens: Tokens) -> str:
    r"""Take a delimiter and return its name in Typst, empty for the dot of ``\left.``."""
    skip_spaces(tokens)
    token = tokens.popleft() if tokens else ""
    if token not in _DELIMITERS:
        raise UnreadableFormulaError(f"{token} is no delimiter")
    return _DELIMITERS[token]


def _sized(size: str, kind: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\bigl(``: as large as asked, where pandoc scales a box that sits too low."""
    delimiter = _delimiter(tokens)
    if not delimiter:
        return []
    function = "stretch({}, size: #{})" if delimiter.startswith("arrow") else "lr(size: #{1}, {0})"
    shown = function.format(delimiter, size)
    return [rewriter.insert(f'class(#"{kind}", {shown})' if kind else shown)]


def _left(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\left. x \right|``: pandoc forgets the size of a pair that lacks one side."""
    opening = _delimiter(tokens)
    body = read_until(tokens, r"\right", r"\left")
    return _between(rewriter, opening, rewriter.rewrite(body), _delimiter(tokens))


def _between(rewriter: Rewriter, opening: str, body: list[str], closing: str) -> list[str]:
    return [rewriter.insert("lr(" + opening), *body, rewriter.insert(closing + ")")]


def _middle(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return [rewriter.insert(f"mid({_delimiter(tokens)})")]


def _split_by_bar(
    left: str, bar: str, right: str, most: int, rewriter: Rewriter, tokens: Tokens
) -> list[str]:
    r"""``\Braket{a|b}``: the bars outside of groups grow with the brackets around them."""
    body: Tokens = deque(left.split())
    depth = bars = 0
    for token in read_argument(tokens):
        depth += (token == "{") - (token == "}")
        is_bar = token in ("|", r"\vert", r"\mid") and depth == 0 and bars < most
        bars += is_bar
        body.extend(bar.split() if is_bar else (token,))
    body.extend(right.split())
    return rewriter.rewrite(body)


def _fraction(
    rewriter: Rewriter, sides: tuple[str, str], bar: str, above: list[str], below: list[str]
) -> list[str]:
    """Write one thing above another; ``bar`` is the thickness of the line, empty for the usual."""
    if not bar:
        done = [r"\frac", "{", *above, "}", "{", *below, "}"]
    else:
        line = "" if float(bar[:-2]) == 0 else f"augment: #(hline: 1, stroke: {bar}), "
        start = rewriter.insert(f"mat(delim: #none, {line}row-gap: #0.3em, ")
        done = [start, *above, rewriter.insert("; "), *below, rewriter.insert(")")]
    return _between(rewriter, sides[0], done, sides[1]) if any(sides) else done


def _infix(
    sides: tuple[str, str] | None,
    bar: str | None,
    rewriter: Rewriter,
    above: list[str],
    tokens: Tokens,
) -> list[str]:
    r"""Write ``{a \over b}``: what stands before ``\over`` in its group is the upper part.

    Where ``sides`` or ``bar`` is ``None``, the author names the delimiters or the thickness.
    """
    if sides is None:
        sides = (_delimiter(tokens), _delimiter(tokens))
    if bar is None:
        bar = read_length(tokens)
    return _fraction(rewriter, sides, bar, above, rewriter.rewrite(tokens))


def _choose(rewriter: Rewriter, above: list[str], tokens: Tokens) -> list[str]:
    return [r"\binom", "{", *above, "}", "{", *rewriter.rewrite(tokens), "}"]


def _general_fraction(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\genfrac{(}{)}{0pt}{1}{a}{b}``: delimiters, thickness and style, all of them optional."""
    sides = [read_argument(tokens), read_argument(tokens)]
    left, right = (_delimiter(side) if side else "" for side in sides)
    bar = read_length(deque(("{", *read_argument(tokens), "}")))
    style = _STYLES.get("".join(read_argument(tokens)).strip(), "")
    above, below = rewriter.argument(tokens), rewriter.argument(tokens)
    return rewriter.call(style, _fraction(rewriter, (left, right), bar, above, below))


def _root_of(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\root 3 \of x``."""
    degree = rewriter.rewrite(read_until(tokens, r"\of"))
    return [r"\sqrt", "[", *degree, "]", *rewriter.group(tokens)]


def _built_relation(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\buildrel a \over =``."""
    above = rewriter.rewrite(read_until(tokens, r"\over"))
    return [*rewriter.call("limits(", rewriter.argument(tokens)), "^", "{", *above, "}"]


INFIXES: dict[str, Infix] = {
    r"\choose": _choose,
    r"\over": partial(_infix, ("", ""), ""),
    r"\atop": partial(_infix, ("", ""), "0pt"),
    r"\above": partial(_infix, ("", ""), None),
    r"\brack": partial(_infix, ("bracket.l", "bracket.r"), "0pt"),
    r"\brace": partial(_infix, ("brace.l", "brace.r"), "0pt"),
    r"\overwithdelims": partial(_infix, None, ""),
    r"\atopwithdelims": partial(_infix, None, "0pt"),
    r"\abovewithdelims": partial(_infix, None, None),
}

DELIMITER_RULES: dict[str, Rule] = {
    **{
        bar: partial(show, f'class("{_SIDES.get(bar[:2], "normal")}", {symbol})')
        for bar, symbol in _BARS.items()
    },
    r"\left": _left,
    r"\middle": _middle,
    **{
        rf"\{size}{suffix}": partial(_sized, ems, kind)
        for size, ems in _SIZES.items()
        for suffix, kind in (("", ""), ("l", "opening"), ("r", "closing"), ("m", "relation"))
    },
    r"\Braket": partial(_split_by_bar, r"\left \langle", r"\middle |", r"\right \rangle", 99),
    r"\set": partial(_split_by_bar, r"\{", r"\mid", r"\}", 1),
    r"\Set": partial(_split_by_bar, r"\left \{", r"\; \middle | \;", r"\right \}", 1),
    r"\genfrac": _general_fraction,
    r"\root": _root_of,
    r"\buildrel": _built_relation,
}
