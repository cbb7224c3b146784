"""Standardising: by the training set alone, and at the limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from hw3.inputs import all_finite, check_features, standardize

pytestmark = pytest.mark.hw3_q2


def test_it_is_scikit_learns_scaler():
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 5, size=(50, 4)), rng.normal(size=(20, 4))
    scaler = StandardScaler().fit(train)
    ours = standardize(train, test)
    np.testing.assert_allclose(ours[0], scaler.transform(train), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours[1], scaler.transform(test), rtol=1e-10, atol=1e-12)


@given(
    arrays(
        np.float64,
        (6, 3),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_any_finite_training_set_stays_finite(train):
    (scaled,) = standardize(train)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= np.sqrt(6) * (1 + 1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e300])
def test_a_constant_feature_becomes_zero(value):
    (scaled,) = standardize(np.full((5, 1), value))
    np.testing.assert_allclose(scaled, 0, atol=1e-12)


def test_the_precision_stays_and_the_input_is_left_alone():
    train = np.arange(6, dtype=np.float32).reshape(3, 2)
    before = train.copy()
    assert standardize(train)[0].dtype == np.float32
    np.testing.assert_array_equal(train, before)
    assert standardize(np.arange(6).reshape(3, 2))[0].dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [(0, 0), (1, 1), (2, 3)])
def test_one_number_that_is_not_finite_is_found(bad, position):
    X = np.ones((3, 4))
    assert all_finite(X)
    X[position] = bad
    assert not all_finite(X)
    with pytest.raises(ValueError, match=f"in 1 rows, the first at {position[0]};"):
        check_features(X)


def test_a_number_that_the_model_cannot_hold_is_found():
    """1e300 is finite, and infinite as soon as it is converted to the type of the weights."""
    with pytest.raises(ValueError, match=r"in 1 rows, the first at 1 \(as float32, which the"):
        check_features([[1.0, 2.0], [1e300, 0.0]], like=np.ones((1, 2), np.float32))
    assert check_features([[1e300, 0.0]], like=np.ones((1, 2))).dtype == np.float64


def test_features_that_are_right_already_are_not_copied():
    X = np.ones((3, 4), np.float32)
    assert check_features(X) is X
    assert check_features(np.ones((3, 0))).shape == (3, 0)


def test_finite_numbers_may_have_a_sum_that_overflows():
    largest = np.finfo(np.float32).max
    assert all_finite(np.full((3, 4), largest, np.float32))
    assert not all_finite(np.array([[largest, largest, np.nan]], np.float32))
