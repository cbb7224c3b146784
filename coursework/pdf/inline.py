"""HTML within a line: text, links, code, formulas, small pictures, written as Typst.

Text becomes string literals and elements become calls of functions of style.typ, so that nothing a
student writes is ever read as Typst.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace

from bs4 import Comment, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from coursework.pdf.css import background, decorations, image_size, reading, text_style
from coursework.pdf.draft import Draft
from coursework.pdf.images import RefusedPictureError, linked_picture, picture, try_picture
from coursework.pdf.lines import COLUMNS, typewritten
from coursework.pdf.live import SILENT_INPUTS, is_live, not_shown
from coursework.pdf.markdown import MATH_TAG
from coursework.pdf.terminal import progress_bar, without_times
from coursework.pdf.typst import literal, string

LONG_WORD = 24
"""A word of this many letters or more may break anywhere."""

INVISIBLE_SPACES = {0x200B: None, 0xFEFF: None}
"""In prose these at most allow a line to end; a copy of the text is better without them."""

_UNKNOWN_REFERENCE = re.compile(
    r"\\(?:auto|[cCv]|page|name)ref\*?\{[^{}\n]*\}|\\cite[tp]?\*?\{[^{}\n]*\}|\\label\{[^{}\n]*\}"
)
_SHORT = 40  # letters that need no break within them

_MAX_DEPTH = 40  # elements within elements
_MAX_INDENT = 10  # lists and quotations within each other: with more, Typst takes seconds
_MAX_TABLES = 3  # tables within each other

_INVISIBLE = {
    "style", "head", "title", "template", "meta", "link", "colgroup", "col", "base", "script",
    "noscript", "datalist", "rp",
}  # fmt: skip
_PICTURE_FILE = re.compile(r"\.(png|jpe?g|gif|svg|webp)([?#]|$)", re.IGNORECASE)
# The names of SVG with a capital letter, which readers of HTML lose.
_SVG_NAMES = {
    name.lower(): name
    for name in (
        "clipPath", "clipPathUnits", "feBlend", "feColorMatrix", "feComposite", "feFlood",
        "feGaussianBlur", "feMerge", "feMergeNode", "feOffset", "filterUnits", "foreignObject",
        "gradientTransform", "gradientUnits", "lengthAdjust", "linearGradient", "markerHeight",
        "markerUnits", "markerWidth", "maskContentUnits", "maskUnits", "patternContentUnits",
        "patternTransform", "patternUnits", "preserveAspectRatio", "primitiveUnits",
        "radialGradient", "refX", "refY", "spreadMethod", "startOffset", "stdDeviation",
        "textLength", "textPath", "viewBox",
    )
}  # fmt: skip
_WRAPPERS = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), "emph"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strike"),
    **{"sub": "sub", "sup": "super", "mark": "marked", "small": "smaller", "big": "larger"},
}


@dataclass(frozen=True)
class Place:
    """Where an element stands: how deep, in how many tables, how many columns of code fit."""

    draft: Draft
    depth: int = 0
    indent: int = 0
    in_output: bool = False
    tables: int = 0
    columns: int = COLUMNS

    def inside(self, narrower: int = 0) -> "Place":
        """Return the place of a child, which may be narrower by some columns."""
        return replace(
            self,
            depth=self.depth + 1,
            indent=self.indent + (narrower > 0),
            columns=max(20, self.columns - narrower),
        )

    def is_too_deep(self) -> bool:
        """Whether elements nest so deeply that they are shown as plain text; if so, warn."""
        if self.depth <= _MAX_DEPTH and self.indent <= _MAX_INDENT and self.tables <= _MAX_TABLES:
            return False
        self.draft.warn("what is nested too deeply is shown as plain text")
        return True


def write_inlines(parent: Tag, place: Place) -> str:
    """Return the markup of the children of an element, as running text."""
    if place.is_too_deep():
        return write_text(parent.get_text())
    return "".join(write_inline(child, place) for child in parent.children)


def write_inline(node: PageElement, place: Place) -> str:
    """Return the markup of a text or an element within a line."""
    if isinstance(node, NavigableString):
        return "" if isinstance(node, (Comment, PreformattedString)) else _prose(str(node), place)
    if not isinstance(node, Tag) or node.name in _INVISIBLE:
        return ""
    writer = INLINE_WRITERS.get(node.name)
    if writer is not None:
        return write_anchor(node, place) + writer(node, place)
    if is_live(node):
        return _live(node, place)
    body = write_inlines(node, place.inside())
    if not body.strip():
        return write_anchor(node, place) + body
    if node.name in _WRAPPERS:
        body = f"#{_WRAPPERS[node.name]}[{body}];"
    body = dress(node, body)
    fill = fill_of(place.draft, node)
    if fill:
        body = f"#highlight(fill: {fill})[{body}];"
    arguments = reading(node)
    if arguments:
        body = f"#text({arguments})[{body}];"
        if len(node.get_text()) < _SHORT:
            # The text around does not mix with it; but what is longer must break, as no box does.
            body = f"#box[{body}];"
    return write_anchor(node, place) + body


def dress(tag: Tag, body: str) -> str:
    """Give the body of a tag its colour, weight and slant, and the lines under or through it."""
    style = text_style(tag)
    body = f"#text({style})[{body}];" if style else body
    for line in decorations(tag):
        body = f"#{line}[{body}];"
    return body


def fill_of(draft: Draft, tag: Tag) -> str:
    """Return the background of a tag as a Typst fill, empty where there is none to be shown."""
    try:
        return background(tag)
    except ValueError as error:
        draft.warn(f"the background of a <{tag.name}> is not shown: {error}")
        return ""


def _prose(text: str, place: Place) -> str:
    """Write text, in which MathJax also sees references to equations."""
    text = without_times(text) if place.in_output else text
    for command in _UNKNOWN_REFERENCE.findall(text):
        place.draft.warn(f"{command} is no reference that Jupyter knows and is shown as it stands")
    parts = re.split(r"(\\(?:eq)?ref\{[^{}\n]*\})", text)
    return "".join(
        place.draft.formula(part, False) if number % 2 else write_text(part)
        for number, part in enumerate(parts)
    )


def link(tag: Tag, body: str) -> str:
    """Make a body the link that an ``<a>`` is."""
    target = str(tag.get("href", "")).strip()
    if not target or not body.strip() or target.startswith(("javascript:", "data:")):
        return body
    if target.startswith("#"):
        return f"#goto({string(label(target[1:]))})[{body}];"
    return f"#link({string(target)})[{body}];"


def _image(tag: Tag, place: Place) -> str:
    size = image_size(tag)
    return linked_picture(place.draft, str(tag.get("src", "")), str(tag.get("alt", "")), size)


def _drawing(tag: Tag, place: Place) -> str:
    for part in (tag, *tag.find_all(True)):
        part.name = _SVG_NAMES.get(part.name, part.name)
        part.attrs = {_SVG_NAMES.get(name, name): value for name, value in part.attrs.items()}
    for sheet in [*tag.parents][-1].find_all("style"):
        if tag not in sheet.parents:
            tag.insert(0, copy(sheet))
    if not tag.get("xmlns"):
        tag["xmlns"] = "http://www.w3.org/2000/svg"
    return picture(place.draft, str(tag).encode("utf-8", "replace"), "drawing", image_size(tag))


def _code(tag: Tag, place: Place) -> str:
    if tag.find(lambda inner: inner.name != "br") is not None:  # links, pictures, formulas
        return f"#inline-code[{write_inlines(tag, place.inside())}];"
    for line_end in tag.find_all("br"):
        line_end.replace_with("\v")  # the control character itself would be spelled out
    lines = []
    for text in tag.get_text().split("\v"):
        shown = typewritten(text)
        lines.append(write_text(text, preserve=True) if shown == string(text) else f"#{shown};")
    return f"#inline-code[{'#linebreak();'.join(lines)}];"


def _checkbox(tag: Tag, place: Place) -> str:
    if tag.get("type") == "checkbox":
        return f"#checkbox({'true' if tag.has_attr('checked') else 'false'});"
    return "" if tag.get("type") in SILENT_INPUTS else _apart(write_text(str(tag.get("value", ""))))


def _apart(body: str) -> str:
    """Set the words of a control apart from those beside it, as the frame of the control does."""
    return f" {body} " if body else ""


def _selection(tag: Tag, place: Place) -> str:
    """Write what a menu shows: its choice, or all of a list that is open."""
    options = list(tag.find_all("option"))
    if not (tag.has_attr("multiple") or str(tag.get("size", "1")) not in ("", "0", "1")):
        chosen = [option for option in options if option.has_attr("selected")]
        options = chosen[-1:] or options[:1]
    texts = (str(option.get("label") or option.get_text()).strip() for option in options)
    return _apart(write_text(", ".join(filter(None, texts))))


def _measured(tag: Tag, place: Place) -> str:
    """Write the bar of a ``<progress>`` or a ``<meter>``."""
    bar = literal(progress_bar(tag.get("value"), tag.get("max")))
    return _apart(f"#inline-code[{bar}];")


def _overridden(tag: Tag, place: Place) -> str:
    """Write a ``<bdo>``: its letters stand in the direction that it names, whatever they are."""
    sign = "\u202e" if str(tag.get("dir", "")).lower() == "rtl" else "\u202d"
    return f"{literal(sign)}{write_inlines(tag, place.inside())}{literal(chr(0x202C))}"


def _live(tag: Tag, place: Place) -> str:
    """Write an element that moves: the picture it stands for or begins with, and a note."""
    if tag.find("img") is not None:
        return write_inlines(tag, place.inside())
    inner = tag.find("source")
    source = str(
        tag.get("src")
        or tag.get("data")
        or (inner.get("src") if isinstance(inner, Tag) else "")
        or ""
    )
    about = str(tag.get("alt") or tag.get("title") or tag.get("aria-label") or "")
    is_picture = _PICTURE_FILE.search(source) is not None
    still = source if is_picture else str(tag.get("poster") or "")
    try:
        shown = try_picture(place.draft, still, about, image_size(tag)) if still else ""
    except RefusedPictureError:
        shown = ""
    if shown and is_picture:
        return shown
    note = not_shown(place.draft, f"<{tag.name}>", about, source, has_still=bool(shown))
    return f"{shown} {note}".strip()


def write_anchor(tag: Tag, place: Place) -> str:
    """Return an invisible target for links to an element's name, empty if it has none."""
    name = str(tag.get("id") or (tag.get("name") if tag.name == "a" else "") or "")
    if not name or not place.draft.claim(label(name)):
        return ""
    return f"#anchor({string(label(name))});"


def label(name: str) -> str:
    """Return a label that Typst accepts, the same for the same name."""
    return "to-" + (re.sub(r"[^\w.:-]", "-", name) or "-")


def write_text(text: str, preserve: bool = False) -> str:
    """Write text as Typst: words as literals that may break if they are long, spaces as spaces.

    With ``preserve``, as in code, a run of spaces is not made one.
    """
    text = text.translate(INVISIBLE_SPACES)
    if not preserve:
        text = re.sub(r"[ \t\n\r\f]+", " ", text)
    core = text if preserve else text.strip(" ")
    if not core:
        return text
    before, after = text.split(core)
    return before + "".join(map(_breakable, re.split(rf"(\S{{{LONG_WORD},}})", core))) + after


def _breakable(text: str) -> str:
    if len(text) < LONG_WORD or " " in text:
        return literal(text)
    # Better breaks first: after the punctuation of addresses and paths, then anywhere.
    pieces = [piece for piece in re.split(r"(?<=[/._\-?&=,:;@])", text) if piece]
    pieces = [p[i : i + 4] for p in pieces for i in range(0, len(p), 4)]
    return "#box();".join(literal(piece) for piece in pieces)


INLINE_WRITERS: dict[str, Callable[[Tag, Place], str]] = {
    **dict.fromkeys(("code", "tt", "samp"), _code),
    "kbd": lambda tag, place: f"#key[{write_inlines(tag, place.inside())}];",
    "br": lambda tag, place: "#linebreak();",
    "q": lambda tag, place: f"{literal('“')}{write_inlines(tag, place.inside())}{literal('”')}",
    **{
        "a": lambda tag, place: link(tag, write_inlines(tag, place.inside())),
        "img": _image,
        "svg": _drawing,
        "input": _checkbox,
        "select": _selection,
    },
    **dict.fromkeys(
        ("button", "textarea"), lambda tag, place: _apart(write_inlines(tag, place.inside()))
    ),
    **{"progress": _measured, "meter": _measured, "bdo": _overridden},
    # Small above the word, where there is room; on a page in brackets behind the word.
    "rt": lambda tag, place: f"{literal('(')}{write_inlines(tag, place.inside())}{literal(')')}",
    MATH_TAG: lambda tag, place: place.draft.formula(tag.get_text(), tag.get("mode") == "display"),
}
