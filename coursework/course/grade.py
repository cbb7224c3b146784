"""Grade a folder of hand-ins: each by itself, side by side, and on from where it was stopped."""

import hashlib
import json
import shutil
import sys
import time
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib

from coursework.course.claims import differences, figures_table, settings_of
from coursework.course.gradebook import Result, load, save, write_reports, write_table
from coursework.course.marks import CourseError, Expected, expect, lay_out, mark
from coursework.course.outcomes import Outcome
from coursework.course.questions import Question, load_questions
from coursework.course.reading import Read
from coursework.course.release import answers_by_file, blank_files
from coursework.course.sandbox import (
    Bounds,
    Box,
    Place,
    find_walls,
    open_box,
    remove_left_boxes,
    run,
)
from coursework.course.score import Answered
from coursework.identity import load_identity
from coursework.profiles import ROOT
from coursework.side_by_side import in_processes
from coursework.storage import locked, sha256


@dataclass(frozen=True)
class Course:
    """A course as hand-ins are graded with it."""

    root: Path  # its checkout
    version: str
    checksum: str  # of all of its files that have a part in the tests
    name: str  # as ``student.toml`` has it
    questions: Mapping[str, Question]
    handins: Path  # the folder with all of them
    results: Path  # where the results go, with the clean copies of the course

    @property
    def kept(self) -> Path:
        """Where everything lies that is the same for many hand-ins."""
        return self.results / ".course" / self.checksum

    @property
    def place(self) -> Place:
        """What the code of a student sees of the machine."""
        return Place(self.root, (self.handins, self.results))

    def folder_of(self, file: str) -> Path:
        """Return the folder with the results of a zip."""
        return self.results / Path(file).with_suffix("")


def grade(
    folder: Path | str,
    output: Path | str,
    root: Path = ROOT,
    *,
    backend: str | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """Grade all zips of a folder and of the folders in it.

    Parameters
    ----------
    folder
        The hand-ins, as `coursework.handin.submit` writes them, under any names.
    output
        The CSV file, ``grades.csv``, with a row for each zip. Beside it, the folder ``grades``
        holds for each of them ``result.json``, ``report.md``, and ``results.json`` for Gradescope.
        A zip whose result is there, of the same course, is not graded again.
    root
        The checkout of the course, with its answers.
    backend
        ``None`` for all cores of this machine; ``"dask"`` or ``"ray"`` for the cluster that the
        environment names. All machines of a cluster have to see ``folder``, ``output`` and
        ``root`` under the same paths.
    report
        Called with lines of progress.

    Returns
    -------
    list of Result
        In the order of the files.

    Raises
    ------
    FileNotFoundError
        If the folder holds no zip, or ``root`` is no checkout of a course.
    coursework.course.marks.CourseError
        If the course's own answers do not pass its tests.
    """
    folder, output = Path(folder).resolve(), Path(output).resolve()
    zips = sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".zip" and p.is_file())
    if not zips:
        raise FileNotFoundError(f"{folder} holds no zip; name the folder with the hand-ins")
    results = output.with_suffix("")
    if results == output:
        raise ValueError(f"{output} has no suffix; name a file such as grades.csv")
    course = _open_course(root.resolve(), folder, results)
    report(str(find_walls()))
    waiting = [path for path in zips if not _done(path, course)]
    if len(waiting) < len(zips):
        report(f"{len(zips) - len(waiting)} of {len(zips)} are graded already")
    began = time.monotonic()
    work = {str(path): partial(_grade_and_save, path, course) for path in waiting}
    try:
        with _machines(backend), closing(in_processes(work, ordered=False)) as graded:
            for number, line in enumerate(graded, 1):
                report(f"{number} of {len(waiting)}: {line}")
    finally:
        remove_left_boxes()  # those of processes that an interrupt has ended
    if waiting:
        minutes = (time.monotonic() - began) / 60
        report(f"{minutes:.1f} minutes, {100 * minutes / len(waiting):.1f} for a hundred")
    rows = [row for path in zips if (row := _done(path, course))]
    _name_doubles(rows)
    for row in rows:
        write_reports(row, course.folder_of(row.file), course.questions)
    write_table(output, rows, course.questions)
    return rows


def _open_course(root: Path, handins: Path, results: Path) -> Course:
    tested = {
        path: content
        for path, content in blank_files(root, []).items()
        if path.suffix not in (".md", ".ipynb")
    }
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Course(
        root=root,
        version=project["version"],
        checksum=_checksum(tested)[:16],
        name=load_identity(root / "student.toml").course,
        questions=load_questions(root),
        handins=handins,
        results=results,
    )


def _checksum(files: Mapping[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path} {len(content)} ".encode() + content)
    return digest.hexdigest()


@contextmanager
def _machines(backend: str | None) -> Iterator[None]:
    """Let joblib use a cluster; without one, it uses the cores of this machine."""
    if backend == "dask":
        from distributed import Client

        with Client(), joblib.parallel_config(backend="dask"):
            yield
    elif backend == "ray":
        from ray.util.joblib import register_ray

        register_ray()
        with joblib.parallel_config(backend="ray"):
            yield
    else:
        yield


def _done(path: Path, course: Course) -> Result | None:
    """Return the result of a zip, if it is there and of this zip and this course."""
    file = path.relative_to(course.handins).as_posix()
    result = load(course.folder_of(file) / "result.json")
    if result is None or (result.sha256, result.course) != (sha256(path), course.checksum):
        return None
    return result


def _grade_and_save(path: Path, course: Course) -> str:
    """Grade one zip in a process of joblib; return a line to show."""
    file = path.relative_to(course.handins).as_posix()
    began = time.monotonic()
    empty = Result(file=file, sha256=sha256(path), course=course.checksum)
    try:
        result = _grade_one(path, empty, course)
    except CourseError:
        raise
    except Exception as error:  # one hand-in, whatever it holds, costs only itself
        reason = f"{type(error).__name__}: {error}"[:300]
        result = replace(empty, remarks=[f"not graded, the grader failed: {reason}"])
    result = replace(result, seconds=time.monotonic() - began)
    save(result, course.folder_of(file) / "result.json")
    told = f"{result.total:.2f} points" if result.answered else "; ".join(result.remarks)
    return f"{file}: {told}"


def _grade_one(path: Path, empty: Result, course: Course) -> Result:
    read = _read(path, course)
    if read.refused:
        return replace(empty, remarks=[f"refused, not graded: {read.refused}"])
    result, known = _describe(read, empty, course)
    if not known:
        return result
    with zipfile.ZipFile(path) as archive:
        files = {
            Path(name): archive.read(name) for name in archive.namelist() if name.endswith(".py")
        }
    remarks = [*result.remarks, *_ignored(files, course, known)]
    answered = {}
    for question in known:
        modules = answers_by_file(course.root, [question])
        own = {module: files[module] for module in modules if module in files}
        missing = [module.as_posix() for module in modules if module not in files]
        answered[question.id] = _marked(question, own, course)
        remarks += [f"{question.name}: {remark}" for remark in answered[question.id].remarks]
        if missing:
            remarks.append(f"{question.name}: not in the zip: {', '.join(missing)}")
    remarks += _false_claims(read.manifest, files, known, course)
    return replace(result, answered=answered, remarks=remarks)


def _read(path: Path, course: Course) -> Read:
    """Read a zip in a box, in which nothing of it is run."""
    with open_box() as box:
        shutil.copytree(ROOT / "coursework", box.project / "coursework")
        shutil.copyfile(path, box.home / "handin.zip")
        (box.home / "handin.zip").chmod(0o644)
        bounds = Bounds(seconds=300, memory=2 * 2**30)
        found, why = _ask("reading", str(box.home / "handin.zip"), box, course, bounds)
    return Read(refused=f"reading it {why[:300]}") if found is None else Read(**json.loads(found))


def _ask(
    program: str, file: str, box: Box, course: Course, bounds: Bounds, told: bytes = b""
) -> tuple[bytes | None, str]:
    """Run a program of this package in a box; return what it found, or why there is nothing."""
    found: list[bytes] = []
    command = [sys.executable, "-m", f"coursework.course.{program}", file, "{channel}"]
    ended = run(command, box, course.place, bounds, told=told, hear=found.append)
    last = (ended.output.strip() or "nothing").splitlines()[-1]
    return next(iter(found), None), ended.reason or f"ended with {last}"


def _describe(read: Read, empty: Result, course: Course) -> tuple[Result, list[Question]]:
    """Return whose a hand-in is, with remarks, and the questions of its homework."""
    manifest = read.manifest
    identity: Any = manifest.get("identity")
    texts = identity if isinstance(identity, dict) else {}
    name, student_id, its_course = (
        str(texts.get(field, ""))[:200] for field in ("name", "student_id", "course")
    )
    homework = str(manifest.get("homework", ""))[:100].partition("_")[0]
    project: Any = manifest.get("project")
    version = project.get("version") if isinstance(project, dict) else None
    remarks = list(read.lost)
    if not name:
        remarks.append("no name in it")
    if not student_id:
        remarks.append("no student ID in it")
    if its_course and course.name and its_course != course.name:
        remarks.append(f"of another course: {its_course!r}, expected {course.name!r}")
    if version != course.version:
        remarks.append(f"made with version {version} of the course, which is {course.version}")
    missing: Any = manifest.get("missing")
    if isinstance(missing, dict) and missing:
        remarks.append(f"handed in as a part, without {', '.join(map(str, missing))}"[:500])
    known = [question for question in course.questions.values() if question.homework == homework]
    if not known:
        there = dict.fromkeys(question.homework for question in course.questions.values())
        remarks.append(f"not graded: its homework is {homework!r}, expected {' or '.join(there)}")
    result = replace(empty, name=name, student_id=student_id, homework=homework, remarks=remarks)
    return result, known


def _ignored(files: Mapping[Path, bytes], course: Course, known: list[Question]) -> list[str]:
    """Say which modules of a zip differ from the course's and answer nothing."""
    answers = answers_by_file(course.root, known)
    changed = []
    for path, content in sorted(files.items()):
        original = course.root / path
        same = original.is_file() and original.read_bytes() == content
        if path not in answers and not same:
            changed.append(path.as_posix())
    if not changed:
        return []
    more = f" and {len(changed) - 10} more" if len(changed) > 10 else ""
    return [f"not used, since they answer nothing: {', '.join(changed[:10])}{more}"]


def _marked(question: Question, own: Mapping[Path, bytes], course: Course) -> Answered:
    """Return what the answers to a question reach.

    Equal answers reach the same: those that many left unwritten are tested once.
    """
    kept = course.kept / question.id / f"{_checksum(own)}.json"
    if not kept.is_file():
        copy, expected = _prepared(question, course)
        save(mark(question, copy, own, course.place, expected), kept)
    return Answered(**json.loads(kept.read_text(encoding="utf-8")))


def _false_claims(
    manifest: Mapping[str, Any], files: Mapping[Path, bytes], known: list[Question], course: Course
) -> list[str]:
    """Compare the figures of a manifest with what the code gives, where that takes seconds."""
    homework, claimed = known[0].homework, manifest.get("figures")
    if figures_table(course.root, homework) is None or not isinstance(claimed, dict) or not claimed:
        return []
    (notebook,) = (course.root / "notebooks").glob(f"{homework}_*.ipynb")
    with open_box() as box:
        lay_out(known, course.root, box.project)
        for path in answers_by_file(course.root, known).keys() & files.keys():
            (box.project / path).write_bytes(files[path])
        told = json.dumps(settings_of(manifest.get("profile"))).encode() + b"\n"
        name, bounds = f"notebooks/{notebook.name}", Bounds(seconds=120)
        found, why = _ask("claims", name, box, course, bounds, told)
    try:
        computed = {str(name): float(value) for name, value in json.loads(found or b"").items()}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return [f"its figures cannot be computed again: {why[:200]}"]
    return differences(claimed, computed)


def _prepared(question: Question, course: Course) -> tuple[Path, Expected]:
    """Return a clean copy of the course for a question, and what its tests do with the answers.

    The first process that needs them makes them; the others wait.
    """
    folder = course.kept / question.id
    copy, expected = folder / "course", folder / "expected.json"
    if not expected.is_file():
        with locked(expected, waiting=lambda: None):
            if not expected.is_file():
                shutil.rmtree(copy, ignore_errors=True)
                lay_out([question], course.root, copy)
                save(expect(question, copy, course.root), expected)
    content = json.loads(expected.read_text(encoding="utf-8"))
    tests = {name: Outcome(**entry) for name, entry in content["tests"].items()}
    return copy, Expected(tests, content["seconds"], content["free"])


def _name_doubles(rows: list[Result]) -> None:
    """Add a remark to each hand-in of a student who handed in the same homework twice."""
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.student:
            files[row.student, row.homework].append(row.file)
    for row in rows:
        others = [file for file in files[row.student, row.homework] if file != row.file]
        if others:
            row.remarks.append(f"handed in {len(others) + 1} times: also {', '.join(others)}")
