"""Every figure is a Figure with what it should show, and leaves nothing behind."""

import pandas as pd
import pytest
import torch

from coursework.display import readable
from hw4.imbalanced import LinearNet, RadialNet, measure
from hw4.report import imbalanced_figures
from hw4.theory import figures
from hw4.theory.rbf_neuron import CASES
from hw4.theory.threshold_neurons import SHIFT, figure_1, move_side
from tests.hw4.conftest import drawn


class Points:
    def __init__(self, data, labels):
        self.data, self.labels = data, labels


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(0)
    return Points(torch.randn(200, 2, generator=generator), torch.arange(200) % 5 // 4)


def linear(w1, w2, b, kind=LinearNet):
    model = kind()
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[w1, w2]]))
        model.layer.bias.fill_(b)
    return model


@pytest.mark.hw4_theory2
def test_one_panel_for_each_case():
    axes = drawn(figures.rbf_cases()).axes
    titles = [ax.get_title() for ax in axes if ax.get_title()]
    assert [title.splitlines()[0] for title in titles] == [
        str(neuron.zero_set()).split(",")[0] for neuron in CASES
    ]
    drawn(figures.rbf_cases(CASES[:4]))


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


@pytest.mark.hw4_imbalanced
def test_the_scatter_plot_names_both_classes(points):
    (ax,) = drawn(imbalanced_figures.sample_scatter(points)).axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["negative (160)", "positive (40)"]


@pytest.mark.hw4_imbalanced
def test_decision_lines_in_every_direction_or_none(points):
    models = {
        "slanted": linear(1.0, 1.0, 0.0),
        "vertical": linear(1.0, 0.0, 0.0),
        "far away": linear(1.0, 0.0, 99.0),
        "none": linear(0.0, 0.0, 1.0),
    }
    axes = drawn(imbalanced_figures.decision_lines(models, points)).axes
    # Two classes of points, and the line where there is one.
    assert [len(ax.lines) for ax in axes] == [3, 3, 2, 2]
    assert "x_1 = 0" in axes[1].get_title()
    assert "no line" in axes[3].get_title()
    (line,) = [line for line in axes[1].lines if line.get_label() == "decision line"]
    assert list(line.get_xdata()) == [0, 0]


@pytest.mark.hw4_imbalanced
def test_bars_have_the_values_of_the_metrics():
    useless = measure([0] * 8 + [1] * 2, [0] * 10)
    (ax,) = drawn(imbalanced_figures.metric_bars({"one": useless, "two": useless})).axes
    assert [bar.get_height() for bar in ax.patches] == [0.8, 0, 1, 0.5] * 2


@pytest.mark.hw4_imbalanced
@pytest.mark.parametrize("b", [-1.0, 1.0], ids=["ellipse", "nothing"])
def test_a_curved_boundary_or_none(points, b):
    (ax,) = drawn(imbalanced_figures.curved_boundary(linear(1.0, 2.0, b, RadialNet), points)).axes
    assert ax.get_title().startswith("ellipse" if b < 0 else "nothing")


def test_tables_for_reading():
    table = readable(pd.DataFrame({"layer": ["fc", "sum"], "n": [1234567, 1], "x": ["", 2]}))
    assert list(table.index) == ["fc", "sum"]
    assert table["n"].tolist() == ["1,234,567", "1"]
    assert table.columns.name == "layer"
