"""Running notebooks: fresh, with parameters, and with the failing cell named."""

import nbformat
import pytest

from coursework.handin import NotebookError, run_notebook


def write(path, *sources, parameters=None):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if parameters is not None:
        cell = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells.insert(0, cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def printed(path):
    cells = nbformat.read(path, as_version=4).cells
    return "".join(output.text for cell in cells for output in cell.outputs if "text" in output)


def test_it_runs_from_the_top_and_reports_each_cell(tmp_path):
    source = write(tmp_path / "a.ipynb", "x = 20", "x += 1", "print(2 * x)")
    before = source.read_bytes()
    lines = []
    run = run_notebook(source, tmp_path / "out" / "a.ipynb", report=lines.append)
    assert printed(run.path) == "42\n"
    cells = nbformat.read(run.path, as_version=4).cells
    assert [cell.execution_count for cell in cells] == [1, 2, 3]
    assert [line.split()[:2] for line in lines] == [["a", "1/3"], ["a", "2/3"], ["a", "3/3"]]
    assert "print(2 * x)" in lines[2]
    assert run.seconds > 0
    assert source.read_bytes() == before


def test_parameters_replace_those_of_the_tagged_cell(tmp_path):
    source = write(
        tmp_path / "a.ipynb", "print(profile, overrides)", parameters='profile = "embedded"'
    )
    given = {"profile": "full", "overrides": {"epochs": 3, "sizes": (1, 2), "root": "C:\\data"}}
    run = run_notebook(source, tmp_path / "out.ipynb", parameters=given)
    assert printed(run.path) == "full {'epochs': 3, 'sizes': [1, 2], 'root': 'C:\\\\data'}\n"


def test_parameters_need_a_cell_that_is_tagged(tmp_path):
    source = write(tmp_path / "a.ipynb", "print(1)")
    with pytest.raises(ValueError, match="0 cells tagged 'parameters', expected one"):
        run_notebook(source, tmp_path / "out.ipynb", parameters={"x": 1})


def test_a_failing_cell_is_named_and_what_ran_is_kept(tmp_path):
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


def test_a_cell_that_takes_too_long_is_stopped(tmp_path):
    source = write(tmp_path / "a.ipynb", "import time; time.sleep(60)")
    with pytest.raises(NotebookError, match=r"cell 1 of a\.ipynb was still running"):
        run_notebook(source, tmp_path / "out.ipynb", cell_timeout=1)
    assert (tmp_path / "out.failed.ipynb").exists()


def test_a_kernel_that_dies_is_reported(tmp_path):
    source = write(tmp_path / "a.ipynb", "import os; os._exit(1)")
    with pytest.raises(NotebookError, match=r"cell 1 of a\.ipynb ended its kernel"):
        run_notebook(source, tmp_path / "out.ipynb")


def test_a_notebook_is_not_run_over_itself(tmp_path):
    source = write(tmp_path / "a.ipynb", "1 / 0")
    before = source.read_bytes()
    with pytest.raises(ValueError, match=r"a\.ipynb would be overwritten by its own result"):
        run_notebook(source, tmp_path / "deep" / ".." / "a.ipynb")
    assert source.read_bytes() == before


def test_an_interruption_keeps_what_ran(tmp_path):
    source = write(tmp_path / "a.ipynb", "print('before')", "print('then')")

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(NotebookError, match="interrupted; what ran until then is kept"):
        run_notebook(source, tmp_path / "out.ipynb", report=interrupt)
    assert printed(tmp_path / "out.failed.ipynb") == "before\n"
    assert not (tmp_path / "out.ipynb").exists()


def test_what_is_no_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook .*nothing\.ipynb"):
        run_notebook(tmp_path / "nothing.ipynb", tmp_path / "out.ipynb")
    for content in ("", "not json", '{"cells": 3}', "[]"):
        path = tmp_path / "bad.ipynb"
        path.write_text(content)
        with pytest.raises(ValueError, match=r"bad\.ipynb is not a valid Jupyter notebook"):
            run_notebook(path, tmp_path / "out.ipynb")


def test_threads_of_the_kernel_wait_asleep_unless_told_otherwise(tmp_path, monkeypatch):
    source = write(tmp_path / "a.ipynb", "import os; print(os.environ['OMP_WAIT_POLICY'])")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert printed(run_notebook(source, tmp_path / "out.ipynb").path) == "PASSIVE\n"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert printed(run_notebook(source, tmp_path / "out.ipynb").path) == "ACTIVE\n"
