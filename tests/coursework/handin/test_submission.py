"""The hand-in: all of it or nothing, with its facts in the manifest."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image
from pypdf import PdfReader

from coursework.handin import (
    CheckError,
    NotebookError,
    clear_targets,
    notebook_parameters,
    submit,
    verify_bundle,
)
from coursework.identity import Identity
from coursework.profiles import ROOT
from coursework.storage import BusyError, locked

ADA = Identity("Ada Lovelace", "1815", "Deep Learning", "1843-09-01")


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a small homework with everything that a hand-in needs."""

    def write(
        last_line="Headline({'accuracy': 0.75})",
        parameters='profile = "embedded"\noverrides = {}',
    ):
        cells = [
            new_markdown_cell(
                "# Homework 9\n\n| | |\n|:--|:--|\n| **Name** | *your full name* |\n"
                "| **ID** | *your student ID* |",
                metadata={"tags": ["identity"]},
            ),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            new_code_cell(
                "from coursework.display import Headline\n"
                "from coursework.profiles import get_profile\n"
                "print(get_profile(profile, **overrides).softmax_epochs)"
            ),
            new_code_cell(last_line),
        ]
        path = tmp_path / "hw9_small.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def first_page(pdf):
    return " ".join(PdfReader(pdf).pages[0].extract_text().split())


def left_in(build):
    return sorted(path.name for path in build.iterdir())


def test_a_submission_is_notebook_pdf_and_zip(notebook, tmp_path):
    build = tmp_path / "build"
    result = submit(notebook(), build, overrides={"softmax_epochs": 3}, identity=ADA)
    assert left_in(build) == ["hw9_small.ipynb", "hw9_small.pdf", "hw9_submission.zip"]
    assert result.remarks == ()
    manifest = verify_bundle(result.bundle)
    assert manifest["identity"]["name"] == "Ada Lovelace"
    assert manifest["profile"]["softmax_epochs"] == 3
    assert manifest["seed"] == 2026
    assert manifest["figures"] == {"accuracy": 0.75}
    assert manifest["pages"] == result.pages == 1
    assert manifest["machine"]["Python"]
    assert manifest["seconds"]["run"] > 0
    assert len(manifest["seconds"]["cells"]) == 4
    assert manifest["project"]["version"]
    header = nbformat.read(result.notebook, as_version=4).cells[0].source
    assert "Ada Lovelace" in header


def test_pictures_are_looked_for_beside_the_source(notebook, tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "net.png")
    show = "from IPython.display import HTML; HTML('<img src=net.png>')"
    result = submit(notebook(show), tmp_path / "build", identity=ADA)
    assert result.remarks == ()


def test_the_manifest_names_the_profile_that_the_notebook_names(notebook, tmp_path):
    own = 'profile: str = "full"\noverrides = {"softmax_epochs": 3}'
    result = submit(notebook(parameters=own), tmp_path / "build", overrides={"seed": 5})
    profile = verify_bundle(result.bundle)["profile"]
    assert (profile["name"], profile["softmax_epochs"], profile["seed"]) == ("full", 3, 5)
    assert profile["flowers_checkpoints"] == str(tmp_path / "build" / "flowers_checkpoints")
    assert nbformat.read(result.notebook, as_version=4).cells[3].outputs[0].text == "3\n"


def test_of_two_submissions_to_one_folder_the_second_is_refused_at_once(notebook, tmp_path):
    build = tmp_path / "build"
    build.mkdir()
    (build / "hw9_small.pdf").write_text("of the other run")
    with locked(build / "hand-in"), pytest.raises(BusyError, match="another process is writing"):
        submit(notebook(), build)
    assert (build / "hw9_small.pdf").read_text() == "of the other run"


def test_without_a_name_it_still_works_and_says_so(notebook, tmp_path):
    result = submit(notebook(), tmp_path / "build")
    assert result.bundle.is_file()
    assert "name and student id and course and due date not filled in" in " ".join(result.remarks)


def test_a_part_finished_homework_names_on_its_first_page_what_is_missing(notebook, tmp_path):
    source = notebook("raise NotImplementedError('Question 2: softmax')")
    missing = {"Question 2, logistic regression": "`softmax`, 1 answer in words"}
    result = submit(source, tmp_path / "build", identity=ADA, missing=lambda notebook: missing)
    assert verify_bundle(result.bundle)["missing"] == missing
    page = first_page(result.pdf)
    assert "Part-finished hand-in. Not answered yet:" in page
    assert "Question 2, logistic regression: softmax, 1 answer in words" in page
    assert "NotImplementedError: Question 2: softmax" in page
    cells = nbformat.read(result.notebook, as_version=4).cells
    assert [cell.cell_type for cell in cells[:2]] == ["markdown", "markdown"]


def test_where_nothing_is_known_to_be_missing_a_cell_may_fail_all_the_same(notebook, tmp_path):
    source = notebook("1 / 0")
    result = submit(source, tmp_path / "build", identity=ADA, missing=lambda notebook: {})
    page = first_page(result.pdf)
    assert "Part-finished hand-in." in page
    assert "Not answered" not in page
    assert "ZeroDivisionError" in page


def test_a_failed_step_leaves_no_pdf_and_no_zip(notebook, tmp_path):
    build = tmp_path / "build"
    build.mkdir()

    def fail(last_line, error, message):
        for old in ("hw9_small.pdf", "hw9_submission.zip"):
            (build / old).write_text("an older run")
        with pytest.raises(error, match=message):
            submit(notebook(last_line), build, identity=ADA)

    fail("1 / 0", NotebookError, "cell 5 of hw9_small.ipynb failed with ZeroDivisionError")
    assert left_in(build) == ["hw9_small.failed.ipynb"]
    # The message lists the loss and what the export said of it.
    lost = r"(?s)glyph: an empty glyph.*no font here has these 1"
    fail("print('\\N{CUNEIFORM SIGN A}')", CheckError, lost)
    assert left_in(build) == ["hw9_small.ipynb"]


def test_a_notebook_in_the_build_folder_is_refused_and_kept(notebook, tmp_path):
    source = notebook()
    before = source.read_bytes()
    with pytest.raises(ValueError, match="overwritten by its own result; choose --build"):
        submit(source, tmp_path)
    assert source.read_bytes() == before


def test_two_notebooks_that_would_share_a_zip_are_refused(tmp_path):
    (tmp_path / "hw9_old.pdf").write_bytes(b"kept")
    (tmp_path / "hw9_submission.zip").write_bytes(b"kept")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    sources = [folder / "hw9_old.ipynb", folder / "hw9_old-Copy1.ipynb"]
    sources[0].touch()
    with pytest.raises(FileNotFoundError, match=r"no notebook .*hw9_old-Copy1\.ipynb"):
        clear_targets(sources, tmp_path)
    sources[1].touch()
    with pytest.raises(ValueError, match=r"would both be hw9_submission\.zip"):
        clear_targets(sources, tmp_path)
    assert left_in(tmp_path) == ["hw9_old.pdf", "hw9_submission.zip", "notebooks"]
    clear_targets(sources[:1], tmp_path)
    assert left_in(tmp_path) == ["notebooks"]


def test_a_relative_path_is_meant_from_the_current_folder(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source, build = notebook(), ROOT / "build"
    given = {"mnist_root": "digits", "feature_weights": "mine.pth"}
    overrides = notebook_parameters(source, build, "full", given)["overrides"]
    assert overrides["mnist_root"] == str(tmp_path / "digits")
    assert overrides["feature_weights"] == str(tmp_path / "mine.pth")
    home = notebook_parameters(source, build, "full", {"mnist_root": "~/mnist"})
    assert home["overrides"]["mnist_root"] == str(Path.home() / "mnist")
    for word in ("imagenet", None):
        kept = notebook_parameters(source, build, "full", {"feature_weights": word})
        assert kept["overrides"] == {"feature_weights": word}
    with pytest.raises(ValueError, match="build_root follows --build"):
        notebook_parameters(source, build, "full", {"build_root": "x"})


def test_parameters_are_set_only_where_they_differ_from_those_of_the_notebook(notebook):
    source, build = notebook(), ROOT / "build"
    assert notebook_parameters(source, build, "embedded", {}) == {}
    full = {"profile": "full", "overrides": {}}
    assert notebook_parameters(source, build, "full", {}) == full
    other = {"build_root": str(ROOT / "other")}
    elsewhere = notebook_parameters(source, ROOT / "other", "embedded", {})
    assert elsewhere == {"profile": "embedded", "overrides": other}
    elsewhere = notebook_parameters(source, ROOT / "other", "embedded", {"seed": 1})
    assert elsewhere["overrides"] == {"seed": 1, **other}
    own = 'profile = "full"\noverrides = {"softmax_epochs": 3}\nrate = 1 / 3'
    source = notebook(parameters=own)
    assert notebook_parameters(source, build, None, {}) == {}
    elsewhere = notebook_parameters(source, ROOT / "other", None, {"softmax_epochs": 4})
    assert elsewhere == {"profile": "full", "overrides": {"softmax_epochs": 4, **other}}
    with pytest.raises(ValueError, match="did you mean 'seed'"):
        notebook_parameters(source, build, "embedded", {"sed": 1})


@pytest.mark.parametrize(
    "own", ["profile = ['full']\noverrides = {}", "profile = 'full'\noverrides = {3: 4}"]
)
def test_parameters_that_name_no_profile_are_left_to_the_notebook(notebook, own):
    assert notebook_parameters(notebook(parameters=own), ROOT / "build", None, {}) == {}


def test_a_notebook_without_parameters_is_handed_in_from_any_folder(tmp_path):
    source = tmp_path / "own.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(6 * 7)")]), source)
    result = submit(source, tmp_path / "build", identity=ADA)
    assert verify_bundle(result.bundle)["profile"] is None
    assert left_in(tmp_path / "build") == ["own.ipynb", "own.pdf", "own_submission.zip"]
    with pytest.raises(ValueError, match="0 cells tagged 'parameters', expected one"):
        submit(source, tmp_path / "build", profile="full", identity=ADA)


@pytest.mark.parametrize(
    "name", ["Ada Müller (王小明, 김, Ωmega) 🚀", "דוד בן־גוריון", "محمد علي", "สมชาย ใจดี"]
)
def test_a_name_in_any_script_is_on_every_page(notebook, tmp_path, name):
    identity = Identity(name, "2026_α|42", "Deep *Learning* & $x$", "<1843>")
    result = submit(notebook(), tmp_path / "build", identity=identity)
    assert result.remarks == ()
