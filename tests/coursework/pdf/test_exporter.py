"""One notebook in, one PDF out: for students, for nbconvert, for the same bytes every time."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbconvert.exporters import get_export_names, get_exporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from pypdf import PdfReader

from coursework.pdf.exporter import TypstPDFExporter, export_pdf
from coursework.profiles import ROOT


def test_code_output_and_prose_are_all_there(export):
    done = export(
        new_markdown_cell("# Title\n\nSome *prose*."),
        new_code_cell("answer = 6 * 7", outputs=[new_output("stream", name="stdout", text="42\n")]),
    )
    for expected in ("Title", "Some prose.", "answer = 6 * 7", "42"):
        assert expected in done.text
    assert done.report.warnings == ()
    assert done.report.pages == len(done.reader.pages) == 1


def test_each_page_names_the_work_and_its_author(export):
    done = export(
        new_markdown_cell("# Homework"),
        new_code_cell("\n".join(f"x{i} = {i}" for i in range(150))),
        author="Ada Lovelace",
        student_id="2026-0042",
        course="Deep Learning",
    )
    assert done.report.pages > 1
    for number, page in enumerate(done.reader.pages, 1):
        text = page.extract_text()
        assert "Deep Learning · Homework" in text
        assert "Ada Lovelace · 2026-0042" in text
        assert f"page {number} of {done.report.pages}" in text


def test_identity_may_come_from_the_notebook_and_may_hold_any_text(export):
    name = '#panic("x") \\ "quoted" $x$ *Müller*'
    metadata = {
        "title": "A ] title }",
        "authors": [{"name": name}],
        "coursework": {"student_id": "`id`", "course": "[C] @ <home>"},
    }
    done = export(new_markdown_cell("text"), metadata=metadata)
    assert name in done.text
    assert "`id`" in done.text
    assert "[C] @ <home> · A ] title }" in done.text
    assert (done.reader.metadata.title, done.reader.metadata.author) == ("A ] title }", name)


@pytest.mark.parametrize(
    ("cells", "metadata", "options", "title"),
    [
        ([new_markdown_cell("text\n\n## The *second* level")], {}, {}, "The second level"),
        ([new_markdown_cell("# Heading")], {"title": "Metadata"}, {}, "Metadata"),
        ([new_markdown_cell("# Heading")], {"title": "Metadata"}, {"title": "Option"}, "Option"),
        ([new_markdown_cell("no heading")], {}, {}, "work"),
        ([], {}, {}, "work"),
    ],
)
def test_title_is_the_option_the_metadata_the_first_heading_or_the_file_name(
    export, cells, metadata, options, title
):
    done = export(*cells, metadata=metadata, **options)
    assert done.reader.metadata.title == title
    assert title in done.text


def test_a_title_without_a_space_stays_on_the_page(export):
    done = export(new_markdown_cell("text"), title="w" * 300, author="m" * 70)
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


def test_pdf_is_tagged_and_says_its_language(export):
    root = export(new_markdown_cell("# One")).reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"


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


def test_same_notebook_gives_the_same_bytes(save, tmp_path):
    cells = [new_markdown_cell("# A\n\n$x^2$"), new_code_cell("print(1)")]
    first, second = (
        export_pdf(save(*cells), tmp_path / name).path.read_bytes() for name in ("1.pdf", "2.pdf")
    )
    assert first == second


def test_a_file_that_cannot_be_written_leaves_the_old_one(save, tmp_path, monkeypatch):
    target = tmp_path / "old.pdf"
    target.write_text("old")
    monkeypatch.setattr(
        TypstPDFExporter, "from_notebook_node", lambda *args: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        export_pdf(save(new_markdown_cell("x")), target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.ipynb: no such notebook"):
        export_pdf(tmp_path / "nothing.ipynb", tmp_path / "x.pdf")


@pytest.mark.parametrize("content", ["", "not json", "{}", "[1]", '{"cells": 3}', "\x00"])
def test_file_that_is_no_notebook_is_an_error_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"odd\.ipynb: not a notebook.*save it again"):
        export_pdf(path, tmp_path / "x.pdf")


def test_an_old_notebook_is_read(tmp_path):
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "input": "1 + 1",
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                        "prompt_number": 1,
                        "collapsed": False,
                    }
                ],
            }
        ],
    }
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old))
    export_pdf(path, tmp_path / "old.pdf")
    assert "1 + 1" in PdfReader(tmp_path / "old.pdf").pages[0].extract_text()


@pytest.mark.parametrize(
    ("tag", "gone", "kept"),
    [
        ("remove-cell", ["SOURCE", "RESULT"], []),
        ("remove-input", ["SOURCE"], ["RESULT"]),
        ("remove-output", ["RESULT"], ["SOURCE"]),
    ],
)
def test_tags_hide_what_they_name(export, tag, gone, kept):
    output = new_output("stream", name="stdout", text="RESULT")
    cell = new_code_cell("SOURCE", outputs=[output], metadata={"tags": [tag]})
    text = export(cell, new_markdown_cell("always")).text
    assert not any(word in text for word in gone)
    assert all(word in text for word in [*kept, "always"])


def test_options_of_nbconvert_leave_parts_out(save):
    output = new_output("stream", name="stdout", text="RESULT")
    path = save(new_code_cell("SOURCE", outputs=[output]), new_markdown_cell("PROSE"))
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


def test_a_cell_that_breaks_the_exporter_is_shown_as_its_source(export, monkeypatch):
    def broken(draft, cell, language, show_input):
        raise ZeroDivisionError

    monkeypatch.setattr("coursework.pdf.exporter.write_cell", broken)
    done = export(new_markdown_cell("# My answer"), new_code_cell("x = 1"))
    assert "# My answer" in done.text
    assert "x = 1" in done.text
    assert done.warnings.count("shown as its source") == 2


def test_nbconvert_finds_the_exporter_by_name():
    if "typstpdf" not in get_export_names():
        pytest.skip("needs the package to be installed: pip install -e .")
    assert get_exporter("typstpdf") is TypstPDFExporter
    assert TypstPDFExporter.export_from_notebook == "PDF (Typst)"


def test_nbconvert_exports_from_any_folder(save, tmp_path):
    if "typstpdf" not in get_export_names():
        pytest.skip("needs the package to be installed: pip install -e .")
    (tmp_path / "figure.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9"/></svg>'
    )
    path = save(
        new_markdown_cell("# Hello\n\n![](figure.svg) ![](nope.png)"), name="two words.ipynb"
    )
    command = [sys.executable, "-m", "nbconvert", "--to", "typstpdf", str(path)]
    done = subprocess.run(
        command,
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WARNING | two words: cell 1: the image 'nope.png' is not shown" in done.stderr
    assert "figure.svg" not in done.stderr
    assert "Hello" in PdfReader(path.with_suffix(".pdf")).pages[0].extract_text()
