"""The students' version of a course: its files without the answers, and the search for leaks."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from coursework.course.blank import answer_lines, blank_notebook, blank_source
from coursework.course.questions import Question, load_questions
from coursework.profiles import ROOT
from coursework.storage import scratch_folder

_TABLE_PLACE = "<!-- questions -->"
"""Where the README of the students gets its rows on the questions."""


class LeakError(RuntimeError):
    """Something of an answer is left in the students' version; the message says where."""


def release(folder: Path | str, root: Path = ROOT) -> list[Path]:
    """Write the students' version of a course.

    It holds the files that git tracks, as they lie there now, without those that the table
    ``[tool.coursework.release]`` leaves out. Each body of an answer is replaced by an error that
    names the question and the function, each answer in words by a place to write in. Then every
    file is searched for what was taken out.

    Parameters
    ----------
    folder
        Where it goes; a folder that does not exist yet, or is empty. It appears only when it is
        whole and has passed the search.
    root
        The checkout of the course.

    Returns
    -------
    list of Path
        The files, relative to ``folder``, sorted.

    Raises
    ------
    FileExistsError
        If there is something at ``folder``.
    FileNotFoundError
        If ``root`` is no git checkout of a course, or lacks a file that the tables name.
    ValueError
        If a table is not right, or names an answer that does not exist.
    LeakError
        If something of an answer is left.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists already and is not empty; name a new folder")
    questions = load_questions(root).values()
    files = blank_files(root, questions)
    with scratch_folder(folder.name, folder.parent) as beside:
        blank = beside / folder.name
        write_files(files, blank)
        for path in files:
            if (root / path).is_file():
                shutil.copymode(root / path, blank / path)
        if leaks := find_leaks(blank, secrets_of(root, questions)):
            listed = "\n".join(f"  - {leak}" for leak in leaks[:20])
            raise LeakError(
                f"lines or sentences of answers are left in {len(leaks)} places, so {folder} was "
                f"not written:\n{listed}\nReword them, or leave the file out in the table "
                "[tool.coursework.release] of pyproject.toml"
            )
        if folder.exists():
            folder.rmdir()
        os.replace(blank, folder)
    return sorted(files)


def write_files(files: Mapping[Path, bytes], folder: Path) -> None:
    """Write files by their paths within a folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def blank_files(root: Path, questions: Iterable[Question]) -> dict[Path, bytes]:
    """Return the content of each file of the students' version, by its path within it."""
    left_out, readme = _release_table(root)
    files = {
        path: (root / path).read_bytes()
        for path in _tracked_files(root)
        if not any(fnmatch(path.as_posix(), pattern) for pattern in left_out)
    }
    questions = list(questions)
    text = (root / readme).read_text(encoding="utf-8")
    files[Path("README.md")] = text.replace(_TABLE_PLACE, _question_table(questions)).encode()
    for path, names in answers_by_file(root, questions).items():
        with _named(path):
            files[path] = blank_source(files[path].decode(), names).encode()
    for path, cells in prose_by_file(root, questions).items():
        with _named(path):
            notebook = blank_notebook(json.loads(files[path]), cells)
        files[path] = (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def _question_table(questions: Iterable[Question]) -> str:
    """Return a row for each question: name, points, modules to write in, marker of the tests."""
    rows = []
    for question in questions:
        links = ", ".join(f"[`{path}`]({path})" for path in map(Path.as_posix, question.functions))
        name = f"{question.homework.upper()}, {question.label}"
        rows.append(f"| {name} | {question.points:g} | {links} | `-m {question.id}` |")
    return "\n".join(rows)


def answers_by_file(root: Path, questions: Iterable[Question]) -> dict[Path, dict[str, str]]:
    """Return, for each module with answers, their names and what they say until written."""
    files: dict[Path, dict[str, str]] = {}
    for question in questions:
        for path, names in question.functions.items():
            if not (root / path).is_file():
                raise FileNotFoundError(
                    f"question {question.id} names the answer {names[0]}, but there is no {path}"
                )
            messages = {name: f"{question.name}: {name}" for name in names}
            files.setdefault(path, {}).update(messages)
    return files


def prose_by_file(root: Path, questions: Iterable[Question]) -> dict[Path, list[str]]:
    """Return, for each notebook with answers in words, the ids of their cells."""
    files: dict[Path, list[str]] = {}
    for question in questions:
        if question.prose:
            found = sorted((root / "notebooks").glob(f"{question.homework}_*.ipynb"))
            if len(found) != 1:
                raise FileNotFoundError(
                    f"question {question.id} answers in words, but there are {len(found)} "
                    f"notebooks notebooks/{question.homework}_*.ipynb, expected one"
                )
            files.setdefault(found[0].relative_to(root), []).extend(question.prose)
    return files


def secrets_of(root: Path, questions: Iterable[Question]) -> dict[str, str]:
    """Return where each longer line of code, or sentence, of an answer is from."""
    questions = list(questions)
    secrets = {}
    for path, names in answers_by_file(root, questions).items():
        with _named(path):
            for line in answer_lines((root / path).read_text(encoding="utf-8"), names):
                secrets[_plain(line)] = str(path)
    for path, cells in prose_by_file(root, questions).items():
        notebook = json.loads((root / path).read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell.get("id") in cells:
                text = "".join(cell["source"])
                for part in re.split(r"(?<=[.:;?!])\s+|\n\s*\n|\n(?=\|)", text):
                    secrets[_plain(part)] = f"{path}, cell {cell['id']}"
    return {text: origin for text, origin in secrets.items() if _is_telling(text)}


def _is_telling(line: str) -> bool:
    """Whether a line is an answer's own: long enough, and more than an argument handed on."""
    return len(line) >= 20 and not re.fullmatch(r"(\w+)=\1,?|[\W\d]+", line)


def find_leaks(folder: Path, secrets: Mapping[str, str]) -> list[str]:
    """Search all files of a folder, hidden ones too; return a line for each place of a leak.

    Compiled code, archives and the like cannot be searched, so each of them counts as one; the
    folder ``data`` may hold binary files.
    """
    leaks = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        name = path.relative_to(folder)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            if name.parts[0] != "data":
                leaks.append(f"{name}: a binary file, which cannot be searched")
            continue
        if path.suffix == ".ipynb":
            # JSON writes a line of code in quotes, with other signs for some characters.
            with suppress(ValueError):
                text += "\n".join(_strings(json.loads(text)))
        text = _plain(text)
        leaks += [
            f"{name}: {secret[:70]!r} of {origin}"
            for secret, origin in secrets.items()
            if secret in text
        ]
    return leaks


def _strings(value: object) -> Iterator[str]:
    """Yield all texts within a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings([*value, *value.values()])
    elif isinstance(value, list):
        # The source of a cell is a list of lines: joined, a sentence over two of them is found.
        if all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _strings(item)


def _plain(text: str) -> str:
    """Return a text with single blanks, however it is broken into lines."""
    return " ".join(text.split())


def _release_table(root: Path) -> tuple[list[str], str]:
    """Return the patterns of the files to leave out, and the file that becomes the README."""
    path = root / "pyproject.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    table = content["tool"]["coursework"].get("release", {})
    left_out, readme = table.get("left_out"), table.get("readme")
    if not isinstance(left_out, list) or not isinstance(readme, str):
        raise ValueError(
            f"{path} has no table [tool.coursework.release] with left_out, a list of patterns, and "
            "readme, the file that students read first"
        )
    return left_out, readme


def _tracked_files(root: Path) -> list[Path]:
    """Return the files that git tracks, relative to the checkout."""
    if not (root / ".git").exists() or not shutil.which("git"):
        raise FileNotFoundError(
            f"{root} is no git checkout, or git is not installed; the students' version is made of "
            "the files that git tracks"
        )
    command = ["git", "-C", str(root), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return [Path(name) for name in listed.split("\0") if name]


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin the message of an error with the file it is about."""
    try:
        yield
    except (ValueError, KeyError, SyntaxError) as error:
        raise ValueError(f"{path}: {error}") from error
