"""Markdown reads as in Jupyter, and every formula comes out as one."""

import time

import pytest
from bs4 import BeautifulSoup

from coursework.pdf.markdown import mark_math, markdown_to_html


def inline(tex):
    return f'<tex-math mode="inline">{tex}</tex-math>'


def shown(tex):
    return f'<tex-math mode="display">{tex}</tex-math>'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("$x_1 * y_1$ *b*", f"<p>{inline('x_1 * y_1')} <em>b</em></p>"),
        ("$$x$$", f"<p>{shown('x')}</p>"),
        (r"\\(x\\) \\[y\\]", f"<p>{inline('x')} {shown('y')}</p>"),
        (
            r"\begin{align}a&b\end{align}",
            "<p>" + shown(r"\begin{align}a&amp;b\end{align}") + "</p>",
        ),
        (r"\$5 and \$6", "<p>$5 and $6</p>"),
        ("`$x$`", "<p><code>$x$</code></p>"),
        ("US$8; run `echo $HOME`.", "<p>US$8; run <code>echo $HOME</code>.</p>"),
        ("$5, ``a $ b``, $x$", f"<p>$5, <code>a $ b</code>, {inline('x')}</p>"),
        ("$5, `ls` and $6", "<p>$5, <code>ls</code> and $6</p>"),
        ("`echo $$`, `kill $$`", "<p><code>echo $$</code>, <code>kill $$</code></p>"),
        ("```\n$$\n```\n$$x$$", f'<pre data-language="">$$\n</pre>\n<p>{shown("x")}</p>'),
        ("$5 [a](http://b/$c) $x$", f'<p>$5 <a href="http://b/$c">a</a> {inline("x")}</p>'),
        ("<b title='$'>$x$</b>", f"<p><b title='$'>{inline('x')}</b></p>"),
        ("$a<b>c$", f"<p>{inline('a&lt;b&gt;c')}</p>"),
        ("$f[0](x)$", f"<p>{inline('f[0](x)')}</p>"),
        (
            r"$a \text{ if $x$ and}$, $b$",
            "<p>" + inline(r"a \text{ if $x$ and}") + f", {inline('b')}</p>",
        ),
        ("$a_{b{$c$}}$ d", f"<p>{inline('a_{b{$c$}}')} d</p>"),
        ("$a{b$ c} $d$", f"<p>{inline('a{b$ c} ')}d$</p>"),
        ("$`a'$", f"<p>{inline('`a' + chr(39))}</p>"),
        ("* a\n  $$\n  x\n  $$", f"<ul>\n<li>a\n{shown(chr(10) + 'x' + chr(10))}</li>\n</ul>"),
        ("$a<b$", f"<p>{inline('a&lt;b')}</p>"),
        ("# A *b*", "<h1>A <em>b</em></h1>"),
        ("~~x~~", "<p><del>x</del></p>"),
        ("```python\na < b\n```", '<pre data-language="python">a &lt; b\n</pre>'),
        ("    indented", '<pre data-language="">indented</pre>'),
        ("https://a.b", '<p><a href="https://a.b">https://a.b</a></p>'),
    ],
)
def test_markdown(source, html):
    assert markdown_to_html(source).strip() == html


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ("a $x$ b", f"a {inline('x')} b"),
        ("<td>$x_1$</td>", f"<td>{inline('x_1')}</td>"),
        ("$$a$$", shown("a")),
        (r"\(a\) \[b\]", f"{inline('a')} {shown('b')}"),
        (r"\begin{align}a\end{align}", shown(r"\begin{align}a\end{align}")),
        ("$a &lt; b$", inline("a &lt; b")),
        ('<p title="$x$">', '<p title="$x$">'),
        ("<code>$x$</code> <pre>$y$</pre>", "<code>$x$</code> <pre>$y$</pre>"),
        ("<kbd>$x$</kbd><samp>$y$</samp>", f"<kbd>{inline('x')}</kbd><samp>{inline('y')}</samp>"),
        ("<script>$x$</script><!-- $x$ -->", "<script>$x$</script><!-- $x$ -->"),
        ("from $5 to $6", "from $5 to $6"),
        (r"\$x\$", "$x$"),
        ("$<b>x</b>$", "$<b>x</b>$"),
        (r"<b>$\text{if $x$}$</b>", "<b>" + inline(r"\text{if $x$}") + "</b>"),
        (r"$$\text{if $x$}$$ $y$", shown(r"\text{if $x$}") + " " + inline("y")),
        ("$a{b$ c", inline("a{b") + " c"),
    ],
)
def test_formulas_in_html_are_those_that_mathjax_would_find(html, marked):
    assert mark_math(html) == marked


def test_formulas_in_a_block_of_html_count_too():
    assert inline("x") in markdown_to_html("<div>\nvalue $x$\n</div>")


def test_bars_of_formulas_do_not_end_the_cells_of_a_table():
    html = markdown_to_html("| a |\n|---|\n| $|x|$ $$|y|$$ |")
    assert inline(r"\vert x\vert ") in html
    assert shown(r"\vert y\vert ") in html
    assert html.count("<td>") == 1


def rows(source):
    """Return the cells of the only table of a Markdown source, row by row."""
    table = BeautifulSoup(markdown_to_html(source), "html.parser").find_all("table")
    assert len(table) == 1
    return [[str(cell.decode_contents()) for cell in row(["td", "th"])] for row in table[0]("tr")]


@pytest.mark.parametrize(
    "source",
    [
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "a | b\n-|-\n1 | 2\n\nend",
        "| a | b\n|:-:|--:\n| 1 | 2",
        "text\n| a | b |\n|---|---|\n| 1 | 2 |\n# End",
        "- item\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n- next",
        "1. item\n   | a | b |\n   |---|---|\n   | 1 | 2 |",
        "> | a | b |\n> |---|---|\n> | 1 | 2 |\n\nend",
        "| a | b |\n|---|---|\n| 1 | 2 | dropped |\n- list",
        "| a | b |\n|---|---|\n| 1 | 2 |\n$$x$$",
    ],
)
def test_tables_are_found_where_github_finds_them(source):
    assert rows(source) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| 1 |", ["1", ""]),
        ("|| 2 |", ["", "2"]),
        ("words", ["words", ""]),
        (r"| a \| b | 2 |", ["a | b", "2"]),
        (r"| `a \| b` | 2 |", ["<code>a | b</code>", "2"]),
        ("| `a || b` | or |", ["<code>a || b</code>", "or"]),
        ("| ``a | `b`` | $|x|$ |", ["<code>a | `b</code>", inline(r"\vert x\vert ")]),
    ],
)
def test_rows_are_filled_up_and_code_stays_whole(row, cells):
    assert rows(f"| a | b |\n|---|---|\n{row}\n")[1] == cells


@pytest.mark.parametrize("source", ["| a | b |\n|---|\n| 1 | 2 |", "a\n---\nb", "a | b\n\n-|-"])
def test_what_is_no_table(source):
    assert "<table" not in markdown_to_html(source)


@pytest.mark.parametrize("piece", ["{", "{a}", "$a {", "{`", r"\frac{a}{b}", "{<b", "{$}"])
def test_many_braces_are_read_in_little_time(piece):
    started = time.perf_counter()
    markdown_to_html("$" + piece * 2000)
    mark_math("$" + piece * 2000)
    assert time.perf_counter() - started < 5
