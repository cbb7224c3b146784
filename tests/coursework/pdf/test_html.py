"""HTML as Typst: everything a Markdown cell or a rich output shows."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from coursework.pdf.html import html_to_typst


@pytest.mark.parametrize(
    ("html", "typst"),
    [
        ("<b>x</b>", '#strong[#"x";];'),
        ("<em>x</em>", '#emph[#"x";];'),
        ("H<sub>2</sub>O", '#"H";#sub[#"2";];#"O";'),
        ("a <u>b</u> c", '#"a"; #underline[#"b";]; #"c";'),
        ("<del>x</del>", '#strike[#"x";];'),
        ("<mark>x</mark>", '#marked[#"x";];'),
        ("<kbd>Esc</kbd>", '#key[#"Esc";];'),
        ("<q>x</q>", '#"“";#"x";#"”";'),
        ("a<br>b", '#"a";#linebreak();#"b";'),
        ("<code>a  b</code>", '#inline-code[#"a  b";];'),
        ("<hr>", "#rule();"),
        ('<font color="red">x</font>', '#text(fill: rgb("#cc0000"))[#"x";];'),
        ('<b style="nonsense">x</b>', '#strong[#"x";];'),
        (
            '<span style="color:#123456; font-weight:700; font-style: italic">x</span>',
            '#text(fill: rgb("#123456"), weight: "bold", style: "italic")[#"x";];',
        ),
        ("<center>x</center>", '#align(center)[#"x";]'),
        ('<p align="right">x</p>', '#align(right)[#"x";]'),
        ("<blockquote>x</blockquote>", '#blockquote[#"x";]'),
        ("<ul><li>a</li><li>b</li></ul>", '#list([#"a";], [#"b";])'),
        ('<ol start="3"><li>a</li></ol>', '#enum(start: 3, numbering: "1.", [#"a";])'),
        ('<ol type="a"><li>a</li></ol>', '#enum(start: 1, numbering: "a.", [#"a";])'),
        ('<a href="https://a.b/">x</a>', '#link("https://a.b/")[#"x";];'),
        ('<a href="javascript:alert(1)">x</a>', '#"x";'),
        ('<div class="alert alert-info">x</div>', '#callout("info")[#"x";]'),
        ('<p style="display:none">x</p><p hidden>y</p>', ""),
        ("<style>p {}</style><script>f()</script><!-- note --><title>t</title>", ""),
        ("&lt;b&gt; &amp;amp;", '#"<b> &amp;";'),
        ("  a \n\t b  ", '#"a b";'),
        ("<unknown>x</unknown>", '#"x";'),
        ("<p>a</p><p>b</p>", '#"a";\n\n#"b";'),
        ("<a>text</a>", '#"text";'),
        ("<details><summary>a</summary><p>b</p></details>", '#details[#"a";][#"b";]'),
        ("<dl><dt>a</dt><dd>b</dd></dl>", '#strong[#"a";]\n\n#pad(left: 1.5em)[#"b";]'),
        (
            '<ul><li><input type="checkbox" checked> done</li></ul>',
            '#list(marker: none, body-indent: 0pt, [#checkbox(true); #"done";])',
        ),
    ],
)
def test_elements(draft, html, typst):
    assert html_to_typst(draft, html) == typst
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("html", "typst"),
    [
        ('<ol class="list-inline"><li>2<li>4</ol>', '#"2";#" · ";#"4";'),
        ("<ul class=list-inline><li>'a'</li></ul>", "#\"'a'\";"),
        (
            '<dl class="dl-inline"><dt>a</dt><dd>1</dd><dt>b</dt><dd>2</dd></dl>',
            '#strong[#"a";]#": ";#"1";#" · ";#strong[#"b";]#": ";#"2";',
        ),
    ],
)
def test_a_vector_of_r_is_one_running_line(draft, html, typst):
    assert html_to_typst(draft, html) == typst


def test_an_inline_list_of_lists_is_a_list(draft):
    html = '<ol class="list-inline"><li><ol class="list-inline"><li>1</li></ol></li></ol>'
    assert html_to_typst(draft, html).startswith("#enum(")


def test_the_values_of_sliders_and_hidden_fields_are_not_text(draft):
    html = '<input type="range" value="3"><input type="hidden" value="x"><input value="typed">'
    assert html_to_typst(draft, html) == '#"typed";'


def test_repeated_names_of_link_targets_stay_apart(draft):
    markup = html_to_typst(draft, "<h1>A</h1><h1>A</h1><p id='b'>x</p><p id='b'>y</p>")
    assert (markup.count('"to-A"'), markup.count("#titled(1, 1,")) == (1, 2)
    assert markup.count('#anchor("to-b")') == 1


def test_outline_skips_no_level_whatever_the_headings_look_like(draft):
    markup = html_to_typst(draft, "<h2>a</h2><h4>b</h4><h5>c</h5><h1>d</h1><h6>e</h6>")
    assert re.findall(r"#titled\((\d), (\d),", markup) == [
        ("2", "1"), ("4", "2"), ("5", "3"), ("1", "1"), ("6", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("tag", ["video", "iframe", "audio", "canvas", "object", "embed"])
def test_what_moves_is_a_note_with_its_address(draft, tag):
    markup = html_to_typst(draft, f'<{tag} src="https://a.b/c"></{tag}>')
    assert f"[interactive content, not shown: {tag} https://a.b/c]" in markup
    assert draft.warnings == [f"a <{tag}> cannot be printed https://a.b/c"]


def test_mathml_uses_the_tex_it_comes_with(draft):
    html = (
        '<math><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></math>'
        "<math><mi>y</mi></math>"
    )
    assert html_to_typst(draft, html) == '#lines((0,))[#formulas.at(0);#"y";]'
    assert [formula.tex for formula in draft.formulas] == ["x^2"]
    assert draft.warnings == ["a MathML formula is shown as plain text"]


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 300 + "deep" + "</div>" * 300,
        "<b>" * 300 + "deep" + "</b>" * 300,
        "<ul><li>" * 300 + "deep",
    ],
)
def test_deep_nesting_is_flattened_with_a_warning(draft, html):
    assert '"deep"' in html_to_typst(draft, html)
    assert draft.warnings == ["what is nested too deeply is shown as plain text"]


def test_html_in_a_markdown_cell_and_in_an_output_reach_the_page(export):
    html = "<h4>Result</h4><ul><li>one<li>two <b>bold</b></ul><table><tr><td>17</td></tr></table>"
    done = export(
        new_markdown_cell(f"Before\n\n{html}\n\nAfter <u>this"),
        new_code_cell("x", outputs=[new_output("display_data", data={"text/html": html})]),
        title="T",
    )
    for word in ("Result", "one", "two bold", "17"):
        assert done.text.count(word) == 2
    assert done.report.warnings == ()
