"""Fragments of HTML as trees, read as browsers read them."""

import re

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import PageElement

from coursework.pdf.css import apply_styles

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
    "tfoot": {"tbody", "thead"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "option": {"option"},
}  # fmt: skip
# An element outside of one of these does not end because of a tag inside of it.
_SCOPES = {"table", "ul", "ol", "dl", "div", "blockquote", "details", "section", "select", "button"}


def parse(html: str) -> BeautifulSoup:
    """Parse an HTML fragment as browsers do, with the end tags that authors leave out.

    Style sheets are applied: what a browser hides is not in the tree.
    """
    soup = BeautifulSoup(_with_heading_ends(html), "html.parser")
    for fallback in soup.find_all(class_=_TEXT_OF_HTML):
        _take_text(fallback)
    for tag in soup.find_all(list({name for names in _ENDED_BY.values() for name in names})):
        ended = _ended_by(tag)
        if ended is not None:
            moved = [tag, *tag.next_siblings]
            for node in reversed(moved):
                ended.insert_after(node)
    for line_end in soup.select("pre br"):
        line_end.replace_with("\n")
    for table in soup.find_all("table"):
        _arrange(table, table)
        table.extend(table.find_all("tfoot", recursive=False))  # the last part wherever it stands
    apply_styles(soup)
    return soup


def _with_heading_ends(html: str) -> str:
    """Let ``</h3>`` end a heading of any level, as browsers do."""
    levels: list[str] = []  # of the headings that have begun

    def mend(match: re.Match[str]) -> str:
        if match[1]:
            return f"</h{levels.pop() if levels else match[2]}"
        levels.append(match[2])
        return match[0]

    return re.sub(r"<(/?)[hH]([1-6])(?=[\s>])", mend, html)


TEXT_OF_DIAGRAM = "text-of-diagram"
"""The class of a ``<pre>`` that stands for what a browser draws of an object."""

# The diagrams of scikit-learn and the folded tables of xarray bring the same in plain text.
_TEXT_OF_HTML = re.compile("-text-repr-fallback")


def _take_text(fallback: Tag) -> None:
    """Leave of an object's HTML, most of which is folded, the text that it brings for readers."""
    text = fallback if fallback.name == "pre" else fallback.pre
    if text is not None and fallback.parent is not None:
        parent = fallback.parent
        text.extract()
        text["class"] = TEXT_OF_DIAGRAM
        parent.clear()
        parent.append(text)


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
