"""What a notebook shows besides figures: source code, tables for reading, headline figures."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

if TYPE_CHECKING:  # the command line reads headline figures without the homeworks' libraries
    import pandas as pd
    from IPython.display import Markdown


def show_source(*functions: Callable[..., Any]) -> "Markdown":
    """Show the code of functions, so that the hand-in holds the code it calls.

    Docstrings are cut to their first line, and remarks to the type checker are left out.

    Parameters
    ----------
    *functions
        Functions or classes whose source ``inspect`` finds.

    Returns
    -------
    IPython.display.Markdown
        One block of Python code, in the order given.
    """
    from IPython.display import Markdown

    source = "\n\n\n".join(_with_short_docstrings(function) for function in functions)
    # Four tildes, so that backticks inside cannot end the block.
    return Markdown(f"~~~~python\n{source}\n~~~~")


def _with_short_docstrings(function: Callable[..., Any]) -> str:
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = source.splitlines()
    documented = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
    ]
    # The last docstring is cut first, so that the line numbers of those above it stay true.
    for node in sorted(documented, key=lambda node: node.lineno, reverse=True):
        start, end = node.body[0].lineno, node.body[0].end_lineno or 0
        if end > start:
            lines[start - 1 : end] = [f'{lines[start - 1]}"""']
    return re.sub(r" *# type: ignore\[[\w, -]+\]", "", "\n".join(lines))


def readable(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table for reading: its first column names the rows, 1234 is written 1,234."""
    first = table.columns[0]
    # pandas writes the name of an index into a row of its own; it writes the name of the columns
    # above the index.
    named = table.set_index(first).rename_axis(index=None, columns=first)
    return named.map(lambda value: f"{value:,}" if isinstance(value, int) else value)


FIGURES_TYPE = "application/vnd.coursework.figures+json"
"""The MIME type under which a notebook's headline figures are kept in its output."""


class Headline:
    """The figures that a reader looks for first: shown as a table, kept as data for the manifest.

    Parameters
    ----------
    figures
        The value of each figure by its name.
    """

    def __init__(self, figures: Mapping[str, float | int | str]) -> None:
        self.figures = dict(figures)

    def __or__(self, other: "Headline") -> "Headline":
        """Return the figures of both, first the left side's."""
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
    """Return the figures of all `Headline` outputs in an executed notebook."""
    figures: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            figures.update(output.get("data", {}).get(FIGURES_TYPE, {}))
    return figures


def _as_text(value: float | int | str) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else value
