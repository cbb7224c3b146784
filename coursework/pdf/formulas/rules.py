r"""The rules by which formulas are rewritten: for each command, what pandoc gets in its place."""

import re
from collections import deque
from collections.abc import Callable
from functools import partial

from coursework.pdf.formulas.delimiters import DELIMITER_RULES
from coursework.pdf.formulas.environments import ENVIRONMENT_RULES, skip_length
from coursework.pdf.formulas.rewriter import LINE_BREAK, Reference, Rewriter, Rule, show, wrap
from coursework.pdf.formulas.styles import STYLE_RULES
from coursework.pdf.formulas.tex import (
    Tokens,
    UnreadableFormulaError,
    read_argument,
    read_length,
    read_name,
    read_option,
    skip_spaces,
    tokenize,
)
from coursework.pdf.typst import string

# Typst for symbols and functions that pandoc does not know, or shows as another than MathJax does.
_SYMBOLS = {
    "argmin": 'op("arg min", limits: #true)', "argmax": 'op("arg max", limits: #true)',
    "liminf": 'op("lim inf", limits: #true)', "limsup": 'op("lim sup", limits: #true)',
    "injlim": 'op("inj lim", limits: #true)', "projlim": 'op("proj lim", limits: #true)',
    "longrightarrow": "arrow.r.long", "longleftarrow": "arrow.l.long",
    "longleftrightarrow": "arrow.l.r.long", "Longrightarrow": "arrow.r.double.long",
    "Longleftarrow": "arrow.l.double.long", "Longleftrightarrow": "arrow.l.r.double.long",
    "iff": "arrow.l.r.double.long", "longmapsto": "arrow.r.long.bar",
    "mod": '#h(1em)"mod"#h(0.333em)', "surd": "sqrt(#h(0pt))", "oiint": "integral.surf",
    "intop": "limits(integral)",
    "smallint": "inline(integral)", "And": r"\&", "S": '"§"', "P": '"¶"', "copyright": '"©"',
    "AA": '"Å"', "degree": '"°"', "circledS": '"Ⓢ"', "ldotp": ".", "notChar": '"⧸"',
    "divsymbol": "div", "diagup": '"╱"', "diagdown": '"╲"', "thicksim": "tilde.op",
    "thickapprox": "approx", "doublecap": "inter.double", "doublecup": "union.double",
    "llless": "lt.triple", "gggtr": "gt.triple", "shortmid": "divides", "shortparallel": "parallel",
    "nshortmid": "divides.not", "nshortparallel": "parallel.not", "nleqq": "lt.eq.not",
    "ngeqq": "gt.eq.not", "lvertneqq": "lt.neq", "gvertneqq": "gt.neq",
    "nsubseteqq": "subset.eq.not", "nsupseteqq": "supset.eq.not",
    "varsupsetneq": "supset.neq", "varsubsetneqq": 'class("relation", "⫋")',
    "varsupsetneqq": 'class("relation", "⫌")', "leqslant": "lt.eq.slant",
    "geqslant": "gt.eq.slant", "preceq": "prec.eq", "succeq": "succ.eq", "varnothing": "emptyset",
    "leadsto": "arrow.r.squiggly", "amalg": 'class("binary", "⨿")',
    "triangleleft": 'class("binary", triangle.stroked.small.l)',
    "triangleright": 'class("binary", triangle.stroked.small.r)',
    "barwedge": 'class("binary", "⊼")',
    "doublebarwedge": 'class("binary", "⩞")', "backepsilon": 'class("relation", "∍")',
}  # fmt: skip
_ONE_ARGUMENT = (
    "hat widehat bar overline underline tilde widetilde vec dot ddot dddot acute grave check breve"
    " mathring mathbf mathrm mathit mathtt mathbb mathcal mathfrak boldsymbol bm pmb"
    " overbrace underbrace overrightarrow overleftarrow cancel bcancel xcancel phantom"
)
_LONG_ARROWS = {
    "xrightarrow": "arrow.r", "xleftarrow": "arrow.l", "xmapsto": "arrow.r.bar",
    "xleftrightarrow": "arrow.l.r", "xRightarrow": "arrow.r.double",
    "xLeftarrow": "arrow.l.double", "xLeftrightarrow": "arrow.l.r.double",
    "xhookrightarrow": "arrow.r.hook", "xhookleftarrow": "arrow.l.hook",
    "xtwoheadrightarrow": "arrow.r.twohead", "xtwoheadleftarrow": "arrow.l.twohead",
    "xlongequal": "=", "xtofrom": "arrows.rl", "xrightleftharpoons": "harpoons.rtlb",
    "xleftrightharpoons": "harpoons.ltrb",
}  # fmt: skip
_ACCENTS = {
    "overparen": "overparen(", "underparen": "underparen(",
    "underbracket": "underbracket(", "ddddot": "dot.quad(",
    "overleftrightarrow": "arrow.l.r(", "underleftrightarrow": "underarrow(",
}  # fmt: skip
_CLASSES = {
    "rel": "relation", "bin": "binary", "punct": "punctuation", "open": "opening",
    "close": "closing",
}  # fmt: skip
_ENCLOSURES = {
    "box": "boxed(", "roundedbox": "boxed(radius: #4pt, ", "circle": "boxed(radius: #50%, ",
    "top": "overline(", "bottom": "underline(", "updiagonalstrike": "cancel(",
    "downdiagonalstrike": "cancel(inverted: #true, ", "horizontalstrike": "cancel(angle: #90deg, ",
    "verticalstrike": "cancel(angle: #0deg, ", "radical": "sqrt(",
}  # fmt: skip
_REACTIONS = {
    "->": r"\xrightarrow", "<-": r"\xleftarrow", "<->": r"\xleftrightarrow",
    "<-->": r"\xleftrightarrow", "<=>": r"\xrightleftharpoons", "<=>>": r"\xrightleftharpoons",
    "<<=>": r"\xrightleftharpoons",
}  # fmt: skip
_CHEMISTRY = re.compile(
    r"""(?P<arrow><-->|<->|<=>>|<<=>|<=>|->|<-)(?:\[(?P<above>[^\]]*)\])?(?:\[(?P<below>[^\]]*)\])?
    |(?P<math>\$[^$]*\$)
    |(?P<command>\\[A-Za-z]+\s?)
    |(?P<script>[\^_])(?:\{(?P<group>[^{}]*)\}|(?P<one>[A-Za-z.*']|\d*[+-]?))
    |(?P<charge>(?<=[A-Za-z\d)\]}])[+-]+(?=\s|$|\)|\]))
    |(?P<count>(?<=[A-Za-z)\]}])\d+)
    |(?P<state>\((?:aq|s|l|g)\))
    |(?P<letters>[A-Za-z]+)
    |(?P<space>\s+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_BONDS = {"-": "-", "=": "=", "#": r"\equiv ", "*": r"\cdot ", ".": r"\cdot ", "+": "+"}

# A rule that needs an option takes it first; the table at the end of the file fixes the option.


def _keep(command: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Leave a command with one argument to pandoc, with the argument rewritten."""
    return [command, *rewriter.group(tokens)]


def _keep_pair(command: str, function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Leave a command with two arguments to pandoc.

    A function of Typst around it sets the size that pandoc forgets: ``display(`` for ``\dfrac``.
    """
    return rewriter.call(function, [command, *rewriter.group(tokens), *rewriter.group(tokens)])


def _frame(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\framebox[width][side]{words}``."""
    read_option(tokens)
    read_option(tokens)
    return rewriter.call("boxed(", rewriter.rules[r"\text"](rewriter, tokens))


def _after(skip: Callable[[Tokens], object], rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\smash[b]{x}``, ``\class{name}{x}``: show the argument that comes after another."""
    skip(tokens)
    return rewriter.argument(tokens)


def _space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\hspace{1cm}``, ``\kern3pt``: pandoc rounds lengths, or refuses them."""
    length = read_length(tokens)
    while re.match(r" ?(plus|minus)", "".join(list(tokens)[:6])):  # how much it may stretch
        while tokens and not tokens[0].isdecimal():
            tokens.popleft()
        read_length(tokens)
        while tokens and tokens[0] == "l":
            tokens.popleft()
    return [rewriter.insert(f"#h({length})")] if length else []


def _negative_space(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\!``: pandoc goes back so far that letters overprint.

    Authors write ``\!`` before ``\left`` to take away a space that TeX sets there; Typst sets none.
    """
    skip_spaces(tokens)
    return [] if tokens and tokens[0] == r"\left" else [rewriter.insert("#h(-0.1667em)")]


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


def _new_line(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    skip_length(tokens)
    return [rewriter.insert(LINE_BREAK)]


def _side_set(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\sideset{_a^b}{_c^d}\sum``: scripts at the corners of a large operator."""
    left, right = (rewriter.rewrite(read_argument(tokens)) for _ in "lr")
    body = ["{", "}", *left, *rewriter.call("scripts(", rewriter.argument(tokens)), *right]
    return rewriter.call("limits(", body)


def _raised(sign: int, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\raise2pt{x}``, ``\lower2pt{x}``."""
    length = read_length(tokens)
    return rewriter.call(f"raised(#({sign} * {length or '0pt'}), ", rewriter.argument(tokens))


def _rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\rule[raised]{width}{height}``: a black box."""
    up = read_length(deque(("{", *(read_option(tokens) or ()), "}")))
    width, height = read_length(tokens), read_length(tokens)
    return _black_box(rewriter, width, height, up)


def _tall_rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\Rule{width}{height}{depth}``."""
    width, height, depth = (read_length(tokens) or "0pt" for _ in "whd")
    return _black_box(rewriter, width, f"({height} + {depth})", f"-{depth}")


def _black_box(rewriter: Rewriter, width: str, height: str, up: str) -> list[str]:
    sizes = f"width: {width or '0pt'}, height: {height or '0pt'}, baseline: -({up or '0pt'})"
    return [rewriter.insert(f"#box({sizes}, fill: ink.text)")]


def _link(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.call(f"linked({string(read_name(tokens))}, ", rewriter.argument(tokens))


def _enclose(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\enclose{circle}[mathcolor="red"]{x}``: a frame, a line or a stroke."""
    notations = read_name(tokens).split()
    read_option(tokens)
    body = rewriter.argument(tokens)
    for notation in notations:
        if notation not in _ENCLOSURES:
            raise UnreadableFormulaError(f"{notation} is no enclosure")
        body = rewriter.call(_ENCLOSURES[notation], body)
    return body


def _token(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\mmlToken{mi}[attributes]{x}``: text as it is."""
    read_argument(tokens)
    read_option(tokens)
    return rewriter.text(read_name(tokens))


def _chemistry_as_tex(source: str) -> str:
    r"""Return TeX for what stands in ``\ce{...}``."""
    done = ""
    for match in _CHEMISTRY.finditer(source):
        piece = match[0]
        if match["arrow"]:
            above, below = (_chemistry_as_tex(match[key] or "") for key in ("above", "below"))
            done += rf"\;{_REACTIONS[match['arrow']]}[{below}]{{{above or chr(92) + 'quad'}}}\;"
        elif match["math"]:
            done += "{" + piece[1:-1] + "}"
        elif match["script"]:
            inner = match["group"] if match["group"] is not None else match["one"]
            done += r"\uparrow " if not inner and piece == "^" else ""
            done += f"{piece[0]}{{\\mathrm{{{inner}}}}}" if inner else ""
        elif match["charge"]:
            done += f"^{{{piece}}}"
        elif match["count"]:
            done += f"_{{{piece}}}"
        elif match["state"] or match["letters"]:
            done += r"\downarrow " if piece == "v" else rf"\mathrm{{{piece}}}"
        elif match["space"]:
            done += r"\;"
        else:
            done += _BONDS.get(piece, piece)
    return done


def _chemistry(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.rewrite(tokenize(_chemistry_as_tex("".join(read_argument(tokens)))))


def _unit(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\pu{123 kJ/mol}``: a number and its unit."""
    text = "".join(read_argument(tokens)).replace(" ", r"\,").replace("*", r"\cdot ")
    return rewriter.rewrite(tokenize(r"\mathrm{" + re.sub(r"\^?(-\d+)", r"^{\1}", text) + "}"))


def _tag(brackets: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\tag{1}``: pandoc drops it."""
    words = "".join(token for token in read_argument(tokens) if token not in "{}$")
    rewriter.tag = brackets.format(words)
    return []


def _no_number(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    rewriter.numbered = False
    return []


def _label(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    rewriter.label = read_name(tokens)
    return []


def _reference(pattern: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return [rewriter.insert(Reference(read_name(tokens), pattern))]


def _unicode(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\unicode{x3b1}``: a character by its number."""
    read_option(tokens)
    code = read_name(tokens)
    try:
        number = int(code[1:], 16) if code[:1] in "xX" else int(code)
        return rewriter.text(chr(number))
    except (ValueError, OverflowError):
        return rewriter.text(code)


RULES: dict[str, Rule] = {
    **{rf"\{name}": partial(show, typst) for name, typst in _SYMBOLS.items()},
    **STYLE_RULES,
    **DELIMITER_RULES,
    **ENVIRONMENT_RULES,
    **dict.fromkeys((r"\\", r"\newline"), _new_line),
    "&": partial(show, "&"),
    '"': partial(show, string('"')),
    "`": partial(show, string("‘")),
    # Spaces at TeX's widths: pandoc turns some of them into 0 or -1 em.
    **dict.fromkeys((r"\!", r"\negthinspace"), _negative_space),
    r"\negmedspace": partial(show, "#h(-0.2222em)"),
    r"\negthickspace": partial(show, "#h(-0.2778em)"),
    r"\thinspace": partial(show, "thin"),
    **dict.fromkeys((r"\:", r"\>", r"\medspace"), partial(show, "#h(0.2222em)")),
    **dict.fromkeys((r"\;", r"\thickspace"), partial(show, "#h(0.2778em)")),
    **dict.fromkeys((r"\ ", "~", r"\space", r"\nobreakspace"), partial(show, "#h(0.333em)")),
    r"\enspace": partial(show, "#h(0.5em)"),
    **dict.fromkeys((r"\hspace", r"\hspace*", r"\kern", r"\mkern"), _space),
    **dict.fromkeys((r"\hskip", r"\mskip", r"\mspace"), _space),
    # Boxes, and what is moved.
    **dict.fromkeys((r"\boxed", r"\fbox"), partial(wrap, "boxed(")),
    r"\framebox": _frame,
    r"\rule": _rule,
    r"\Rule": _tall_rule,
    r"\raise": partial(_raised, 1),
    r"\lower": partial(_raised, -1),
    **dict.fromkeys((r"\moveleft", r"\moveright"), partial(_after, read_length)),
    r"\llap": partial(wrap, "lap(#1, "),
    r"\rlap": partial(wrap, "lap(#0, "),
    # Above, below, around.
    r"\underset": partial(_stacked, "_"),
    **dict.fromkeys((r"\overset", r"\stackrel"), partial(_stacked, "^")),
    **{rf"\{name}": partial(_long_arrow, symbol) for name, symbol in _LONG_ARROWS.items()},
    **{rf"\{name}": partial(wrap, function) for name, function in _ACCENTS.items()},
    r"\sideset": _side_set,
    r"\sqrt": _root,
    r"\enclose": _enclose,
    **{rf"\{name}": partial(_keep, rf"\{name}") for name in _ONE_ARGUMENT.split()},
    **{
        rf"\{size}{name}": partial(_keep_pair, rf"\{name}", function)
        for name in ("frac", "binom")
        for size, function in (("", ""), ("d", "display("), ("t", "inline("))
    },
    # Classes of symbols.
    **{rf"\math{name}": partial(wrap, f'class("{kind}", ') for name, kind in _CLASSES.items()},
    # What shows its argument alone.
    **dict.fromkeys((r"\mathclap", r"\substack", r"\vcenter"), Rewriter.argument),
    **dict.fromkeys((r"\mathord", r"\mathinner"), Rewriter.argument),
    **dict.fromkeys((r"\smash", r"\shoveleft", r"\shoveright"), partial(_after, read_option)),
    **dict.fromkeys((r"\class", r"\cssId", r"\style"), partial(_after, read_argument)),
    r"\href": _link,
    r"\mmlToken": _token,
    # Numbers of equations, and references to them.
    **dict.fromkeys((r"\nonumber", r"\notag"), _no_number),
    r"\tag": partial(_tag, "({})"),
    r"\tag*": partial(_tag, "{}"),
    r"\label": _label,
    r"\ref": partial(_reference, "{}"),
    r"\eqref": partial(_reference, "({})"),
    # Chemistry, and characters that pandoc does not know.
    r"\ce": _chemistry,
    r"\pu": _unit,
    r"\unicode": _unicode,
    r"\&": partial(show, r"\&"),
}
