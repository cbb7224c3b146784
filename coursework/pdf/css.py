"""The CSS of a fragment: what its style sheets say of each element, and what a page shows of it."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement
from PIL import ImageColor

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


def apply_styles(soup: BeautifulSoup) -> None:
    """Write what style sheets say of an element into its ``style``, and do what changes words.

    What a browser hides is taken out; letters become capitals where that is asked for.
    """
    # A drawing knows its own styles.
    drawn = {id(part) for drawing in soup.find_all("svg") for part in drawing.descendants}
    tags = [tag for tag in soup.descendants if isinstance(tag, Tag) and id(tag) not in drawn]
    for tag in filter(_is_hidden_by_itself, tags):
        tag["style"] = f"display: none; {tag.get('style', '')}"
    if soup.style is not None:
        _apply_sheets(soup)
    gone: set[int] = set()
    for tag in tags:
        if "style" not in tag.attrs or id(tag) in gone:
            continue
        style = styles(tag)
        if _is_unseen(style):
            for script in tag.find_all("script"):  # it runs all the same
                tag.insert_before(script)
            gone.update(map(id, (tag, *tag.descendants)))
            tag.extract()
        elif style.get("visibility") == "hidden":
            _clear(tag)
        elif style.get("text-transform") in _TRANSFORMS:
            _transform(tag)
        if style.get("white-space", "").startswith(("pre", "break-spaces")):
            _keep_lines(tag, spaces=style["white-space"] != "pre-line")
    for tag in filter(_is_pale, (tag for tag in tags if id(tag) not in gone)):
        del tag["color"]
        tag["style"] = re.sub(r"(?i)(^|;)\s*color\s*:[^;]*", "", str(tag.get("style", "")))


def _is_hidden_by_itself(tag: Tag) -> bool:
    return tag.has_attr("hidden") or (tag.name == "dialog" and not tag.has_attr("open"))


# What changes the page; of other properties only those are kept whose loss is told.
_SHOWN_PROPERTIES = re.compile(
    "color|background(-color|-image)?|font-(weight|style)|text-(align|transform|decoration(-line)?)"
    "|display|visibility|direction|opacity|position|overflow|clip|clip-path|(max-)?(width|height)"
    "|content|white-space"
    "|border(-(top|right|bottom|left))?|text-shadow|transform|filter"
)
_LOST_PROPERTIES = re.compile(
    "border(-(top|right|bottom|left))?|opacity|text-shadow|transform|filter"
)
_NEVER = re.compile(r":(hover|focus|active|target|visited)")
_NAMES = re.compile(r"[.#]([\w-]+)")
_CHOICES = re.compile(r":[\w-]+\([^)]*\)")
_PSEUDO_ELEMENT = re.compile(r"::?(before|after)$")


def _apply_sheets(soup: BeautifulSoup) -> None:
    """So pandas colours a table: each cell has an id, and a style sheet stands before the table."""
    by_id = {str(tag["id"]): tag for tag in soup.find_all(id=True)}
    named = {name for tag in soup.find_all(class_=True) for name in tag["class"]} | by_id.keys()
    said: dict[int, tuple[Tag, list[tuple[bool, tuple[int, int, int], str]]]] = {}
    for selector, weight, declarations in _rules(soup):
        pseudo = _PSEUDO_ELEMENT.search(selector)
        plain = selector[: pseudo.start()] if pseudo else selector
        if not named.issuperset(_NAMES.findall(_CHOICES.sub("", plain))):
            continue  # most of a large style sheet is for other pages
        found = by_id.get(plain[1:]) if plain.startswith("#") else None
        for tag in [found] if found else _select(soup, plain):
            if pseudo:
                _add_content(tag, pseudo[1], declarations)
                continue
            _, rules = said.setdefault(id(tag), (tag, []))
            rules += [
                (important, weight, f"{name}: {value}") for important, name, value in declarations
            ]
    for tag, rules in said.values():
        rules.sort(key=lambda rule: rule[:2])  # of equal ones the last counts
        usual = [text for important, _, text in rules if not important]
        above_all = [text for important, _, text in rules if important]
        tag["style"] = "; ".join([*usual, str(tag.get("style", "")), *above_all])


def _rules(soup: BeautifulSoup) -> Iterator[tuple[str, tuple[int, int, int], list[Any]]]:
    """Yield each selector of a fragment's style sheets, its weight and its declarations."""
    import tinycss2  # takes 15 ms, and few fragments have a style sheet

    def read(rules: list[Any]) -> Iterator[Any]:
        for rule in rules:
            if rule.type == "qualified-rule":
                yield rule
            elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "layer"):
                medium = tinycss2.serialize(rule.prelude).strip().lower()
                if rule.content and (medium in ("screen", "all") or rule.at_keyword == "layer"):
                    yield from read(tinycss2.parse_rule_list(rule.content, True, True))

    variables: dict[str, str] = {}
    rules = []
    for sheet in soup.find_all("style"):
        for rule in read(tinycss2.parse_stylesheet(sheet.get_text(), True, True)):
            declarations = []
            for each in tinycss2.parse_declaration_list(rule.content, True, True):
                if each.type != "declaration":
                    continue
                value = tinycss2.serialize(each.value).strip()
                if each.name.startswith("--"):
                    variables.setdefault(each.name, value)  # later ones are of other themes
                elif _SHOWN_PROPERTIES.fullmatch(each.lower_name):
                    declarations.append((each.important, each.lower_name, value))
            if declarations:
                rules.append((tinycss2.serialize(rule.prelude), declarations))
    for prelude, declarations in rules:
        declarations = [(*key, _resolve(value, variables)) for *key, value in declarations]
        for selector in re.split(r",(?![^(]*\))", prelude):
            if not _NEVER.search(selector):
                yield selector.strip(), _weight(selector), declarations


_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,((?:[^()]|\([^()]*\))*))?\)")


def _resolve(value: str, variables: dict[str, str]) -> str:
    """Put the values of variables into a value; of an unknown one the value it has without."""
    for _ in range(5 if "var(" in value else 0):  # within each other
        value = _VARIABLE.sub(lambda found: variables.get(found[1], found[2] or found[0]), value)
    return value.strip()


def _weight(selector: str) -> tuple[int, int, int]:
    """Return how many ids, classes and names of elements a selector has: more count more."""
    ids, classes = len(re.findall(r"#[\w-]", selector)), len(re.findall(r"[.\[]|:[\w-]", selector))
    return ids, classes, len(re.findall(r"(?:^|[\s>+~(])[A-Za-z]", selector))


def _select(soup: BeautifulSoup, selector: str) -> list[Tag]:
    try:
        return list(soup.select(selector))
    except (soup.css.api.SelectorSyntaxError, NotImplementedError):
        return []  # it is wrong, or of a later CSS


def _add_content(tag: Tag, place: str, declarations: list[Any]) -> None:
    """Add the words that a style sheet sets before or after what is in an element."""
    for _, name, value in declarations:
        words = re.fullmatch(r""""([^"\\]*[^\W_][^"\\]*)"|'([^'\\]*[^\W_][^'\\]*)'""", value)
        if name == "content" and words:
            tag.insert(0 if place == "before" else len(tag.contents), words[1] or words[2])


def _is_unseen(style: dict[str, str]) -> bool:
    """Whether nothing of an element is seen, and no room is kept for it."""
    sizes = {style.get(name) for name in ("width", "height", "max-width", "max-height")}
    small = sizes & {"0", "0px", "1px"}
    return (
        style.get("display") == "none"
        or style.get("visibility") == "collapse"
        or style.get("opacity") in ("0", "0%", "0.0")
        or ("clip" in style and style.get("position") == "absolute" and bool(small))
        or (style.get("overflow") == "hidden" and bool(small))
    )


def _clear(tag: Tag) -> None:
    """Take out what is invisible in an element that keeps its room, such as a cell of a table."""

    def is_visible(node: PageElement) -> bool:
        said = (styles(parent).get("visibility") for parent in node.parents)
        return next(filter(None, said), "") == "visible"

    for node in list(tag.descendants):
        is_leaf = isinstance(node, NavigableString) or not getattr(node, "contents", ())
        if is_leaf and not is_visible(node):
            node.extract()


_FIRST_LETTER = re.compile(r"(?<![\w'’])[^\W\d_]")
_TRANSFORMS: dict[str | None, Callable[[str], str]] = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "capitalize": lambda text: _FIRST_LETTER.sub(lambda letter: letter[0].upper(), text),
}
_NO_PROSE = {"script", "style", "svg", "tex-math", "math"}


def _transform(tag: Tag) -> None:
    """Write the words of an element in capitals or in small letters."""
    for text in tag.find_all(string=True):
        asked = [styles(parent).get("text-transform") for parent in text.parents]
        change = _TRANSFORMS.get(next(filter(None, asked), ""))
        inner = any(parent.name in _NO_PROSE for parent in text.parents)
        if change and type(text) is NavigableString and not inner:
            text.replace_with(change(text))


_PARTS_OF_TABLES = {"table", "thead", "tbody", "tfoot", "tr"}


def _keep_lines(tag: Tag, spaces: bool) -> None:
    """Write the ends of lines, and the spaces where that is asked for, as HTML keeps them."""
    for text in tag.find_all(string=True):
        within = {parent.name for parent in text.parents}
        is_between = text.parent is not None and text.parent.name in _PARTS_OF_TABLES
        if type(text) is not NavigableString or within & {*_NO_PROSE, "pre"} or is_between:
            continue
        lines = str(text).split("\n")
        if spaces:
            lines = [re.sub(r"  +", lambda run: "\xa0" * len(run[0]), line) for line in lines]
        parts = [
            part for line in lines for part in (Tag(name="br", can_be_empty_element=True), line)
        ]
        text.replace_with(*parts[1:])


def _is_pale(tag: Tag) -> bool:
    """Whether words have nearly the colour behind them, and are better black.

    White words may stand on a background that the page does not show.
    """
    colour = text_color(tag)
    if not colour:
        return False
    behind = "#ffffff"
    for part in (tag, *tag.parents):
        try:
            fill = background(part)
        except ValueError:
            continue
        if fill.startswith("gradient"):
            return False
        if fill:
            behind = fill[5:12]
            break
    light, dark = sorted(map(_luminance, (colour, behind)), reverse=True)
    return (light + 0.05) / (dark + 0.05) < _LEAST_CONTRAST


_LEAST_CONTRAST = 1.3


def _luminance(colour: str) -> float:
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (level * level for level in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lost_styles(soup: BeautifulSoup) -> list[str]:
    """Return the names of properties that change the look of a table and are not on the page."""
    lost = [
        name
        for tag in soup.find_all(["table", "tr", "th", "td"], style=True)
        for name, value in styles(tag).items()
        if _LOST_PROPERTIES.fullmatch(name) and value not in ("none", "0", "0px")
    ]
    return list(dict.fromkeys(lost))


def styles(tag: Tag) -> dict[str, str]:
    """Return the declarations of a tag's ``style`` attribute, which nobody may change."""
    return _declarations(str(tag.attrs.get("style", "")))


@lru_cache(maxsize=1000)
def _declarations(style: str) -> dict[str, str]:
    parts = re.split(r";(?![^(]*\))", style)
    pairs = (part.split(":", 1) for part in parts if ":" in part)
    return {
        name.strip().lower(): value.strip().lower().removesuffix("!important").strip()
        for name, value in pairs
    }


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


def text_color(tag: Tag) -> str:
    """Return the colour that a tag gives to its words, as ``#rrggbb``; empty if it gives none."""
    return parse_color(styles(tag).get("color", "") or str(tag.get("color", "")))


def text_arguments(tag: Tag) -> dict[str, str]:
    """Return the arguments of Typst's ``text`` for a tag's colour, weight and slant."""
    style = styles(tag)
    color = text_color(tag)
    arguments = {"fill": f'rgb("{color}")'} if color else {}
    if re.fullmatch(r"bold(er)?|[6-9]00", style.get("font-weight", "")):
        arguments["weight"] = '"bold"'
    if style.get("font-style") == "italic":
        arguments["style"] = '"italic"'
    return arguments


def text_style(tag: Tag) -> str:
    """Return `text_arguments` as they are written in a call."""
    return ", ".join(f"{name}: {value}" for name, value in text_arguments(tag).items())


def decorations(tag: Tag) -> list[str]:
    """Return the functions of Typst for the lines that a tag draws under or through its words."""
    style = styles(tag)
    asked = f"{style.get('text-decoration', '')} {style.get('text-decoration-line', '')}"
    lines = {"underline": "underline", "line-through": "strike"}
    return [function for name, function in lines.items() if name in asked.split()]


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
    if not value:
        return ""
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
    """Return the size that an image's style or attributes ask for.

    A width and a height as attributes stretch no picture: in Jupyter the width alone counts then.
    """
    style = styles(tag)
    width = _length(style.get("width") or str(tag.get("width", "")))
    height = _length(style.get("height") or ("" if width else str(tag.get("height", ""))))
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
