r"""Words in formulas: ``\text``, ``\operatorname`` and their kin."""

import re
from collections import deque

from coursework.pdf.formulas.math import Rewriter, Rule
from coursework.pdf.formulas.tex import Tokens, read_argument
from coursework.pdf.typst import string

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


TEXT_RULES: dict[str, Rule] = {
    **{command: _text(function) for command, function in _TEXTS.items()},
    r"\operatorname": _operator(limits=False),
    r"\operatorname*": _operator(limits=True),
    r"\mathop": _operator(limits=True),
}
