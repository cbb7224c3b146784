"""Two real notebooks and a hundred real formulas, where the shared data is at hand."""

import re
import shutil

import nbformat
import pytest
from pypdf import PdfReader

from coursework.pdf import export_pdf
from coursework.pdf.formulas import Formula, translate_formulas

ELEMENTS = [
    "Deep Learning — Homework 3", "2026-0042_α", "nested bullet", "5 * 3 * 2", "$5.00 vs $6.00",
    "task open", "Footnote-ish text", "a long description that should wrap", "215,808",
    "Centered bold line", "red font", "Enter", "read the paper first", "ResNet-18", "76.1",
    "Hidden markdown body", "def fenced(x: int)", '"quotes", back\\\\slashes, $dollars$',
    "step 0000", "step 0150", "step 0299", "ok on stdout", "256-orange",
    "error: something on stderr", "ValueError: shape mismatch", "epoch 1: 100%", "40/40",
    "progress 4/4", "widget bar: 100%", "10/10", "note_", "25557032", "feature_0", "feature_15",
    "1.345875", "αβγδε ΑΒΓΔ", "├── └──", "(layer4): Sequential(", "track_running_stats=True)",
    "requires_grad=True", "Markdown output", "HTML output", "after", "Question 1.",
    "(5 points)", "# an unexecuted / empty-output cell",
]  # fmt: skip


@pytest.mark.parametrize(("name", "figures"), [("hw", 6), ("small", 6)])
def test_a_real_notebook_loses_nothing(shared_notebooks, tmp_path, name, figures):
    folder = tmp_path / "notebooks"
    shutil.copytree(shared_notebooks, folder)
    report = export_pdf(folder / f"{name}.ipynb", folder / f"{name}.pdf")
    pdf = report.path.read_bytes()
    text = "\n".join(page.extract_text() for page in PdfReader(report.path).pages)
    assert pdf.count(b"/S /Figure") == figures
    assert not any("image" in warning for warning in report.warnings)
    assert not re.findall(r"\\(frac|begin\{a|operatorname|nabla|require)", text)
    if name == "hw":
        assert [element for element in ELEMENTS if element not in text] == []
        assert text.count("epoch 1:") == 1
    else:
        assert report.warnings == ()
        assert text.count("Question") == 6


def test_all_formulas_are_translated(shared_notebooks, tmp_path):
    source = (shared_notebooks / "formulas.txt").read_text(encoding="utf-8").splitlines()
    equations = translate_formulas([Formula(tex, True) for tex in source])
    assert len(source) == 101
    assert [tex for tex, each in zip(source, equations, strict=True) if each.code is None] == []
    cells = [nbformat.v4.new_markdown_cell(f"$${tex}$$") for tex in source]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "formulas.ipynb")
    report = export_pdf(tmp_path / "formulas.ipynb", tmp_path / "formulas.pdf")
    # Three Chinese characters have no glyph without an optional font; every formula is accepted.
    assert [w for w in report.warnings if "no font here has these" not in w] == []
