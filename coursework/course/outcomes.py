"""How the tests of a project ended, in words and without a traceback."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    markers: tuple[str, ...]


def outcome_from(entry: Mapping[str, Any]) -> Outcome:
    """Return what JSON keeps of an `Outcome`."""
    return Outcome(**{**entry, "markers": tuple(entry["markers"])})


def environment(root: Path) -> dict[str, str]:
    """Return an environment whose processes import the packages of a project, wherever it lies."""
    return {**os.environ, "PYTHONPATH": str(root)}


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
        command = [sys.executable, "-m", "pytest", "-q", "-p", "coursework.course.plugin"]
        done = subprocess.run(
            [*command, "--outcomes", str(file), *arguments],
            cwd=root,
            env=environment(root),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    if not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise RuntimeError(f"no test was run in {root}; pytest said: {said[-1]}")
    return [outcome_from(json.loads(line)) for line in lines]
