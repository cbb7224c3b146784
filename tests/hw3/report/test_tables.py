"""The notebook's tables and figures say what was computed, and can be read."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hw3.features import Features
from hw3.report import figures
from hw3.report import tables as report
from hw3.report.experiments import Comparison, Trial
from hw3.roc import auc, one_vs_rest, roc_curve
from hw3.softmax_regression import History
from tests.hw3.conftest import history


@pytest.fixture
def trials():
    return tuple(
        Trial("learning_rate", value, history(offset=value)) for value in (0.001, 0.03, 0.1)
    )


@pytest.fixture
def curves():
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=300)
    return one_vs_rest(y, rng.random((300, 10)) + np.eye(10)[y], np.arange(10))


def drawn(figure):
    """Draw for real, so that a figure that cannot be laid out fails here."""
    FigureCanvasAgg(figure).draw()
    return figure


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_every_tenth_epoch_and_the_last_are_tabulated():
    table = report.history_table(history(25), every=10)
    assert table.index.tolist() == [10, 20, 25]
    assert table.loc[20].tolist() == ["0.6200", "0.6900", "0.6800"]
    assert report.history_table(history(20), every=10).index.tolist() == [10, 20]
    assert report.history_table(history(3), every=10).index.tolist() == [3]


def test_without_a_test_set_the_table_has_no_column_for_it():
    table = report.history_table(History((1.0,), (0.5,), (), False))
    assert list(table) == ["loss", "train accuracy"]


def test_a_sweep_has_a_row_for_each_value(trials):
    table = report.sweep_table(trials)
    assert table.index.tolist() == ["0.001", "0.03", "0.1"]
    assert table.columns.name == "learning rate"


def test_each_kind_of_features_is_a_row():
    rows = (Comparison("pixels", 784, 0.9, 0.8), Comparison("network", 2048, 0.5, 0.85))
    assert report.comparison_table(rows).loc["network"].tolist() == ["2,048", "0.5000", "0.8500"]


def test_features_are_described_with_network_and_weights():
    made = Features(np.zeros((3, 8), np.float32), np.zeros(3, int), "resnet50", "untrained", "gray")
    text = report.features_statement(made, made).data
    for part in ("resnet50, untrained", "gray", "(3, 8)", "(3,)"):
        assert part in text


@pytest.mark.hw3_q3
def test_each_category_has_its_area(curves):
    table = report.auc_table(curves)
    assert table.index.tolist() == [str(digit) for digit in range(10)]
    assert (table["AUC"].astype(float) > 0.9).all()


@pytest.mark.hw3_q3
def test_the_headline_names_what_was_reached(curves):
    figures = report.headline(history(25), 9, curves).figures
    assert figures["epochs"] == 25
    assert figures["test accuracy"] == pytest.approx(0.73)
    assert figures["AUC of category 9"] == auc(curves[9])
    assert figures["mean AUC of all categories"] == pytest.approx(
        np.mean([auc(curve) for curve in curves.values()])
    )


def test_sample_digits_carry_their_labels(digits):
    figure = drawn(figures.sample_digits(digits["train"]))
    assert [axes.get_title() for axes in figure.axes] == [f"label {digit}" for digit in range(10)]
    shown = figure.axes[7].images[0].get_array()
    first = np.flatnonzero(digits["train"].labels == 7)[0]
    np.testing.assert_array_equal(shown, digits["train"].images[first])


def test_both_accuracies_are_plotted_together_and_named_in_a_legend():
    loss, accuracy = drawn(figures.training_curves(history())).axes
    assert legend(loss) == ["training loss"]
    assert legend(accuracy) == ["training set", "test set"]
    for axes, number, values in (
        (loss, 0, history().loss),
        (accuracy, 0, history().train_accuracy),
        (accuracy, 1, history().test_accuracy),
    ):
        drawn_points = axes.lines[number].get_xydata()
        np.testing.assert_allclose(drawn_points, list(enumerate(values, start=1)))


def test_a_sweep_has_a_line_and_a_name_for_each_value(trials):
    loss, accuracy = drawn(figures.sweep_curves(trials)).axes
    for number, trial in enumerate(trials):
        np.testing.assert_allclose(loss.lines[number].get_ydata(), trial.history.loss)
        np.testing.assert_allclose(accuracy.lines[number].get_ydata(), trial.history.test_accuracy)
    assert legend(accuracy) == ["0.001", "0.03", "0.1"]
    assert accuracy.get_legend().get_title().get_text() == "learning rate"


@pytest.mark.hw3_q3
def test_the_roc_figure_shows_the_curve_its_area_and_guessing():
    curve = roc_curve([0, 1, 0, 1], [1, 2, 3, 4])
    whole, corner = drawn(figures.roc(curve, 9)).axes
    for axes in (whole, corner):
        points = np.column_stack([curve.fpr, curve.tpr])
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), points)
    assert legend(whole) == ["AUC = 0.7500", "guessing, AUC = 0.5"]
    assert whole.get_legend().get_title().get_text() == "category 9 against the rest"
    assert whole.get_xlabel() == corner.get_xlabel() == "false-positive rate"


@pytest.mark.hw3_q3
def test_all_categories_are_on_one_figure_with_their_areas(curves):
    whole, _ = drawn(figures.roc_all(curves)).axes
    assert [text.split(":")[0] for text in legend(whole)] == [str(digit) for digit in range(10)]
    looks = {
        (
            line.get_color() if isinstance(line.get_color(), str) else tuple(line.get_color()),
            line.get_linestyle(),
        )
        for line in whole.lines[:10]
    }
    assert len(looks) == 10
