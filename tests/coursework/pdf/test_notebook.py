"""What a notebook file says: its cells, its title and author, how its progress bars ended."""

import copy
import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework.pdf.notebook import STATE, VIEW, finish_progress_bars, read_head, read_notebook

STATES = {
    "box": {
        "model_name": "HBoxModel",
        "state": {"children": ["IPY_MODEL_a", "IPY_MODEL_b", "IPY_MODEL_c"]},
    },
    "a": {"model_name": "HTMLModel", "state": {"value": "epoch:\u2007100%"}},
    "b": {"model_name": "FloatProgressModel", "state": {"value": 5.0, "max": 10.0}},
    "c": {"model_name": "HTMLModel", "state": {"value": "5/10\u2007[00:01&lt;00:01]"}},
}


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.ipynb: no such notebook"):
        read_notebook(tmp_path / "nothing.ipynb")


@pytest.mark.parametrize("content", ["", "not json", "{}", "[1]", '{"cells": 3}', "\x00"])
def test_file_that_is_no_notebook_is_an_error_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"odd\.ipynb: not a notebook.*save it again"):
        read_notebook(path)


def test_an_old_notebook_is_read(tmp_path):
    code = {"cell_type": "code", "input": "1 + 1", "language": "python", "metadata": {}}
    code |= {"outputs": [], "prompt_number": 1, "collapsed": False}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "old"}}
    old["worksheets"] = [{"metadata": {}, "cells": [code]}]
    (tmp_path / "old.ipynb").write_text(json.dumps(old))
    assert read_notebook(tmp_path / "old.ipynb").cells[0].source == "1 + 1"


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


def shown(states):
    output = new_output("display_data", data={VIEW: {"model_id": "box"}, "text/plain": "0%"})
    metadata = {"widgets": {STATE: {"state": states}}}
    book = new_notebook(cells=[new_code_cell("x", outputs=[output])], metadata=metadata)
    finish_progress_bars(book)
    return book.cells[0].outputs[0].data["text/plain"]


def test_label_bar_and_counts_are_one_line():
    assert shown(STATES) == "epoch: 100%|█████     |5/10 [00:01<00:01]"


def test_other_widgets_keep_their_text():
    without_bar = {key: state for key, state in STATES.items() if key != "b"}
    assert shown(without_bar) == "0%"
    assert shown({}) == "0%"


def test_odd_values_are_an_empty_bar():
    states = copy.deepcopy(STATES)
    states["b"]["state"]["value"] = None
    assert "|          |" in shown(states)
