"""The notebook file: reading it, its title and author, and how its progress bars ended."""

import warnings
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
from bs4 import Tag
from nbformat import NotebookNode

from coursework.pdf.dom import parse
from coursework.pdf.markdown import markdown_to_html
from coursework.pdf.terminal import printable

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
_BAR = 10  # characters of a full progress bar, as tqdm draws it


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


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of any version as version 4.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a notebook.
    """
    try:
        with warnings.catch_warnings():
            # Old notebooks lack the ids of cells; nothing here needs them.
            warnings.simplefilter("ignore")
            text = path.read_text(encoding="utf-8")
            notebook: NotebookNode = nbformat.reads(text, as_version=4)
            return notebook
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such notebook; check the name") from None
    except Exception as error:  # nbformat raises whatever its parts raise
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
        str(author.get("name", "") if isinstance(author, dict) else author)
        for author in metadata.get("authors") or []
    ]
    heading = _first_heading(notebook)

    def one_line(key: str, said: object) -> str:
        return printable(" ".join(str(given.get(key) or said).split()))[0]

    return Head(
        title=one_line("title", metadata.get("title") or heading or file_name),
        author=one_line("author", ", ".join(filter(None, authors))),
        student_id=one_line("student_id", handed_in.get("student_id", "")),
        course=one_line("course", handed_in.get("course", "")),
        title_in_text=bool(heading),
    )


def _first_heading(notebook: NotebookNode) -> str:
    """Return the text of a notebook's first heading, empty if it has none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            soup = parse(markdown_to_html(cell.source, cell.get("attachments")))
            heading = soup.find(["h1", "h2", "h3", "h4", "h5", "h6"])
            if isinstance(heading, Tag) and heading.get_text().strip():
                return " ".join(heading.get_text().split())
    return ""


def shorten(text: str, most: int = 80) -> str:
    """Return a text on one line, cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def finish_progress_bars(notebook: NotebookNode) -> None:
    """Let the text of each tqdm widget show the bar's last state.

    The output of a widget holds only the text of its first moment, "0%". The last state of its
    parts (a label, a bar and the counts) is in the metadata of the notebook, if Jupyter saved it.
    """
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            line = _progress(states, data[VIEW]) if VIEW in data else ""
            if line:
                data["text/plain"] = line


def _progress(states: dict[str, Any], view: dict[str, Any]) -> str:
    """Return the line that a progress bar shows, empty for any other widget."""
    box = states.get(str(view.get("model_id", "")), {}).get("state", {})
    children = [str(child).removeprefix("IPY_MODEL_") for child in box.get("children", [])]
    widgets = [states.get(child, {}) for child in children]
    if not any(_is_bar(widget) for widget in widgets):
        return ""
    return "".join(map(_widget_text, widgets))


def _is_bar(widget: dict[str, Any]) -> bool:
    return str(widget.get("model_name", "")).endswith("ProgressModel")


def _widget_text(widget: dict[str, Any]) -> str:
    state = widget.get("state", {})
    value = state.get("value", "")
    if not _is_bar(widget):
        # tqdm writes figure spaces, at which a widget does not break its lines.
        return unescape(str(value)).replace("\u2007", " ")
    try:
        share = float(value) / float(state.get("max") or 1)
    except (TypeError, ValueError):
        share = 0.0
    full = round(_BAR * min(1.0, max(0.0, share)))
    return "|" + "█" * full + " " * (_BAR - full) + "|"
