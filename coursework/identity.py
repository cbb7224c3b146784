"""Who hands the homework in: read once, shown in the notebook's header and on each page."""

import re
import reprlib
import tomllib
import unicodedata
from dataclasses import dataclass, fields
from pathlib import Path

from nbformat import NotebookNode

from coursework.profiles import ROOT

STUDENT_FILE = ROOT / "student.toml"

PLACEHOLDERS = {
    "name": "*your full name*",
    "student_id": "*your student ID*",
    "course": "*your course*",
    "due_date": "*the due date*",
}
"""The text of each field in the cell tagged ``identity``, until the student fills it in."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that belong to Persian and Indic names and to emoji."""


@dataclass(frozen=True)
class Identity:
    """Who hands in, in which course, and when it is due; an empty text is not filled in yet."""

    name: str = ""
    student_id: str = ""
    course: str = ""
    due_date: str = ""

    def missing(self) -> tuple[str, ...]:
        """Return the names of the fields that are still empty."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))


def load_identity(path: Path | str = STUDENT_FILE, **given: str | None) -> Identity:
    """Read who hands in from a TOML file.

    Parameters
    ----------
    path
        A file with the texts ``name``, ``student_id``, ``course`` and ``due_date``, each of which
        may be left out. A file that does not exist counts as empty.
    **given
        Texts that replace those of the file, unless they are empty or ``None``.

    Raises
    ------
    ValueError
        If the file is not TOML, or holds an unknown field or a value that is not text.
    """
    path = Path(path)
    content: dict[str, object] = {}
    if path.is_file():
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f'{path} is not TOML ({error}); write lines such as name = "Ada Lovelace"'
            ) from error
    known = [field.name for field in fields(Identity)]
    for key, value in content.items():
        if key not in known:
            raise ValueError(f"{path} holds {key!r}; expected only {', '.join(known)}")
        if not isinstance(value, str):
            shown = reprlib.repr(value)  # at most a line of a value that is nested deeply
            raise ValueError(f'{path}: {key} is {shown}; put it into quotes: {key} = "{shown}"')
    content |= {key: text for key, text in given.items() if text}
    return Identity(**{key: _one_line(str(text)) for key, text in content.items()})


def fill_in(notebook: NotebookNode, identity: Identity) -> None:
    """Write an identity into a notebook: its cell tagged ``identity``, and its metadata.

    An empty field keeps its placeholder. The exporter prints the metadata at the head of each page.
    """
    for cell in notebook.cells:
        if "identity" in cell.metadata.get("tags", []):
            for field, placeholder in PLACEHOLDERS.items():
                text = getattr(identity, field)
                if text:
                    cell.source = cell.source.replace(placeholder, _as_markdown(text))
    if identity.name:
        notebook.metadata["authors"] = [{"name": identity.name}]
    page = {"student_id": identity.student_id, "course": identity.course}
    notebook.metadata["coursework"] = {key: text for key, text in page.items() if text}


def _one_line(text: str) -> str:
    """Join lines, and drop invisible marks, some of which reverse the text that follows them."""
    instead = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": " ", "Cf": ""}
    shown = "".join(
        character
        if character in _JOINERS
        else instead.get(unicodedata.category(character), character)
        for character in text
    )
    line = " ".join(shown.split())
    return line if line.strip(f" {_JOINERS}") else ""


def _as_markdown(text: str) -> str:
    """Escape every character that Markdown, HTML or TeX would not show as it is."""
    return re.sub(r"[!-/:-@\[-`{-~]", lambda mark: f"&#{ord(mark[0])};", text)
