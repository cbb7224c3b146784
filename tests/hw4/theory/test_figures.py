"""The figures of the theory questions are drawn, and show what they are to show."""

import pytest

from hw4.theory import figures
from hw4.theory.radial_neuron import CASES
from hw4.theory.threshold_neurons import SHIFT, figure_1, move_side
from tests.hw4.conftest import drawn


@pytest.mark.hw4_theory2
def test_one_panel_for_each_case():
    axes = drawn(figures.radial_cases()).axes
    titles = [ax.get_title() for ax in axes if ax.get_title()]
    assert [title.splitlines()[0] for title in titles] == [
        str(neuron.zero_set()).split(",")[0] for neuron in CASES
    ]


@pytest.mark.hw4_theory3
def test_figure_1_before_and_after():
    before = figure_1()
    figure = drawn(
        figures.threshold_regions({"before": before, "after": move_side(before, 5, SHIFT)})
    )
    for ax in figure.axes:
        texts = [text.get_text() for text in ax.texts]
        assert {f"$n_{i}$" for i in range(1, 6)} <= set(texts)
        assert texts.count("+") == texts.count("−") == 5
    # The dots are where y = 1; after the move there are fewer of them.
    dots = [len(ax.lines[0].get_xdata()) for ax in figure.axes]
    assert dots[0] > dots[1] > 0
