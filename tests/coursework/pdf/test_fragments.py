"""End tags that authors leave out."""

import pytest
from coursework.pdf.fragments import parse


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
