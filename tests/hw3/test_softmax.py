"""Question 2, the mathematics: against PyTorch, against a numerical gradient, and at the limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional

from hw3.softmax import (
    accuracy,
    all_logits,
    apply_gradients,
    cross_entropy,
    gradient,
    log_softmax,
    logits,
    one_hot,
    predict,
    predict_proba,
    softmax,
)

pytestmark = pytest.mark.hw3_q2

PRECISIONS = [np.float32, np.float64]


@st.composite
def problems(draw, magnitude=10.0):
    """Weights W (d + 1, K), features X (m, d) and one-hot labels Y (m, K)."""
    m, d, K = draw(st.integers(1, 12)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    numbers = st.floats(-magnitude, magnitude, allow_subnormal=False)
    W = draw(arrays(np.float64, (d + 1, K), elements=numbers))
    X = draw(arrays(np.float64, (m, d), elements=numbers))
    y = draw(arrays(np.int64, m, elements=st.integers(0, K - 1)))
    return W, X, np.eye(K)[y]


# One-hot labels


def test_one_hot_is_one_at_the_class_and_zero_elsewhere():
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert one_hot(np.array([2, 0, 1, 2]), np.arange(3)).tolist() == expected


def test_labels_need_not_be_zero_to_k_minus_one():
    assert one_hot(np.array([20, -1]), np.array([-1, 20])).tolist() == [[0, 1], [1, 0]]
    assert one_hot(np.array(["b", "a"]), np.array(["a", "b"])).tolist() == [[0, 1], [1, 0]]


def test_a_test_set_that_lacks_a_class_lines_up_with_the_training_classes():
    encoded = one_hot(np.array([9, 3]), classes=np.array([1, 3, 9]))
    assert encoded.tolist() == [[0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("unknown", [0, 2, 10])
def test_a_label_that_is_no_class_is_named(unknown):
    with pytest.raises(ValueError, match=rf"labels \[{unknown}\] are not among .*\[1, 3, 9\]"):
        one_hot(np.array([1, unknown]), classes=np.array([1, 3, 9]))


# Softmax


@given(arrays(np.float64, (4, 5), elements=st.floats(-100, 100)))
def test_adding_a_thousand_to_the_logits_changes_nothing(Z):
    np.testing.assert_allclose(softmax(Z + 1000), softmax(Z), rtol=1e-12)


@given(arrays(np.float64, (4, 5), elements=st.floats(-50, 50)))
def test_softmax_and_its_logarithm_are_pytorchs(Z):
    expected = torch.softmax(torch.tensor(Z), dim=1).numpy()
    np.testing.assert_allclose(softmax(Z), expected, rtol=1e-12)
    expected = torch.log_softmax(torch.tensor(Z), dim=1).numpy()
    np.testing.assert_allclose(log_softmax(Z), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_rows_sum_to_one_however_large_the_logits(dtype, data):
    numbers = st.floats(-(2.0**120), 2.0**120, width=8 * np.dtype(dtype).itemsize)
    P = softmax(data.draw(arrays(dtype, (4, 5), elements=numbers)))
    assert P.dtype == dtype
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_each_row_is_shifted_by_its_own_maximum(dtype):
    """Shifted by the maximum of the matrix, the second row would be 0 / 0."""
    P = softmax(np.array([[9000, 9001], [-9000, -9001]], dtype))
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P, P[::-1, ::-1], rtol=1e-6)
    assert P[0, 1] == pytest.approx(1 / (1 + np.exp(-1)), rel=1e-6)


# Cross-entropy


@given(problems())
def test_cross_entropy_is_pytorchs(problem):
    W, X, Y = problem
    Z = logits(W, X)
    expected = functional.cross_entropy(torch.tensor(Z), torch.tensor(Y)).item()
    assert cross_entropy(Z, Y) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_probability_of_zero_costs_a_finite_amount(dtype):
    """The probability underflows to 0. The loss is the difference of the logits all the same."""
    Z = np.array([[0, 5000]], dtype)
    assert softmax(Z)[0, 0] == 0
    assert cross_entropy(Z, np.array([[1, 0]], dtype)) == 5000


def test_guessing_costs_log_k():
    assert cross_entropy(np.zeros((7, 10)), np.eye(10)[np.arange(7)]) == pytest.approx(np.log(10))


# Logits, gradient and step


def test_logits_are_those_of_features_with_a_column_of_ones():
    rng = np.random.default_rng(0)
    W, X = rng.normal(size=(6, 3)), rng.normal(size=(20, 5))
    with_ones = np.hstack([X, np.ones((20, 1))])
    np.testing.assert_allclose(logits(W, X), with_ones @ W, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 47, 48, 101])
@pytest.mark.parametrize("width", [0, 1, 7])
def test_logits_of_many_rows_are_the_same(rows, width):
    """They are multiplied 48 rows at a time, in whatever order the features lie in memory."""
    rng = np.random.default_rng(0)
    W, wide = rng.normal(size=(width + 1, 3)), rng.normal(size=(rows, 2 * width))
    for X in (wide[:, :width], wide[:, ::2], np.asfortranarray(wide[:, :width])):
        np.testing.assert_allclose(all_logits(W, X), logits(W, X), rtol=1e-12, atol=1e-12)


@given(problems(magnitude=2.0))
def test_the_gradient_is_the_numerical_one(problem):
    W, X, Y = problem
    numerical = np.empty_like(W)
    step = 1e-5
    for index in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[index] += step
        down[index] -= step
        rise = cross_entropy(logits(up, X), Y) - cross_entropy(logits(down, X), Y)
        numerical[index] = rise / (2 * step)
    np.testing.assert_allclose(gradient(W, X, Y), numerical, rtol=1e-5, atol=1e-8)


@given(problems())
def test_the_gradient_is_pytorchs(problem):
    W, X, Y = problem
    parameters = torch.tensor(W, requires_grad=True)
    Z = torch.tensor(X) @ parameters[:-1] + parameters[-1]
    functional.cross_entropy(Z, torch.tensor(Y)).backward()
    np.testing.assert_allclose(gradient(W, X, Y), parameters.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_step_goes_down_the_gradient_and_leaves_its_input_alone(dtype):
    rng = np.random.default_rng(0)
    W, X = rng.normal(size=(4, 3)).astype(dtype), rng.normal(size=(20, 3)).astype(dtype)
    Y = np.eye(3, dtype=dtype)[[0, 1] * 10]
    before = W.copy()
    stepped = apply_gradients(W, X, Y, 0.1)
    np.testing.assert_array_equal(W, before)
    assert stepped.dtype == dtype
    np.testing.assert_allclose(stepped, W - 0.1 * gradient(W, X, Y), rtol=1e-6)
    assert cross_entropy(logits(stepped, X), Y) < cross_entropy(logits(W, X), Y)


def test_the_bias_is_learned():
    """Features that are all zero leave only the bias to learn the class frequencies."""
    X, Y = np.zeros((4, 2)), np.eye(2)[[0, 0, 0, 1]]
    W = np.zeros((3, 2))
    for _ in range(2000):
        W = apply_gradients(W, X, Y, 1.0)
    np.testing.assert_allclose(predict_proba(W, X), np.tile([0.75, 0.25], (4, 1)), rtol=1e-6)
    assert not W[:-1].any()


# Prediction


@given(problems())
def test_the_predicted_class_is_the_most_probable(problem):
    W, X, Y = problem
    classes = 10 * np.arange(Y.shape[1])
    P, predicted = predict_proba(W, X), predict(W, X, classes)
    np.testing.assert_allclose(P[np.arange(len(X)), predicted // 10], P.max(axis=1))


def test_accuracy_is_the_share_of_right_predictions():
    assert accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5])) == 0.75
