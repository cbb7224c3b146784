"""What a reader sees of Markdown and HTML: pieces of text, formulas, pictures, in order.

Markdown is read with markdown-it, HTML as browsers read it (Lexbor); the exporter uses neither.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html import escape

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from coursework.check.notebook import spell_controls


class _Markdown(MarkdownIt):
    """Markdown in which every link is a link, also one to a local file or to a script."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 (the name is the library's)
        return True


_MARKDOWN = _Markdown("commonmark").enable(["table", "strikethrough"])

# Code is set aside first, as Jupyter does it, by marking its start, its dollars and backslashes.
_CODE = re.compile(
    r"""^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ ]{0,3}(?P=fence)[`~]*[ ]*$|\Z)
    |(?<![`\\])(?P<ticks>`+)(?!`)(?:(?!\n[ ]*\n).)*?(?<!`)(?P=ticks)(?!`)
    |<(?P<raw>script|style|pre|code|textarea|svg)\b.*?</(?P=raw)\s*>
    |<!--.*?-->
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_NO_MARKS = dict.fromkeys(range(0xE000, 0xE005))
_MARKS = str.maketrans({"\ue002": "", "\ue003": "$", "\ue004": "\\"})

# What MathJax looks for in the rest. A dollar in a tag or before code opens no formula.
_MATH = re.compile(
    r"""(?P<escaped>\\\\?\$)
    |\$\$(?P<display>(?:\\(?:text\w*|mbox|tag\*?)\{[^{}]*\}|[^$\\]|\\.)+?)\$\$
    |(?P<environment>\\begin\{(?P<name>[a-zA-Z]+\*?)\}.*?\\end\{(?P=name)\})
    |\$(?P<inline>(?:\\(?:text\w*|mbox|tag\*?)\{[^{}]*\}|[^$\\\n\ue002<]|\\.
        |<(?![A-Za-z]+\s+[a-z]+=|/)|\n(?![ \t]*\n))+?)\$
    |\\\\\[(?P<bracket>.+?)\\\\\]
    |\\\\\((?P<paren>.+?)\\\\\)
    |(?P<reference>\\(?:eq)?ref\{[^{}\n]*\})
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_TEXT = re.compile(
    r"""\$\$(?P<display>(?:[^$\\]|\\.)+?)\$\$
    |\\\[(?P<bracket>.+?)\\\]
    |(?P<environment>\\begin\{(?P<name>[a-zA-Z]+\*?)\}.*?\\end\{(?P=name)\})
    |(?<!\\)\$(?P<inline>(?:[^$\\\n]|\\.|\n(?!\s*\n))+?)(?<!\\)\$
    |\\\((?P<paren>.+?)\\\)
    """,
    re.VERBOSE | re.DOTALL,
)
# The end of a line before the header of a table, which a row of dashes follows.
_TABLE = re.compile(
    r"(?<=[^\n])\n(?=[^\n>]*\|[^\n]*\n[ \t|]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$)",
    re.MULTILINE,
)
_VERBATIM = re.compile(r"<(pre|code)\b.*?</\1>|<[a-zA-Z][^>]*>", re.DOTALL)
_PLACE = re.compile("\ue000(\\d+)\ue001")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_LONG_DATA = re.compile(r"(data:[\w/+.-]+[;,][^\"'\s>]{0,20})[^\"'\s>]*")

_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("td", "th"), "table"),
    "pre": "code",
}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "li", "main",
    "nav", "ol", "p", "q", "rt", "section", "summary", "table", "tbody", "tfoot", "thead", "tr",
    "ul",
}  # fmt: skip
_UNSEEN = {
    "style", "script", "title", "template", "noscript", "head", "datalist", "rp", "-comment",
}  # fmt: skip
# Between words stands what a control shows, in whatever form.
_CONTROLS = {"input", "select", "button", "textarea", "progress", "meter"}
_UNDRAWN = {"defs", "symbol", "use", "style", "title", "desc", "metadata", "script"}
_LIVE = {
    "iframe": "an iframe", "video": "a video", "audio": "audio", "canvas": "a canvas",
    "object": "an embedded object", "embed": "an embedded object",
}  # fmt: skip
# What the scripts of an output say when they draw.
_DRAWING_SCRIPTS = {
    r"Plotly\.(newPlot|react)\(": "a plotly chart",
    r"vegaEmbed\(": "a vega chart",
    r"embed_(document|items)\(": "a bokeh chart",
    r"3Dmol": "a 3D view",
    r"SHAP\.React": "a SHAP plot",
    r"DataTable\w*\(|datatables": "an interactive table",
    r"\bL\.map\(": "a map",
    r"\bd3\.select": "a drawing made by a script",
}
_RULE = re.compile(r"([^{};]+)\{([^{}]*)\}")
_SELECTORS = re.compile(r",(?![^(]*\))")
_OF_A_POINTER = re.compile(r":(hover|focus|active|target|visited|before|after|:)")
_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0(\.0*)?%?\s*([;!]|$)"
    r"|^(?=.*\b(overflow\s*:\s*hidden|clip\s*:)).*\b(width|height)\s*:\s*[01](px)?\s*([;!]|$)",
    re.IGNORECASE | re.DOTALL,
)
_CASE = re.compile(r"text-transform\s*:\s*(uppercase|lowercase|capitalize)")
_CASES: dict[str, Callable[[str], str]] = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "capitalize": lambda text: re.sub(r"(?<![\w'’])\w", lambda first: first[0].upper(), text),
}
_NESTED_RULES = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|/\*.*?\*/", re.DOTALL)
_WHITE = re.compile(r"(?:^|;)color:(?:white|#fff(?:fff)?)\b")
_BACKED = re.compile(r"background(-color)?:(?!none|transparent|white|#fff\b|#ffffff)")
# Wherever the parts of a table stand, a browser shows them in this order.
_PARTS_OF_TABLES = {"caption": 0, "thead": 1, "tfoot": 3}
_EMPTY_ELEMENT = re.compile(r"""<(div|span)\b[^>]*\bid=["']?([\w-]+)[^>]*>\s*</\1>""")


@dataclass(frozen=True)
class Piece:
    """One thing that a reader sees."""

    kind: str  # "heading", "text", "table", "code", "formula", "figure", "live" (needs a browser)
    text: str  # the text, TeX, or alternative text of a picture; of something live, what it is
    looks: frozenset[str] = frozenset()
    """``"center"``, ``"right"``, ``"rtl"``, ``"inline"`` or ``"uppercase"`` and the like, where
    the author asked for it; ``"white"`` where its letters are white, and ``"backed"`` where
    they have a coloured ground."""
    row: tuple[int, int] = (0, 0)
    """Numbers for the outermost table in which it stands and for its row; zeros outside of
    tables. A cell of several rows has no number of a row."""
    source: str = ""  # where a picture comes from


@dataclass
class _Walk:
    """The state of a walk through HTML."""

    formulas: list[str]
    pieces: list[Piece] = field(default_factory=list)
    run: str = ""
    kind: str = "text"
    looks: frozenset[str] = frozenset()
    row: tuple[int, int] = (0, 0)

    def flush(self) -> None:
        """End the run of text that has been read."""
        text = self.run if self.kind == "code" else " ".join(self.run.split())
        for case in self.looks & _CASES.keys():
            text = _CASES[case](text)
        if text.strip():
            self.pieces.append(Piece(self.kind, text, self.looks, self.row))
        self.run = ""

    def add(self, piece: Piece) -> None:
        """Add what is no text."""
        self.flush()
        self.pieces.append(piece)


def read_markdown(source: str) -> list[Piece]:
    """List what a reader sees of a Markdown source."""
    formulas: list[str] = []
    originals: list[str] = []

    def mark(match: re.Match[str]) -> str:
        return "\ue002" + match[0].replace("$", "\ue003").replace("\\", "\ue004")

    def set_aside(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        originals.append(match[0])
        tex = "" if match["reference"] else _tex(match)
        line = match.string[: match.start()].rpartition("\n")[2]
        if re.match(r"[-+*\d.)\s]*>", line):  # each line of a quotation begins so
            tex = re.sub(r"\n(?:[ \t]*>)+", "\n", tex)
        formulas.append(tex)
        return f"\ue000{len(formulas) - 1}\ue001"

    source = _keep_rows(spell_controls(source.translate(_NO_MARKS)))
    marked = _MATH.sub(set_aside, _CODE.sub(mark, source))
    html = _MARKDOWN.render(marked.translate(_MARKS))
    # In code and in attributes a dollar is a dollar.
    html = _VERBATIM.sub(
        lambda tag: _PLACE.sub(lambda place: escape(originals[int(place[1])]), tag[0]), html
    )
    return _read(html, formulas)


def read_html(html: str) -> list[Piece]:
    """List what a reader sees of the HTML of an output, formulas in its texts included."""
    pieces: list[Piece] = []
    for piece in _read(spell_controls(html.translate(_NO_MARKS)), []):
        pieces += [piece] if piece.kind not in ("text", "table", "heading") else _split(piece)
    return pieces


def drawn_by_script(html: str) -> list[str]:
    """Return what the scripts of an output draw into its elements."""
    scripts = "".join(match[0] for match in _SCRIPT.finditer(html) if match[1].lower() == "script")
    if not scripts or not re.search(r"<(div|span|table|canvas|svg|section)\b", html):
        return []  # a program that is only fetched
    drawn = [name for sign, name in _DRAWING_SCRIPTS.items() if re.search(sign, scripts)]
    if any(match[2] in scripts for match in _EMPTY_ELEMENT.finditer(html)):
        drawn.append("a drawing made by a script")
    return drawn


def _keep_rows(source: str) -> str:
    """Join and part lines where markdown-it reads the rows of a table otherwise than Jupyter.

    A blank line would turn the rows of an HTML table that follow it into a block of code. Below an
    item of a list, the rows of a table would be a part of the item's paragraph.
    """
    source = _TABLE.sub("\n\n", source)
    return re.sub(r"\n\s*\n\s+(?=</?(?:tr|td|th|tbody)\b)", "\n", source)


def _tex(match: re.Match[str]) -> str:
    groups = ("display", "bracket", "environment", "inline", "paren")
    return next(match[name] for name in groups if match[name])


def _split(piece: Piece) -> Iterator[Piece]:
    position = 0
    for match in _IN_TEXT.finditer(piece.text):
        yield replace(piece, text=piece.text[position : match.start()])
        yield Piece("formula", _tex(match))
        position = match.end()
    yield replace(piece, text=piece.text[position:])


def _read(html: str, formulas: list[str]) -> list[Piece]:
    """Walk through HTML; a stack instead of recursion, as authors nest without limit."""
    sheets = " ".join(match[0] for match in _SCRIPT.finditer(html) if match[1].lower() == "style")
    html = _LONG_DATA.sub(r"\1", _SCRIPT.sub("", html))
    walk = _Walk(formulas)
    tree = LexborHTMLParser(html)
    hidden = {node.mem_id for node, _ in _styled(tree, sheets, _HIDES)}
    cases = {node.mem_id: case for node, case in _styled(tree, sheets, _CASE)}
    stack: list[tuple[LexborNode, bool, str, frozenset[str], tuple[int, int]]] = []
    if tree.body is not None:
        stack.append((tree.body, False, "text", frozenset(), (0, 0)))
    rows = 0
    while stack:
        node, leaving, kind, looks, row = stack.pop()
        tag = node.tag or ""
        is_block = tag in _KINDS or tag in _BLOCKS
        if is_block:
            walk.flush()
        walk.kind, walk.looks, walk.row = kind, looks, row
        if tag == "-text":
            _read_text(walk, node.text_content or "")
            continue
        if leaving or node.mem_id in hidden or _read_leaf(walk, node, tag):
            continue
        if re.search(r"\bmermaid\b", node.attributes.get("class") or ""):
            walk.add(Piece("live", "a mermaid drawing"))
        if is_block:
            stack.append((node, True, kind, looks, row))
        if tag in ("table", "tr"):
            rows += 1
            row = row[0] or rows, rows
        elif (node.attributes.get("rowspan") or "1") != "1":
            row = row[0], 0
        looks |= _looks(node, tag) | {*filter(None, (cases.get(node.mem_id),))}
        children = []
        child = node.child
        while child is not None:
            children.append((child, False, _KINDS.get(tag, kind), looks, row))
            child = child.next
        if tag == "table":
            children.sort(key=lambda child: _PARTS_OF_TABLES.get(child[0].tag or "", 2))
        stack += reversed(children)
    walk.flush()
    return walk.pieces


def _styled(
    tree: LexborHTMLParser, sheets: str, asked: re.Pattern[str]
) -> Iterator[tuple[LexborNode, str]]:
    """Yield the elements to which style sheets give some declaration, and its last group."""
    rules = _NESTED_RULES.sub("", re.sub("<[^>]*>", "", sheets))
    for selectors, declarations in _RULE.findall(rules):
        found = asked.search(declarations)
        if found is None:
            continue
        for selector in _SELECTORS.split(selectors):
            if not _OF_A_POINTER.search(selector):
                with contextlib.suppress(SelectolaxError):  # a selector of a later CSS
                    yield from ((node, found[1] or "") for node in tree.css(selector.strip()))


def _read_text(walk: _Walk, text: str) -> None:
    position = 0
    for place in _PLACE.finditer(text):
        walk.run += text[position : place.start()]
        tex = walk.formulas[int(place[1])]
        walk.flush()
        if tex:
            walk.pieces.append(Piece("formula", tex))
        position = place.end()
    walk.run += text[position:]


def _read_leaf(walk: _Walk, node: LexborNode, tag: str) -> bool:
    """Read an element that is seen whole, or not at all; whether it was one."""
    attributes = node.attributes
    if tag in _LIVE:
        walk.add(Piece("live", _LIVE[tag]))
    elif tag == "img":
        source = attributes.get("src")
        if source:
            walk.add(Piece("figure", attributes.get("alt") or "", source=source))
    elif tag == "svg":
        if any(child.tag not in _UNDRAWN for child in node.iter()):
            # Without such a child it holds symbols for other drawings, or a script draws into it.
            walk.add(Piece("figure", ""))
    elif tag == "math":
        annotation = node.css_first('annotation[encoding="application/x-tex"]')
        walk.add(Piece("formula", (annotation or node).text()))  # its signs, where it has no TeX
    elif tag in _CONTROLS:
        walk.flush()
    elif "animation" in (attributes.get("class") or "").split():
        walk.add(Piece("live", "an animation"))
    else:
        style = attributes.get("style") or ""
        is_closed = tag == "dialog" and "open" not in attributes
        return tag in _UNSEEN or is_closed or "hidden" in attributes or bool(_HIDES.search(style))
    return True


def _looks(node: LexborNode, tag: str) -> frozenset[str]:
    attributes = node.attributes
    style = (attributes.get("style") or "").replace(" ", "").lower()
    sides = ("center", "right")
    looks = {s for s in sides if s in (tag, attributes.get("align")) or f"text-align:{s}" in style}
    asked = {
        "backed": _BACKED.search(f"{style};background:{attributes.get('bgcolor') or 'none'}"),
        "white": _WHITE.search(f"{style};color:{(attributes.get('color') or '').lower()}"),
        "rtl": attributes.get("dir") == "rtl",
        "inline": "list-inline" in (attributes.get("class") or "").split(),
    }
    looks |= {name for name, is_asked in asked.items() if is_asked}
    if case := _CASE.search(style):
        looks.add(case[1])
    return frozenset(looks)
