"""Fragments of HTML as trees, and the little CSS that prose and tables in notebooks rely on."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import PageElement
from PIL import ImageColor

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
    for table in soup.find_all("table"):
        _arrange(table, table)
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


# What may stand in the parts of a table; browsers show all else before the table.
_IN_TABLE = {"caption", "colgroup", "col", "style", "script", "template"}
_GROUPS = {"thead", "tbody", "tfoot"}


def _arrange(part: Tag, table: Tag) -> None:
    """Put cells without a row into one, and what stands between the cells before the table."""
    row: Tag | None = None
    for node in list(part.children):
        name = node.name if isinstance(node, Tag) else ""
        if name in ("td", "th") and part.name != "tr":
            if row is None:
                row = Tag(name="tr")
                node.insert_before(row)
            row.append(node)
        elif isinstance(node, Tag) and (name == "tr" or name in _GROUPS) and part.name != "tr":
            row = None
            _arrange(node, table)
        elif name not in ("td", "th") and name not in _IN_TABLE and _is_shown(node):
            table.insert_before(node)


def _is_shown(node: PageElement) -> bool:
    return not isinstance(node, Comment) and (isinstance(node, Tag) or bool(str(node).strip()))


def inline_styles(soup: BeautifulSoup) -> list[str]:
    """Write the styles that a fragment gives to ids into the ``style`` of what they select.

    So pandas colours a table: each cell has an id, and a style sheet stands before the table.

    Returns
    -------
    list of str
        The names of properties that change the look of a table and are not shown on a page.
    """
    rules = _rules(soup)
    if not rules:
        return []
    by_id = {str(tag["id"]): tag for tag in soup.find_all(id=True)}
    own: dict[int, str] = {}  # what a tag says by itself comes last, and so it counts
    lost = []
    for selectors, declarations in rules:
        for selector in map(str.strip, selectors.split(",")):
            if not selector.startswith("#") or ":hover" in selector:
                continue
            found = by_id.get(selector[1:])
            for tag in [found] if found else _select(soup, selector):
                before = str(tag.get("style", ""))
                written = own.setdefault(id(tag), before)
                tag["style"] = f"{before.removesuffix(written)}{declarations};{written}"
                if tag.name in ("table", "tr", "th", "td"):
                    lost += [
                        name
                        for name, value in styles(tag).items()
                        if _LOST_PROPERTIES.fullmatch(name) and value not in ("none", "0", "0px")
                    ]
    return list(dict.fromkeys(lost))


_LOST_PROPERTIES = re.compile(
    "border(-(top|right|bottom|left))?|opacity|text-(decoration|shadow)|transform|filter"
)


def _rules(soup: BeautifulSoup) -> list[tuple[str, str]]:
    """Return the selectors and the declarations of each rule in a fragment's style sheets."""
    sheets = "".join(sheet.get_text() for sheet in soup.find_all("style"))
    if "#" not in sheets:
        return []
    return re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL))


def _select(soup: BeautifulSoup, selector: str) -> list[Tag]:
    try:
        return list(soup.select(selector))
    except soup.css.api.SelectorSyntaxError:  # it is wrong, or of a later CSS
        return []


def styles(tag: Tag) -> dict[str, str]:
    """Return the declarations of a tag's ``style`` attribute."""
    pairs = (part.split(":", 1) for part in str(tag.get("style", "")).split(";") if ":" in part)
    return {
        name.strip().lower(): value.strip().lower().removesuffix("!important").strip()
        for name, value in pairs
    }


def is_hidden(tag: Tag) -> bool:
    """Whether a browser would not show a tag."""
    return tag.has_attr("hidden") or styles(tag).get("display") == "none"


def alignment(tag: Tag) -> str:
    """Return the alignment of a tag's text, or of a cell's row; empty if neither names one."""
    if tag.name == "center":
        return "center"
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


def reading(tag: Tag) -> str:
    """Return the arguments of Typst's ``text`` for a tag's language and direction of reading."""
    arguments = []
    language = re.fullmatch(r"([a-z]{2,3})(-[a-z]{4})?(-([a-z]{2}))?", str(tag.get("lang")).lower())
    if language:
        arguments.append(f'lang: "{language[1]}"')
        if language[4]:
            arguments.append(f'region: "{language[4]}"')
    asked = str(tag.get("dir", "")).lower() or styles(tag).get("direction", "")
    if asked == "auto" or (tag.name == "bdi" and not asked):
        asked = "rtl" if reads_right_to_left(tag.get_text()) else "ltr"
    if asked in ("ltr", "rtl"):
        arguments.append(f"dir: {asked}")
    return ", ".join(arguments)


def reads_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction is one of Hebrew, Arabic or their kin."""
    classes = map(unicodedata.bidirectional, text)
    return next((kind for kind in classes if kind in ("L", "R", "AL")), "L") != "L"


def parse_color(value: str) -> str:
    """Return a colour of text as ``#rrggbb``, or empty where it is unknown."""
    value = value.strip().lower()
    try:
        return _NAMED.get(value) or _hexadecimal(*_levels(value)[:3])
    except ValueError:
        return ""


def _levels(colour: str) -> tuple[int, int, int, float]:
    """Return red, green and blue from 0 to 255 and the opacity from 0 to 1 of a CSS colour.

    Raises
    ------
    ValueError
        If it is no colour; the message is the text.
    """
    match = re.fullmatch(
        r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,/]*(?:([\d.]+)(%?))?\s*\)", colour
    )
    if match:
        red, green, blue = (min(255, int(level)) for level in match.group(1, 2, 3))
        opacity = float(match[4] or 1) / (100 if match[5] else 1)
        return red, green, blue, min(1.0, opacity)
    try:
        red, green, blue, *alpha = ImageColor.getrgb(colour)
    except ValueError:
        raise ValueError(colour) from None
    return red, green, blue, alpha[0] / 255 if alpha else 1.0


def _hexadecimal(*levels: int) -> str:
    return "#" + "".join(f"{level:02x}" for level in levels)


def background(tag: Tag) -> str:
    """Return the background of a table's cell as a Typst fill, empty if it has none.

    Raises
    ------
    ValueError
        If it is none that a page can show; the message is the background.
    """
    style = styles(tag)
    asked = style.get("background", "") or style.get("background-image", "")
    colour = style.get("background-color", "") or str(tag.get("bgcolor", ""))
    bar = re.search(r"linear-gradient\((.*)\)", asked)
    if bar:
        return _gradient(bar[1], _fill(colour) or "white")
    return _fill(asked or colour)


def _gradient(arguments: str, behind: str) -> str:
    """Return the bar of a pandas Styler, which is a gradient with sharp edges, as a Typst fill."""
    direction, *stops = re.split(r",(?![^(]*\))", arguments)
    if direction.strip() not in ("90deg", "to right"):
        raise ValueError(f"linear-gradient({arguments})")
    matches = [re.fullmatch(r"\s*(.+?)\s+(\d+(?:\.\d+)?)%\s*", stop) for stop in stops]
    fills = [_fill(match[1]) or behind for match in matches if match]
    # A stop before the one that precedes it counts as at the same place.
    places = list(accumulate((min(100.0, float(match[2])) for match in matches if match), max))
    if len(fills) != len(stops):
        raise ValueError(f"linear-gradient({arguments})")
    # A gradient of Typst goes from 0 % to 100 %; in CSS the first and the last colour go on.
    ends = zip([fills[0], *fills, fills[-1]], [0.0, *places, 100.0], strict=True)
    return f"gradient.linear({', '.join(f'({fill}, {place:g}%)' for fill, place in ends)})"


def _fill(value: str) -> str:
    """Return a CSS colour as a Typst colour, empty for one that cannot be seen."""
    if value in ("", "none", "transparent", "inherit", "initial", "unset"):
        return ""
    *levels, opacity = _levels(value)
    # The paper is white, so a colour that lets it through is a lighter one.
    seen = (round(255 - (255 - level) * opacity) for level in levels)
    return f'rgb("{_hexadecimal(*seen)}")' if opacity else ""


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
