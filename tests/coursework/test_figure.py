"""One look for every figure, and a bar that is text."""

import io
import sys

import matplotlib

from coursework.figure import WIDTH, new_figure, tidy
from coursework.progress import progress


def test_figures_have_the_width_of_the_page_and_belong_to_nobody():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure, grid = new_figure(2, 3, height=4)
    assert tuple(figure.get_size_inches()) == (WIDTH, 4)
    assert grid.shape == (2, 3)
    assert plt.get_fignums() == before


def test_one_axes_comes_as_an_array_too():
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
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
