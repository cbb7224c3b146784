"""HTML as Typst: everything a Markdown cell or a rich output shows."""

import re

import pypdfium2
import pytest
from nbformat.v4 import new_markdown_cell

from coursework.pdf.html import html_to_typst
from tests.coursework.pdf.conftest import code, display


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
        (
            "<samp>a <tex-math>x</tex-math></samp>",
            '#lines((0,))[#inline-code[#"a"; #formulas.at(0);];]',
        ),
        ("<code><a href=b:c>a</a>b</code>", '#inline-code[#link("b:c")[#"a";];#"b";];'),
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
        (
            '<ol><li value="5">a</li><li>b</li></ol>',
            '#enum(start: 5, numbering: "1.", [#"a";], [#"b";])',
        ),
        (
            '<ol reversed><li>a</li><li value="7">b</li></ol>',
            '#enum(start: 2, numbering: "1.", enum.item(2)[#"a";], enum.item(7)[#"b";])',
        ),
        ('<a href="https://a.b/"><p>x</p></a>', '#link("https://a.b/")[#"x";];'),
        ('<ol start="3"><li>a</li></ol>', '#enum(start: 3, numbering: "1.", [#"a";])'),
        ('<ol type="a"><li>a</li></ol>', '#enum(start: 1, numbering: "a.", [#"a";])'),
        ('<a href="https://a.b/">x</a>', '#link("https://a.b/")[#"x";];'),
        ('<a href="javascript:alert(1)">x</a>', '#"x";'),
        ('<div class="alert alert-info">x</div>', '#callout("info")[#"x";]'),
        ('<p style="display:none">x</p><p hidden>y</p>', ""),
        ("<style>p {}</style><script>f()</script><!-- note --><title>t</title>", ""),
        ("<table><caption>a</caption></table>", '#table-title[#"a";]'),
        ("&lt;b&gt; &amp;amp;", '#"<b> &amp;";'),
        ("  a \n\t b  ", '#"a b";'),
        ("<unknown>x</unknown>", '#"x";'),
        ("<p>a</p><p>b</p>", '#"a";\n\n#"b";'),
        ("<a>text</a>", '#"text";'),
        ("<details><summary>a</summary><p>b</p></details>", '#details[#"a";][#"b";]'),
        ("<dl><dt>a</dt><dd>b</dd></dl>", '#strong[#"a";]\n\n#pad(left: 1.5em)[#"b";]'),
        (
            "<dl>x<dt>a</dt><div><dd><dl><dt>b</dt></dl></dd></div></dl>",
            '#"x";\n\n#strong[#"a";]\n\n#pad(left: 1.5em)[#strong[#"b";]]',
        ),
        ("<fieldset><legend>a</legend><label>b</label></fieldset>", '#"a";\n\n#"b";'),
        ("<figure>a<figcaption>b</figcaption></figure>", '#"a";\n\n#"b";'),
        ("<ruby>漢<rp>[</rp><rt>kan</rt><rp>]</rp></ruby>", '#"漢";#"(";#"kan";#")";'),
        ("<select><option>a<option>b</select>", '#"a";'),
        ("<select><option>a<option selected>b<option>c</select>", '#"b";'),
        ("<select multiple><option>a<option label=b></select>", '#"a, b";'),
        ("<textarea>a</textarea>", '#"a";'),
        ("<progress value=3 max=4>75</progress>", '#inline-code[#"|████████  |";];'),
        ("<noscript>x</noscript><dialog>y</dialog><datalist><option>z</datalist>", ""),
        ("<code>a<br>b</code>", '#inline-code[#"a";#linebreak();#"b";];'),
        ("a<i style='display: block'>b</i>", '#"a";\n\n#emph[#"b";];'),
        ("<div style='display: flex'><i>a</i><b>b</b></div>", '#emph[#"a";];\n\n#strong[#"b";];'),
        ("<div style='display: inline'>a</div> b", '#"a"; #"b";'),
        ("<p style='color: #123456'>x</p>", '#text(fill: rgb("#123456"))[#"x";];'),
        ("<p style='background: #123456'>x</p>", '#filled(rgb("#123456"))[#"x";]'),
        ("<span style='background: #fedcba'>x</span>", '#highlight(fill: rgb("#fedcba"))[#"x";];'),
        ("<span style='text-decoration: line-through red'>x</span>", '#strike[#"x";];'),
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
    html += '<input type="password" value="secret">'
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


def test_mathml_is_a_formula(draft):
    html = (
        '<math><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></math>'
        '<math display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math><math></math>'
        "<math><msqrt><mi>y</mi></msqrt></math>"
    )
    assert html_to_typst(draft, html).count("#formulas.at(") == 3
    texts = [(formula.tex, formula.display) for formula in draft.formulas]
    assert texts == [("x^2", False), (r"\frac{a}{b}", True), (r"\sqrt{y}", False)]
    assert draft.warnings == ["a MathML formula is shown as plain text"]


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 300 + "deep",
        "<b>" * 300 + "deep",
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
        code("x", display({"text/html": html})),
        title="T",
    )
    for word in ("Result", "one", "two bold", "17"):
        assert done.text.count(word) == 2
    assert done.report.warnings == ()


def test_the_text_of_a_diagram_that_its_library_shortened_is_told(draft):
    text = "<div><pre class=sk-text-repr-fallback>Forest(n=1{})</pre><b>x</b></div>"
    assert "Forest" in html_to_typst(draft, text.format(", ..., 3"))
    assert draft.warnings == []
    html_to_typst(draft, text.format("..."))
    (warning,) = draft.warnings
    assert warning == "a diagram is shown as its text, which its library shortened by a '...'"


def test_a_drawing_takes_the_styles_of_the_page(draft):
    html = "<style>.a {fill: red}</style><svg><rect class=a width=9 height=9 /></svg>"
    assert html_to_typst(draft, html).startswith("#ragged[#picture(")
    assert b".a {fill: red}" in next(iter(draft.images))


def test_preformatted_text_keeps_its_colours_and_its_lines(draft):
    words = "<span style='color: #008080'>a<b> b</b></span><br><i style='background: lime'>c</i>"
    markup = html_to_typst(draft, f"<pre>{words}</pre>")
    assert '#text(fill: rgb("#008080"), "a");' in markup
    assert '#text(fill: rgb("#008080"), weight: "bold", " b");#linebreak();' in markup
    assert '#highlight(fill: rgb("#00ff00"), text(style: "italic", "c"));' in markup


def test_a_background_that_a_page_cannot_show_is_told(draft):
    assert html_to_typst(draft, "<p style='background: url(a.png)'>x</p>") == '#"x";'
    assert draft.warnings == ["the background of a <p> is not shown: url(a.png)"]


def test_letters_that_are_overridden_stand_from_right_to_left(export):
    done = export(new_markdown_cell('A <bdo dir="rtl">12 xyz</bdo> B'))
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    places = {page.get_text_range(i, 1): page.get_charbox(i)[0] for i in range(page.count_chars())}
    assert places["z"] < places["y"] < places["x"] < places["2"] < places["1"]
    assert done.report.warnings == ()


@pytest.mark.parametrize("command", ["autoref", "cref", "Cref", "pageref", "cite", "label"])
def test_a_reference_that_jupyter_does_not_know_is_told(draft, command):
    assert f"\\\\{command}{{eq:a}}" in html_to_typst(draft, f"See \\{command}{{eq:a}}.")
    assert draft.warnings == [
        f"\\{command}{{eq:a}} is no reference that Jupyter knows and is shown as it stands"
    ]
