"""The points of a question for code of a stranger: its tests, run in a box, test by test."""

import json
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coursework.course.outcomes import Outcome
from coursework.course.questions import Question
from coursework.course.release import answers_by_file, blank_files, write_files
from coursework.course.sandbox import Bounds, Ended, Place, open_box, run
from coursework.course.score import Answered, add_up
from coursework.course.witness import signer

_LONGEST = 300.0  # seconds for a question in all, however many processes its tests need
_PATIENCE = 10.0  # times as long as the course's own answers, and so many seconds more
_BEGINNING = 300.0  # seconds until the first test, in which libraries are imported


class CourseError(ValueError):
    """The course's own answers do not pass its tests, so that nothing can be graded by them."""


@dataclass(frozen=True)
class Expected:
    """What the tests of a question do with the course's own answers."""

    tests: Mapping[str, Outcome]
    seconds: Mapping[str, float]  # how long each test took
    free: Sequence[str]  # what changes in the libraries meanwhile, by no fault of an answer


def lay_out(questions: Iterable[Question], root: Path, folder: Path) -> None:
    """Write a clean copy of a course, in which the answers to some questions are missing.

    The others are there: a mistake costs the points of its own question and of no other.
    """
    write_files(blank_files(root, questions), folder)


def expect(question: Question, copy: Path, root: Path) -> Expected:
    """Run the tests of a question on the course's own answers.

    Raises
    ------
    CourseError
        If one of them fails: no hand-in could pass it here.
    """
    files = {path: (root / path).read_bytes() for path in answers_by_file(root, [question])}
    trial = _Trial(question, copy, files, Place(root), None)
    trial.run()
    failed = [outcome for outcome in trial.outcomes.values() if not outcome.passed]
    if failed or not trial.finished:
        listed = "\n".join(f"  - {o.file}::{o.function}: {o.reason or o.says}" for o in failed)
        raise CourseError(
            f"{question.label}: tests fail on the course's own answers in a box, so nothing can "
            f"be graded by them:\n{listed or trial.remarks}"
        )
    return Expected(trial.outcomes, trial.seconds, sorted(trial.changed))


def mark(
    question: Question,
    copy: Path,
    files: Mapping[Path, bytes],
    place: Place,
    expected: Expected,
) -> Answered:
    """Run the tests of a question on the answers of a student.

    The answers are ``files``, which are laid over a ``copy`` that `lay_out` wrote; one that is
    missing stays unanswered. A test of which there is no outcome, also a skipped one, has failed.
    """
    trial = _Trial(question, copy, files, place, expected)
    trial.run()
    reason = trial.broken or "it has no result: the code ended or skipped it"
    reached = [
        trial.outcomes.get(name) or replace(right, passed=False, reason=reason)
        for name, right in expected.tests.items()
    ]
    return add_up(question, reached, dict.fromkeys(trial.remarks))


@dataclass
class _Trial:
    """The tests of a question on some answers, and what the witness has reported of them."""

    question: Question
    copy: Path
    files: Mapping[Path, bytes]
    place: Place
    expected: Expected | None  # None for the course's own answers

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    finished: bool = False
    broken: str = ""
    running: str = ""
    began: float = 0.0

    def run(self) -> None:
        """Run all tests; go on in a new process after a test that ends its own."""
        deadline = time.monotonic() + _LONGEST
        while (left := deadline - time.monotonic()) > 0:
            ended = self._run_once(Bounds(seconds=left))
            if self.finished:
                return
            why = ended.reason or f"ended its process (exit code {ended.code})"
            if not self.running:
                # Nothing was tested, so another start would end in the same way.
                last = ended.output.strip().splitlines()[-1:] if not ended.reason else []
                self.broken = ": ".join(["the tests cannot begin", why, *last])[:300]
                self.remarks.append(self.broken)
                return
            self.remarks.append(f"the code {why} in {self.running.rpartition('::')[2]}")
            if self.expected is None:
                return
            right = self.expected.tests.get(self.running)
            if right is not None:
                self.outcomes[self.running] = replace(right, passed=False, reason=f"the code {why}")
            self.seconds[self.running] = 0.0
            self.running = ""
        self.broken = f"not tested, since the tests before took {_LONGEST / 60:.0f} minutes"

    def _run_once(self, bounds: Bounds) -> Ended:
        """Run the tests that have not ended yet, in a process of their own."""
        key = secrets.token_bytes(32)
        packages = [path.name for path in self.copy.iterdir() if (path / "__init__.py").is_file()]
        told = {
            "key": key.hex(),
            "done": list(self.seconds),
            "strange": [*packages, "tests"],
            "free": None if self.expected is None else list(self.expected.free),
        }
        plugins = ["-p", "coursework.course.witness", "-p", "no:cacheprovider"]
        options = ["-q", "--capture=no", "--tb=no", "--witness", "{channel}"]
        chosen = ["-m", f"{self.question.id} and not handed_out", *self.question.tests]
        with open_box() as box:
            shutil.copytree(self.copy, box.project, dirs_exist_ok=True)
            for path, content in self.files.items():
                (box.project / path).write_bytes(content)
            return run(
                [sys.executable, "-m", "pytest", *plugins, *options, *chosen],
                box,
                self.place,
                bounds,
                told=json.dumps(told).encode() + b"\n",
                hear=self._listener(key),
            )

    def _listener(self, key: bytes) -> Callable[[bytes], float | None]:
        """Return a function that takes the lines of one process."""
        sign, number = signer(key), 0

        def hear(line: bytes) -> float | None:
            nonlocal number
            signature, _, text = line.partition(b" ")
            if not secrets.compare_digest(signature, sign(number, text)):
                self.remarks.append("the code wrote to the channel of the results")
                return None
            number += 1
            return self._take(json.loads(text))

        return hear

    def _take(self, message: dict[str, Any]) -> float | None:
        """Note a message; return the seconds that the process has from now on, if they change."""
        if "begin" in message:
            self.running, self.began = message["begin"], time.monotonic()
            usual = self.expected.seconds.get(self.running, 0.0) if self.expected else _BEGINNING
            return _PATIENCE * (1 + usual)
        if "outcome" in message:
            outcome = Outcome(**message["outcome"])
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
