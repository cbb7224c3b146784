"""Cells and outputs: code, streams, errors, rich outputs, each in the form that shows most."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from coursework.pdf.cells import write_cell, write_output
from tests.coursework.pdf.conftest import PNG64, code, display, stream


def test_code_that_has_output_ends_in_a_piece_that_stays_with_it(draft):
    source = "\n".join(f"x{i}" for i in range(20))
    markup = write_cell(draft, code(source, stream("done")), "python")
    start, end = markup.split("#code-end(")
    assert '"x13"' in start
    assert '"x14"' not in start
    assert '"x14"' in end
    assert end.startswith('"", ')
    assert "sticky: true" in end


def test_code_without_output_is_one_piece(draft):
    markup = write_cell(draft, new_code_cell("\n".join("x" * 50)), "python")
    assert "#code-start(" not in markup
    assert "sticky: false" in markup


def test_execution_count_stands_beside_the_code(draft):
    assert '"[7]"' in write_cell(draft, new_code_cell("x", execution_count=7), "python")
    assert '"[ ]"' in write_cell(draft, new_code_cell("x"), "python")


def test_streams_and_errors_look_different(draft):
    outputs = [
        (stream("a"), "#out-text("),
        (stream("a", "stderr"), "#out-stderr("),
        (new_output("error", ename="E", evalue="a", traceback=["\x1b[31ma"]), "#out-error("),
    ]
    for output, function in outputs:
        assert write_output(draft, output).startswith(function)


def test_an_error_without_a_traceback_shows_its_name(draft):
    output = new_output("error", ename="ValueError", evalue="why", traceback=[])
    assert '"ValueError: why"' in write_output(draft, output)


@pytest.mark.parametrize("text", ["", "\n", "\n\n\r"])
def test_empty_output_shows_nothing(draft, text):
    assert write_output(draft, stream(text)) == ""
    assert write_output(draft, display({"text/plain": text})) == ""
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"text/html": "<b>rich</b>"}, "rich"),
        ({"text/markdown": "*rich*"}, "rich"),
        ({"text/latex": "$rich$"}, "#formulas.at(0)"),
        ({"text/html": '<div><div class="sk-text-repr-fallback"><pre>Li</pre></div>x</div>'}, "Li"),
        ({"application/json": {"key": [1]}}, '"key"'),
    ],
)
def test_richest_form_that_can_be_printed(draft, data, shown):
    markup = write_output(draft, display({"text/plain": "plain", **data})).replace('\\"', '"')
    assert shown in markup
    assert "plain" not in markup
    assert draft.warnings == []


def test_output_that_cannot_be_printed_is_a_note(draft):
    markup = write_output(draft, display({"application/x-odd": "?"}))
    assert "[output not shown: application/x-odd]" in markup
    assert draft.warnings == ["an output of type application/x-odd cannot be printed"]


@pytest.mark.parametrize(
    ("asked", "size"),
    [({"width": 400, "height": 200}, "width: 300pt)"), ({"height": 200}, "height: 150pt)")],
)
def test_picture_takes_the_size_of_its_metadata_and_is_not_stretched(draft, asked, size):
    output = display({"image/png": PNG64}, {"image/png": asked})
    assert size in write_output(draft, output)


def test_ten_thousand_lines_keep_both_ends_and_say_so(export):
    text = "\n".join(f"line {i:05}" for i in range(10_000))
    done = export(code("x", stream(text)))
    assert done.text.count("line 0") == 1000
    for present in ("line 00000", "line 00499", "line 09500", "line 09999"):
        assert present in done.text
    assert "line 00500" not in done.text
    assert "9000 lines of this output are not printed" in done.text
    assert "9000 of the lines of a long output are not printed" in done.warnings
    assert done.report.pages < 20


def test_every_line_of_code_is_printed_however_many(export):
    done = export(new_code_cell("\n".join(f"x{i:05} = {i}" for i in range(600))))
    assert all(f"x{i:05} = {i}" in done.text for i in range(600))


def test_word_of_five_thousand_letters_is_whole(export):
    done = export(new_markdown_cell("w" * 5000), code(f"z = '{'z' * 5000}'", stream("q" * 5000)))
    for letter in "qwz":
        assert done.squeezed.count(letter) >= 5000


def test_control_characters_are_visible_and_warned_about(export):
    done = export(new_markdown_cell("a\x1bb"), code("'\x07'", stream("nul\x00bell\x07")))
    assert r"nul\x00bell\x07" in done.text
    assert r"a\x1bb" in done.text
    assert r"'\x07'" in done.text
    for spelling in (r"\x00", r"\x07", r"\x1b"):
        assert spelling in done.warnings


def test_typst_in_text_is_text(export):
    attack = '#panic("x") "]); #panic() \\u{41} */ /* // $ #read("/etc/passwd") $'
    done = export(
        new_markdown_cell(f"`{attack}`\n\n<p>{attack}</p>"),
        code(attack, stream(attack), display({"text/html": f"<pre>{attack}</pre>"})),
        title=attack,
        authors=[attack],
    )
    assert "root:" not in done.text
    assert done.squeezed.count('#panic("x")"]);#panic()\\u{41}') >= 5


def test_magics_choose_the_language_of_a_cell(draft):
    markup = write_cell(draft, new_code_cell("%%bash\nfor f in *; do echo $f; done"), "ipython3")
    assert 'text(fill: ink.keyword, weight: "bold", "for")' in markup
