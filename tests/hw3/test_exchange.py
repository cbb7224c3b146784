"""Threads that add up what each gives get the same sum, and never wait for one that failed."""

import numpy as np
import pytest

from hw3.cores import AbandonedError
from hw3.exchange import Exchange

pytestmark = pytest.mark.hw3_q2


def test_each_thread_gets_the_sum_of_all_time_after_time(three):
    exchange = Exchange(3)

    def work(rank):
        sums = []
        for step in range(200):
            exchange.give(rank, np.array([10**rank * (step % 10), 1]))
            sums.append(exchange.total(rank))
        return sums

    expected = [[111 * (step % 10), 3] for step in range(200)]
    for sums in three.run(work, 3):
        np.testing.assert_array_equal(sums, expected)


def test_the_order_of_a_sum_is_that_of_the_ranks():
    """Rounding depends on it, so it must not depend on who is first."""
    exchange = Exchange(3)
    parts = [np.array([1e16]), np.array([-1e16]), np.array([1.0])]
    for rank in (2, 0, 1):
        exchange.give(rank, parts[rank])
    assert [exchange.total(rank).item() for rank in range(3)] == [1.0, 1.0, 1.0]


def test_one_thread_gets_what_it_gave():
    exchange = Exchange(1)
    exchange.give(0, np.arange(3))
    np.testing.assert_array_equal(exchange.total(0), [0, 1, 2])


def test_who_waits_for_a_thread_that_failed_is_told():
    exchange = Exchange(2)
    with pytest.raises(KeyboardInterrupt), exchange.member(0):
        raise KeyboardInterrupt
    exchange.give(1, np.ones(1))
    with pytest.raises(AbandonedError):
        exchange.total(1)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_the_error_that_is_raised_is_the_reason_and_not_its_consequence(three, failing):
    exchange = Exchange(3)

    def work(rank):
        with exchange.member(rank):
            if rank == failing:
                raise FloatingPointError("the reason")
            exchange.give(rank, np.ones(1))
            exchange.total(rank)

    with pytest.raises(FloatingPointError, match="the reason"):
        three.run(work, 3)
