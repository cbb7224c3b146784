r"""Matrices, arrays, cases, aligned lines, diagrams: ``\begin{...} ... \end{...}`` with cells."""

import re
from collections import deque
from dataclasses import dataclass
from functools import partial

from coursework.pdf.formulas.rewriter import LINE_BREAK, Rewriter, Rule
from coursework.pdf.formulas.tex import (
    Tokens,
    read_argument,
    read_name,
    read_option,
    read_until,
    skip_spaces,
)
from coursework.pdf.typst import string

MATRICES = {
    "matrix": "none", "smallmatrix": "none", "pmatrix": '"("', "bmatrix": '"["',
    "Bmatrix": '"{"', "vmatrix": '"|"', "Vmatrix": '"‖"', "array": "none", "subarray": "none",
}  # fmt: skip
"""The delimiters that Typst's ``mat`` draws for each environment."""

CASES = {"cases": "", "dcases": "", "rcases": "reverse: #true, ", "drcases": "reverse: #true, "}
"""Arguments of Typst's ``cases``."""

LINES = {
    "align", "aligned", "alignat", "alignedat", "eqnarray", "equation", "flalign", "gather",
    "gathered", "multline", "split", "displaymath", "math", "xalignat", "xxalignat",
}  # fmt: skip
"""Rows below each other, without delimiters."""

NUMBERED_ROWS = {"align", "alignat", "eqnarray", "flalign", "gather", "xalignat"}
NUMBERED_ONCE = {"equation", "multline"}
"""Environments that MathJax numbers, as it is set in Jupyter, unless their name ends in a star."""

OLD_COMMANDS = {
    r"\matrix": "matrix", r"\pmatrix": "pmatrix", r"\cases": "cases", r"\eqalign": "aligned",
    r"\eqalignno": "aligned", r"\leqalignno": "aligned", r"\displaylines": "gathered",
}  # fmt: skip
"""TeX's old way to write environments: ``\\pmatrix{a & b \\cr c & d}``."""

_MOST_COLUMNS = 200  # of an array: a hundred of a hundred of a hundred would take all memory

DISPLAYED = {"dcases", "drcases", *LINES}
"""Environments whose cells are as large as a displayed formula."""


@dataclass(frozen=True)
class Environment:
    r"""The cells between ``\begin`` and ``\end``, and the rules between them."""

    name: str
    rows: list[list[Tokens]]
    columns: str  # the letters of an array, such as lc|r
    lines: list[int]  # for each horizontal rule, the number of the row below it


def read_environment(name: str, tokens: Tokens) -> Environment:
    r"""Take everything up to the matching ``\end``; the ``\begin{name}`` is taken already."""
    columns = ""
    if name.rstrip("*") in ("array", "subarray", "alignat", "alignedat", "xalignat", "xxalignat"):
        read_option(tokens)
        columns = _repeated(read_argument(tokens))
    elif name.endswith("*"):
        columns = "".join(read_option(tokens) or ())
    elif name in ("aligned", "gathered"):
        read_option(tokens)
    body = read_until(tokens, r"\end", r"\begin")
    read_argument(tokens)
    return _read_cells(name, columns, body)


def _repeated(columns: Tokens) -> str:
    """Return the columns of an array, with ``*{3}{c|}`` written as ``c|c|c|``."""
    done = ""
    while columns:
        letter = columns.popleft()
        if letter == "*":
            count = read_name(columns)
            times = min(int(count), _MOST_COLUMNS) if count.isdecimal() else 1
            done += _repeated(read_argument(columns))[:_MOST_COLUMNS] * times
        elif letter in ("@", "!", ">", "<"):
            read_argument(columns)
        elif letter in ("p", "m", "b"):  # words of a given width
            read_argument(columns)
            done += "l"
        else:
            done += letter
    return done


def _read_cells(name: str, columns: str, tokens: Tokens) -> Environment:
    rows: list[list[Tokens]] = [[deque()]]
    lines: list[int] = []
    depth = 0
    while tokens:
        token = tokens.popleft()
        depth += (token in (r"\begin", "{")) - (token in (r"\end", "}"))
        if depth:
            rows[-1][-1].append(token)
        elif token == "&":
            rows[-1].append(deque())
        elif token in (r"\\", r"\cr", r"\newline"):
            skip_length(tokens)
            rows.append([deque()])
        elif token in (r"\hline", r"\hdashline"):
            lines.append(len(rows) - 1)
        else:
            rows[-1][-1].append(token)
    if len(rows) > 1 and set().union(*rows[-1]) <= {" ", r"\nonumber", r"\notag"}:
        rows.pop()
    return Environment(name, rows, columns, lines)


def skip_length(tokens: Tokens) -> None:
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
    width = min(width, max(map(len, environment.rows)))
    vertical = sorted({column for column in vertical if column <= width})
    horizontal = sorted({row for row in environment.lines if row <= len(environment.rows)})
    if not vertical and not horizontal:
        return ""
    columns, rows = ("".join(f"{each}," for each in rules) for rules in (vertical, horizontal))
    return f", augment: #(vline: ({columns}), hline: ({rows}))"


def _alignment(environment: Environment) -> str:
    """Return the argument of ``mat`` for an array whose columns all stand left or right."""
    letters = set(re.findall("[lcr]", environment.columns))
    sides = {"l": "left", "r": "right"}
    return f", align: #{sides[letters.pop()]}" if len(letters) == 1 and letters & {*sides} else ""


def _environment(rewriter: Rewriter, tokens: Tokens) -> list[str]:
    r"""Apply the rule of ``\begin``: pandoc sees only what is in the cells of an environment."""
    name = read_name(tokens)
    plain = name.rstrip("*")
    at_start = rewriter.at_start
    if name == "CD":
        return _diagram(rewriter, read_environment(name, tokens))
    if plain not in MATRICES and plain not in CASES and plain not in LINES:
        return [r"\begin", "{", name, "}"]
    environment = read_environment(name, tokens)
    # A number or a label after the environment does not make it part of a larger formula.
    while tokens and tokens[0] in (" ", r"\tag", r"\tag*", r"\label", r"\nonumber", r"\notag"):
        token = tokens.popleft()
        if token != " ":
            rewriter.rules[token](rewriter, tokens)
    whole = at_start and not "".join(tokens).strip(" .,;")
    # Within a line of text, rows would stand as close as the lines of the text.
    if plain in LINES and whole and (rewriter.display or len(environment.rows) == 1):
        return _lines(rewriter, environment)
    return _write_cells(rewriter, environment)


def _old_command(name: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    return _write_cells(rewriter, _read_cells(name, "", read_argument(tokens)))


def _write_cells(rewriter: Rewriter, environment: Environment) -> list[str]:
    """Write an environment that is a part of a formula."""
    plain = environment.name.rstrip("*")
    if plain in CASES:
        return _cells(rewriter, environment, "cases(" + CASES[plain], ", ")
    if plain in LINES:
        return _cells(rewriter, environment, "mat(delim: #none, ", "; ")
    options = f"delim: #{MATRICES[plain]}{_rules_between(environment)}{_alignment(environment)}, "
    if plain == "smallmatrix":
        options += "row-gap: #0.2em, column-gap: #0.4em, "
    return _cells(rewriter, environment, "mat(" + options, "; ")


def _cells(rewriter: Rewriter, environment: Environment, opening: str, below: str) -> list[str]:
    plain = environment.name.rstrip("*")
    size = "display(" if plain in DISPLAYED else ""
    if not (size or rewriter.display or plain in ("smallmatrix", "subarray")):
        size = "inline("  # Typst would set them as small as indices
    done: list[str] = []
    for y, row in enumerate(environment.rows):
        done += [rewriter.insert(below)] if y else []
        for x, cell in enumerate(row):
            done += [rewriter.insert(_column_break(environment, x))] if x else []
            done += rewriter.call(size, rewriter.rewrite(cell))
    return [rewriter.insert(opening), *done, rewriter.insert(")")]


def _lines(rewriter: Rewriter, environment: Environment) -> list[str]:
    """Write the rows of a formula that is nothing but an aligned environment, and their numbers."""
    name = environment.name
    done: list[str] = []
    alone = len(environment.rows) == len(environment.rows[0]) == 1
    by_row = not alone and name.rstrip("*") in {*NUMBERED_ROWS, "multline"}
    rewriter.numbered |= name in NUMBERED_ROWS | NUMBERED_ONCE
    rewriter.depth -= alone  # \begin{equation}\begin{split} is one environment in effect
    for y, row in enumerate(environment.rows):
        if by_row:
            last = y == len(environment.rows) - 1
            rewriter.numbered = name in NUMBERED_ROWS or (name == "multline" and last)
        done += [rewriter.insert(LINE_BREAK)] if y else []
        start = len(done)
        for x, cell in enumerate(row):
            done += [rewriter.insert(_column_break(environment, x))] if x else []
            done += rewriter.rewrite(cell)
        if not "".join(done[start:]).strip():
            done.append(rewriter.insert('""'))  # Typst would drop an empty row
        number = rewriter.take_number() if by_row else ""
        if number:
            done.append(rewriter.insert(f"numbered({string(number)})"))
    rewriter.numbered &= not by_row
    rewriter.depth += alone
    return done


def _column_break(environment: Environment, column: int) -> str:
    """Return the separator before a cell; of aligned lines, each pair of columns stands apart."""
    name = environment.name.rstrip("*")
    if name in CASES:
        return "& quad "
    if name in MATRICES:
        return ", "
    if name == "eqnarray" and column == 2:
        return '""'
    return "& quad quad" if column % 2 == 0 and name not in ("alignat", "alignedat") else "&"


def _diagram(rewriter: Rewriter, environment: Environment) -> list[str]:
    r"""``\begin{CD} A @>f>> B \end{CD}``: objects and the arrows between them.

    Between ``@`` and the end of an arrow stand two labels: above and below, or left and right.
    """
    done: list[str] = []
    for y, row in enumerate(environment.rows):
        done += [rewriter.insert("; ")] if y else []
        tokens = row[0]
        count = 0  # vertical arrows of the row, which stand below objects
        while tokens:
            entry: Tokens = deque()
            while tokens and tokens[0] != "@":
                entry.append(tokens.popleft())
            done += rewriter.rewrite(entry)
            if len(tokens) < 2:
                break
            tokens.popleft()
            kind = tokens.popleft()
            places = "^_" if kind in _LABELLED_ARROWS else ""
            labels = [rewriter.rewrite(read_until(tokens, kind)) for _ in places]
            if kind in "VA|":
                first, second = (rewriter.call("script(", label) for label in labels or ([], []))
                done += [rewriter.insert(", , ")] if count else []
                done += [*first, rewriter.insert(_DIAGRAM_ARROWS[kind]), *second]
                count += 1
            else:
                arrow = rewriter.insert(_DIAGRAM_ARROWS.get(kind, "#none"))
                done += [rewriter.insert(", "), arrow]
                for mark, label in zip(places, labels, strict=True):
                    done += [mark, "{", *label, "}"] if label else []
                done.append(rewriter.insert(", "))
    start = rewriter.insert("mat(delim: #none, row-gap: #0.6em, ")
    return [start, *done, rewriter.insert(")")]


_LABELLED_ARROWS = {"<", ">", "V", "A"}
_DIAGRAM_ARROWS = {
    ">": "limits(stretch(arrow.r, size: #(100% + 2em)))",
    "<": "limits(stretch(arrow.l, size: #(100% + 2em)))",
    "V": "stretch(arrow.b, size: #2em)", "A": "stretch(arrow.t, size: #2em)",
    "=": "stretch(=, size: #3em)", "|": "stretch(bar.v.double, size: #2em)",
}  # fmt: skip

ENVIRONMENT_RULES: dict[str, Rule] = {
    r"\begin": _environment,
    **{command: partial(_old_command, name) for command, name in OLD_COMMANDS.items()},
}
