"""Coding part 1: the frozen part is computed once where that is right, and only there."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hw4.flowers import FrozenInputs, TrainingSettings, build_network, train_model
from hw4.flowers.batches import cut, epoch_batches
from tests.hw4.conftest import Blobs

pytestmark = pytest.mark.hw4_flowers

CPU = torch.device("cpu")
# 256 channels of 2 x 2 float32: what layer4 of a ResNet-18 gets from 32 pixels.
ROW = 256 * 2 * 2 * 4


@pytest.fixture(scope="module")
def network():
    return build_network("last_layers", 3, "resnet18", None)


def expected(network, source, indices, epoch=0):
    with torch.no_grad():
        return network.frozen(source.batch(indices, epoch)[0])


@settings(max_examples=15)
@given(st.integers(0, 50), st.sampled_from([1, 7, 16]))
def test_what_enters_the_trained_part_is_the_same_however_much_is_kept(network, rows, size):
    source = Blobs(samples=20)
    inputs = FrozenInputs(network, source, CPU, cache_bytes=rows * ROW)
    for epoch in range(3):
        batches = epoch_batches(20, size, 0, epoch)
        for indices, (x, y) in zip(batches, inputs.batches(batches, epoch), strict=True):
            torch.testing.assert_close(x, expected(network, source, indices), rtol=1e-4, atol=1e-5)
            assert y.tolist() == source.labels[indices].tolist()
            assert x.is_contiguous(memory_format=torch.channels_last)
            assert not x.requires_grad
    assert inputs.cached_bytes <= rows * ROW


def test_images_are_loaded_once_if_they_fit_and_as_often_as_needed_if_not(network):
    for rows, loaded in ((20, 1), (0, 3)):
        source = Blobs(samples=20)
        inputs = FrozenInputs(network, source, CPU, cache_bytes=rows * ROW)
        for epoch in range(3):
            list(inputs.batches(epoch_batches(20, 8, 0, epoch), epoch))
        assert set(source.loaded.values()) == {loaded}
        assert inputs.cached_bytes == rows * ROW


def test_the_memory_of_the_cache_is_bounded(network):
    source = Blobs(samples=20)
    inputs = FrozenInputs(network, source, CPU, cache_bytes=7 * ROW + 100)
    for epoch in range(3):
        list(inputs.batches(epoch_batches(20, 8, 0, epoch), epoch))
    assert inputs.cached_bytes == 7 * ROW
    assert sorted(source.loaded.values()) == [1] * 7 + [3] * 13


def test_augmented_images_are_computed_anew_in_each_epoch(network):
    source = Blobs(samples=12, augments=True)
    inputs = FrozenInputs(network, source, CPU)
    epochs = [
        torch.cat([x for x, _ in inputs.batches(cut(np.arange(12), 5), epoch)])
        for epoch in range(2)
    ]
    for epoch, features in enumerate(epochs):
        torch.testing.assert_close(
            features, expected(network, source, np.arange(12), epoch), rtol=1e-4, atol=1e-5
        )
    assert not torch.allclose(*epochs)
    assert inputs.cached_bytes == 0


def test_where_nothing_is_frozen_the_images_themselves_enter():
    source = Blobs(samples=5)
    network = build_network("scratch", 3, "resnet18")
    inputs = FrozenInputs(network, source, CPU)
    (x, _) = next(inputs.batches([np.arange(5)], 0))
    assert torch.equal(x, source.batch(np.arange(5))[0])
    assert inputs.cached_bytes == 0


def test_below_the_head_features_are_vectors():
    source = Blobs(samples=6)
    network = build_network("head", 3, "resnet18", None)
    inputs = FrozenInputs(network, source, CPU)
    for epoch in range(2):
        (x, _) = next(inputs.batches([np.array([4, 0, 5])], epoch))
        torch.testing.assert_close(x, expected(network, source, [4, 0, 5]), rtol=1e-4, atol=1e-5)
    assert inputs.cached_bytes == 6 * 512 * 4


def test_an_empty_share_has_no_rows_but_the_right_shape(network):
    inputs = FrozenInputs(network, Blobs(samples=6), CPU)
    (x, y) = next(inputs.batches([np.array([], int)], 0))
    assert (x.shape, y.shape) == ((0, 256, 2, 2), (0,))


@pytest.mark.parametrize("mode", ["last_layers", "head"])
def test_the_cache_changes_nothing_of_a_training(mode, blobs, validation_blobs):
    histories = []
    for cache_bytes in (2**30, 0):
        settings = TrainingSettings(
            epochs=3, learning_rate=0.01, batch_size=16, cache_bytes=cache_bytes
        )
        network = build_network(mode, 3, "resnet18", None)
        histories.append(train_model(network, blobs, validation_blobs, settings).history)
    cached, plain = histories
    for field in ("training_loss", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(getattr(cached, field), getattr(plain, field), rtol=1e-3)


def test_both_data_sets_share_the_room(blobs, validation_blobs):
    """60 and 21 samples and room for 27: 20 and 7 of them are kept, and looked at once."""
    settings = TrainingSettings(epochs=3, batch_size=16, cache_bytes=27 * ROW)
    network = build_network("last_layers", 3, "resnet18", None)
    train_model(network, blobs, validation_blobs, settings)
    assert sorted(blobs.loaded.values()).count(1) in (19, 20)
    assert sorted(validation_blobs.loaded.values()).count(1) in (6, 7)
    augmenting = dataclasses.replace(Blobs(), augments=True)
    validation = Blobs(samples=21, seed=1)
    train_model(network, augmenting, validation, settings)
    # Nothing of augmented images can be kept, so the validation set gets all the room.
    assert sorted(validation.loaded.values()).count(1) == 20
