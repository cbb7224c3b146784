"""Question 2 at full size: blocks and threads change how long it takes, and nothing else."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from threadpoolctl import threadpool_info, threadpool_limits

import hw3.softmax_blocks
from hw3.softmax import add_bias, gradient, logits
from hw3.softmax_blocks import (
    ONE_CORE,
    Cores,
    Helper,
    aligned_rows,
    all_cores,
    gradient_of_batch,
    logits_by_blocks,
)

pytestmark = pytest.mark.hw3_q2

PRECISIONS = [np.float32, np.float64]


@pytest.fixture(scope="module")
def three():
    """Three threads, on a machine of any size."""
    helpers = (Helper(), Helper())
    yield Cores(helpers)
    for helper in helpers:
        helper.end()


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


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shared", [False, True])
@given(sizes=sizes(), seed=st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_batch_is_that_of_its_samples(three, dtype, shared, sizes, seed):
    m, d, K = sizes
    rng = np.random.default_rng(seed)
    W, X = rng.normal(size=(d + 1, K)).astype(dtype), rng.normal(size=(m, d)).astype(dtype)
    Y = np.eye(K, dtype=dtype)[rng.integers(0, K, m)]
    batch = rng.permutation(m)[: rng.integers(1, m + 1)]
    memory = np.full((m, d), np.nan, dtype)
    G = gradient_of_batch(W, X, Y, batch, memory, three if shared else ONE_CORE)
    assert G.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    expected = gradient(W, add_bias(X[batch]), Y[batch])
    np.testing.assert_allclose(G, expected, rtol=tolerance, atol=tolerance)


def test_full_size_takes_several_blocks_in_each_thread(three):
    """ResNet-50's 2,048 features, a batch of the homework and one that is not a multiple."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(1_000, 2_048)), rng.normal(size=(2_049, 10)) / 50
    Y = np.eye(10)[rng.integers(0, 10, len(X))]
    for size in (512, 999):
        batch = rng.permutation(len(X))[:size]
        G = gradient_of_batch(W, X, Y, batch, np.empty_like(X), three)
        expected = gradient(W, add_bias(X[batch]), Y[batch])
        np.testing.assert_allclose(G, expected, rtol=1e-9, atol=1e-12)


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


# Threads


@given(st.integers(0, 2_000), st.integers(1, 64))
def test_parts_are_consecutive_and_multiples_of_the_unit(three, samples, unit):
    parts = three.share(lambda part: part, samples, unit)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == samples
    assert all((part.stop - part.start) % unit == 0 for part in parts[:-1])


def test_every_core_takes_a_part(three):
    together = threading.Barrier(3, timeout=10)
    assert len(three.share(lambda part: together.wait(), 600)) == 3


def test_few_samples_wake_nobody(three):
    assert three.share(lambda part: threading.current_thread(), 255) == [threading.current_thread()]


def test_an_error_in_a_thread_reaches_the_caller(three):
    def fail_at_the_end(part):
        if part.stop == 600:
            raise FloatingPointError("the last part")

    with pytest.raises(FloatingPointError, match="the last part"):
        three.share(fail_at_the_end, 600)


def test_an_error_of_the_caller_waits_for_the_others(three):
    done = []

    def fail_at_the_start(part):
        if part.start == 0:
            raise FloatingPointError("the first part")
        done.append(part.stop)

    with pytest.raises(FloatingPointError, match="the first part"):
        three.share(fail_at_the_start, 600)
    assert sorted(done) == [400, 600]
    assert three.share(lambda part: part.stop, 600) == [200, 400, 600]


def test_no_thread_is_left_when_training_fails():
    before = threading.active_count()

    def train():
        with threadpool_limits(3, user_api="blas"), all_cores():
            assert threading.active_count() == before + 2
            raise FloatingPointError("the loss is gone")

    with pytest.raises(FloatingPointError, match="the loss is gone"):
        train()
    assert threading.active_count() == before


def test_products_use_one_thread_each_and_what_was_set_comes_back():
    def threads():
        found = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
        return max(found, default=1)

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with all_cores() as cores:
            assert (cores.count, threads()) == (before, 1)
        assert threads() == before


def test_who_asks_while_the_cores_are_taken_gets_one_and_changes_nothing():
    """Two threads that predict at once: the last to leave would put back what the first set."""
    with threadpool_limits(2, user_api="blas"):
        first, second = all_cores(), all_cores()
        assert first.__enter__().count == 2
        assert second.__enter__().count == 1
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        found = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
        assert max(found) == 2
        with all_cores() as cores:
            assert cores.count == 2


def test_a_library_that_cannot_be_asked_leaves_one_core(monkeypatch):
    """Apple's Accelerate, for one, shares the work by itself."""

    class Unknown:
        def select(self, **_):
            return self

        def info(self):
            return []

        def limit(self, **_):
            return threadpool_limits(None)

    monkeypatch.setattr(hw3.softmax_blocks, "ThreadpoolController", Unknown)
    with all_cores() as cores:
        assert cores.count == 1
