"""Notebooks made cell by cell, exported, and read back."""

import base64
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from pypdf import PdfReader

from coursework.pdf import ExportReport, export_pdf
from coursework.pdf.draft import Draft
from coursework.pdf.typst import compiles

# One red pixel.
PNG64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)


def display(data, metadata=None):
    """Return an output in some forms."""
    return v4.new_output("display_data", data=data, metadata=metadata or {})


def stream(text, name="stdout"):
    """Return an output of printed text."""
    return v4.new_output("stream", name=name, text=text)


def code(source, *outputs):
    """Return a code cell with some outputs."""
    return v4.new_code_cell(source, outputs=list(outputs))


@dataclass(frozen=True)
class Exported:
    """An export: its report, and the file as pypdf reads it."""

    report: ExportReport

    @cached_property
    def reader(self) -> PdfReader:
        return PdfReader(self.report.path)

    @cached_property
    def text(self) -> str:
        return "\n".join(page.extract_text() for page in self.reader.pages)

    @property
    def squeezed(self) -> str:
        """The text without any space: line breaks fall where the page ends."""
        return re.sub(r"\s", "", self.text)

    @property
    def warnings(self) -> str:
        return "\n".join(self.report.warnings)

    @property
    def images(self) -> int:
        """The number of figures in the structure that a screen reader is told."""
        return self.report.path.read_bytes().count(b"/S /Figure")


@pytest.fixture(scope="session")
def png() -> bytes:
    """A picture of one red pixel."""
    return base64.b64decode(PNG64)


@pytest.fixture
def refused(tmp_path):
    """Return those of many pieces of markup that Typst does not accept, found by halving."""

    def run(pieces):
        if compiles(tmp_path, "\n".join(pieces)):
            return []
        if len(pieces) == 1:
            return pieces
        half = len(pieces) // 2
        return run(pieces[:half]) + run(pieces[half:])

    return run


@pytest.fixture
def save(tmp_path):
    """Write a notebook of some cells and return its path."""

    def run(*cells, name="work.ipynb", metadata=None) -> Path:
        path = tmp_path / name
        nbformat.write(v4.new_notebook(cells=list(cells), metadata=metadata or {}), path)
        return path

    return run


@pytest.fixture
def read_back():
    """Read the PDF of an export."""
    return Exported


@pytest.fixture
def export(save, tmp_path):
    """Export some cells and read the PDF back."""

    def run(*cells, **metadata) -> Exported:
        return Exported(export_pdf(save(*cells, metadata=metadata), tmp_path / "work.pdf"))

    return run


@pytest.fixture
def draft(tmp_path) -> Draft:
    """A document that is being written beside an empty folder of a notebook."""
    (tmp_path / "build").mkdir()
    return Draft(folder=tmp_path / "build", notebook_folder=tmp_path)
