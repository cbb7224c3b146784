"""The students' version holds everything but the answers, or it is not written."""

import ast
import json

import pytest

from coursework.cli import main
from coursework.course.blank import PLACE
from coursework.course.outcomes import run_module
from coursework.course.questions import load_questions
from coursework.course.release import LeakError, answers_by_file, release
from coursework.profiles import ROOT
from tests.coursework.course.conftest import checkout


def test_everything_that_git_tracks_is_there_but_the_answers(course, tmp_path):
    folder = tmp_path / "new" / "students"
    written = release(folder, course)
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert found == set(written)
    assert sorted(path.as_posix() for path in found) == [
        "README.md",
        "data/numbers.bin",
        "hw9/__init__.py",
        "hw9/sums.py",
        "notebooks/hw9_sums.ipynb",
        "pyproject.toml",
        "tests/test_mean.py",
        "tests/test_total.py",
    ]
    module = (folder / "hw9" / "sums.py").read_text(encoding="utf-8")
    assert (
        '    """Return the mean."""\n    raise NotImplementedError("Question 1: mean")\n' in module
    )
    cells = json.loads((folder / "notebooks/hw9_sums.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [cell["source"] for cell in cells] == [["# Sums"], [PLACE]]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "| HW9, Question 1, sums | 4 | [`hw9/sums.py`](hw9/sums.py) | `-m hw9_q1` |" in readme
    assert [path.name for path in folder.parent.iterdir()] == ["students"]


LINE = "collected = collected + number"
LEAKS = {
    "a line in a test": ("tests/test_other.py", f"def f():\n        {LINE}\n"),
    "a line in a text": ("how.md", "> write `collected = collected  +  number`"),
    "a line in a notebook": ("a.ipynb", json.dumps({"cells": [{"source": ["a\n", LINE]}]})),
    "a sentence in a notebook": (
        "a.ipynb",
        json.dumps(
            {"cells": [{"source": ["The sum of all\n", "numbers grows with each of them."]}]}
        ),
    ),
    "a sentence in other lines": (
        "a.md",
        "So: the\nThe sum of all numbers grows\nwith each of them.",
    ),
    "a hidden file": (".cache/old", f"    {LINE}"),
    "compiled code": ("hw9/__pycache__/sums.pyc", b"\xff\xfe\x00collected"),
}


@pytest.mark.parametrize(("name", "content"), LEAKS.values(), ids=LEAKS)
def test_where_an_answer_is_left_nothing_is_written(course, tmp_path, name, content):
    checkout(course, {name: content})
    with pytest.raises(LeakError, match=f"(?s)answers are left in 1 places.*  - {name}: "):
        release(tmp_path / "students", course)
    assert [path.name for path in tmp_path.iterdir()] == ["course"]


def test_a_folder_with_something_in_it_is_refused_and_kept(course, tmp_path):
    (tmp_path / "mine").write_text("kept", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(FileExistsError, match="exists already and is not empty"):
            release(folder, course)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "kept"
    (tmp_path / "empty").mkdir()
    assert release(tmp_path / "empty", course)


def test_what_is_no_checkout_is_refused_in_words(course, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no pyproject\.toml.* no checkout"):
        release(tmp_path / "students", tmp_path / "elsewhere")
    (course / ".git").rename(tmp_path / "git")
    with pytest.raises(FileNotFoundError, match="is no git checkout"):
        release(tmp_path / "students", course)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hw9.sums:mean", "hw9.sums:median", r"hw9/sums\.py: no function median; there are mean"),
        ("hw9.sums:mean", "hw9.means:mean", r"the answer mean, but there is no hw9/means\.py"),
        ('["hw9-02"]', '["hw9-03"]', r"hw9_sums\.ipynb: no cell 'hw9-03'"),
        ('homework = "hw9"', 'homework = "hw8"', r"there are 0 notebooks notebooks/hw8_\*\.ipynb"),
        ("readme =", "other =", r"has no table \[tool\.coursework\.release\] with left_out"),
    ],
)
def test_an_answer_that_does_not_exist_is_named(course, tmp_path, old, new, message):
    table = course / "pyproject.toml"
    table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        release(tmp_path / "students", course)
    assert not (tmp_path / "students").exists()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a git checkout")
def test_this_course_can_be_handed_out(tmp_path, capsys):
    assert main(["release", str(tmp_path / "students")]) == 0
    assert "no line or sentence of an answer in them" in capsys.readouterr().out
    for path, messages in answers_by_file(ROOT, load_questions().values()).items():
        blank = (tmp_path / "students" / path).read_text(encoding="utf-8")
        ast.parse(blank)
        for message in messages.values():
            assert f'raise NotImplementedError("{message}")' in blank
    softmax = (tmp_path / "students" / "hw3" / "softmax.py").read_text(encoding="utf-8")
    assert 'raise NotImplementedError("Question 2: softmax")' in softmax
    for options, said in (
        (("tests/hw3/test_roc.py", "-k", "perfect"), "FAILED tests/hw3/test_r"),
        (("hw3/roc.py",), "FAILED hw3/roc.py::hw3.roc.roc_curve"),
    ):
        done = run_module(tmp_path / "students", "pytest", *options)
        said = f"Question 3, ROC curves: {said}"
        assert [line for line in done.stdout.splitlines() if line.startswith(said)]
    assert main(["release", str(tmp_path / "students")]) == 1
    assert "exists already and is not empty; name a new folder" in capsys.readouterr().err
