"""A notebook runs on a fresh kernel, with its parameters, and a failing cell is named."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursework.handin import NotebookError, run_notebook
from coursework.identity import Identity
from coursework.pdf import export_pdf
from coursework.storage import BusyError, locked


def write(path, *cells, parameters=None, **metadata):
    """Write a notebook of cells of code, or of cells that are made already."""
    cells = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    if parameters is not None:
        cells.insert(0, new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def printed(path):
    outputs = [output for cell in cells_of(path) for output in cell.outputs]
    return "".join(output.text for output in outputs if "text" in output)


def test_it_runs_from_the_top_and_reports_each_cell(tmp_path):
    source = write(tmp_path / "a.ipynb", "x = 20", "x += 1", "", "print(2 * x)")
    before = source.read_bytes()
    target, lines = tmp_path / "out" / "a.ipynb", []
    run = run_notebook(source, target, report=lines.append)
    assert printed(target) == "42\n"
    assert [cell.execution_count for cell in cells_of(target)] == [1, 2, None, 3]
    assert [line.split()[:2] for line in lines] == [["a", "1/4"], ["a", "2/4"], ["a", "3/4"]]
    assert "print(2 * x)" in lines[2]
    assert run.seconds > sum(run.cell_seconds) > 0
    assert len(run.cell_seconds) == 3
    assert source.read_bytes() == before


def test_parameters_follow_the_tagged_cell_and_replace_those_of_an_earlier_run(tmp_path):
    source = write(
        tmp_path / "a.ipynb", "print(profile, overrides)", parameters='profile = "embedded"'
    )
    first, second = tmp_path / "first.ipynb", tmp_path / "second.ipynb"
    given = {"epochs": 3, "sizes": (1, 2), "root": "C:\\it's", "folder": Path("a"), "rate": 1e-10}
    run_notebook(source, first, parameters={"profile": "full", "overrides": given})
    plain = {**given, "sizes": [1, 2], "folder": "a"}
    assert printed(first) == f"full {plain}\n"
    run_notebook(first, second, parameters={"profile": "full", "overrides": {}})
    assert printed(second) == "full {}\n"


def test_parameters_need_a_cell_that_is_tagged(tmp_path):
    source = write(tmp_path / "a.ipynb", "print(1)")
    with pytest.raises(ValueError, match="0 cells tagged 'parameters', expected one"):
        run_notebook(source, tmp_path / "out.ipynb", parameters={"x": 1})


def test_a_header_is_filled_in_only_if_somebody_hands_in(tmp_path):
    header = new_markdown_cell("*your full name*", metadata={"tags": ["identity"]})
    source, target = write(tmp_path / "a.ipynb", header), tmp_path / "out.ipynb"
    run_notebook(source, target)
    assert cells_of(target)[0].source == "*your full name*"
    run_notebook(source, target, identity=Identity("Ada"))
    assert cells_of(target)[0].source == "Ada"


def test_a_failing_cell_is_named_and_the_cells_that_ran_are_kept(tmp_path):
    source = write(tmp_path / "a.ipynb", "print('before')", "1 / 0", "print('after')")
    target = tmp_path / "out.ipynb"
    target.write_text("an older run")
    with pytest.raises(NotebookError, match=r"cell 2 of a\.ipynb failed with ZeroDivisionError"):
        run_notebook(source, target)
    assert not target.exists()
    kept = tmp_path / "out.failed.ipynb"
    assert printed(kept) == "before\n"
    run_notebook(write(source, "print('mended')"), target)
    assert not kept.exists()


def test_a_failing_cell_is_named_although_the_cells_that_ran_cannot_be_kept(tmp_path):
    source = write(tmp_path / "a.ipynb", "import os; os.mkdir('out.failed.ipynb')", "1 / 0")
    message = r"cell 2 of a\.ipynb failed with ZeroDivisionError: .*; the cells that ran are lost, "
    with pytest.raises(NotebookError, match=message):
        run_notebook(source, tmp_path / "out.ipynb")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import time; time.sleep(60)", r"cell 1 of a\.ipynb was still running"),
        ("import os; os._exit(1)", r"cell 1 of a\.ipynb ended its kernel"),
    ],
)
def test_a_cell_that_takes_too_long_or_ends_its_kernel_is_named(tmp_path, source, message):
    with pytest.raises(NotebookError, match=message):
        run_notebook(write(tmp_path / "a.ipynb", source), tmp_path / "out.ipynb", cell_timeout=2)
    assert (tmp_path / "out.failed.ipynb").exists()


def test_a_notebook_is_not_run_over_itself(tmp_path):
    source = write(tmp_path / "a.ipynb", "1 / 0")
    before = source.read_bytes()
    with pytest.raises(ValueError, match=r"a\.ipynb would be overwritten by its own result"):
        run_notebook(source, tmp_path / "deep" / ".." / "a.ipynb")
    assert source.read_bytes() == before


def test_an_interruption_keeps_the_cells_that_ran(tmp_path):
    source = write(tmp_path / "a.ipynb", "print('before')", "print('then')")

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(NotebookError, match="interrupted; the cells that ran are kept in"):
        run_notebook(source, tmp_path / "out.ipynb", report=interrupt)
    assert printed(tmp_path / "out.failed.ipynb") == "before\n"
    assert not (tmp_path / "out.ipynb").exists()


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook .*nothing\.ipynb"):
        run_notebook(tmp_path / "nothing.ipynb", tmp_path / "out.ipynb")
    for content in ("", "not json", '{"cells": 3}', "[]"):
        path = tmp_path / "bad.ipynb"
        path.write_text(content)
        with pytest.raises(ValueError, match=r"bad\.ipynb is not a valid Jupyter notebook"):
            run_notebook(path, tmp_path / "out.ipynb")


def test_the_same_notebook_run_in_two_folders_is_the_same_pdf(tmp_path):
    cells = [
        "import time, warnings\nfrom tqdm import tqdm\nwarnings.warn('careful')",
        "for _ in tqdm(range(3)): time.sleep(0.01)\nfor _ in tqdm(iter('abc')): time.sleep(0.01)",
        "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg', 'pdf', 'png']\n"
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        new_code_cell("import helper", metadata={"tags": ["raises-exception"]}),
    ]
    written = []
    for folder in (tmp_path / "one", tmp_path / "another" / "folder of work"):
        folder.mkdir(parents=True)
        (folder / "helper.py").write_text("import warnings; warnings.warn('old'); 1 / 0")
        run_notebook(write(folder / "a.ipynb", *cells), folder / "build" / "a.ipynb")
        written.append(export_pdf(folder / "build" / "a.ipynb", folder / "a.pdf").path.read_bytes())
        text = (folder / "build" / "a.ipynb").read_text()
        assert "UserWarning: careful" in text
        assert "helper.py" in text
    assert written[0] == written[1]


def test_a_field_that_the_format_forbids_is_named_with_its_cell(tmp_path):
    path = write(tmp_path / "a.ipynb", "1", "2")
    content = json.loads(path.read_text())
    content["cells"][1]["id"] = None
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"notebook: cell 2: id: None is not of type 'string'$"):
        run_notebook(path, tmp_path / "out.ipynb")


@pytest.mark.parametrize("language", ["R", 3])
def test_a_notebook_in_another_language_is_refused_before_it_runs(tmp_path, language):
    kernel = {"name": "ir", "display_name": "R", "language": language}
    path = write(tmp_path / "a.ipynb", "x <- c(1, 2)", kernelspec=kernel)
    with pytest.raises(ValueError, match=rf"a\.ipynb is written in {language} for the kernel 'ir'"):
        run_notebook(path, tmp_path / "out.ipynb")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.ipynb"]


def describe_kernel(folder, monkeypatch, *argv, language="python"):
    """Let Jupyter find another kernel under the name of Python's."""
    place = folder / "jupyter" / "kernels" / "python3"
    place.mkdir(parents=True)
    kernel = {"argv": argv, "display_name": "mine", "language": language}
    (place / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    return place


@pytest.mark.parametrize(
    ("argv", "language"),
    [(["/other/bin/python", "-m", "ipykernel_launcher"], "python"), (["R", "--slave"], "R")],
)
def test_a_kernel_of_another_environment_is_refused(tmp_path, monkeypatch, argv, language):
    place = describe_kernel(tmp_path, monkeypatch, *argv, language=language)
    message = rf"'python3' runs {argv[0]} \({language}\), .* {sys.executable}; remove {place}"
    with pytest.raises(NotebookError, match=message):
        run_notebook(write(tmp_path / "a.ipynb", "1"), tmp_path / "out.ipynb")
    assert not (tmp_path / "out.failed.ipynb").exists()


def test_a_kernel_that_does_not_start_is_named_with_what_it_said(tmp_path, monkeypatch, capfd):
    describe_kernel(tmp_path, monkeypatch, "python", "-c", "raise ImportError('no zmq')")
    message = rf"{sys.executable}, does not start \(.*ImportError: no zmq\); try .*pip install"
    with pytest.raises(NotebookError, match=message) as error:
        run_notebook(write(tmp_path / "a.ipynb", "1"), tmp_path / "out.ipynb")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_machine_without_loopback_is_told_so(tmp_path, monkeypatch):
    def create_connection(address, timeout):
        raise OSError("network is unreachable")

    monkeypatch.setattr("socket.create_connection", create_connection)
    with pytest.raises(NotebookError, match=r"cannot connect to itself at 127\.0\.0\.1"):
        run_notebook(write(tmp_path / "a.ipynb", "1"), tmp_path / "out.ipynb")


def test_two_runs_to_one_file_do_not_meet(tmp_path):
    target = tmp_path / "out.ipynb"
    target.write_text("of the other run")
    with locked(target), pytest.raises(BusyError, match=r"writing .*out\.ipynb"):
        run_notebook(write(tmp_path / "a.ipynb", "1"), target)
    assert target.read_text() == "of the other run"


def test_threads_of_the_kernel_sleep_while_they_wait_unless_told_otherwise(tmp_path, monkeypatch):
    source = write(tmp_path / "a.ipynb", "import os; print(os.environ['OMP_WAIT_POLICY'])")
    target = tmp_path / "out.ipynb"
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    run_notebook(source, target)
    assert printed(target) == "PASSIVE\n"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    run_notebook(source, target)
    assert printed(target) == "ACTIVE\n"
