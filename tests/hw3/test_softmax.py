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
    add_bias,
    apply_gradients,
    cross_entropy,
    gradient,
    log_softmax,
    logits,
    one_hot,
    predict,
    predict_proba,
    softmax,
    softmax_in_place,
)

pytestmark = pytest.mark.hw3_q2

PRECISIONS = [np.float32, np.float64]


@st.composite
def problems(draw, magnitude=10.0):
    """Weights W (d + 1, K), inputs X (m, d + 1) and one-hot labels Y (m, K)."""
    m, d, K = draw(st.integers(1, 12)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    numbers = st.floats(-magnitude, magnitude, allow_subnormal=False)
    W = draw(arrays(np.float64, (d + 1, K), elements=numbers))
    X = add_bias(draw(arrays(np.float64, (m, d), elements=numbers)))
    y = draw(arrays(np.int64, m, elements=st.integers(0, K - 1)))
    return W, X, np.eye(K)[y]


def finite(dtype):
    width = 8 * np.dtype(dtype).itemsize
    return st.floats(allow_nan=False, allow_infinity=False, width=width)


# One-hot labels


def test_one_hot_is_one_at_the_class_and_zero_elsewhere():
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert one_hot(np.array([2, 0, 1, 2])).tolist() == expected


def test_labels_need_not_be_zero_to_k_minus_one():
    assert one_hot(np.array([20, -1, 20])).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert one_hot(np.array(["b", "a"])).tolist() == [[0, 1], [1, 0]]


def test_a_test_set_that_lacks_a_class_lines_up_with_the_training_classes():
    encoded = one_hot(np.array([9, 3]), classes=np.array([1, 3, 9]))
    assert encoded.tolist() == [[0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("unknown", [0, 2, 10])
def test_a_label_that_is_no_class_is_named(unknown):
    with pytest.raises(ValueError, match=rf"labels \[{unknown}\] are not among .*\[1, 3, 9\]"):
        one_hot(np.array([1, unknown]), classes=np.array([1, 3, 9]))


@pytest.mark.parametrize("classes", [[3, 1, 2], [1, 1, 2], []])
def test_classes_that_do_not_rise_are_refused(classes):
    with pytest.raises(ValueError, match=r"classes are .*, expected a rising list"):
        one_hot(np.array([1, 2]), classes=np.array(classes))


def test_labels_as_loadmat_returns_them_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 3\), expected \(m,\).*ravel"):
        one_hot(np.array([[1, 2, 3]]))


# Softmax


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_rows_sum_to_one_for_any_finite_logits(dtype, data):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    P = softmax(data.draw(arrays(dtype, shape, elements=finite(dtype))))
    assert P.dtype == dtype
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)
    assert (P >= 0).all()


@given(arrays(np.float64, (4, 5), elements=st.floats(-100, 100)))
def test_adding_a_thousand_to_the_logits_changes_nothing(Z):
    np.testing.assert_allclose(softmax(Z + 1000), softmax(Z), rtol=1e-12)


@given(arrays(np.float64, (4, 5), elements=st.floats(-50, 50)))
def test_softmax_is_pytorchs(Z):
    expected = torch.softmax(torch.tensor(Z), dim=1).numpy()
    np.testing.assert_allclose(softmax(Z), expected, rtol=1e-12)
    expected = torch.log_softmax(torch.tensor(Z), dim=1).numpy()
    np.testing.assert_allclose(log_softmax(Z), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_in_place_it_is_the_same(dtype, data):
    Z = data.draw(arrays(dtype, (4, 5), elements=finite(dtype)))
    expected = softmax(Z)
    assert softmax_in_place(Z) is Z
    np.testing.assert_array_equal(Z, expected)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_each_row_is_shifted_by_its_own_maximum(dtype):
    """Shifted by the maximum of the matrix, the second row would be 0 / 0."""
    P = softmax(np.array([[9000, 9001], [-9000, -9001]], dtype))
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P, P[::-1, ::-1], rtol=1e-6)
    assert P[0, 1] == pytest.approx(1 / (1 + np.exp(-1)), rel=1e-6)


def test_logits_times_a_thousand_become_a_choice():
    P = softmax(1000 * np.array([[0.1, 0.9, 0.3]]))
    np.testing.assert_allclose(P, [[0, 1, 0]], atol=1e-250)


# Cross-entropy


@given(problems())
def test_cross_entropy_is_pytorchs(problem):
    W, X, Y = problem
    expected = functional.cross_entropy(torch.tensor(X @ W), torch.tensor(Y)).item()
    assert cross_entropy(X @ W, Y) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_probability_of_zero_costs_a_finite_amount(dtype):
    """The probability underflows to 0, its logarithm does not: -log P is the difference."""
    Z = np.array([[0, 5000]], dtype)
    assert softmax(Z)[0, 0] == 0
    assert cross_entropy(Z, np.array([[1, 0]], dtype)) == 5000


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_cross_entropy_is_finite_for_any_finite_logits(dtype, data):
    Z = data.draw(arrays(dtype, (3, 4), elements=finite(dtype)))
    loss = cross_entropy(Z, np.eye(4, dtype=dtype)[:3])
    assert np.isfinite(loss)
    assert loss >= 0


def test_guessing_costs_log_k():
    assert cross_entropy(np.zeros((7, 10)), np.eye(10)[:7]) == pytest.approx(np.log(10))


# Gradient and step


@given(problems(magnitude=2.0))
def test_the_gradient_is_the_numerical_one(problem):
    W, X, Y = problem
    numerical = np.empty_like(W)
    step = 1e-5
    for index in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[index] += step
        down[index] -= step
        numerical[index] = (cross_entropy(X @ up, Y) - cross_entropy(X @ down, Y)) / (2 * step)
    np.testing.assert_allclose(gradient(W, X, Y), numerical, rtol=1e-5, atol=1e-8)


@given(problems())
def test_the_gradient_is_that_of_pytorch(problem):
    W, X, Y = problem
    parameters = torch.tensor(W, requires_grad=True)
    functional.cross_entropy(torch.tensor(X) @ parameters, torch.tensor(Y)).backward()
    np.testing.assert_allclose(gradient(W, X, Y), parameters.grad, rtol=1e-9, atol=1e-12)


def test_a_step_goes_down_the_gradient_and_leaves_its_input_alone():
    rng = np.random.default_rng(0)
    W, X, Y = rng.normal(size=(4, 3)), add_bias(rng.normal(size=(20, 3))), np.eye(3)[[0, 1] * 10]
    before = W.copy()
    stepped = apply_gradients(W, X, Y, 0.1)
    np.testing.assert_array_equal(W, before)
    np.testing.assert_allclose(stepped, W - 0.1 * gradient(W, X, Y))
    assert cross_entropy(X @ stepped, Y) < cross_entropy(X @ W, Y)


def test_the_bias_is_learned():
    """Inputs that are all zero leave nothing but the bias to learn the class frequencies with."""
    X, Y = add_bias(np.zeros((4, 2))), np.eye(2)[[0, 0, 0, 1]]
    W = np.zeros((3, 2))
    for _ in range(2000):
        W = apply_gradients(W, X, Y, 1.0)
    np.testing.assert_allclose(predict_proba(W, X), np.tile([0.75, 0.25], (4, 1)), rtol=1e-6)
    assert not W[:-1].any()


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_steps_stay_finite_on_any_finite_input(dtype, data):
    X = add_bias(data.draw(arrays(dtype, (4, 3), elements=finite(dtype))))
    Y = np.eye(3, dtype=dtype)[[0, 1, 2, 0]]
    W = np.zeros((4, 3), dtype)
    for _ in range(3):
        W = apply_gradients(W, X, Y, 0.5)
        assert W.dtype == dtype
        assert np.isfinite(W).all()
        assert np.isfinite(predict_proba(W, X)).all()
        assert np.isfinite(cross_entropy(logits(W, X), Y))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, list])
def test_whole_numbers_and_lists_are_numbers_too(dtype):
    """Integers, cast back to integers, would make every gradient zero."""
    values = [[3, 1, 2], [0, 5, 1]]
    plain = np.array(values, np.float64)
    given = values if dtype is list else np.array(values, dtype)
    Y = [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(softmax(given), softmax(plain))
    np.testing.assert_array_equal(log_softmax(given), log_softmax(plain))
    assert cross_entropy(given, Y) == cross_entropy(plain, np.array(Y, np.float64))
    X = add_bias(given)
    assert X.dtype == np.float64
    stepped = apply_gradients(np.zeros((4, 3)), X, Y, 0.1)
    assert np.abs(stepped).sum() > 0
    np.testing.assert_array_equal(
        apply_gradients(np.zeros((3, 3)), given, Y, 0.1),
        apply_gradients(np.zeros((3, 3)), plain, np.array(Y, np.float64), 0.1),
    )


@pytest.mark.parametrize("width", [0, 1, 15, 16, 17])
def test_the_column_of_ones_is_the_last(width):
    X = np.arange(3 * width, dtype=np.float32).reshape(3, width)
    with_bias = add_bias(X)
    assert with_bias.shape == (3, width + 1)
    assert with_bias.dtype == np.float32
    np.testing.assert_array_equal(with_bias[:, :-1], X)
    np.testing.assert_array_equal(with_bias[:, -1], 1)


# Prediction


@given(problems())
def test_the_predicted_class_is_the_most_probable(problem):
    W, X, Y = problem
    classes = 10 * np.arange(Y.shape[1])
    P, predicted = predict_proba(W, X), predict(W, X, classes)
    np.testing.assert_allclose(P[np.arange(len(X)), predicted // 10], P.max(axis=1))


def test_accuracy_is_the_share_of_right_predictions():
    assert accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5])) == 0.75


@pytest.mark.parametrize(
    ("y_true", "y_pred"), [([1, 2], [[1, 2]]), ([[1, 2]], [[1, 2]]), ([1], [1, 2]), ([], [])]
)
def test_accuracy_refuses_shapes_that_would_broadcast(y_true, y_pred):
    with pytest.raises(ValueError, match="two vectors of one length"):
        accuracy(np.array(y_true), np.array(y_pred))
