r"""TeX as tokens: reading arguments and lengths, and expanding macros."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

# In the address of a link, and between the bars of \verb, no character has a meaning.
_TOKEN = re.compile(
    r"\\href\s*\{(?P<address>[^{}]*)\}|\\verb\*?(?P<bar>[^A-Za-z\s*])(?P<verbatim>.*?)(?P=bar)"
    r"|\\[A-Za-z]+\*?|\\.|%[^\n]*\n?|\s+|.",
    re.DOTALL,
)
_VERBATIM = {"\\": r"\textbackslash", "{": r"\{", "}": r"\}", "$": r"\$", "~": r"\~"}
# Beyond those that the formula itself has: a macro that calls itself never ends, and one that does
# so with #1#1 grows at each call.
_MOST_EXPANSIONS, _MOST_TOKENS = 2000, 20_000
_POINTS = {"pt": 1.0, "px": 0.75, "mm": 2.835, "cm": 28.35, "in": 72.0, "pc": 12.0, "bp": 1.0}
_EMS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}

DEFINITIONS = {
    r"\newcommand", r"\newcommand*", r"\renewcommand", r"\renewcommand*", r"\providecommand",
    r"\providecommand*", r"\def", r"\gdef", r"\let", r"\DeclareMathOperator",
    r"\DeclareMathOperator*", r"\newenvironment", r"\newenvironment*", r"\renewenvironment",
}  # fmt: skip
_STARRED = {
    r"\newcommand", r"\renewcommand", r"\providecommand", r"\DeclareMathOperator", r"\operatorname",
    r"\hspace", r"\tag", r"\text", r"\newenvironment",
}  # fmt: skip
# Commands that are a combination of others.
_PREDEFINED = r"""
\newcommand{\cfrac}[3][]{\dfrac{#2}{#3}}
\newcommand{\cancelto}[2]{{\cancel{#2}^{#1}}}
\newcommand{\mathchoice}[4]{{#1}}
\newcommand{\Bbb}[1]{\mathbb{#1}}
\newcommand{\hphantom}[1]{\phantom{#1}}
\newcommand{\Space}[3]{\hspace{#1}}
\newcommand{\TeX}{\mathrm{T}\kern-.14em\lower.5ex{\mathrm{E}}\kern-.115em \mathrm{X}}
\newcommand{\LaTeX}{\mathrm{L}\kern-.325em\raise.21em{\scriptstyle\mathrm{A}}\kern-.17em\TeX}
\newcommand{\varliminf}{\mathop{\underline{\mathrm{lim}}}}
\newcommand{\varlimsup}{\mathop{\overline{\mathrm{lim}}}}
\newcommand{\varinjlim}{\mathop{\underrightarrow{\mathrm{lim}}}}
\newcommand{\varprojlim}{\mathop{\underleftarrow{\mathrm{lim}}}}
\newcommand{\idotsint}{\int\cdots\int}
\newcommand{\overunderset}[3]{\overset{#1}{\underset{#2}{#3}}}
\newcommand{\stackbin}[2]{\mathbin{\overset{#1}{#2}}}
\newcommand{\skew}[3]{#2{#3}}
\newcommand{\bra}[1]{\langle #1 \vert}
\newcommand{\ket}[1]{\vert #1 \rangle}
\newcommand{\ketbra}[2]{\vert #1 \rangle\langle #2 \vert}
\newcommand{\braket}[1]{\langle #1 \rangle}
\newcommand{\Bra}[1]{\left\langle #1 \right\vert}
\newcommand{\Ket}[1]{\left\vert #1 \right\rangle}
\newcommand{\Ketbra}[2]{\left\vert #1 \right\rangle\left\langle #2 \right\vert}
\newcommand{\texttip}[2]{#1}
\newcommand{\mathtip}[2]{#1}
\newcommand{\toggle}[2]{#1}
"""

_NOTHING = {
    r"\allowbreak": 0, r"\nobreak": 0, r"\strut": 0, r"\mathstrut": 0, r"\hfil": 0, r"\hfill": 0,
    r"\hfilll": 0, r"\nonscript": 0, r"\displaylimits": 0, r"\endtoggle": 0,
    r"\minCDarrowwidth": 0, r"\require": 1, r"\vphantom": 1, r"\uproot": 1, r"\leftroot": 1,
}  # fmt: skip
"""Commands that show nothing on a page, and how many arguments each takes."""

Tokens = deque[str]


class UnreadableFormulaError(ValueError):
    """A formula lacks a bracket or an argument, or is nested too deeply."""


@dataclass(frozen=True)
class Macro:
    """What a command stands for: ``#1`` in the body is its first argument."""

    body: tuple[str, ...]
    arguments: int = 0
    default: tuple[str, ...] | None = None  # of the first argument, if it may be left out
    ends: tuple[str, ...] = ()  # of each argument that \def defines; empty for one in braces


def tokenize(tex: str) -> Tokens:
    """Split TeX into commands and characters, without comments; a run of spaces becomes one."""
    tokens: Tokens = deque()
    for match in _TOKEN.finditer(tex):
        token = match[0]
        if match["address"] is not None:
            tokens.extend((r"\href", "{", match["address"], "}"))
        elif match["bar"]:
            verbatim = (_VERBATIM.get(char, char) for char in match["verbatim"])
            tokens.extend((r"\texttt", "{", *verbatim, "}"))
        elif token.startswith("%"):
            # A comment does not end a group: the sign in \text{%} is meant to be shown.
            if token.count("}") > token.count("{"):
                tokens.extend((r"\%", *tokenize(token[1:])))
        elif token.isspace():
            tokens.append(" ")
        elif token.endswith("*") and len(token) > 2 and token[:-1] not in _STARRED:
            tokens.extend((token[:-1], "*"))
        else:
            tokens.append(token)
    return tokens


def join(tokens: Iterable[str]) -> str:
    """Write tokens as TeX, with a space where two of them would become one command."""
    parts: list[str] = []
    for before, token in pairwise(("", *tokens)):
        run_together = token[:1].isalpha() and re.fullmatch(r"\\[A-Za-z]+", before)
        parts += (" ", token) if run_together else (token,)
    return "".join(parts)


def skip_spaces(tokens: Tokens) -> None:
    """Drop leading spaces."""
    while tokens and tokens[0] == " ":
        tokens.popleft()


def read_argument(tokens: Tokens) -> Tokens:
    """Take a group, without its braces, or a single token."""
    skip_spaces(tokens)
    if not tokens or tokens[0] in ("}", "&", r"\\", r"\right", r"\end"):
        raise UnreadableFormulaError("an argument is missing")
    if tokens[0] != "{":
        return deque([tokens.popleft()])
    tokens.popleft()
    return read_until(tokens, "}", "{")


def read_option(tokens: Tokens) -> Tokens | None:
    """Take an argument in brackets, if one follows."""
    skip_spaces(tokens)
    if not tokens or tokens[0] != "[":
        return None
    tokens.popleft()
    return read_until(tokens, "]", "[")


def read_name(tokens: Tokens) -> str:
    """Take an argument that is plain text, such as a colour or an environment."""
    return "".join(read_argument(tokens)).strip()


def read_length(tokens: Tokens) -> str:
    """Take a length, in braces or not, and return it for Typst; empty if it is none."""
    skip_spaces(tokens)
    length = ""
    if tokens and tokens[0] == "{":
        length = "".join(read_argument(tokens))
    else:
        while tokens and len(length) < 12 and not re.search(r"[a-z]{2}$", length):
            length += tokens.popleft()
    match = re.match(r"\s*([-+]?\d*\.?\d+)\s*([a-z]{2})", length)
    if match is None:
        return ""
    amount, unit = float(match[1]), match[2]
    if unit in _POINTS:
        return f"{amount * _POINTS[unit]:.2f}pt"
    return f"{amount * _EMS.get(unit, 0):.3f}em"


def read_until(tokens: Tokens, end: str, begin: str = "") -> Tokens:
    r"""Take everything up to a token, which is taken too, outside of groups.

    Each ``begin`` in between, such as a ``\left``, has an ``end`` of its own.
    """
    inside: Tokens = deque()
    depth = 0
    while tokens:
        token = tokens.popleft()
        if token == end and depth == 0:
            return inside
        depth += token in ("{", begin or end)
        depth -= token in ("}", end)
        inside.append(token)
    raise UnreadableFormulaError(f"there is no {end}")


def predefined_macros() -> dict[str, Macro]:
    """Return the macros that every page has; an author may define them anew."""
    macros = {command: Macro((), arguments) for command, arguments in _NOTHING.items()}
    expand(tokenize(_PREDEFINED), macros)
    return macros


def expand(tokens: Tokens, macros: dict[str, Macro]) -> Tokens:
    """Expand macros; definitions are taken out of the formula and added to ``macros``."""
    done: Tokens = deque()
    most_expansions, most_tokens = len(tokens) + _MOST_EXPANSIONS, len(tokens) + _MOST_TOKENS
    expansions = 0
    while tokens:
        token = tokens.popleft()
        if token in (r"\begin", r"\end"):
            name = read_name(tokens)
            tokens.extendleft(reversed(("{", *name, "}")))
            if f"{token}{{{name}}}" in macros:
                read_argument(tokens)
                token = f"{token}{{{name}}}"
        if token in DEFINITIONS:
            _define(token, tokens, macros)
        elif token in macros and expansions < most_expansions and len(tokens) < most_tokens:
            expansions += 1
            tokens.extendleft(reversed(_apply(macros[token], tokens)))
        else:
            done.append(token)
    return done


def _define(command: str, tokens: Tokens, macros: dict[str, Macro]) -> None:
    name = "".join(read_argument(tokens)).strip()
    if command in (r"\def", r"\gdef"):
        parameters = ""
        while tokens and tokens[0] != "{":
            parameters += tokens.popleft()
        ends = tuple(re.findall(r"#\d\s*([^#]?)", parameters))
        macro = Macro(tuple(read_argument(tokens)), len(ends), ends=ends)
    elif command == r"\let":
        skip_spaces(tokens)
        if tokens and tokens[0] == "=":
            tokens.popleft()
        target = tuple(read_argument(tokens))
        macro = macros.get(target[0], Macro(target)) if target else Macro(())
    elif command.startswith(r"\Declare"):
        star = "*" if command.endswith("*") else ""
        macro = Macro((rf"\operatorname{star}", "{", *read_argument(tokens), "}"))
    else:
        count = "".join(read_option(tokens) or ())
        default = read_option(tokens)
        arguments = int(count) if count.isdecimal() else 0
        body = tuple(read_argument(tokens))
        macro = Macro(body, arguments, None if default is None else tuple(default))
        if command.startswith(r"\provide") and name in macros:
            return
        if "environment" in command:
            macros[rf"\end{{{name}}}"] = Macro(tuple(read_argument(tokens)))
            name = rf"\begin{{{name}}}"
    if name.startswith("\\"):
        macros[name] = macro


def _apply(macro: Macro, tokens: Tokens) -> list[str]:
    values: list[tuple[str, ...]] = []
    if macro.default is not None:
        option = read_option(tokens)
        values.append(macro.default if option is None else tuple(option))
    while len(values) < macro.arguments:
        end = macro.ends[len(values)] if macro.ends else ""
        values.append(tuple(read_until(tokens, end) if end else read_argument(tokens)))
    body: list[str] = []
    remaining = deque(macro.body)
    while remaining:
        token = remaining.popleft()
        if token == "#" and remaining and remaining[0].isdecimal():
            number = int(remaining.popleft())
            body += values[number - 1] if 0 < number <= len(values) else ()
        else:
            body.append(token)
    return body
