r"""The rules that mend formulas, one for each family of commands; `math` applies them."""

from coursework.pdf.formulas.environments import write_environment
from coursework.pdf.formulas.math import LINE_BREAK, Rewriter, Rule
from coursework.pdf.formulas.math_delimiters import DELIMITER_RULES
from coursework.pdf.formulas.math_spaces import SPACE_RULES
from coursework.pdf.formulas.math_styles import STYLE_RULES
from coursework.pdf.formulas.math_text import TEXT_RULES
from coursework.pdf.formulas.tex import Tokens, read_argument, read_name, read_option

_ONE_ARGUMENT = (
    "hat widehat bar overline underline tilde widetilde vec dot ddot dddot acute grave check breve"
    " mathring mathbf mathrm mathit mathtt mathbb mathcal mathfrak boldsymbol bm pmb"
    " overbrace underbrace overrightarrow overleftarrow cancel bcancel xcancel phantom"
)


def _nothing(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return []


def _drop_argument(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    read_argument(tokens)
    return []


def _argument_alone(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.argument(tokens)


def _show(typst: str) -> Rule:
    """Show a piece of Typst where pandoc writes something else, or refuses."""
    return lambda rewriter, tokens: [rewriter.insert(typst)]


def _wrap(function: str) -> Rule:
    """Give the argument to a function of Typst."""
    return lambda rewriter, tokens: rewriter.call(function, rewriter.argument(tokens))


def _keep(command: str, arguments: int, function: str = "") -> Rule:
    """Leave a command to pandoc: its arguments are rewritten, and its style is not forgotten."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        groups = [token for _ in range(arguments) for token in rewriter.group(tokens)]
        kept = [command, *groups]
        return rewriter.call(function, kept) if function else kept

    return rule


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
    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        below = read_option(tokens)
        above = rewriter.group(tokens)
        arrow = rewriter.insert(f"limits(stretch({symbol}, size: #(100% + 0.8em)))")
        return [arrow, "^", *above, *(["_", "{", *rewriter.rewrite(below), "}"] if below else [])]

    return rule


def _tag(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\tag{1}``: pandoc drops it."""
    text = "".join(token for token in read_argument(tokens) if token not in "{}$")
    if rewriter.tags_in_rows:
        return [r"\qquad", *rewriter.text(f"({text})")]
    rewriter.tag = f"({text})"
    return []


def _bare_tag(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    done = _tag(rewriter, tokens)
    rewriter.tag = rewriter.tag.strip("()")
    return done


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


def _substack(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return rewriter.rewrite(read_argument(tokens))


RULES: dict[str, Rule] = {
    **TEXT_RULES,
    **DELIMITER_RULES,
    **SPACE_RULES,
    **STYLE_RULES,
    **dict.fromkeys((r"\nonumber", r"\notag", r"\allowbreak", r"\nobreak", r"\strut"), _nothing),
    r"\&": _show(r"\&"),
    **dict.fromkeys((r"\require", r"\label", r"\vphantom"), _drop_argument),
    r"\\": _show(LINE_BREAK),
    "&": _show("&"),
    r"\begin": write_environment,
    r"\argmin": _show('op("arg min", limits: #true)'),
    r"\argmax": _show('op("arg max", limits: #true)'),
    # Above, below, around.
    r"\underset": _stacked("_"),
    r"\overset": _stacked("^"),
    r"\stackrel": _stacked("^"),
    r"\xrightarrow": _long_arrow("arrow.r"),
    r"\xleftarrow": _long_arrow("arrow.l"),
    r"\boxed": _wrap("boxed("),
    r"\fbox": _wrap("boxed("),
    r"\mathscr": _wrap("scr("),
    r"\mathsf": _wrap("upright(sans("),
    r"\mathrel": _wrap('class("relation", '),
    r"\mathbin": _wrap('class("binary", '),
    **dict.fromkeys((r"\smash", r"\rlap", r"\llap", r"\mathclap"), _argument_alone),
    r"\substack": _substack,
    r"\sqrt": _root,
    r"\frac": _keep(r"\frac", 2),
    r"\dfrac": _keep(r"\frac", 2, "display("),
    r"\cfrac": _keep(r"\frac", 2, "display("),
    r"\tfrac": _keep(r"\frac", 2, "inline("),
    r"\binom": _keep(r"\binom", 2),
    r"\dbinom": _keep(r"\binom", 2, "display("),
    r"\tbinom": _keep(r"\binom", 2, "inline("),
    **{"\\" + name: _keep("\\" + name, 1) for name in _ONE_ARGUMENT.split()},
    r"\tag": _tag,
    r"\tag*": _bare_tag,
    **dict.fromkeys((r"\eqref", r"\ref"), _reference),
    r"\unicode": _unicode,
    # Symbols that pandoc does not know.
    r"\longrightarrow": _show("arrow.r.long"),
    r"\longleftarrow": _show("arrow.l.long"),
    r"\longleftrightarrow": _show("arrow.l.r.long"),
    r"\Longrightarrow": _show("arrow.r.double.long"),
    r"\Longleftarrow": _show("arrow.l.double.long"),
    r"\Longleftrightarrow": _show("arrow.l.r.double.long"),
    r"\iff": _show("arrow.l.r.double.long"),
    r"\longmapsto": _show("arrow.r.long.bar"),
    r"\surd": _show("sqrt(#h(0pt))"),
    r"\oiint": _show("integral.surf"),
    r"\limsup": _show('op("lim sup", limits: #true)'),
    r"\liminf": _show('op("lim inf", limits: #true)'),
}
