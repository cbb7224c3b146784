"""The little of CSS that prose and tables in notebooks rely on."""

import re

from bs4 import Tag

from coursework.pdf.images import Size

# The colour names that handouts use; any other colour may be given as #rrggbb or rgb().
_NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#cc0000", "green": "#007a1f", "blue": "#0033cc",
    "yellow": "#b8860b", "orange": "#c65d00", "purple": "#800080", "magenta": "#b000b0",
    "cyan": "#007a8a", "teal": "#008080", "navy": "#000080", "maroon": "#800000",
    "brown": "#8b4513", "olive": "#6b6b00", "gray": "#6e7781", "grey": "#6e7781",
    "pink": "#d6336c", "crimson": "#dc143c", "darkred": "#8b0000", "darkblue": "#00008b",
    "darkgreen": "#006400", "lime": "#2e8b00", "gold": "#a67c00", "violet": "#9932cc",
}  # fmt: skip


def styles(tag: Tag) -> dict[str, str]:
    """Return the declarations of a tag's ``style`` attribute."""
    pairs = (part.split(":", 1) for part in str(tag.get("style", "")).split(";") if ":" in part)
    return {name.strip().lower(): value.strip().lower() for name, value in pairs}


def is_hidden(tag: Tag) -> bool:
    """Whether the page would not show a tag."""
    return tag.has_attr("hidden") or styles(tag).get("display") == "none"


def alignment(tag: Tag) -> str:
    """Return the horizontal alignment of a tag's text: its own or its row's, or empty."""
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
