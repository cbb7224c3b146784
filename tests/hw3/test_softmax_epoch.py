"""Question 2 at full size: an epoch shared by threads takes the steps of the short functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hw3.softmax_blocks
import hw3.softmax_epoch
from hw3.cores import ONE_CORE
from hw3.softmax import add_bias, apply_gradients, cross_entropy, logits
from hw3.softmax_epoch import descend_in_batches

pytestmark = pytest.mark.hw3_q2


@st.composite
def sizes(draw):
    """Samples, a batch, features and classes: up to several blocks for several threads."""
    m = draw(st.integers(1, 700))
    return m, draw(st.integers(1, 2 * m)), draw(st.integers(0, 40)), draw(st.integers(2, 12))


def step_by_step(W, X, Y, order, batch_size, learning_rate):
    """Do what `descend_in_batches` does, with the functions that the notebook shows."""
    inputs = add_bias(X)
    Z = logits(W, inputs)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        W = apply_gradients(W, inputs[batch], Y[batch], learning_rate)
    return W, cross_entropy(Z, Y), Z.argmax(axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shared", [False, True])
@given(sizes=sizes(), seed=st.integers(0, 2**32 - 1))
def test_an_epoch_is_its_steps(three, dtype, shared, sizes, seed):
    m, batch_size, d, K = sizes
    rng = np.random.default_rng(seed)
    W, X = rng.normal(size=(d + 1, K)).astype(dtype), rng.normal(size=(m, d)).astype(dtype)
    Y, order = np.eye(K, dtype=dtype)[rng.integers(0, K, m)], rng.permutation(m)
    given_W, cores = W.copy(), three if shared else ONE_CORE
    after, loss, classes = descend_in_batches(W, X, Y, order, batch_size, 0.01, cores)
    expected, expected_loss, expected_classes = step_by_step(W, X, Y, order, batch_size, 0.01)
    tolerance = 1e-11 if dtype == np.float64 else 1e-3
    assert after.dtype == dtype
    np.testing.assert_allclose(after, expected, rtol=tolerance, atol=tolerance)
    assert loss == pytest.approx(expected_loss, rel=tolerance)
    # float32 may decide otherwise between two logits that are all but equal.
    assert np.mean(classes != expected_classes) <= (0 if dtype == np.float64 else 0.02)
    np.testing.assert_array_equal(W, given_W)


@pytest.mark.parametrize("batch_size", [512, 999])
def test_full_size_takes_several_blocks_in_each_thread(three, batch_size):
    """ResNet-50's 2,048 features, a batch of the homework and one that is not a multiple."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(2_000, 2_048)), rng.normal(size=(2_049, 10)) / 50
    Y, order = np.eye(10)[rng.integers(0, 10, len(X))], rng.permutation(len(X))
    found = descend_in_batches(W, X, Y, order, batch_size, 0.01, three)
    expected = step_by_step(W, X, Y, order, batch_size, 0.01)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_threads_that_share_an_epoch_give_the_same_bits_each_time(three):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5_000, 30)), np.eye(5)[rng.integers(0, 5, 5_000)]
    W, order = rng.normal(size=(31, 5)), rng.permutation(len(X))
    first, *others = (descend_in_batches(W, X, Y, order, 600, 0.1, three)[0] for _ in range(5))
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_thread_that_fails_ends_the_epoch_with_its_error(three, monkeypatch, failing):
    """The others, which would wait for its gradient, are told; afterwards the threads serve on."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3_000, 4)), np.eye(3)[rng.integers(0, 3, 3_000)]
    arguments = np.zeros((5, 3)), X, Y, np.arange(3_000), 600, 0.1, three
    take, calls = np.take, []

    def fail(a, indices, *rest, **named):
        # The third batch of whichever thread takes its first samples.
        if a is X and indices[0] == 1_200 + [0, 192, 384][failing]:
            calls.append(indices[0])
            raise MemoryError("no room for a batch")
        return take(a, indices, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(hw3.softmax_epoch.np, "take", fail)
        with pytest.raises(MemoryError, match="no room for a batch"):
            descend_in_batches(*arguments)
    assert len(calls) == 1
    found, expected = descend_in_batches(*arguments), step_by_step(*arguments[:-1])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-11)


def test_no_thread_waits_for_one_that_gets_no_memory(three, monkeypatch):
    X, Y = np.ones((600, 4)), np.eye(3)[np.arange(600) % 3]
    asked = []

    def last_fails(rows, like):
        asked.append(rows)
        if len(asked) == 5:  # two of each thread; only one of the three goes without
            raise MemoryError("no room for a batch")
        return hw3.softmax_blocks.aligned_rows(rows, like)

    monkeypatch.setattr(hw3.softmax_epoch, "aligned_rows", last_fails)
    with pytest.raises(MemoryError, match="no room for a batch"):
        descend_in_batches(np.zeros((5, 3)), X, Y, np.arange(600), 600, 0.1, three)
