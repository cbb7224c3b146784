"""A notebook as a PDF: the exporter for nbconvert and JupyterLab, and the function behind it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from traitlets import Unicode, default
from traitlets.config import Config

from coursework.pdf import fonts
from coursework.pdf.cells import write_cell, write_source
from coursework.pdf.document import read_head, write_document
from coursework.pdf.draft import Draft
from coursework.pdf.faults import Faults, find_faults
from coursework.pdf.formulas.formulas import translate_formulas, write_formulas
from coursework.pdf.notebook import read_notebook
from coursework.pdf.typst import RefusedError, check_typst, compile_pdf, page_count
from coursework.pdf.widgets import finish_progress_bars
from coursework.storage import atomic_path


@dataclass(frozen=True)
class ExportReport:
    """What came of an export.

    Attributes
    ----------
    path
        The PDF.
    pages
        How many it has.
    warnings
        What it cannot show as the notebook does, each with its cell; empty if nothing is lost.
    """

    path: Path
    pages: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A PDF, and what it cannot show."""

    pdf: bytes
    warnings: tuple[str, ...]


class TypstPDFExporter(TemplateExporter):
    """``jupyter nbconvert --to typstpdf``, and "PDF (Typst)" in the export menu of JupyterLab.

    Title and author come from the notebook's metadata (``title``, ``authors``, and ``student_id``
    and ``course`` in ``coursework``); the options below come first.
    """

    export_from_notebook = "PDF (Typst)"
    output_mimetype = "application/pdf"

    title = Unicode(help="Title; by default the first heading, then the file name.").tag(
        config=True
    )
    author = Unicode(help="Name of the student.").tag(config=True)
    student_id = Unicode(help="Student ID.").tag(config=True)
    course = Unicode(help="Course.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    @property
    def default_config(self) -> Config:
        """Join the pieces in which a stream arrives, and let tags of cells hide what they name."""
        config = Config(super().default_config)
        config.Exporter.optimistic_validation = True  # once, and not after each preprocessor
        config.CoalesceStreamsPreprocessor.enabled = True
        config.TagRemovePreprocessor.enabled = True
        config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
        config.TagRemovePreprocessor.remove_input_tags = {"remove-input"}
        config.TagRemovePreprocessor.remove_all_outputs_tags = {"remove-output"}
        return config

    def from_notebook_node(  # type: ignore[override]  # a PDF is bytes, as with PDFExporter
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Convert a notebook.

        Returns
        -------
        tuple
            The PDF, and the resources of nbconvert with the export's warnings under
            ``"typstpdf_warnings"``.

        Raises
        ------
        PdfToolError
            If pandoc or Typst is missing or of another release.
        """
        check_typst()
        # The grandparent runs the preprocessors; the parent would look for an nbconvert template.
        nb, resources = super(TemplateExporter, self).from_notebook_node(nb, resources, **kwargs)
        folder = Path(resources.get("metadata", {}).get("path") or ".").resolve()
        name = str(resources.get("metadata", {}).get("name") or "Notebook")
        finish_progress_bars(nb)
        written = self._compile(nb, folder, name)
        for warning in written.warnings:
            self.log.warning("%s: %s", name, warning)
        resources["output_extension"] = ".pdf"
        resources["typstpdf_warnings"] = written.warnings
        return written.pdf, resources

    def _compile(self, notebook: NotebookNode, folder: Path, name: str) -> Written:
        """Write and compile; once more without each part that Typst refuses."""
        head = read_head(notebook, name, self.title, self.author, self.student_id, self.course)
        faults = Faults()
        while True:
            with tempfile.TemporaryDirectory(prefix="typstpdf-") as temporary:
                draft = Draft(Path(temporary), folder, broken_images=frozenset(faults.images))
                cells = self._write_cells(draft, notebook, faults)
                equations = translate_formulas(list(draft.formulas))
                equations.update(dict.fromkeys(faults.formulas & equations.keys()))
                write_document(draft, head, cells)
                write_formulas(draft, equations)
                try:
                    compiled = compile_pdf(draft.folder, fonts.font_folders())
                except RefusedError:
                    found = find_faults(draft, equations, cells)
                    if not found:
                        raise
                    faults.add(found)
                    continue
            if compiled.missing:
                draft.warn(fonts.advice(compiled.missing))
            return Written(compiled.pdf, tuple(draft.warnings))

    def _write_cells(self, draft: Draft, notebook: NotebookNode, faults: Faults) -> list[str]:
        language = notebook.metadata.get("language_info", {}).get("pygments_lexer", "ipython3")
        cells = []
        for number, cell in enumerate(notebook.cells):
            draft.place = f"cell {number + 1}"
            try:
                if number in faults.cells:
                    cells.append(write_source(draft, cell))
                else:
                    cells.append(self._write_cell(draft, cell, language))
            except Exception:  # a cell that nobody foresaw must not cost the other cells
                self.log.debug("cell %d", number + 1, exc_info=True)
                cells.append(write_source(draft, cell))
        draft.place = ""
        return cells

    def _write_cell(self, draft: Draft, cell: NotebookNode, language: str) -> str:
        """Write a cell, unless an option of nbconvert such as ``--no-input`` leaves it out."""
        hidden = cell.metadata.get("transient", {}).get("remove_source", False)
        excluded = {"markdown": self.exclude_markdown, "raw": self.exclude_raw}
        if excluded.get(cell.cell_type, False) or (hidden and cell.cell_type != "code"):
            return ""
        if cell.cell_type == "code" and self.exclude_output:
            cell.outputs = []
        return write_cell(draft, cell, language, not hidden and not self.exclude_input)


def export_pdf(
    notebook_path: Path | str,
    pdf_path: Path | str,
    *,
    title: str | None = None,
    author: str | None = None,
    student_id: str | None = None,
    course: str | None = None,
) -> ExportReport:
    """Export a notebook to a PDF in which nothing is lost silently.

    Parameters
    ----------
    notebook_path
        The notebook; it is not run.
    pdf_path
        The file to write; it appears whole or not at all.
    title, author, student_id, course
        What stands at the head of each page; by default what the notebook's metadata say.

    Returns
    -------
    ExportReport
        With a warning for everything that the PDF cannot show as the notebook does.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.
    ValueError
        If the file is not a notebook.
    PdfToolError
        If pandoc or Typst is missing or of another release.
    """
    notebook_path = Path(notebook_path)
    notebook = read_notebook(notebook_path)
    exporter = TypstPDFExporter(  # type: ignore[no-untyped-call]
        title=title or "", author=author or "", student_id=student_id or "", course=course or ""
    )
    exporter.log.disabled = True
    metadata = {"name": notebook_path.stem, "path": str(notebook_path.parent)}
    pdf, resources = exporter.from_notebook_node(notebook, {"metadata": metadata})
    with atomic_path(pdf_path) as temporary:
        temporary.write_bytes(pdf)
    return ExportReport(Path(pdf_path), page_count(pdf), resources["typstpdf_warnings"])
