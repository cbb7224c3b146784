"""How far a homework has come: the points of each question so far, and what to mend first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coursework.course.outcomes import Outcome, run_tests
from coursework.course.questions import Question
from coursework.profiles import ROOT


@dataclass(frozen=True)
class Answered:
    """What somebody's answers reach in one question.

    Attributes
    ----------
    points
        The points; a test function counts if it passes with all of its parameters.
    failed
        A line for each test function that failed.
    passed
        How many test functions passed.
    remarks
        What happened besides: code that ends its process, changes the libraries, and the like.
    """

    points: float
    failed: list[str]
    passed: int
    remarks: list[str]


def score(question: Question, root: Path = ROOT) -> str:
    """Run the tests of a question; return its points so far and what fails first, in a line."""
    chosen = ["-m", f"{question.id} and not handed_out", *question.tests]
    answered = add_up(question, run_tests(root, chosen))
    line = f"{question.label}: {answered.points:.1f} of {question.points:g} points"
    return f"{line}; first fails: {answered.failed[0]}" if answered.failed else line


def add_up(
    question: Question, outcomes: Iterable[Outcome], remarks: Iterable[str] = ()
) -> Answered:
    """Share the points of a question out over its tests, as its table says."""
    # Of a test function that fails with some of its parameters, the first failure counts.
    functions: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        place = (outcome.file, outcome.function)
        if place not in functions or functions[place].passed:
            functions[place] = outcome
    points = 0.0
    for file, share in question.tests.items():
        passed = [outcome.passed for outcome in functions.values() if outcome.file == file]
        if passed:
            points += share * sum(passed) / len(passed)
    failed = [str(outcome) for outcome in functions.values() if not outcome.passed]
    return Answered(points, failed, len(functions) - len(failed), list(remarks))
