"""The notebook's conclusions say what was computed."""

from hw3.report import statements
from hw3.report.experiments import Comparison, Trial
from hw3.roc import roc_curve
from hw3.softmax_regression import History
from tests.hw3.conftest import history


def test_the_final_accuracies_are_stated():
    text = statements.final_accuracies(history(25)).data
    assert "After 25 epochs (the last epoch allowed)" in text
    assert "training accuracy **0.7400**, test accuracy **0.7300**" in text
    stopped = History((1.0,), (0.5,), (0.4,), converged=True)
    assert "the weights had stopped moving" in statements.final_accuracies(stopped).data
    undone = History((1.0,), (0.5,), (0.4,), converged=False, overflowed=True)
    assert "the loss overflowed in the last one" in statements.final_accuracies(undone).data


def test_a_sweep_names_its_best_and_worst():
    trials = [Trial("learning_rate", value, history()) for value in (0.001, 0.03)]
    better = Trial("learning_rate", 0.3, history(40))
    text = statements.sweep_ends((*trials, better)).data
    assert "ends at 0.8800 with learning rate 0.3, the highest, and at 0.7300 with" in text
    assert "to 0.220, with 0.3; there the training accuracy is 1.0 points higher" in text
    alone = statements.sweep_ends((better,)).data
    assert "ends at 0.8800 with learning rate 0.3. The" in alone


def test_the_comparison_is_honest_when_the_last_row_is_behind():
    rows = (Comparison("pixels", 784, 0.9, 0.8), Comparison("network", 2048, 0.5, 0.85))
    text = statements.feature_gains(rows).data
    assert "*network* has a test accuracy" in text
    assert "- pixels: 40.0 points lower as they are, 5.0 points higher standardised" in text


def test_areas_are_ranked():
    curves = {"a": roc_curve([0, 1], [0, 1]), "b": roc_curve([0, 1, 0], [0, 1, 2])}
    text = statements.area_rank("b", curves).data
    assert "Category b has an area of **0.5000**, rank 2 of 2" in text
    assert "easiest to tell from the rest is a (1.0000), the hardest b (0.5000)" in text
