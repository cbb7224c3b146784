r"""Brackets and bars in formulas: ``\left``, ``\bigl``, ``\|``."""

from collections import deque

from coursework.pdf.formulas.math import Rewriter, Rule
from coursework.pdf.formulas.tex import Tokens, UnreadableFormulaError, skip_spaces

_DELIMITERS = {
    "(": "paren.l", ")": "paren.r", "[": "bracket.l", "]": "bracket.r", r"\{": "brace.l",
    r"\}": "brace.r", r"\lbrace": "brace.l", r"\rbrace": "brace.r", "|": "bar.v",
    r"\|": "bar.v.double", r"\vert": "bar.v", r"\lvert": "bar.v", r"\rvert": "bar.v",
    r"\Vert": "bar.v.double", r"\lVert": "bar.v.double", r"\rVert": "bar.v.double",
    r"\langle": "chevron.l", r"\rangle": "chevron.r", "<": "chevron.l", ">": "chevron.r",
    r"\lfloor": "floor.l", r"\rfloor": "floor.r", r"\lceil": "ceil.l", r"\rceil": "ceil.r",
    "/": "slash", r"\backslash": "backslash", r"\uparrow": "arrow.t", r"\downarrow": "arrow.b",
}  # fmt: skip
_SIZES = {"big": "1.2em", "Big": "1.6em", "bigg": "2.2em", "Bigg": "2.8em"}


def _sized(size: str, kind: str) -> Rule:
    r"""``\bigl(``: as large as asked, where pandoc scales a box that sits too low."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        skip_spaces(tokens)
        delimiter = _DELIMITERS.get(tokens.popleft() if tokens else "")
        if delimiter is None:
            return []
        shown = f"lr(size: #{size}, {delimiter})"
        return [rewriter.insert(f'class(#"{kind}", {shown})' if kind else shown)]

    return rule


def _left(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\left. x \right|``: pandoc forgets the size of a pair that lacks one side."""
    skip_spaces(tokens)
    opening = tokens.popleft() if tokens else "."
    body: Tokens = deque()
    depth = 0
    while tokens and (depth or tokens[0] != r"\right"):
        depth += (tokens[0] == r"\left") - (tokens[0] == r"\right")
        body.append(tokens.popleft())
    if not tokens:
        raise UnreadableFormulaError(r"\left has no \right")
    tokens.popleft()
    skip_spaces(tokens)
    closing = tokens.popleft() if tokens else "."
    start = rewriter.insert("lr(" + _DELIMITERS.get(opening, ""))
    end = rewriter.insert(_DELIMITERS.get(closing, "") + ")")
    return [start, *rewriter.rewrite(body), end]


def _middle(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    skip_spaces(tokens)
    delimiter = _DELIMITERS.get(tokens.popleft() if tokens else "", "bar.v")
    return [rewriter.insert(f"mid({delimiter})")]


def _bar(kind: str, symbol: str) -> Rule:
    """Show a bar: Typst sets spaces around one whose side it does not know."""
    return lambda rewriter, tokens: [rewriter.insert(f'class("{kind}", {symbol})')]


DELIMITER_RULES: dict[str, Rule] = {
    "|": _bar("normal", "bar.v"),
    r"\vert": _bar("normal", "bar.v"),
    r"\lvert": _bar("opening", "bar.v"),
    r"\rvert": _bar("closing", "bar.v"),
    r"\|": _bar("normal", "bar.v.double"),
    r"\Vert": _bar("normal", "bar.v.double"),
    r"\lVert": _bar("opening", "bar.v.double"),
    r"\rVert": _bar("closing", "bar.v.double"),
    r"\left": _left,
    r"\middle": _middle,
    **{
        rf"\{size}{suffix}": _sized(ems, kind)
        for size, ems in _SIZES.items()
        for suffix, kind in (("", ""), ("l", "opening"), ("r", "closing"), ("m", "relation"))
    },
}
