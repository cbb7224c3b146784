"""One call of pandoc, of the one release whose symbols Typst knows."""

import subprocess
import sys

import pytest
from coursework.pdf.formulas.pandoc import find_pandoc, translate

from coursework.pdf.formulas import pandoc
from coursework.pdf.typst import PdfToolError


@pytest.fixture(autouse=True)
def _forget_what_was_found():
    find_pandoc.cache_clear()
    yield
    find_pandoc.cache_clear()


def test_formulas_keep_their_order_and_their_failures():
    assert translate([r"\alpha", r"\nosuch", "b"]) == ["alpha", None, "b"]


def test_nothing_to_translate_starts_no_program(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("started"))
    assert translate([]) == []


def test_formulas_that_look_like_delimiters_stay_apart():
    tricky = ["////////", r"\text{\$ x \$}", "a\n\nb", r"\#", "[]", "<x>"]
    assert len(translate(tricky)) == len(tricky)
    assert None not in translate(tricky[2:])


@pytest.mark.parametrize("version", ["2.17.1.1", "3.10", "3.8.3", "3.90", "odd"])
def test_another_release_is_one_line_that_says_what_to_install(tmp_path, monkeypatch, version):
    program = tmp_path / "pandoc"
    program.write_text(f'#!/bin/sh\necho "pandoc {version}"\n')
    program.chmod(0o755)
    monkeypatch.setattr("pypandoc.get_pandoc_path", lambda: str(program))
    with pytest.raises(PdfToolError) as caught:
        translate(["x"])
    assert str(caught.value) == (
        f"pandoc {version} at {program} does not fit; 3.9 is needed: run: "
        'pip install "pypandoc_binary==1.17"'
    )


@pytest.mark.parametrize("version", ["3.9", "3.9.1"])
def test_this_release_fits(tmp_path, monkeypatch, version):
    program = tmp_path / "pandoc"
    program.write_text(f'#!/bin/sh\necho "pandoc {version}"\n')
    program.chmod(0o755)
    monkeypatch.setattr("pypandoc.get_pandoc_path", lambda: str(program))
    assert find_pandoc() == str(program)


def test_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    with pytest.raises(PdfToolError) as caught:
        find_pandoc()
    assert str(caught.value) == (
        'pandoc is not installed; run: pip install "pypandoc_binary==1.17"'
    )


def test_missing_program_is_one_line(monkeypatch):
    monkeypatch.setattr("pypandoc.get_pandoc_path", lambda: "/nowhere/pandoc")
    with pytest.raises(PdfToolError, match="pandoc is not installed"):
        find_pandoc()


def test_the_pin_is_the_one_of_the_package():
    assert pandoc.PIN.split("==")[1].startswith("1.17")
