"""What a notebook shows: code, headline figures, figures of one look, bars that are text."""

import io
import sys

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import pandas as pd

from coursework.display import Headline, headline_figures, readable, show_source
from coursework.figure import WIDTH, new_figure, tidy
from coursework.progress import progress


def documented(x):
    """Add one.

    Parameters
    ----------
    x
        A number.
    """

    def inner(y):
        """Return y ```as it is```."""
        return y

    return inner(x) + 1  # type: ignore[no-untyped-call, operator]  # kept


class Counter:
    """Count.

    Slowly.
    """

    steps: "tuple[int, ...]" = ()


def test_code_is_shown_with_short_docstrings_and_without_remarks_to_the_type_checker():
    shown = show_source(documented, Counter).data
    assert (
        shown
        == '''~~~~python
def documented(x):
    """Add one."""

    def inner(y):
        """Return y ```as it is```."""
        return y

    return inner(x) + 1  # kept


class Counter:
    """Count."""

    steps: "tuple[int, ...]" = ()
~~~~'''
    )


def test_a_table_for_reading_is_indexed_by_its_first_column():
    table = readable(pd.DataFrame({"layer": ["a", "b"], "weights": [9408, 1.5]}, dtype=object))
    assert table.columns.name == "layer"
    assert table.to_dict() == {"weights": {"a": "9,408", "b": 1.5}}


def test_two_headlines_are_one_in_their_order():
    both = Headline({"b": 1, "c": 2}) | Headline({"a": 3})
    assert list(both.figures.items()) == [("b", 1), ("c", 2), ("a", 3)]


def test_a_headline_is_a_table_to_see_and_data_to_collect():
    headline = Headline({"accuracy": 0.12345, "images": 5000, "network": "resnet50"})
    bundle = headline._repr_mimebundle_()
    assert bundle["text/markdown"].splitlines()[2:] == [
        "| accuracy | 0.1235 |",
        "| images | 5,000 |",
        "| network | resnet50 |",
    ]
    cells = [
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("stream", text="0.5")]),
        nbformat.v4.new_code_cell("y", outputs=[nbformat.v4.new_output("display_data", bundle)]),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert headline_figures(notebook) == headline.figures


def test_figures_have_the_width_of_the_page_and_need_not_be_closed():
    before = plt.get_fignums()
    figure, grid = new_figure(2, 3, height=4)
    assert tuple(figure.get_size_inches()) == (WIDTH, 4)
    assert grid.shape == (2, 3)
    assert plt.get_fignums() == before


def test_axes_are_tidied_without_a_change_of_global_settings():
    _, ((axes,),) = new_figure(height=2)
    axes.set(xlabel="x", title="t")
    before = dict(matplotlib.rcParams)
    tidy(axes)
    assert not axes.spines["top"].get_visible()
    assert axes.xaxis.label.get_size() == 9
    assert dict(matplotlib.rcParams) == before


def test_progress_is_text_on_standard_output(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert list(progress([1, 2, 3], description="work", unit="step")) == [1, 2, 3]
    assert "work" in stream.getvalue()
    assert "3/3" in stream.getvalue()


def test_progress_can_be_silent(capsys):
    with progress(total=5, description="work", unit="step", show=False) as bar:
        bar.update(5)
    assert capsys.readouterr() == ("", "")
