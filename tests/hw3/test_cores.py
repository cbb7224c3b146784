"""Work shared by threads is done wholly and in order, and what was set before comes back."""

import threading
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

import hw3.cores
from hw3.cores import all_cores

pytestmark = pytest.mark.hw3_q2


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


def blas_threads():
    """How many threads NumPy's products may use now; 1 if their library does not say."""
    found = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
    return max(found, default=1)


def test_no_thread_is_left_when_training_fails():
    before = threading.active_count()

    def train():
        with threadpool_limits(3, user_api="blas"):
            helpers = blas_threads() - 1
            with all_cores():
                assert threading.active_count() == before + helpers
                raise FloatingPointError("the loss is gone")

    with pytest.raises(FloatingPointError, match="the loss is gone"):
        train()
    assert threading.active_count() == before


def test_no_thread_is_left_when_another_cannot_be_started(monkeypatch):
    class Machine:
        """Eight threads by what BLAS says, of which the system starts three."""

        def select(self, **_):
            return self

        def info(self):
            return [{"num_threads": 8}]

    class Limited(hw3.cores.Helper):
        def __init__(self):
            if threading.active_count() == before + 3:
                raise RuntimeError("can't start new thread")
            super().__init__()

    before = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(hw3.cores, "ThreadpoolController", Machine)
        patch.setattr(hw3.cores, "Helper", Limited)
        with pytest.raises(RuntimeError, match="can't start new thread"), all_cores():
            pytest.fail("the threads are not there")
    assert threading.active_count() == before
    with threadpool_limits(2, user_api="blas"):
        expected = blas_threads()
        with all_cores() as cores:  # nobody holds them any more
            assert cores.count == expected


def test_products_use_one_thread_each_and_what_was_set_comes_back():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with all_cores() as cores:
            assert (cores.count, blas_threads()) == (before, 1)
        assert blas_threads() == before


def test_who_asks_while_the_cores_are_taken_gets_one_and_changes_nothing():
    """Two threads that predict at once: the last to leave would put back what the first set."""
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with ExitStack() as first, ExitStack() as second:
            assert first.enter_context(all_cores()).count == before
            assert second.enter_context(all_cores()).count == 1
            first.close()
        assert blas_threads() == before
        with all_cores() as cores:
            assert cores.count == before


def test_a_library_that_cannot_be_asked_leaves_one_core(monkeypatch):
    """Apple's Accelerate, for one, shares the work by itself."""

    class Unknown:
        def select(self, **_):
            return self

        def info(self):
            return []

        def limit(self, **_):
            return threadpool_limits(None)

    monkeypatch.setattr(hw3.cores, "ThreadpoolController", Unknown)
    with all_cores() as cores:
        assert cores.count == 1
