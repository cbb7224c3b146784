"""The points of a question for code of a stranger: its tests, run in a box, test by test."""

import json
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursework.course.gradebook import Answered
from coursework.course.outcomes import Outcome, outcome_from
from coursework.course.questions import Question
from coursework.course.release import answers_by_file, blank_files
from coursework.course.sandbox import Bounds, Ended, Place, open_box, run
from coursework.course.score import add_up
from coursework.course.witness import signer

LONGEST = 300.0
"""Seconds for a question in all: after a test that ends its process, others run in a new one."""

_PATIENCE = 10.0  # times as long as the course's own answers, and so many seconds more
_BEGINNING = 300.0  # seconds until the first test, in which libraries are imported


class CourseError(ValueError):
    """The course's own answers do not pass its tests, so that nothing can be graded by them."""


@dataclass(frozen=True)
class Expected:
    """What the tests of a question do with the course's own answers.

    Attributes
    ----------
    tests
        From each test to its outcome.
    seconds
        How long each test took.
    free
        What changes in the libraries meanwhile, by no fault of an answer.
    """

    tests: Mapping[str, Outcome]
    seconds: Mapping[str, float]
    free: Sequence[str]


def lay_out(questions: Iterable[Question], root: Path, folder: Path) -> None:
    """Write a clean copy of a course, in which the answers to some questions are missing.

    The others are there: a mistake costs the points of its own question and of no other.
    """
    for path, content in blank_files(root, questions).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def expect(question: Question, copy: Path, root: Path) -> Expected:
    """Run the tests of a question on the course's own answers.

    Raises
    ------
    CourseError
        If one of them fails: no hand-in could pass it here.
    """
    files = {path: (root / path).read_bytes() for path in answers_by_file(root, [question])}
    heard = _run_all(question, copy, files, Place(root), None)
    failed = [outcome for outcome in heard.outcomes.values() if not outcome.passed]
    if failed or not heard.finished:
        listed = "\n".join(f"  - {o.file}::{o.function}: {o.reason or o.says}" for o in failed)
        raise CourseError(
            f"{question.label}: tests fail on the course's own answers in a box, so nothing can "
            f"be graded by them:\n{listed or heard.remarks}"
        )
    return Expected(heard.outcomes, heard.seconds, sorted(heard.changed))


def mark(
    question: Question,
    copy: Path,
    files: Mapping[Path, bytes],
    place: Place,
    expected: Expected,
) -> tuple[Answered, list[str]]:
    """Run the tests of a question on the answers of a student.

    Parameters
    ----------
    question
        The question.
    copy
        What `lay_out` wrote.
    files
        The modules that answer it, by their paths. One that is missing stays unanswered.
    place
        What the code sees of the machine.
    expected
        From `expect`. A test without an outcome, also a skipped one, has failed.

    Returns
    -------
    Answered, list of str
        What was reached, and what happened besides: code that ends its process, changes the
        libraries, and the like.
    """
    heard = _run_all(question, copy, files, place, expected)
    reached = []
    for name, right in expected.tests.items():
        outcome = heard.outcomes.get(name)
        if outcome is None:
            reason = heard.broken or "it has no result: the code ended or skipped it"
            outcome = Outcome(right.file, right.function, False, right.says, reason, right.markers)
        reached.append(outcome)
    return _answered(question, reached), list(dict.fromkeys(heard.remarks))


def _answered(question: Question, outcomes: Iterable[Outcome]) -> Answered:
    """Add up the points; of a test function that failed with some parameters, say it once."""
    outcomes = list(outcomes)
    functions: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        place = (outcome.file, outcome.function)
        if place not in functions or functions[place].passed:
            functions[place] = outcome
    failed = [outcome for outcome in functions.values() if not outcome.passed]
    lines = [f"{o.says}; {o.reason}" if o.reason else o.says for o in failed]
    return Answered(add_up(question, outcomes).points, tuple(lines), len(functions) - len(failed))


@dataclass
class _Heard:
    """What the witness has reported so far."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    finished: bool = False
    broken: str = ""
    running: str = ""
    began: float = 0.0

    def listener(self, key: bytes, expected: Expected | None) -> Callable[[bytes], float | None]:
        """Return a function that takes the lines of one process."""
        sign, number = signer(key), 0

        def hear(line: bytes) -> float | None:
            nonlocal number
            signature, _, text = line.partition(b" ")
            if not secrets.compare_digest(signature, sign(number, text)):
                self.remarks.append("the code wrote to the channel of the results")
                return None
            number += 1
            return self._take(json.loads(text), expected)

        return hear

    def _take(self, message: dict[str, Any], expected: Expected | None) -> float | None:
        if "begin" in message:
            self.running, self.began = message["begin"], time.monotonic()
            usual = expected.seconds.get(self.running, 0.0) if expected else _BEGINNING
            return _PATIENCE * (1 + usual)
        if "outcome" in message:
            outcome = outcome_from(message["outcome"])
            before = self.outcomes.get(message["test"])
            if before is None or before.passed:
                self.outcomes[message["test"]] = outcome
            if not outcome.function:
                self.broken = f"the tests cannot begin: {outcome.reason}"
        if "end" in message:
            self.seconds[self.running] = time.monotonic() - self.began
            self.running = ""
            return _BEGINNING
        if "changed" in message:
            new = [name for name in message["changed"] if name not in self.changed]
            self.changed.update(new)
            if new:
                names = ", ".join(new[:5]) + (" and others" if len(new) > 5 else "")
                self.remarks.append(f"the code changes {names}, which was put back")
        if "finished" in message:
            # With a test still running, the code has ended the session and not only the test.
            self.finished = not self.running
            return 0.0 if self.finished else None
        return None


def _run_all(
    question: Question,
    copy: Path,
    files: Mapping[Path, bytes],
    place: Place,
    expected: Expected | None,
) -> _Heard:
    """Run all tests of a question; go on in a new process after a test that ends its own."""
    heard = _Heard()
    deadline = time.monotonic() + LONGEST
    while (left := deadline - time.monotonic()) > 0:
        ended = _run_once(question, copy, files, place, expected, heard, Bounds(seconds=left))
        if heard.finished:
            break
        why = ended.reason or _exit_in_words(ended.code)
        if not heard.running:
            # Nothing was tested, so another start would end in the same way.
            last = ended.output.strip().splitlines()[-1:] if not ended.reason else []
            heard.broken = ": ".join(["the tests cannot begin", why, *last])[:300]
            heard.remarks.append(heard.broken)
            break
        heard.remarks.append(f"the code {why} in {heard.running.rpartition('::')[2]}")
        if expected is None:
            break
        right = expected.tests.get(heard.running)
        if right is not None:
            heard.outcomes[heard.running] = Outcome(
                right.file, right.function, False, right.says, f"the code {why}", right.markers
            )
        heard.seconds[heard.running] = 0.0
        heard.running = ""
    else:
        heard.broken = f"not tested, since the tests before took {LONGEST / 60:.0f} minutes"
    return heard


def _run_once(
    question: Question,
    copy: Path,
    files: Mapping[Path, bytes],
    place: Place,
    expected: Expected | None,
    heard: _Heard,
    bounds: Bounds,
) -> Ended:
    key = secrets.token_bytes(32)
    packages = sorted(path.name for path in copy.iterdir() if (path / "__init__.py").is_file())
    told = {
        "key": key.hex(),
        "done": sorted(heard.seconds),
        "strange": [*packages, "tests"],
        "free": None if expected is None else list(expected.free),
    }
    plugins = ["-p", "coursework.course.witness", "-p", "no:cacheprovider"]
    options = ["-q", "--capture=no", "--tb=no", "--witness", "{channel}"]
    chosen = ["-m", f"{question.id} and not handed_out", *question.tests]
    with open_box() as box:
        shutil.copytree(copy, box.project, dirs_exist_ok=True)
        for path, content in files.items():
            (box.project / path).write_bytes(content)
        return run(
            [sys.executable, "-m", "pytest", *plugins, *options, *chosen],
            box,
            place,
            bounds,
            told=json.dumps(told).encode() + b"\n",
            hear=heard.listener(key, expected),
        )


def _exit_in_words(code: int) -> str:
    return f"ended its process (exit code {code})"
