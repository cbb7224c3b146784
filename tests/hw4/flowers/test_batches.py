"""Coding part 1, batches: every sample once an epoch, in an order that can be repeated."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hw4.flowers.batches import cut, epoch_batches, load_ahead

pytestmark = pytest.mark.hw4_flowers


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 99), st.integers(0, 9))
def test_an_epoch_holds_every_sample_once_and_no_batch_of_one(samples, size, seed, epoch):
    batches = epoch_batches(samples, size, seed, epoch)
    assert sorted(np.concatenate(batches)) == list(range(samples))
    assert all(len(batch) == size for batch in batches[:-1])
    if size > 1:
        assert samples == 1 or min(map(len, batches)) > 1


def test_the_order_is_new_in_each_epoch_and_depends_on_seed_and_epoch_alone():
    """Trap: data unshuffled."""
    orders = [np.concatenate(epoch_batches(50, 8, 1, epoch)).tolist() for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2] != list(range(50))
    assert orders[1] == np.concatenate(epoch_batches(50, 8, 1, 1)).tolist()
    assert orders[1] != np.concatenate(epoch_batches(50, 8, 2, 1)).tolist()


def test_batches_loaded_ahead_come_in_order(blobs):
    batches = cut(np.arange(10), 4)
    loaded = list(load_ahead(blobs, [*batches, np.array([], int)], 0))
    assert [images is None for images in loaded] == [False, False, False, True]
    for indices, (images, labels) in zip(batches, loaded, strict=False):
        torch.testing.assert_close(images, blobs.batch(indices)[0])
        assert labels.tolist() == blobs.labels[indices].tolist()
    assert list(load_ahead(blobs, [], 0)) == []
