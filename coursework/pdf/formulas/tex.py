r"""TeX as tokens: reading arguments and expanding the macros that an author defines."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|%[^\n]*\n?|\s+|.", re.DOTALL)
_MOST_EXPANSIONS = 2000  # a macro that calls itself never ends

DEFINITIONS = {
    r"\newcommand", r"\newcommand*", r"\renewcommand", r"\renewcommand*", r"\providecommand",
    r"\providecommand*", r"\def", r"\gdef", r"\let", r"\DeclareMathOperator",
    r"\DeclareMathOperator*",
}  # fmt: skip
_STARRED = {
    r"\newcommand", r"\renewcommand", r"\providecommand", r"\DeclareMathOperator", r"\operatorname",
    r"\hspace", r"\tag", r"\text",
}  # fmt: skip

Tokens = deque[str]


class UnreadableFormulaError(ValueError):
    """A formula lacks a bracket or an argument, or is nested too deeply."""


@dataclass(frozen=True)
class Macro:
    """What a command stands for: ``#1`` in the body is its first argument."""

    body: tuple[str, ...]
    arguments: int = 0
    default: tuple[str, ...] | None = None


def tokenize(tex: str) -> Tokens:
    """Split TeX into commands and characters, without comments; a run of spaces becomes one."""
    tokens: Tokens = deque()
    for token in _TOKEN.findall(tex):
        if token.startswith("%"):
            continue
        if token.isspace():
            tokens.append(" ")
        elif token.endswith("*") and len(token) > 2 and token[:-1] not in _STARRED:
            tokens.extend((token[:-1], "*"))
        else:
            tokens.append(token)
    return tokens


def join(tokens: Iterable[str]) -> str:
    """Write tokens as TeX, with a space where two of them would become one command."""
    text = ""
    for token in tokens:
        if token[:1].isalpha() and re.search(r"\\[A-Za-z]+$", text):
            text += " "
        text += token
    return text


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
    return _read_between(tokens, "{", "}")


def read_option(tokens: Tokens) -> Tokens | None:
    """Take an argument in brackets, if one follows."""
    skip_spaces(tokens)
    return _read_between(tokens, "[", "]") if tokens and tokens[0] == "[" else None


def read_name(tokens: Tokens) -> str:
    """Take an argument that is plain text, such as a colour or an environment."""
    return "".join(read_argument(tokens)).strip()


def _read_between(tokens: Tokens, opening: str, closing: str) -> Tokens:
    tokens.popleft()
    inside: Tokens = deque()
    depth = 0
    while tokens:
        token = tokens.popleft()
        if token == closing and depth == 0:
            return inside
        depth += (token == "{" or token == opening) - (token == "}" or token == closing)
        inside.append(token)
    raise UnreadableFormulaError(f"{opening} is never closed")


def expand(tokens: Tokens, macros: dict[str, Macro]) -> Tokens:
    """Expand macros; definitions are taken out of the formula and added to ``macros``."""
    done: Tokens = deque()
    expansions = 0
    while tokens:
        token = tokens.popleft()
        if token in DEFINITIONS:
            _define(token, tokens, macros)
        elif token in macros and expansions < _MOST_EXPANSIONS:
            expansions += 1
            tokens.extendleft(reversed(_apply(macros[token], tokens)))
        else:
            done.append(token)
    return done


def _define(command: str, tokens: Tokens, macros: dict[str, Macro]) -> None:
    name = next(iter(read_argument(tokens)), "")
    if command in (r"\def", r"\gdef"):
        parameters = 0
        while tokens and tokens[0] != "{":
            parameters += tokens.popleft() == "#"
        macro = Macro(tuple(read_argument(tokens)), parameters)
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
    if name.startswith("\\"):
        macros[name] = macro


def _apply(macro: Macro, tokens: Tokens) -> list[str]:
    values: list[tuple[str, ...]] = []
    if macro.default is not None:
        option = read_option(tokens)
        values.append(macro.default if option is None else tuple(option))
    while len(values) < macro.arguments:
        values.append(tuple(read_argument(tokens)))
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
