"""A notebook file read leniently: whatever Jupyter opens, with everything that may be missing.

The exporter reads notebooks with nbformat; the check reads their JSON itself, so that a fault of
one reader is seen by the other.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDGET_PICTURES = "(pictures)"
"""The key under which the state of a widget has its pictures in base64, once it is read."""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_CONTROL = re.compile(r"\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\n\r\b]")
BREAKS = "\u200b\ufeff"
"""Spaces without a width: unseen in prose, while a program breaks by them."""
# Characters that draw nothing: controls, marks that turn the direction, numbers without one.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef]|["
    + "".join(chr(0x10000 * plane + end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
_SPELLED = re.compile(r"\\[xu]((?<=x)[0-9a-f]{2}|(?<=u)(?:(?:10|[1-9a-f])fff[ef]|[0-9a-f]{4}))")
_OLD_KINDS = {
    "text": "text/plain", "html": "text/html", "latex": "text/latex", "svg": "image/svg+xml",
    "png": "image/png", "jpeg": "image/jpeg", "json": "application/json",
    "javascript": "application/javascript",
}  # fmt: skip


@dataclass(frozen=True)
class Output:
    """One output of a code cell."""

    kind: str  # "stream", "error" or "data"
    text: str  # of a stream or of an error, with its escape sequences
    data: dict[str, Any]  # the forms in which a result comes, by MIME type


@dataclass(frozen=True)
class Cell:
    """A cell; what the file leaves out is empty."""

    number: int  # its place in the notebook, counted from 1
    kind: str  # "markdown", "code", "raw", or what another program wrote
    source: str
    tags: frozenset[str]
    outputs: tuple[Output, ...]
    raw_kind: str  # the MIME type of a raw cell
    count: int | None  # the execution count; None where the cell was not run


@dataclass(frozen=True)
class Notebook:
    """A notebook: its cells, who hands it in, and the saved state of its widgets by model."""

    cells: tuple[Cell, ...]
    author: str
    student_id: str
    widgets: dict[str, Any]


def read_notebook(path: Path) -> Notebook:
    """Read a notebook of format 3 or 4.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a notebook.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such notebook; check the name")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        content = None
    content = _dictionary(content)
    cells = content.get("cells")
    if cells is None and "worksheets" in content:  # format 3
        sheets = map(_dictionary, _list(content["worksheets"]))
        cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        raise ValueError(
            f"{path}: not a notebook: expected JSON with a list of cells, found something else; "
            "open it in Jupyter and save it again"
        )
    metadata = _dictionary(content.get("metadata"))
    names = [
        _said(author.get("name") if isinstance(author, dict) else author)
        for author in _list(metadata.get("authors"))
    ]
    saved = _dictionary(_dictionary(metadata.get("widgets")).get(_WIDGET_STATE))
    return Notebook(
        tuple(_read_cell(number, _dictionary(cell)) for number, cell in enumerate(cells, 1)),
        ", ".join(filter(None, names)),
        _said(_dictionary(metadata.get("coursework")).get("student_id")),
        _dictionary(saved.get("state")),
    )


def join_text(value: object) -> str:
    """Return a text that the format may keep as a list of lines, without halves of characters."""
    if isinstance(value, list):
        return "".join(map(join_text, value))
    if value is None:
        return ""
    # In a damaged file it may be anything else; as JSON, it is what the file says.
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_outputs(outputs: object) -> tuple[Output, ...]:
    """Read a list of outputs; the pieces in which a stream arrived become one."""
    read: list[Output] = []
    last_name = ""
    for output in map(_dictionary, _list(outputs)):
        kind = output.get("output_type")
        if kind == "stream":
            name = str(output.get("name") or output.get("stream") or "stdout")
            text = join_text(output.get("text"))
            if read and read[-1].kind == "stream" and name == last_name:
                text = read.pop().text + text
            read.append(Output("stream", text, {}))
            last_name = name
        elif kind in ("error", "pyerr"):
            lines = output.get("traceback")
            text = "\n".join(map(join_text, lines)) if isinstance(lines, list) else join_text(lines)
            said = f"{join_text(output.get('ename'))}: {join_text(output.get('evalue'))}"
            read.append(Output("error", text or said, {"said": said}))
        else:
            data = _dictionary(output.get("data"))
            old = {_OLD_KINDS[name]: output[name] for name in _OLD_KINDS if name in output}
            read.append(Output("data", "", data or old))
    return tuple(read)


def shown_lines(text: str) -> list[str]:
    r"""Return the lines that a terminal shows for a stream: no colours, the last state of a bar.

    A character that draws nothing is written out as ``\x00``.
    """
    rows: list[list[str]] = [[]]
    row = column = position = 0
    text = text.replace("\r\n", "\n")
    if not re.search(r"[\x1b\r\b]", text):
        return [spell_out(line) for line in text.split("\n")]
    for match in [*_CONTROL.finditer(text), None]:
        chunk = spell_out(text[position : match.start() if match else len(text)])
        rows[row].extend(" " * (column - len(rows[row])))
        rows[row][column : column + len(chunk)] = chunk
        column += len(chunk)
        if match is None:
            break
        position = match.end()
        steps = int(match[1]) if (match[1] or "").isdigit() else 1
        match match[2] or match[0]:
            case "\n":
                row, column = row + 1, 0
            case "\r":
                column = 0
            case "\b" | "D":
                column = max(0, column - steps)
            case "A":
                row = max(0, row - steps)
            case "B":
                row += min(steps, 1000)
            case "C":
                column += min(steps, 1000)
            case "K":
                del rows[row][0 if match[1] == "2" else column :]
        rows.extend([] for _ in range(row + 1 - len(rows)))
    return ["".join(characters) for characters in rows]


def spell_out(text: str) -> str:
    r"""Return a text with the unseen characters written as ``\x00``, apart from tabs."""
    return text if text.isprintable() else _UNSEEN.sub(_spell, text)


def spell_controls(text: str) -> str:
    """Spell out what draws nothing in a source, but no white space and no break of a word."""
    return _UNSEEN.sub(lambda match: match[0] if match[0] in "\r" + BREAKS else _spell(match), text)


def without_unseen(text: str) -> str:
    """Return a text without the characters that `spell_out` spells."""
    return text if text.isprintable() else _UNSEEN.sub("", text)


def without_spelled(text: str) -> str:
    """Return a text without what `spell_controls` wrote."""
    return _SPELLED.sub(lambda match: _UNSEEN.sub("", chr(int(match[1], 16))) and match[0], text)


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def model_id(view: object) -> str:
    """Return the name of the model that a view of a widget shows."""
    return str(_dictionary(view).get("model_id", ""))


def widget_models(widgets: dict[str, Any], view: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the state of a widget and of all that it holds, in order.

    The title that a tab or a fold has comes before it, as a label.
    """
    waiting = [(model_id(view), "")]
    seen: set[str] = set()
    while waiting:
        model, title = waiting.pop()
        model = model.removeprefix("IPY_MODEL_")
        if title:
            yield "LabelModel", {"value": title}
        saved = _dictionary(widgets.get(model))
        if model in seen or not saved:
            continue
        seen.add(model)
        state = _dictionary(saved.get("state"))
        name = str(saved.get("model_name", ""))
        if name == "ImageModel":
            buffers = map(_dictionary, _list(saved.get("buffers")))
            pictures = [part.get("data") for part in buffers if part.get("path") == ["value"]]
            state = {**state, WIDGET_PICTURES: list(filter(None, pictures))}
        yield name, state
        titles = state.get("titles", state.get("_titles"))
        numbered = titles if isinstance(titles, dict) else dict(enumerate(_list(titles)))
        children = [
            (child, join_text(numbered.get(number, numbered.get(str(number)))))
            for number, child in enumerate(_list(state.get("children")))
            if isinstance(child, str)
        ]
        waiting += reversed(children)


def _read_cell(number: int, cell: dict[str, Any]) -> Cell:
    metadata = _dictionary(cell.get("metadata"))
    kind = str(cell.get("cell_type") or "")
    source = join_text(cell.get("source", cell.get("input")))
    if kind == "heading":  # format 3
        level = cell.get("level")
        source = "#" * (level if isinstance(level, int) else 1) + " " + source
        kind = "markdown"
    count = cell.get("execution_count", cell.get("prompt_number"))
    return Cell(
        number=number,
        kind=kind,
        source=source,
        tags=frozenset(map(str, _list(metadata.get("tags")))),
        outputs=read_outputs(cell.get("outputs")) if kind == "code" else (),
        raw_kind=str(metadata.get("raw_mimetype") or metadata.get("format") or ""),
        count=count if isinstance(count, int) else None,
    )


def _said(value: object) -> str:
    """Return a text or a number of the metadata; what is neither names nobody."""
    is_said = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if is_said else ""


def _dictionary(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
