"""Notebooks of any age and in any state as format 4 has them, with all that the exporter reads.

What Jupyter opens is exported: what other tools leave out is taken as empty, and what cannot be
read costs at most its cell.
"""

import json
from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode

_CELLS = ("markdown", "code", "raw")

# What older formats call the forms of an output; format 2 puts "output_" before each.
_OLD_FORMS = {
    "text": "text/plain", "html": "text/html", "latex": "text/latex", "svg": "image/svg+xml",
    "png": "image/png", "jpeg": "image/jpeg", "pdf": "application/pdf",
    "json": "application/json", "javascript": "application/javascript",
}  # fmt: skip


def old_and_new_cells(notebook: dict[str, Any]) -> list[Any] | None:
    """Return the cells of a notebook of any format, ``None`` if it has no list of cells."""
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in as_list(as_dict(sheet).get("cells"))]


def mend(notebook: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Return a notebook with all that the exporter reads, and a remark for each loss.

    Parameters
    ----------
    notebook
        Of any format. It stays as it is.

    Returns
    -------
    tuple
        The notebook in format 4, whose cells know their ``number`` (from 1), and the remarks,
        each with the cell it is about.
    """
    remarks: list[str] = []
    metadata = _encodable(as_dict(notebook.get("metadata")))
    for key in ("language_info", "kernelspec", "coursework", "widgets"):
        metadata[key] = as_dict(metadata.get(key))
    cells = []
    for number, cell in enumerate(old_and_new_cells(notebook) or [], 1):

        def remark(message: str, number: int = number) -> None:
            remarks.append(f"cell {number}: {message}")

        cells.append({**_cell(cell, remark), "number": number})
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


def _cell(cell: object, remark: Callable[[str], None]) -> dict[str, Any]:
    """Return a cell of format 4; one of an unknown type keeps its type and its source."""
    old = as_dict(_encodable(cell))
    if old != as_dict(cell):
        remark("characters that cannot be encoded are replaced by \ufffd")
    kind = as_text(old.get("cell_type"))
    source = as_text(old.get("source", old.get("input")))
    if kind == "heading":
        level = old.get("level")
        source = "#" * (level if isinstance(level, int) else 1) + " " + " ".join(source.split())
    if kind in ("heading", "html"):
        kind = "markdown"
    if kind in _CELLS and "source" not in old and "input" not in old:
        remark("the cell has no source and is taken as empty")
    metadata = as_dict(old.get("metadata"))
    metadata["tags"] = [tag for tag in as_list(metadata.get("tags")) if isinstance(tag, str)]
    mended: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "code":
        count = old.get("execution_count", old.get("prompt_number"))
        mended["execution_count"] = count if type(count) is int else None
        outputs = old.get("outputs")
        mended["outputs"] = [mend_output(output) for output in as_list(outputs)]
        if outputs and not mended["outputs"]:
            remark("the outputs cannot be read and are not shown")
    else:
        mended["attachments"] = {
            name: {form: as_text(data) for form, data in as_dict(forms).items()}
            for name, forms in as_dict(old.get("attachments")).items()
        }
    return mended


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
