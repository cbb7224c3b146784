"""How far a homework has come: the points of each question so far, and what to mend first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coursework.course.outcomes import Outcome, run_tests
from coursework.course.questions import Question
from coursework.profiles import ROOT


@dataclass(frozen=True)
class Score:
    """The points of a question.

    Attributes
    ----------
    question
        The question.
    points
        Those reached; a test function counts if it passes with all of its parameters.
    first
        The first test that failed; ``None`` if all passed.
    """

    question: Question
    points: float
    first: Outcome | None

    def __str__(self) -> str:
        line = f"{self.question.label}: {self.points:.1f} of {self.question.points:g} points"
        if self.first is None:
            return line
        line += f"; first fails: {self.first.says}"
        return f"{line}; {self.first.reason}" if self.first.reason else line


def score(question: Question, root: Path = ROOT) -> Score:
    """Run the tests of a question, and add up its points."""
    chosen = ["-m", f"{question.id} and not handed_out", *question.tests]
    return add_up(question, run_tests(root, chosen))


def add_up(question: Question, outcomes: Iterable[Outcome]) -> Score:
    """Share the points of a question out over its tests, as its table says."""
    points, first = 0.0, None
    outcomes = list(outcomes)
    for file, share in question.tests.items():
        functions: dict[str, bool] = {}
        for outcome in outcomes:
            if outcome.file == file:
                so_far = functions.get(outcome.function, True)
                functions[outcome.function] = so_far and outcome.passed
                first = first if first or outcome.passed else outcome
        if functions:
            points += share * sum(functions.values()) / len(functions)
    return Score(question, points, first)
