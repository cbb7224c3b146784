"""Coding part 2: figures of the samples and the boundaries, tables and sentences."""

import numpy as np
import pytest
import torch

from hw4.imbalanced import ImbalancedDataset, LinearNet, RadialNet, measure
from hw4.report import imbalanced_figures
from hw4.report.imbalanced_tables import conclusion, headline, metrics_table, separation
from hw4.theory.radial_neuron import Circle
from tests.hw4.conftest import drawn

pytestmark = pytest.mark.hw4_imbalanced

LABELS = [0] * 8 + [1] * 2
ALL_NEGATIVE, ALL_POSITIVE = measure(LABELS, [0] * 10), measure(LABELS, [1] * 10)


@pytest.fixture
def points(tmp_path):
    """Return 200 random samples, one fifth of them positive."""
    rows = np.column_stack(
        [np.random.default_rng(0).normal(size=(200, 2)), np.arange(200) % 5 // 4]
    )
    np.savetxt(tmp_path / "samplestr.txt", rows)
    return ImbalancedDataset(tmp_path)


def linear(w1, w2, b, kind=LinearNet):
    model = kind()
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[w1, w2]]))
        model.layer.bias.fill_(b)
    return model


def test_the_scatter_plot_names_both_classes(points):
    (ax,) = drawn(imbalanced_figures.sample_scatter(points)).axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["negative (160)", "positive (40)"]


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


def test_bars_have_the_values_of_the_metrics():
    models = {"one": ALL_NEGATIVE, "two": ALL_NEGATIVE}
    (ax,) = drawn(imbalanced_figures.metric_bars(models)).axes
    assert [bar.get_height() for bar in ax.patches] == [0.8, 0, 1, 0.5] * 2


@pytest.mark.parametrize("b", [-1.0, 1.0], ids=["ellipse", "nothing"])
def test_a_curved_boundary_or_none(points, b):
    (ax,) = drawn(imbalanced_figures.curved_boundary(linear(1.0, 2.0, b, RadialNet), points)).axes
    assert ax.get_title().startswith("ellipse" if b < 0 else "nothing")


def test_the_table_has_the_rates_of_each_model():
    table = metrics_table(
        {"one": measure([0, 0, 1], [0, 1, 1], 2), "two": measure([0, 1], [0, 1], 2)}
    )
    assert list(table.columns) == ["accuracy", "TPR", "TNR", "balanced", "weighted (2:1)"]
    assert table.loc["one"].tolist() == ["0.6667", "1.0000", "0.5000", "0.7500", "0.8333"]


def test_the_conclusion_holds_the_counts_and_both_measures():
    said = conclusion(ALL_NEGATIVE, ALL_POSITIVE).data
    assert "**Plain batches** find 0 of the 2 positives. 80.0% of the answers are right" in said
    assert "the larger class as the answer for all samples would be right for 80.0%" in said
    assert "find 2 of the 2 positives, and call 8 of the 8 negatives positive" in said
    assert "the accuracy goes from 80.0% to 20.0%, and the balanced accuracy from 50.0% to" in said
    assert "4 negatives for each positive" in said


def test_the_words_on_the_curve_hold_its_shape_and_both_numbers_of_mistakes():
    said = separation(ALL_NEGATIVE, measure(LABELS, LABELS), Circle(1.0)).data
    assert "The learned boundary is: circle, radius 1" in said
    assert "0 mistakes, where the line of the balanced batches makes 2" in said
    assert "goes from 50.0% with the line to 100.0% with the curve" in said


def test_the_headline_has_four_figures_for_each_model():
    figures = headline({"one": ALL_NEGATIVE, "two": ALL_POSITIVE}).figures
    assert len(figures) == 8
    assert figures["one, accuracy"] == 0.8
