"""The notebook's conclusions follow from the numbers that were computed."""

import pytest

from hw4.imbalanced import measure
from hw4.report import statements
from hw4.report.flower_tables import paired_table
from hw4.theory.radial_neuron import Circle

LABELS = [0] * 8 + [1] * 2
ALL_NEGATIVE, ALL_POSITIVE = measure(LABELS, [0] * 10), measure(LABELS, [1] * 10)


@pytest.mark.parametrize(
    ("first", "second", "differ"), [(5, 0, False), (6, 0, True), (7, 1, False)]
)
def test_pairs_that_chance_alone_would_hardly_make_are_named(make_result, first, second, differ):
    one = make_result(right=[*range(first), *range(50, 90)])
    two = make_result(right=[*range(10, 10 + second), *range(50, 90)])
    for pair in ({"scratch": one, "finetune": two}, {"scratch": two, "finetune": one}):
        said = statements.flowers(pair).data
        assert ("B (fine-tuned) − A (scratch)." in said) == differ
        assert ("(p < 0.05): none." in said) == (not differ)


def test_a_p_just_below_the_threshold_counts_although_the_table_rounds_it(make_result):
    """Of 67 images 42 fall to one network: p = 0.0498."""
    pair = {"scratch": make_result(right=range(42)), "finetune": make_result(right=range(42, 67))}
    assert paired_table(pair)["p"].tolist() == ["0.05"]
    assert "(p < 0.05): B (fine-tuned) − A (scratch)." in statements.flowers(pair).data


def test_the_best_mode_is_named_first_and_the_others_with_their_distance(results, make_result):
    results["last_layers"] = make_result(right=range(95))
    said = statements.flowers(results).data
    assert "on the 100 test images: C (last layers) with 95.0% ± 2.2%" in said
    assert "; B (fine-tuned) −5.0 points; A (scratch) −55.0 points." in said
    assert "Guessing among 4 classes would give 25.0%" in said


def test_validation_minus_test_is_said_of_each_mode(results, make_result):
    results["scratch"] = make_result(right=range(40), validation=0.3)
    said = statements.flowers(results).data
    assert "A (scratch) −10.0 ± 6.7; B (fine-tuned) +5.0 ± 3.7; C (last layers)" in said


def test_a_mode_that_learned_nothing_is_named_and_left_out(results, make_result):
    report = "the training loss became nan in epoch 1, at learning rate 0.003; take a lower one"
    failed = make_result(accuracies=(), diverged=report)
    results["scratch"] = failed
    said = statements.flowers(results).data
    assert f"**A (scratch)** has learned nothing and is left out: {report}." in said
    assert said.count("A (scratch)") == 1
    nothing = dict.fromkeys(results, failed)
    assert statements.flowers(nothing).data.count("has learned nothing") == 3
    assert "**Best**" not in statements.flowers(nothing).data


def test_the_words_on_the_curve_hold_its_shape_and_both_numbers_of_mistakes():
    said = statements.separation(ALL_NEGATIVE, measure(LABELS, LABELS), Circle(1.0)).data
    assert "The learned boundary is: circle, radius 1" in said
    assert "0 mistakes, where the line of the balanced batches makes 2" in said
    assert "goes from 50.0% with the line to 100.0% with the curve" in said


def test_the_conclusion_holds_the_counts_and_both_measures():
    said = statements.batches(ALL_NEGATIVE, ALL_POSITIVE).data
    assert "**Plain batches** find 0 of the 2 positives. 80.0% of the answers are right" in said
    assert "the larger class as the answer for all samples would be right for 80.0%" in said
    assert "find 2 of the 2 positives, and call 8 of the 8 negatives positive" in said
    assert "the accuracy goes from 80.0% to 20.0%, and the balanced accuracy from 50.0% to" in said
    assert "4 negatives for each positive" in said
