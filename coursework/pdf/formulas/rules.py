r"""The rules by which formulas are rewritten: for each command, what pandoc gets in its place."""

import re
from collections import deque

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

# ---- makers of rules -----------------------------------------------------------------------------


def _show(typst: str) -> Rule:
    """Show a piece of Typst where pandoc writes something else, or refuses."""
    return lambda rewriter, tokens: [rewriter.insert(typst)]


def _wrap(function: str) -> Rule:
    """Give the argument to a function of Typst."""
    return lambda rewriter, tokens: rewriter.call(function, rewriter.argument(tokens))


def _keep(command: str, arguments: int, function: str = "") -> Rule:
    r"""Leave a command to pandoc, with its arguments rewritten.

    A function of Typst around it sets the size that pandoc forgets: ``display(`` for ``\dfrac``.
    """

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        groups = [token for _ in range(arguments) for token in rewriter.group(tokens)]
        kept = [command, *groups]
        return rewriter.call(function, kept) if function else kept

    return rule


# ---- spaces, at TeX's widths: pandoc turns some of them into 0 or -1 em --------------------------


def _em(width: float) -> Rule:
    return _show(f"#h({width}em)")


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


# ---- brackets and bars ---------------------------------------------------------------------------


def _bar(kind: str, symbol: str) -> Rule:
    """Show a bar of a known kind: around a bar of unknown kind Typst sets spaces."""
    return _show(f'class("{kind}", {symbol})')


def _sized(size: str, kind: str) -> Rule:
    r"""``\bigl(``: as large as asked, where pandoc scales a box that sits too low."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        delimiter = _DELIMITERS.get(_next_token(tokens))
        if delimiter is None:
            return []
        shown = f"lr(size: #{size}, {delimiter})"
        return [rewriter.insert(f'class(#"{kind}", {shown})' if kind else shown)]

    return rule


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


# ---- above, below, around ------------------------------------------------------------------------


def _root(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    degree = read_option(tokens)
    index = ["[", *rewriter.rewrite(degree), "]"] if degree else []
    return [r"\sqrt", *index, *rewriter.group(tokens)]


def _stacked(mark: str) -> Rule:
    r"""``\underset``, ``\overset``: above and below, not beside, in running text too."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        script = rewriter.group(tokens)
        return [*rewriter.call("limits(", rewriter.argument(tokens)), mark, *script]

    return rule


def _long_arrow(symbol: str) -> Rule:
    r"""``\xrightarrow[below]{above}``: an arrow as long as what stands above it."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        below = read_option(tokens)
        above = rewriter.group(tokens)
        arrow = rewriter.insert(f"limits(stretch({symbol}, size: #(100% + 0.8em)))")
        return [arrow, "^", *above, *(["_", "{", *rewriter.rewrite(below), "}"] if below else [])]

    return rule


# ---- everything else -----------------------------------------------------------------------------


def _nothing(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return []


def _drop_argument(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    read_argument(tokens)
    return []


def _argument_alone(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.argument(tokens)


def _tag(brackets: str) -> Rule:
    r"""``\tag{1}``: pandoc drops it."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        words = "".join(token for token in read_argument(tokens) if token not in "{}$")
        tag = brackets.format(words)
        if rewriter.tags_in_rows:
            return [r"\qquad", *rewriter.text(tag)]
        rewriter.tag = tag
        return []

    return rule


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
    r"\\": _show(LINE_BREAK),
    "&": _show("&"),
    r"\&": _show(r"\&"),
    # Spaces.
    **dict.fromkeys((r"\!", r"\negthinspace"), _negative_space),
    **dict.fromkeys((r"\:", r"\>", r"\medspace"), _em(0.2222)),
    **dict.fromkeys((r"\;", r"\thickspace"), _em(0.2778)),
    **dict.fromkeys((r"\ ", "~"), _em(0.333)),
    r"\enspace": _em(0.5),
    **dict.fromkeys((r"\hspace", r"\hspace*", r"\kern", r"\mkern"), _space),
    **dict.fromkeys((r"\hskip", r"\mskip", r"\mspace"), _space),
    # Brackets and bars.
    **dict.fromkeys(("|", r"\vert"), _bar("normal", "bar.v")),
    r"\lvert": _bar("opening", "bar.v"),
    r"\rvert": _bar("closing", "bar.v"),
    **dict.fromkeys((r"\|", r"\Vert"), _bar("normal", "bar.v.double")),
    r"\lVert": _bar("opening", "bar.v.double"),
    r"\rVert": _bar("closing", "bar.v.double"),
    r"\left": _left,
    r"\middle": _middle,
    **{
        rf"\{size}{suffix}": _sized(ems, kind)
        for size, ems in _DELIMITER_SIZES.items()
        for suffix, kind in (("", ""), ("l", "opening"), ("r", "closing"), ("m", "relation"))
    },
    # Above, below, around.
    r"\underset": _stacked("_"),
    **dict.fromkeys((r"\overset", r"\stackrel"), _stacked("^")),
    r"\xrightarrow": _long_arrow("arrow.r"),
    r"\xleftarrow": _long_arrow("arrow.l"),
    **dict.fromkeys((r"\boxed", r"\fbox"), _wrap("boxed(")),
    r"\sqrt": _root,
    r"\frac": _keep(r"\frac", 2),
    **dict.fromkeys((r"\dfrac", r"\cfrac"), _keep(r"\frac", 2, "display(")),
    r"\tfrac": _keep(r"\frac", 2, "inline("),
    r"\binom": _keep(r"\binom", 2),
    r"\dbinom": _keep(r"\binom", 2, "display("),
    r"\tbinom": _keep(r"\binom", 2, "inline("),
    **{"\\" + name: _keep("\\" + name, 1) for name in _ONE_ARGUMENT.split()},
    # Letters and classes.
    r"\mathscr": _wrap("scr("),
    r"\mathsf": _wrap("upright(sans("),
    r"\mathrel": _wrap('class("relation", '),
    r"\mathbin": _wrap('class("binary", '),
    # What shows nothing, or its argument alone.
    **dict.fromkeys((r"\nonumber", r"\notag", r"\allowbreak", r"\nobreak", r"\strut"), _nothing),
    **dict.fromkeys((r"\require", r"\label", r"\vphantom"), _drop_argument),
    **dict.fromkeys((r"\smash", r"\rlap", r"\llap", r"\mathclap", r"\substack"), _argument_alone),
    # Numbers of equations, and references to them.
    r"\tag": _tag("({})"),
    r"\tag*": _tag("{}"),
    **dict.fromkeys((r"\eqref", r"\ref"), _reference),
    # Symbols and functions that pandoc does not know.
    r"\unicode": _unicode,
    **{rf"\{name}": _show(typst) for name, typst in _SYMBOLS.items()},
}
