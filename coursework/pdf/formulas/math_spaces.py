r"""Spaces in formulas, at TeX's widths: pandoc turns some of them into 0 or -1 em."""

import re

from coursework.pdf.formulas.math import Rewriter, Rule
from coursework.pdf.formulas.tex import Tokens, read_argument, skip_spaces

_POINTS = {"pt": 1.0, "px": 0.75, "mm": 2.835, "cm": 28.35, "in": 72.0, "pc": 12.0, "bp": 1.0}
_EMS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}


def _space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\hspace{1cm}``, ``\kern3pt``: pandoc rounds lengths, or refuses them."""
    skip_spaces(tokens)
    if tokens and tokens[0] == "{":
        return _length(rewriter, "".join(read_argument(tokens)))
    length = ""
    while tokens and len(length) < 12 and not re.search(r"[a-z]{2}$", length):
        length += tokens.popleft()
    return _length(rewriter, length)


def _length(rewriter: Rewriter, text: str) -> list[str]:
    match = re.fullmatch(r"\s*(-?\d*\.?\d+)\s*([a-z]{2}).*", text, re.DOTALL)
    if match is None:
        return []
    amount, unit = float(match[1]), match[2]
    if unit in _POINTS:
        return [rewriter.insert(f"#h({amount * _POINTS[unit]:.2f}pt)")]
    return [rewriter.insert(f"#h({amount * _EMS.get(unit, 0):.3f}em)")]


def _negative_space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\!``: pandoc goes back so far that letters overprint.

    Before ``\left`` TeX sets a space of its own, which the author takes away; Typst sets none.
    """
    skip_spaces(tokens)
    return [] if tokens and tokens[0] == r"\left" else [rewriter.insert("#h(-0.1667em)")]


def _em(width: float) -> Rule:
    return lambda rewriter, tokens: [rewriter.insert(f"#h({width}em)")]


SPACE_RULES: dict[str, Rule] = {
    **dict.fromkeys((r"\!", r"\negthinspace"), _negative_space),
    **dict.fromkeys((r"\:", r"\>", r"\medspace"), _em(0.2222)),
    **dict.fromkeys((r"\;", r"\thickspace"), _em(0.2778)),
    **dict.fromkeys((r"\ ", "~"), _em(0.333)),
    r"\enspace": _em(0.5),
    **dict.fromkeys((r"\hspace", r"\hspace*", r"\kern", r"\mkern"), _space),
    **dict.fromkeys((r"\hskip", r"\mskip", r"\mspace"), _space),
}
