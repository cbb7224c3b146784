"""A notebook as a PDF: the exporter for nbconvert and JupyterLab, and the function behind it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from traitlets import Unicode, default
from traitlets.config import Config

from coursework.pdf.cells import write_cell, write_source
from coursework.pdf.document import Refused, warn_of_boxes, warn_of_small_formulas, write_document
from coursework.pdf.draft import Draft
from coursework.pdf.formulas import Equation, translate_formulas
from coursework.pdf.notebook import mend, parse_notebook, read_head, read_notebook
from coursework.pdf.typst import RefusedError, check_tools, compile_pdf, page_count
from coursework.pdf.widgets import print_widgets
from coursework.storage import atomic_path, scratch_folder


@dataclass(frozen=True)
class ExportReport:
    """What came of an export.

    Attributes
    ----------
    path
        The PDF.
    pages
        The number of its pages.
    warnings
        What it cannot show as the notebook does, each with its cell; empty if nothing is lost.
    """

    path: Path
    pages: int
    warnings: tuple[str, ...]


class TypstPDFExporter(TemplateExporter):
    """``jupyter nbconvert --to typstpdf``, and "PDF (Typst)" in the export menu of JupyterLab.

    Title and author come from the options below, or else from the notebook's metadata (``title``,
    ``authors``, and ``student_id`` and ``course`` in ``coursework``).
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
        """Join the pieces of each stream, and hide what the tags of cells ask to hide."""
        config = Config(super().default_config)
        config.CoalesceStreamsPreprocessor.enabled = True
        config.TagRemovePreprocessor.enabled = True
        config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
        config.TagRemovePreprocessor.remove_input_tags = {"remove-input"}
        config.TagRemovePreprocessor.remove_all_outputs_tags = {"remove-output"}
        return config

    def from_file(  # type: ignore[override]
        self, file_stream: Any, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Convert a notebook file; what Jupyter opens is exported, though it may be damaged."""
        return self.from_notebook_node(parse_notebook(file_stream.read()), resources, **kwargs)

    def _validate_preprocessor(self, nbc: NotebookNode, preprocessor: Any) -> None:
        """Let odd parts of a notebook pass: each costs at most its cell."""

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
        check_tools()
        # The grandparent runs the preprocessors; the parent would look for an nbconvert template.
        nb, remarks = mend(nb)
        nb, resources = super(TemplateExporter, self).from_notebook_node(nb, resources, **kwargs)
        folder = Path(resources.get("metadata", {}).get("path") or ".").resolve()
        name = str(resources.get("metadata", {}).get("name") or "Notebook")
        print_widgets(nb)
        pdf, warnings = self._compile(nb, folder, name, remarks)
        for warning in warnings:
            self.log.warning("%s: %s", name, warning)
        resources["output_extension"] = ".pdf"
        resources["typstpdf_warnings"] = warnings
        return pdf, resources

    def _compile(
        self, notebook: NotebookNode, folder: Path, name: str, remarks: list[str]
    ) -> tuple[bytes, tuple[str, ...]]:
        """Write and compile the document until Typst refuses no part of it."""
        given = {key: getattr(self, key) for key in ("title", "author", "student_id", "course")}
        head = read_head(notebook, name, given)
        refused = Refused()
        while True:
            with scratch_folder("typstpdf") as temporary:
                draft = Draft(temporary, folder, frozenset(refused.images), warnings=[*remarks])
                cells = self._write_cells(draft, notebook, refused.cells)
                equations = [
                    Equation(None) if formula in refused.formulas else equation
                    for formula, equation in zip(
                        draft.formulas, translate_formulas(draft.formulas), strict=True
                    )
                ]
                write_document(draft, head, cells, equations)
                try:
                    compiled = compile_pdf(draft.folder)
                except RefusedError:
                    if not refused.search(draft, equations, cells):
                        raise
                    continue
            warn_of_small_formulas(draft, compiled.too_small)
            places = (f"cell {cell.number}" for cell in notebook.cells)
            written = dict(zip(places, cells, strict=True))
            warn_of_boxes(draft, compiled.missing, head, written, equations)
            return compiled.pdf, tuple(draft.warnings)

    def _write_cells(self, draft: Draft, notebook: NotebookNode, refused: set[int]) -> list[str]:
        language = str(notebook.metadata.language_info.get("pygments_lexer", "ipython3"))
        cells = []
        for number, cell in enumerate(notebook.cells):
            draft.place = f"cell {cell.number}"
            try:
                if number in refused:
                    cells.append(write_source(draft, cell))
                else:
                    cells.append(self._write_cell(draft, cell, language))
            except Exception:  # an error in one cell must not cost the other cells
                self.log.debug("cell %d", cell.number, exc_info=True)
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
    notebook_path: Path | str, pdf_path: Path | str, pictures: Path | str | None = None
) -> ExportReport:
    """Export a notebook to a PDF in which nothing is lost silently.

    Parameters
    ----------
    notebook_path
        The notebook; it is not run. Its metadata say what stands at the head of each page.
    pdf_path
        The file to write; it appears whole or not at all. Its name ends in ".pdf".
    pictures
        The folder of the files that the notebook shows; by default the folder of the notebook.

    Returns
    -------
    ExportReport
        With a warning for everything that the PDF cannot show as the notebook does.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.
    ValueError
        If the file is not a notebook, or the PDF would take the place of another kind of file.
    PdfToolError
        If pandoc or Typst is missing or of another release.
    """
    notebook_path, pdf_path = Path(notebook_path), Path(pdf_path)
    _refuse_other_files(notebook_path, pdf_path)
    notebook = read_notebook(notebook_path)
    exporter = TypstPDFExporter()  # type: ignore[no-untyped-call]
    exporter.log.disabled = True
    metadata = {"name": notebook_path.stem, "path": str(pictures or notebook_path.parent)}
    pdf, resources = exporter.from_notebook_node(notebook, {"metadata": metadata})
    with atomic_path(pdf_path) as temporary:
        temporary.write_bytes(pdf)
    return ExportReport(pdf_path, page_count(pdf), resources["typstpdf_warnings"])


def _refuse_other_files(notebook_path: Path, pdf_path: Path) -> None:
    """Raise if a PDF would take the place of the notebook or of another kind of file."""
    if pdf_path.suffix.lower() != ".pdf" or pdf_path.resolve().suffix.lower() != ".pdf":
        raise ValueError(f"{pdf_path}: the name of the PDF must end in .pdf; nothing was written")
    if pdf_path.is_dir():
        raise ValueError(f"{pdf_path}: this is a folder; name a file that ends in .pdf")
    if pdf_path.exists() and notebook_path.exists() and pdf_path.samefile(notebook_path):
        raise ValueError(f"{pdf_path}: the PDF would take the place of the notebook; name another")
