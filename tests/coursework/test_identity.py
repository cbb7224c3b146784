"""Who hands in: any text is shown as it is."""

import html
import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html_mistune

from coursework.identity import PLACEHOLDERS, STUDENT_FILE, Identity, fill_in, load_identity
from coursework.profiles import ROOT


def header():
    source = "| | |\n|:--|:--|\n" + "\n".join(
        f"| **{field}** | {placeholder} |" for field, placeholder in PLACEHOLDERS.items()
    )
    cell = nbformat.v4.new_markdown_cell(source, metadata={"tags": ["identity"]})
    other = nbformat.v4.new_markdown_cell("*your full name*")
    return nbformat.v4.new_notebook(cells=[cell, other])


def shown(notebook):
    """Return the texts of the table's second column, as a reader sees them."""
    table = markdown2html_mistune(notebook.cells[0].source)
    cells = re.findall(r"<td.*?>(.*?)</td>", table, flags=re.DOTALL)[1::2]
    return [html.unescape(cell) for cell in cells]


def test_the_committed_file_is_not_filled_in():
    assert load_identity(STUDENT_FILE).missing() == ("name", "student_id", "due_date")


def test_a_file_is_read_and_the_command_line_comes_first(tmp_path):
    path = tmp_path / "student.toml"
    path.write_text('name = "Ada Müller (王小明)"\nstudent_id = "007"\n', encoding="utf-8")
    assert load_identity(path) == Identity("Ada Müller (王小明)", "007", "")
    assert load_identity(path, name="Bob", course=None) == Identity("Bob", "007", "")
    assert load_identity(tmp_path / "nothing.toml").missing() == (
        "name",
        "student_id",
        "course",
        "due_date",
    )


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path):
    path = tmp_path / "student.toml"
    path.write_bytes('\ufeffname = "Zoë"\r\n'.encode())
    assert load_identity(path).name == "Zoë"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = Ada", r"is not TOML .*write lines such as name = \"Ada Lovelace\""),
        ("student_id = 42", r'student_id is 42; put it into quotes: student_id = "42"'),
        pytest.param(f"name = {'[' * 3000}{']' * 3000}", "is not TOML", id="nested deeply"),
        pytest.param(f"name = {'[' * 90}{']' * 90}", r"name is \[+\.\.\.\]+;", id="nested"),
        pytest.param(f"name = {'9' * 5000}", "is not TOML", id="a long number"),
        ('surname = "A"', r"holds 'surname'; expected only name, student_id, course, due_date"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(tmp_path, content, message):
    path = tmp_path / "student.toml"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        load_identity(path)
    assert str(path) in str(error.value)


def test_only_the_header_and_the_metadata_are_filled_in():
    notebook = header()
    fill_in(notebook, Identity("Ada", "42", "Deep Learning", "1 May"))
    assert shown(notebook) == ["Ada", "42", "Deep Learning", "1 May"]
    assert notebook.cells[1].source == "*your full name*"
    assert notebook.metadata["authors"] == [{"name": "Ada"}]
    assert notebook.metadata["coursework"] == {"student_id": "42", "course": "Deep Learning"}


def test_an_empty_field_keeps_its_placeholder():
    notebook = header()
    fill_in(notebook, Identity(name="Ada"))
    assert shown(notebook) == [
        "Ada",
        "<em>your student ID</em>",
        "<em>your course</em>",
        "<em>the due date</em>",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_shown_as_it_is(text):
    identity = load_identity("nothing.toml", name=text)
    notebook = header()
    fill_in(notebook, identity)
    nbformat.validate(notebook)
    expected = identity.name or "<em>your full name</em>"
    assert " ".join(shown(notebook)[0].split()) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ada\nKing\u2028of\u2029Lovelace\t\x00\x85", "Ada King of Lovelace"),
        ("Ada\u202e moc.elpmaxe\u202c", "Ada moc.elpmaxe"),
        ("\u2066Ada\u2069\u200f", "Ada"),
        ("\ufeffAda\u200bLove\u00adlace", "AdaLovelace"),
        ("Ada\udcff", "Ada"),
        ("\u200c\u200d", ""),
        # Joiners belong to Persian, to Malayalam and to emoji of two signs, and are kept.
        (" \u0645\u06cc\u200c\u062e\u0648 ", "\u0645\u06cc\u200c\u062e\u0648"),
        ("\u0d28\u0d4d\u200d", "\u0d28\u0d4d\u200d"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),
    ],
)
def test_a_header_is_one_line_without_marks_that_turn_its_direction(text, line):
    assert load_identity("nothing.toml", name=text).name == line


@pytest.mark.parametrize(
    "text", ["a | b", "$x$ and $y$", "<b>", "*_`~#", "\\(x\\)", "[a](b)", "&amp;", "1. x", "a\\|b"]
)
def test_marks_of_markdown_html_and_tex_are_text(text):
    notebook = header()
    fill_in(notebook, Identity(name=text))
    assert shown(notebook)[0] == text


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_notebook_has_a_header_for_all_fields(path):
    notebook = nbformat.read(path, as_version=4)
    fill_in(notebook, Identity("N~1", "I~2", "C~3", "D~4"))
    tagged = [c.source for c in notebook.cells if "identity" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert "N&#126;1" in tagged[0]
    for text in ("I&#126;2", "C&#126;3", "D&#126;4"):
        assert text in tagged[0]
