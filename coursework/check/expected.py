"""What the PDF of a notebook must show: every text, formula and figure, cell by cell."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from bs4 import Comment, Tag
from bs4.element import NavigableString, PreformattedString
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from coursework.pdf.cells import RICHEST, as_html
from coursework.pdf.dom import parse
from coursework.pdf.formulas.equations import rewrite
from coursework.pdf.formulas.tex import UnreadableFormulaError
from coursework.pdf.inline import INVISIBLE_SPACES
from coursework.pdf.lines import COLUMNS, KEEP, wrap
from coursework.pdf.markdown import MATH_TAG, markdown_to_html
from coursework.pdf.terminal import play, printable
from coursework.pdf.widgets import print_widgets as finish_progress_bars

_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("td", "th"), "table"),
    "pre": "code",
}
_BLOCKS = {
    "p", "div", "ul", "ol", "li", "table", "tr", "blockquote", "details", "summary", "dl", "dt",
    "dd", "caption", "center", "section", "hr", "q", "br",
}  # fmt: skip
_UNSEEN = {"style", "script", "title", "template", "iframe", "video", "audio", "object", "canvas"}


@dataclass(frozen=True)
class Text:
    """A piece of text that stands together: a heading, a line of code, a cell of a table."""

    kind: str
    cell: int
    text: str


@dataclass
class Expected:
    """What is to be found in the PDF.

    Attributes
    ----------
    texts
        The texts, in order.
    formulas
        Pairs of a cell's number and TeX.
    figures
        For each picture, the number of its cell.
    shortened
        Cells with an output so long that only its ends are printed.
    """

    texts: list[Text] = field(default_factory=list)
    formulas: list[tuple[int, str]] = field(default_factory=list)
    figures: list[int] = field(default_factory=list)
    shortened: list[int] = field(default_factory=list)

    def add_text(self, kind: str, cell: int, text: str) -> None:
        """Add a text, line by line, as the page spells it."""
        for line in printable(text)[0].splitlines():
            if line.strip():
                self.texts.append(Text(kind, cell, line))


def expect(notebook: NotebookNode) -> Expected:
    """List what the PDF of a notebook must show; cells are counted from 1."""
    expected = Expected()
    # As in the exporter and in Jupyter: the pieces of a stream are joined, and of a progress bar
    # only its last state is shown.
    coalesce = cast(Any, CoalesceStreamsPreprocessor)().preprocess  # nbconvert ships no types
    notebook, _ = coalesce(copy.deepcopy(notebook), {})
    finish_progress_bars(notebook)
    for number, cell in enumerate(notebook.cells, 1):
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags:
            continue
        if cell.cell_type == "markdown":
            html = markdown_to_html(cell.source)
            _expect_html(expected, number, html)
        elif cell.cell_type == "code" and "remove-input" not in tags:
            expected.add_text("code", number, cell.source)
        elif cell.cell_type == "raw":
            _expect_raw(expected, number, cell)
        if "remove-output" not in tags:
            for output in cell.get("outputs", []):
                _expect_output(expected, number, output)
    return expected


def _expect_raw(expected: Expected, number: int, cell: NotebookNode) -> None:
    kind = cell.metadata.get("raw_mimetype") or cell.metadata.get("format") or ""
    if kind in ("text/html", "text/markdown"):
        _expect_html(expected, number, as_html(kind, cell.source))
    else:
        expected.add_text("text", number, cell.source)


def _expect_output(expected: Expected, number: int, output: NotebookNode) -> None:
    if output.output_type == "stream":
        _expect_stream(expected, number, output.text)
    elif output.output_type == "error":
        text = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
        _expect_stream(expected, number, text)
    else:
        _expect_rich(expected, number, output.get("data", {}))


def _expect_rich(expected: Expected, number: int, data: dict[str, Any]) -> None:
    for kind in RICHEST:
        if kind not in data:
            continue
        text = "".join(data[kind]) if isinstance(data[kind], list) else str(data[kind])
        if kind.startswith("image/") or kind == "application/pdf":
            expected.figures.append(number)
        elif kind == "text/plain":
            _expect_stream(expected, number, text)
        elif kind.startswith("text/"):
            html = as_html(kind, text)
            if not html:
                continue
            _expect_html(expected, number, html)
        return


def _expect_stream(expected: Expected, number: int, text: str) -> None:
    pieces = [piece for line in play(text).lines for _, piece in wrap(line, COLUMNS)]
    if len(pieces) > 2 * KEEP:
        expected.shortened.append(number)
        pieces = pieces[:KEEP] + pieces[-KEEP:]
    for piece in pieces:
        expected.add_text("output", number, "".join(span.text for span in piece))


def _expect_html(expected: Expected, number: int, html: str) -> None:
    run, run_kind = "", "text"
    html = printable(html.translate(INVISIBLE_SPACES))[0]
    for kind, text in _tokens(parse(html), "text"):
        if text is not None and kind in ("formula", "figure"):
            if kind == "formula" and _is_visible(text):
                expected.formulas.append((number, text))
            if kind == "figure":
                expected.figures.append(number)
        elif text is not None and kind == run_kind:
            run += text
            continue
        expected.add_text(run_kind, number, " ".join(run.split()) if run_kind != "code" else run)
        run, run_kind = text or "", kind
        if kind in ("formula", "figure"):
            run, run_kind = "", "text"
    expected.add_text(run_kind, number, " ".join(run.split()) if run_kind != "code" else run)


def _tokens(parent: Tag, kind: str) -> Iterator[tuple[str, str | None]]:
    """Yield the kind and text of each piece of HTML; the text is ``None`` where a block ends."""
    for child in parent.children:
        if isinstance(child, NavigableString):
            if not isinstance(child, (Comment, PreformattedString)):
                yield kind, str(child)
            continue
        if not isinstance(child, Tag) or child.name in _UNSEEN:
            continue
        if child.has_attr("hidden") or "display:none" in str(child.get("style")).replace(" ", ""):
            continue
        if child.name == MATH_TAG:
            yield "formula", child.get_text()
        elif child.name in ("img", "svg"):
            yield "figure", ""
        elif child.name in _KINDS or child.name in _BLOCKS:
            yield kind, None
            yield from _tokens(child, _KINDS.get(child.name, kind))
            yield kind, None
        else:
            yield from _tokens(child, kind)


def _is_visible(tex: str) -> bool:
    """Return whether a formula shows anything; it may hold only definitions."""
    try:
        return bool(rewrite(tex, {}).tex)
    except UnreadableFormulaError:
        return True
