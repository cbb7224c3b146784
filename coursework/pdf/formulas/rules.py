r"""The rules by which formulas are rewritten: for each command, what pandoc gets in its place."""

import re
from collections import deque
from functools import partial

from coursework.pdf.formulas.environments import write_environment
from coursework.pdf.formulas.rewriter import LINE_BREAK, Rewriter, Rule
from coursework.pdf.formulas.styles import STYLE_RULES
from coursework.pdf.formulas.tex import (
    Tokens,
    UnreadableFormulaError,
    read_argument,
    read_name,
    read_option,
    skip_spaces,
)

_ONE_ARGUMENT = (
    "hat widehat bar overline underline tilde widetilde vec dot ddot dddot acute grave check breve"
    " mathring mathbf mathrm mathit mathtt mathbb mathcal mathfrak boldsymbol bm pmb"
    " overbrace underbrace overrightarrow overleftarrow cancel bcancel xcancel phantom"
)
_DELIMITERS = {
    "(": "paren.l", ")": "paren.r", "[": "bracket.l", "]": "bracket.r", r"\{": "brace.l",
    r"\}": "brace.r", r"\lbrace": "brace.l", r"\rbrace": "brace.r", "|": "bar.v",
    r"\|": "bar.v.double", r"\vert": "bar.v", r"\lvert": "bar.v", r"\rvert": "bar.v",
    r"\Vert": "bar.v.double", r"\lVert": "bar.v.double", r"\rVert": "bar.v.double",
    r"\langle": "chevron.l", r"\rangle": "chevron.r", "<": "chevron.l", ">": "chevron.r",
    r"\lfloor": "floor.l", r"\rfloor": "floor.r", r"\lceil": "ceil.l", r"\rceil": "ceil.r",
    "/": "slash", r"\backslash": "backslash", r"\uparrow": "arrow.t", r"\downarrow": "arrow.b",
}  # fmt: skip
_BARS = {
    "|": ("normal", "bar.v"), r"\|": ("normal", "bar.v.double"),
    r"\vert": ("normal", "bar.v"), r"\Vert": ("normal", "bar.v.double"),
    r"\lvert": ("opening", "bar.v"), r"\lVert": ("opening", "bar.v.double"),
    r"\rvert": ("closing", "bar.v"), r"\rVert": ("closing", "bar.v.double"),
}  # fmt: skip
"""The kind of each bar: around a bar of unknown kind Typst sets spaces."""

_DELIMITER_SIZES = {"big": "1.2em", "Big": "1.6em", "bigg": "2.2em", "Bigg": "2.8em"}
_SYMBOLS = {
    "argmin": 'op("arg min", limits: #true)', "argmax": 'op("arg max", limits: #true)',
    "liminf": 'op("lim inf", limits: #true)', "limsup": 'op("lim sup", limits: #true)',
    "longrightarrow": "arrow.r.long", "longleftarrow": "arrow.l.long",
    "longleftrightarrow": "arrow.l.r.long", "Longrightarrow": "arrow.r.double.long",
    "Longleftarrow": "arrow.l.double.long", "Longleftrightarrow": "arrow.l.r.double.long",
    "iff": "arrow.l.r.double.long", "longmapsto": "arrow.r.long.bar",
    "surd": "sqrt(#h(0pt))", "oiint": "integral.surf",
}  # fmt: skip
_POINTS = {"pt": 1.0, "px": 0.75, "mm": 2.835, "cm": 28.35, "in": 72.0, "pc": 12.0, "bp": 1.0}
_EMS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}

# A rule that needs an option takes it first; the table at the end of the file fixes the option.


def _show(typst: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Show a piece of Typst where pandoc writes something else, or refuses."""
    return [rewriter.insert(typst)]


def _wrap(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Give the argument to a function of Typst."""
    return rewriter.call(function, rewriter.argument(tokens))


def _keep(command: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Leave a command with one argument to pandoc, with the argument rewritten."""
    return [command, *rewriter.group(tokens)]


def _keep_pair(command: str, function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Leave a command with two arguments to pandoc.

    A function of Typst around it sets the size that pandoc forgets: ``display(`` for ``\dfrac``.
    """
    kept = [command, *rewriter.group(tokens), *rewriter.group(tokens)]
    return rewriter.call(function, kept) if function else kept


def _drop(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return []


def _drop_argument(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    read_argument(tokens)
    return []


def _argument_alone(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.argument(tokens)


def _space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\hspace{1cm}``, ``\kern3pt``: pandoc rounds lengths, or refuses them."""
    skip_spaces(tokens)
    length = ""
    if tokens and tokens[0] == "{":
        length = "".join(read_argument(tokens))
    else:
        while tokens and len(length) < 12 and not re.search(r"[a-z]{2}$", length):
            length += tokens.popleft()
    match = re.fullmatch(r"\s*(-?\d*\.?\d+)\s*([a-z]{2}).*", length, re.DOTALL)
    if match is None:
        return []
    amount, unit = float(match[1]), match[2]
    if unit in _POINTS:
        return [rewriter.insert(f"#h({amount * _POINTS[unit]:.2f}pt)")]
    return [rewriter.insert(f"#h({amount * _EMS.get(unit, 0):.3f}em)")]


def _negative_space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\!``: pandoc goes back so far that letters overprint.

    Authors write ``\!`` before ``\left`` to take away a space that TeX sets there; Typst sets none.
    """
    skip_spaces(tokens)
    return [] if tokens and tokens[0] == r"\left" else [rewriter.insert("#h(-0.1667em)")]


def _sized(size: str, kind: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\bigl(``: as large as asked, where pandoc scales a box that sits too low."""
    delimiter = _DELIMITERS.get(_next_token(tokens))
    if delimiter is None:
        return []
    shown = f"lr(size: #{size}, {delimiter})"
    return [rewriter.insert(f'class(#"{kind}", {shown})' if kind else shown)]


def _left(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\left. x \right|``: pandoc forgets the size of a pair that lacks one side."""
    opening = _next_token(tokens)
    body: Tokens = deque()
    depth = 0
    while tokens and (depth or tokens[0] != r"\right"):
        depth += (tokens[0] == r"\left") - (tokens[0] == r"\right")
        body.append(tokens.popleft())
    if not tokens:
        raise UnreadableFormulaError(r"\left has no \right")
    tokens.popleft()
    closing = _next_token(tokens)
    start = rewriter.insert("lr(" + _DELIMITERS.get(opening, ""))
    end = rewriter.insert(_DELIMITERS.get(closing, "") + ")")
    return [start, *rewriter.rewrite(body), end]


def _middle(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return [rewriter.insert(f"mid({_DELIMITERS.get(_next_token(tokens), 'bar.v')})")]


def _next_token(tokens: Tokens) -> str:
    """Take the next token that is no space, empty at the end."""
    skip_spaces(tokens)
    return tokens.popleft() if tokens else ""


def _root(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    degree = read_option(tokens)
    index = ["[", *rewriter.rewrite(degree), "]"] if degree else []
    return [r"\sqrt", *index, *rewriter.group(tokens)]


def _stacked(mark: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\underset``, ``\overset``: above and below, not beside, in running text too."""
    script = rewriter.group(tokens)
    return [*rewriter.call("limits(", rewriter.argument(tokens)), mark, *script]


def _long_arrow(symbol: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\xrightarrow[below]{above}``: an arrow as long as what stands above it."""
    below = read_option(tokens)
    above = rewriter.group(tokens)
    arrow = rewriter.insert(f"limits(stretch({symbol}, size: #(100% + 0.8em)))")
    return [arrow, "^", *above, *(["_", "{", *rewriter.rewrite(below), "}"] if below else [])]


def _tag(brackets: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\tag{1}``: pandoc drops it."""
    words = "".join(token for token in read_argument(tokens) if token not in "{}$")
    tag = brackets.format(words)
    if rewriter.tags_in_rows:
        return [r"\qquad", *rewriter.text(tag)]
    rewriter.tag = tag
    return []


def _reference(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.text(f"({read_name(tokens)})")


def _unicode(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\unicode{x3b1}``: a character by its number."""
    code = read_name(tokens)
    try:
        number = int(code[1:], 16) if code[:1] in "xX" else int(code)
        return rewriter.text(chr(number))
    except (ValueError, OverflowError):
        return rewriter.text(code)


RULES: dict[str, Rule] = {
    **STYLE_RULES,
    r"\begin": write_environment,
    r"\\": partial(_show, LINE_BREAK),
    "&": partial(_show, "&"),
    # Spaces at TeX's widths: pandoc turns some of them into 0 or -1 em.
    **dict.fromkeys((r"\!", r"\negthinspace"), _negative_space),
    **dict.fromkeys((r"\:", r"\>", r"\medspace"), partial(_show, "#h(0.2222em)")),
    **dict.fromkeys((r"\;", r"\thickspace"), partial(_show, "#h(0.2778em)")),
    **dict.fromkeys((r"\ ", "~"), partial(_show, "#h(0.333em)")),
    r"\enspace": partial(_show, "#h(0.5em)"),
    **dict.fromkeys((r"\hspace", r"\hspace*", r"\kern", r"\mkern"), _space),
    **dict.fromkeys((r"\hskip", r"\mskip", r"\mspace"), _space),
    # Brackets and bars.
    **{bar: partial(_show, f'class("{kind}", {symbol})') for bar, (kind, symbol) in _BARS.items()},
    r"\left": _left,
    r"\middle": _middle,
    **{
        rf"\{size}{suffix}": partial(_sized, ems, kind)
        for size, ems in _DELIMITER_SIZES.items()
        for suffix, kind in (("", ""), ("l", "opening"), ("r", "closing"), ("m", "relation"))
    },
    # Above, below, around.
    r"\underset": partial(_stacked, "_"),
    **dict.fromkeys((r"\overset", r"\stackrel"), partial(_stacked, "^")),
    r"\xrightarrow": partial(_long_arrow, "arrow.r"),
    r"\xleftarrow": partial(_long_arrow, "arrow.l"),
    **dict.fromkeys((r"\boxed", r"\fbox"), partial(_wrap, "boxed(")),
    r"\sqrt": _root,
    **{rf"\{name}": partial(_keep, rf"\{name}") for name in _ONE_ARGUMENT.split()},
    **{
        rf"\{size}{name}": partial(_keep_pair, rf"\{name}", function)
        for name in ("frac", "binom")
        for size, function in (("", ""), ("d", "display("), ("t", "inline("))
    },
    r"\cfrac": partial(_keep_pair, r"\frac", "display("),
    # Letters and classes.
    r"\mathscr": partial(_wrap, "scr("),
    r"\mathsf": partial(_wrap, "upright(sans("),
    r"\mathrel": partial(_wrap, 'class("relation", '),
    r"\mathbin": partial(_wrap, 'class("binary", '),
    # What shows nothing, or its argument alone.
    **dict.fromkeys((r"\nonumber", r"\notag", r"\allowbreak", r"\nobreak", r"\strut"), _drop),
    **dict.fromkeys((r"\require", r"\label", r"\vphantom"), _drop_argument),
    **dict.fromkeys((r"\smash", r"\rlap", r"\llap", r"\mathclap", r"\substack"), _argument_alone),
    # Numbers of equations, and references to them.
    r"\tag": partial(_tag, "({})"),
    r"\tag*": partial(_tag, "{}"),
    **dict.fromkeys((r"\eqref", r"\ref"), _reference),
    # Symbols and functions that pandoc does not know.
    r"\unicode": _unicode,
    r"\&": partial(_show, r"\&"),
    **{rf"\{name}": partial(_show, typst) for name, typst in _SYMBOLS.items()},
}
