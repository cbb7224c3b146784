"""The notebook file: reading it, and the title it gives itself."""

import json
import warnings
from pathlib import Path

import nbformat
from bs4 import Tag
from nbformat import NotebookNode

from coursework.pdf.fragments import parse
from coursework.pdf.markdown import markdown_to_html


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of any version as version 4.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a notebook.
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
    except (json.JSONDecodeError, nbformat.reader.NotJSONError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: not a notebook: expected JSON, found something else; "
            "open it in Jupyter and save it again"
        ) from error
    except Exception as error:
        raise ValueError(
            f"{path}: not a notebook that nbformat can read ({shorten(str(error))}); "
            "open it in Jupyter and save it again"
        ) from error


def first_heading(notebook: NotebookNode) -> str:
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
