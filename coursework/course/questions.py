"""The table of the questions in ``pyproject.toml``: what answers each, and what it is worth."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from coursework.profiles import ROOT


@dataclass(frozen=True)
class Question:
    """One question of a homework, as its table in ``pyproject.toml`` describes it.

    Attributes
    ----------
    id
        The name of its table, which is also the pytest marker of its tests: ``hw3_q2``.
    homework
        The homework it belongs to: ``hw3``.
    name, title
        ``Question 2`` and ``multinomial logistic regression``.
    points
        What it is worth.
    answers
        The functions that answer it, each as ``module:function`` or ``module:Class.method``.
    prose
        The ids of the notebook cells that answer it in words.
    tests
        From a test file, relative to the project's folder, to its share of the points. The shares
        of a question add up to its points. Within a file every test function counts as much,
        except those with the marker ``handed_out``, which pass without any answer.
    """

    id: str
    homework: str
    name: str
    title: str
    points: float
    answers: list[str]
    prose: list[str]
    tests: Mapping[str, float]

    @property
    def label(self) -> str:
        """The name and the title, as a reader sees them."""
        return f"{self.name}, {self.title}"

    @property
    def functions(self) -> dict[Path, list[str]]:
        """The modules that answer it, relative to the project, with the names of the functions."""
        files: dict[Path, list[str]] = {}
        for answer in self.answers:
            module, _, name = answer.partition(":")
            files.setdefault(Path(*module.split(".")).with_suffix(".py"), []).append(name)
        return files


def load_questions(root: Path = ROOT) -> dict[str, Question]:
    """Read the questions of a project, by their ids in the order of the table.

    Raises
    ------
    FileNotFoundError
        If the folder has no ``pyproject.toml``.
    ValueError
        If the file has no such table, or an entry of it is not as `Question` describes it.
    """
    path = root / "pyproject.toml"
    if not path.is_file():
        raise FileNotFoundError(f"{root} has no pyproject.toml, so it is no checkout of a course")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    table = content.get("tool", {}).get("coursework", {}).get("questions")
    if not isinstance(table, dict) or not table:
        raise ValueError(
            f"{path} has no table [tool.coursework.questions], which lists the questions of the "
            "course"
        )
    return {
        name: _question(f"{path}, question {name}", name, entry) for name, entry in table.items()
    }


def _question(place: str, name: str, entry: Any) -> Question:
    """Check one entry of the table; ``place`` begins each message."""
    expected = {field.name for field in fields(Question)} - {"id"}
    found = set(entry) if isinstance(entry, dict) else set()
    if found != expected:
        raise ValueError(
            f"{place}: found the fields {', '.join(sorted(found)) or 'none'}, expected "
            f"{', '.join(sorted(expected))}"
        )
    for field in ("homework", "name", "title"):
        if not isinstance(entry[field], str) or not entry[field]:
            raise ValueError(f"{place}: {field} is {entry[field]!r}, expected a text")
    for field in ("answers", "prose"):
        value = entry[field]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{place}: {field} is {value!r}, expected a list of texts")
    for answer in entry["answers"]:
        module, colon, function = answer.partition(":")
        if not colon or not all(part.isidentifier() for part in f"{module}.{function}".split(".")):
            raise ValueError(
                f"{place}: the answer {answer!r} is neither module:function nor module:Class.method"
            )
    tests = entry["tests"]
    if not isinstance(tests, dict) or not tests:
        raise ValueError(f"{place}: tests is {tests!r}, expected a number for each test file")
    for field, number in {"points": entry["points"], **tests}.items():
        if type(number) not in (int, float) or not 0 < number < float("inf"):
            raise ValueError(f"{place}: {field} is {number!r}, expected a positive number")
    scale = entry["points"] / sum(tests.values())
    tests = {file: scale * share for file, share in tests.items()}
    return Question(**{**entry, "id": name, "tests": tests})
