"""Source code in colour, by Pygments, as Jupyter does it."""

from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from coursework.pdf.lines import Line, Span, split_lines

# The names are colours of style.typ, listed from the special to the general.
_STYLES = (
    (Token.Comment, 'fill: ink.comment, style: "italic"'),
    (Token.Keyword.Constant, "fill: ink.number"),
    (Token.Keyword, 'fill: ink.keyword, weight: "bold"'),
    (Token.Operator.Word, 'fill: ink.keyword, weight: "bold"'),
    (Token.Literal.String, "fill: ink.string"),
    (Token.Literal.Number, "fill: ink.number"),
    (Token.Name.Decorator, "fill: ink.decorator"),
    (Token.Name.Function, "fill: ink.name"),
    (Token.Name.Class, 'fill: ink.name, weight: "bold"'),
    (Token.Name.Builtin, "fill: ink.builtin"),
    (Token.Name.Exception, "fill: ink.builtin"),
    (Token.Operator, "fill: ink.operator"),
)


def highlight(code: str, language: str) -> list[Line]:
    """Return the lines of ``code`` in colour; an unknown language stays black."""
    lexer = _lexer(language)
    if lexer is None:
        return split_lines([Span(code)])
    # The lexer may change line ends or tabs; a line of code is never risked for its colour.
    spans = [Span(text, _style(kind)) for kind, text in lexer.get_tokens(code)]
    lines = split_lines(spans)
    if "".join(span.text for span in spans).rstrip("\n") != code.rstrip("\n"):
        return split_lines([Span(code)])
    while lines and not lines[-1]:
        lines.pop()
    return lines


@lru_cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


@lru_cache
def _style(kind: _TokenType) -> str:
    for ancestor, style in _STYLES:
        if kind in ancestor:
            return style
    return ""
