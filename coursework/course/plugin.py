"""A plugin of pytest, ``-p coursework.course.plugin``, that writes down how each test ended.

``--outcomes FILE`` names the file: JSON, a `coursework.course.outcomes.Outcome` a line.
"""

import json
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path

import pytest

from coursework.course.outcomes import Outcome


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption("--outcomes", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to write."""
    config.pluginmanager.register(_Writer(config.getoption("outcomes")), "outcomes-writer")


class _Writer:
    """Writes a line as soon as a test has ended, so that a process that dies loses one at most."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8")

    def write(self, outcome: Outcome) -> None:
        self.file.write(json.dumps(asdict(outcome)) + "\n")
        self.file.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        outcome = outcome_of(item, call, report)
        if outcome:
            self.write(outcome)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.write(broken_file(report))


def outcome_of(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> Outcome | None:
    """Return how a test ended; ``None`` if this part of it decides nothing."""
    # A test that fails in its preparation is not called.
    if not (report.failed or (report.when == "call" and report.passed)):
        return None
    error = call.excinfo.value if report.failed and call.excinfo else None
    return Outcome(
        file=item.location[0],
        function=getattr(item, "originalname", item.name),
        passed=not report.failed,
        says=_sentences(item),
        reason=_reason(error),
        markers=tuple(marker.name for marker in item.iter_markers()),
    )


def broken_file(report: pytest.CollectReport) -> Outcome:
    """Return the outcome of a test file that cannot be imported."""
    last = str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip()
    return Outcome(report.nodeid, "", False, "the tests cannot begin", last[:200], ())


def _sentences(item: pytest.Item) -> str:
    """Return the name of a test as a sentence, and the first line of its docstring."""
    name = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
    documentation = getattr(getattr(item, "function", None), "__doc__", None) or ""
    first = documentation.strip().partition("\n")[0]
    return f"{name} ({first})" if first else name


def _reason(error: BaseException | None) -> str:
    if error is None or isinstance(error, AssertionError):
        return ""
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, NotImplementedError):
        return f"{first} is not written yet"
    return f"{type(error).__name__}: {first}"[:200]
