"""HTML is read as browsers read it."""

import pytest

from coursework.pdf.dom import parse


@pytest.mark.parametrize(
    ("html", "closed"),
    [
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<p>a<ul><li>b</ul>", "<p>a</p><ul><li>b</li></ul>"),
        (
            "<table><tr><td>1<td>2<tr><td>3</table>",
            "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>",
        ),
        ("<H2>a</h4>b<h3>c</h3 >", "<h2>a</h2>b<h3>c</h3>"),
        ("<h1><i><h2>a</h2></i></h1>b</h3>", "<h1><i><h2>a</h2></i></h1>b"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("<div><b>a", "<div><b>a</b></div>"),
        ("</b>a</div>", "a"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        (
            "<table><tr><td><table><tr><td>1</td></tr></table></td></tr></table>",
            "<table><tr><td><table><tr><td>1</td></tr></table></td></tr></table>",
        ),
    ],
)
def test_elements_end_where_the_next_begins(html, closed):
    assert str(parse(html)) == closed


@pytest.mark.parametrize(
    ("html", "arranged"),
    [
        (
            "<table><td>a</td><td>b</td></table>",
            "<table><tr><td>a</td><td>b</td></tr></table>",
        ),
        (
            "<table><tbody><th>a<tr><td>b</tbody></table>",
            "<table><tbody><tr><th>a</th></tr><tr><td>b</td></tr></tbody></table>",
        ),
        (
            "<table><tbody><p>3 rows</p><tr>lost<td>a</td></tr></tbody></table>",
            "<p>3 rows</p>lost<table><tbody><tr><td>a</td></tr></tbody></table>",
        ),
        (
            "<table><!-- x --><caption>c</caption><tr><td>a</td></tr></table>",
            "<table><!-- x --><caption>c</caption><tr><td>a</td></tr></table>",
        ),
    ],
)
def test_what_stands_between_the_cells_of_a_table_comes_before_it(html, arranged):
    assert str(parse(html)) == arranged


def test_the_foot_of_a_table_is_its_last_part():
    html = "<table><tfoot><tr><td>b<tbody><tr><td>a</table>"
    foot = "<tfoot><tr><td>b</td></tr></tfoot>"
    assert str(parse(html)) == f"<table><tbody><tr><td>a</td></tr></tbody>{foot}</table>"


@pytest.mark.parametrize(
    "html",
    [
        "<div><style>p {}</style><pre class=xr-text-repr-fallback>x</pre><div hidden>y</div></div>",
        "<div><div class=sk-text-repr-fallback><pre>x</pre>note</div><input type=checkbox>y</div>",
    ],
)
def test_of_an_object_that_is_folded_the_text_for_readers_is_left(html):
    assert str(parse(html)) == '<div><pre class="text-of-diagram">x</pre></div>'
