"""How the tests of a project ended, in words and without a traceback."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How one test ended.

    Attributes
    ----------
    file
        The test file, relative to the project.
    function
        The name of the test function, the same for each of its parameters; empty if the file
        cannot be imported.
    passed
        Whether it passed. A test that was skipped has no outcome.
    says
        What the test holds: its name and the first line of its docstring as sentences.
    reason
        Why it failed, in a line; empty if a comparison did not hold, which ``says`` tells better.
    markers
        The names of its markers.
    """

    file: str
    function: str
    passed: bool
    says: str
    reason: str
    markers: list[str]

    def __str__(self) -> str:
        """Say what the test holds, and why it failed."""
        return f"{self.says}; {self.reason}" if self.reason else self.says


def run_module(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m`` in a project, with the packages of that project, wherever it lies."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def run_tests(root: Path, arguments: Sequence[str]) -> list[Outcome]:
    """Run pytest in a project, in a process of its own.

    Raises
    ------
    RuntimeError
        If pytest is not installed, or no test ended.
    """
    if importlib.util.find_spec("pytest") is None:
        raise RuntimeError('the tests need pytest: python -m pip install -e ".[test]"')
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes"
        options = ("-q", "-p", "coursework.course.plugin", "--outcomes", str(file))
        done = run_module(root, "pytest", *options, *arguments)
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    if not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise RuntimeError(f"no test was run in {root}; pytest said: {said[-1]}")
    return [Outcome(**json.loads(line)["outcome"]) for line in lines]
