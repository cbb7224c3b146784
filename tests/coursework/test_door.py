"""Ctrl-C and SIGTERM end every command with one line, whatever it is doing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from coursework.profiles import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

ENDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}


def start(*command, **environment):
    return subprocess.Popen(
        [sys.executable, "-u", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_program(work):
    """Start a program that does some work behind the door, and wait until it is about to."""
    lines = "\n".join(f"    {line}" for line in work.splitlines())
    process = start(
        "-c",
        f"""
import atexit, sys, time
from coursework import door
def command():
{lines}
door.GRACE = 0.2
sys.exit(door.run_command("program", command))
""",
    )
    assert process.stdout.readline() == "here\n"
    return process


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize(
    "work",
    [
        "print('here'); time.sleep(60)",
        # What a library may make of it.
        "try: print('here'); time.sleep(60)\nexcept BaseException: raise ImportError('numpy')",
        "try: print('here'); time.sleep(60)\nexcept BaseException: pass",
        "print('here')\nwhile True:\n  try: time.sleep(60)\n  except BaseException: pass",
        "try: print('here'); time.sleep(60)\nfinally: print('a warning', file=sys.stderr)",
        "class Thing:\n  def __del__(self): print('here'); time.sleep(60)\nThing()\ntime.sleep(60)",
        # After the work.
        "atexit.register(lambda: (print('here'), time.sleep(60)))",
    ],
)
def test_a_signal_is_one_line_and_its_exit_code(work, number):
    process = start_program(work)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    code, word = ENDS[number]
    assert (process.returncode, errors) == (code, f"program: {word}\n")


def test_a_signal_raises_nothing_in_an_import_where_a_library_in_cpp_would_abort(tmp_path):
    tmp_path.joinpath("native.py").write_text(
        "import os, time\ntry: print('here'); time.sleep(60)\nexcept BaseException: os.abort()"
    )
    process = start_program(f"sys.path.insert(0, {str(tmp_path)!r})\nimport native")
    process.terminate()
    assert process.communicate(timeout=60)[1] == "program: terminated\n"
    assert process.returncode == 143


def test_a_second_signal_ends_what_takes_long_to_tidy_up():
    work = "door.GRACE = 600\ntry: print('here'); time.sleep(60)\nfinally: print(1); time.sleep(60)"
    process = start_program(work)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "1\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == "program: interrupted\n"
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("end", "code", "errors"),
    [
        ("", 0, ""),
        ("return 3", 3, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(2)", 2, ""),
        ("sys.exit('error: in words')", 1, "error: in words\n"),
        ("sys.exit([])", 1, "[]\n"),
    ],
)
def test_without_a_signal_a_command_ends_as_it_says(end, code, errors):
    process = start_program(f"print('here')\natexit.register(print, 'and this')\n{end}")
    assert process.wait(timeout=60) == code
    assert (process.stdout.read(), process.stderr.read()) == ("and this\n", errors)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the disk that is always full")
def test_a_full_disk_below_standard_output_is_one_line():
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "coursework", "fetch", "--list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 1
    assert result.stderr.startswith("coursework: ")
    assert result.stderr.endswith("No space left on device: 'standard output'\n")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("coursework", ["coursework", "doctor"]),
        ("hw3.features", ["hw3.features", "--root=nowhere", "--output=x.mat"]),
        ("hw4.training", ["hw4.training", "--root=nowhere"]),
    ],
)
def test_a_signal_while_everything_is_imported_is_one_line(name, command):
    for _ in range(3):
        process = start("-m", *command)
        time.sleep(random.uniform(0.1, 1))
        process.terminate()
        errors = process.communicate(timeout=60)[1]
        # Python itself has to start first, and a fast machine may be done already.
        if process.returncode == 143:
            assert errors == f"{name}: terminated\n"
        else:
            assert process.returncode in (-signal.SIGTERM, 0, 1)
            assert errors.count("\n") <= 1


def test_ctrl_c_in_a_cell_keeps_the_cells_that_ran_and_leaves_nothing_else(tmp_path):
    cells = ["print('before')", "import os; print(os.getpid(), flush=True)\nwhile True: pass"]
    notebook = tmp_path / "small.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    build, temporary = tmp_path / "build", tmp_path / "temporary"
    temporary.mkdir()
    command = ("-m", "coursework", "submit", str(notebook), f"--build={build}")
    process = start(*command, TMPDIR=str(temporary))
    assert process.stdout.readline().startswith("small   1/2")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "coursework: interrupted\n"
    assert process.returncode == 130
    assert [path.name for path in build.iterdir()] == ["small.failed.ipynb"]
    assert list(temporary.iterdir()) == []
    kept = nbformat.read(build / "small.failed.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].text == "before\n"
