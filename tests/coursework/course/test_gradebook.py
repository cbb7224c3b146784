"""A result is told in a table, in a report and to Gradescope."""

import csv
import io
import json

import pytest

from coursework.course.gradebook import (
    Result,
    gradescope,
    load,
    report,
    save,
    write_reports,
    write_table,
)
from coursework.course.questions import Question
from coursework.course.score import Answered

QUESTIONS = {
    name: Question(name, "hw9", f"Question {name[-1]}", "sums", points, [], prose, {"t.py": points})
    for name, points, prose in (("hw9_q1", 6, ["cell"]), ("hw9_q2", 3, []))
}


@pytest.fixture
def result():
    return Result(
        file="ada/hw9.zip",
        sha256="0" * 64,
        course="1",
        name="Ada *Lovelace*",
        student_id="=1815",
        homework="hw9",
        answered={
            "hw9_q1": Answered(4.5, ["sums add up; ValueError: `x`\n| no"], 3, []),
            "hw9_q2": Answered(3.0, [], 2, []),
        },
        remarks=["made with version 1"],
    )


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_a_table_has_a_row_for_each_hand_in(result, tmp_path):
    refused = Result(file="x.zip", sha256="", course="1", remarks=["refused, not graded: empty"])
    write_table(tmp_path / "grades.csv", [result, refused], QUESTIONS)
    first, second = rows_of(tmp_path / "grades.csv")
    assert (first["hw9_q1"], first["hw9_q2"], first["total"]) == ("4.50", "3.00", "7.50")
    assert (first["of"], first["remarks"]) == ("9", "made with version 1")
    assert (second["total"], second["hw9_q1"]) == ("", "")
    assert second["remarks"] == "refused, not graded: empty"


def test_no_cell_of_a_student_is_a_formula(result, tmp_path):
    write_table(tmp_path / "grades.csv", [result], QUESTIONS)
    assert rows_of(tmp_path / "grades.csv")[0]["id"] == "'=1815"


def test_a_report_says_what_fails_and_shows_a_students_texts_as_they_are(result):
    text = report(result, QUESTIONS)
    assert text.startswith("# hw9: 7.50 of 9 points\n")
    assert r"Ada \*Lovelace\*" in text
    assert "| Question 1, sums | 4.50 | 6 | 3 of 4 |" in text
    assert r"- sums add up; ValueError: \`x\` \| no" in text
    assert "- made with version 1\n" in text
    assert "The answers in words (Question 1)" in text


def test_gradescope_gets_its_fields(result):
    told = gradescope(result, QUESTIONS)
    assert told["score"] == 7.5
    assert told["visibility"] == "visible"
    assert [(test["score"], test["max_score"], test["status"]) for test in told["tests"]] == [
        (4.5, 6, "failed"),
        (3.0, 3, "passed"),
    ]
    assert told["tests"][0]["output"].startswith("sums add up")


def test_a_result_is_loaded_as_it_was_saved(result, tmp_path):
    assert load(tmp_path / "result.json") is None
    save(result, tmp_path / "result.json")
    assert load(tmp_path / "result.json") == result
    (tmp_path / "result.json").write_text('{"file": "of an older version"}')
    assert load(tmp_path / "result.json") is None


def test_reports_lie_beside_the_result(result, tmp_path):
    write_reports(result, tmp_path, QUESTIONS)
    assert json.loads((tmp_path / "results.json").read_text())["score"] == 7.5
    assert (tmp_path / "report.md").read_text().startswith("# hw9")
