"""What a browser draws and a page cannot: its kind, its still picture, the note in its place."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from coursework.pdf.dom import parse
from coursework.pdf.draft import Draft
from coursework.pdf.images import note, said_of
from coursework.pdf.notebook import shorten

LIVE = {"iframe", "video", "audio", "canvas", "object", "embed"}
"""Elements that move, or that show another file."""

SILENT_INPUTS = {"hidden", "range", "radio", "file", "color", "image", "password"}
"""Types of an ``<input>`` whose value is no text on the screen."""

# What the types of an output, or the scripts of an HTML output, say about the drawing.
_KINDS = (
    ("jupyter.widget", "widget"),
    ("plotly", "plotly chart"),
    ("vega", "Vega chart"),
    ("bokeh", "Bokeh chart"),
    ("holoviews", "HoloViews chart"),
    ("geo+json", "map"),
    ("leaflet", "map"),
    ("mermaid", "mermaid diagram"),
    ("3dmol", "3Dmol view"),
    ("shap.reactdom", "SHAP chart"),
    ("datatable", "JavaScript table"),
    ("/javascript", "JavaScript program"),
    ("video/", "video"),
    ("audio/", "audio"),
)
_WAITS = re.compile(r"loading\b.{0,80}$", re.IGNORECASE)
_LOADER = re.compile(r"_load\.v\d+\+json$")  # fetches the library of the charts that follow
_NO_CONTENT = {
    "script", "style", "link", "meta", "head", "title", "base", "template", "br", "noscript",
}  # fmt: skip
_SHOWS = {"svg", "math", "hr", "input", "progress", "meter"}
# A script without an element of its own draws only if it writes into the page, and not if it only
# fetches a library.
_WRITES = re.compile(r"document\.|\belement\b|append|\$\(|draw|plot", re.IGNORECASE)
# What draws, whatever words stand beside: the calls of libraries, and what fills an empty element.
_DRAWS = re.compile(
    r"newPlot\s*\(|vegaEmbed|3Dmol\.|SHAP\.ReactDom|(?:new |\.)(?:[dD]ataTable|ITable)\s*\("
    r"|Bokeh\.embed|embed_document|embed_items"
)
_QUOTED = re.compile(r"""["'`]#?([\w:.-]+)["'`]""")
_EMPTY = {"div", "span", "p", "figure", "section", "script", "style"}
_FETCHES = re.compile(r"""PlotlyConfig|document\.head|["']head["']""")
_NO_PROGRAM = re.compile("json|template|math|text/x-", re.IGNORECASE)
_FIRST_FRAME = re.compile(r"""frames\[0\]\s*=\s*["']([^"']+)""")
_STILL = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\\\s]+")


@dataclass(frozen=True)
class Look:
    """How an HTML output looks in a browser."""

    drawing: str = ""  # what its scripts draw; empty if the HTML itself is all that it shows
    still: str = ""  # the address or the data URI of a picture in those scripts
    has_words: bool = False  # the HTML itself shows something beside that drawing
    is_blank: bool = False  # it shows nothing, as a style sheet does
    is_frame: bool = False  # it shows nothing but frames, films and sounds


def look_at(html: str) -> Look:
    """Find out what an HTML output shows, and whether its scripts draw it."""
    soup = parse(html)
    code = "\n".join(
        script.get_text()
        for script in soup.find_all("script")
        if not _NO_PROGRAM.search(str(script.get("type", "")))
    )
    first_frame = _FIRST_FRAME.search(code)
    if first_frame:
        return Look("animation", _unfolded(first_frame[1]))
    widgets = soup.find("script", type=re.compile("jupyter.widget-view")) is not None
    content = [tag for tag in soup.find_all(True) if tag.name not in _NO_CONTENT]
    shows = any(map(_shows, content))
    words = _first_words(soup)
    if words or shows:
        if not shows and _WAITS.match(words):
            if code:
                return Look(_kind([html], "JavaScript program"))
            if soup.find(id=True) is not None and words.endswith(("...", "…")):
                return Look(is_blank=True)  # the script of another output takes its place
        if _DRAWS.search(code) or _fills_an_empty_element(soup, code):
            return Look(_kind([code], "JavaScript program"), has_words=True)
        return Look()
    if widgets:
        return Look("widget")
    if any(is_live(tag) for tag in content):
        return Look(is_frame=True)
    if code and (content or (_WRITES.search(code) and not _FETCHES.search(code))):
        still = _STILL.search(code)
        return Look(_kind([html], "JavaScript program"), _unfolded(still[0]) if still else "")
    return Look(is_blank=True)


def _fills_an_empty_element(soup: BeautifulSoup, code: str) -> bool:
    """Whether scripts name an element that is shown, but holds nothing before they run."""
    empty = {
        str(tag["id"])
        for tag in soup.find_all(_EMPTY - {"script", "style"}, id=True)
        if not tag.get_text(strip=True)
        and all(inner.name in _EMPTY for inner in tag.find_all(True))
    }
    return bool(empty) and not empty.isdisjoint(_QUOTED.findall(code))


def is_live(tag: Tag) -> bool:
    """Whether a browser shows an element, and what is in it only where it cannot."""
    names_a_file = tag.has_attr("data") or tag.has_attr("src")
    return tag.name in LIVE and (tag.name != "object" or names_a_file or not tag.contents)


def _unfolded(uri: str) -> str:
    r"""Return a data URI that a script writes on several lines, each ended by a ``\``."""
    return re.sub(r"\\?\s", "", uri)


def _shows(tag: Tag) -> bool:
    if tag.name == "img":
        return bool(tag.get("src"))
    return tag.name in _SHOWS and tag.get("type") not in SILENT_INPUTS


def _first_words(soup: BeautifulSoup) -> str:
    """Return the first texts that a browser shows: enough to tell whether there are any."""
    texts = (
        text.strip()
        for text in soup.find_all(string=True)
        if type(text) is NavigableString
        and text.strip()
        and not any(tag.name in _NO_CONTENT or is_live(tag) for tag in text.parents)
    )
    return " ".join(islice(texts, 20))


def drawing_kind(forms: Iterable[str]) -> str:
    """Return what kind of drawing an output of some types is, empty if it can be printed."""
    if only_loads(forms):
        return ""
    return _kind([form for form in forms if form != "text/vnd.mermaid"], "")


def only_loads(forms: Iterable[str]) -> bool:
    """Whether an output of some types only fetches the library of the charts that follow."""
    return any(map(_LOADER.search, forms))


def _kind(texts: list[str], default: str) -> str:
    small = [text.lower() for text in texts]
    return next((kind for sign, kind in _KINDS if any(sign in text for text in small)), default)


def alternative_text(plain: str) -> str:
    """Return a short form of an output's text, empty where it only names an object in memory."""
    return "" if re.fullmatch(r"\s*<.*>\s*", plain, re.DOTALL) else shorten(plain, 300)


def not_shown(
    draft: Draft, kind: str, about: str = "", source: str = "", has_still: bool = False
) -> str:
    """Return a note in the place of what only a browser shows, and warn of it.

    The note names what it is, its alternative text and its address, and says whether a picture of
    it stands beside the note.
    """
    source = said_of(source)
    article = "an" if kind.lstrip("<")[0] in "aeiou" else "a"
    happens = "is printed as a still picture" if has_still else "cannot be printed"
    draft.warn(f"{article} {kind} {happens} {source}".rstrip())
    told = " ".join(filter(None, (kind.strip("<>"), about, source)))
    shown = "shown as a still picture" if has_still else "not shown"
    return note(f"[interactive content, {shown}: {told}]")
