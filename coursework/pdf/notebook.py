"""The notebook file: reading it, its title and its author."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from bs4 import Tag
from nbformat import NotebookNode

from coursework.pdf.dom import parse
from coursework.pdf.markdown import markdown_to_html
from coursework.pdf.mend import as_dict, as_list, old_and_new_cells
from coursework.pdf.terminal import printable

_MOST_DEEP = 100  # lists and dictionaries of a notebook within each other


@dataclass(frozen=True)
class Head:
    """What stands at the head of each page; empty strings are left out.

    Attributes
    ----------
    title, author, student_id, course
        Any text on one line.
    title_in_text
        Whether the notebook itself shows a heading, so that none is put above it.
    """

    title: str
    author: str
    student_id: str
    course: str
    title_in_text: bool


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
    if old_and_new_cells(as_dict(content)) is None:
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


def read_head(notebook: NotebookNode, file_name: str, given: dict[str, str]) -> Head:
    """Return what stands at the head of each page.

    Parameters
    ----------
    notebook
        Its metadata may hold ``title``, ``authors``, and ``student_id`` and ``course`` in
        ``coursework``. Without a title there, its first heading is the title.
    file_name
        The title of a notebook that has no other.
    given
        Any of ``title``, ``author``, ``student_id`` and ``course``: what is given here comes first.
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
