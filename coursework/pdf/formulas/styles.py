r"""Words, colour, type and size in formulas: ``\text``, ``\color``, ``\bf``, ``\displaystyle``."""

import re
from collections import deque
from functools import partial

from coursework.pdf.dom import parse_color
from coursework.pdf.formulas.rewriter import Rewriter, Rule
from coursework.pdf.formulas.tex import Tokens, read_argument, read_name, read_option
from coursework.pdf.typst import string

_SWITCHES = {
    r"\bf": r"\mathbf", r"\rm": r"\mathrm", r"\it": r"\mathit", r"\cal": r"\mathcal",
    r"\tt": r"\mathtt",
}  # fmt: skip
_TEXTS = {
    r"\text": "", r"\textrm": "", r"\textnormal": "", r"\textup": "", r"\mbox": "", r"\hbox": "",
    r"\textbf": "bold", r"\textit": "italic",
    r"\emph": "italic", r"\textsf": "sans", r"\texttt": "mono",
}  # fmt: skip
_TEXT_SYMBOLS = {
    "~": " ", r"\ ": " ", r"\,": " ", r"\_": "_", r"\%": "%", r"\&": "&", r"\#": "#", r"\$": "$",
    r"\{": "{", r"\}": "}", r"\quad": "  ", r"\textbackslash": "\\", r"\ldots": "…", r"\dots": "…",
    "`": "‘", "'": "’", r"\-": "", r"\;": " ", r"\!": "",
}  # fmt: skip
_NAME_SPACES = {r"\,": " ", r"\ ": " ", r"\;": " ", "~": " ", r"\!": ""}


def _text(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Text may hold formulas and spaces, which pandoc refuses or drops: ``\text{if $x$ is}``."""
    body = read_argument(tokens)
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
            done += _text(_TEXTS[token], rewriter, body)
        elif token.startswith(r"\math"):
            done += [token, *rewriter.group(body)]
        elif token not in "{}":
            plain += _TEXT_SYMBOLS.get(token, token)
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
    """Take the name of a colour; return the start of a call of ``colored``, empty if unknown."""
    model = "".join(read_option(tokens) or ())
    value = read_name(tokens)
    if model == "HTML":
        value = "#" + value
    elif model == "rgb" and re.fullmatch(r"[\d., ]+", value):
        levels = [round(float(part or 0) * 255) for part in value.split(",")]
        value = "rgb(" + ",".join(map(str, levels)) + ")"
    color = parse_color(value)
    return f"colored({string(color)}, " if color else ""


def _switch(command: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``{\bf x}``: TeX's old way to say ``\mathbf{x}``."""
    return [command, "{", *rewriter.rewrite(_rest_of_cell(tokens)), "}"]


def _style(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""``\displaystyle``: holds to the end of its cell or group."""
    return rewriter.call(function, rewriter.rewrite(_rest_of_cell(tokens)))


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
    **{command: partial(_text, function) for command, function in _TEXTS.items()},
    r"\operatorname": partial(_operator, False),
    **dict.fromkeys((r"\operatorname*", r"\mathop"), partial(_operator, True)),
    **{command: partial(_switch, new) for command, new in _SWITCHES.items()},
    r"\displaystyle": partial(_style, "display("),
    r"\textstyle": partial(_style, "inline("),
    r"\scriptstyle": partial(_style, "script("),
    r"\color": _color,
    r"\textcolor": _textcolor,
}
