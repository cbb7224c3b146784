"""Strings go in as strings, and what the compiler says comes out in words."""

import tomllib
from importlib import metadata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell

from coursework.pdf import PdfToolError
from coursework.pdf.typst import TOOLS, RefusedError, compile_pdf, compiles, string
from coursework.profiles import ROOT
from tests.coursework.pdf.conftest import code, display, stream


@settings(max_examples=20)  # each of many texts
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), min_size=1))
@example(['"]; #panic() // \\u{41} "quoted" \\'])
def test_typst_reads_back_the_very_text(tmp_path_factory, texts):
    checks = []
    for text in texts:
        codepoints = ", ".join(str(ord(char)) for char in text)
        spelled = f"({codepoints},).map(str.from-unicode).join()"
        checks.append(f"#assert.eq({string(text)}, {spelled})")
    assert compiles(tmp_path_factory.getbasetemp(), "\n".join(checks))


@pytest.mark.parametrize("version", ["0.13.7", "0.14.3", "0.15.2", "0.140.0", "1.170", None])
@pytest.mark.parametrize("package", TOOLS)
def test_another_release_or_none_is_one_line_that_says_what_to_install(
    export, monkeypatch, package, version
):
    installed = metadata.version

    def other_version(name):
        if name != package:
            return installed(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", other_version)
    found = f"{package} {version} does not fit" if version else f"{package} is not installed"
    with pytest.raises(PdfToolError, match=rf"^{found}.*pip install") as caught:
        export(new_markdown_cell("x"))
    assert f'"{TOOLS[package]}"' in str(caught.value)


def test_pins_agree_with_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(TOOLS.values()) <= set(project["dependencies"])


def test_a_wrong_source_is_refused_with_its_reason(tmp_path):
    (tmp_path / "main.typ").write_text("#nosuchfunction()")
    (tmp_path / "formulas.typ").write_text("")
    with pytest.raises(RefusedError, match="nosuchfunction"):
        compile_pdf(tmp_path)


def test_characters_without_a_glyph_are_named_and_the_rest_is_there(export):
    # Two scripts that hardly any machine has a font for.
    done = export(new_markdown_cell("# Text \U00010900"), code("x", stream("\U00012000 output")))
    warning = "no font here has these 1 characters, they are printed as boxes"
    assert done.report.warnings == (
        f"the head of the pages: {warning}: \U00010900",
        f"cell 1: {warning}: \U00010900",
        f"cell 2: {warning}: \U00012000",
    )
    assert "output" in done.text


def test_characters_of_formulas_and_drawings_are_named_with_their_cell(export):
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><text y="9">བོད</text></svg>'
    output = display({"image/svg+xml": drawing})
    done = export(new_markdown_cell(r"$\unicode{x12000}$"), code("x", output))
    warnings = done.report.warnings
    assert [text.partition(":")[0] for text in warnings] == ["cell 1", "cell 2"]
    assert "\U00012000" in warnings[0]
    assert "བོ" in warnings[1]
