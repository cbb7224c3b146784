"""Coding part 1: tables of the numbers."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from hw4.flowers import Predictions, load_flowers
from hw4.report.flower_tables import (
    confusion_table,
    headline,
    paired_table,
    reference_table,
    result_table,
    search_table,
    split_table,
    standard_error,
)
from tests.hw4.conftest import DRAWN

pytestmark = pytest.mark.hw4_flowers

NAMES = ("rose", "lily", "daisy")


@pytest.mark.handed_out
def test_the_split_in_numbers():
    table = split_table(load_flowers(DRAWN, "official", "resnet18", 32))
    assert table.index.tolist() == ["train", "val", "test"]
    assert table["images"].tolist() == ["360", "120", "120"]
    assert table["share"].tolist() == ["60.0%", "20.0%", "20.0%"]
    assert table["of the smallest class"].tolist() == ["36", "12", "12"]


@pytest.mark.handed_out
def test_a_class_that_a_part_lacks_is_seen_in_the_table(flower_folder):
    # Of three images one class has two in train and none in val.
    root = flower_folder((1, 1, 1, 2, 2, 2), {"trnid": [1, 4], "valid": [2, 3], "tstid": [5]})
    table = split_table(load_flowers(root, "official", "resnet18", 32))
    assert table["classes"].tolist() == ["2", "1", "1"]
    assert table["of the smallest class"].tolist() == ["1", "0", "0"]


def test_a_search_has_a_column_for_each_rate_and_names_the_one_taken(make_history):
    searches = {
        "scratch": {
            0.01: make_history((0.5,), seconds=2.0),
            0.1: make_history((0.4, 0.7), "the loss became nan", seconds=2.0),
        },
        "finetune": {0.01: make_history((), "nan"), 0.1: make_history((), "nan")},
    }
    table = search_table(searches)
    assert table.loc["A (scratch)"].tolist() == ["0.5000", "diverged in epoch 3", "0.01", "6"]
    assert table.loc["B (fine-tuned)", "taken"] == "0.01 (the lowest)"


def test_a_rate_that_was_given_up_has_the_accuracy_of_its_first_epoch(make_history):
    hopeless = dataclasses.replace(make_history((0.1,)), given_up=True)
    table = search_table({"scratch": {0.01: make_history((0.5, 0.6)), 0.1: hopeless}})
    assert table.loc["A (scratch)"].tolist()[:3] == ["0.6000", "0.1000, given up", "0.01"]


@pytest.mark.handed_out
def test_validation_against_test_with_their_standard_errors(results):
    row = result_table(results).loc["B (fine-tuned)"]
    assert row["best epoch"] == "2 of 2"
    both = math.sqrt(0.95 * 0.05 / 100 + 0.9 * 0.1 / 100)
    assert (row["validation"], row["test"]) == ("0.9500", "0.9000 ± 0.0300")
    assert row["difference"] == f"+0.0500 ± {both:.4f}"
    assert row["seconds"] == "3"


@pytest.mark.handed_out
def test_a_mode_that_learned_nothing_has_no_accuracy(make_result):
    failed = make_result(accuracies=(), diverged="the training loss became nan in epoch 1")
    row = result_table({"scratch": failed}).loc["A (scratch)"]
    assert row["best epoch"] == "0 of 0, diverged in 1"
    assert set(row[["validation", "test", "difference"]]) == {"–"}
    assert headline({"scratch": failed}).figures == {}


@pytest.mark.handed_out
def test_the_most_frequent_confusions_come_first():
    labels = np.array([0, 1, 1, 2, 2, 2])
    taken = np.array([0, 1, 2, 1, 1, 2])
    table = confusion_table(Predictions(labels, np.eye(3)[taken]), NAMES)
    assert table.index.tolist() == ["daisy", "lily"]
    assert table.to_numpy().tolist() == [["lily", "2", "3"], ["daisy", "1", "2"]]


@pytest.mark.handed_out
def test_if_nothing_is_confused_it_says_so():
    perfect = Predictions(np.arange(3), np.eye(3))
    assert "No class is taken" in confusion_table(perfect, NAMES).data


@pytest.mark.handed_out
def test_the_reference_is_not_put_beside_another_task(results):
    sets = load_flowers(DRAWN, "official", "efficientnet_lite0", 32)
    said = reference_table(results, sets, "efficientnet_lite0").data
    assert "10 kinds of flowers here, 102 kinds of flowers there" in said
    assert "efficientnet_lite0 here, resnet18 there" in said
    assert "the official split here" in said


@pytest.mark.handed_out
def test_the_reference_is_put_beside_the_same_task(results, flower_folder):
    root = flower_folder(np.repeat(np.arange(1, 103), 3), parts=None, size=(4, 3))
    sets = load_flowers(root, "homework", "resnet18", 32)
    table = reference_table(results, sets, "resnet18")
    assert isinstance(table, pd.DataFrame)
    assert table["reference, 10 epochs"].tolist() == ["0.540", "0.970", "0.965"]
    assert table["reference, 30 epochs"].tolist() == ["0.667", "0.957", "0.961"]
    assert table["this run"].tolist() == ["0.400 ± 0.049", "0.900 ± 0.030", "0.900 ± 0.030"]
    # Another backbone alone makes it another task.
    assert "(resnet50 here, resnet18 there)" in reference_table(results, sets, "resnet50").data


@pytest.mark.handed_out
def test_the_headline_has_both_accuracies_of_each_mode(results):
    figures = headline(results).figures
    assert list(figures)[:2] == ["A (scratch), validation accuracy", "A (scratch), test accuracy"]
    assert figures["C (last layers), test accuracy"] == 0.9
    assert len(figures) == 6


@pytest.mark.handed_out
def test_the_standard_error_is_the_scatter_of_accuracies_that_chance_gives():
    right = np.random.default_rng(0).random((4000, 50)) < 0.8
    labels = np.zeros(50, np.int64)
    found = Predictions(labels, np.eye(2)[(np.arange(50) >= 40).astype(int)])
    assert found.accuracy == 0.8
    assert standard_error(found) == pytest.approx(right.mean(axis=1).std(), rel=0.05)


@pytest.mark.handed_out
def test_pairs_of_modes_differ_by_the_images_that_one_alone_has_right(results):
    table = paired_table(results)
    assert table.index.tolist() == [
        "B (fine-tuned) − A (scratch)",
        "C (last layers) − A (scratch)",
        "C (last layers) − B (fine-tuned)",
    ]
    assert table["first alone right"].tolist() == ["50", "60", "10"]
    assert table["second alone right"].tolist() == ["0", "10", "10"]
    assert table["difference in points"].tolist()[::2] == ["+50.0 ± 5.0", "+0.0 ± 4.5"]
    # The standard error is the scatter of the paired differences of single images.
    pairs = np.isin(np.arange(100), range(10, 100)) - (np.arange(100) < 40).astype(float)
    error = 100 * pairs.std() / math.sqrt(100)
    assert table["difference in points"].tolist()[1] == f"+50.0 ± {error:.1f}"


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("first", "second", "p"), [(0, 0, 1), (5, 0, 2 / 2**5), (6, 0, 2 / 2**6), (7, 1, 18 / 2**8)]
)
def test_p_is_the_exact_chance_of_as_large_a_difference(make_result, first, second, p):
    """Between equal networks each image that one alone has right falls to either like a coin."""
    one = make_result(right=[*range(first), *range(50, 90)])
    two = make_result(right=[*range(10, 10 + second), *range(50, 90)])
    for pair in ({"scratch": one, "finetune": two}, {"scratch": two, "finetune": one}):
        assert paired_table(pair)["p"].tolist() == [f"{p:.2g}"]


@pytest.mark.handed_out
def test_a_mode_that_learned_nothing_is_compared_with_none(results, make_result):
    failed = make_result(accuracies=())
    results["scratch"] = failed
    assert paired_table(results).index.tolist() == ["C (last layers) − B (fine-tuned)"]
    assert len(paired_table(dict.fromkeys(results, failed))) == 0
