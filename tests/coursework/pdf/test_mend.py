"""What Jupyter opens is exported: a damaged part costs at most its cell."""

import json
import subprocess
import sys

import pytest

from coursework.pdf import export_pdf
from coursework.pdf.notebook import mend

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


def test_nbconvert_exports_a_damaged_notebook_too(tmp_path):
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "poll"}, GOOD]}))
    command = [sys.executable, "-m", "nbconvert", "--to", "typstpdf", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cell 1: a cell of the unknown type 'poll' is not shown" in done.stderr
    assert path.with_suffix(".pdf").exists()


@pytest.mark.parametrize("target", ["work.ipynb", "notes.txt"])
def test_the_command_refuses_a_target_in_one_line(tmp_path, target):
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"cells": [GOOD]}))
    command = [sys.executable, "-m", "coursework", "pdf", str(path), str(tmp_path / target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "must end in .pdf" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert json.loads(path.read_text())["cells"] == [GOOD]
