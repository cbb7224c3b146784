"""Markdown reads as in Jupyter, and every formula comes out as one."""

import pytest

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
        ("<script>$x$</script><!-- $x$ -->", "<script>$x$</script><!-- $x$ -->"),
        ("from $5 to $6", "from $5 to $6"),
        (r"\$x\$", "$x$"),
        ("$<b>x</b>$", "$<b>x</b>$"),
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
