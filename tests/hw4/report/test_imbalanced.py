"""Coding part 2: figures of the samples and the boundaries, tables."""

import numpy as np
import pytest

from hw4.imbalanced import ImbalancedDataset, RadialNet, measure
from hw4.report import imbalanced_figures
from hw4.report.imbalanced_tables import headline, metrics_table
from tests.hw4.blobs import linear_net
from tests.hw4.conftest import drawn

pytestmark = pytest.mark.hw4_imbalanced

LABELS = [0] * 8 + [1] * 2


@pytest.fixture
def all_negative():
    return measure(LABELS, [0] * 10)


@pytest.fixture
def points(tmp_path):
    """Return 200 random samples, one fifth of them positive."""
    rows = np.column_stack(
        [np.random.default_rng(0).normal(size=(200, 2)), np.arange(200) % 5 // 4]
    )
    np.savetxt(tmp_path / "samplestr.txt", rows)
    return ImbalancedDataset(tmp_path)


@pytest.mark.handed_out
def test_the_scatter_plot_names_both_classes(points):
    (ax,) = drawn(imbalanced_figures.sample_scatter(points)).axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["negative (160)", "positive (40)"]


def test_decision_lines_in_every_direction_or_none(points):
    models = {
        "slanted": linear_net(1.0, 1.0, 0.0),
        "vertical": linear_net(1.0, 0.0, 0.0),
        "far away": linear_net(1.0, 0.0, 99.0),
        "none": linear_net(0.0, 0.0, 1.0),
    }
    axes = drawn(imbalanced_figures.decision_lines(models, points)).axes
    # Two classes of points, and the line where there is one.
    assert [len(ax.lines) for ax in axes] == [3, 3, 2, 2]
    assert "x_1 = 0" in axes[1].get_title()
    assert "no line" in axes[3].get_title()
    (line,) = [line for line in axes[1].lines if line.get_label() == "decision line"]
    assert list(line.get_xdata()) == [0, 0]


def test_bars_have_the_values_of_the_metrics(all_negative):
    models = {"one": all_negative, "two": all_negative}
    (ax,) = drawn(imbalanced_figures.metric_bars(models)).axes
    assert [bar.get_height() for bar in ax.patches] == [0.8, 0, 1, 0.5] * 2


@pytest.mark.parametrize("b", [-1.0, 1.0], ids=["ellipse", "nothing"])
def test_a_curved_boundary_or_none(points, b):
    model = linear_net(1.0, 2.0, b, RadialNet)
    (ax,) = drawn(imbalanced_figures.curved_boundary(model, points)).axes
    assert ax.get_title().startswith("ellipse" if b < 0 else "nothing")


def test_the_table_has_the_rates_of_each_model():
    table = metrics_table(
        {"one": measure([0, 0, 1], [0, 1, 1], 2), "two": measure([0, 1], [0, 1], 2)}
    )
    assert list(table.columns) == ["accuracy", "TPR", "TNR", "balanced", "weighted (2:1)"]
    assert table.loc["one"].tolist() == ["0.6667", "1.0000", "0.5000", "0.7500", "0.8333"]


def test_the_headline_has_four_figures_for_each_model(all_negative):
    figures = headline({"one": all_negative, "two": measure(LABELS, LABELS)}).figures
    assert len(figures) == 8
    assert figures["one, accuracy"] == 0.8
