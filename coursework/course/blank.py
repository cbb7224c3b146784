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
class Span:
    """The place of an answer's body in the lines of a module, from 0, with the end excluded.

    Attributes
    ----------
    start, end
        The lines that go.
    head
        What stands before the body on its first line: the indentation, or ``def f(x): ``.
    notes
        The lines of the docstring's section ``Notes`` and of its heading; they go too.
    """

    start: int
    end: int
    head: str
    notes: range


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
    spans = [(span, messages[name]) for name, span in _spans(source, messages)]
    for span, message in sorted(spans, key=lambda pair: pair[0].start, reverse=True):
        last = lines[span.end - 1]
        newline = last[len(last.rstrip("\r\n")) :]
        error = f"{span.head}raise NotImplementedError({json.dumps(message, ensure_ascii=False)})"
        lines[span.start : span.end] = [error + newline]
        del lines[span.notes.start : span.notes.stop]
    blank = "".join(lines)
    ast.parse(blank)
    return blank


def answer_lines(source: str, names: Collection[str]) -> list[str]:
    """Return the lines that `blank_source` takes out of the bodies of functions, stripped."""
    lines = split_lines(source)
    found = []
    for _, span in _spans(source, names):
        for number in (*range(span.start, span.end), *span.notes):
            text = lines[number]
            if number == span.start and text.startswith(span.head):
                text = text[len(span.head) :]
            found.append(text.strip())
    return found


def split_lines(source: str) -> list[str]:
    """Split a module where Python does, which is not where `str.splitlines` does."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", source)


def _spans(source: str, names: Collection[str]) -> list[tuple[str, Span]]:
    """Return the span of each function; a name that is defined twice, as with setters, has two."""
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


def _span(node: Function, lines: Sequence[str]) -> Span:
    first = node.body[0]
    documented = ast.get_docstring(node) is not None
    notes = _notes(first, lines) if documented else range(0)
    end = node.end_lineno or 0
    # A comment after the last statement belongs to the body if it is indented like it.
    last = end
    for number in range(end, len(lines)):
        text = lines[number].strip()
        indent = len(lines[number]) - len(lines[number].lstrip())
        if text.startswith("#") and indent > node.col_offset:
            last = number + 1
        elif text:
            break
    if documented and len(node.body) == 1:
        raise ValueError(f"{node.name} has a docstring and no body, so it answers nothing")
    if documented and node.body[1].lineno > (first.end_lineno or 0):
        indentation = lines[first.lineno - 1][: first.col_offset]
        return Span(first.end_lineno or 0, last, indentation, notes)
    first = node.body[int(documented)]
    start = first.lineno - 1
    # Columns are counted in bytes of UTF-8.
    head = lines[start].encode()[: first.col_offset].decode()
    if not head.strip():
        # Comments between the signature and the first statement belong to the body.
        while lines[start - 1].strip().startswith("#") or not lines[start - 1].strip():
            start -= 1
    return Span(start, last, head, notes)


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
    """Return a notebook in which some cells, code cells too, are a place to write in.

    Parameters
    ----------
    notebook
        As JSON has it.
    cells
        The ids of the cells.

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
