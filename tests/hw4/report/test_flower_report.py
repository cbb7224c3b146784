"""Coding part 1, the report: tables of the numbers, and sentences that follow from them."""

import math

import numpy as np
import pandas as pd
import pytest

from hw4.flowers import LearningRateSearch, Predictions, load_flowers
from hw4.report.flower_conclusion import (
    alone_right,
    conclusion,
    more_than_chance,
    paired_difference,
)
from hw4.report.flower_tables import (
    confusion_table,
    headline,
    reference_table,
    result_table,
    search_table,
    split_table,
    standard_error,
)

pytestmark = pytest.mark.hw4_flowers

MODES = ("scratch", "finetune", "last_layers")
NAMES = ("rose", "lily", "daisy")


@pytest.fixture
def results(make_result):
    """Return three modes of which B and C have other images right, but equally many."""
    return {
        "scratch": make_result(right=range(40), seconds=2.0),
        "finetune": make_result(right=range(90), seconds=2.0),
        "last_layers": make_result(right=range(10, 100), seconds=0.5),
    }


def text(results):
    return conclusion(results).data


def test_the_split_in_numbers(flowers_root):
    table = split_table(load_flowers(flowers_root, "official", "resnet18", 32))
    assert table.index.tolist() == ["train", "val", "test"]
    assert table["images"].tolist() == ["360", "120", "120"]
    assert table["share"].tolist() == ["60.0%", "20.0%", "20.0%"]
    assert table["of the smallest class"].tolist() == ["36", "12", "12"]


def test_a_class_that_a_part_lacks_is_seen_in_the_table(flower_folder):
    # Of three images one class has two in train and none in val.
    root = flower_folder((1, 1, 1, 2, 2, 2), {"trnid": [1, 4], "valid": [2, 3], "tstid": [5]})
    table = split_table(load_flowers(root, "official", "resnet18", 32))
    assert table["classes"].tolist() == ["2", "1", "1"]
    assert table["of the smallest class"].tolist() == ["1", "0", "0"]


def test_a_search_has_a_column_for_each_rate_and_names_the_one_taken(make_history):
    searches = {
        "scratch": LearningRateSearch(
            {
                0.01: make_history((0.5,), seconds=2.0),
                0.1: make_history((0.4, 0.7), "the loss became nan", seconds=2.0),
            }
        ),
        "finetune": LearningRateSearch(
            {0.01: make_history((), "nan"), 0.1: make_history((), "nan")}
        ),
    }
    table = search_table(searches)
    assert table.loc["A (scratch)"].tolist() == ["0.5000", "diverged in epoch 3", "0.01", "6"]
    assert table.loc["B (fine-tuned)", "taken"] == "0.01 (the lowest)"


def test_validation_against_test_with_the_standard_error(results):
    row = result_table(results).loc["B (fine-tuned)"]
    assert row["best epoch"] == "2 of 2"
    assert (row["validation"], row["test"], row["difference"]) == ("0.9500", "0.9000", "+0.0500")
    assert row["std. error (test)"] == f"{math.sqrt(0.9 * 0.1 / 100):.4f}"
    assert row["seconds"] == "4"


def test_a_mode_that_learned_nothing_has_no_accuracy(make_result):
    failed = make_result(accuracies=(), diverged="the training loss became nan in epoch 1")
    row = result_table({"scratch": failed}).loc["A (scratch)"]
    assert row["best epoch"] == "0 of 0, diverged in 1"
    assert set(row[["validation", "test", "difference", "std. error (test)"]]) == {"–"}
    assert headline({"scratch": failed}).figures == {}


def test_the_most_frequent_confusions_come_first():
    labels = np.array([0, 0, 0, 1, 1, 2])
    taken = np.array([1, 1, 0, 1, 2, 2])
    table = confusion_table(Predictions(labels, np.eye(3)[taken]), NAMES)
    assert table.index.tolist() == ["rose", "lily"]
    assert table.to_numpy().tolist() == [["lily", "2", "3"], ["daisy", "1", "2"]]
    assert len(confusion_table(Predictions(labels, np.eye(3)[taken]), NAMES, count=1)) == 1


def test_if_nothing_is_confused_it_says_so():
    perfect = Predictions(np.arange(3), np.eye(3))
    assert "No class is taken" in confusion_table(perfect, NAMES).data


def test_the_reference_is_not_put_beside_another_task(results, flowers_root):
    sets = load_flowers(flowers_root, "official", "efficientnet_lite0", 32)
    said = reference_table(results, sets, "efficientnet_lite0").data
    assert "600 flowers of 10 kinds here, Oxford's 8,189 of 102 there" in said
    assert "efficientnet_lite0 here, resnet18 there" in said
    assert "the official split here" in said


def test_the_reference_is_put_beside_the_same_task(results, flower_folder, monkeypatch):
    # Three images of each kind stand in for the 8,189.
    monkeypatch.setattr("hw4.report.flower_tables.OXFORD_IMAGES", 306)
    root = flower_folder(np.repeat(np.arange(1, 103), 3), parts=None, size=(4, 3))
    table = reference_table(results, load_flowers(root, "homework", "resnet18", 32), "resnet18")
    assert isinstance(table, pd.DataFrame)
    assert table["reference, 10 epochs"].tolist() == ["0.540", "0.970", "0.965"]
    assert table["reference, 30 epochs"].tolist() == ["0.667", "0.957", "0.961"]
    assert table["this run"].tolist() == ["0.400 ± 0.049", "0.900 ± 0.030", "0.900 ± 0.030"]
    # Another backbone alone makes it another task.
    said = reference_table(results, load_flowers(root, "homework", "resnet50", 32), "resnet50").data
    assert "(resnet50 here, resnet18 there)" in said


def test_the_headline_has_both_accuracies_of_each_mode(results):
    figures = headline(results).figures
    assert list(figures)[:2] == ["A (scratch), validation accuracy", "A (scratch), test accuracy"]
    assert figures["C (last layers), test accuracy"] == 0.9
    assert len(figures) == 6


def test_the_standard_error_is_the_scatter_of_accuracies_that_chance_gives():
    right = np.random.default_rng(0).random((4000, 50)) < 0.8
    labels = np.zeros(50, np.int64)
    found = Predictions(labels, np.eye(2)[(np.arange(50) >= 40).astype(int)])
    assert found.accuracy == 0.8
    assert standard_error(found) == pytest.approx(right.mean(axis=1).std(), rel=0.05)


def test_the_paired_difference_is_that_of_the_accuracies_with_the_scatter_of_its_pairs():
    rng = np.random.default_rng(1)
    labels = np.zeros(200, np.int64)
    one, two = (
        Predictions(labels, np.eye(2)[(rng.random(200) > share).astype(int)])
        for share in (0.9, 0.7)
    )
    gap, error = paired_difference(one, two)
    assert gap == pytest.approx(one.accuracy - two.accuracy)
    pairs = (one.classes == 0).astype(float) - (two.classes == 0)
    assert error == pytest.approx(pairs.std() / math.sqrt(200))
    assert paired_difference(two, one) == (pytest.approx(-gap), pytest.approx(error))
    assert paired_difference(one, one) == (0, 0)
    f, s = alone_right(one, two)
    assert (f - s) / 200 == pytest.approx(gap)


@pytest.mark.parametrize(
    ("first", "second", "certain"), [(0, 0, False), (5, 0, False), (6, 0, True), (7, 1, False)]
)
def test_a_few_images_that_one_alone_has_right_may_be_chance(first, second, certain):
    """Between equal networks 5 to 0 comes once in sixteen times, 6 to 0 once in 32."""
    labels = np.zeros(120, int)
    right, wrong = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    one = np.tile(right, (120, 1))
    two = one.copy()
    two[:first] = wrong
    one[first : first + second] = wrong
    pair = Predictions(labels, one), Predictions(labels, two)
    assert more_than_chance(*pair) == more_than_chance(*pair[::-1]) == certain


def test_predictions_of_different_images_are_not_compared(make_result):
    other = Predictions(np.ones(100, np.int64), np.eye(4)[np.zeros(100, int)])
    with pytest.raises(ValueError, match="different images"):
        paired_difference(make_result().test, other)


def test_the_modes_are_named_from_the_best_to_the_worst(results):
    said = text(results)
    assert said.index("B (fine-tuned) 90.0%") < said.index("A (scratch) 40.0% ± 4.9%")
    assert "Of the 100 test images" in said
    assert "Guessing among 4 classes would give 25.0%" in said


def test_ahead_or_behind_or_not_to_be_told(make_result):
    """Each of the three sentences about ImageNet stands where the numbers say so."""
    for right, sentence in (
        (
            range(90),
            "ahead of A (scratch) by 50.0 points (standard error 5.0), more than chance",
        ),
        (range(10), "behind A (scratch) by 30.0 points (standard error 4.6), more than chance"),
        (
            range(41),
            "is ahead of A (scratch) by 1.0 points (standard error 1.0), which may be chance",
        ),
        (
            range(39),
            "is behind A (scratch) by 1.0 points (standard error 1.0), which may be chance",
        ),
        (range(40), "has as many images right as A (scratch)"),
    ):
        results = {
            "scratch": make_result(right=range(40)),
            "last_layers": make_result(right=right),
        }
        assert sentence in text(results)
        assert "**B or C.**" not in text(results)


def test_the_weaker_of_b_and_c_is_held_against_a(results, make_result):
    results["finetune"] = make_result(right=range(70))
    assert "B (fine-tuned), the weaker of those that start from ImageNet, is ahead" in text(results)


def test_b_and_c_apart_or_not(results, make_result):
    said = text(results)
    assert "10 images are right in B alone and 10 in C alone: B minus C is +0.0 points" in said
    assert "within chance" in said
    assert "An epoch took 2.0 s in B and 0.5 s in C, which trains fewer layers." in said
    results["last_layers"] = make_result(right=range(50), seconds=3.0)
    said = text(results)
    assert "more than chance, in favour of B" in said
    assert "though C trains fewer layers" in said
    results["finetune"] = make_result(right=range(10))
    assert "more than chance, in favour of C" in text(results)


def test_validation_apart_from_test_or_not(results, make_result):
    assert "None is beyond 2 standard errors" in text(results)
    results["scratch"] = make_result(right=range(40), validation=0.95)
    said = text(results)
    assert "A (scratch) +55.0 ± " in said
    assert "Beyond 2 standard errors: A (scratch)." in said
    assert "None is beyond" not in said


def test_a_mode_that_learned_nothing_is_named_and_left_out(results, make_result):
    report = "the training loss became nan in epoch 1, at learning rate 0.003; take a lower one"
    results["scratch"] = make_result(accuracies=(), diverged=report)
    said = text(results)
    assert f"**A (scratch)** has learned nothing: {report}." in said
    assert said.count("A (scratch)") == 1
    assert "**B or C.**" in said
    failed = make_result(accuracies=(), diverged=report)
    alone = text(dict.fromkeys(MODES, failed))
    assert alone.count("has learned nothing") == 3
    assert "**Validation and test.**" not in alone
