"""Both homeworks on a GPU give what they give on the CPU, up to rounding: ``make gpu``."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from coursework.profiles import ROOT
from coursework.runtime import choose_device
from hw3.features import build_extractor, compute_features
from hw3.mnist import load_mnist
from hw4.flowers import (
    FlowerDataset,
    TrainingSettings,
    build_network,
    predict,
    search_modes,
    train_model,
    train_modes,
    unnormalise,
)

CARD = choose_device()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(CARD.type == "cpu", reason="there is no GPU here"),
]

SETTINGS = TrainingSettings(epochs=2, batch_size=60, precision="fp32")


def features(device, precision="fp32"):
    some, extractor = load_mnist(ROOT / "data" / "mnist", "test"), build_extractor("resnet50", None)
    some = replace(some, images=some.images[:100], labels=some.labels[:100])
    computed = compute_features(
        some, extractor, device=str(device), precision=precision, show_progress=False
    )
    return computed.features


def flowers(mode="train"):
    return FlowerDataset(ROOT / "data" / "flowers", mode, image_size=32)


def build(mode):
    return build_network(mode, 10, "resnet18", None)


def test_features_keep_all_bits_of_float32():
    """TF32, which cards take by default, is off by a thousandth."""
    expected = features("cpu")
    assert np.abs(features(CARD) - expected).max() < 1e-4 * np.abs(expected).max()


def test_features_in_reduced_precision_are_close():
    expected = features("cpu")
    off = features(CARD, "auto") - expected
    assert np.linalg.norm(off) < 0.03 * np.linalg.norm(expected)


@pytest.mark.parametrize("mode", ["train", "val"])
def test_a_card_augments_as_the_processor_does(mode):
    """What image, epoch and seed decide is seen on either, up to a level of 255."""
    data = flowers(mode)
    there, labels = data.batch(range(40), 3, CARD)
    here, expected = data.batch(range(40), 3)
    assert there.device.type == CARD.type
    assert torch.equal(labels, expected)
    assert (unnormalise(there.cpu()) - unnormalise(here)).abs().max() < 2 / 255


@pytest.mark.parametrize("mode", ["scratch", "last_layers"])
def test_an_epoch_on_a_card_measures_what_the_processor_measures(mode):
    one = replace(SETTINGS, epochs=1, learning_rate=0.001)
    there, here = (
        train_model(build(mode), flowers(), flowers("val"), one, device=device).history
        for device in (CARD, "cpu")
    )
    # A card rounds convolutions to TF32, and each step enlarges the difference.
    assert there.training_loss == pytest.approx(here.training_loss, rel=0.03)
    assert there.validation_loss == pytest.approx(here.validation_loss, rel=0.03)


def test_a_training_that_was_stopped_goes_on_with_the_state_that_it_had(tmp_path):
    def train(epochs, file):
        settings = replace(SETTINGS, epochs=epochs, learning_rate=0.001)
        network, sets = build("scratch"), (flowers(), flowers("val"))
        return train_model(network, *sets, settings, checkpoint=tmp_path / file, device=CARD)

    train(1, "stopped.pt")
    resumed, whole = train(2, "stopped.pt"), train(2, "whole.pt")
    assert len(resumed.history) == 2
    assert resumed.history.training_loss == pytest.approx(whole.history.training_loss, rel=0.01)
    here = predict(resumed.network, flowers("val"), device="cpu", precision="fp32").probabilities
    there = predict(resumed.network, flowers("val"), device=str(CARD), precision="fp32")
    np.testing.assert_allclose(there.probabilities, here, atol=0.02)


def test_the_experiment_runs_on_a_card_in_the_precision_that_it_takes():
    sets, settings = (flowers(), flowers("val")), replace(SETTINGS, precision="auto")
    searches = search_modes(build, *sets, (0.001, 0.01), settings, device=str(CARD))
    results = train_modes(build, *sets, flowers("test"), searches, settings, device=str(CARD))
    for result in results.values():
        assert result.learned
        assert result.validation.accuracy == pytest.approx(result.history.best_accuracy, abs=0.02)
