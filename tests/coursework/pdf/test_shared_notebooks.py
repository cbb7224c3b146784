"""Two real notebooks and a hundred real formulas, where the shared data is at hand."""

import shutil

import nbformat
import pytest
from coursework.pdf.formulas.formulas import translate_formulas
from pypdf import PdfReader

from coursework.pdf.draft import Formula
from coursework.pdf.exporter import export_pdf


@pytest.fixture(scope="module")
def exported(shared_notebooks, tmp_path_factory):
    """Export both notebooks once, from a copy of their folder."""
    folder = tmp_path_factory.mktemp("shared") / "notebooks"
    shutil.copytree(shared_notebooks, folder)
    return {
        name: export_pdf(folder / f"{name}.ipynb", folder / f"{name}.pdf")
        for name in ("hw", "small")
    }


@pytest.fixture(scope="module")
def texts(exported):
    """Read both PDFs back, as text."""
    return {
        name: "\n".join(page.extract_text() for page in PdfReader(report.path).pages)
        for name, report in exported.items()
    }


def test_small_notebook_loses_nothing(exported, texts):
    report = exported["small"]
    assert report.warnings == ()
    assert texts["small"].count("Question") == 6
    assert report.path.read_bytes().count(b"/S /Figure") == 6


@pytest.mark.parametrize(
    "expected",
    [
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
    ],
)  # fmt: skip
def test_element_of_the_large_notebook_is_on_its_pages(texts, expected):
    assert expected in texts["hw"]


def test_figures_of_the_large_notebook(exported):
    # Two local images and an attachment in Markdown, a PNG, an SVG and a retina figure in outputs.
    assert exported["hw"].path.read_bytes().count(b"/S /Figure") == 6
    assert not any("image" in warning for warning in exported["hw"].warnings)


def test_no_raw_tex_is_left(texts):
    for raw in (r"\frac", r"\begin{a", r"\operatorname", r"\nabla", r"\require"):
        assert raw not in texts["hw"]


def test_progress_bars_are_one_line_each(texts):
    text = texts["hw"]
    assert text.count("epoch 1:") == 1
    assert text.count("progress ") == 2  # its code, and the line it printed


@pytest.mark.parametrize("name", ["hw", "small"])
def test_same_bytes_twice(exported, tmp_path, name):
    report = exported[name]
    again = export_pdf(report.path.with_suffix(".ipynb"), tmp_path / "again.pdf")
    assert again.path.read_bytes() == report.path.read_bytes()


def test_all_formulas_are_translated(shared_notebooks, tmp_path):
    source = (shared_notebooks / "formulas.txt").read_text(encoding="utf-8").splitlines()
    code = translate_formulas([Formula(tex, True) for tex in source])
    assert len(source) == 101
    assert [formula.tex for formula, math in code.items() if math is None] == []
    cells = [nbformat.v4.new_markdown_cell(f"$${tex}$$") for tex in source]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "formulas.ipynb")
    report = export_pdf(tmp_path / "formulas.ipynb", tmp_path / "formulas.pdf")
    # Three Chinese characters have no glyph without an optional font; every formula is accepted.
    assert [w for w in report.warnings if not w.startswith("no font here has these 3")] == []
