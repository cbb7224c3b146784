"""HTML is read as browsers read it, and the little CSS that notebooks use."""

import pytest

from coursework.pdf.dom import alignment, image_size, parse, parse_color


def tag(html):
    return parse(html).find()


@pytest.mark.parametrize(
    ("value", "color"),
    [
        ("#0a0B0c", "#0a0b0c"),
        ("#abc", "#aabbcc"),
        ("rgb(1, 2, 300)", "#0102ff"),
        ("rgba(1 2 3 / 50%)", "#010203"),
        ("RED", "#cc0000"),
        ("chartreuse-ish", ""),
        ("", ""),
    ],
)
def test_colours(value, color):
    assert parse_color(value) == color


@pytest.mark.parametrize(
    ("html", "width", "height"),
    [
        ('<img width="300">', "225pt", ""),
        ('<img width="50%" height="50%">', "50%", ""),
        ('<img style="height: 2cm; width: 40px">', "30pt", "2cm"),
        ('<img width="0" height="auto">', "", ""),
        ('<img width="12abc">', "", ""),
    ],
)
def test_image_sizes(html, width, height):
    size = image_size(tag(html))
    assert (size.width, size.height) == (width, height)


def test_a_cell_takes_the_alignment_of_its_row():
    row = tag('<tr style="text-align: right"><td>a</td><td align="center">b</td></tr>')
    assert [alignment(cell) for cell in row.find_all("td")] == ["right", "center"]


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
