"""HTML to Typst: what Markdown cells and rich outputs show, element by element.

Text becomes string literals and elements become calls of functions of style.typ, so that nothing a
student writes is ever read as Typst.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from coursework.pdf import css
from coursework.pdf.draft import Draft
from coursework.pdf.highlight import highlight
from coursework.pdf.images import linked_picture, note, picture
from coursework.pdf.lines import COLUMNS, write_lines
from coursework.pdf.markdown import MATH_TAG
from coursework.pdf.tables import Cell, Grid, fit, read_grid
from coursework.pdf.terminal import printable
from coursework.pdf.typst import literal, string

_MAX_DEPTH = 30  # Typst refuses markup that is nested much deeper
_LONG_WORD = 24  # letters that may stand together; a longer word may break anywhere after them

_BLOCKS = {
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
}  # fmt: skip
_INVISIBLE = {
    "style", "head", "title", "template", "meta", "link", "colgroup", "col", "base", "script",
}  # fmt: skip
_LIVE = {"iframe", "video", "audio", "canvas", "object", "embed"}
_WRAPPERS = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), "emph"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strike"),
    **{"sub": "sub", "sup": "super", "mark": "marked", "small": "smaller", "big": "larger"},
}


@dataclass(frozen=True)
class _Place:
    """Where an element stands: how deep, and how many columns of code fit there."""

    draft: Draft
    depth: int = 0
    columns: int = COLUMNS

    def inside(self, narrower: int = 0) -> "_Place":
        return replace(self, depth=self.depth + 1, columns=max(20, self.columns - narrower))


def html_to_typst(draft: Draft, html: str) -> str:
    """Return Typst markup that shows an HTML fragment; unclosed elements are closed."""
    html, spelled = printable(html)
    for code in spelled:
        draft.warn(f"the control character {code} is written out")
    return _blocks(parse(html), _Place(draft))


def parse(html: str) -> BeautifulSoup:
    """Parse an HTML fragment leniently, as browsers do."""
    return BeautifulSoup(html, "html.parser")


def _blocks(parent: Tag, place: _Place) -> str:
    """Write the children of a block: runs of inline content become paragraphs."""
    if place.depth > _MAX_DEPTH:
        place.draft.warn("HTML nested more than 30 deep is shown as plain text")
        return _text(parent.get_text())
    parts: list[str] = []
    run = ""
    for child in parent.children:
        if isinstance(child, Tag) and _is_block(child):
            parts += [run.strip(), _block(child, place)]
            run = ""
        else:
            run += _inline(child, place)
    parts.append(run.strip())
    return "\n\n".join(part for part in parts if part)


def _is_block(tag: Tag) -> bool:
    """Whether a tag is a block, or an inline element around one, such as a link on a table."""
    if tag.name in _BLOCKS:
        return True
    return tag.name != "svg" and any(
        isinstance(child, Tag) and child.name in _BLOCKS for child in tag.descendants
    )


def _block(tag: Tag, place: _Place) -> str:
    if css.is_hidden(tag):
        return ""
    writer = _BLOCK_WRITERS.get(tag.name, _division)
    return _anchor(tag, place) + writer(tag, place)


def _division(tag: Tag, place: _Place) -> str:
    body = _blocks(tag, place.inside())
    classes = set(tag.get_attribute_list("class"))
    if "alert" in classes and body:
        kind = next((c.removeprefix("alert-") for c in classes if str(c).startswith("alert-")), "")
        return f"#callout({string(str(kind))})[{body}]"
    align = "center" if tag.name == "center" else css.alignment(tag)
    return f"#align({align})[{body}]" if align and body else body


def _heading(tag: Tag, place: _Place) -> str:
    body = _inlines(tag, place.inside())
    if not body.strip():
        return ""
    slug = re.sub(r"\s+", "-", tag.get_text().strip())
    label = f" #label({string(_label(slug))});" if place.draft.claim(_label(slug)) else ""
    return f"#heading(level: {tag.name[1]})[{body}]{label}"


def _paragraph(tag: Tag, place: _Place) -> str:
    body = _inlines(tag, place.inside())
    align = css.alignment(tag)
    return f"#align({align})[{body}]" if align else body


def _list(tag: Tag, place: _Place) -> str:
    items = []
    for child in tag.children:
        if isinstance(child, Tag):
            items.append(_blocks(child, place.inside(4)))
        elif str(child).strip() and not isinstance(child, PreformattedString):
            items.append(_text(str(child)))
    if not items:
        return ""
    body = ", ".join(f"[{item}]" for item in items)
    if tag.name == "ul":
        tasks = tag.find("input", type="checkbox") is not None
        return f"#list({'marker: none, body-indent: 0pt, ' if tasks else ''}{body})"
    start = str(tag.get("start", "1"))
    number = int(start) if start.isdecimal() else 1
    pattern = {"a": "a.", "A": "A.", "i": "i.", "I": "I."}.get(str(tag.get("type", "")), "1.")
    return f'#enum(start: {number}, numbering: "{pattern}", {body})'


def _definitions(tag: Tag, place: _Place) -> str:
    parts = []
    for child in tag.find_all(["dt", "dd"]):
        body = _blocks(child, place.inside(4))
        parts.append(f"#strong[{body}]" if child.name == "dt" else f"#pad(left: 1.5em)[{body}]")
    return "\n\n".join(parts)


def _quote(tag: Tag, place: _Place) -> str:
    return f"#blockquote[{_blocks(tag, place.inside(4))}]"


def _rule(tag: Tag, place: _Place) -> str:
    return "#rule();"


def _details(tag: Tag, place: _Place) -> str:
    summary = tag.find("summary")
    title = _inlines(summary, place.inside()) if isinstance(summary, Tag) else literal("Details")
    if isinstance(summary, Tag):
        summary.extract()
    return f"#details[{title}][{_blocks(tag, place.inside(4))}]"


def _preformatted(tag: Tag, place: _Place) -> str:
    code = tag.get_text()
    language = str(tag.get("data-language", ""))
    lines = highlight(code.removeprefix("\n").rstrip("\n"), language)
    markup, _ = write_lines(lines, place.columns)
    return f"#listing({string(code)})[{markup}]"


def _table(tag: Tag, place: _Place) -> str:
    grid = read_grid(tag)
    if not grid.cells:
        return ""
    caption = tag.find("caption")
    title = _inlines(caption, place.inside()) if isinstance(caption, Tag) else ""
    bodies = {id(cell): _blocks(cell.tag, place.inside()) for cell in grid.cells}
    size, parts = fit(_longest_words(grid), grid.index_columns)
    written = [_table_part(grid, bodies, columns, size) for columns in parts]
    if len(parts) > 1:
        place.draft.warn(f"a table of {grid.columns} columns is split into {len(parts)} parts")
    return "\n\n".join([f"#table-title[{title}]", *written] if title else written)


def _table_part(grid: Grid, bodies: dict[int, str], columns: list[int], size: float) -> str:
    head: list[str] = []
    body: list[str] = []
    for cell in grid.cells:
        shown = [c for c in range(cell.column, cell.column + cell.columns) if c in columns]
        if not shown:
            continue
        arguments = [f"x: {columns.index(shown[0])}, y: {cell.row}"]
        if len(shown) > 1:
            arguments.append(f"colspan: {len(shown)}")
        if cell.rows > 1:
            arguments.append(f"rowspan: {cell.rows}")
        align = css.alignment(cell.tag) or _default_alignment(cell, grid)
        arguments.append(f"align: {align}")
        content = bodies[id(cell)]
        if cell.tag.name == "th" and cell.row >= grid.header_rows and content:
            content = f"#strong[{content}]"
        target = head if cell.row < grid.header_rows else body
        target.append(f"table.cell({', '.join(arguments)})[{content}]")
    header = f"({', '.join(head)},)" if head else "()"
    return (
        f"#grid-table({len(columns)}, {size}pt, {grid.header_rows}, {header},\n"
        + ",\n".join(body)
        + ");"
    )


def _default_alignment(cell: Cell, grid: Grid) -> str:
    """Numbers are read from the right, words from the left."""
    if "dataframe" in cell.tag.find_parent("table").get_attribute_list("class"):  # type: ignore[union-attr]
        return "right"
    return "center" if cell.row < grid.header_rows else "left"


def _longest_words(grid: Grid) -> list[int]:
    widths = [1] * grid.columns
    for cell in grid.cells:
        words = [min(len(word), _LONG_WORD) for word in cell.tag.get_text().split()]
        pictures = 8 * len(cell.tag.find_all("img"))
        longest = max([1, pictures, *words])
        for column in range(cell.column, cell.column + cell.columns):
            widths[column] = max(widths[column], longest // cell.columns)
    return widths


def _inlines(parent: Tag, place: _Place) -> str:
    if place.depth > _MAX_DEPTH:
        return _text(parent.get_text())
    return "".join(_inline(child, place) for child in parent.children)


def _inline(node: PageElement, place: _Place) -> str:
    if isinstance(node, NavigableString):
        return "" if isinstance(node, (Comment, PreformattedString)) else _text(str(node))
    if not isinstance(node, Tag) or node.name in _INVISIBLE or css.is_hidden(node):
        return ""
    writer = _INLINE_WRITERS.get(node.name)
    if writer is not None:
        return _anchor(node, place) + writer(node, place)
    if node.name in _LIVE:
        return _live(node, place)
    body = _inlines(node, place.inside())
    if not body.strip():
        return _anchor(node, place) + body
    if node.name in _WRAPPERS:
        return f"{_anchor(node, place)}#{_WRAPPERS[node.name]}[{body}];"
    style = css.text_style(node)
    return _anchor(node, place) + (f"#text({style})[{body}];" if style else body)


def _link(tag: Tag, place: _Place) -> str:
    body = _inlines(tag, place.inside())
    target = str(tag.get("href", "")).strip()
    if not target or not body.strip() or target.startswith(("javascript:", "data:")):
        return body
    if target.startswith("#"):
        return f"#goto({string(_label(target[1:]))})[{body}];"
    return f"#link({string(target)})[{body}];"


def _image(tag: Tag, place: _Place) -> str:
    size = css.image_size(tag)
    return linked_picture(place.draft, str(tag.get("src", "")), str(tag.get("alt", "")), size)


def _drawing(tag: Tag, place: _Place) -> str:
    if not tag.get("xmlns"):
        tag["xmlns"] = "http://www.w3.org/2000/svg"
    return picture(place.draft, str(tag).encode("utf-8", "replace"), "drawing", css.image_size(tag))


def _code(tag: Tag, place: _Place) -> str:
    return f"#inline-code[{_text(tag.get_text(), preserve=True)}];"


def _checkbox(tag: Tag, place: _Place) -> str:
    if tag.get("type") == "checkbox":
        return f"#checkbox({'true' if tag.has_attr('checked') else 'false'});"
    return _text(str(tag.get("value", "")))


def _live(tag: Tag, place: _Place) -> str:
    source = str(tag.get("src") or tag.get("data") or "")
    place.draft.warn(f"a <{tag.name}> cannot be printed {source}".rstrip())
    label = f"[interactive content, not shown: {tag.name} {source}".rstrip() + "]"
    return note(label)


def _formula(tag: Tag, place: _Place) -> str:
    return place.draft.formula(tag.get_text(), tag.get("mode") == "display")


def _mathml(tag: Tag, place: _Place) -> str:
    tex = tag.find("annotation", attrs={"encoding": "application/x-tex"})
    if isinstance(tex, Tag):
        return place.draft.formula(tex.get_text(), tag.get("display") == "block")
    place.draft.warn("a MathML formula is shown as plain text")
    return _text(tag.get_text())


def _anchor(tag: Tag, place: _Place) -> str:
    name = str(tag.get("id") or (tag.get("name") if tag.name == "a" else "") or "")
    if not name or not place.draft.claim(_label(name)):
        return ""
    return f"#anchor({string(_label(name))});"


def _label(name: str) -> str:
    """Return a label that Typst accepts, the same for the same name."""
    return "to-" + (re.sub(r"[^\w.:-]", "-", name) or "-")


def _text(text: str, preserve: bool = False) -> str:
    """Write text, its spaces as Typst's own, and let overlong words break."""
    if preserve:
        words = [text]
    else:
        words = [word for word in re.split(r"[ \t\n\r\f]+", text) if word]
        if not words:
            return " " if text else ""
    core = "".join(_breakable(part) for part in re.split(r"(\S{24,})", " ".join(words)))
    before = " " if not preserve and text[0] in " \t\n\r\f" else ""
    after = " " if not preserve and text[-1] in " \t\n\r\f" else ""
    return before + core + after


def _breakable(text: str) -> str:
    if len(text) < _LONG_WORD or " " in text:
        return literal(text)
    # Better breaks first: after the punctuation of addresses and paths, then anywhere.
    pieces = [piece for piece in re.split(r"(?<=[/._\-?&=,:;@])", text) if piece]
    pieces = [p[i : i + 4] for p in pieces for i in range(0, len(p), 4)]
    return "#box();".join(literal(piece) for piece in pieces)


_BLOCK_WRITERS: dict[str, Callable[[Tag, _Place], str]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
    **dict.fromkeys(("ul", "ol"), _list),
    **{"p": _paragraph, "dl": _definitions, "blockquote": _quote, "hr": _rule},
    **{"details": _details, "pre": _preformatted, "table": _table},
}
_INLINE_WRITERS: dict[str, Callable[[Tag, _Place], str]] = {
    **dict.fromkeys(("code", "tt", "samp"), _code),
    "kbd": lambda tag, place: f"#key[{_text(tag.get_text())}];",
    "br": lambda tag, place: "#linebreak();",
    "q": lambda tag, place: f"{literal('“')}{_inlines(tag, place.inside())}{literal('”')}",
    **{"a": _link, "img": _image, "svg": _drawing, "input": _checkbox},
    **{MATH_TAG: _formula, "math": _mathml},
}
