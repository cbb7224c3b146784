"""A progress widget is shown as it ended."""

import copy

import nbformat
from coursework.pdf.widgets import STATE, VIEW, finish_progress_bars
from nbformat.v4 import new_code_cell, new_notebook, new_output

STATES = {
    "box": {
        "model_name": "HBoxModel",
        "state": {"children": ["IPY_MODEL_a", "IPY_MODEL_b", "IPY_MODEL_c"]},
    },
    "a": {"model_name": "HTMLModel", "state": {"value": "epoch:\u2007100%"}},
    "b": {"model_name": "FloatProgressModel", "state": {"value": 5.0, "max": 10.0}},
    "c": {"model_name": "HTMLModel", "state": {"value": "5/10\u2007[00:01&lt;00:01]"}},
}


def notebook(states):
    output = new_output("display_data", data={VIEW: {"model_id": "box"}, "text/plain": "0%"})
    metadata = {"widgets": {STATE: {"state": states}}}
    return new_notebook(cells=[new_code_cell("x", outputs=[output])], metadata=metadata)


def shown(states):
    book = notebook(states)
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


def test_notebook_without_widgets_is_left_alone():
    book = new_notebook(cells=[nbformat.v4.new_markdown_cell("x")])
    finish_progress_bars(book)
    assert book.cells[0].source == "x"
