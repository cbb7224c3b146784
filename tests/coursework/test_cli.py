"""The command line: what it is given reaches the notebook, and errors are one line."""

import subprocess
import sys
import zipfile

import nbformat
import pytest

from coursework.cli import main


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
            "print(settings.build_root, settings.feature_image_size, settings.flowers_weights)"
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
    fields = ["softmax_epochs=7", "sweep_batch_sizes = (4, 8)", "feature_image_size=None"]
    fields += [f"flowers_weights={tmp_path}/a=b.pth"]
    arguments = [text for field in fields for text in ("--set", field)]
    arguments += ["--profile", "full", "--build", str(build)]
    assert main(["run", str(notebook), *arguments]) == 0
    assert printed(build / "small.ipynb") == [
        "full 7 (4, 8)",
        f"{build} None {tmp_path}/a=b.pth",
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["small", "1/3"]
    assert lines[-1].startswith(str(build / "small.ipynb"))


def test_a_submission_is_made_and_verified(notebook, tmp_path, capsys):
    build = tmp_path / "out"
    assert main(["submit", str(notebook), "--build", str(build)]) == 0
    assert printed(build / "small.ipynb")[0].startswith("embedded 100")
    assert (build / "small.pdf").read_bytes().startswith(b"%PDF-")
    assert "small.pdf (1 page), small_submission.zip: checked" in capsys.readouterr().out
    assert main(["verify", str(build / "small_submission.zip")]) == 0
    assert "2 files as its manifest lists them" in capsys.readouterr().out


def test_a_zip_that_is_no_submission_is_one_line(tmp_path, capsys):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "[]")
    for wrong in (path, tmp_path / "nothing.zip", tmp_path):
        assert main(["verify", str(wrong)]) == 1
        assert_one_line(capsys)


def test_pdf_exports_a_notebook_as_it_stands(notebook, capsys):
    assert main(["pdf", str(notebook)]) == 0
    assert notebook.with_suffix(".pdf").is_file()
    assert "(1 page)" in capsys.readouterr().out


def assert_one_line(capsys, message=""):
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("coursework: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("softmax_epoch=7", "did you mean 'softmax_epochs'?"),
        ("softmax_epochs=many", "softmax_epochs = 'many' does not fit"),
        ("softmax_epochs={[]: 1}", "softmax_epochs = '{[]: 1}' does not fit"),
        pytest.param(f"softmax_epochs={'[' * 3000}{']' * 3000}", "does not fit", id="nested"),
        pytest.param(f"softmax_epochs={'-' * 3000}1", "does not fit", id="many signs"),
    ],
)
def test_a_wrong_field_is_one_line_before_anything_runs(notebook, tmp_path, capsys, field, message):
    assert main(["run", str(notebook), "--build", str(tmp_path / "out"), "-p", field]) == 1
    assert_one_line(capsys, message)
    assert not (tmp_path / "out").exists()


def test_a_field_without_a_value_shows_how_it_is_given(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "-p", "softmax_epochs"])
    assert "not of the form FIELD=VALUE" in capsys.readouterr().err


def test_a_missing_notebook_is_one_line(tmp_path, capsys):
    assert main(["run", str(tmp_path / "nothing.ipynb"), "--build", str(tmp_path)]) == 1
    assert_one_line(capsys, "no notebook")


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


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "soon"])
def test_a_time_limit_below_a_second_is_refused(seconds, capsys):
    with pytest.raises(SystemExit):
        main(["run", "--cell-timeout", seconds])
    assert f"'{seconds}' is not a number of seconds, 1 or more" in capsys.readouterr().err
