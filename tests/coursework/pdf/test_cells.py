"""Cells and outputs: code, streams, errors, rich outputs, each in the form that shows most."""

import base64

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from coursework.pdf.cells import write_cell, write_output


def display(**data):
    return new_output("display_data", data={key.replace("_", "/"): v for key, v in data.items()})


def test_code_that_has_output_ends_in_a_piece_that_stays_with_it(draft):
    source = "\n".join(f"x{i}" for i in range(20))
    output = new_output("stream", name="stdout", text="done")
    markup = write_cell(draft, new_code_cell(source, outputs=[output]), "python")
    start, end = markup.split("#code-end(")
    assert '"x13"' in start
    assert '"x14"' not in start
    assert '"x14"' in end
    assert "sticky: true, joined: true" in end


def test_code_without_output_is_one_piece(draft):
    markup = write_cell(draft, new_code_cell("\n".join("x" * 50)), "python")
    assert "#code-start(" not in markup
    assert "sticky: false, joined: false" in markup


def test_execution_count_stands_beside_the_code(draft):
    assert '"[7]"' in write_cell(draft, new_code_cell("x", execution_count=7), "python")
    assert '"[ ]"' in write_cell(draft, new_code_cell("x"), "python")


def test_streams_and_errors_look_different(draft):
    outputs = [
        (new_output("stream", name="stdout", text="a"), "#out-text("),
        (new_output("stream", name="stderr", text="a"), "#out-stderr("),
        (new_output("error", ename="E", evalue="a", traceback=["\x1b[31ma"]), "#out-error("),
    ]
    for output, function in outputs:
        assert write_output(draft, output).startswith(function)


def test_an_error_without_a_traceback_shows_its_name(draft):
    output = new_output("error", ename="ValueError", evalue="why", traceback=[])
    assert '"ValueError: why"' in write_output(draft, output)


@pytest.mark.parametrize("text", ["", "\n", "\n\n\r"])
def test_empty_output_shows_nothing(draft, text):
    assert write_output(draft, new_output("stream", name="stdout", text=text)) == ""


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"text_plain": "plain", "text_html": "<b>rich</b>"}, "rich"),
        ({"text_plain": "plain", "text_markdown": "*rich*"}, "rich"),
        ({"text_plain": "plain", "text_latex": "$rich$"}, "#formulas.at(0)"),
        (
            {
                "text_plain": "LinearModel()",
                "text_html": '<div><div class="sk-text-repr-fallback"><pre>Li</pre></div>x</div>',
            },
            "Li",
        ),
        ({"application_json": {"key": [1]}}, '"key"'),
    ],
)
def test_richest_form_that_can_be_printed(draft, data, shown):
    markup = write_output(draft, display(**data)).replace('\\"', '"')
    assert shown in markup
    assert ("plain" in markup) == (shown == "plain")
    assert draft.warnings == []


def test_an_empty_text_shows_nothing(draft):
    assert write_output(draft, display(text_plain="")) == ""
    assert draft.warnings == []


def test_output_that_cannot_be_printed_is_a_note(draft):
    markup = write_output(draft, display(**{"application_x-odd": "?"}))
    assert "[output not shown: application/x-odd]" in markup
    assert draft.warnings == ["an output of type application/x-odd cannot be printed"]


@pytest.mark.parametrize(
    ("asked", "size"),
    [({"width": 400, "height": 200}, "width: 300pt)"), ({"height": 200}, "height: 150pt)")],
)
def test_picture_takes_the_size_of_its_metadata_and_is_not_stretched(draft, png, asked, size):
    data = {"image/png": base64.b64encode(png).decode()}
    output = new_output("display_data", data=data, metadata={"image/png": asked})
    assert size in write_output(draft, output)


def test_ten_thousand_lines_keep_both_ends_and_say_so(export):
    text = "\n".join(f"line {i:05}" for i in range(10_000))
    done = export(new_code_cell("x", outputs=[new_output("stream", name="stdout", text=text)]))
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
    output = new_output("stream", name="stdout", text="q" * 5000)
    done = export(
        new_markdown_cell("w" * 5000), new_code_cell(f"z = '{'z' * 5000}'", outputs=[output])
    )
    for letter in "qwz":
        assert done.squeezed.count(letter) >= 5000


def test_control_characters_are_visible_and_warned_about(export):
    output = new_output("stream", name="stdout", text="nul\x00bell\x07")
    done = export(new_markdown_cell("a\x1bb"), new_code_cell("'\x07'", outputs=[output]))
    assert r"nul\x00bell\x07" in done.text
    assert r"a\x1bb" in done.text
    assert r"'\x07'" in done.text
    for code in (r"\x00", r"\x07", r"\x1b"):
        assert code in done.warnings


def test_typst_in_text_is_text(export):
    attack = '#panic("x") "]); #panic() \\u{41} */ /* // $ #read("/etc/passwd") $'
    output = new_output("stream", name="stdout", text=attack)
    done = export(
        new_markdown_cell(f"`{attack}`\n\n<p>{attack}</p>"),
        new_code_cell(attack, outputs=[output, display(text_html=f"<pre>{attack}</pre>")]),
        title=attack,
        authors=[attack],
    )
    assert "root:" not in done.text
    assert done.squeezed.count('#panic("x")"]);#panic()\\u{41}') >= 5


def test_magics_choose_the_language_of_a_cell(draft):
    markup = write_cell(draft, new_code_cell("%%bash\nfor f in *; do echo $f; done"), "ipython3")
    assert 'text(fill: ink.keyword, weight: "bold", "for")' in markup
