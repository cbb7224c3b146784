"""Coding part 1, history: which epoch was the best."""

import math

import pytest

from hw4.flowers import History

pytestmark = pytest.mark.hw4_flowers


def test_the_best_epoch_of_equals_is_that_of_the_lowest_loss():
    history = History((1.0,) * 3, (0.5, 0.4, 0.6), (0.8, 0.8, 0.7), (0.1,) * 3, (1.0,) * 3)
    assert (history.best_epoch, history.best_accuracy) == (2, 0.8)
    assert History().best_epoch == 0
    assert math.isnan(History().best_accuracy)
