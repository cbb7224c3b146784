"""The points so far, and what fails first, in words."""

import pytest

from coursework.course.missing import missing_answers
from coursework.course.questions import load_questions
from coursework.course.release import release
from coursework.course.score import score

LABEL = "Question 1, sums"


@pytest.fixture
def scored(course):
    """Return a function that scores the course once one of its functions reads otherwise."""
    (question,) = load_questions(course).values()
    module = course / "hw9" / "sums.py"

    def change(old, new):
        module.write_text(module.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        return score(question, course)

    return change


def test_all_points_for_the_answers_of_the_course(scored):
    assert scored("", "") == f"{LABEL}: 4.0 of 4 points"


def test_a_wrong_answer_is_told_by_the_sentence_of_its_test(scored):
    """One of two functions of a file passes: half of the share of the file."""
    told = scored("in numbers:", "in numbers[:-1]:")
    test = "the sum of two numbers (Trap: the last number dropped.)"
    assert told == f"{LABEL}: 1.5 of 4 points; first fails: {test}"


def test_a_test_function_counts_with_all_of_its_parameters(scored):
    told = scored("collected = 0", "collected = 0 if numbers else 1")
    assert told == f"{LABEL}: 2.5 of 4 points; first fails: nothing adds up to nothing"


def test_an_error_is_told_in_a_line(scored):
    told = scored("len(numbers)", "0")
    assert told.endswith("the mean of equal numbers; ZeroDivisionError: division by zero")
    assert told.startswith(f"{LABEL}: 3.0 of 4 points")


def test_a_module_that_cannot_be_read_costs_all_points_and_is_told(scored):
    told = scored("def mean", "def mean(")
    assert told.startswith(f"{LABEL}: 0.0 of 4 points; first fails: the tests cannot begin; ")
    assert "SyntaxError" in told


def test_what_is_not_answered_is_told_without_running_anything(course, tmp_path):
    blank = tmp_path / "students"
    release(blank, course)
    (question,) = load_questions(blank).values()
    first = "the sum of two numbers (Trap: the last number dropped.)"
    reason = "Question 1: total is not written yet"
    told = f"{LABEL}: 0.0 of 4 points; first fails: {first}; {reason}"
    assert score(question, blank) == told
    notebook = blank / "notebooks" / "hw9_sums.ipynb"
    assert missing_answers(notebook, blank) == {LABEL: "`total`, `mean`, 1 answer in words"}
    module = blank / "hw9" / "sums.py"
    text = module.read_text(encoding="utf-8")
    written = text.replace('raise NotImplementedError("Question 1: total")', "return sum(numbers)")
    module.write_text(written, encoding="utf-8")
    assert missing_answers(notebook, blank) == {LABEL: "`mean`, 1 answer in words"}
    module.write_text("def total(", encoding="utf-8")
    assert missing_answers(notebook, blank) == {LABEL: "`total`, `mean`, 1 answer in words"}
    assert missing_answers(course / "notebooks" / "hw9_sums.ipynb", course) == {}
