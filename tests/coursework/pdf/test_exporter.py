"""One notebook in, one PDF out: for students, for nbconvert, for the same bytes every time."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbconvert.exporters import get_export_names, get_exporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from pypdf import PdfReader

from coursework.pdf import TypstPDFExporter, export_pdf
from coursework.pdf.cells import write_cell
from coursework.pdf.formulas import Equation, translate_formulas
from coursework.profiles import ROOT
from tests.coursework.pdf.conftest import code, display, stream


def test_code_output_and_prose_are_all_there(export):
    done = export(
        new_markdown_cell("# Title\n\nSome *prose*."),
        code("answer = 6 * 7", stream("42\n")),
    )
    for expected in ("Title", "Some prose.", "answer = 6 * 7", "42"):
        assert expected in done.text
    assert done.report.warnings == ()
    assert done.report.pages == len(done.reader.pages) == 1


def test_each_page_names_the_work_and_its_author(export):
    done = export(
        new_markdown_cell("# Homework"),
        new_code_cell("\n".join(f"x{i} = {i}" for i in range(150))),
        authors=[{"name": "Ada Lovelace"}],
        coursework={"student_id": "2026-0042", "course": "Deep Learning"},
    )
    assert done.report.pages > 1
    for number, page in enumerate(done.reader.pages, 1):
        text = page.extract_text()
        assert "Deep Learning · Homework" in text
        assert "Ada Lovelace · 2026-0042" in text
        assert f"page {number} of {done.report.pages}" in text


def test_a_title_without_a_space_stays_on_the_page(export):
    done = export(new_markdown_cell("text"), title="w" * 300, authors=["m" * 70])
    starts = []
    for page in done.reader.pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: starts.append(tm[4]))
    assert max(starts) < 595 - 50
    assert done.squeezed.count("w") >= 300


def test_headings_become_the_outline(export):
    done = export(new_markdown_cell("# One\n\n## Two\n\ntext\n\n## Three"))
    one, nested = done.reader.outline
    assert one.title == "One"
    assert [item.title for item in nested] == ["Two", "Three"]


def test_links_lead_out_and_within(export):
    done = export(
        new_markdown_cell("[out](https://example.org/a) [in](#Below) [nowhere](#missing)"),
        new_markdown_cell("# Below"),
    )
    links = [link.get_object() for page in done.reader.pages for link in page["/Annots"]]
    targets = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert targets == ["https://example.org/a"]
    assert len(links) == 2
    assert "nowhere" in done.text


@pytest.mark.parametrize(
    ("tag", "gone", "kept"),
    [
        ("remove-cell", ["SOURCE", "RESULT"], []),
        ("remove-input", ["SOURCE"], ["RESULT"]),
        ("remove-output", ["RESULT"], ["SOURCE"]),
    ],
)
def test_tags_hide_what_they_name(export, tag, gone, kept):
    cell = code("SOURCE", stream("RESULT"))
    cell.metadata.tags = [tag]
    text = export(cell, new_markdown_cell("always")).text
    assert not any(word in text for word in gone)
    assert all(word in text for word in [*kept, "always"])


def test_options_of_nbconvert_leave_parts_out(save):
    path = save(code("SOURCE", stream("RESULT")), new_markdown_cell("PROSE"))
    notebook = nbformat.read(path, 4)
    for options, gone in (
        ({"exclude_input": True}, "SOURCE"),
        ({"exclude_output": True}, "RESULT"),
        ({"exclude_markdown": True}, "PROSE"),
    ):
        exporter = TypstPDFExporter(**options)
        pdf, _ = exporter.from_notebook_node(notebook)
        path.with_suffix(".pdf").write_bytes(pdf)
        text = PdfReader(path.with_suffix(".pdf")).pages[0].extract_text()
        assert [word for word in ("SOURCE", "RESULT", "PROSE") if word not in text] == [gone]


def test_raw_cells_are_shown(export):
    done = export(
        new_raw_cell("raw *stars*"),
        new_raw_cell("<b>bold</b>", metadata={"raw_mimetype": "text/html"}),
    )
    assert "raw *stars*" in done.text
    assert "bold" in done.text
    assert "<b>" not in done.text


def test_nbconvert_exports_from_any_folder_and_a_damaged_notebook_too(tmp_path):
    if "typstpdf" not in get_export_names():
        pytest.skip("needs the package to be installed: pip install -e .")
    assert get_exporter("typstpdf") is TypstPDFExporter
    (tmp_path / "figure.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9"/></svg>'
    )
    path = tmp_path / "two words.ipynb"
    prose = {"cell_type": "markdown", "source": "# Hello\n\n![](figure.svg) ![](nope.png)"}
    path.write_text(json.dumps({"cells": [prose, {"cell_type": "poll"}]}))
    command = [sys.executable, "-m", "nbconvert", "--to", "typstpdf", str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=True
    )
    assert "WARNING | two words: cell 1: the image 'nope.png' is not shown" in done.stderr
    assert "cell 2: a cell of the unknown type 'poll' is not shown" in done.stderr
    assert "figure.svg" not in done.stderr
    assert "Hello" in PdfReader(path.with_suffix(".pdf")).pages[0].extract_text()


def test_warnings_count_the_cells_of_the_notebook_though_some_are_removed(export):
    done = export(
        new_code_cell("x", metadata={"tags": ["remove-cell"]}), new_markdown_cell("![](gone.png)")
    )
    assert done.warnings.startswith("cell 2: ")


@pytest.mark.parametrize(
    "name", ["work.ipynb", "data.py", "notes.md", "no-suffix", "folder.pdf", "link.pdf", "twin.pdf"]
)
def test_only_a_pdf_may_be_replaced(save, tmp_path, name):
    path = save(new_markdown_cell("text"))
    for other in ("data.py", "notes.md", "no-suffix"):
        (tmp_path / other).write_text("precious")
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "link.pdf").symlink_to("data.py")
    os.link(path, tmp_path / "twin.pdf")
    before = {entry: entry.read_bytes() for entry in tmp_path.iterdir() if entry.is_file()}
    with pytest.raises(ValueError, match=rf"{name}: "):
        export_pdf(path, tmp_path / name)
    assert before == {entry: entry.read_bytes() for entry in tmp_path.iterdir() if entry.is_file()}


def test_pictures_may_lie_beside_another_notebook(save, tmp_path, png):
    source = tmp_path / "source"
    source.mkdir()
    (source / "net.png").write_bytes(png)
    output = display({"text/html": "<img src='net.png'>"})
    path = save(new_markdown_cell("![](net.png)"), code("x", output))
    assert export_pdf(path, tmp_path / "work.pdf", source).warnings == ()


@pytest.mark.parametrize("words", ["plain", "x̂ و شرحّ"])
def test_the_place_and_the_time_of_a_run_are_not_in_the_pdf(tmp_path, png, words):
    def run(folder, clock):
        svg = f"<svg width='9' height='9'><metadata>{clock}</metadata><rect width='9'/></svg>"
        bar = f"100%|██████████| 10/10 [00:0{clock}<00:00, {clock}.5it/s]"
        data = [{"image/svg+xml": svg}, {"text/html": f"<video src='data:video/mp4;,{clock}'>"}]
        cells = [new_markdown_cell(f"{words} $x^2$ ![](a.png) ![](gone.png)")]
        cells += [code("x", stream(bar, "stderr"), *map(display, data))]
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(png)
        path = tmp_path / folder / "work.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return export_pdf(path, path.with_suffix(".pdf")).path.read_bytes()

    assert run("here", 1) == run("there", 2)


def test_a_formula_that_typst_refuses_is_shown_as_tex(export, monkeypatch):
    def translate(found):
        refused = Equation('inlined("b", $nosuchsymbol$)')
        translated = zip(found, translate_formulas(found), strict=True)
        return [refused if formula.tex == "b" else each for formula, each in translated]

    monkeypatch.setattr("coursework.pdf.exporter.translate_formulas", translate)
    done = export(new_markdown_cell("before $a$ and $b$ after"))
    assert "$b$" in done.text
    assert "before" in done.text
    assert "$a$" not in done.text
    assert done.report.warnings == ("cell 1: a formula cannot be read and is shown as TeX: b",)


def test_a_cell_that_cannot_be_converted_is_shown_as_its_source_and_the_others_as_ever(
    export, monkeypatch
):
    def write(draft, cell, language, show_input):
        if cell.source == "refused":
            return "#nosuchfunction()"
        if cell.source == "raises":
            raise ZeroDivisionError
        return write_cell(draft, cell, language, show_input)

    monkeypatch.setattr("coursework.pdf.exporter.write_cell", write)
    done = export(new_code_cell("refused"), new_code_cell("raises"), new_markdown_cell("*fine*"))
    assert done.text.count("[this cell could not be converted; its source follows]") == 2
    for word in ("refused", "raises", "fine"):
        assert word in done.text
    assert done.report.warnings == tuple(
        f"cell {number}: the cell cannot be converted and is shown as its source"
        for number in (1, 2)
    )
