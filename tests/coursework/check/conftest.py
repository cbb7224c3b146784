"""A notebook that holds one of everything, its PDF, and PDFs written by hand."""

import base64
import io
import json
from pathlib import Path

import matplotlib.figure
import pytest
import typst
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfWriter

from coursework.check import check_pdf
from coursework.pdf import export_pdf
from coursework.pdf.typst import font_folders

needs_fonts = pytest.mark.skipif(not font_folders(), reason="needs the fonts of these scripts")
TABLE = "<table><tr><th>model</th></tr><tr><td>ResNet-18</td></tr><tr><td>4711</td></tr></table>"


def figure(width):
    drawing = matplotlib.figure.Figure(figsize=(width, 1))
    drawing.subplots().plot([1, 3, 2])
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def picture(width):
    return {"image/png": figure(width), "text/plain": "<Fig>"}


def code(source, *outputs, count=1):
    """Return a cell of code with outputs: printed texts, and results as their forms by type."""
    made = [
        new_output("stream", text=output)
        if isinstance(output, str)
        else new_output("display_data", output)
        for output in outputs
    ]
    return new_code_cell(source, execution_count=count, outputs=made)


def one_of_everything():
    """Return a notebook that holds one of everything, run once in order."""
    cells = [
        new_markdown_cell("# Homework 3\n\n| | |\n|--|--|\n| **Name** | Ada Lovelace |"),
        new_markdown_cell(
            "## Question 1\n\nThe answer is *quite* simple.\n\n- first item\n- second item\n\n"
            "Inline $\\alpha^2 + \\beta$ and shown:\n\n$$\\frac{\\partial L}{\\partial w} = 0$$"
        ),
        code(
            "import numpy as np\nresult = np.arange(3)\nprint(result)",
            "[0 1 2]\nsecond printed line\n",
        ),
        code(
            "# " + "a comment that is longer than the page is wide, " * 4 + "and ends here",
            picture(2),
            picture(3),
            count=2,
        ),
        code("frame", {"text/html": TABLE, "text/plain": "x"}, count=3),
        code(
            "for i in range(200): print(i)",
            "".join(f"row {i:03}\n" for i in range(200)),
            count=4,
        ),
    ]
    warning = new_output("stream", name="stderr", text="UserWarning: careful\n")
    cells[2].outputs.append(warning)
    metadata = {
        "authors": [{"name": "Ada Lovelace"}],
        "coursework": {"student_id": "2026-0042", "course": "Deep Learning"},
    }
    return new_notebook(cells=cells, metadata=metadata)


class Work:
    """A notebook and a PDF in a folder; each may be changed on its own."""

    def __init__(self, folder: Path):
        self.notebook = folder / "work.ipynb"
        self.pdf = folder / "work.pdf"

    def write(self, notebook):
        """Write a notebook, as an object of nbformat, as a plain dictionary or as text."""
        text = notebook if isinstance(notebook, str) else json.dumps(notebook)
        self.notebook.write_text(text, encoding="utf-8")
        return self

    def cells(self, *cells):
        """Write a notebook of some cells."""
        return self.write(new_notebook(cells=list(cells)))

    def prose(self, *sources):
        """Write a notebook of cells in Markdown."""
        return self.cells(*map(new_markdown_cell, sources))

    def shows(self, *outputs):
        """Write a notebook of a cell of code with outputs, as `code` takes them."""
        return self.cells(code("x", *outputs))

    def export(self):
        """Export the notebook as it stands."""
        export_pdf(self.notebook, self.pdf)
        return self

    def typeset(self, source):
        """Make the PDF of a Typst source, on small pages."""
        head = "#set page(width: 300pt, height: 300pt, margin: 30pt)\n#set text(size: 10pt)\n"
        typst.compile((head + source).encode(), self.pdf)
        return self

    def rewrite(self, change):
        """Change the pages of the PDF."""
        writer = PdfWriter(clone_from=self.pdf)
        change(writer)
        writer.write(self.pdf)
        return self

    def findings(self):
        return check_pdf(self.notebook, self.pdf)

    def kinds(self):
        return [finding.kind for finding in self.findings()]

    def lost(self):
        return [str(finding) for finding in self.findings() if finding.severity == "lost"]


@pytest.fixture
def whole_notebook():
    """A notebook that holds one of everything."""
    return one_of_everything()


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The PDF of the whole notebook, as bytes."""
    folder = tmp_path_factory.mktemp("whole")
    return Work(folder).write(one_of_everything()).export().pdf.read_bytes()


@pytest.fixture
def whole(work, exported):
    """The whole notebook and its PDF."""
    work.pdf.write_bytes(exported)
    return work.write(one_of_everything())


@pytest.fixture
def lacking(work, exported):
    """Write a notebook that holds more than its PDF."""

    def run(change):
        notebook = one_of_everything()
        change(notebook)
        work.pdf.write_bytes(exported)
        return work.write(notebook)

    return run
