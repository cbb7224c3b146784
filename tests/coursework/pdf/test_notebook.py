"""What a notebook file says: its cells, its title and its author."""

import os

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from coursework.pdf.notebook import read_head, read_notebook

DEEP = '{"cells": [], "metadata": {"a": ' + "[" * 500 + "]" * 500 + "}}"


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.ipynb: no such notebook"):
        read_notebook(tmp_path / "nothing.ipynb")


@pytest.mark.parametrize(
    "content", ["", "not json", "{}", "[1]", '{"cells": 3}', "\x00", "[" * 100_000, DEEP]
)
def test_file_that_is_no_notebook_is_an_error_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"odd\.ipynb: not a notebook.*save it again"):
        read_notebook(path)


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    for path in (tmp_path, tmp_path / "pipe.ipynb"):
        with pytest.raises(ValueError, match=r"not a notebook.*no regular file"):
            read_notebook(path)


def test_identity_may_come_from_the_notebook_and_may_hold_any_text(export):
    name = '#panic("x") \\ "quoted" $x$ *Müller*'
    done = export(
        new_markdown_cell("text"),
        title="A ] title }",
        authors=[{"name": name}],
        coursework={"student_id": "`id`", "course": "[C] @ <home>"},
    )
    assert name in done.text
    assert "`id`" in done.text
    assert "[C] @ <home> · A ] title }" in done.text
    assert (done.reader.metadata.title, done.reader.metadata.author) == ("A ] title }", name)


@pytest.mark.parametrize(
    ("given", "metadata", "source", "title"),
    [
        ("Option", "Metadata", "# Heading", "Option"),
        ("", "Metadata", "# Heading", "Metadata"),
        ("", "", "text\n\n## The *second* level", "The second level"),
        ("", "", "no heading", "work"),
    ],
)
def test_title_is_the_option_the_metadata_the_first_heading_or_the_file_name(
    given, metadata, source, title
):
    book = new_notebook(cells=[new_markdown_cell(source)], metadata={"title": metadata})
    head = read_head(book, "work", {"title": given})
    assert head.title == title
    assert head.title_in_text == ("#" in source)


def test_damaged_metadata_says_nothing():
    people = [{"name": None}, {"name": ["x"]}, True, None, {}, {"name": "Ada"}, "Emmy"]
    book = new_notebook(cells=[new_markdown_cell("text")])
    book.metadata.update(title=["x"], authors=people, coursework={"student_id": 17, "course": {}})
    head = read_head(book, "work", {})
    assert (head.title, head.author, head.student_id, head.course) == (
        "work",
        "Ada, Emmy",
        "17",
        "",
    )
