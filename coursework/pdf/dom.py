"""Fragments of HTML as trees, and the little CSS that prose and tables in notebooks rely on."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

# An element without an end tag ends where one of these begins.
_ENDED_BY = {
    "li": {"li"},
    "p": {
        "p", "div", "ul", "ol", "table", "pre", "blockquote", "hr", "h1", "h2", "h3", "h4", "h5",
        "h6", "dl", "details", "section",
    },
    "td": {"td", "th", "tr", "tbody", "thead", "tfoot"},
    "th": {"td", "th", "tr", "tbody", "thead", "tfoot"},
    "tr": {"tr", "tbody", "thead", "tfoot"},
    "thead": {"tbody", "tfoot"},
    "tbody": {"tbody", "tfoot"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "option": {"option"},
}  # fmt: skip
# An element outside of one of these does not end because of a tag inside of it.
_SCOPES = {"table", "ul", "ol", "dl", "div", "blockquote", "details", "section", "select", "button"}


# The colour names that handouts use; any other colour may be given as #rrggbb or rgb().
_NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#cc0000", "green": "#007a1f", "blue": "#0033cc",
    "yellow": "#b8860b", "orange": "#c65d00", "purple": "#800080", "magenta": "#b000b0",
    "cyan": "#007a8a", "teal": "#008080", "navy": "#000080", "maroon": "#800000",
    "brown": "#8b4513", "olive": "#6b6b00", "gray": "#6e7781", "grey": "#6e7781",
    "pink": "#d6336c", "crimson": "#dc143c", "darkred": "#8b0000", "darkblue": "#00008b",
    "darkgreen": "#006400", "lime": "#2e8b00", "gold": "#a67c00", "violet": "#9932cc",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """The size that an author asked for, as Typst lengths; empty where nothing was asked."""

    width: str = ""
    height: str = ""


def parse(html: str) -> BeautifulSoup:
    """Parse an HTML fragment as browsers do, with the end tags that authors leave out."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(list({name for names in _ENDED_BY.values() for name in names})):
        ended = _ended_by(tag)
        if ended is not None:
            moved = [tag, *tag.next_siblings]
            for node in reversed(moved):
                ended.insert_after(node)
    return soup


def _ended_by(tag: Tag) -> Tag | None:
    """Return the outermost ancestor that ends where ``tag`` begins."""
    found = None
    for ancestor in tag.parents:
        if tag.name in _ENDED_BY.get(ancestor.name, ()):
            found = ancestor
        if ancestor.name in _SCOPES and ancestor is not found:
            break
    return found


def styles(tag: Tag) -> dict[str, str]:
    """Return the declarations of a tag's ``style`` attribute."""
    pairs = (part.split(":", 1) for part in str(tag.get("style", "")).split(";") if ":" in part)
    return {name.strip().lower(): value.strip().lower() for name, value in pairs}


def is_hidden(tag: Tag) -> bool:
    """Whether a browser would not show a tag."""
    return tag.has_attr("hidden") or styles(tag).get("display") == "none"


def alignment(tag: Tag) -> str:
    """Return the alignment of a tag's text, or of a cell's row; empty if neither names one."""
    for candidate in (tag, tag.parent if tag.name in ("td", "th") else None):
        if candidate is not None:
            value = str(candidate.get("align", "")).lower() or styles(candidate).get("text-align")
            if value in ("left", "center", "right"):
                return str(value)
    return ""


def text_style(tag: Tag) -> str:
    """Return the arguments of Typst's ``text`` for a tag's colour, weight and slant."""
    style = styles(tag)
    arguments = []
    color = parse_color(str(tag.get("color", "")) or style.get("color", ""))
    if color:
        arguments.append(f'fill: rgb("{color}")')
    if re.fullmatch(r"bold(er)?|[6-9]00", style.get("font-weight", "")):
        arguments.append('weight: "bold"')
    if style.get("font-style") == "italic":
        arguments.append('style: "italic"')
    return ", ".join(arguments)


def parse_color(value: str) -> str:
    """Return a colour as ``#rrggbb``, or empty where it is unknown."""
    value = value.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", value):
        return value
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        return "#" + "".join(digit * 2 for digit in value[1:])
    match = re.match(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)", value)
    if match:
        return "#" + "".join(f"{min(255, int(level)):02x}" for level in match.groups())
    return _NAMED.get(value, "")


def image_size(tag: Tag) -> Size:
    """Return the size that an image's attributes or style ask for."""
    style = styles(tag)
    width, height = (_length(str(tag.get(k) or style.get(k, ""))) for k in ("width", "height"))
    # A height in percent refers to a box that a page does not have.
    return Size(width, "" if height.endswith("%") else height)


def _length(value: str) -> str:
    """Translate a CSS length; a CSS pixel is 3/4 of a point."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(px|pt|em|%|cm|mm|in)?\s*", value)
    if match is None or float(match[1]) == 0:
        return ""
    if match[2] in (None, "px"):
        return f"{float(match[1]) * 0.75:g}pt"
    return f"{match[1]}{match[2]}"
