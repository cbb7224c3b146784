r"""Matrices, arrays, cases and aligned lines: ``\begin{...} ... \end{...}`` with cells."""

import re
from collections import deque
from dataclasses import dataclass

from coursework.pdf.formulas.rewriter import LINE_BREAK, Rewriter
from coursework.pdf.formulas.tex import Tokens, read_argument, read_name, read_option, skip_spaces

MATRICES = {
    "matrix": "none", "smallmatrix": "none", "pmatrix": '"("', "bmatrix": '"["',
    "Bmatrix": '"{"', "vmatrix": '"|"', "Vmatrix": '"‖"', "array": "none", "subarray": "none",
}  # fmt: skip
"""The delimiters that Typst's ``mat`` draws for each environment."""

CASES = {"cases": "", "dcases": "", "rcases": "reverse: #true, ", "drcases": "reverse: #true, "}
"""Arguments of Typst's ``cases``."""

LINES = {
    "align", "aligned", "alignat", "alignedat", "eqnarray", "equation", "flalign", "gather",
    "gathered", "multline", "split", "displaymath", "math",
}  # fmt: skip
"""Rows below each other, without delimiters."""

DISPLAYED = {"dcases", "drcases", *LINES}
"""Environments whose cells are as large as a displayed formula."""


@dataclass(frozen=True)
class Environment:
    r"""The cells between ``\begin`` and ``\end``, and the rules between them.

    Attributes
    ----------
    name
        Such as ``pmatrix``.
    rows
        Cells as tokens.
    columns
        The column letters of an array, such as ``lc|r``; empty for other environments.
    lines
        For each horizontal rule, the number of the row below it.
    """

    name: str
    rows: list[list[Tokens]]
    columns: str
    lines: list[int]


def read_environment(name: str, tokens: Tokens) -> Environment:
    r"""Take everything up to the matching ``\end``; the ``\begin{name}`` is taken already."""
    columns = ""
    if name.rstrip("*") in ("array", "subarray", "alignat", "alignedat"):
        read_option(tokens)
        columns = read_name(tokens)
    elif name.endswith("*"):
        columns = "".join(read_option(tokens) or ())
    elif name in ("aligned", "gathered"):
        read_option(tokens)
    rows: list[list[Tokens]] = [[deque()]]
    lines: list[int] = []
    depth = 0
    while tokens:
        token = tokens.popleft()
        if token == r"\end" and depth == 0:
            read_argument(tokens)
            break
        depth += (token in (r"\begin", "{")) - (token in (r"\end", "}"))
        if depth:
            rows[-1][-1].append(token)
        elif token == "&":
            rows[-1].append(deque())
        elif token in (r"\\", r"\cr"):
            _skip_length(tokens)
            rows.append([deque()])
        elif token in (r"\hline", r"\hdashline"):
            lines.append(len(rows) - 1)
        else:
            rows[-1][-1].append(token)
    if len(rows) > 1 and all(not cell or set(cell) == {" "} for cell in rows[-1]):
        rows.pop()
    return Environment(name, rows, columns, lines)


def _skip_length(tokens: Tokens) -> None:
    r"""Drop the length of ``\\[4pt]``, but not a formula that starts with a bracket."""
    if tokens and tokens[0] == "*":
        tokens.popleft()
    upcoming = "".join(list(tokens)[:12])
    if re.match(r"\s*\[\s*-?[\d.]+\s*(pt|em|ex|mm|cm|in|mu|px)\s*\]", upcoming):
        skip_spaces(tokens)
        read_option(tokens)


def _rules_between(environment: Environment) -> str:
    """Return the argument of Typst's ``mat`` that draws the rules of an array, or nothing."""
    vertical = [
        len(re.sub(r"[^lcr]", "", environment.columns[: match.start()]))
        for match in re.finditer(r"\|", environment.columns)
    ]
    width = len(re.findall("[lcr]", environment.columns))
    vertical = sorted({column for column in vertical if 0 < column < width})
    horizontal = sorted({row for row in environment.lines if 0 < row < len(environment.rows)})
    if not vertical and not horizontal:
        return ""
    columns = ", ".join(map(str, vertical)) + ("," if vertical else "")
    rows = ", ".join(map(str, horizontal)) + ("," if horizontal else "")
    return f", augment: #(vline: ({columns}), hline: ({rows}))"


def _alignment(environment: Environment) -> str:
    """Return the argument of ``mat`` for an array whose columns all stand left or right."""
    letters = set(re.findall("[lcr]", environment.columns))
    sides = {"l": "left", "r": "right"}
    return f", align: #{sides[letters.pop()]}" if len(letters) == 1 and letters & {*sides} else ""


def write_environment(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Apply the rule of ``\begin``: pandoc sees only what is in the cells of an environment."""
    name = read_name(tokens)
    plain = name.rstrip("*")
    if plain not in MATRICES and plain not in CASES and plain not in LINES:
        return [r"\begin", "{", name, "}"]
    whole = rewriter.at_start
    environment = read_environment(name, tokens)
    # A number or a label after the environment does not make it part of a larger formula.
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
    options = f"delim: #{MATRICES[plain]}{_rules_between(environment)}{_alignment(environment)}, "
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
    """Return the separator before a cell of aligned lines; each pair of columns stands apart."""
    name = environment.name.rstrip("*")
    if name == "eqnarray" and column == 2:
        return '""'
    return "& quad quad" if column % 2 == 0 and not name.startswith("alignat") else "&"
