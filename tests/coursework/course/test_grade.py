"""Hand-ins to a small course are graded: right and wrong ones, broken ones, and attacks."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursework.course.grade import grade
from coursework.course.sandbox import find_walls
from coursework.pdf import export_pdf
from coursework.profiles import ROOT
from tests.coursework.course.conftest import checkout
from tests.coursework.course.handins import changed_handin, identity

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")

PROJECT = """
[project]
name = "small"
version = "3"
[tool.coursework.questions.hw9_q1]
homework = "hw9"
name = "Question 1"
title = "sums"
points = 6
answers = ["hw9.sums:add"]
prose = []
tests = { "tests/test_sums.py" = 1 }
[tool.coursework.questions.hw9_q2]
homework = "hw9"
name = "Question 2"
title = "products"
points = 3
answers = ["hw9.products:multiply"]
prose = []
tests = { "tests/test_products.py" = 1 }
[tool.coursework.release]
readme = "README.md"
left_out = []
[tool.pytest.ini_options]
addopts = "--strict-markers --import-mode=importlib"
pythonpath = ["."]
markers = ["hw9_q1", "hw9_q2", "handed_out"]
"""
SUMS = "def add(a, b):\n    return a + b\n"
PRODUCTS = "from hw9.sums import add\n\n\ndef multiply(a, b):\n    return a * b\n"
TEST_SUMS = """
import numpy as np
import pytest
from hw9.sums import add
pytestmark = pytest.mark.hw9_q1
def test_two_and_two_are_four():
    assert add(2, 2) == 4
def test_order_does_not_matter():
    np.testing.assert_array_equal(add(1, 2), add(2, 1))
@pytest.mark.parametrize("zero", [0, 0.0])
def test_zero_changes_nothing(zero):
    assert add(3, zero) == 3
"""
TEST_PRODUCTS = """
import pytest
from hw9.products import add, multiply
pytestmark = pytest.mark.hw9_q2
def test_a_product_is_a_sum_of_sums():
    assert multiply(2, 3) == add(add(2, 2), 2)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    root.chmod(0o755)
    files = {
        "pyproject.toml": PROJECT,
        "README.md": "",
        "student.toml": 'course = "Arithmetic"',
        "hw9/__init__.py": "",
        "hw9/sums.py": SUMS,
        "hw9/products.py": PRODUCTS,
        "tests/test_sums.py": TEST_SUMS,
        "tests/test_products.py": TEST_PRODUCTS,
    }
    checkout(root, files)
    return root


@pytest.fixture(scope="module")
def hand_in(tmp_path_factory):
    """Return a function that writes a hand-in."""
    right = tmp_path_factory.mktemp("right") / "hw9.zip"
    notebook = right.with_name("hw9_sums.ipynb")
    cells = [new_markdown_cell("# Sums"), new_code_cell("2 + 2", execution_count=1)]
    nbformat.write(new_notebook(cells=cells), notebook)
    pages = export_pdf(notebook, notebook.with_suffix(".pdf")).pages
    facts = {"homework": "hw9_sums", "pages": pages, "project": {"version": "3"}, "figures": {}}
    with zipfile.ZipFile(right, "w") as archive:
        archive.writestr("manifest.json", json.dumps(facts))
        for path in (notebook, notebook.with_suffix(".pdf")):
            archive.write(path, path.name)

    def write(folder, sums=SUMS, products=PRODUCTS, number=1, extra=None, **facts):
        return changed_handin(
            right,
            folder / "hw9_submission.zip",
            facts={**identity(number, "Arithmetic"), **facts},
            extra={"hw9/sums.py": sums, "hw9/products.py": products, **(extra or {})},
        )

    return write


WRONG = "def add(a, b):\n    return a - b\n"  # one of three tests passes: that of zero
INSIDE = "def add(a, b):\n    {}\n    return a + b\n"
PATCHES = "import numpy as np\nnp.testing.assert_array_equal = lambda *a: None\n" + WRONG
OTHERS = "import hw9.sums\nhw9.sums.add = lambda a, b: 5\n" + PRODUCTS.replace("a * b", "5")
CONFTEST = "import pytest\ndef pytest_runtest_makereport(): raise SystemExit\n"


@pytest.fixture(scope="module")
def rows(course, hand_in, tmp_path_factory):
    """Return what each hand-in gets, by its folder."""
    folder = tmp_path_factory.mktemp("handins")
    own_tests = {"tests/conftest.py": CONFTEST, "tests/test_sums.py": "def test_all(): pass\n"}
    handins = {
        "right": {},
        "wrong": {"sums": WRONG, "extra": own_tests},
        "not written": {"sums": "def add(a, b):\n    raise NotImplementedError('add')\n"},
        "no module": {"sums": "def add(a, b:\n"},
        "exits": {"number": 7, "sums": INSIDE.format("import os; a == 3 and os._exit(0)")},
        "skips": {"number": 7, "sums": INSIDE.format("import pytest; a == 3 and pytest.skip('')")},
        "ends": {"sums": INSIDE.format("import pytest; a == 2 and pytest.exit('', 0)")},
        "patches": {"sums": PATCHES},
        "old": {"project": {"version": "2"}},
        "other homework": {"homework": "hw8_other"},
    }
    for number, (name, changes) in enumerate(handins.items(), 100):
        hand_in(folder / name, **{"number": number, **changes})
    (folder / "damaged").mkdir()
    (folder / "damaged" / "hw9.zip").write_bytes(b"PK, and no more")
    output = folder.with_name("out") / "grades.csv"
    lines = []
    grade(folder, output, course, report=lines.append)
    lines.append("again")
    grade(folder, output, course, report=lines.append)
    with output.open(newline="", encoding="utf-8") as file:
        found = {row["file"].partition("/")[0]: row for row in csv.DictReader(file)}
    return {"rows": found, "lines": lines, "folder": output.with_suffix("")}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("right", ("6.00", "3.00")),
        ("wrong", ("2.00", "3.00")),
        ("not written", ("0.00", "3.00")),
        ("exits", ("4.00", "3.00")),
        ("skips", ("4.00", "3.00")),
        ("ends", ("2.00", "3.00")),
        ("patches", ("2.00", "3.00")),
        ("old", ("6.00", "3.00")),
    ],
)
def test_a_hand_in_scores_what_is_true(rows, name, points):
    """A mistake in Question 1 costs nothing in Question 2, whose tests use it."""
    row = rows["rows"][name]
    assert (row["hw9_q1"], row["hw9_q2"]) == points


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("damaged", "refused, not graded"),
        ("no module", "refused, not graded: 'hw9/sums.py' cannot be read"),
        ("exits", "Question 1: the code ended its process (exit code 0) in test_zero"),
        ("patches", "Question 1: the code changes numpy.testing.assert_array_equal"),
        ("wrong", "not used, since they answer nothing: tests/conftest.py, tests/test_sums.py"),
        ("old", "made with version 2 of the course, which is 3"),
        ("other homework", "not graded: its homework is 'hw8', expected hw9"),
        ("exits", "handed in 2 times: also skips/hw9_submission.zip"),
    ],
)
def test_what_a_teacher_should_know_is_remarked(rows, name, remark):
    assert remark in rows["rows"][name]["remarks"]


def test_a_right_hand_in_has_no_remark(rows):
    assert rows["rows"]["right"]["remarks"] == ""
    assert rows["rows"]["right"]["total"] == "9.00"


def test_each_hand_in_has_its_reports(rows):
    place = rows["folder"] / "wrong" / "hw9_submission"
    assert "two and two are four" in (place / "report.md").read_text()
    assert json.loads((place / "results.json").read_text())["score"] == 5.0


def test_what_is_graded_is_not_graded_again(rows):
    again = rows["lines"][rows["lines"].index("again") :]
    assert "11 of 11 are graded already" in again
    assert str(find_walls()) == rows["lines"][0]


@pytest.mark.parametrize(("backend", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_on_this_machine_grades_alike(course, hand_in, tmp_path, backend, library):
    pytest.importorskip(library)
    hand_in(tmp_path / "handins" / "wrong", sums=WRONG)
    (row,) = grade(tmp_path / "handins", tmp_path / "grades.csv", course, backend=backend)
    assert row.total == 5.0


STOPPED = """
import sys
from pathlib import Path
from coursework.door import run_command

def command():
    from coursework.course.grade import grade
    grade(*map(Path, sys.argv[1:]))

sys.exit(run_command("grade", command))
"""


def test_a_grader_that_is_ended_leaves_nothing_and_goes_on_where_it_was(course, hand_in, tmp_path):
    """What a killed one leaves goes with the next run, which is ended by SIGTERM here."""
    handins, output, boxes = (tmp_path / name for name in ("handins", "out/grades.csv", "boxes"))
    hand_in(handins / "a right one")
    hanging = hand_in(handins / "hangs", sums=INSIDE.format("import time; time.sleep(1000)"))
    boxes.mkdir()
    done = output.with_suffix("") / "a right one" / "hw9_submission" / "result.json"
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 128 + signal.SIGTERM)):
        grader = subprocess.Popen(
            [sys.executable, "-c", STOPPED, handins, output, course],
            env={**os.environ, "TMPDIR": str(boxes), "PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
        )
        while not (done.is_file() and running_in(boxes)):
            assert grader.poll() is None
            time.sleep(0.1)
        grader.send_signal(number)
        assert grader.wait(timeout=20) == code
        deadline = time.monotonic() + 20
        while running_in(boxes):
            assert time.monotonic() < deadline, "a worker goes on"
            time.sleep(0.1)
        assert list(boxes.glob(".coursework-box.*")) or number == signal.SIGTERM
    assert not list(boxes.glob("*coursework-box*"))
    hanging.unlink()
    hand_in(handins / "later", number=2)
    lines = []
    rows = grade(handins, output, course, report=lines.append)
    assert "1 of 2 are graded already" in lines
    assert [row.total for row in rows] == [9.0, 9.0]


def running_in(boxes):
    """Return the processes that test a hand-in in one of the boxes."""
    running = [process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])]
    return [words for words in running if any(str(boxes) in word for word in words)]


def test_a_folder_without_zips_is_refused(tmp_path, course):
    with pytest.raises(FileNotFoundError, match="holds no zip"):
        grade(tmp_path, tmp_path / "grades.csv", course)
