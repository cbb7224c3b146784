"""HTML is read as browsers read it, and the little CSS that notebooks use."""

import pytest

from coursework.pdf.dom import (
    alignment,
    background,
    image_size,
    inline_styles,
    parse,
    parse_color,
    reading,
)


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
        ("Salmon", "#fa8072"),
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


@pytest.mark.parametrize(
    ("html", "arguments"),
    [
        ('<p dir="rtl">', "dir: rtl"),
        ('<p style="direction: rtl">', "dir: rtl"),
        ('<p dir="auto">(שלום) a</p>', "dir: rtl"),
        ('<p dir="auto">123</p>', "dir: ltr"),
        ("<bdi>سارة</bdi>", "dir: rtl"),
        ('<p lang="zh-Hant-TW">', 'lang: "zh", region: "tw"'),
        ('<p lang="ar" dir="rtl">', 'lang: "ar", dir: rtl'),
        ('<p lang="\u0022#panic()" dir="up">', ""),
        ("<p>", ""),
    ],
)
def test_language_and_direction(html, arguments):
    assert reading(tag(html)) == arguments


def styled(sheet, cell="<td id=a>"):
    soup = parse(f"<style>{sheet}</style><table id=t><tr>{cell}1</td></tr></table>")
    return inline_styles(soup), soup.find("td")


@pytest.mark.parametrize(
    ("sheet", "fill"),
    [
        ("#a, #b { background-color: yellow }", 'rgb("#ffff00")'),
        ("#t td { background: #abc }", 'rgb("#aabbcc")'),
        ("#a { background: red } #a { background: lime !important }", 'rgb("#00ff00")'),
        ("#a { background-color: rgba(255, 0, 0, 0.2) }", 'rgb("#ffcccc")'),
        ("#a { background: transparent }", ""),
        ("#a:hover { background: red } .b { background: red }", ""),
        (
            "#a { background: linear-gradient(90deg, transparent 40%, #d65f5f 40%, #d65f5f 60.5%)}",
            'gradient.linear((white, 0%), (white, 40%), (rgb("#d65f5f"), 40%), '
            '(rgb("#d65f5f"), 60.5%), (rgb("#d65f5f"), 100%))',
        ),
        (
            "#a { height: 80%; background: linear-gradient(90deg,#d65f5f 30%, transparent 0%) }",
            'gradient.linear((rgb("#d65f5f"), 0%), (rgb("#d65f5f"), 30%), (white, 30%), '
            "(white, 100%))",
        ),
    ],
)
def test_backgrounds_of_a_style_sheet(sheet, fill):
    assert background(styled(sheet)[1]) == fill


def test_a_style_of_its_own_counts_more():
    cell = styled("#a { color: red; background: red }", '<td id=a style="background: #123456">')[1]
    assert background(cell) == 'rgb("#123456")'


@pytest.mark.parametrize(
    "value",
    [
        "radial-gradient(red, blue)",
        "linear-gradient(45deg, red 0%, blue 9%)",
        "url(x.png)",
        "var(--x)",
    ],
)
def test_a_background_that_cannot_be_shown_is_named(value):
    with pytest.raises(ValueError, match="^" + value.split("(")[0]):
        background(styled(f"#a {{ background: {value} }}")[1])


def test_styles_that_are_not_shown_are_named():
    assert styled("#a { border: 1px solid; width: 3em } #t { opacity: 0.5 }")[0] == [
        "border",
        "opacity",
    ]


def test_a_wrong_style_sheet_is_passed_over():
    assert styled("#a >>> { color: red } #a { color")[0] == []
