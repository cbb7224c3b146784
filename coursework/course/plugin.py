"""A plugin of pytest, ``-p coursework.course.plugin``, that writes down how each test ended.

``--outcomes FILE`` names the file: a message of `Reporter` a line, as JSON.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from coursework.course.outcomes import Outcome

Send = Callable[[dict[str, Any]], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption("--outcomes", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to write; a process that dies loses one line at most."""
    file = config.getoption("outcomes").open("w", buffering=1, encoding="utf-8")
    reporter = Reporter(lambda message: print(json.dumps(message), file=file))
    config.pluginmanager.register(reporter, "outcomes-writer")


class Reporter:
    """Sends the outcome of each test, as soon as it has ended, and of each file that is broken."""

    def __init__(self, send: Send) -> None:
        self.send = send

    def judge(self, outcome: Outcome, call: pytest.CallInfo[None]) -> Outcome:
        """Return the outcome to send."""
        return outcome

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send how a test ended."""
        report = yield
        # A test that fails in its preparation is not called.
        if report.failed or (report.when == "call" and report.passed):
            error = call.excinfo.value if report.failed and call.excinfo else None
            outcome = Outcome(
                file=item.location[0],
                function=getattr(item, "originalname", item.name),
                passed=not report.failed,
                says=_sentences(item),
                reason=_reason(error),
                markers=[marker.name for marker in item.iter_markers()],
            )
            self.send({"outcome": asdict(self.judge(outcome, call)), "test": item.nodeid})
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Send that a test file cannot be imported."""
        if report.failed:
            last = str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip()
            outcome = Outcome(report.nodeid, "", False, "the tests cannot begin", last[:200], [])
            self.send({"outcome": asdict(outcome), "test": report.nodeid})


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
