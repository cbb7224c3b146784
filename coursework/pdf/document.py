"""The document that the compiler gets: what stands at the head of each page, and the cells."""

from dataclasses import dataclass
from importlib import resources

import jinja2
from nbformat import NotebookNode

from coursework.pdf.draft import Draft
from coursework.pdf.inline import write_text
from coursework.pdf.notebook import first_heading, shorten
from coursework.pdf.terminal import printable
from coursework.pdf.typst import string

_HERE = resources.files("coursework.pdf")


@dataclass(frozen=True)
class Head:
    """What stands at the head of each page; empty strings are left out.

    Attributes
    ----------
    title, author, student_id, course
        Any text.
    title_in_text
        Whether the notebook itself shows a heading, so that none is put above it.
    """

    title: str = ""
    author: str = ""
    student_id: str = ""
    course: str = ""
    title_in_text: bool = True


def read_head(
    notebook: NotebookNode,
    file_name: str,
    title: str = "",
    author: str = "",
    student_id: str = "",
    course: str = "",
) -> Head:
    """Return what is given, or else what the notebook says of itself.

    The title is the one in the metadata, or the first heading, or the name of the file.
    """
    metadata = notebook.metadata
    handed_in = metadata.get("coursework") or {}
    authors = [
        str(author.get("name", "") if isinstance(author, dict) else author)
        for author in metadata.get("authors") or []
    ]
    heading = first_heading(notebook)
    return Head(
        title=_one_line(title or metadata.get("title") or heading or file_name),
        author=_one_line(author or ", ".join(filter(None, authors))),
        student_id=_one_line(student_id or handed_in.get("student_id", "")),
        course=_one_line(course or handed_in.get("course", "")),
        title_in_text=bool(heading),
    )


def _one_line(text: object) -> str:
    return printable(" ".join(str(text).split()))[0]


def write_document(draft: Draft, head: Head, cells: list[str]) -> None:
    """Write ``main.typ`` and the style beside it."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters["string"] = string
    template = environment.from_string((_HERE / "notebook.typ.j2").read_text(encoding="utf-8"))
    source = template.render(
        cells=cells,
        title=head.title,
        author=head.author,
        # As content and not as strings: a word that is wider than the page breaks.
        title_shown=write_text(head.title),
        left_head=write_text(" · ".join(filter(None, (head.course, shorten(head.title, 120))))),
        right_head=write_text(
            " · ".join(filter(None, (shorten(head.author, 80), head.student_id)))
        ),
        show_title=not head.title_in_text,
    )
    (draft.folder / "main.typ").write_text(source, encoding="utf-8")
    (draft.folder / "style.typ").write_bytes((_HERE / "style.typ").read_bytes())
