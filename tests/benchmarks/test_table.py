"""The table of speeds: what falls short, how it is written, and that turns are taken."""

import math

import numpy as np
import pytest

from benchmarks.__main__ import find_benchmarks, main
from benchmarks.table import END, START, Row, interleave, markdown, put_between_marks


def row(ratio=2.0, required=1.5, work="sorting", limit="memory, 12 GB/s"):
    return Row(work, "1 s", "2 s", ratio, required, limit)


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"# Title\n\n{START}\nold\n{END}\n\nthe end\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("ratio", "required", "short"),
    [
        (2.0, 1.5, False),
        (1.5, 1.5, False),
        (1.49, 1.5, True),
        (0.1, None, False),
        (math.nan, 1.5, True),
    ],
)
def test_a_row_falls_short_below_what_is_required(ratio, required, short):
    assert row(ratio, required).falls_short is short


def test_the_exit_code_tells_whether_a_row_falls_short_and_which(tmp_path, capsys):
    available = {"good": lambda: [row()], "bad": lambda: [row(1.0, 1.5, "searching"), row()]}
    assert main(["good"], available, tmp_path) == 0
    assert capsys.readouterr().err == ""
    assert main([], available, tmp_path) == 1
    assert capsys.readouterr().err == "falls short: searching: ratio 1, required 1.5\n"


def test_only_what_is_named_is_measured_and_written(tmp_path, capsys):
    available = {"one": lambda: [row(work="sorting")], "two": lambda: [row(work="searching")]}
    main(["two"], available, tmp_path)
    table = (tmp_path / "build" / "benchmarks.md").read_text(encoding="utf-8")
    assert "| searching | 1 s | 2 s | 2.00 | 1.5 | memory, 12 GB/s |" in table
    assert "sorting" not in table + capsys.readouterr().out
    assert "GFLOP/s" in table.splitlines()[0]


def test_a_name_that_is_no_benchmark_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["three"], {"one": lambda: []}, tmp_path)
    assert "no benchmark three; there are one" in capsys.readouterr().err


def test_every_module_with_rows_is_a_benchmark():
    assert "balanced_batches" in find_benchmarks()
    assert "table" not in find_benchmarks()


def test_the_readme_shows_the_new_table_and_keeps_the_rest(readme):
    main(["--update-readme"], {"one": lambda: [row()]}, readme.parent)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"# Title\n\n{START}\nMeasured on ")
    assert text.endswith(
        f"| sorting | 1 s | 2 s | 2.00 | 1.5 | memory, 12 GB/s |\n{END}\n\nthe end\n"
    )
    assert "old" not in text


def test_a_part_of_the_table_does_not_replace_the_whole(readme, capsys):
    with pytest.raises(SystemExit):
        main(["one", "--update-readme"], {"one": lambda: [row()]}, readme.parent)
    assert "needs the whole table" in capsys.readouterr().err
    assert "old" in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "document", ["", START, f"{END}\n{START}\n", f"{START}\n{END}\n{START}\n{END}\n"]
)
def test_marks_that_are_missing_or_twice_are_an_error(document):
    with pytest.raises(ValueError, match="expected one line"):
        put_between_marks(document, "table\n")


def test_markdown_has_one_line_for_each_row_and_shows_what_is_not_required():
    lines = markdown([row(limit="a | b"), row(required=None)], "Measured today.").splitlines()
    assert lines[:2] == ["Measured today.", ""]
    assert lines[2].startswith("| work |")
    assert lines[4] == r"| sorting | 1 s | 2 s | 2.00 | 1.5 | a \| b |"
    assert lines[5] == "| sorting | 1 s | 2 s | 2.00 |  | memory, 12 GB/s |"


def test_contenders_take_turns_and_the_median_is_kept(monkeypatch):
    turns = []
    clock = iter([0, 9, 10, 19, 20, 21, 30, 35, 40, 43, 50, 56, 60, 62, 70, 77])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    contenders = {"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}
    assert interleave(contenders, rounds=3) == {"a": 2, "b": 6}
    assert turns == ["a", "b"] * 4


def test_before_each_turn_the_threads_of_the_last_may_come_to_rest(monkeypatch):
    turns = []
    monkeypatch.setattr("time.sleep", lambda seconds: turns.append(seconds))
    contenders = {"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}
    interleave(contenders, rounds=1, unmeasured=0, pause=0.5)
    assert turns == [0.5, "a", 0.5, "b"]


def test_before_each_turn_so_much_memory_is_used_and_freed(monkeypatch):
    turns = []
    monkeypatch.setattr("numpy.ones", lambda size, kind: turns.append((size, kind)))
    contenders = {"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}
    interleave(contenders, rounds=1, unmeasured=0, memory=2**20)
    assert turns == [(2**20, np.uint8), "a", (2**20, np.uint8), "b"]
