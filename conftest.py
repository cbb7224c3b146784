"""What pytest does with every test of the project: a failure begins with the question it is of."""

import pytest

from coursework.course.questions import load_questions
from coursework.profiles import ROOT

QUESTIONS = load_questions()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the example in the docstring of an answer the marker of its question."""
    for question in QUESTIONS.values():
        modules = {answer.partition(":")[0] for answer in question.answers}
        for item in items:
            if isinstance(item, pytest.DoctestItem):
                module = ".".join(item.path.relative_to(ROOT).with_suffix("").parts)
                if module in modules:
                    item.add_marker(question.id)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Begin the line of a test that failed with the name of its question."""
    if not getattr(report, "failed", False):
        return None
    for question in QUESTIONS.values():
        if question.id in report.keywords:
            category = "failed" if report.when == "call" else "error"
            return category, category[0].upper(), f"{question.label}: {category.upper()}"
    return None
