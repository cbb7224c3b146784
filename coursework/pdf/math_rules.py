r"""The rules that mend formulas, one for each family of commands; `math` applies them."""

import re
from collections import deque

from coursework.pdf.css import parse_color
from coursework.pdf.environments import (
    CASES,
    DISPLAYED,
    LINES,
    MATRICES,
    Environment,
    alignment,
    read_environment,
    rules_between,
)
from coursework.pdf.math import Rewriter, Rule
from coursework.pdf.tex import Tokens, read_argument, read_name, read_option, skip_spaces
from coursework.pdf.typst import string

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
_POINTS = {"pt": 1.0, "px": 0.75, "mm": 2.835, "cm": 28.35, "in": 72.0, "pc": 12.0, "bp": 1.0}
_EMS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}
_TEXTS = {
    r"\text": "", r"\textrm": "", r"\textnormal": "", r"\textup": "", r"\mbox": "", r"\hbox": "",
    r"\textbf": "bold", r"\textit": "italic",
    r"\emph": "italic", r"\textsf": "sans", r"\texttt": "mono",
}  # fmt: skip
_SWITCHES = {
    r"\bf": r"\mathbf", r"\rm": r"\mathrm", r"\it": r"\mathit", r"\cal": r"\mathcal",
    r"\tt": r"\mathtt",
}  # fmt: skip
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


def _text(function: str) -> Rule:
    r"""Text may hold formulas and spaces, which pandoc refuses or drops: ``\text{if $x$ is}``."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        return _text_pieces(rewriter, read_argument(tokens), function)

    return rule


def _text_pieces(rewriter: Rewriter, body: Tokens, function: str) -> list[str]:
    done: list[str] = []
    plain = ""
    while body:
        token = body.popleft()
        if token == "$" or token == r"\(" or token in _TEXTS or token.startswith(r"\math"):
            done += rewriter.text(plain, function) if plain else []
            plain = ""
        if token in ("$", r"\("):
            inner: Tokens = deque()
            while body and body[0] not in ("$", r"\)"):
                inner.append(body.popleft())
            if body:
                body.popleft()
            done += rewriter.rewrite(inner)
        elif token in _TEXTS:
            done += _text_pieces(rewriter, read_argument(body), _TEXTS[token])
        elif token.startswith(r"\math"):
            done += [token, *rewriter.group(body)]
        elif token not in "{}":
            plain += _TEXT_SYMBOLS.get(token, token)
    return done + (rewriter.text(plain, function) if plain else [])


_TEXT_SYMBOLS = {
    "~": " ", r"\ ": " ", r"\,": " ", r"\_": "_", r"\%": "%", r"\&": "&", r"\#": "#", r"\$": "$",
    r"\{": "{", r"\}": "}", r"\quad": "  ", r"\textbackslash": "\\", r"\ldots": "…", r"\dots": "…",
    "`": "‘", "'": "’", r"\-": "", r"\;": " ", r"\!": "",
}  # fmt: skip


def _operator(limits: bool) -> Rule:
    r"""``\operatorname``: spaced as a function, with limits underneath if it has a star."""

    def rule(rewriter: Rewriter, tokens: Tokens) -> list[str]:
        body = read_argument(tokens)
        words = {r"\,": " ", r"\ ": " ", r"\;": " ", "~": " ", r"\!": ""}
        roman = {r"\rm", r"\mathrm", r"\text", "{", "}"}
        name = "".join(words.get(token, token) for token in body if token not in roman)
        if re.fullmatch(r"[\w *'-]+", name) and name.strip():
            option = ", limits: #true" if limits else ""
            return [rewriter.insert(f"op({string(' '.join(name.split()))}{option})")]
        return rewriter.call("limits(" if limits else "scripts(", rewriter.rewrite(body))

    return rule


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
    while tokens:
        token = tokens.popleft()
        if token == r"\right" and depth == 0:
            break
        depth += (token == r"\left") - (token == r"\right")
        body.append(token)
    skip_spaces(tokens)
    closing = tokens.popleft() if tokens else "."
    start = rewriter.insert("lr(" + _DELIMITERS.get(opening, ""))
    end = rewriter.insert(_DELIMITERS.get(closing, "") + ")")
    return [start, *rewriter.rewrite(body), end]


def _middle(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    skip_spaces(tokens)
    delimiter = _DELIMITERS.get(tokens.popleft() if tokens else "", "bar.v")
    return [rewriter.insert(f"mid({delimiter})")]


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


def _begin(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Write an environment cell by cell, so that pandoc sees only what is in the cells."""
    name = read_name(tokens)
    plain = name.rstrip("*")
    if plain not in MATRICES and plain not in CASES and plain not in LINES:
        return [r"\begin", "{", name, "}"]
    whole = rewriter.at_start
    environment = read_environment(name, tokens)
    # A number or a label behind the environment does not make it part of something larger.
    while tokens and tokens[0] in (" ", r"\tag", r"\tag*", r"\label", r"\nonumber"):
        token = tokens.popleft()
        if token != " ":
            rewriter.rules[token](rewriter, tokens)
    if plain in CASES:
        opening = "cases(" + CASES[plain]
        return _cells(rewriter, environment, opening, "& quad ", ", ")
    if plain in LINES and whole and not "".join(tokens).strip(" .,;"):
        return _lines(rewriter, environment)
    if plain in LINES:
        return _cells(rewriter, environment, "mat(delim: #none, ", "&", "; ")
    options = f"delim: #{MATRICES[plain]}{rules_between(environment)}{alignment(environment)}, "
    if plain == "smallmatrix":
        options += "row-gap: #0.2em, column-gap: #0.4em, "
    return _cells(rewriter, environment, "mat(" + options, ", ", "; ")


def _cells(
    rewriter: Rewriter, environment: Environment, opening: str, between: str, below: str
) -> list[str]:
    large = environment.name.rstrip("*") in DISPLAYED
    done: list[str] = []
    for y, row in enumerate(environment.rows):
        done += [rewriter.insert(below)] if y else []
        for x, cell in enumerate(row):
            done += [rewriter.insert(between)] if x else []
            body = rewriter.rewrite(cell)
            done += rewriter.call("display(", body) if large else body
    return [rewriter.insert(opening), *done, rewriter.insert(")")]


def _lines(rewriter: Rewriter, environment: Environment) -> list[str]:
    """Write the rows of a formula that is nothing but an aligned environment."""
    rewriter.tags_in_rows = len(environment.rows) > 1
    done: list[str] = []
    alone = len(environment.rows) == len(environment.rows[0]) == 1
    rewriter.depth -= alone  # \begin{equation}\begin{split} is one environment in effect
    for y, row in enumerate(environment.rows):
        done += [rewriter.insert(LINE_BREAK)] if y else []
        for x, cell in enumerate(row):
            done += [rewriter.insert(_column_break(environment, x))] if x else []
            done += rewriter.rewrite(cell)
    rewriter.depth += alone
    return done


def _column_break(environment: Environment, column: int) -> str:
    """Return what stands before a cell of aligned lines, whose columns go right, left, right."""
    name = environment.name.rstrip("*")
    if name == "eqnarray" and column == 2:
        return '""'
    return "& quad quad" if column % 2 == 0 and not name.startswith("alignat") else "&"


LINE_BREAK = "\\\n"

RULES: dict[str, Rule] = {
    **dict.fromkeys((r"\nonumber", r"\notag", r"\allowbreak", r"\nobreak", r"\strut"), _nothing),
    r"\&": _show(r"\&"),
    **dict.fromkeys((r"\require", r"\label", r"\vphantom"), _drop_argument),
    r"\\": lambda rewriter, tokens: [rewriter.insert(LINE_BREAK)],
    "&": _show("&"),
    r"\begin": _begin,
    # Spaces, at TeX's widths.
    r"\!": _negative_space,
    r"\negthinspace": _negative_space,
    r"\;": _show("#h(0.2778em)"),
    r"\thickspace": _show("#h(0.2778em)"),
    r"\:": _show("#h(0.2222em)"),
    r"\>": _show("#h(0.2222em)"),
    r"\medspace": _show("#h(0.2222em)"),
    r"\ ": _show("#h(0.333em)"),
    "~": _show("#h(0.333em)"),
    r"\enspace": _show("#h(0.5em)"),
    **dict.fromkeys((r"\hspace", r"\hspace*", r"\kern", r"\mkern"), _space),
    **dict.fromkeys((r"\hskip", r"\mskip", r"\mspace"), _space),
    # Delimiters.
    "|": _show('class("normal", bar.v)'),
    r"\vert": _show('class("normal", bar.v)'),
    r"\|": _show('class("normal", bar.v.double)'),
    r"\Vert": _show('class("normal", bar.v.double)'),
    r"\lvert": _show('class("opening", bar.v)'),
    r"\rvert": _show('class("closing", bar.v)'),
    r"\lVert": _show('class("opening", bar.v.double)'),
    r"\rVert": _show('class("closing", bar.v.double)'),
    r"\left": _left,
    r"\middle": _middle,
    **{
        rf"\{size}{suffix}": _sized(ems, kind)
        for size, ems in _SIZES.items()
        for suffix, kind in (("", ""), ("l", "opening"), ("r", "closing"), ("m", "relation"))
    },
    # Words.
    **{command: _text(function) for command, function in _TEXTS.items()},
    r"\operatorname": _operator(limits=False),
    r"\operatorname*": _operator(limits=True),
    r"\mathop": _operator(limits=True),
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
    r"\smash": _wrap("("),
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
    # Styles.
    **{command: _switch(new) for command, new in _SWITCHES.items()},
    r"\displaystyle": _style("display("),
    r"\textstyle": _style("inline("),
    r"\scriptstyle": _style("script("),
    r"\color": _color,
    r"\textcolor": _textcolor,
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
