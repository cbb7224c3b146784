r"""Words, colour, type and size in formulas: ``\text``, ``\color``, ``\bf``, ``\large``."""

import re
import unicodedata
from collections import deque
from functools import partial

from coursework.pdf.css import parse_color
from coursework.pdf.formulas.rewriter import Rewriter, Rule, wrap
from coursework.pdf.formulas.tex import Tokens, read_argument, read_name, read_option
from coursework.pdf.typst import string

_SIZES = {
    "tiny": 0.5, "Tiny": 0.6, "scriptsize": 0.7, "small": 0.85, "normalsize": 1, "large": 1.2,
    "Large": 1.44, "LARGE": 1.73, "huge": 2.07, "Huge": 2.49,
}  # fmt: skip
"""How large MathJax sets what follows each switch."""

_FONTS = {
    "rm": "upright(", "up": "upright(", "normal": "", "bf": "upright(bold(",
    "bfup": "upright(bold(", "it": "italic(", "bfit": "italic(bold(", "bb": "bb(", "frak": "frak(",
    "bffrak": "bold(frak(", "scr": "scr(", "bfscr": "bold(scr(", "cal": "cal(",
    "bfcal": "bold(cal(", "sf": "upright(sans(", "sfup": "upright(sans(",
    "bfsf": "upright(bold(sans(", "bfsfup": "upright(bold(sans(", "sfit": "italic(sans(",
    "bfsfit": "italic(bold(sans(", "tt": "mono(",
}  # fmt: skip
_PANDOC_FONTS = {"mathbf", "mathrm", "mathit", "mathtt", "mathbb", "mathcal", "mathfrak"}
_SWITCHES = {
    r"\bf": r"\mathbf", r"\rm": r"\mathrm", r"\it": r"\mathit", r"\cal": r"\mathcal",
    r"\tt": r"\mathtt", r"\sf": r"\mathsf", r"\sl": r"\mathit", r"\mit": r"\mathit",
    r"\frak": r"\mathfrak", r"\scr": r"\mathscr", r"\bbFont": r"\mathbb",
    r"\oldstyle": r"\mathrm",
}  # fmt: skip
_TEXTS = {
    r"\text": "", r"\textrm": "", r"\textnormal": "", r"\textup": "", r"\mbox": "", r"\hbox": "",
    r"\textmd": "", r"\textbf": "bold", r"\textit": "italic", r"\textsl": "italic",
    r"\emph": "italic", r"\textsf": "sans", r"\texttt": "mono",
}  # fmt: skip
_TEXT_SYMBOLS = {
    "~": " ", r"\ ": " ", r"\,": " ", r"\_": "_", r"\%": "%", r"\&": "&", r"\#": "#", r"\$": "$",
    r"\{": "{", r"\}": "}", r"\quad": "  ", r"\textbackslash": "\\", r"\ldots": "…", r"\dots": "…",
    "`": "‘", "'": "’", r"\-": "", r"\;": " ", r"\!": "",
    r"\AA": "Å", r"\aa": "å", r"\O": "Ø", r"\o": "ø", r"\AE": "Æ", r"\ae": "æ", r"\OE": "Œ",
    r"\oe": "œ", r"\ss": "ß", r"\L": "Ł", r"\l": "ł", r"\i": "ı", r"\j": "ȷ",
    r"\S": "§", r"\P": "¶",
    r"\dag": "†", r"\ddag": "‡", r"\copyright": "©", r"\pounds": "£", r"\euro": "€",
    r"\textdegree": "°", r"\textmu": "µ", r"\textendash": "–", r"\textemdash": "—",
}  # fmt: skip
_TEXT_ACCENTS = {
    r"\"": "\u0308", r"\'": "\u0301", r"\`": "\u0300", r"\^": "\u0302", r"\~": "\u0303",
    r"\=": "\u0304", r"\.": "\u0307", r"\c": "\u0327", r"\v": "\u030c", r"\u": "\u0306",
    r"\H": "\u030b", r"\r": "\u030a", r"\k": "\u0328",
}  # fmt: skip
_IN_TEXT = {*_TEXTS, r"\ref", r"\eqref", r"\unicode", r"\kern", r"\raise", r"\lower"}
"""Commands that text may hold, apart from formulas between dollars and fonts."""
_NAME_SPACES = {r"\,": " ", r"\ ": " ", r"\;": " ", "~": " ", r"\!": ""}


def _text(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Text may hold formulas and spaces, which pandoc refuses or drops: ``\text{if $x$ is}``."""
    body = read_argument(tokens)
    done: list[str] = []
    plain = ""
    while body:
        token = body.popleft()
        if token in _TEXT_ACCENTS and body:
            letter = "".join(_TEXT_SYMBOLS.get(each, each) for each in read_argument(body))
            plain += unicodedata.normalize("NFC", letter[:1] + _TEXT_ACCENTS[token] + letter[1:])
            continue
        if not (token in ("$", r"\(") or token in _IN_TEXT or token.startswith(r"\math")):
            plain += "" if token in ("{", "}") else _TEXT_SYMBOLS.get(token, token)
            continue
        done += rewriter.text(plain, function) if plain else []
        plain = ""
        if token in ("$", r"\("):
            inner: Tokens = deque()
            while body and body[0] not in ("$", r"\)"):
                inner.append(body.popleft())
            if body:
                body.popleft()
            done += rewriter.rewrite(inner)
        elif token in _IN_TEXT:
            done += rewriter.rules[token](rewriter, body)
        else:
            done += [token, *rewriter.group(body)]
    return done + (rewriter.text(plain, function) if plain else [])


def _operator(limits: bool, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\operatorname``: spaced as a function, with limits underneath if it has a star."""
    body = read_argument(tokens)
    roman = {r"\rm", r"\mathrm", r"\text", "{", "}"}
    name = "".join(_NAME_SPACES.get(token, token) for token in body if token not in roman)
    if re.fullmatch(r"[\w *'-]+", name) and name.strip():
        option = ", limits: #true" if limits else ""
        return [rewriter.insert(f"op({string(' '.join(name.split()))}{option})")]
    return rewriter.call("limits(" if limits else "scripts(", rewriter.rewrite(body))


def _color(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\color{red}{x}``, and ``\color{red} x`` to the end of its cell or group."""
    color = _color_name(rewriter, tokens)
    if tokens and tokens[0] == "{":
        return wrap(color, rewriter, tokens)
    return _style(color, rewriter, tokens)


def _textcolor(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return wrap(_color_name(rewriter, tokens), rewriter, tokens)


def _color_name(rewriter: Rewriter, tokens: Tokens) -> str:
    """Take the name of a colour; return the start of a call of ``colored``, empty if unknown."""
    color = _read_color(rewriter, tokens)
    return f"colored({string(color)}, " if color else ""


def _read_color(rewriter: Rewriter, tokens: Tokens) -> str:
    """Take a colour, with its model in brackets, and return it as ``#rrggbb``, or empty."""
    model = "".join(read_option(tokens) or ())
    return _color_in(model, read_name(tokens), rewriter)


def _color_in(model: str, value: str, rewriter: Rewriter) -> str:
    levels = [float(part) for part in re.findall(r"\d*\.?\d+", value)]
    if model == "HTML":
        value = "#" + value
    elif model in ("rgb", "gray") and levels:
        levels = [round(level * 255) for level in (levels if model == "rgb" else levels[:1] * 3)]
    if model in ("rgb", "RGB", "gray") and levels:
        value = "rgb(" + ",".join(f"{level:.0f}" for level in levels) + ")"
    return rewriter.page.colors.get(value) or parse_color(value)


def _define_color(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\definecolor{name}{rgb}{1,0,0}`` shows nothing."""
    name, model = read_name(tokens), read_name(tokens)
    rewriter.page.colors[name] = _color_in(model, read_name(tokens), rewriter)
    return []


def _color_box(framed: bool, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\colorbox{yellow}{words}``, and ``\fcolorbox`` with a coloured frame."""
    frame = _read_color(rewriter, tokens) if framed else ""
    fill = _read_color(rewriter, tokens)
    return rewriter.call(_box(frame, fill), _text("", rewriter, tokens))


def _bbox(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\bbox[yellow, 5px, border: 2px solid red]{x}``: a frame, a background, or space."""
    options = [part.strip() for part in "".join(read_option(tokens) or ()).split(",")]
    frame = next((part.split()[-1] for part in options if part.startswith("border")), "")
    fill = next(filter(None, (_color_in("", part, rewriter) for part in options)), "")
    return rewriter.call(_box(_color_in("", frame, rewriter), fill), rewriter.argument(tokens))


def _box(frame: str, fill: str) -> str:
    """Return the start of a call of ``boxed``."""
    stroke = f"#(0.6pt + rgb({string(frame)}))" if frame else "#none"
    background = f"#rgb({string(fill)}).lighten(60%)" if fill else "#none"
    return f"boxed(stroke: {stroke}, fill: {background}, "


def _size(factor: float, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\large``: holds to the end of its cell or group, and does not add to another switch."""
    before, rewriter.size = rewriter.size, factor
    body = _rewrite_rest(rewriter, tokens)
    rewriter.size = before
    return rewriter.call(f"sized(#{factor / before:.3g}, " if factor != before else "", body)


def _switch(command: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``{\bf x}``: TeX's old way to say ``\mathbf{x}``."""
    return rewriter.rules[command](rewriter, deque(("{", *_rest_of_cell(tokens), "}")))


def _style(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\displaystyle``: holds to the end of its cell or group."""
    return rewriter.call(function, _rewrite_rest(rewriter, tokens))


def _rewrite_rest(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Rewrite what a switch applies to; the formula may begin there: ``\large\begin{align}``."""
    at_start = rewriter.at_start
    rewriter.depth -= at_start
    body = rewriter.rewrite(_rest_of_cell(tokens))
    rewriter.depth += at_start
    return body


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


STYLE_RULES: dict[str, Rule] = {
    **{
        rf"\{kind}{name}": partial(wrap, function)
        for name, function in _FONTS.items()
        for kind in ("math", "sym")
        if f"{kind}{name}" not in _PANDOC_FONTS
    },
    **{rf"\{name}": partial(_size, factor) for name, factor in _SIZES.items()},
    **{command: partial(_text, function) for command, function in _TEXTS.items()},
    r"\operatorname": partial(_operator, False),
    **dict.fromkeys((r"\operatorname*", r"\mathop"), partial(_operator, True)),
    **{command: partial(_switch, new) for command, new in _SWITCHES.items()},
    r"\displaystyle": partial(_style, "display("),
    r"\textstyle": partial(_style, "inline("),
    r"\scriptstyle": partial(_style, "script("),
    r"\scriptscriptstyle": partial(_style, "sscript("),
    r"\definecolor": _define_color,
    r"\colorbox": partial(_color_box, False),
    r"\fcolorbox": partial(_color_box, True),
    r"\bbox": _bbox,
    r"\color": _color,
    r"\textcolor": _textcolor,
}
