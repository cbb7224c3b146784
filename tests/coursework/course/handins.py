"""Make hand-ins whose grades are known, and compare them with the grades that they got.

``python -m tests.coursework.course.handins FOLDER`` writes a hundred zips, each with one mistake of
`traps` for each of its questions, or one attack, or none; ``coursework grade FOLDER`` grades them;
and the first command with ``grades.csv`` behind the folder prints a table, mistake by mistake.
"""

import argparse
import csv
import hashlib
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursework.course.questions import load_questions
from coursework.handin import write_bundle
from coursework.pdf import export_pdf
from tests.coursework.course.traps import HOSTILE, TRAPS, Trap

NAMES = {"hw3": "hw3_dnn", "hw4": "hw4_cnn"}


def right_handin(homework: str, folder: Path) -> Path:
    """Write a hand-in with the right answers and a small notebook."""
    imports = {
        f"import {answer.partition(':')[0]}": None
        for question in load_questions().values()
        if question.homework == homework
        for answer in question.answers
    }
    cell = new_code_cell("\n".join(imports), execution_count=1)
    notebook = new_notebook(cells=[new_markdown_cell(f"# {homework}"), cell])
    path = folder / f"{NAMES[homework]}.ipynb"
    nbformat.write(notebook, path)
    pages = export_pdf(path, path.with_suffix(".pdf")).pages
    facts = {"homework": NAMES[homework], "identity": {}, "pages": pages}
    return write_bundle(folder / f"{homework}.zip", path, path.with_suffix(".pdf"), facts)


def changed_handin(
    right: Path,
    target: Path,
    *,
    traps: Iterable[Trap] = (),
    facts: Mapping[str, object] | None = None,
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write a hand-in like another one, with mistakes, other facts or more files."""
    with zipfile.ZipFile(right) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content.pop("manifest.json")) | dict(facts or {})
    for trap in traps:
        content[trap.path] = trap.applied(content[trap.path].decode()).encode()
    content |= {name: text.encode() for name, text in (extra or {}).items()}
    manifest["files"] = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in content.items()
    }
    content["manifest.json"] = json.dumps(manifest).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return target


def identity(number: int, course: str = "Deep Learning") -> dict[str, object]:
    who = {"name": f"Student {number}", "student_id": f"{number:04}", "course": course}
    return {"identity": {**who, "due_date": ""}}


def main(folder: Path) -> None:
    """Write the zips, and ``known.csv``: for each, the mistakes by question."""
    folder.mkdir(parents=True)
    base = folder.with_name(f"{folder.name}-right")
    base.mkdir()
    right = {homework: right_handin(homework, base) for homework in NAMES}
    waiting: dict[str, list[Trap]] = defaultdict(list)
    for trap in TRAPS:
        waiting[trap.question].append(trap)
    planned: list[tuple[str, list[Trap]]] = [("hw3", []), ("hw4", [])]
    while any(waiting.values()):
        for homework in NAMES:
            queues = [queue for name, queue in waiting.items() if name.startswith(homework)]
            if any(queues):
                planned.append((homework, [queue.pop(0) for queue in queues if queue]))
    repeated = [trap for trap in TRAPS if trap.question.startswith("hw3")]
    planned += [("hw3", [trap]) for trap in repeated[: 100 - len(planned) - len(HOSTILE)]]
    planned += [("hw3", [trap]) for trap in HOSTILE]
    with open(folder.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        known = csv.writer(file)
        known.writerow(["file", "question", "mistake"])
        for number, (homework, traps) in enumerate(planned):
            target = folder / f"student_{number:03}" / f"{homework}_submission.zip"
            changed_handin(right[homework], target, traps=traps, facts=identity(number))
            for trap in traps:
                known.writerow([target.relative_to(folder), trap.question, trap.name])
    print(f"{len(planned)} hand-ins, {len(TRAPS)} mistakes, {len(HOSTILE)} attacks")


def compare(folder: Path, grades: Path) -> int:
    """Print what each mistake cost; return how many grades are not what they should be."""
    questions = load_questions()
    with grades.open(newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    with folder.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        known = list(csv.DictReader(file))
    wrong = 0
    expected_loss = defaultdict(set)
    for entry in known:
        row, question = rows[entry["file"]], questions[entry["question"]]
        expected_loss[entry["file"]].add(question.id)
        lost = question.points - float(row[question.id] or 0)
        attack = any(trap.name == entry["mistake"] for trap in HOSTILE)
        caught = "attack" if attack else "caught" if lost > 0 else "MISSED"
        wrong += caught == "MISSED"
        cost = f"{lost:.2f} of {question.points:g}"
        print(f"| {question.id} | {entry['mistake']} | {cost} | {caught} |")
    for name, row in rows.items():
        for question in questions.values():
            is_right = question.id not in expected_loss[name]
            if is_right and row[question.id] and float(row[question.id]) != question.points:
                wrong += 1
                print(f"{name}: {row[question.id]} in {question.id}, whose answers are right")
    print(f"{len(known)} mistakes and attacks, {wrong} grades are not what they should be")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m tests.coursework.course.handins")
    parser.add_argument("folder", type=Path, help="of the zips")
    parser.add_argument("grades", type=Path, nargs="?", help="what they got")
    chosen = parser.parse_args()
    if chosen.grades:
        sys.exit(compare(chosen.folder, chosen.grades) > 0)
    main(chosen.folder)
