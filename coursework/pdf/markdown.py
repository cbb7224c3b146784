"""Markdown to HTML, read as Jupyter reads it, with every formula in an element of its own."""

import re
from html import escape, unescape
from typing import Any
from urllib.parse import quote

from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathInlineParser,
)

MATH_TAG = "tex-math"

# What MathJax looks for in a page. Tags, comments, and elements that hold no prose come first, so
# that a dollar inside them is passed over.
_HTML_OR_MATH = re.compile(
    r"""(?P<skip><!--.*?(?:-->|$)
       |<(?P<raw>script|style|pre|code|textarea|svg|kbd|samp)\b.*?(?:</(?P=raw)\s*>|$)
       |</?[A-Za-z][^>]*>)
    |\\\$
    |\$\$(?P<display>(?:[^$\\]|\\.)+?)\$\$
    |\\\[(?P<bracket>.+?)\\\]
    |(?P<environment>\\begin\{(?P<name>[a-zA-Z]+\*?)\}.*?\\end\{(?P=name)\})
    |(?<![$\\])\$(?P<inline>(?![\s$])(?:[^$\\<]|\\.|<(?![A-Za-z/!]))*?)(?<!\s)\$(?![$0-9])
    |\\\((?P<paren>.+?)\\\)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


_CODE = r"(?<![`\\])(?:`[^`\n]+`(?!`)|``(?!`)[^\n]*?[^`\n]``(?!`))"
_TAG = r"""</[A-Za-z]\w*>|<[A-Za-z][\w-]*(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))+\s*/?>"""
_TARGET = r"\]\((?:[a-z]+:|\#|\.{0,2}/|www\.)[^()\s]*\)"
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
    html = reader.render(_protect_bars(source))
    return html.replace(_DOLLAR, "$").replace(quote(_DOLLAR), "$")


def _protect_bars(source: str) -> str:
    r"""Write ``|`` as ``\vert`` in the formulas of tables: there a bar would end the cell.

    Jupyter sets formulas aside before it looks for tables; mistune does not.
    """
    if not re.search(r"^\s*\|?\s*:?-+:?\s*(\||$)", source, re.MULTILINE):
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


def _math(html: str, mode: str) -> str:
    return f'<{MATH_TAG} mode="{mode}">{html}</{MATH_TAG}>'


class _Inline(MathInlineParser):
    """Jupyter's reader, but a formula does not contain code, tags or the target of a link."""

    SPECIFICATION = MathInlineParser.SPECIFICATION | {
        "inline_math_tex": (
            r"(?<![$\\])\$(?P<math_inline_tex>"
            rf"(?:(?!{_CODE}|{_TAG}|{_TARGET})(?:\\[\s\S]|[^$\\]))+)(?<!\$)\$"
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
