"""The table of speeds: when a row falls short, how it is written, and how both sides are timed."""

import math
import time

import pytest

from benchmarks.__main__ import main
from benchmarks.table import END, START, Row, interleave, markdown, put_between_marks


def row(ratio=2.0, required=1.5, work="sorting", limit="memory, 12 GB/s"):
    return Row(work, "s", 1.0, ratio, "bubblesort", required, limit)


LINE = "| sorting | 1 s | 2 s (bubblesort) | 2.00 | 1.5 | memory, 12 GB/s |"


@pytest.fixture
def project(tmp_path):
    """A folder with the two documents that hold tables."""
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/speed.md"):
        text = f"# Title\n\n{START}\nold\n{END}\n\nthe end\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("ratio", "required", "short"),
    [
        (2, 1.5, False),
        (1.5, 1.5, False),
        (1.49, 1.5, True),
        (0.1, None, False),
        (math.nan, 1, True),
    ],
)
def test_a_row_falls_short_below_the_required_ratio(ratio, required, short):
    assert row(ratio, required).falls_short is short


@pytest.mark.parametrize(
    ("unit", "ratio"), [("s", 0.5), ("ms", 0.5), ("MB", 0.5), ("images/s", 2), ("%", 2)]
)
def test_less_time_and_memory_are_better_and_more_of_everything_else(unit, ratio):
    assert Row("sorting", unit, 20.0, 10.0, "bubblesort", None, "").ratio == ratio


def test_measurements_keep_three_digits():
    cells = Row("sorting", "images/s", 1234.5, 0.012345, "bubblesort", 1, "").cells()
    assert cells[1:3] == ("1,234 images/s", "0.0123 images/s (bubblesort)")
    assert Row("sorting", "s", math.nan, 1.0, "bubblesort", 1, "").cells()[1] == "not measured"


def test_the_exit_code_tells_whether_a_row_falls_short_and_which(tmp_path, capsys):
    available = {"good": lambda: [row()], "bad": lambda: [row(1.0, 1.5, "searching"), row()]}
    assert main(["good"], available, tmp_path) == 0
    assert capsys.readouterr().err == ""
    assert main([], available, tmp_path) == 1
    assert capsys.readouterr().err == "falls short: searching: ratio 1, required 1.5\n"


def test_only_the_named_benchmark_is_measured_and_written(tmp_path, capsys):
    available = {"one": lambda: [row(work="searching")], "two": lambda: [row()]}
    main(["two"], available, tmp_path)
    table = (tmp_path / "build" / "benchmarks.md").read_text(encoding="utf-8")
    assert LINE in table
    assert "searching" not in table + capsys.readouterr().out
    assert "GFLOP/s" in table.splitlines()[0]


def test_an_unknown_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["three"], {"one": lambda: []}, tmp_path)
    assert "no benchmark three; there are one" in capsys.readouterr().err


def test_the_documents_show_the_new_tables_and_keep_the_rest(project):
    parts = {"one": lambda: [row(), row(work="searching")], "two": lambda: [row(work="adding")]}
    main(["--update-docs"], parts, project)
    whole = (project / "docs" / "speed.md").read_text(encoding="utf-8")
    assert whole.startswith(f"# Title\n\n{START}\nMeasured on ")
    assert LINE in whole
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# Title\n\n{START}\n| work | here | baseline | ratio |\n")
    for text in (whole, readme):
        assert text.endswith(f"{END}\n\nthe end\n")
        assert "old" not in text
        assert "| adding |" in text
    assert "searching" in whole
    assert "searching" not in readme  # which has the first row of each part


def test_a_part_of_the_table_does_not_replace_the_whole(project, capsys):
    with pytest.raises(SystemExit):
        main(["one", "--update-docs"], {"one": lambda: [row()]}, project)
    assert "needs the whole table" in capsys.readouterr().err
    for name in ("README.md", "docs/speed.md"):
        assert "old" in (project / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "document", ["", START, f"{END}\n{START}\n", f"{START}\n{END}\n{START}\n{END}\n"]
)
def test_marks_that_are_missing_or_twice_are_an_error(document, tmp_path):
    path = tmp_path / "speed.md"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(ValueError, match=r"speed\.md: expected one line"):
        put_between_marks(path, "table\n")
    assert path.read_text(encoding="utf-8") == document


def test_markdown_has_one_line_for_each_row():
    lines = markdown([row(limit="a | b"), row(required=None)], "Measured today.").splitlines()
    assert lines[:2] == ["Measured today.", ""]
    assert lines[2].startswith("| work |")
    assert lines[4] == r"| sorting | 1 s | 2 s (bubblesort) | 2.00 | 1.5 | a \| b |"
    assert lines[5] == "| sorting | 1 s | 2 s (bubblesort) | 2.00 |  | memory, 12 GB/s |"


def test_contenders_take_turns_and_the_first_round_does_not_count():
    turns = []

    def slow_at_first():
        turns.append("a")
        time.sleep(0.5 if len(turns) == 1 else 0.01)

    seconds = interleave({"a": slow_at_first, "b": lambda: turns.append("b")}, rounds=3, pause=0.02)
    assert turns == ["a", "b"] * 4
    assert seconds["b"] < 0.01 <= seconds["a"] < 0.4
