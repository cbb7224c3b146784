"""What a notebook file says, its title and its author; a damaged part costs at most its cell."""

import json
import os

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from coursework.cli import main
from coursework.pdf import export_pdf
from coursework.pdf.notebook import mend, read_head, read_notebook

DEEP = '{"cells": [], "metadata": {"a": ' + "[" * 500 + "]" * 500 + "}}"


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.ipynb: no such notebook"):
        read_notebook(tmp_path / "nothing.ipynb")


@pytest.mark.parametrize(
    "content", ["", "not json", "{}", "[1]", '{"cells": 3}', "\x00", "[" * 100_000, DEEP]
)
def test_file_that_is_no_notebook_is_an_error_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"odd\.ipynb: not a notebook.*save it again"):
        read_notebook(path)


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    for path in (tmp_path, tmp_path / "pipe.ipynb"):
        with pytest.raises(ValueError, match=r"not a notebook.*no regular file"):
            read_notebook(path)


def test_identity_may_come_from_the_notebook_and_may_hold_any_text(export):
    name = '#panic("x") \\ "quoted" $x$ *Müller*'
    done = export(
        new_markdown_cell("text"),
        title="A ] title }",
        authors=[{"name": name}],
        coursework={"student_id": "`id`", "course": "[C] @ <home>"},
    )
    assert name in done.text
    assert "`id`" in done.text
    assert "[C] @ <home> · A ] title }" in done.text
    assert (done.reader.metadata.title, done.reader.metadata.author) == ("A ] title }", name)


@pytest.mark.parametrize(
    ("given", "metadata", "source", "title"),
    [
        ("Option", "Metadata", "# Heading", "Option"),
        ("", "Metadata", "# Heading", "Metadata"),
        ("", "", "text\n\n## The *second* level", "The second level"),
        ("", "", "no heading", "work"),
    ],
)
def test_title_is_the_option_the_metadata_the_first_heading_or_the_file_name(
    given, metadata, source, title
):
    book = new_notebook(cells=[new_markdown_cell(source)], metadata={"title": metadata})
    head = read_head(book, "work", {"title": given})
    assert head.title == title
    assert head.title_in_text == ("#" in source)


def test_damaged_metadata_says_nothing():
    people = [{"name": None}, {"name": ["x"]}, True, None, {}, {"name": "Ada"}, "Emmy"]
    book = new_notebook(cells=[new_markdown_cell("text")])
    book.metadata.update(title=["x"], authors=people, coursework={"student_id": 17, "course": {}})
    head = read_head(book, "work", {})
    found = (head.title, head.author, head.student_id, head.course)
    assert found == ("work", "Ada, Emmy", "17", "")


GOOD = {"cell_type": "markdown", "metadata": {}, "source": "the other cell"}


@pytest.fixture
def export_json(tmp_path, read_back):
    """Export a notebook of some cells, written as they are, and read the PDF back."""

    def run(*cells, **notebook):
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | notebook
        path = tmp_path / "work.ipynb"
        path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
        return read_back(export_pdf(path, tmp_path / "work.pdf"))

    return run


def code(**fields):
    return {"cell_type": "code", "source": "run()", **fields}


def stream(**fields):
    return code(outputs=[{"output_type": "stream", "text": "printed", **fields}])


@pytest.mark.parametrize(
    "cell",
    [
        stream(),
        stream(name=None),
        stream(name="stdout", text=["prin", "ted"]),
        code(outputs=[{"output_type": "display_data", "data": {"text/plain": "printed"}}]),
        code(outputs=[{"output_type": "execute_result", "data": {"text/plain": ["printed"]}}]),
        code(outputs=[{"output_type": "error", "ename": "printed"}]),
        code(outputs=[{"output_type": "pyout", "text": "printed", "prompt_number": 3}]),
        stream() | {"metadata": None, "execution_count": "3"},
        stream() | {"id": "a b/c$", "metadata": {"tags": "hard"}},
        stream() | {"id": None, "metadata": {"collapsed": "maybe", "tags": [1, {}]}},
        stream() | {"source": ["run", "()"]},
        stream() | {"source": "import os\r\nrun()\r\n"},
    ],
)
def test_what_other_tools_leave_out_costs_nothing(export_json, cell):
    done = export_json(cell, GOOD)
    for word in ("run()", "printed", "the other cell"):
        assert word in done.text
    assert done.report.warnings == ()


@pytest.mark.parametrize(
    "notebook",
    [
        {"metadata": {"kernelspec": {"language": "python"}}},
        {"metadata": {"kernelspec": None, "language_info": 3, "authors": "Ada", "widgets": []}},
        {"metadata": None},
        {"metadata": {"language_info": {"pygments_lexer": None}, "title": ["a"]}},
        {"nbformat_minor": None},
        {"nbformat": None, "nbformat_minor": None},
        {"nbformat": "4", "nbformat_minor": "five"},
    ],
)
def test_odd_metadata_cost_nothing(export_json, notebook):
    done = export_json(stream(), GOOD, **notebook)
    assert "printed" in done.text
    assert done.report.warnings == ()


@pytest.mark.parametrize(
    ("cell", "warning"),
    [
        ({"cell_type": "markdown"}, "the cell has no source and is taken as empty"),
        ({"cell_type": "poll", "question": "?"}, "a cell of the unknown type 'poll' is not shown"),
        (["odd"], "a cell of the unknown type '' is not shown"),
        (None, "a cell of the unknown type '' is not shown"),
        (code(outputs="odd"), "the outputs cannot be read and are not shown"),
        (code(outputs=["odd"]), "an output cannot be read and is not shown"),
        (code(outputs=[{"output_type": "later"}]), "an output cannot be read and is not shown"),
        (
            code(outputs=[{"output_type": "display_data", "data": "odd"}]),
            "an output cannot be read and is not shown",
        ),
    ],
)
def test_what_cannot_be_read_is_a_warning_with_the_number_of_its_cell(export_json, cell, warning):
    done = export_json(GOOD, cell, GOOD)
    assert done.text.count("the other cell") == 2
    assert done.report.warnings == (f"cell 2: {warning}",)


def test_a_cell_of_an_unknown_type_shows_its_source(export_json):
    done = export_json({"cell_type": "sql", "source": "SELECT answer"})
    assert "[a cell of the unknown type 'sql', shown as its source]" in done.text
    assert "SELECT answer" in done.text


@pytest.mark.parametrize(
    "cell",
    [
        GOOD | {"source": "text [a](\ud800) $x\udfff$ <b title='\ud800'>bold</b>"},
        stream(text="text \ud800 bold"),
        code(source="text = 'bold \ud800'"),
        GOOD | {"source": "text bold", "attachments": {"\ud800": {}}},
    ],
)
def test_halves_of_characters_are_replaced_with_a_warning(export_json, cell):
    done = export_json(GOOD, cell)
    assert "text" in done.text
    assert "bold" in done.text
    expected = "cell 2: characters that cannot be encoded are replaced by \ufffd"
    assert done.report.warnings[0] == expected


def test_the_formats_before_4_are_read(export_json):
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": ["1 +", " 1"], "prompt_number": 7, "outputs": [
            {"output_type": "pyout", "text": ["two"], "html": "<b>bold two</b>"},
            {"output_type": "stream", "stream": "stderr", "text": "careful"},
            {"output_type": "pyerr", "ename": "E", "evalue": "v", "traceback": ["trace"]},
            {"output_type": "display_data", "output_text": "from format 2"},
        ]},
    ]  # fmt: skip
    sheets = [{"cells": cells}, {"cells": [GOOD]}]
    done = export_json(nbformat=3, cells=None, worksheets=sheets)
    words = ("Old", "1 + 1", "bold two", "careful", "trace", "from format 2", "the other cell")
    assert [word for word in words if word not in done.text] == []
    assert done.report.warnings == ()
    assert [item.title for item in done.reader.outline] == ["Old"]


@pytest.mark.parametrize("count", [True, "3", 3.5, [1], None])
def test_a_number_of_an_execution_that_is_no_number_is_none(count):
    book, _ = mend({"cells": [code(execution_count=count)]})
    assert book.cells[0].execution_count is None


def test_mending_leaves_the_notebook_as_it_was():
    notebook = {"cells": [stream(metadata={"tags": "x"})]}
    before = json.dumps(notebook)
    mend(notebook)
    assert json.dumps(notebook) == before


def test_the_command_refuses_a_target_in_one_line(tmp_path, capsys):
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"cells": [GOOD]}))
    assert main(["pdf", str(path), str(path)]) == 1
    error = capsys.readouterr().err
    assert "must end in .pdf" in error
    assert error.count("\n") == 1
