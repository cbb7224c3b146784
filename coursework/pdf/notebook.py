"""The notebook file: reading it, mending it, its title and its author.

What Jupyter opens is exported: what other tools leave out is taken as empty, and what cannot be
read costs at most its cell.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from bs4 import Tag
from nbformat import NotebookNode

from coursework.pdf.dom import parse
from coursework.pdf.markdown import markdown_to_html
from coursework.pdf.terminal import printable

_CELLS = ("markdown", "code", "raw")

# What older formats call the forms of an output; format 2 puts "output_" before each.
_OLD_FORMS = {
    "text": "text/plain", "html": "text/html", "latex": "text/latex", "svg": "image/svg+xml",
    "png": "image/png", "jpeg": "image/jpeg", "pdf": "application/pdf",
    "json": "application/json", "javascript": "application/javascript",
}  # fmt: skip

_MOST_DEEP = 100  # lists and dictionaries of a notebook within each other


@dataclass(frozen=True)
class Head:
    """What stands at the head of each page: texts on one line, of which empty ones are left out."""

    title: str
    author: str
    student_id: str
    course: str
    title_in_text: bool
    """Whether the notebook itself shows a heading, so that none is put above it."""


def parse_notebook(text: str) -> NotebookNode:
    """Parse the text of a notebook file, of any format.

    Raises
    ------
    ValueError
        If it is no JSON, or has no list of cells.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deep(content):
        raise ValueError("it is nested too deeply")
    if _old_and_new_cells(as_dict(content)) is None:
        raise ValueError("expected JSON with a list of cells, found something else")
    notebook: NotebookNode = nbformat.from_dict(content)
    return notebook


def _is_deep(content: object) -> bool:
    """Whether lists and dictionaries lie in each other as in no honest notebook."""
    level: list[Any] = [content]
    for _ in range(_MOST_DEEP):
        values = [value for parent in level for value in as_list(parent)]
        values += [value for parent in level for value in as_dict(parent).values()]
        level = [value for value in values if isinstance(value, dict | list)]
    return bool(level)


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of any format.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a notebook.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such notebook; check the name")
    try:
        if not path.is_file():
            raise ValueError("it is no regular file")
        return parse_notebook(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path}: not a notebook that Jupyter can read ({shorten(str(error))}); "
            "open it in Jupyter and save it again"
        ) from error


def _old_and_new_cells(notebook: dict[str, Any]) -> list[Any] | None:
    """Return the cells of a notebook of any format, ``None`` if it has no list of cells."""
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in as_list(as_dict(sheet).get("cells"))]


def mend(notebook: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Return a notebook in format 4 with all that the exporter reads, and a remark for each loss.

    Each cell knows its ``number``, from 1. The notebook that is given stays as it is.
    """
    remarks: list[str] = []
    metadata = _encodable(as_dict(notebook.get("metadata")))
    for key in ("language_info", "kernelspec", "coursework", "widgets"):
        metadata[key] = as_dict(metadata.get(key))
    cells = []
    for number, cell in enumerate(_old_and_new_cells(notebook) or [], 1):
        mended_cell, losses = _cell(cell)
        cells.append({**mended_cell, "number": number})
        remarks += [f"cell {number}: {loss}" for loss in losses]
    mended = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}
    return nbformat.from_dict(mended), remarks


def as_dict(value: object) -> dict[str, Any]:
    """Return a value that should be a dictionary, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return a value that should be a list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a value that should be a text or a list of its lines, as one text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(as_text, value))
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _encodable(value: Any) -> Any:
    """Replace the halves of characters, which no file can hold, in all texts of a value."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _cell(cell: object) -> tuple[dict[str, Any], list[str]]:
    """Return a cell of format 4, and what it lost; one of an unknown type keeps its source."""
    losses = []
    old = as_dict(_encodable(cell))
    if old != as_dict(cell):
        losses.append("characters that cannot be encoded are replaced by \ufffd")
    kind = as_text(old.get("cell_type"))
    source = re.sub("\r\n?", "\n", as_text(old.get("source", old.get("input"))))
    if kind == "heading":
        level = old.get("level")
        source = "#" * (level if isinstance(level, int) else 1) + " " + " ".join(source.split())
    if kind in ("heading", "html"):
        kind = "markdown"
    if kind in _CELLS and "source" not in old and "input" not in old:
        losses.append("the cell has no source and is taken as empty")
    metadata = as_dict(old.get("metadata"))
    metadata["tags"] = [tag for tag in as_list(metadata.get("tags")) if isinstance(tag, str)]
    mended: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "code":
        count = old.get("execution_count", old.get("prompt_number"))
        mended["execution_count"] = count if type(count) is int else None
        outputs = old.get("outputs")
        mended["outputs"] = [mend_output(output) for output in as_list(outputs)]
        if outputs and not mended["outputs"]:
            losses.append("the outputs cannot be read and are not shown")
    else:
        mended["attachments"] = {
            name: {form: as_text(data) for form, data in as_dict(forms).items()}
            for name, forms in as_dict(old.get("attachments")).items()
        }
    return mended, losses


def mend_output(output: object) -> NotebookNode:
    """Return an output of format 4; its type is empty if nothing in it can be read."""
    old = as_dict(output)
    kind = as_text(old.get("output_type"))
    if kind == "stream":
        name = old.get("name", old.get("stream"))
        return NotebookNode(
            output_type="stream",
            name="stderr" if name == "stderr" else "stdout",
            text=as_text(old.get("text")),
        )
    if kind in ("error", "pyerr"):
        trace = old.get("traceback") or []
        return NotebookNode(
            output_type="error",
            ename=as_text(old.get("ename")),
            evalue=as_text(old.get("evalue")),
            traceback=[as_text(line) for line in (trace if isinstance(trace, list) else [trace])],
        )
    data = as_dict(old.get("data")) or {
        _OLD_FORMS[name]: value
        for key, value in old.items()
        if (name := key.removeprefix("output_")) in _OLD_FORMS
    }
    known = kind in ("display_data", "execute_result", "pyout")
    readable = bool(data) or (known and not old.get("data"))
    forms = {
        form: value if form.endswith("json") else as_text(value)
        for form, value in data.items()
        if value is not None
    }
    metadata = as_dict(old.get("metadata"))
    kind = "display_data" if readable else ""
    mended: NotebookNode = nbformat.from_dict(
        {"output_type": kind, "data": forms, "metadata": metadata}
    )
    return mended


def read_head(notebook: NotebookNode, file_name: str, given: dict[str, str]) -> Head:
    """Return what stands at the head of each page.

    What is ``given`` comes first: any of ``title``, ``author``, ``student_id`` and ``course``. Then
    come the metadata of the notebook: ``title``, ``authors``, and ``student_id`` and ``course`` in
    ``coursework``. Without a title there, the first heading is the title, or else the file name.
    """
    metadata = notebook.metadata
    handed_in = metadata.get("coursework") or {}
    authors = [
        _said(author.get("name") if isinstance(author, dict) else author)
        for author in as_list(metadata.get("authors"))
    ]
    heading = _first_heading(notebook)

    def one_line(key: str, said: str) -> str:
        return printable(" ".join((given.get(key) or said).split()))[0]

    return Head(
        title=one_line("title", _said(metadata.get("title")) or heading or file_name),
        author=one_line("author", ", ".join(filter(None, authors))),
        student_id=one_line("student_id", _said(handed_in.get("student_id"))),
        course=one_line("course", _said(handed_in.get("course"))),
        title_in_text=bool(heading),
    )


def _said(value: object) -> str:
    """Return a text or a number of the metadata as text; anything else says nothing."""
    is_said = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if is_said else ""


def _first_heading(notebook: NotebookNode) -> str:
    """Return the text of a notebook's first heading, empty if it has none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            soup = parse(markdown_to_html(cell.source))
            heading = soup.find(["h1", "h2", "h3", "h4", "h5", "h6"])
            if isinstance(heading, Tag) and heading.get_text().strip():
                return " ".join(heading.get_text().split())
    return ""


def shorten(text: str, most: int = 80) -> str:
    """Return a text on one line, cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
