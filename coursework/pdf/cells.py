"""Cells and their outputs, as Typst markup."""

import json
import re
from html import escape
from typing import Any

from nbformat import NotebookNode

from coursework.pdf.css import Size
from coursework.pdf.draft import Draft
from coursework.pdf.html import html_to_typst
from coursework.pdf.images import decode, linked_picture, note, picture
from coursework.pdf.lines import (
    COLUMNS,
    KEEP,
    Line,
    highlight,
    tail_start,
    wrap,
    write_ends,
    write_lines,
)
from coursework.pdf.live import Look, alternative_text, drawing_kind, look_at, not_shown, only_loads
from coursework.pdf.markdown import mark_math, markdown_to_html
from coursework.pdf.notebook import as_dict
from coursework.pdf.terminal import play, printable
from coursework.pdf.typst import string

_MOST_TAIL = 30  # lines of the page that may stay with an output, where lines of code are wrapped
_MAGICS = {"%%bash": "bash", "%%sh": "bash", "%%html": "html", "%%javascript": "javascript"}

RICHEST = (
    "text/html", "text/markdown", "text/latex", "text/vnd.mermaid", "image/svg+xml", "image/png",
    "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/json", "text/plain",
)  # fmt: skip
"""Forms of an output, the one that shows most first."""


def write_cell(draft: Draft, cell: NotebookNode, language: str, show_input: bool = True) -> str:
    """Return the markup of one cell."""
    draft.attachments = cell.get("attachments", {})
    if cell.cell_type == "markdown":
        return html_to_typst(draft, markdown_to_html(cell.source))
    if cell.cell_type == "raw":
        kind = cell.metadata.get("raw_mimetype") or cell.metadata.get("format") or ""
        if kind in ("text/html", "text/markdown"):
            return html_to_typst(draft, as_html(kind, cell.source))
        return _listing(cell.source)
    if cell.cell_type != "code":
        how = "shown as its source" if cell.source.strip() else "not shown"
        draft.warn(f"a cell of the unknown type {cell.cell_type!r} is {how}")
        text = note(f"[a cell of the unknown type {cell.cell_type!r}, {how}]")
        return f"{text}\n\n{_listing(cell.source)}"
    outputs = [write_output(draft, output) for output in cell.outputs]
    parts = [output for output in outputs if output]
    if show_input and cell.source.strip():
        parts.insert(0, _code(draft, cell, language, bool(parts)))
    return "\n\n".join(parts)


def write_source(draft: Draft, cell: NotebookNode) -> str:
    """Return the markup of a cell that cannot be converted: a note, and the cell's source."""
    draft.warn("the cell cannot be converted and is shown as its source")
    text = note("[this cell could not be converted; its source follows]")
    return f"{text}\n\n{_listing(cell.source)}"


def _listing(source: str) -> str:
    if not source.strip():
        return ""
    source, _ = printable(source)
    return f"#listing({string(source)})[{write_lines(highlight(source, ''))}]"


def _code(draft: Draft, cell: NotebookNode, language: str, has_output: bool) -> str:
    """Return the markup of a cell's source; its last lines stay with the output."""
    source, spelled = printable(cell.source)
    draft.warn_of_controls(spelled)
    first = source.split(maxsplit=1)[0]
    lines = highlight(source.strip("\n"), _MAGICS.get(first, language))
    mark = string(f"[{cell.execution_count}]" if cell.get("execution_count") else "[ ]")
    start = lines[: tail_start(lines)] if has_output else []
    end = lines[len(start) :]
    # Lines that are long enough to fill half a page must be able to go on on the next.
    stays = has_output and sum(len(wrap(line, COLUMNS)) for line in end) <= _MOST_TAIL
    sticky = "true" if stays else "false"
    upper = ""
    if start:
        upper = f"#code-start({mark}, {string(_plain(start))})[{write_lines(start)}]\n"
        mark = '""'
    options = f"{mark}, {string(_plain(end))}, sticky: {sticky}"
    return f"{upper}#code-end({options})[{write_lines(end)}]"


def write_output(draft: Draft, output: NotebookNode) -> str:
    """Return the markup of one output, empty if it shows nothing."""
    if output.output_type == "stream":
        function = "out-stderr" if output.name == "stderr" else "out-text"
        return _terminal(draft, output.text, function)
    if output.output_type == "error":
        text = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
        return _terminal(draft, text, "out-error")
    return _rich(draft, output)


def _rich(draft: Draft, output: NotebookNode) -> str:
    """Return the markup of the form that shows most, and a note for what only a browser draws."""
    data = output.get("data", {})
    if output.output_type == "":
        draft.warn("an output cannot be read and is not shown")
        return f"#out-rich[{note('[output not shown: it cannot be read]')}]"
    html = look_at(data["text/html"]) if "text/html" in data else Look()
    drawing = drawing_kind(data) or html.drawing
    words = _shown(draft, "text/html", data["text/html"], output) if html.has_words else ""
    skipped = {"text/html"} if html.drawing or html.is_blank else set()
    if drawing or html.is_blank:
        skipped |= {"text/plain", "application/json"}
    if html.is_frame:
        return _beside_frame(draft, output)
    markup = _first_shown(draft, output, skipped)
    if drawing:
        if not markup and html.still:
            still = linked_picture(draft, html.still, drawing)
            markup = f"#out-picture[{still}]"
        about = "" if markup or words else alternative_text(data.get("text/plain", ""))
        instead = not_shown(draft, drawing, about, _source_of(data), has_still=bool(markup))
        return "\n\n".join(filter(None, (words, markup, f"#out-rich[{instead}]")))
    if not markup and data and not only_loads(data) and not data.keys() & set(RICHEST):
        kinds = ", ".join(data)
        draft.warn(f"an output of type {kinds} cannot be printed")
        return f"#out-rich[{note(f'[output not shown: {kinds}]')}]"
    return markup


def _beside_frame(draft: Draft, output: NotebookNode) -> str:
    """Return the picture beside a frame that shows another page, and the note for the frame."""
    still = _first_shown(draft, output, {kind for kind in RICHEST if not kind.startswith("image/")})
    frame = _shown(draft, "text/html", output.data["text/html"], output)
    return "\n\n".join(filter(None, (still, frame)))


def _first_shown(draft: Draft, output: NotebookNode, skipped: set[str]) -> str:
    data = output.data
    for kind in RICHEST:
        # A damaged picture is shown as a note, unless it also comes in another form.
        if kind in data and kind not in skipped and not _has_better(draft, data, kind):
            markup = _shown(draft, kind, data[kind], output)
            if markup:
                return markup
    return ""


def _source_of(data: NotebookNode) -> str:
    """Return the data URI of a film or a sound that an output holds itself, or empty."""
    films = (kind for kind in data if kind.startswith(("video/", "audio/")))
    return next((f"data:{kind};base64,{data[kind]}" for kind in films), "")


def _has_better(draft: Draft, data: NotebookNode, kind: str) -> bool:
    if not kind.startswith("image/"):
        return False
    broken = decode(data[kind]) in draft.broken_images
    return broken and any(other != kind and other.startswith("image/") for other in data)


def _shown(draft: Draft, kind: str, value: Any, output: NotebookNode) -> str:
    """Return the markup of one form of an output, empty if it shows nothing."""
    if kind == "text/plain":
        return _terminal(draft, value, "out-text")
    if kind == "application/json":
        return _terminal(draft, json.dumps(value, indent=2, ensure_ascii=False), "out-text")
    if kind.startswith("text/"):
        body = html_to_typst(draft, as_html(kind, value), in_output=True)
        return f"#out-rich[{body}]" if body else ""
    size = as_dict(output.get("metadata", {}).get(kind))
    width = _points(size.get("width"))
    asked = Size(width, "" if width else _points(size.get("height")))
    alt = output.data.get("text/plain") or "figure"
    return f"#out-picture[{picture(draft, decode(value), alt, asked)}]"


def as_html(kind: str, text: str) -> str:
    """Return a rich output as HTML with marked formulas."""
    if kind == "text/markdown":
        return markdown_to_html(text)
    if kind == "text/latex":
        # Unlike in prose, spaces may stand within the dollars, as IPython's Math writes them.
        text = re.sub(r"\A\s*\$\s*([^$]+?)\s*\$\s*\Z", r"$\1$", text)
        return mark_math(text.replace("&", "&amp;").replace("<", "&lt;"))
    if kind == "text/vnd.mermaid":
        return f'<pre data-language="mermaid">{escape(text)}</pre>'
    return mark_math(text)


def _terminal(draft: Draft, text: str, function: str) -> str:
    """Return the markup of printed text, in the frame that a function of style.typ draws."""
    screen = play(text)
    draft.warn_of_controls(screen.spelled_out)
    if not any(screen.lines):
        return ""
    markup, dropped = write_ends(screen.lines)
    if dropped:
        draft.warn(f"{dropped} of the lines of a long output are not printed")
    plain = _plain(screen.lines[:KEEP] if dropped else screen.lines)
    return f"#{function}({string(plain)})[{markup}]"


def _plain(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def _points(pixels: object) -> str:
    return f"{float(pixels) * 0.75:g}pt" if isinstance(pixels, int | float) and pixels > 0 else ""
