"""Strings go in as strings, and what the compiler says comes out in words."""

import base64
import tomllib
from importlib import metadata

import pytest
import typst as compiler
from coursework.pdf.fonts import advice, font_folders
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from coursework.pdf import typst
from coursework.pdf.typst import (
    PdfToolError,
    RefusedError,
    check_typst,
    compile_pdf,
    compiles,
    literal,
    string,
)
from coursework.profiles import ROOT


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a", '"a"'),
        ('say "x"', '"say \\"x\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("a\nb\tc\r", '"a\\nb\\tc\\r"'),
        ("\\u{41}", '"\\\\u{41}"'),
        ('"]; #panic() //', '"\\"]; #panic() //"'),
    ],
)
def test_string_literals(text, source):
    assert string(text) == source


def test_empty_text_needs_no_literal():
    assert literal("") == ""
    assert literal("a") == '#"a";'


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_typst_reads_back_the_very_text(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    codepoints = ", ".join(str(ord(char)) for char in text)
    trailing = "," if text else ""
    expected = f'(({codepoints}{trailing}).map(str.from-unicode).join(), "").find(x => x != none)'
    assert compiles(folder, f"#assert.eq({string(text)}, {expected})")


@pytest.mark.parametrize("version", ["0.13.7", "0.15.2", "0.140.0"])
def test_another_release_is_one_line_that_says_what_to_install(monkeypatch, version):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    with pytest.raises(PdfToolError) as caught:
        check_typst()
    assert str(caught.value) == (
        f"Typst {version} renames symbols that pandoc 3.9 writes; 0.14 is needed: "
        'pip install "typst>=0.14,<0.15"'
    )


def test_missing_package_is_one_line(monkeypatch, export):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(PdfToolError) as caught:
        export(new_markdown_cell("x"))
    assert str(caught.value) == 'Typst is not installed; run: pip install "typst>=0.14,<0.15"'


def test_pins_agree_with_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert typst.PIN in project["dependencies"]
    assert "pypandoc_binary>=1.17,<1.18" in project["dependencies"]


def test_a_wrong_source_is_refused_with_its_reason(tmp_path):
    (tmp_path / "main.typ").write_text("#nosuchfunction()")
    with pytest.raises(RefusedError, match="nosuchfunction"):
        compile_pdf(tmp_path, [])


def test_characters_without_a_glyph_are_named_and_the_rest_is_there(export):
    # Two scripts that hardly any machine has a font for.
    output = new_output("stream", name="stdout", text="\U00012000 output")
    done = export(new_markdown_cell("# Text \U00010900"), new_code_cell("x", outputs=[output]))
    assert "\U00010900" in done.warnings
    assert "\U00012000" in done.warnings
    assert "pip install noto-cjk-sans-jp-regular manimgx-fonts" in done.warnings
    assert "output" in done.text


def test_advice_names_the_first_characters():
    message = advice(tuple(chr(0x4E00 + i) for i in range(30)))
    assert "these 30 characters" in message
    assert "一 丁" in message
    assert message.count(" 丐") == 1
    assert " …" in message


def test_font_folders_are_those_of_installed_packages(monkeypatch):
    monkeypatch.setattr("coursework.pdf.fonts.PACKAGES", ("no_such_package", "nbformat"))
    assert [folder.name for folder in font_folders()] == ["nbformat"]


@pytest.mark.parametrize("standard", ["a-2a", "ua-1"])
def test_document_passes_the_check_of_the_standard(export, png, monkeypatch, standard):
    checked = []

    def check(folder, font_folders):
        style = folder / "style.typ"
        # An archive wants a date; the exporter writes none, so that the bytes repeat.
        day = "date: datetime(year: 2026, month: 1, day: 1)"
        style.write_text(style.read_text().replace("date: none", day))
        checked.append(compiler.compile(folder / "main.typ", root=folder, pdf_standards=[standard]))
        return compile_pdf(folder, font_folders)

    monkeypatch.setattr("coursework.pdf.exporter.compile_pdf", check)
    picture = base64.b64encode(png).decode()
    outputs = [
        new_output("display_data", data={"image/png": picture}),
        new_output("stream", name="stderr", text="\x1b[1;4;41mwarning\x1b[0m\n"),
    ]
    table = "| a | b |\n|---|---|\n| 1 | [x](https://a.b) |\n"
    export(
        new_markdown_cell(
            f"# One\n\n{table}\n\n$x^2$ and $$\\boxed{{\\frac{{1}}{{2}}}}$$\n\n- item"
        ),
        new_markdown_cell("#### Level four\n\n<details>more</details>\n\n[x] `code` <kbd>a</kbd>"),
        new_code_cell(f"print(1)  # {'a long comment ' * 12}", outputs=outputs),
    )
    assert checked[0].startswith(b"%PDF-1.7")
