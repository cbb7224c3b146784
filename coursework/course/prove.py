"""The proof that the students' version works: it installs, and fails where an answer is missing."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from coursework.course.outcomes import run_module, run_tests
from coursework.course.questions import Question, load_questions
from coursework.course.release import answers_by_file, prose_by_file
from coursework.profiles import ROOT


class ProofError(RuntimeError):
    """The students' version does not do what it should; the message lists what."""


def prove(
    folder: Path, root: Path = ROOT, report: Callable[[str], None] = lambda line: None
) -> None:
    """Try a students' version in a copy of its own; it takes some minutes.

    It installs. Its notebooks run until the first question and name it there. The tests that fail
    are those with the marker of a question and without the marker ``handed_out``. Once the answers
    are copied back, every file of the course is as it was, and these tests pass.

    Parameters
    ----------
    folder
        What `coursework.course.release.release` wrote.
    root
        The checkout that it was made from.
    report
        Called with a line after each step.

    Raises
    ------
    ProofError
        If a step does not end as it should.
    """
    questions = load_questions(root)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        copy = Path(place) / "students"
        shutil.copytree(folder, copy)
        _install(copy, Path(place) / "installed")
        report("it installs")
        answered_in_words = prose_by_file(root, questions.values())
        for notebook in answered_in_words:
            report(f"{notebook} stops with {_run_until_first_question(copy, notebook, questions)}")
        report(
            f"{_prove_failures(copy, questions)} tests fail, those of the questions and no other"
        )
        for path in (*answers_by_file(root, questions.values()), *answered_in_words):
            shutil.copyfile(root / path, copy / path)
        report(f"with the answers copied back, all {_prove_passes(copy, questions)} tests pass")


def _install(project: Path, target: Path) -> None:
    """Install the packages of a project, without the libraries that they need."""
    options = ("--quiet", "--no-deps", "--target", str(target))
    done = run_module(project, "pip", "install", *options, ".")
    if done.returncode:
        raise ProofError(f"the students' version does not install:\n{done.stderr.strip()}")
    shutil.rmtree(project / "build", ignore_errors=True)


def _run_until_first_question(project: Path, notebook: Path, questions: dict[str, Question]) -> str:
    """Run a notebook, and return the message of the first function that is not written."""
    homework = notebook.stem.partition("_")[0]
    first = next(q for q in questions.values() if q.homework == homework)
    said = run_module(project, "coursework", "run", str(notebook)).stderr
    messages = [f"{first.name}: {answer.partition(':')[2]}" for answer in first.answers]
    for message in messages:
        if f"failed with NotImplementedError: {message};" in said:
            return message
    raise ProofError(
        f"{notebook} should stop at {' or '.join(messages)}, but ended so:\n{said.strip()}"
    )


def _prove_failures(project: Path, questions: dict[str, Question]) -> int:
    """Run all tests that may need an answer; return how many failed, if these are the right ones.

    The tests of ``coursework``, which knows no homework, are those of the checkout.
    """
    homeworks = sorted({question.homework for question in questions.values()})
    outcomes = run_tests(project, ["tests", *homeworks, "--ignore=tests/coursework"])
    wrong = set()
    for outcome in outcomes:
        needs_answer = (
            not questions.keys().isdisjoint(outcome.markers) and "handed_out" not in outcome.markers
        )
        if outcome.passed == needs_answer:
            end = "passes without an answer" if outcome.passed else f"fails: {outcome.reason}"
            wrong.add(f"{outcome.file}::{outcome.function} {end}")
    if wrong:
        listed = "\n".join(f"  - {line}" for line in sorted(wrong))
        raise ProofError(
            "not exactly the tests of the questions fail in the students' version; mark those that "
            f"pass as handed_out, the others as of their question:\n{listed}"
        )
    return sum(not outcome.passed for outcome in outcomes)


def _prove_passes(project: Path, questions: dict[str, Question]) -> int:
    """Run the tests that give points; return how many there are, if all pass."""
    files = [file for question in questions.values() for file in question.tests]
    outcomes = run_tests(project, ["-m", "not handed_out", *files])
    wrong = [f"{o.file}::{o.function}: {o}" for o in outcomes if not o.passed]
    if wrong:
        listed = "\n".join(f"  - {line}" for line in wrong)
        raise ProofError(f"with the answers copied back, tests fail:\n{listed}")
    return len(outcomes)
