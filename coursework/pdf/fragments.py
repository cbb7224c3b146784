"""Fragments of HTML as trees, with the end tags that authors leave out."""

from bs4 import BeautifulSoup, Tag

# An element ends where one of these begins, though nobody wrote its end tag.
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
# No end tag is implied across the border of one of these.
_SCOPES = {"table", "ul", "ol", "dl", "div", "blockquote", "details", "section", "select", "button"}


def parse(html: str) -> BeautifulSoup:
    """Parse an HTML fragment leniently, as browsers do."""
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
