"""The table of the questions: it names what exists, and what is wrong in it is said."""

import pytest

from coursework.course.questions import load_questions
from coursework.profiles import ROOT

QUESTIONS = load_questions()

GOOD = """
[tool.coursework.questions.hw9_q1]
homework = "hw9"
name = "Question 1"
title = "sums"
points = 4
answers = ["hw9.sums:add", "hw9.sums:Tally.total"]
prose = ["hw9-02"]
tests = { "tests/test_add.py" = 3, "tests/test_tally.py" = 1 }
"""


def read(folder, text):
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_questions(folder)


def test_the_points_are_those_of_the_homework():
    points = {name: question.points for name, question in QUESTIONS.items()}
    assert (points["hw3_q1"], points["hw3_q2"], points["hw3_q3"]) == (6, 6, 3)
    for homework in ("hw3", "hw4"):
        assert sum(q.points for q in QUESTIONS.values() if q.homework == homework) == 15


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_each_test_file_of_a_question_exists_and_has_its_marker(question, request):
    markers = [line.partition(":")[0] for line in request.config.getini("markers")]
    assert question.id in markers
    for file in question.tests:
        assert f"pytest.mark.{question.id}" in (ROOT / file).read_text(encoding="utf-8")


def test_the_points_are_shared_out_in_proportion_to_the_numbers_of_the_table(tmp_path):
    (question,) = read(tmp_path, GOOD).values()
    assert question.tests == {"tests/test_add.py": 3, "tests/test_tally.py": 1}
    (question,) = read(tmp_path, GOOD.replace("points = 4", "points = 10")).values()
    assert question.tests == {"tests/test_add.py": 7.5, "tests/test_tally.py": 2.5}
    assert question.label == "Question 1, sums"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "sums"\n', "", "question hw9_q1: found the fields answers.*expected.*title"),
        ("points = 4", "points = 0", "points is 0, expected a positive number"),
        ("points = 4", "points = nan", "points is nan, expected a positive number"),
        ("points = 4", "points = true", "points is True, expected a positive number"),
        ("hw9.sums:add", "hw9.sums.add", "'hw9.sums.add' is neither module:function nor"),
        ('prose = ["hw9-02"]', 'prose = "hw9-02"', "prose is 'hw9-02', expected a list of texts"),
        ('homework = "hw9"', "homework = 9", "homework is 9, expected a text"),
        ('test_tally.py" = 1', 'test_tally.py" = "1"', "test_tally.py is '1', expected a positive"),
        ("questions.hw9_q1", "others.hw9_q1", "has no table .*which lists the questions"),
        ("points = 4", "points 4", "pyproject.toml is not TOML"),
    ],
)
def test_what_is_wrong_in_the_table_is_said(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, GOOD.replace(old, new))


def test_a_folder_that_is_no_checkout_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no pyproject\.toml, so it is no"):
        load_questions(tmp_path)
