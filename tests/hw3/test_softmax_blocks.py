"""Question 2 at full size: blocks and threads change how long it takes, and only the last bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hw3.cores import ONE_CORE
from hw3.softmax import add_bias, cross_entropy, logits
from hw3.softmax_blocks import aligned_rows, logits_by_blocks, loss_and_classes

pytestmark = pytest.mark.hw3_q2

PRECISIONS = [np.float32, np.float64]


@st.composite
def sizes(draw):
    """Samples, features and classes: from one of each to several blocks for several threads."""
    return draw(st.integers(1, 700)), draw(st.integers(1, 40)), draw(st.integers(2, 12))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shared", [False, True])
@given(sizes=sizes(), seed=st.integers(0, 2**32 - 1))
def test_logits_are_those_with_a_column_of_ones(three, dtype, shared, sizes, seed):
    m, d, K = sizes
    rng = np.random.default_rng(seed)
    W, X = rng.normal(size=(d + 1, K)).astype(dtype), rng.normal(size=(m, d)).astype(dtype)
    Z = logits_by_blocks(W, X, three if shared else ONE_CORE)
    assert Z.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(Z, logits(W, add_bias(X)), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shared", [False, True])
@given(sizes=sizes(), seed=st.integers(0, 2**32 - 1))
def test_the_loss_of_the_parts_is_that_of_all_samples(three, shared, sizes, seed):
    m, _, K = sizes
    rng = np.random.default_rng(seed)
    Z, Y = 5 * rng.normal(size=(m, K)), np.eye(K)[rng.integers(0, K, m)]
    loss, classes = loss_and_classes(Z, Y, three if shared else ONE_CORE)
    assert loss == pytest.approx(cross_entropy(Z, Y), rel=1e-12)
    np.testing.assert_array_equal(classes, Z.argmax(axis=1))


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(data=st.data())
def test_logits_are_finite_whatever_overflows(dtype, data):
    width = 8 * np.dtype(dtype).itemsize
    finite = st.floats(allow_nan=False, allow_infinity=False, width=width)
    W = data.draw(arrays(dtype, (4, 3), elements=finite))
    Z = logits_by_blocks(W, data.draw(arrays(dtype, (20, 3), elements=finite)))
    assert Z.dtype == dtype
    assert np.isfinite(Z).all()


def test_features_in_columns_or_with_gaps_give_the_same():
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(100, 6)), rng.normal(size=(4, 3))
    expected = logits(W, add_bias(X[:, ::2]))
    for given_X in (X[:, ::2], np.asfortranarray(X[:, ::2])):
        np.testing.assert_allclose(logits_by_blocks(W, given_X), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", PRECISIONS)
@given(rows=st.integers(1, 50), d=st.integers(1, 50))
def test_memory_for_a_batch_begins_at_a_cache_line(dtype, rows, d):
    memory = aligned_rows(rows, np.empty((1, d), dtype))
    assert (memory.shape, memory.dtype) == ((rows, d), dtype)
    assert memory.flags.c_contiguous
    assert memory.ctypes.data % 64 == 0
    memory[:] = 1  # all of it is there
