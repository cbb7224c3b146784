"""The CSS of a fragment: whom it selects, what it hides, and what a page shows of it."""

import pytest

from coursework.pdf.css import (
    alignment,
    background,
    image_size,
    lost_styles,
    parse_color,
    reading,
    text_style,
)
from coursework.pdf.dom import parse


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
        ('<img width="40" height="30">', "30pt", ""),
        ('<img height="40">', "", "30pt"),
        ('<img width="9" style="width: 40px">', "30pt", ""),
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
    return lost_styles(soup), soup.find("td")


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
            "td { background: red } .c, #a { background: lime } td { background: red }",
            'rgb("#00ff00")',
        ),
        ("#a { background: var(--a) } p { --a: var(--b, rgb(0, 255, 0)) }", 'rgb("#00ff00")'),
        (
            "@media print { #a { background: red } } @media screen { td { background: lime } }",
            'rgb("#00ff00")',
        ),
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
    ["radial-gradient(red, blue)", "linear-gradient(45deg, red 0%, blue 9%)", "url(x)", "var(--x)"],
)
def test_a_background_that_cannot_be_shown_is_named(value):
    with pytest.raises(ValueError, match="^" + value.split("(")[0]):
        background(styled(f"#a {{ background: {value} }}")[1])


def test_styles_that_are_not_shown_are_named():
    sheet = "#a { border: 1px solid; width: 3em } #t { opacity: 0.5 }"
    assert styled(sheet)[0] == ["opacity", "border"]


def test_a_wrong_style_sheet_is_passed_over():
    assert styled("#a >>> { color: red } #a { color")[0] == []


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (".a {display: none}", "bc"),
        ("#b, .a {visibility: hidden} .a b {visibility: visible}", "2c"),
        (".a {visibility: collapse}", "bc"),
        (".a {opacity: 0}", "bc"),
        (".a {position: absolute; clip: rect(1px, 1px, 1px, 1px); width: 1px}", "bc"),
        (".a {max-height: 0; overflow: hidden}", "bc"),
        ("p {display: none !important} .a {display: block}", ""),
        ("p {display: none} .a {display: block}", "a12"),
        ("input:checked ~ .a {display: none}", "bc"),
        ("input:not(:checked) ~ .a {display: none}", "a12bc"),
        (".a {text-transform: uppercase} .a i {text-transform: none}", "A12bc"),
        (".b {text-transform: capitalize}", "a12Bc"),
        ("#b::before {content: 'q'} .c:after {content: \"r\"; color: red}", "a12qbcr"),
        (".a:hover {display: none} .a::selection {display: none}", "a12bc"),
        ("@media print {.a {display: none}}", "a12bc"),
    ],
)
def test_what_a_style_sheet_hides_or_changes(sheet, words):
    body = "<input type=checkbox checked><p class=a>a<i>1</i><b>2</b></p>"
    body += "<p id=b class=b>b</p><p class=c>c</p>"
    soup = parse(f"<style>{sheet}</style>{body}")
    soup.style.decompose()
    assert soup.get_text() == words


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("pre-wrap", "<p>a\xa0\xa0b<br/>c</p>"),
        ("pre-line", "<p>a  b<br/>c</p>"),
        ("nowrap", "<p>a  b\nc</p>"),
    ],
)
def test_the_lines_of_a_text_are_kept_where_a_style_keeps_them(value, html):
    soup = parse(f"<style>p {{white-space: {value}}}</style><p>a  b\nc</p>")
    del soup.p["style"]
    assert str(soup.p) == html


def test_a_hidden_script_still_runs():
    assert str(parse("<div hidden>a<script>f()</script></div>")) == "<script>f()</script>"


@pytest.mark.parametrize(
    ("html", "style"),
    [
        ("<b style='color: white'>", ""),
        ("<font color=#fefefe>", ""),
        ("<b style='color: white; background: url(x)'>", ""),
        ("<b style='color: white; background: navy'>", 'fill: rgb("#ffffff")'),
        ("<b style='color: navy; background: #000080'>", ""),
        ("<b style='color: red; font-weight: 600'>", 'fill: rgb("#cc0000"), weight: "bold"'),
    ],
)
def test_words_that_nobody_could_read_on_a_page_are_black(html, style):
    assert text_style(tag(html)) == style
