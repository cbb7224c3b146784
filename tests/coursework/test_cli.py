"""The command line: what it is given reaches the notebook, and errors are one line."""

import argparse
import subprocess
import sys

import nbformat
import pytest

from coursework.cli import _assignment, main


@pytest.fixture
def notebook(tmp_path):
    """A notebook that prints its settings."""
    cells = [
        nbformat.v4.new_markdown_cell("# A small notebook"),
        nbformat.v4.new_code_cell(
            'profile = "embedded"\noverrides = {}', metadata={"tags": ["parameters"]}
        ),
        nbformat.v4.new_code_cell(
            "from coursework.profiles import get_profile\n"
            "settings = get_profile(profile, **overrides)\n"
            "print(settings.name, settings.softmax_epochs, settings.sweep_batch_sizes)\n"
            "print(settings.build_root)"
        ),
    ]
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def printed(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "".join(o.text for cell in cells for o in cell.get("outputs", []) if "text" in o)
    return text.splitlines()


def test_run_passes_profile_and_fields_on(notebook, tmp_path, capsys):
    build = tmp_path / "out"
    arguments = ["--profile", "full", "-p", "softmax_epochs=7", "--set", "sweep_batch_sizes=(4, 8)"]
    assert main(["run", str(notebook), "--build", str(build), *arguments]) == 0
    assert printed(build / "small.ipynb") == ["full 7 (4, 8)", str(build)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["small", "1/3"]
    assert lines[-1].startswith(str(build / "small.ipynb"))


def test_submit_leaves_the_notebook_and_its_pdf(notebook, tmp_path):
    build = tmp_path / "out"
    assert main(["submit", str(notebook), "--build", str(build)]) == 0
    assert printed(build / "small.ipynb")[0].startswith("embedded 100")
    assert (build / "small.pdf").read_bytes().startswith(b"%PDF-")


def test_pdf_exports_a_notebook_as_it_stands(notebook, capsys):
    assert main(["pdf", str(notebook)]) == 0
    assert notebook.with_suffix(".pdf").is_file()
    assert "(1 page)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "softmax_epoch=7"], "did you mean 'softmax_epochs'?"),
        (["-p", "softmax_epochs=many"], "softmax_epochs = 'many' does not fit"),
    ],
)
def test_a_wrong_field_is_one_line_before_anything_runs(
    notebook, tmp_path, capsys, arguments, message
):
    assert main(["run", str(notebook), "--build", str(tmp_path / "out"), *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("coursework: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (tmp_path / "out").exists()


def test_a_missing_notebook_is_one_line(tmp_path, capsys):
    assert main(["run", str(tmp_path / "nothing.ipynb"), "--build", str(tmp_path)]) == 1
    assert "no notebook" in capsys.readouterr().err


def test_values_are_python_literals_or_text():
    assert _assignment("a=3") == ("a", 3)
    assert _assignment("a=(1, 2)") == ("a", (1, 2))
    assert _assignment("a=None") == ("a", None)
    assert _assignment("a=mine.pth") == ("a", "mine.pth")
    assert _assignment("a=x=y") == ("a", "x=y")
    with pytest.raises(argparse.ArgumentTypeError, match="not of the form FIELD=VALUE"):
        _assignment("a")


def test_doctor_shows_machine_and_profiles(capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for part in ("Python", "torch", "profile 'embedded'", "profile 'full'", "softmax_epochs"):
        assert part in shown


def test_python_m_coursework_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "coursework", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("doctor", "run", "pdf", "submit"):
        assert command in result.stdout
