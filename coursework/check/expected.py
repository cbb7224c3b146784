"""What the PDF of a notebook must show: each text, formula and picture, with its place."""

import base64
import contextlib
import io
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageColor

from coursework.check.notebook import (
    BREAKS,
    WIDGET_PICTURES,
    WIDGET_VIEW,
    Cell,
    Notebook,
    Output,
    join_text,
    model_id,
    read_outputs,
    shown_lines,
    spell_out,
    widget_models,
    without_spelled,
    without_unseen,
)
from coursework.check.prose import Piece, drawn_by_script, read_html, read_markdown

# The exporter's habits: an output of more lines is cut to so many at each end, and a line wraps
# at so many columns. A wrapped line may be half as long, for a nicer break.
_KEPT_LINES = 500
_COLUMNS = 100

_PICTURES = (
    "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf",
)  # fmt: skip
_PRINTED = {*_PICTURES, "application/json"}
_DRAWN_BY_A_BROWSER = (
    ("plotly", "a plotly chart"), ("vega", "a vega chart"), ("bokeh", "a bokeh chart"),
    ("holoviews", "a holoviews chart"), ("geo+json", "a map"), ("javascript", "JavaScript"),
    ("audio/", "audio"), ("video/", "a video"), ("mermaid", "a mermaid drawing"),
)  # fmt: skip
_TIMES_OF_TQDM = re.compile(r"\d%\||\d\S* \[\d+:\d\d")
_TIMES = re.compile(
    r"(?<=[━\]])( -)?( ETA:)? \d[\d:]*s?( [\d.]+[mun]?s/\w+)?(?=\s|$)|(?<=\d) \d[\d:]+<[\d:?]+"
)
_FIELD = re.compile(r"(Text|Textarea|Combobox|(Bounded)?(Int|Float)Text)Model$")
_QUIET_WIDGETS = re.compile(
    r"((Output|Box|Progress|HTML|Label|Layout|Style)\w*|(\w*Box|Tab|Accordion|Stack|Image))Model$"
    f"|{_FIELD.pattern}"
)


@dataclass(frozen=True)
class Item:
    """One thing that must be on a page."""

    kind: str  # "heading", "text", "table", "code", "output", "formula" or "figure"
    cell: int  # counted from 1
    output: int  # counted from 1; 0 for what the cell itself holds
    text: str  # the text, TeX, or alternative text of a picture
    also: str = ""  # another text that may stand for it
    looks: frozenset[str] = frozenset()  # as `Piece` has them
    required: bool = True  # the middle of a long output is not
    row: tuple[int, int] = (0, 0)  # as `Piece` has it
    size: tuple[int, int] | None = None  # of a picture in pixels; None: only drawing it would tell
    picture: str = field(default="", repr=False)  # in base64, where its size is known

    @property
    def where(self) -> str:
        """Where in the notebook it stands, in words."""
        return f"cell {self.cell}, output {self.output}" if self.output else f"cell {self.cell}"


@dataclass
class Expected:
    """What is to be found in a PDF, in the order of the notebook."""

    items: list[Item] = field(default_factory=list)
    replaced: list[Item] = field(default_factory=list)
    """What no page can show and a note stands for, with its place and alternative text."""
    cut: list[Item] = field(default_factory=list)
    """Outputs of which the page shows only the ends, and says so."""
    colors: list[tuple[Item, set[tuple[int, int, int]]]] = field(default_factory=list)
    """Tables with colours behind their cells, and these colours as red, green and blue."""


@dataclass(frozen=True)
class _Place:
    """The cell or the output that is being read, what gets its items, and the saved widgets."""

    expected: Expected
    widgets: dict[str, Any]
    cell: int
    output: int = 0

    def item(self, kind: str, text: str, also: str = "", **more: Any) -> Item:
        """Return an item of this place."""
        return Item(kind, self.cell, self.output, text, also, **more)

    def add(self, kind: str, text: str, also: str = "", **more: Any) -> None:
        """Expect an item."""
        self.expected.items.append(self.item(kind, text, also, **more))

    def replace(self, what: str, also: str = "") -> None:
        """List what no page can show."""
        self.expected.replaced.append(self.item("note", what, also))


def expect(notebook: Notebook) -> Expected:
    """List what the PDF of a notebook must show."""
    expected = Expected()
    for cell in notebook.cells:
        if "remove-cell" in cell.tags:
            continue
        place = _Place(expected, notebook.widgets, cell.number)
        _expect_source(place, cell)
        if "remove-output" not in cell.tags:
            _expect_outputs(place, cell.outputs)
    return expected


def _expect_source(place: _Place, cell: Cell) -> None:
    lines = cell.source.split("\n")
    match cell.kind, cell.raw_kind:
        case ("markdown", _) | ("raw", "text/markdown"):
            _expect_pieces(place, read_markdown(cell.source))
        case "raw", "text/html":
            _expect_pieces(place, read_html(cell.source))
        case "raw", _:
            _expect_lines(place, "text", lines)
        case "code", _:
            if "remove-input" not in cell.tags:
                if cell.source.strip():
                    place.add("code", f"[{cell.count or ' '}]", required=False)
                _expect_lines(place, "code", lines)
        case _:
            place.replace(f"a cell of type {cell.kind!r}")


def _expect_outputs(place: _Place, outputs: Iterable[Output]) -> None:
    for number, output in enumerate(outputs, 1):
        here = replace(place, output=number)
        if output.kind == "data":
            _expect_data(here, output.data)
        else:
            _expect_stream(here, output.text)


def _expect_data(place: _Place, data: dict[str, Any]) -> None:
    """Expect the form of a result that shows most; list what only a browser can draw."""
    if WIDGET_VIEW in data:
        _expect_widget(place, data[WIDGET_VIEW])
        return
    html = join_text(data.get("text/html"))
    pieces = read_html(html) if html and "sk-top-container" not in html else []
    live = [piece for piece in pieces if piece.kind == "live"]
    for piece in live:
        place.replace(piece.text)
    pieces = [piece for piece in pieces if piece.kind != "live"]
    pictures = [kind for kind in _PICTURES if data.get(kind)]
    drawn = [name for part, name in _DRAWN_BY_A_BROWSER if any(part in kind for kind in data)]
    if not drawn and not any(kind in _PRINTED or kind.startswith("text/") for kind in data):
        drawn = [f"an output of type {kind}" for kind in data]
    if not drawn and not live:
        drawn = drawn_by_script(html)
    if drawn:
        place.replace(drawn[0])
    if pieces and not (pictures and (live or drawn)):
        _expect_pieces(place, pieces)
        colors = _table_colors(html)
        if colors:
            place.expected.colors.append((place.item("table", ""), colors))
    elif "text/markdown" in data and not html:
        _expect_pieces(place, read_markdown(join_text(data["text/markdown"])))
    elif "text/latex" in data and not html:
        tex = join_text(data["text/latex"]).replace("&", "&amp;").replace("<", "&lt;")
        _expect_pieces(place, read_html(tex))
    elif pictures:
        _expect_picture(place, data[pictures[0]])
    elif data.get("application/json") is not None and not html:
        text = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
        _expect_stream(place, join_text(text))
    elif "text/plain" in data and not drawn and ("text/html" not in data or "sk-top-" in html):
        _expect_stream(place, join_text(data["text/plain"]))


def _expect_picture(place: _Place, data: object) -> None:
    """Expect a picture in base64."""
    text, size = join_text(data), None
    # What cannot be opened is a drawing, or damaged.
    with (
        contextlib.suppress(OSError, ValueError, Image.DecompressionBombError),
        Image.open(io.BytesIO(base64.b64decode(text))) as picture,
    ):
        size = picture.size
    place.add("figure", "", size=size, picture=text if size else "")


def _table_colors(html: str) -> set[tuple[int, int, int]]:
    """Return the colours that a pandas Styler puts behind the cells of a table."""
    rules = "".join(re.findall(r"#T_[^{}]*\{([^}]*)\}", html))
    colors = set()
    for value in re.findall(r"background[\w-]*\s*:([^;}]*)", rules):
        for name in re.findall(r"#[0-9a-fA-F]{3,6}\b|[a-z]{3,}", value):
            with contextlib.suppress(ValueError):  # no colour, but the name of a gradient
                colors.add(ImageColor.getrgb(name)[:3])
    return colors


def _expect_widget(place: _Place, view: object) -> None:
    """Expect what is in `Output` widgets, the texts of a progress bar, words and pictures."""
    models = list(widget_models(place.widgets, view))
    # What a widget holds may be a view of the widget itself: inside of it, it has no state.
    inner = {name: model for name, model in place.widgets.items() if name != model_id(view)}
    if not models or not all(_QUIET_WIDGETS.search(name) for name, _ in models):
        place.replace("a widget")
    is_bar = any(name.endswith("ProgressModel") for name, _ in models)
    for name, state in models:
        if name == "OutputModel":
            _expect_outputs(replace(place, widgets=inner), read_outputs(state.get("outputs")))
        elif is_bar and name in ("HTMLModel", "LabelModel", "HTMLMathModel"):
            for piece in read_html(join_text(state.get("value"))):
                place.add("output", piece.text, piece.text.split("[")[0])
        else:
            _expect_words(place, name, state)


def _expect_words(place: _Place, name: str, state: dict[str, Any]) -> None:
    """Expect the words and pictures that a widget shows by itself."""
    value = state.get("value")
    if name in ("HTMLModel", "HTMLMathModel"):
        _expect_pieces(place, read_html(join_text(value)))
    elif name == "LabelModel":
        _expect_stream(place, join_text(value))
    elif _FIELD.fullmatch(name) and isinstance(value, str | int | float):
        _expect_stream(place, str(value))
    for picture in state.get(WIDGET_PICTURES, ()):
        _expect_picture(place, picture)


def _expect_stream(place: _Place, text: str) -> None:
    """Expect the lines of a terminal; of a long output those that no way of wrapping cuts off."""
    lines = shown_lines(text.removesuffix("\n"))
    longest, shortest = zip(*map(_heights, lines), strict=True)
    if sum(longest) <= 2 * _KEPT_LINES:
        _expect_lines(place, "output", lines)
        return
    if sum(shortest) > 2 * _KEPT_LINES:
        place.expected.cut.append(place.item("output", ""))
    kept = {*_first(longest), *(len(lines) - 1 - index for index in _first(longest[::-1]))}
    for index, line in enumerate(lines):
        if line.strip():
            place.add("output", line, _without_times(line), required=index in kept)


def _heights(line: str) -> tuple[int, int]:
    """Return the most and the fewest lines of the page that a line can take.

    A wrapped line hangs by four columns more than its own indent, and may end at half its room.
    Without its times, the line of a progress bar is shorter.
    """
    room = _COLUMNS - min(len(line) - len(line.lstrip(" ")) + 4, _COLUMNS // 2)
    wide = len(line) + sum(char > "\u02ff" for char in line)
    most = 1 + max(0, wide - _COLUMNS // 2) // (room // 2) if wide > _COLUMNS else 1
    return most, 1 + max(0, len(_without_times(line)) - 1) // _COLUMNS


def _first(heights: Sequence[int]) -> list[int]:
    """Return the indices of the lines at the start that surely are printed."""
    used = itertools.accumulate(heights)
    return [index for index, lines in enumerate(used) if lines <= _KEPT_LINES]


def _expect_lines(place: _Place, kind: str, lines: Iterable[str], **more: Any) -> None:
    """Expect lines; what draws nothing is spelled out on the page, or left out."""
    for line in lines:
        if line.strip():
            also = without_spelled(line) if kind == "output" else without_unseen(line)
            place.add(kind, spell_out(line), _without_times(also), **more)


def _without_times(text: str) -> str:
    """Leave the times of progress bars out, as a page may: they change from run to run."""
    return _TIMES.sub("", text.split("[")[0] if _TIMES_OF_TQDM.search(text) else text)


def _expect_pieces(place: _Place, pieces: Iterable[Piece]) -> None:
    for piece in pieces:
        if piece.kind == "code":
            _expect_lines(place, "code", piece.text.split("\n"), looks=piece.looks)
        elif piece.kind == "live":
            place.replace(piece.text)
        elif piece.kind == "figure" and re.match(r"(https?:)?//", piece.source):
            place.replace("a picture on the network", piece.text)
        elif piece.text.strip() or piece.kind == "figure":
            text = piece.text.translate(dict.fromkeys(map(ord, BREAKS)))
            # Readers differ: lists of definitions, lists of tasks, headings without a space.
            also = re.sub(r"(^|\s):\s+|^\[[ xX]\]\s|^#+", " ", without_spelled(spell_out(text)))
            also = _without_times(also)
            place.add(piece.kind, spell_out(text), also, looks=piece.looks, row=piece.row)
