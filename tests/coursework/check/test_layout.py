"""What the check sees on the page itself: ink, places, and texts that are read badly."""

import io

import matplotlib.figure
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework.pdf.typst import font_folders


def raw(text, fill="none"):
    return f'#block(fill: {fill}, width: 100%)[#raw("{text}")]'


def test_a_line_that_is_painted_over_in_part_is_found_and_named(work):
    """The next block reaches up over the descenders and underscores of a line."""
    work.cells(new_code_cell("my_sum = qty_1\nprint(1)", execution_count=1))
    above = raw("my_sum = qty_1")
    cover = 'rect(width: 100%, height: 20pt, fill: rgb("#f4f6f8"))'
    work.typeset(f"{above}\n#place(dy: -14pt, {cover})\n\n{raw('print(1)')}")
    assert work.lost() == [
        "page: cell 1: the line 'my_sum = qty_1' is painted over in part on page 1"
    ]


def test_a_coloured_area_below_the_text_and_a_strike_through_it_hide_nothing(work):
    work.cells(new_markdown_cell("some words\n\n~~struck~~ `code` words"))
    work.typeset(
        "#block(fill: yellow)[some words]\n\n#strike[struck] #highlight[code] #underline[words]"
    )
    assert work.findings() == []


def test_a_clear_area_above_the_text_hides_nothing(work):
    work.cells(new_markdown_cell("some words"))
    work.typeset("some words#place(dy: -20pt, rect(width: 90pt, height: 30pt, fill: rgb(0,0,0,9)))")
    assert work.findings() == []


def test_a_drawing_may_write_on_a_picture_of_its_own(work):
    """White numbers on the dark squares of a confusion matrix are large areas."""
    drawing = matplotlib.figure.Figure(figsize=(3, 3))
    ax = drawing.subplots()
    ax.imshow([[0, 1], [1, 0]])
    ax.text(0, 0, "88", color="white", fontsize=60, ha="center", va="center")
    ax.text(1, 1, "99", color="white", fontsize=60, ha="center", va="center")
    svg = io.StringIO()
    drawing.savefig(svg, format="svg")
    output = new_output("display_data", data={"image/svg+xml": svg.getvalue()})
    work.cells(new_code_cell("x", execution_count=1, outputs=[output]))
    assert work.export().findings() == []


def test_letters_that_cannot_be_seen_are_lost_unless_their_author_hides_them(work):
    work.cells(new_markdown_cell("some words"))
    white = "#text(fill: white)[some words]"
    for shown in (white, "#text(fill: rgb(0, 0, 0, 9))[some words]"):
        assert work.typeset(shown).lost() == [
            "page: cell 1: the line 'some words' is there and cannot be seen on page 1"
        ]
    assert work.typeset(f"#highlight(fill: navy)[{white}]").findings() == []
    assert work.typeset("#box(clip: true)[some words]").findings() == []
    work.cells(new_markdown_cell("<p style='background: navy; color: white'>some words"))
    assert len(work.typeset(white).lost()) == 1
    for author in ("<font color='White'>", "<b style='color: #FFF;'>"):
        work.cells(new_markdown_cell(f"{author}some words"))
        assert work.typeset(white).findings() == []


def test_lines_of_code_that_are_centred_have_no_indent(work):
    code = "<pre>def f():\n    return 1</pre>"
    for html in (f"<center>{code}</center>", f"<p align=right>{code}</p>"):
        work.cells(new_markdown_cell(html))
        assert work.export().findings() == []


def test_tabs_are_as_wide_as_their_reader_likes(work):
    code = "if a:\n\tb = 1\nelse:\n    b = 2\n    if c:\n\t\td = 3"
    stream = new_output("stream", text="a\tb\n  1\t2\n")
    work.cells(new_code_cell(code, execution_count=1, outputs=[stream]))
    assert work.export().findings() == []


def test_lines_that_overlap_are_to_be_looked_at(work):
    work.cells(new_markdown_cell("first words\n\nsecond words"))
    work.typeset("#place(dy: 50pt)[first words]#place(dy: 52pt)[second words]")
    (finding,) = work.findings()
    assert (finding.kind, finding.severity) == ("page", "warning")
    assert "overlaps another line on page 1" in finding.message


@pytest.mark.parametrize(
    "formula", ["$hat(x) accent(b, arrow) != a_1^2$", "$sqrt(x/y) sum_(i=1)^n binom(a, b)$"]
)
def test_the_parts_of_a_formula_overlap_nothing(work, formula):
    work.cells(new_markdown_cell("Text"))
    assert work.typeset(f'Text #math.equation(alt: "a", {formula})').kinds() == []


def test_a_wide_formula_that_leaves_the_page_is_one_finding(work):
    tex = " + ".join(f"x_{{{i}}}" for i in range(40))
    drawn = " + ".join(f"x_{i}" for i in range(40))
    work.cells(new_markdown_cell(f"$${tex}$$"))
    work.typeset(f'#math.equation(alt: "{tex}", block: true, ${drawn}$)')
    (finding,) = work.findings()
    assert finding.message.startswith("cell 1: the formula 'x_{0} + x_{1}")
    assert finding.message.endswith("runs over the edge on page 1")


def test_lines_that_leave_the_page_are_named_once(work):
    work.cells(new_code_cell("x = 'left' + 'right'", execution_count=1))
    work.typeset("#place(dx: 220pt, raw(\"x = 'left' + 'right'\"))")
    assert work.lost() == [
        "page: cell 1: the line \"x = 'left' + 'right'\" runs over the edge on page 1"
    ]


def test_centred_headings_stand_in_the_middle(work):
    work.cells(new_markdown_cell("<center>\n\n# One\n\n</center>\n\n<h2 align=center>Two</h2>"))
    work.typeset("#align(center)[= One]\n#align(center)[== Two]")
    assert work.findings() == []
    work.cells(new_markdown_cell("<table><tr><td><h2 align=center>Two</h2></td></tr></table>"))
    assert work.typeset("#table(columns: 1)[== Two]").findings() == []


def test_a_centred_heading_at_the_side_is_to_be_looked_at(work):
    work.cells(new_markdown_cell("<center>\n\n# One\n\n</center>\n\n<h2 align=center>Two</h2>"))
    work.typeset("#align(center)[= One]\n== Two")
    assert "a centred heading stands at the side: Two" in work.findings()[0].message


def test_a_text_from_right_to_left_ends_at_the_left(work):
    work.cells(new_markdown_cell("<p dir=rtl>שלום NumPy.</p>"))
    assert "is set from left to right" not in str(work.export().findings())
    assert "is set from left to right" in str(work.typeset("שלום NumPy.").findings())


def test_a_list_of_r_runs_in_a_line(work):
    html = "<ol class=list-inline><li>21</li><li>32</li><li>43</li></ol>"
    output = new_output("display_data", data={"text/html": html})
    work.cells(new_code_cell("x", execution_count=1, outputs=[output]))
    assert work.typeset("x\n\n21 · 32 · 43").findings() == []
    assert "set as a column" in work.typeset("x\n\n+ 21\n+ 32\n+ 43").findings()[0].message


def test_the_colours_of_a_table_are_on_the_page(work):
    html = (
        "<style>#T_1_row0_col0 {background-color: yellow;}</style>"
        "<table id=T_1><tr><td id=T_1_row0_col0>7</td></tr></table>"
    )
    output = new_output("display_data", data={"text/html": html})
    work.cells(new_code_cell("x", execution_count=1, outputs=[output]))
    assert work.typeset("x #box(fill: rgb(255, 255, 40))[7]").findings() == []
    assert "the colours of a table" in work.typeset("x 7").findings()[0].message


def test_a_line_torn_apart_before_a_wide_note_is_to_be_looked_at(work):
    work.cells(new_markdown_cell("Filled notebook: ![run](https://example.org/a.svg)"))
    message = " ".join(str(finding) for finding in work.typeset("Filled notebook: run").findings())
    assert "torn" not in message
    torn = work.typeset("#par(justify: true)[Filled notebook: #box(width: 100%)[run]]").findings()
    assert "a line is torn apart: Filled notebook:" in " ".join(map(str, torn))


def test_the_bars_of_a_table_are_seen_although_they_are_gradients(work):
    style = "#T_1 {background: linear-gradient(90deg, #d65f5f 50%, transparent 50%);}"
    html = f"<style>{style}</style><table><tr><td id='T_1'>7</td></tr></table>"
    output = new_output("execute_result", data={"text/html": html})
    work.cells(new_code_cell("x", execution_count=1, outputs=[output]))
    red = 'rgb("#d65f5f")'
    drawn = f"gradient.linear(({red}, 0%), ({red}, 50%), (white, 50%), (white, 100%))"
    assert work.typeset(f"x #box(fill: {drawn})[7]").findings() == []
    assert "the colours of a table" in work.typeset("x #box(fill: blue)[7]").findings()[0].message


def test_a_text_from_right_to_left_among_equal_numbers_of_a_table_is_found(work):
    if not font_folders():
        pytest.skip("needs the fonts of these scripts")
    texts = ["أنا حاول +ت كتير أتصور [مستخدم] يا...", "#عبدالرحمن ال+ خشت +ي اللهم يا سيدي"]
    rows = "".join(
        f"<tr><th>{n}</th><td>{texts[n % 2]}</td><td>{n % 2}</td></tr>" for n in range(5)
    )
    output = new_output("execute_result", data={"text/html": f"<table>{rows}</table>"})
    work.cells(new_code_cell("x", execution_count=1, outputs=[output] * 3))
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


@pytest.mark.parametrize("text", MARKS)
def test_a_text_that_readers_garble_is_never_lost(work, text):
    if not font_folders():
        pytest.skip("needs the fonts of these scripts")
    code = f"print({text!r})"
    stream = new_output("stream", text=text)
    work.cells(
        new_markdown_cell(f"# {text}\n\n*Words* {text}"),
        new_code_cell(code, execution_count=1, outputs=[stream]),
    )
    assert work.export().lost() == []


@pytest.mark.parametrize("text", ["चन्द्रगुप्त ने विद्यालय में", "سنتعلّم كيفيّة إنشاء", "x̂ and w̄ of p̂"])
def test_a_text_in_a_script_that_is_read_badly_is_lost_where_nothing_is_in_its_place(work, text):
    work.cells(new_markdown_cell("Before."), new_markdown_cell(text), new_markdown_cell("After."))
    (finding,) = work.typeset("Before.\n\nAfter.").findings()
    assert (finding.kind, finding.severity) == ("text", "lost")


NAMES = ["चन्द्रगुप्त मौर्य", "สมชาย ใจดี", "தமிழ் செல்வன்", "محمد علي", "Đỗ Nguyễn Ậ", "Ada " * 50]


@pytest.mark.parametrize("name", [*NAMES, "رضا حسینی‌نژاد", "👩‍🔬 Ada"])
def test_a_name_in_any_script_and_of_any_length_is_found_on_each_page(work, name):
    if not font_folders():
        pytest.skip("needs the fonts of these scripts")
    code = new_code_cell("x = 1\n" * 100, execution_count=1)
    cells = [new_markdown_cell(f"# T\n\n| |\n|-|\n| {name} |"), code]
    work.write(new_notebook(cells=cells, metadata={"authors": [{"name": name}]}))
    assert work.export().lost() == []


def test_a_name_that_is_not_there_is_missed_in_any_script(work):
    for name in NAMES:
        notebook = {"cells": [], "metadata": {"authors": [{"name": name}]}}
        assert work.write(notebook).typeset("Nobody.").kinds() == ["identity"]
