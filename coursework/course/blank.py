"""Take answers out: the bodies of functions, and the cells of a notebook that answer in words."""

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PLACE = "*Write your answer here.*"
"""What stands in a notebook in the place of an answer in words."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Span:
    """The place of an answer's body in the lines of a module, which are counted from 0."""

    lines: range
    head: str  # what stands before the body on its first line: the indentation, or ``def f(x): ``
    notes: range  # the section ``Notes`` of the docstring with its heading, which goes too


def blank_source(source: str, messages: Mapping[str, str]) -> str:
    """Replace the bodies of functions by ``raise NotImplementedError(message)``.

    Signature, decorators and docstring stay, and so does every other character of the module. Of
    the docstring the section ``Notes`` goes, which is where a derivation stands. A comment within
    a body goes with it.

    Parameters
    ----------
    source
        A module.
    messages
        From a name, ``function`` or ``Class.method``, to the message of its error.

    Raises
    ------
    ValueError
        If the module has no function of such a name.
    """
    lines = split_lines(source)
    for name, span in reversed(_spans(source, messages)):
        last = lines[span.lines[-1]]
        newline = last[len(last.rstrip("\r\n")) :]
        message = json.dumps(messages[name], ensure_ascii=False)
        error = f"{span.head}raise NotImplementedError({message}){newline}"
        lines[span.lines.start : span.lines.stop] = [error]
        del lines[span.notes.start : span.notes.stop]
    blank = "".join(lines)
    ast.parse(blank)
    return blank


def answer_lines(source: str, names: Collection[str]) -> list[str]:
    """Return the lines that `blank_source` takes out of the bodies of functions, stripped."""
    lines = split_lines(source)
    found = []
    for _, span in _spans(source, names):
        first, *others = (lines[number] for number in (*span.lines, *span.notes))
        found += [line.strip() for line in (first.removeprefix(span.head), *others)]
    return found


def split_lines(source: str) -> list[str]:
    """Split a module where Python does, which is not where `str.splitlines` does."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", source)


def _spans(source: str, names: Collection[str]) -> list[tuple[str, _Span]]:
    """Return the spans in their order; a name that is defined twice, as with setters, has two."""
    lines = split_lines(source)
    functions = list(functions_of(ast.parse(source).body))
    known = {name for name, _ in functions}
    for name in names:
        if name not in known:
            raise ValueError(f"no function {name}; there are {', '.join(sorted(known)) or 'none'}")
    return [(name, _span(node, lines)) for name, node in functions if name in names]


def functions_of(body: Sequence[ast.AST], prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield each function of a module or class with its name, also under ``if`` and ``try``."""
    for node in body:
        if isinstance(node, Function):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node.body, f"{prefix}{node.name}.")
        else:
            yield from functions_of(list(ast.iter_child_nodes(node)), prefix)


def _span(node: Function, lines: Sequence[str]) -> _Span:
    documented = ast.get_docstring(node) is not None
    if documented and len(node.body) == 1:
        raise ValueError(f"{node.name} has a docstring and no body, so it answers nothing")
    first = node.body[int(documented)]
    start = first.lineno - 1
    # Columns are counted in bytes of UTF-8.
    head = lines[start].encode()[: first.col_offset].decode()
    # Comments between the signature or the docstring and the first statement belong to the body.
    if documented:
        start = min(start, node.body[0].end_lineno or 0)
    elif not head.strip():
        while lines[start - 1].strip().startswith("#") or not lines[start - 1].strip():
            start -= 1
    # So do comments after the last statement that are indented more than the function.
    stop = node.end_lineno or 0
    for number in range(stop, len(lines)):
        text = lines[number].strip()
        indent = len(lines[number]) - len(lines[number].lstrip())
        if text.startswith("#") and indent > node.col_offset:
            stop = number + 1
        elif text:
            break
    notes = _notes(node.body[0], lines) if documented else range(0)
    return _Span(range(start, stop), head, notes)


def _notes(docstring: ast.stmt, lines: Sequence[str]) -> range:
    """Return the lines of the section ``Notes`` of a docstring, up to the next section."""
    inside = range(docstring.lineno - 1, (docstring.end_lineno or 0) - 1)
    headings = [
        number for number in inside[:-1] if re.fullmatch(r"-{3,}", lines[number + 1].strip())
    ]
    for number, following in pairwise([*headings, inside.stop]):
        if lines[number].strip() == "Notes":
            closing = lines[inside.stop].strip()
            if following == inside.stop and closing.strip("\"'"):
                raise ValueError(
                    f"the section Notes ends in the line {closing!r}; put the quotes that close "
                    "the docstring on a line of their own"
                )
            # Of the blank lines around the section one stays, if another section follows.
            return range(number - int(following == inside.stop), following)
    return range(0)


def blank_notebook(notebook: dict[str, Any], cells: Collection[str]) -> dict[str, Any]:
    """Return a notebook in which the cells of some ids, code cells too, are a place to write in.

    Raises
    ------
    ValueError
        If the notebook has no such cell.
    """
    known = [cell.get("id") for cell in notebook["cells"]]
    for wanted in cells:
        if wanted not in known:
            raise ValueError(f"no cell {wanted!r}; there are {', '.join(map(str, known))}")
    kept = [
        {"cell_type": "markdown", "id": cell["id"], "metadata": {}, "source": [PLACE]}
        if cell.get("id") in cells
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": kept}
