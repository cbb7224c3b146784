"""Coding part 1: the order of batches; the frozen part is computed once where that is right."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.runtime import LAYOUTS
from hw4.flowers import TrainingSettings, build_network, train_model
from hw4.flowers.inputs import FrozenInputs, epoch_batches
from tests.hw4.blobs import Blobs, small_network

pytestmark = pytest.mark.hw4_flowers

CPU = torch.device("cpu")
# 256 channels of 2 x 2 float32: what layer4 of a ResNet-18 gets from 32 pixels.
ROW = 256 * 2 * 2 * 4


@pytest.mark.handed_out
@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 99), st.integers(0, 9))
def test_an_epoch_holds_every_sample_once_and_no_batch_of_one(samples, size, seed, epoch):
    batches = epoch_batches(samples, size, seed, epoch)
    assert sorted(np.concatenate(batches)) == list(range(samples))
    assert all(len(batch) == size for batch in batches[:-1])
    if size > 1:
        assert samples == 1 or min(map(len, batches)) > 1


@pytest.mark.handed_out
def test_the_order_is_new_in_each_epoch_and_depends_on_seed_and_epoch_alone():
    """Trap: data unshuffled."""
    orders = [np.concatenate(epoch_batches(50, 8, 1, epoch)).tolist() for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2] != list(range(50))
    assert orders[1] == np.concatenate(epoch_batches(50, 8, 1, 1)).tolist()
    assert orders[1] != np.concatenate(epoch_batches(50, 8, 2, 1)).tolist()


@pytest.fixture(scope="module")
def network():
    return build_network("last_layers", 3, "resnet18", None)


def assert_close(found, network, source, indices, epoch=0):
    with torch.no_grad():
        expected = network.frozen(source.batch(indices, epoch)[0])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=10)
@given(st.sampled_from([0, 19, 20, 50]), st.sampled_from([1, 7, 16]), st.sampled_from([*LAYOUTS]))
def test_the_features_are_the_same_whether_they_are_kept_or_not(network, rows, size, layout):
    source = Blobs(samples=20)
    network.arrange(layout)
    inputs = FrozenInputs(network, source, CPU, cache_bytes=rows * ROW)
    for epoch in range(3):
        batches = epoch_batches(20, size, 0, epoch)
        for indices, (x, y) in zip(batches, inputs.batches(batches, epoch), strict=True):
            assert_close(x, network, Blobs(samples=20), indices)
            assert y.tolist() == source.labels[indices].tolist()
            assert x.is_contiguous(memory_format=LAYOUTS[layout])
            assert not x.requires_grad
    # All are kept or, if there is no room for all, none.
    assert set(source.loaded.values()) == {1 if rows >= 20 else 3}


def test_augmented_images_are_computed_anew_in_each_epoch(network):
    source = Blobs(samples=12, augments=True)
    inputs = FrozenInputs(network, source, CPU)
    everything = np.arange(12)
    epochs = [next(inputs.batches([everything], epoch))[0] for epoch in range(2)]
    for epoch, features in enumerate(epochs):
        assert_close(features, network, source, everything, epoch)
    assert not torch.allclose(*epochs)


def test_where_nothing_is_frozen_the_images_themselves_enter():
    source = Blobs(samples=5)
    inputs = FrozenInputs(build_network("scratch", 3, "resnet18"), source, CPU)
    for epoch in range(2):
        (x, _) = next(inputs.batches([np.arange(5)], epoch))
        assert torch.equal(x, source.batch(np.arange(5))[0])


def test_below_the_head_features_are_vectors():
    source = Blobs(samples=6)
    network = build_network("head", 3, "resnet18", None)
    inputs = FrozenInputs(network, source, CPU)
    for epoch in range(2):
        (x, _) = next(inputs.batches([np.array([4, 0, 5])], epoch))
        assert x.shape == (3, 512)
        assert_close(x, network, source, [4, 0, 5])


def test_a_device_without_reduced_precision_computes_in_float32():
    """Apple's GPUs have no ``autocast`` before PyTorch 2.5; the device ``meta`` has none at all."""
    inputs = FrozenInputs(small_network().to("meta"), Blobs(), torch.device("meta"))
    assert inputs.logits(torch.empty(2, 3, 32, 32, device="meta")).dtype is torch.float32


@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_an_empty_share_has_no_rows_but_the_right_shape(network, cache_bytes):
    inputs = FrozenInputs(network, Blobs(samples=6), CPU, cache_bytes=cache_bytes)
    for _ in range(2):
        (x, y) = next(inputs.batches([np.array([], int)], 0))
        assert (x.shape, y.shape) == ((0, 256, 2, 2), (0,))


def test_both_data_sets_share_the_room_and_augmented_ones_need_none(network):
    """60 and 21 samples, of which the validation set alone fits into room for 30."""
    settings = TrainingSettings(epochs=2, batch_size=16, cache_bytes=30 * ROW)
    for augments, times in ((False, 2), (True, 1)):
        train, validation = Blobs(augments=augments), Blobs(samples=21, seed=1)
        train_model(network, train, validation, settings)
        assert set(validation.loaded.values()) == {times}
        # No image is loaded for a trial of layouts, which at this size is not made.
        assert set(train.loaded.values()) == {2}
