"""Widgets show what Jupyter saved of them; what cannot be printed is a note."""

import base64
import copy

import pytest
from nbformat.v4 import new_notebook

from coursework.pdf.widgets import STATE, VIEW, print_widgets
from tests.coursework.pdf.conftest import code, display

BAR = {
    "box": {
        "model_name": "HBoxModel",
        "state": {"children": ["IPY_MODEL_a", "IPY_MODEL_b", "IPY_MODEL_c"]},
    },
    "a": {"model_name": "HTMLModel", "state": {"value": "epoch:\u200750%"}},
    "b": {"model_name": "FloatProgressModel", "state": {"value": 5.0, "max": 10.0}},
    "c": {
        "model_name": "HTMLModel",
        "state": {"value": "5/10\u2007[00:01&lt;00:01,\u20073.2it/s]"},
    },
}


def view():
    return display({VIEW: {"model_id": "box"}, "text/plain": "repr"})


def shown(models, output=None):
    """Return the data of what is printed for the view of the model ``box``."""
    book = new_notebook(cells=[code("x", output or view())])
    book.metadata["widgets"] = {STATE: {"state": models}}
    print_widgets(book)
    return [part.get("data") or part.text for part in book.cells[0].outputs]


def model(name, **state):
    return {"model_name": f"{name}Model", "state": state}


def test_a_progress_bar_is_the_line_of_its_last_state_without_its_times():
    assert shown(BAR) == [{"text/plain": "epoch: 50%|█████     |5/10"}]


def test_a_bar_of_its_own_is_a_line():
    assert shown({"box": model("IntProgress", value=3, max=3)}) == [{"text/plain": "|██████████|"}]


def test_odd_values_are_an_empty_bar():
    models = copy.deepcopy(BAR)
    models["b"]["state"]["value"] = None
    assert "|          |" in shown(models)[0]["text/plain"]


@pytest.mark.parametrize("models", [{}, None, {"other": {}}, {"box": 3}])
def test_a_widget_whose_state_was_not_saved_stays_a_view(models):
    assert shown(models) == [{VIEW: {"model_id": "box"}, "text/plain": "repr"}]


def test_what_an_output_widget_holds_is_printed():
    stream = {"output_type": "stream", "name": "stdout", "text": ["the answer\n", "is 42\n"]}
    result = {"output_type": "display_data", "data": {"text/html": "<b>17</b>"}, "metadata": {}}
    models = {"box": model("Output", outputs=[stream, result])}
    assert shown(models) == ["the answer\nis 42\n", {"text/html": "<b>17</b>"}]


def test_boxes_show_what_they_hold_in_order_and_tabs_their_titles():
    models = {
        "box": model("VBox", children=["IPY_MODEL_tab", "IPY_MODEL_text"]),
        "tab": model("Tab", children=["IPY_MODEL_one", "IPY_MODEL_two"], _titles={"1": "Second"}),
        "one": model("Label", value="first page"),
        "two": model("HTML", value="<i>second page</i>"),
        "text": model("Text", description="name", value="Ada"),
    }
    assert shown(models) == [
        {"text/plain": "first page"},
        {"text/plain": "Second"},
        {"text/html": "<i>second page</i>"},
        {"text/plain": "name Ada"},
    ]


def test_a_picture_is_shown():
    data = base64.b64encode(b"pixels").decode()
    models = {"box": model("Image") | {"buffers": [{"path": ["value"], "data": data}]}}
    assert shown(models) == [{"image/png": data}]


SLIDER = {
    "box": model("VBox", children=["IPY_MODEL_n", "IPY_MODEL_out"]),
    "n": model("IntSlider", description="n", value=4),
    "out": model("Output", outputs=[{"output_type": "stream", "text": "the answer is 42"}]),
}


def test_a_control_is_named_with_its_value():
    assert shown(SLIDER) == [{VIEW: {}, "text/plain": "IntSlider n 4"}, "the answer is 42"]


DAY = {"year": 2024, "month": 0, "date": 31}
TIME = {"hours": 4, "minutes": 5, "seconds": 6, "milliseconds": 0}


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (model("Dropdown", _options_labels=["x", "y"], index=1), "Dropdown y"),
        (model("RadioButtons", _options_labels=["x", "y"], index=None), "RadioButtons"),
        (model("SelectMultiple", _options_labels=["x", "y", "z"], index=[0, 2]), "x, z"),
        (model("SelectionRangeSlider", _options_labels=["x", "y", "z"], index=[1, 2]), "y, z"),
        (model("FloatRangeSlider", value=[2.5, 7.0]), "2.5, 7.0"),
        (model("DatePicker", description="When", value=DAY), "DatePicker When 2024-01-31"),
        (model("TimePicker", value=TIME), "04:05:06"),
        (model("NaiveDatetime", value={**DAY, **TIME}), "2024-01-31 04:05:06"),
        (model("DatePicker", value=None), "DatePicker"),
        (model("TagsInput", value=["red", "blue"]), "red, blue"),
        (model("Checkbox", value=True), "Checkbox true"),
    ],
)
def test_a_control_says_what_is_chosen(control, said):
    assert shown({"box": control})[0]["text/plain"].endswith(said)


@pytest.mark.parametrize("models", [{}, {"box": model("Password", description="Key", value="s3")}])
def test_a_password_stays_secret(models):
    output = view()
    output.data["text/plain"] = """Box((Password(layout=Layout(width='9%'), value="s3('"),))"""
    (data,) = shown(models, output)
    assert "s3" not in str(data)
    assert data["text/plain"] == ("Password Key" if models else "Box((Password(),))")


def test_widgets_that_hold_themselves_end():
    inside = {"output_type": "display_data", "data": {VIEW: {"model_id": "box"}}, "metadata": {}}
    models = {
        "box": model("VBox", children=["IPY_MODEL_box", "IPY_MODEL_out"]),
        "out": model("Output", outputs=[inside]),
    }
    assert shown(models) == []
    # Each box holds the next one twice: opened each time, the label would come 2^60 times.
    tower = {f"b{i}": model("VBox", children=[f"IPY_MODEL_b{i + 1}"] * 2) for i in range(60)}
    tower |= {"box": tower["b0"], "b60": model("Label", value="top")}
    assert 2 <= len(shown(tower)) <= 200


def test_an_output_that_a_box_holds_twice_is_printed_twice():
    models = {
        "box": model("VBox", children=["IPY_MODEL_out", "IPY_MODEL_out"]),
        "out": model("Output", outputs=[{"output_type": "stream", "text": "17"}]),
    }
    assert shown(models) == ["17", "17"]


@pytest.mark.parametrize("empty", [model("Output", outputs=[]), model("VBox", children=[])])
def test_a_widget_that_shows_nothing_shows_nothing(empty):
    assert shown({"box": empty}) == []


def test_a_picture_beside_a_widget_stays():
    output = view()
    output.data["image/png"] = "AAAA"
    assert shown({"box": model("Canvas")}, output) == [output.data]


def test_the_page_names_what_it_cannot_show(export):
    done = export(code("x", view()), widgets={STATE: {"state": SLIDER}})
    assert "[interactive content, not shown: widget IntSlider n 4]" in done.text
    assert "the answer is 42" in done.text
    assert "repr" not in done.text
    assert done.report.warnings == ("cell 1: a widget cannot be printed",)
