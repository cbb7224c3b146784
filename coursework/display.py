"""What a notebook shows besides figures and tables."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown
from nbformat import NotebookNode


def show_source(*functions: Callable[..., Any]) -> Markdown:
    """Show the code of functions, so that the hand-in holds what it calls.

    Of each docstring the first line is shown; the rest is in the module, and so are the notes to
    the type checker.

    Parameters
    ----------
    *functions
        Functions or classes whose source ``inspect`` finds.

    Returns
    -------
    IPython.display.Markdown
        One block of Python, in the order given.
    """
    source = "\n\n\n".join(_with_short_docstrings(function) for function in functions)
    # Four tildes, so that backticks inside cannot end the block.
    return Markdown(f"~~~~python\n{source}\n~~~~")


def _with_short_docstrings(function: Callable[..., Any]) -> str:
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = source.splitlines()
    docstrings = [text for node in ast.walk(ast.parse(source)) if (text := _docstring(node))]
    # From the last to the first, so that the line numbers of those before stay true.
    for text in sorted(docstrings, key=lambda text: text.lineno, reverse=True):
        end = text.end_lineno or text.lineno
        if end > text.lineno:
            first = lines[text.lineno - 1]
            lines[text.lineno - 1 : end] = [f'{first}"""']
    return re.sub(r" *# type: ignore\[[\w, -]+\]", "", "\n".join(lines))


def _docstring(node: ast.AST) -> ast.expr | None:
    """Return the docstring of a function or class as it stands in the source, or ``None``."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value if isinstance(first.value.value, str) else None
    return None


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for reading: its first column names the rows, numbers have separators."""
    first = table.columns[0]
    # The name of the first column goes into the corner, not into a row of its own.
    named = table.set_index(first).rename_axis(index=None, columns=first)
    return named.map(lambda value: f"{value:,}" if isinstance(value, int) else value)


FIGURES_TYPE = "application/vnd.coursework.figures+json"
"""The MIME type under which a notebook's headline figures are kept in its output."""


class Headline:
    """The figures a reader looks for first: a table to see, and data for the manifest.

    Parameters
    ----------
    figures
        From a name to its value.
    """

    def __init__(self, figures: Mapping[str, float | int | str]) -> None:
        self.figures = dict(figures)

    def __or__(self, other: "Headline") -> "Headline":
        """Return the figures of both, these first."""
        return Headline({**self.figures, **other.figures})

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        rows = {name: _as_text(value) for name, value in self.figures.items()}
        lines = [f"| {name} | {text} |" for name, text in rows.items()]
        return {
            "text/plain": "\n".join(f"{name}: {text}" for name, text in rows.items()),
            "text/markdown": "\n".join(["| figure | value |", "|:--|--:|", *lines]),
            FIGURES_TYPE: self.figures,
        }


def headline_figures(notebook: NotebookNode) -> dict[str, Any]:
    """Collect what the `Headline` outputs of an executed notebook hold."""
    figures: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            figures.update(output.get("data", {}).get(FIGURES_TYPE, {}))
    return figures


def _as_text(value: float | int | str) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else value
