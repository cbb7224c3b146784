"""HTML to Typst: what Markdown cells and rich outputs show, block by block."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from bs4 import Tag
from bs4.element import PreformattedString

from coursework.pdf.css import alignment, decorations, lost_styles, reading, styles, text_arguments
from coursework.pdf.dom import TEXT_OF_DIAGRAM, parse
from coursework.pdf.draft import Draft
from coursework.pdf.formulas import tex_of_mathml
from coursework.pdf.images import note
from coursework.pdf.inline import (
    INVISIBLE_SPACES,
    Place,
    dress,
    fill_of,
    label,
    link,
    write_anchor,
    write_inline,
    write_inlines,
    write_text,
)
from coursework.pdf.lines import Span, highlight, split_lines, write_lines
from coursework.pdf.live import is_live
from coursework.pdf.markdown import MATH_TAG
from coursework.pdf.tables import write_table
from coursework.pdf.terminal import printable
from coursework.pdf.typst import literal, string

_BLOCKS = {
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hgroup", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section",
    "summary", "table", "ul",
}  # fmt: skip
_BLOCK_DISPLAYS = {"block", "flex", "grid", "list-item", "table"}


def html_to_typst(draft: Draft, html: str, in_output: bool = False) -> str:
    """Return Typst markup that shows an HTML fragment, of a Markdown cell or of an output."""
    html, spelled = printable(html.translate(INVISIBLE_SPACES))
    draft.warn_of_controls(spelled)
    tree = parse(html)
    _read_mathml(draft, tree)
    lost = lost_styles(tree)
    if lost:
        draft.warn(f"a table is shown without some of its style: {', '.join(lost)}")
    return _blocks(tree, Place(draft, in_output=in_output))


def _read_mathml(draft: Draft, tree: Tag) -> None:
    """Put TeX in the place of MathML: the TeX that comes with it, or what pandoc makes of it."""
    formulas = tree.find_all("math")
    written = [tag.find("annotation", attrs={"encoding": "application/x-tex"}) for tag in formulas]
    pairs = list(zip(formulas, written, strict=True))
    read = iter(tex_of_mathml([str(tag) for tag, tex in pairs if tex is None]))
    for tag, tex in pairs:
        formula = Tag(name=MATH_TAG)
        formula["mode"] = "display" if tag.get("display") == "block" else "inline"
        source = next(read) if tex is None else tex.get_text()
        formula.string = source
        if source.strip():
            tag.replace_with(formula)
        else:
            draft.warn("a MathML formula is shown as plain text")


def _blocks(parent: Tag, place: Place, between: str = "\n\n") -> str:
    """Write the children of a block: runs of inline content become paragraphs."""
    if place.is_too_deep():
        return write_text(parent.get_text())
    parts: list[str] = []
    run = ""
    for child in parent.children:
        if isinstance(child, Tag) and _is_block(child):
            parts += [_running(run.strip(), place.draft), _block(child, place)]
            run = ""
        else:
            run += write_inline(child, place)
    parts.append(_running(run.strip(), place.draft))
    return between.join(part for part in parts if part)


def _running(text: str, draft: Draft) -> str:
    """Set running text: its formulas decide the space between lines, and its notes the margin."""
    if "#note(" in text or "#picture(" in text:
        # What may not fit on a line goes to the next one: the line before it ends where it ends.
        text = f"#ragged[{text}]"
    numbers = re.findall(r"#formulas\.at\((\d+)\);", text)
    if not numbers:
        return text
    displays = any(draft.formulas[int(number)].display for number in numbers)
    option = ", displays: true" if displays else ""
    return f"#lines(({', '.join(numbers)},){option})[{text}]"


def _is_block(tag: Tag) -> bool:
    """Whether a tag is a block, or an inline element around one, such as a link on a table."""
    return _stands_alone(tag) or _holds_block(tag)


def _stands_alone(tag: Tag) -> bool:
    display = styles(tag).get("display", "")
    around = styles(tag.parent).get("display", "") if tag.parent else ""
    if around.endswith(("flex", "grid")):
        return True
    if display.startswith("inline") and tag.name in ("div", "p"):
        return _holds_block(tag)
    return tag.name in _BLOCKS or display in _BLOCK_DISPLAYS


def _holds_block(tag: Tag) -> bool:
    if tag.name == "svg" or is_live(tag):
        return False
    return any(isinstance(inner, Tag) and inner.name in _BLOCKS for inner in tag.descendants)


def _block(tag: Tag, place: Place) -> str:
    if tag.name not in _BLOCKS and not _holds_block(tag):
        return _running(write_inline(tag, place), place.draft)
    writer = _BLOCK_WRITERS.get(tag.name, _division)
    body = _as_read(tag, writer(tag, place))
    body = body and dress(tag, body)
    fill = fill_of(place.draft, tag) if body and tag.name not in ("table", "pre") else ""
    body = f"#filled({fill})[{body}]" if fill else body
    return write_anchor(tag, place) + body


def _as_read(tag: Tag, body: str) -> str:
    """Set the body of a tag in the language and the direction that the tag names."""
    arguments = reading(tag)
    return f"#text({arguments})[{body}]" if arguments and body else body


def _division(tag: Tag, place: Place) -> str:
    if place.in_output and "mermaid" in tag.get_attribute_list("class"):
        return _preformatted(tag, place)
    body = _blocks(tag, place.inside())
    classes = set(tag.get_attribute_list("class"))
    if "alert" in classes and body:
        kind = next((c.removeprefix("alert-") for c in classes if str(c).startswith("alert-")), "")
        return f"#callout({string(str(kind))})[{body}]"
    return _aligned(alignment(tag), body)


def _aligned(align: str, body: str) -> str:
    return f"#align({align})[{body}]" if align and body else body


def _heading(tag: Tag, place: Place) -> str:
    body = write_inlines(tag, place.inside())
    if not body.strip():
        return ""
    slug = re.sub(r"\s+", "-", tag.get_text().strip())
    name = label(slug)
    target = string(name) if place.draft.claim(name) else "none"
    look = int(tag.name[1])
    heading = f"#titled({look}, {place.draft.outline_level(look)}, {target})[{body}]"
    # The element that centres a heading may stand around its words.
    inner = next(iter(tag.find_all(["center", "div", "p"], limit=1)), tag)
    return _aligned(alignment(tag) or alignment(inner), heading)


def _paragraph(tag: Tag, place: Place) -> str:
    body = _running(write_inlines(tag, place.inside()), place.draft)
    return _aligned(alignment(tag), body)


def _list(tag: Tag, place: Place) -> str:
    if "list-inline" in tag.get_attribute_list("class") and tag.find(_is_block_of_its_own) is None:
        return _line(tag, place)
    items = []
    for child in tag.children:
        if isinstance(child, Tag):
            # In an item without paragraphs, a list inside follows the text without a gap.
            between = "\n\n" if child.find("p", recursive=False) else "\n"
            items.append(_as_read(child, _blocks(child, place.inside(4), between)))
        elif str(child).strip() and not isinstance(child, PreformattedString):
            items.append(write_text(str(child)))
    if not items:
        return ""
    body = ", ".join(f"[{item}]" for item in items)
    if tag.name == "ul":
        tasks = tag.find("input", type="checkbox") is not None
        return f"#list({'marker: none, body-indent: 0pt, ' if tasks else ''}{body})"
    pattern = {"a": "a.", "A": "A.", "i": "i.", "I": "I."}.get(str(tag.get("type", "")), "1.")
    numbers = _numbers(tag, len(items))
    if numbers != list(range(numbers[0], numbers[0] + len(items))):
        pairs = zip(numbers, items, strict=True)
        body = ", ".join(f"enum.item({number})[{item}]" for number, item in pairs)
    return f'#enum(start: {numbers[0]}, numbering: "{pattern}", {body})'


def _numbers(tag: Tag, count: int) -> list[int]:
    """Return the numbers of the items of an ordered list; Typst has none below 0."""
    step = -1 if tag.has_attr("reversed") else 1
    following = _number(tag.get("start"), count if step < 0 else 1)
    numbers = []
    for item in tag.find_all("li", recursive=False):
        numbers.append(_number(item.get("value"), following))
        following = max(0, numbers[-1] + step)
    return [*numbers, *range(following, following + count - len(numbers))]  # what is no <li>


def _number(value: object, default: int) -> int:
    return int(str(value)) if str(value).isdecimal() else default


def _is_block_of_its_own(tag: Tag) -> bool:
    return tag.name in _BLOCKS and tag.name not in ("li", "dt", "dd")


def _line(tag: Tag, place: Place) -> str:
    """Write the list by which R shows a vector as one running line, as its style sheet asks."""
    items = tag.find_all(["li", "dt"], recursive=False)
    written = []
    for item in items:
        body = write_inlines(item, place.inside())
        value = item.find_next_sibling() if item.name == "dt" else None
        if isinstance(value, Tag) and value.name == "dd":
            body = f"#strong[{body}]{literal(': ')}{write_inlines(value, place.inside())}"
        written.append(body)
    return literal(" · ").join(written)


def _definitions(tag: Tag, place: Place) -> str:
    if "dl-inline" in tag.get_attribute_list("class") and tag.find(_is_block_of_its_own) is None:
        return _line(tag, place)
    return _blocks(tag, place.inside())


def _term(tag: Tag, place: Place) -> str:
    body = _blocks(tag, place.inside(4))
    return body and f"#strong[{body}]"


def _definition(tag: Tag, place: Place) -> str:
    body = _blocks(tag, place.inside(4))
    return body and f"#pad(left: 1.5em)[{body}]"


def _details(tag: Tag, place: Place) -> str:
    summary = tag.find("summary", recursive=False)
    title = literal("Details")
    if isinstance(summary, Tag):
        title = write_inlines(summary, place.inside())
        summary.extract()
    return f"#details[{title}][{_blocks(tag, place.inside(4))}]"


def _preformatted(tag: Tag, place: Place) -> str:
    if tag.find(["img", "svg", "table"]):
        return _blocks(tag, place.inside())
    code = tag.get_text()
    language = str(tag.get("data-language", "")).strip("{}")
    if "mermaid" in tag.get_attribute_list("class"):
        language = "mermaid"
    if TEXT_OF_DIAGRAM in tag.get_attribute_list("class") and re.search(r"\S\.{3}", code):
        place.draft.warn("a diagram is shown as its text, which its library shortened by a '...'")
    if language or not (tag.find(True) or text_arguments(tag)):
        lines = highlight(code.removeprefix("\n").rstrip("\n"), language)
    else:
        lines = split_lines(_spans(tag, place.draft))
    before = ""
    if language == "mermaid":
        place.draft.warn("a mermaid diagram is shown as its source")
        before = note("[mermaid diagram, shown as its source]") + "\n\n"
    # In an output the frame of code is as wide as the frame of a code cell: 100 columns fit.
    function = "wide-listing" if place.in_output and not place.indent else "listing"
    fill = fill_of(place.draft, tag)
    arguments = f"{string(code)}, fill: {fill}" if fill else string(code)
    return f"{before}#{function}({arguments})[{write_lines(lines, place.columns)}]"


def _spans(tag: Tag, draft: Draft) -> Iterator[Span]:
    """Yield the words of preformatted text in the styles of the tags around them."""
    for text in tag.find_all(string=True):
        around = [parent for parent in text.parents if parent is tag or tag in parent.parents]
        looks: dict[str, str] = {}
        for parent in reversed(around):
            looks |= _LOOKS.get(parent.name, {}) | text_arguments(parent)
        fills = (fill_of(draft, parent) for parent in around if parent is not tag)
        lines = {line for parent in around for line in decorations(parent)}
        style = ", ".join(f"{name}: {value}" for name, value in looks.items())
        is_underlined = "underline" in lines or any(parent.name == "u" for parent in around)
        yield Span(str(text), style, next(filter(None, fills), ""), is_underlined)


_LOOKS = {
    "b": {"weight": '"bold"'},
    "strong": {"weight": '"bold"'},
    "i": {"style": '"italic"'},
    "em": {"style": '"italic"'},
}


def _table(tag: Tag, place: Place) -> str:
    inside = replace(place.inside(), tables=place.tables + 1)
    if inside.is_too_deep():
        return write_text(tag.get_text(" "))
    caption = tag.find("caption")
    title = write_inlines(caption, inside) if isinstance(caption, Tag) else ""
    return write_table(place.draft, tag, title, lambda cell: _as_read(cell, _blocks(cell, inside)))


_BLOCK_WRITERS: dict[str, Callable[[Tag, Place], str]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
    **dict.fromkeys(("ul", "ol", "menu"), _list),
    **{"p": _paragraph, "dl": _definitions, "dt": _term, "dd": _definition},
    **{"details": _details, "pre": _preformatted, "table": _table},
    "hr": lambda tag, place: "#rule();",
    "a": lambda tag, place: link(tag, _blocks(tag, place.inside())),
    "blockquote": lambda tag, place: f"#blockquote[{_blocks(tag, place.inside(4))}]",
}
