r"""Colour, type and size in formulas: ``\color``, ``\bf``, ``\displaystyle``."""

import re
from collections import deque

from coursework.pdf.css import parse_color
from coursework.pdf.formulas.math import Rewriter, Rule
from coursework.pdf.formulas.tex import Tokens, read_name, read_option
from coursework.pdf.typst import string

_SWITCHES = {
    r"\bf": r"\mathbf", r"\rm": r"\mathrm", r"\it": r"\mathit", r"\cal": r"\mathcal",
    r"\tt": r"\mathtt",
}  # fmt: skip


def _color(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\color{red}{x}``, and ``\color{red} x`` to the end of its cell or group."""
    color = _color_name(tokens)
    if tokens and tokens[0] == "{":
        body = rewriter.argument(tokens)
    else:
        body = rewriter.rewrite(_rest_of_cell(tokens))
    return rewriter.call(color, body) if color else body


def _textcolor(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    color = _color_name(tokens)
    body = rewriter.argument(tokens)
    return rewriter.call(color, body) if color else body


def _color_name(tokens: Tokens) -> str:
    model = "".join(read_option(tokens) or ())
    value = read_name(tokens)
    if model == "HTML":
        value = "#" + value
    elif model == "rgb" and re.fullmatch(r"[\d., ]+", value):
        levels = [round(float(part or 0) * 255) for part in value.split(",")]
        value = "rgb(" + ",".join(map(str, levels)) + ")"
    color = parse_color(value)
    return f"colored({string(color)}, " if color else ""


def _rest_of_cell(tokens: Tokens) -> Tokens:
    """Take tokens to the end of the group, row or cell that they stand in."""
    rest: Tokens = deque()
    depth = 0
    while tokens:
        if depth == 0 and tokens[0] in ("&", r"\\", r"\end", r"\right"):
            break
        depth += (tokens[0] in ("{", r"\begin", r"\left")) - (tokens[0] in ("}", r"\right"))
        depth -= tokens[0] == r"\end"
        rest.append(tokens.popleft())
    return rest


def _switch(command: str) -> Rule:
    r"""``{\bf x}``: TeX's old way to say ``\mathbf{x}``."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        return [command, "{", *rewriter.rewrite(_rest_of_cell(tokens)), "}"]

    return rule


def _style(function: str) -> Rule:
    r"""``\displaystyle``: holds to the end of its cell or group."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        return rewriter.call(function, rewriter.rewrite(_rest_of_cell(tokens)))

    return rule


STYLE_RULES: dict[str, Rule] = {
    **{command: _switch(new) for command, new in _SWITCHES.items()},
    r"\displaystyle": _style("display("),
    r"\textstyle": _style("inline("),
    r"\scriptstyle": _style("script("),
    r"\color": _color,
    r"\textcolor": _textcolor,
}
