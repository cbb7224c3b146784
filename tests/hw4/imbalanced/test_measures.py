"""Coding part 2: accuracy and the measures that look at each class by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from hw4.imbalanced import Metrics, measure

pytestmark = pytest.mark.hw4_imbalanced

answers = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({truth for truth, _ in rows}) == 2
)


@given(answers, st.floats(0.01, 100))
def test_agrees_with_scikit_learn(rows, weight):
    """Trap: an accuracy over a literal 128 × 100 and not over the samples there are."""
    truth, guess = np.array(rows).T
    found = measure(truth, guess, weight)
    assert found.accuracy == accuracy_score(truth, guess)
    assert found.tpr == pytest.approx(recall_score(truth, guess), abs=1e-15)
    assert found.tnr == pytest.approx(recall_score(~truth, ~guess), abs=1e-15)
    assert found.balanced_accuracy == pytest.approx(
        balanced_accuracy_score(truth, guess), abs=1e-15
    )
    # Each positive counts w N / P times in an accuracy with weights.
    each = np.where(truth, weight * found.negatives / found.positives, 1)
    assert found.weighted_accuracy == pytest.approx(
        accuracy_score(truth, guess, sample_weight=each), rel=1e-12, abs=1e-15
    )


@given(answers)
def test_what_the_weight_means(rows):
    truth, guess = np.array(rows).T
    plain = measure(truth, guess)
    assert plain.weighted_accuracy == plain.balanced_accuracy
    share = measure(truth, guess, plain.positives / plain.negatives)
    assert share.weighted_accuracy == pytest.approx(plain.accuracy, abs=1e-15)


def test_the_majority_answer_is_80_percent_right_and_useless():
    found = measure([0] * 8 + [1] * 2, [0] * 10)
    assert (found.accuracy, found.tpr, found.tnr, found.balanced_accuracy) == (0.8, 0, 1, 0.5)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 0], [0, 1], "no positive sample among 2"),
        ([1, 1], [0, 1], "no negative sample among 2"),
        ([], [], "no positive sample among 0"),
        ([0, 1], [0], "one length"),
        ([[0, 1]], [[0, 1]], "two vectors"),
        ([0, 2], [0, 1], r"labels holds \[0, 2\]"),
        ([0, 1], [0.5, 1], r"predictions holds \[0.5, 1.0\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        measure(labels, predictions)


@pytest.mark.handed_out
@pytest.mark.parametrize("weight", [0, -1, np.inf, np.nan])
def test_the_weight_must_be_positive(weight):
    with pytest.raises(ValueError, match="positive_weight"):
        Metrics(1, 1, 1, 1, weight)
