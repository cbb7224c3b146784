"""Markdown to HTML, read as Jupyter reads it, with every formula in an element of its own."""

import re
from html import escape, unescape
from typing import Any
from urllib.parse import quote

from mistune import BlockParser, BlockState, Markdown
from mistune.plugins.table import table, table_in_list, table_in_quote
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

MATH_TAG = "tex-math"


def _in_braces(character: str) -> str:
    """Return the pattern of a group in braces: in it a dollar does not end a formula.

    What has matched is not tried again, or many groups would take exponential time.
    """
    group = rf"\{{(?:{character})*+\}}"
    for _ in range(4):
        group = rf"\{{(?:{character}|{group})*+\}}"
    return f"(?>{group})"


_LETTER = r"\\[\s\S]|[^{}\\\n]|\n(?!\s*\n)"  # between braces, which no empty line stands between
_HTML_GROUP = _in_braces(rf"(?!<[A-Za-z/!])(?:{_LETTER})")

# What MathJax looks for in a page. Tags, comments, and elements that hold no prose come first, so
# that a dollar inside them is passed over.
_HTML_OR_MATH = re.compile(
    rf"""(?P<skip><!--.*?(?:-->|$)
       |<(?P<raw>script|style|pre|code|textarea|svg)\b.*?(?:</(?P=raw)\s*>|$)
       |</?[A-Za-z][^>]*>)
    |\\\$
    |\$\$(?P<display>(?>{_HTML_GROUP}|[^$\\]|\\.)+?)\$\$
    |\\\[(?P<bracket>(?:[^<]|<(?![A-Za-z/!]))+?)\\\]
    |(?P<environment>\\begin\{{(?P<name>[a-zA-Z]+\*?)\}}.*?\\end\{{(?P=name)\}})
    |(?<![$\\])\$(?P<inline>(?![\s$])(?>{_HTML_GROUP}|[^$\\<]|\\.|<(?![A-Za-z/!]))*?)(?<!\s)\$(?![$0-9])
    |\\\((?P<paren>(?:[^<]|<(?![A-Za-z/!]))+?)\\\)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


_CODE = r"(?<![`\\])(?:`[^`\n]+`(?!`)|``(?!`)[^\n]*?[^`\n]``(?!`))"
_TAG = r"""</[A-Za-z]\w*>|<[A-Za-z][\w-]*(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))+\s*/?>"""
_TARGET = r"\]\((?:[a-z]+:|\#|\.{0,2}/|www\.)[^()\s]*\)"
_NO_FORMULA = f"{_CODE}|{_TAG}|{_TARGET}"
_GROUP = _in_braces(rf"(?!{_NO_FORMULA})(?:{_LETTER})")
# What Jupyter sets aside before it looks for formulas; a dollar in it neither begins nor ends one.
_SET_ASIDE = re.compile(
    rf"""^\ *(?P<fence>`{{3,}}|~{{3,}})[^`\n]*\n[\s\S]*?^\ *(?P=fence)
    |<!--[\s\S]*?-->|<(?P<element>script|style|pre|code)\b[\s\S]*?</(?P=element)\s*>
    |{_CODE}|{_TAG}|{_TARGET}""",
    re.VERBOSE | re.MULTILINE,
)
_DOLLAR = "\ufdd0"  # no character: it stands for a dollar that has been set aside


def mark_math(html: str) -> str:
    """Put every formula of an HTML fragment into an element of its own."""

    def mark(match: re.Match[str]) -> str:
        if match["skip"]:
            return match[0]
        if match[0] == r"\$":
            return "$"
        display = match["display"] or match["bracket"] or match["environment"]
        if display is not None:
            return _math(display, "display")
        return _math(match["inline"] or match["paren"], "inline")

    return _HTML_OR_MATH.sub(mark, html)


def markdown_to_html(source: str) -> str:
    """Return the HTML of a Markdown source."""
    source = _SET_ASIDE.sub(lambda match: match[0].replace("$", _DOLLAR), source)
    reader = MarkdownWithMath(_Renderer(), inline=_Inline(hard_wrap=False))
    _read_tables_as_github(reader)
    html = reader.render(_protect_bars(source))
    return html.replace(_DOLLAR, "$").replace(quote(_DOLLAR), "$")


def _protect_bars(source: str) -> str:
    r"""Write ``|`` as ``\vert`` in the formulas of tables: there a bar would end the cell.

    Jupyter sets formulas aside before it looks for tables; mistune does not.
    """
    if not re.search(r"^[\s>]*\|?\s*:?-+:?\s*(\||$)", source, re.MULTILINE):
        return source

    def protect(match: re.Match[str]) -> str:
        tex = match["tex"].replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        return f"{match['dollars']}{tex}{match['dollars']}"

    lines = source.split("\n")
    rows = [line.count("|") > 1 and "$" in line for line in lines]
    return "\n".join(
        re.sub(r"(?<![$\\])(?P<dollars>\${1,2})(?P<tex>[^$`\n]+)(?P=dollars)", protect, line)
        if row
        else line
        for line, row in zip(lines, rows, strict=True)
    )


# The header of a table, and below it the row of dashes that makes it one.
_TABLE = (
    r"^ {0,3}(?=\S)(?P<table_header>[^\n]+)\n"
    r" {0,3}(?=[^\n]*\|)(?P<table_dashes>\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?)"
    r"[ \t]*(?:\n|$)"
)
# A table ends before an empty line, and before the first line of another block.
_TABLE_ENDS = re.compile(
    r"\s*$| {0,3}(?:>|#{1,6}(?:\s|$)|```|~~~|<[a-zA-Z/!]|[-+*]\s|\d{1,9}[.)]\s|\$\$|\\begin\{)"
    r"| {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$| {4}"
)
_BAR = re.compile(r"(?<!\\)\|")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def _read_tables_as_github(reader: Markdown) -> None:
    """Let a reader of Markdown take tables as GitHub and Jupyter do.

    The reader's own plugin knows no tables in lists and quotes, and gives up a whole table for one
    row that is too short or too long.
    """
    table(reader)  # for the HTML; the rule that finds a table is replaced
    table_in_list(reader)
    table_in_quote(reader)
    for rules in (reader.block.rules, reader.block.list_rules, reader.block.block_quote_rules):
        rules[:] = [rule for rule in dict.fromkeys(rules) if rule != "nptable"]
    reader.block.register("table", _TABLE, _parse_table)


def _parse_table(block: BlockParser, match: re.Match[str], state: BlockState) -> int | None:
    """Add the table that begins at a match to the document, and return where the table ends."""
    dashes = _split_row(match["table_dashes"])
    aligns = [_ALIGNS[cell.startswith(":"), cell.endswith(":")] for cell in dashes]
    header = _cells(match["table_header"], len(aligns))
    if len(header) != len(aligns):
        return None
    end = match.end()
    rows = []
    while end < state.cursor_max and not _TABLE_ENDS.match(line := state.get_line(end)):
        cells = _cells(line, len(aligns))[: len(aligns)]
        rows.append(cells + [""] * (len(aligns) - len(cells)))
        end += len(line)
    head = {"type": "table_head", "children": _cell_tokens(header, aligns, head=True)}
    body = [
        {"type": "table_row", "children": _cell_tokens(row, aligns, head=False)} for row in rows
    ]
    children = [head, {"type": "table_body", "children": body}]
    state.append_token({"type": "table", "children": children})
    return end


_ALIGNS = {
    (False, False): None, (True, False): "left", (False, True): "right", (True, True): "center",
}  # fmt: skip


def _cell_tokens(cells: list[str], aligns: list[str | None], head: bool) -> list[dict[str, Any]]:
    return [
        {"type": "table_cell", "text": cell, "attrs": {"align": align, "head": head}}
        for cell, align in zip(cells, aligns, strict=True)
    ]


def _cells(line: str, columns: int) -> list[str]:
    r"""Return the cells of a row.

    A bar in code ends a cell, unless it is written as ``\|``: so GitHub reads it. Where this makes
    more cells than the table has columns, GitHub loses the last ones; here the code stays whole.
    """
    cells = _split_row(line)
    if len(cells) > columns:
        cells = _split_row(_CODE_SPAN.sub(lambda code: _BAR.sub(r"\|", code[0]), line))
    return [_CODE_SPAN.sub(lambda code: code[0].replace(r"\|", "|"), cell) for cell in cells]


def _split_row(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    cells = [cell.strip() for cell in _BAR.split(line)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _math(html: str, mode: str) -> str:
    return f'<{MATH_TAG} mode="{mode}">{html}</{MATH_TAG}>'


class _Inline(MathInlineParser):
    """Jupyter's reader, but a formula does not contain code, tags or the target of a link."""

    SPECIFICATION = MathInlineParser.SPECIFICATION | {
        "inline_math_tex": (
            r"(?<![$\\])\$(?P<math_inline_tex>"
            rf"(?>{_GROUP}|(?!{_NO_FORMULA})(?:\\[\s\S]|[^$\\]))+)(?<!\$)\$"
        )
    }


class _Renderer(IPythonRenderer):
    """Jupyter's renderer, but formulas and code blocks keep their source."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)

    def block_code(self, code: str, info: str | None = None) -> str:
        language = escape((info or "").strip().split(" ")[0], quote=True)
        return f'<pre data-language="{language}">{escape(code, quote=False)}</pre>\n'

    def block_html(self, html: str) -> str:
        return mark_math(html) + "\n"

    def block_math(self, body: str) -> str:
        return _math(escape(body, quote=False), "display")

    def inline_math(self, body: str) -> str:
        return _math(escape(body, quote=False), "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def image(self, text: str, url: str, title: str | None = None) -> str:
        # Whoever reads the HTML finds the image: nbconvert would refuse an attachment that is
        # missing, and mistune a data URI that holds an SVG.
        alt = unescape(re.sub(r"<[^>]*>", "", text))
        return f'<img src="{escape(url)}" alt="{escape(alt)}">'

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<h{level}>{text}</h{level}>\n"
