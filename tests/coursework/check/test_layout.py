"""What the check sees on the page itself: ink, places, and texts that are read badly."""

import io

import matplotlib.figure
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tests.coursework.check.conftest import code, needs_fonts


def test_a_line_that_is_painted_over_in_part_is_found_and_named(work):
    """The next block reaches up over the descenders and underscores of a line."""
    work.cells(code("my_sum = qty_1\nprint(1)"))
    cover = '#place(dy: -14pt, rect(width: 100%, height: 20pt, fill: rgb("#f4f6f8")))'
    work.typeset(f"#block[`my_sum = qty_1`]\n{cover}\n\n`print(1)`")
    assert work.lost() == [
        "page: cell 1: the line 'my_sum = qty_1' is painted over in part on page 1"
    ]


@pytest.mark.parametrize(
    "page",
    [
        "#block(fill: yellow)[some words]",
        "#strike[some] #underline[words]",
        "some words#place(dy: -20pt, rect(width: 90pt, height: 30pt, fill: rgb(0,0,0,9)))",
    ],
    ids=["an area below it", "a line through it", "a clear area above it"],
)
def test_what_is_drawn_with_a_text_may_hide_nothing(work, page):
    assert work.prose("some words").typeset(page).findings() == []


def test_a_drawing_may_write_on_a_picture_of_its_own(work):
    """White numbers on the dark squares of a confusion matrix are large areas."""
    drawing = matplotlib.figure.Figure(figsize=(3, 3))
    ax = drawing.subplots()
    ax.imshow([[0, 1], [1, 0]])
    ax.text(0, 0, "88", color="white", fontsize=60, ha="center", va="center")
    ax.text(1, 1, "99", color="white", fontsize=60, ha="center", va="center")
    svg = io.StringIO()
    drawing.savefig(svg, format="svg")
    work.shows({"image/svg+xml": svg.getvalue()})
    assert work.export().findings() == []


def test_letters_that_cannot_be_seen_are_lost_unless_their_author_hides_them(work):
    work.prose("some words")
    white = "#text(fill: white)[some words]"
    for shown in (white, "#text(fill: rgb(0, 0, 0, 9))[some words]"):
        assert work.typeset(shown).lost() == [
            "page: cell 1: the line 'some words' is there and cannot be seen on page 1"
        ]
    assert work.typeset(f"#highlight(fill: navy)[{white}]").findings() == []
    assert work.typeset("#box(clip: true)[some words]").findings() == []
    work.prose("<p style='background: navy; color: white'>some words")
    assert len(work.typeset(white).lost()) == 1
    for author in ("<font color='White'>", "<b style='color: #FFF;'>"):
        work.prose(f"{author}some words")
        assert work.typeset(white).findings() == []


def test_lines_that_overlap_are_to_be_looked_at(work):
    work.prose("first words\n\nsecond words")
    work.typeset("#place(dy: 50pt)[first words]#place(dy: 52pt)[second words]")
    (finding,) = work.findings()
    assert (finding.kind, finding.severity) == ("page", "warning")
    assert "overlaps another line on page 1" in finding.message


@pytest.mark.parametrize(
    "formula", ["$hat(x) accent(b, arrow) != a_1^2$", "$sqrt(x/y) sum_(i=1)^n binom(a, b)$"]
)
def test_the_parts_of_a_formula_overlap_nothing(work, formula):
    work.prose("Text")
    assert work.typeset(f'Text #math.equation(alt: "a", {formula})').kinds() == []


def test_a_wide_formula_that_leaves_the_page_is_one_finding(work):
    tex = " + ".join(f"x_{{{i}}}" for i in range(40))
    drawn = " + ".join(f"x_{i}" for i in range(40))
    work.prose(f"$${tex}$$")
    work.typeset(f'#math.equation(alt: "{tex}", block: true, ${drawn}$)')
    (finding,) = work.findings()
    assert finding.message.startswith("cell 1: the formula 'x_{0} + x_{1}")
    assert finding.message.endswith("runs over the edge on page 1")


def test_lines_that_leave_the_page_are_named_once(work):
    work.cells(code("x = 'left' + 'right'"))
    work.typeset("#place(dx: 220pt, raw(\"x = 'left' + 'right'\"))")
    assert work.lost() == [
        "page: cell 1: the line \"x = 'left' + 'right'\" runs over the edge on page 1"
    ]


def test_a_centred_heading_in_a_table_is_not_in_the_middle_of_the_page(work):
    work.prose("<table><tr><td><h2 align=center>Two</h2></td></tr></table>")
    assert work.typeset("#table(columns: 1)[== Two]").findings() == []


def test_a_text_from_right_to_left_ends_at_the_left(work):
    work.prose("<p dir=rtl>שלום NumPy.</p>")
    assert "is set from left to right" not in str(work.export().findings())
    assert "is set from left to right" in str(work.typeset("שלום NumPy.").findings())


TABLE = "<style>#T_1 {{background: {}}}</style><table><tr><td id=T_1>7</td></tr></table>".format
BARS = "linear-gradient(90deg, #d65f5f 50%, transparent 50%)"
RED = 'rgb("#d65f5f")'
LOOKS = {
    "a heading at the side": (
        "<center>\n\n# One\n\n</center>\n\n<h2 align=center>Two</h2>",
        "#align(center)[= One]\n#align(center)[== Two]",
        "#align(center)[= One]\n== Two",
        "a centred heading stands at the side: Two",
    ),
    "a list of R": (
        "<ol class=list-inline><li>21</li><li>32</li><li>43</li></ol>",
        "21 · 32 · 43",
        "+ 21\n+ 32\n+ 43",
        "set as a column",
    ),
    "a line before a wide note": (
        "Filled notebook: ![run](https://example.org/a.svg)",
        "Filled notebook: run",
        "#par(justify: true)[Filled notebook: #box(width: 100%)[run]]",
        "a line is torn apart: Filled notebook:",
    ),
    "the colours of a table": (
        {"text/html": TABLE("yellow")}, "x #box(fill: rgb(255, 255, 40))[7]", "x 7",
        "the colours of a table",
    ),
    "the bars of a table, which are gradients": (
        {"text/html": TABLE(BARS)},
        f"x #box(fill: gradient.linear(({RED}, 0%), ({RED}, 50%), (white, 50%), (white, 100%)))[7]",
        "x #box(fill: blue)[7]",
        "the colours of a table",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_what_looks_otherwise_than_its_author_asked_is_to_be_looked_at(work, name):
    cell, right, wrong, message = LOOKS[name]
    work.prose(cell) if isinstance(cell, str) else work.shows(cell)
    assert {*work.typeset(right).kinds()} <= {"note"}  # the picture on the network
    looks = [finding for finding in work.typeset(wrong).findings() if finding.kind == "looks"]
    assert [finding.severity for finding in looks] == ["warning"]
    assert message in looks[0].message


@needs_fonts
def test_a_text_from_right_to_left_among_equal_numbers_of_a_table_is_found(work):
    texts = ["أنا حاول +ت كتير أتصور [مستخدم] يا...", "#عبدالرحمن ال+ خشت +ي اللهم يا سيدي"]
    rows = "".join(
        f"<tr><th>{n}</th><td>{texts[n % 2]}</td><td>{n % 2}</td></tr>" for n in range(5)
    )
    work.shows(*[{"text/html": f"<table>{rows}</table>"}] * 3)
    assert work.export().lost() == []


MARKS = [
    "The estimator x̂ and w̄, p̂ of p.",
    "Tỉ lệ đúng là 0.9, độ chính xác.",
    "( ﾟｰﾟ)ﾉ*:･ﾟ☆ ok ﾟ and é, ﬁ, ½",
    "╰( ͡° ͜ʖ ͡° )つ ・ﾟ",
    "☝🏻 This place 👩‍🔬",
    "चन्द्रगुप्त ने विद्यालय में शिक्षा प्राप्त की।",
    "سنتعلّم كيفيّة إنشاء (model) بسيط، ثمّ نقيّمه.",
    "ภาษาไทยมีสระและวรรณยุกต์",
    "தமிழ் எழுத்துகள்",
    "שלום עולם",
]


@needs_fonts
@pytest.mark.parametrize("text", MARKS)
def test_a_text_that_readers_garble_is_never_lost(work, text):
    prose = new_markdown_cell(f"# {text}\n\n*Words* {text}")
    work.cells(prose, code(f"print({text!r})", text))
    assert work.export().lost() == []


@pytest.mark.parametrize("text", ["चन्द्रगुप्त ने विद्यालय में", "سنتعلّم كيفيّة إنشاء", "x̂ and w̄ of p̂"])
def test_a_text_in_a_script_that_is_read_badly_is_lost_where_nothing_is_in_its_place(work, text):
    (finding,) = work.prose("Before.", text, "After.").typeset("Before.\n\nAfter.").findings()
    assert (finding.kind, finding.severity) == ("text", "lost")


NAMES = ["चन्द्रगुप्त मौर्य", "สมชาย ใจดี", "தமிழ் செல்வன்", "محمد علي", "Đỗ Nguyễn Ậ", "Ada " * 50]


@needs_fonts
@pytest.mark.parametrize("name", [*NAMES, "رضا حسینی‌نژاد", "👩‍🔬 Ada"])
def test_a_name_in_any_script_and_of_any_length_is_found_on_each_page(work, name):
    cells = [new_markdown_cell(f"# T\n\n| |\n|-|\n| {name} |"), code("x = 1\n" * 100)]
    work.write(new_notebook(cells=cells, metadata={"authors": [{"name": name}]}))
    assert work.export().lost() == []


def test_a_name_that_is_not_there_is_missed_in_any_script(work):
    for name in NAMES:
        notebook = {"cells": [], "metadata": {"authors": [{"name": name}]}}
        assert work.write(notebook).typeset("Nobody.").kinds() == ["identity"]
