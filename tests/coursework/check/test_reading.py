"""Whatever Jupyter opens is read; what is no notebook is one clear error; and the check ends."""

import json
import time

import hypothesis
import pytest
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell
from pypdf.generic import ArrayObject, NameObject

from tests.coursework.check.conftest import code

STREAM = {"output_type": "stream", "text": "printed"}
ODD = {
    "no outputs": ({"cell_type": "code", "source": "x = 1", "execution_count": 1}, "x = 1"),
    "no source": ({"cell_type": "markdown"}, "x"),
    "no stream name": ({"cell_type": "code", "source": "", "outputs": [STREAM]}, "printed"),
    "no data": ({"cell_type": "code", "source": "", "outputs": [{}, None, 3]}, "x"),
    "a null id": ({"cell_type": "markdown", "id": None, "source": "Text"}, "Text"),
    "an illegal id": ({"cell_type": "markdown", "id": "a b/c", "source": ["Te", "xt"]}, "Text"),
    "null metadata": ({"cell_type": "markdown", "metadata": None, "source": "Text"}, "Text"),
    "a list of more than lines": ({"cell_type": "markdown", "source": ["a", None, 5]}, "a5"),
    "a surrogate": ({"cell_type": "markdown", "source": "Text [a](\ud800)"}, "Text a"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_other_programs_leave_out_is_empty(work, name):
    cell, page = ODD[name]
    assert work.write({"cells": [cell]}).typeset(page).lost() == []


def test_an_unknown_cell_costs_only_itself(work):
    work.write({"cells": [{"cell_type": "poll", "question": "?"}, ODD["a null id"][0], None]})
    findings = work.typeset("Text").findings()
    assert {finding.severity for finding in findings} == {"warning"}
    assert findings[0].message.startswith("cell 1: a cell of type 'poll' cannot be printed")


def test_a_notebook_of_format_3_is_read(work):
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Title"},
        {
            "cell_type": "code", "input": "1 + 1", "prompt_number": 1,
            "outputs": [{"output_type": "pyout", "text": ["2"]}],
        },
    ]  # fmt: skip
    work.write({"nbformat": 3, "worksheets": [{"cells": cells}]})
    assert work.typeset("= Title\n\n1 + 1\n\n2").findings() == []
    assert [f.split(":")[0] for f in work.typeset("1 + 1").lost()] == ["heading", "output"]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"cells": 3}', "[" * 100_000, "\x00"])
def test_what_is_no_notebook_is_one_clear_error(work, text):
    work.typeset("x").write(text)
    with pytest.raises(ValueError, match=r"work\.ipynb: not a notebook: expected JSON with a list"):
        work.findings()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
outputs = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "error", "display_data", "pyout", None])},
    optional={
        "text": json_values, "name": json_values, "traceback": json_values, "ename": json_values,
        "data": st.dictionaries(
            st.sampled_from([
                "text/html", "text/plain", "text/latex", "image/png", "application/json",
                "application/vnd.jupyter.widget-view+json", "text/markdown", "x/y",
            ]),
            json_values,
        ),
    },
)  # fmt: skip
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "code", "raw", "poll", None])},
    optional={
        "source": json_values, "metadata": json_values, "id": json_values,
        "execution_count": json_values, "outputs": st.lists(outputs | json_values, max_size=3),
        "attachments": json_values,
    },
)  # fmt: skip


@hypothesis.given(st.lists(cells | json_values, max_size=4), json_values)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_no_notebook_ends_in_a_traceback(work, cells, metadata):
    if not work.pdf.is_file():
        work.typeset("Text")
    work.write(json.dumps({"cells": cells, "metadata": metadata})).findings()


@hypothesis.given(
    st.text(alphabet="\ue000\ue001\ue002$\\[](){}`*_#|<>/ab1=\n-~!&;:\"'.", max_size=80)
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_no_prose_and_no_html_ends_in_a_traceback(work, text):
    if not work.pdf.is_file():
        work.typeset("Text")
    outputs = {"text/html": text, "text/plain": "x"}, {"text/latex": text}
    work.cells(new_markdown_cell(text), code("x", *outputs)).findings()


def test_code_is_set_aside_before_dollars_are_paired(work):
    work.prose(
        "It costs US$8 today; run `echo $HOME` for the folder.",
        "Price $5; ``x $ y`` and\n\n```\n$ sudo make\n```\n\n    $ ls\n\n$ so.",
    )
    page = "It costs US\\$8 today; run echo \\$HOME for the folder.\n\nPrice \\$5; x \\$ y and\n\n"
    assert work.typeset(page + "\\$ sudo make\n\n\\$ ls\n\n\\$ so.").findings() == []


@pytest.mark.parametrize(
    "source",
    [
        "1. In a list:\n\n   | a | b |\n   |---|---|\n   | 1 | 22 |",
        "> | a | b |\n> |---|---|\n> | 1 | 22 |",
        "1. In a list:\n| a | b |\n|---|---|\n| 1 | 22 |",
        "| a | b |\n|---|---|\n| 1 | 22 | 333 |",
        "<table>\n<tr><td>a</td><td>b</td></tr>\n\n    <tr>\n  <td>1</td><td>22</td></tr></table>",
        "<table><td>a</td><td>b</td></table>\n\n1 22",
    ],
)
def test_tables_are_read_as_browsers_and_github_read_them(work, source):
    work.prose(source)
    assert work.typeset("+ In a list:\n\n#table(columns: 2)[a][b][1][22]").lost() == []
    assert "22" in " ".join(work.typeset("+ In a list:\n\n#table(columns: 2)[a][b][1]").lost())


HIDDEN = {
    "a class": "<style>p.x, .hid {display: none}</style>Seen <span class=hid>secret</span> words",
    "an id": "<style>#T_1_row0 {visibility: hidden}</style><p id=T_1_row0>secret</p>Seen words",
    "an attribute": "Seen <i hidden>secret</i> words",
    "a style": "Seen <i style='Display : None !important'>secret</i> words",
    "its place": "<style>b:nth-child(2) {display: none}</style>Seen <b>words</b><b>secret</b>",
    "no colour": "<style>.a {opacity: 0.0}</style>Seen <i class=a>secret</i><b>words</b>",
    "no height": "Seen <i style='max-height: 0; overflow: hidden'>secret</i> words",
    "a template": "Seen <template>secret</template><noscript>secret</noscript> words",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_browser_hides_is_not_expected(work, name):
    work.shows({"text/html": HIDDEN[name]})
    assert work.typeset("x\n\nSeen words").findings() == []
    assert "Seen words" in " ".join(work.typeset("x\n\nSeen").lost())


@pytest.mark.parametrize(
    "html", ["<style>.a {text-transform: uppercase}</style><p class=a>Seen <b>words</b>",
             "<p style='text-transform:uppercase'>Seen words"],
)  # fmt: skip
def test_capitals_that_a_style_asks_for_are_expected(work, html):
    work.shows({"text/html": html})
    assert work.export().findings() == []
    assert len(work.typeset("x\n\nSeen words").lost()) == 1


@pytest.mark.parametrize(
    "inner",
    [
        "<input value=typed>", "<input type=hidden value=x>", "<select><option>a<option>b</select>",
        "<button>go</button>", "<textarea>t</textarea>", "<progress value=3 max=4>75</progress>",
        "<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
        "<dialog>x</dialog>", "<datalist><option>z</datalist>", "<math><mi>x</mi></math>",
        "<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mi>y</mi></math>",
    ],
)  # fmt: skip
def test_words_beside_a_control_a_gloss_or_mathml_are_expected(work, inner):
    work.shows({"text/html": f"<p>one {inner} two"})
    assert work.export().lost() == []
    assert "two" in " ".join(work.typeset("x\n\none").lost())


@pytest.mark.parametrize(
    "sheet",
    [
        "@media print {.a {display: none} .b {}}",
        ".a:hover {display: none}",
        "/*.a {display:none}*/",
    ],
)
def test_what_only_paper_or_a_pointer_hides_is_expected(work, sheet):
    work.shows({"text/html": f"<style>{sheet}</style><p class=a>Seen</p>"})
    assert len(work.typeset("x").lost()) == 1


def test_the_parts_of_a_table_stand_where_a_browser_shows_them(work):
    row = "<tr><td>{}</td></tr>"
    foot, body, head = (row.format(word) for word in ("sums", "rows", "heads"))
    html = f"<table><tfoot>{foot}</tfoot>{body}<thead>{head}</thead></table>"
    work.shows({"text/html": html})
    assert work.typeset("x\n\n#table[heads][rows][sums]").findings() == []
    assert "sums stands before heads" in work.typeset("x\n\n#table[sums][heads][rows]").lost()[0]


@pytest.mark.parametrize("author", [{"name": None}, None, True, {"name": ["x"]}, {}, 7.5, " Ada "])
def test_an_author_who_is_no_text_is_nobody(work, author):
    work.write({"cells": [], "metadata": {"authors": [author], "coursework": {"student_id": []}}})
    assert work.typeset("Ada 7.5").findings() == []


@pytest.mark.parametrize(
    "html", ["", "<style>p {color: navy}</style><!-- x --><p hidden>a</p><script>b</script>"]
)
def test_html_that_shows_nothing_expects_nothing(work, html):
    work.shows({"text/html": html})
    assert work.typeset("x").findings() == []


def test_a_structure_tree_in_a_circle_ends(whole):
    def tie(writer):
        element = writer.root_object["/StructTreeRoot"]["/K"]
        element = element[0] if isinstance(element, ArrayObject) else element
        element = element.get_object()
        kids = element["/K"] if isinstance(element["/K"], ArrayObject) else [element["/K"]]
        element[NameObject("/K")] = ArrayObject([*kids, element.indirect_reference])

    start = time.perf_counter()
    assert {f.kind for f in whole.rewrite(tie).findings()} <= {"formula", "figure", "text", "page"}
    assert time.perf_counter() - start < 10


def test_deep_html_and_a_long_output_end(work):
    work.shows("0 1\n" * 30_000, {"text/html": "<div>" * 3000 + "deep"})
    start = time.perf_counter()
    assert "output" in work.typeset("x\n\ndeep").kinds()
    assert time.perf_counter() - start < 10


UNSEEN = "a\u200bb \ufeffc \u2028d \u2066e\u2069 \u202ef\u202c \x0bg \uffff"


def test_characters_that_draw_nothing_are_spelled_out_or_left_out(work):
    work.cells(new_markdown_cell("Prose: " + UNSEEN), code(f"x = '{UNSEEN}'", UNSEEN))
    assert work.export().findings() == []
    page = "Prose: ab c d e f g\n\nx = \\'ab c d e f g \\'\n\nab c d e f g"
    assert work.typeset(page).lost() == []


@pytest.mark.parametrize("words", ["נוסחה $a+b$ סוף", "صيغة $a+b$ نهاية"])
def test_letters_of_a_formula_in_a_line_from_right_to_left_are_read(work, words):
    work.prose(words)
    assert work.export().lost() == []


@pytest.mark.parametrize(
    "source",
    [r"$$a = b \tag{$*$}$$", "> $$\n> x > y\n> $$", "- > > in $$a\n  > > = b$$", "> $x > y$"],
)
def test_formulas_are_read_with_dollars_in_their_tags_and_in_quotations(work, source):
    work.prose(source)
    assert work.export().findings() == []
