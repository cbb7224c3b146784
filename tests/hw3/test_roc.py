"""Question 3: every distinct score a threshold, ties together, exactly scikit-learn's points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from hw3.roc import auc, one_vs_rest, roc_curve

pytestmark = pytest.mark.hw3_q3


@st.composite
def scored(draw, values=None):
    """Labels with both classes, and scores with many ties."""
    n = draw(st.integers(2, 60))
    labels = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    labels[0], labels[-1] = True, False
    numbers = (
        values
        if values is not None
        else st.one_of(
            st.sampled_from([0.0, 0.25, 0.5, 1.0]),
            st.floats(allow_nan=False, allow_infinity=False),
        )
    )
    scores = draw(st.lists(numbers, min_size=n, max_size=n))
    return np.array(labels), np.array(scores)


@given(scored())
def test_it_agrees_with_scikit_learn_exactly(sample):
    labels, scores = sample
    fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    curve = roc_curve(labels, scores)
    np.testing.assert_array_equal(curve.fpr, fpr)
    np.testing.assert_array_equal(curve.tpr, tpr)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    assert auc(curve) == pytest.approx(metrics.roc_auc_score(labels, scores), rel=1e-12)


@given(scored())
def test_each_point_is_what_its_threshold_does(sample):
    """Brute force: call positive what scores at least t, and count."""
    labels, scores = sample
    curve = roc_curve(labels, scores)
    assert curve.thresholds.tolist() == [np.inf, *sorted(set(scores), reverse=True)]
    for fpr, tpr, threshold in zip(curve.fpr, curve.tpr, curve.thresholds, strict=True):
        called = scores >= threshold
        assert tpr == np.count_nonzero(called & labels) / np.count_nonzero(labels)
        assert fpr == np.count_nonzero(called & ~labels) / np.count_nonzero(~labels)


@given(scored())
def test_it_starts_at_zero_ends_at_one_and_never_falls(sample):
    curve = roc_curve(*sample)
    assert (curve.fpr[0], curve.tpr[0]) == (0, 0)
    assert (curve.fpr[-1], curve.tpr[-1]) == (1, 1)
    assert (np.diff(curve.fpr) >= 0).all()
    assert (np.diff(curve.tpr) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()


@given(scored())
def test_the_area_counts_pairs_in_the_right_order(sample):
    labels, scores = sample
    ahead = scores[labels][:, None] > scores[~labels]
    tied = scores[labels][:, None] == scores[~labels]
    assert auc(roc_curve(labels, scores)) == pytest.approx(np.mean(ahead + 0.5 * tied), rel=1e-12)


@given(scored(values=st.integers(-3, 3)), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(sample, random):
    labels, scores = sample
    order = np.array(random.sample(range(len(labels)), len(labels)))
    one, other = roc_curve(labels, scores), roc_curve(labels[order], scores[order])
    np.testing.assert_array_equal(one.fpr, other.fpr)
    np.testing.assert_array_equal(one.tpr, other.tpr)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_ten_thousand_scores_with_ties_agree_exactly_in_any_precision(kind):
    rng = np.random.default_rng(3)
    labels = rng.random(10_000) < 0.1
    scores = (100 * rng.normal(size=10_000)).round().astype(kind)
    curve = roc_curve(labels, scores)
    expected = metrics.roc_curve(labels, scores, drop_intermediate=False)
    for ours, theirs in zip((curve.fpr, curve.tpr, curve.thresholds), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_equal_scores_are_one_step():
    curve = roc_curve([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5])
    assert curve.fpr.tolist() == curve.tpr.tolist() == [0, 1]
    assert auc(curve) == 0.5


def test_perfect_and_worst_order():
    assert auc(roc_curve([0, 0, 1], [1, 2, 3])) == 1
    assert auc(roc_curve([1, 0, 0], [1, 2, 3])) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([1, 1, 1], [1, 2, 3], "3 of 3 samples are positive"),
        ([0, 0], [1, 2], "0 of 2 samples are positive"),
        ([], [], "0 of 0 samples are positive"),
        ([0, 1, 2], [1, 2, 3], r"y_true holds \[0, 1, 2\].*y_true == 9"),
        ([0, 1], [1, np.nan], "not a finite number"),
        ([0, 1], [1, np.inf], "not a finite number"),
        ([0, 1], ["a", "b"], "not a finite number"),
        ([0, None], [1, 2], r"y_true holds \[0, None\]"),
        (["0", "1"], [1, 2], r"y_true holds \['0', '1'\]"),
        ([0, 1], [1, 2, 3], r"y_true \(2,\) and y_score \(3,\)"),
        ([[0, 1]], [[1, 2]], r"y_true \(1, 2\)"),
    ],
)
def test_what_has_no_curve_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        roc_curve(labels, scores)


def test_one_vs_rest_gives_each_class_its_curve():
    rng = np.random.default_rng(1)
    classes = np.array(["cat", "dog", "eel"])
    labels = classes[rng.integers(3, size=80)]
    P = rng.dirichlet(np.ones(3), size=80)
    curves = one_vs_rest(labels, P, classes)
    assert list(curves) == ["cat", "dog", "eel"]
    for column, label in enumerate(classes):
        expected = metrics.roc_auc_score(labels == label, P[:, column])
        assert auc(curves[label]) == pytest.approx(expected, rel=1e-12)


def test_one_vs_rest_names_the_class_that_is_absent():
    with pytest.raises(ValueError, match="class 2 against the rest: 0 of 3 samples"):
        one_vs_rest([0, 1, 1], np.ones((3, 3)) / 3, [0, 1, 2])


@pytest.mark.parametrize("classes", [[0, 1, 0], ["a", "b", "b"]])
def test_one_vs_rest_refuses_a_class_that_stands_twice(classes):
    with pytest.raises(ValueError, match=r"classes are \[.*\], expected each class once"):
        one_vs_rest(classes, np.ones((3, 3)) / 3, classes)


def test_one_vs_rest_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\(2,\), \(2, 3\) and \(2,\)"):
        one_vs_rest([0, 1], np.ones((2, 3)), [0, 1])
