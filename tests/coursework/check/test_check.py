"""The check accepts a whole PDF and finds each fault that is planted here."""

import base64
import copy
import io

import matplotlib.figure
import nbformat
import pytest
import typst
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader, PdfWriter, Transformation

from coursework.check import Finding, check_pdf
from coursework.pdf import export_pdf
from coursework.pdf.typst import font_folders

TABLE = "<table><tr><th>model</th></tr><tr><td>ResNet-18</td></tr><tr><td>4711</td></tr></table>"


def figure() -> str:
    drawing = matplotlib.figure.Figure(figsize=(2, 1))
    drawing.subplots().plot([1, 3, 2])
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


PLOT = figure()


def whole_notebook():
    """Return a notebook that holds one of everything, run once in order."""
    cells = [
        new_markdown_cell("# Homework 3\n\n| | |\n|--|--|\n| **Name** | Ada Lovelace |"),
        new_markdown_cell(
            "## Question 1\n\nThe answer is *quite* simple.\n\n- first item\n- second item\n\n"
            "Inline $\\alpha^2 + \\beta$ and shown:\n\n$$\\frac{\\partial L}{\\partial w} = 0$$"
        ),
        new_code_cell(
            "import numpy as np\nresult = np.arange(3)\nprint(result)",
            execution_count=1,
            outputs=[
                new_output("stream", name="stdout", text="[0 1 2]\nsecond printed line\n"),
                new_output("stream", name="stderr", text="UserWarning: careful\n"),
            ],
        ),
        new_code_cell(
            "# " + "a comment that is longer than the page is wide, " * 4 + "and ends here",
            execution_count=2,
            outputs=[new_output("display_data", data={"image/png": PLOT, "text/plain": "<Fig>"})],
        ),
        new_code_cell(
            "frame",
            execution_count=3,
            outputs=[new_output("execute_result", data={"text/html": TABLE, "text/plain": "x"})],
        ),
        new_code_cell(
            "for i in range(200): print(i)",
            execution_count=4,
            outputs=[
                new_output(
                    "stream", name="stdout", text="".join(f"row {i:03}\n" for i in range(200))
                )
            ],
        ),
    ]
    metadata = {
        "authors": [{"name": "Ada Lovelace"}],
        "coursework": {"student_id": "2026-0042", "course": "Deep Learning"},
    }
    return new_notebook(cells=cells, metadata=metadata)


class Work:
    """A notebook and a PDF in a folder; each may be changed on its own."""

    def __init__(self, folder):
        self.folder = folder
        self.notebook = folder / "work.ipynb"
        self.pdf = folder / "work.pdf"

    def write(self, notebook=None, exported=None):
        """Write a notebook, and the PDF of it or of another one."""
        notebook = notebook or whole_notebook()
        nbformat.write(exported or notebook, self.folder / "exported.ipynb")
        export_pdf(self.folder / "exported.ipynb", self.pdf)
        nbformat.write(notebook, self.notebook)
        return self

    def rewrite(self, change):
        """Change the pages of the PDF."""
        writer = PdfWriter(clone_from=self.pdf)
        change(writer)
        writer.write(self.pdf)
        return self

    def kinds(self):
        return {finding.kind for finding in self.findings()}

    def findings(self):
        return check_pdf(self.notebook, self.pdf)


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


def test_a_whole_pdf_has_no_findings(work):
    assert work.write().findings() == []


def lost(change):
    """Return the PDF of a notebook from which something was taken away first."""

    def fault(work):
        without = copy.deepcopy(whole_notebook())
        change(without)
        return work.write(whole_notebook(), exported=without)

    return fault


def replace(cell, old, new=""):
    def change(notebook):
        assert old in notebook.cells[cell].source
        notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new)

    return change


def drop_output(cell, output=0):
    return lambda notebook: notebook.cells[cell].outputs.pop(output)


def change_stream(old, new, cell=2, output=0):
    def change(notebook):
        stream = notebook.cells[cell].outputs[output]
        assert old in stream.text
        stream.text = stream.text.replace(old, new)

    return change


LOSSES = {
    "a heading": (replace(1, "## Question 1"), "heading", "Question 1"),
    "a letter of a heading": (replace(0, "Homework 3", "Homework"), "heading", "Homework 3"),
    "a sentence": (replace(1, "The answer is *quite* simple."), "text", "quite simple"),
    "a list item": (replace(1, "- second item"), "text", "second item"),
    "a name in a table": (replace(0, "Ada Lovelace", "?"), "table", "Ada Lovelace"),
    "a line of code": (replace(2, "result = np.arange(3)\n"), "code", "np.arange(3)"),
    "a letter of code": (replace(2, "import numpy as np", "import numpy as n"), "code", "as np"),
    "the end of a long line": (replace(3, "and ends here"), "code", "comment"),
    "a printed line": (change_stream("second printed line\n", ""), "output", "second printed"),
    "a digit of a result": (change_stream("[0 1 2]", "[0 1 3]"), "output", "[0 1 2]"),
    "one of 200 lines": (change_stream("row 117\n", "", cell=5), "output", "row 117"),
    "the standard error": (drop_output(2, 1), "output", "UserWarning"),
    "a cell of a table": (
        lambda notebook: notebook.cells[4].outputs[0].data.update(
            {"text/html": TABLE.replace("4711", "")}
        ),
        "table",
        "4711",
    ),
    "a table": (drop_output(4), "table", "ResNet-18"),
    "a figure": (drop_output(3), "figure", "1 of 1 figures"),
    "an inline formula": (replace(1, "$\\alpha^2 + \\beta$"), "formula", r"\alpha^2 + \beta"),
    "a displayed formula": (
        replace(1, "$$\\frac{\\partial L}{\\partial w} = 0$$"), "formula", r"\frac",
    ),
    "a whole cell": (lambda notebook: notebook.cells.pop(5), "output", "row 000"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_found_and_named_and_not_taken_for_another(work, name):
    change, kind, words = LOSSES[name]
    findings = lost(change)(work).findings()
    assert [f for f in findings if f.kind == kind and words in f.message], findings
    # The code of a lost cell is lost too.
    allowed = {kind, "code"} if name == "a whole cell" else {kind}
    assert {f.kind for f in findings} <= allowed


def run_twice(notebook):
    notebook.cells[3].execution_count = 3


def not_in_order(notebook):
    notebook.cells[2].execution_count, notebook.cells[3].execution_count = 2, 1


def not_run(notebook):
    notebook.cells[3].execution_count = None
    notebook.cells[3].outputs = []


def with_error(notebook):
    notebook.cells[3].outputs.append(
        new_output("error", ename="ValueError", evalue="odd", traceback=["ValueError: odd"])
    )


def without_name(notebook):
    notebook.cells[0].metadata["tags"] = ["identity"]
    notebook.cells[0].source += "\n\n*your full name*, *your student ID*"


def unreadable_formula(notebook):
    notebook.cells[1].source += "\n\n$\\nosuchcommand{x}$"


def missing_image(notebook):
    notebook.cells[1].source += "\n\n![plot](gone.png)"


def missing_glyph(notebook):
    notebook.cells[1].source += "\n\nA sign of a lost script: \U00012000."


STATES = {
    "a cell run twice": (run_twice, "run", "cell 4 was run as number 3, expected 2"),
    "cells not run in order": (not_in_order, "run", "cell 3 was run as number 2, expected 1"),
    "a cell that was not run": (not_run, "run", "cell 4 was not run"),
    "an error": (with_error, "error", "cell 4 ends in ValueError: odd"),
    "no name": (without_name, "placeholder", "cell 1 still says *your full name*: no name"),
    "no student ID": (without_name, "placeholder", "no student id"),
    "a formula as raw TeX": (unreadable_formula, "tex", "raw TeX is left on the page"),
    "a formula not set": (unreadable_formula, "formula", "not shown as a formula"),
    "a missing image": (missing_image, "figure", "1 of 2 figures"),
    "a missing glyph": (missing_glyph, "glyph", "where no font has the character"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_notebook_that_cannot_be_handed_in_is_found_and_the_reason_named(work, name):
    change, kind, words = STATES[name]
    notebook = whole_notebook()
    change(notebook)
    findings = work.write(notebook).findings()
    assert [f for f in findings if f.kind == kind and words in f.message], findings


def drop_page(writer):
    del writer.pages[1]


def blank_page(writer):
    writer.insert_blank_page(width=595, height=842, index=1)


def swap_pages(writer):
    first = writer.pages[0]
    del writer.pages[0]
    writer.insert_page(first, 1)


def shift_page(writer):
    # Typst keeps text away from the edge, so the page itself is made narrower.
    writer.pages[0].mediabox.upper_right = (300, 842)


def shift_picture(writer):
    writer.pages[0].add_transformation(Transformation().translate(tx=-300))


PAGES = {
    "a page is gone": (drop_page, "output"),
    "a page that is gone breaks the numbering": (drop_page, "page"),
    "a blank page": (blank_page, "page"),
    "pages in another order": (swap_pages, "page"),
    "text beyond the right edge": (shift_page, "page"),
    "text and picture beyond the left edge": (shift_picture, "page"),
    "a password": (lambda writer: writer.encrypt("secret"), "file"),
}


@pytest.mark.parametrize("name", PAGES)
def test_damaged_pages_are_found(work, name):
    change, kind = PAGES[name]
    assert kind in work.write().rewrite(change).kinds()


def test_picture_beyond_the_edge_is_told_from_text(work):
    findings = work.write().rewrite(shift_picture).findings()
    assert any(f.message.startswith("a picture runs over the edge") for f in findings)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"not a PDF", b"%PDF-1.7 cut", None])
def test_file_that_is_no_pdf_is_a_finding(work, content):
    work.write()
    whole = work.pdf.read_bytes()
    work.pdf.write_bytes(whole[: len(whole) // 3] if content is None else content)
    findings = work.findings()
    assert {f.kind for f in findings} & {"file", "text"}
    assert findings != []


def test_pdf_of_another_notebook_is_found(work):
    other = new_notebook(cells=[new_markdown_cell("# Something else")])
    kinds = work.write(whole_notebook(), exported=other).kinds()
    assert {"heading", "code", "output", "table", "formula", "figure", "identity"} <= kinds


def test_author_is_on_every_page(work):
    anonymous = whole_notebook()
    del anonymous.metadata["authors"], anonymous.metadata["coursework"]
    findings = work.write(whole_notebook(), exported=anonymous).findings()
    messages = [f.message for f in findings if f.kind == "identity"]
    assert any("the name 'Ada Lovelace' is not on page" in message for message in messages)
    assert any("the student ID '2026-0042' is not on page" in message for message in messages)


@pytest.mark.parametrize(
    "name",
    [
        "\u0631\u0636\u0627 \u062d\u0633\u06cc\u0646\u06cc\u200c\u0646\u0698\u0627\u062f",
        "\U0001f469\u200d\U0001f52c Ada",
    ],
    ids=["Persian", "emoji"],
)
def test_a_name_with_joiners_is_found(work, name):
    if not font_folders():
        pytest.skip("needs the fonts for Arabic letters and emoji")
    notebook = whole_notebook()
    notebook.cells[0].source = notebook.cells[0].source.replace("Ada Lovelace", name)
    notebook.metadata["authors"] = [{"name": name}]
    assert work.write(notebook).findings() == []


def test_too_many_pages_and_too_many_bytes(work, monkeypatch):
    monkeypatch.setattr("coursework.check.compare.MOST_PAGES", 1)
    monkeypatch.setattr("coursework.check.compare.MOST_BYTES", 1000)
    messages = [finding.message for finding in work.write().findings()]
    assert any("pages, more than 1" in message for message in messages)
    assert any("bytes, more than 1,000" in message for message in messages)


def test_long_output_may_be_cut_with_a_note_and_not_without(work, tmp_path):
    text = "".join(f"line {i:05}\n" for i in range(3000))
    output = new_output("stream", name="stdout", text=text)
    notebook = new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=[output])])
    assert work.write(notebook).findings() == []
    cut = copy.deepcopy(notebook)
    ends = text.splitlines()[:500] + text.splitlines()[-500:]
    cut.cells[0].outputs[0].text = "\n".join(ends)
    assert work.write(notebook, exported=cut).findings() == [
        Finding("output", "cell 1: a long output is cut without a note")
    ]


def test_pdf_without_tags_is_checked_by_its_letters(work, tmp_path):
    """This PDF comes from another exporter: it has no tags, lost an alpha, and cuts a line."""
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\nFormula $\\alpha + \\beta \\le 1$ here."),
            new_code_cell("x = 'left' + 'right'", execution_count=1),
        ]
    )
    source = "= Title\nFormula $ + β ≤ 1$ here.\n\n#raw(\"[1] x = 'left' + \")"
    (tmp_path / "other.typ").write_text(source)
    typst.compile(tmp_path / "other.typ", tmp_path / "tagged.pdf")
    work.write(notebook)
    untagged = PdfWriter()
    for page in PdfReader(tmp_path / "tagged.pdf").pages:
        untagged.add_page(page)
    untagged.write(work.pdf)
    messages = [str(finding) for finding in work.findings()]
    assert "formula: formulas hold α 1 times, the PDF 0 times" in messages
    assert "code: cell 2: not in the PDF: x = 'left' + 'right'" in messages
    assert not any("β" in message for message in messages)


def test_hidden_cells_are_not_expected(work):
    notebook = whole_notebook()
    notebook.cells[2].metadata["tags"] = ["remove-input"]
    notebook.cells[3].metadata["tags"] = ["remove-output"]
    notebook.cells[5].metadata["tags"] = ["remove-cell"]
    assert work.write(notebook).findings() == []


def test_many_losses_are_counted_and_not_all_listed(work):
    findings = lost(lambda notebook: notebook.cells[5].outputs.clear())(work).findings()
    outputs = [finding for finding in findings if finding.kind == "output"]
    assert len(outputs) == 21
    assert outputs[0].message == "cell 6: not in the PDF: row 000"
    assert outputs[-1].message == "and 180 more like these are not in the PDF"


def test_a_finding_reads_as_a_line():
    assert str(Finding("code", "cell 3: not in the PDF: x = 1")) == (
        "code: cell 3: not in the PDF: x = 1"
    )


def test_missing_files_are_errors(work):
    work.write()
    with pytest.raises(FileNotFoundError, match="no such PDF; export the notebook first"):
        check_pdf(work.notebook, work.folder / "gone.pdf")
    with pytest.raises(FileNotFoundError, match="no such notebook"):
        check_pdf(work.folder / "gone.ipynb", work.pdf)


@pytest.mark.parametrize(
    ("name", "kinds"), [("small", []), ("hw", ["error"])], ids=["small", "large"]
)
def test_real_notebooks_lose_nothing(shared_notebooks, tmp_path, name, kinds):
    """The large one holds a cell that fails on purpose, and texts in six scripts."""
    if not font_folders():
        pytest.skip("needs the fonts for Chinese and emoji")
    pdf = export_pdf(shared_notebooks / f"{name}.ipynb", tmp_path / "real.pdf").path
    assert [finding.kind for finding in check_pdf(shared_notebooks / f"{name}.ipynb", pdf)] == kinds
