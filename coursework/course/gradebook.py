"""The result of a hand-in, and how it is told: a row, a report, and what Gradescope reads."""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coursework.course.questions import Question
from coursework.course.score import Answered
from coursework.storage import atomic_path


@dataclass(frozen=True)
class Result:
    """The result of one hand-in.

    Attributes
    ----------
    file
        Its zip, relative to the folder of all hand-ins.
    sha256, course
        Checksums of the zip and of the course that it was graded with.
    name, student_id, homework
        As its manifest says.
    answered
        From the id of a question to what was reached; empty if the hand-in could not be graded.
    remarks
        What a teacher should know.
    seconds
        How long it took to grade.
    """

    file: str
    sha256: str
    course: str
    name: str = ""
    student_id: str = ""
    homework: str = ""
    answered: Mapping[str, Answered] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> float:
        """The points of all questions."""
        return sum(answer.points for answer in self.answered.values())

    @property
    def student(self) -> str:
        """Whose it is: the ID, or the name where there is no ID."""
        return self.student_id.strip().casefold() or self.name.strip().casefold()


def save(result: Any, path: Path) -> None:
    """Write a dataclass as JSON; a reader finds all of it or nothing."""
    _write(path, json.dumps(asdict(result), indent=1))


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def load(path: Path) -> Result | None:
    """Read a `Result`; ``None`` if there is none, or another version wrote it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        answered = {name: Answered(**entry) for name, entry in content["answered"].items()}
        return Result(**{**content, "answered": answered})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_table(path: Path, rows: Iterable[Result], questions: Mapping[str, Question]) -> None:
    """Write a CSV file with a row for each result."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["name", "id", "file", "homework", *questions, "total", "of", "remarks"])
        for row in rows:
            points = [
                f"{row.answered[name].points:.2f}" if name in row.answered else ""
                for name in questions
            ]
            most = sum(questions[name].points for name in row.answered)
            total = [f"{row.total:.2f}", f"{most:g}"] if row.answered else ["", ""]
            who = map(_cell, (row.name, row.student_id, row.file, row.homework))
            table.writerow([*who, *points, *total, _cell("; ".join(row.remarks))])


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, on one line."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def report(result: Result, questions: Mapping[str, Question]) -> str:
    """Return a report to read, in Markdown."""
    most = sum(questions[name].points for name in result.answered)
    title = f"{result.total:.2f} of {most:g} points" if result.answered else "not graded"
    who = ", ".join(_plain(text) for text in (result.name, result.student_id) if text) or "nobody"
    lines = [f"# {_plain(result.homework) or 'Hand-in'}: {title}", ""]
    lines += [f"Handed in by {who}, in the file {_plain(result.file)}.", ""]
    if result.answered:
        lines += ["| question | points | of | tests passed |", "|:--|--:|--:|--:|"]
        for name, answer in result.answered.items():
            question, tests = questions[name], answer.passed + len(answer.failed)
            lines.append(
                f"| {question.label} | {answer.points:.2f} | {question.points:g} | "
                f"{answer.passed} of {tests} |"
            )
        lines.append("")
    if result.remarks:
        lines += ["## Remarks", "", *(f"- {_plain(remark)}" for remark in result.remarks), ""]
    for name, answer in result.answered.items():
        if answer.failed:
            lines += [f"## {questions[name].label}: what fails", ""]
            lines += [*(f"- {_plain(line)}" for line in answer.failed), ""]
    prose = [questions[name].name for name in result.answered if questions[name].prose]
    if prose:
        lines += [
            f"The answers in words ({', '.join(prose)}) are in the PDF; no test reads them.",
            "",
        ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~$&])", r"\\\1", " ".join(text.split()))


def gradescope(result: Result, questions: Mapping[str, Question]) -> dict[str, Any]:
    """Return a result as Gradescope reads it from ``results.json``."""
    tests = []
    for name, answer in result.answered.items():
        question = questions[name]
        tests.append(
            {
                "name": question.label,
                "number": name,
                "score": round(answer.points, 4),
                "max_score": question.points,
                "status": "failed" if answer.failed else "passed",
                "output": "\n".join(answer.failed),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    return {
        "score": round(result.total, 4),
        "execution_time": round(result.seconds),
        "output": "\n".join(result.remarks),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def write_reports(result: Result, folder: Path, questions: Mapping[str, Question]) -> None:
    """Write ``report.md`` and ``results.json`` of a result."""
    _write(folder / "report.md", report(result, questions))
    _write(folder / "results.json", json.dumps(gradescope(result, questions), indent=1))
