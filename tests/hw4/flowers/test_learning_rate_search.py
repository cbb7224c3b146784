"""Coding part 1, the learning rate: every value starts from the same fresh network."""

import dataclasses

import pytest
import torch

from hw4.flowers import (
    History,
    LearningRateSearch,
    TrainingSettings,
    build_network,
    search_learning_rate,
    train_model,
)

pytestmark = pytest.mark.hw4_flowers

QUICK = TrainingSettings(epochs=2, batch_size=16)


def build():
    return build_network("last_layers", 3, "resnet18", None)


def test_each_value_gives_what_it_gives_alone_whatever_was_tried_before(blobs, validation_blobs):
    """Trap: the learning rates tried one after another on the same model."""
    rates = (0.03, 0.0001, 0.01)
    search = search_learning_rate(build, blobs, validation_blobs, rates, QUICK)
    assert tuple(search.histories) == rates
    for rate, history in search.histories.items():
        settings = dataclasses.replace(QUICK, learning_rate=rate)
        alone = train_model(build(), blobs, validation_blobs, settings).history
        assert history.training_loss == alone.training_loss
        assert history.validation_loss == alone.validation_loss


def test_a_builder_that_returns_a_network_trained_before_is_refused(blobs, validation_blobs):
    once = build()
    with pytest.raises(ValueError, match="build\\(\\) returned other weights than the first time"):
        search_learning_rate(lambda: once, blobs, validation_blobs, (0.01, 0.02), QUICK)


def test_a_value_that_diverges_is_reported_and_the_others_go_on(blobs, validation_blobs):
    search = search_learning_rate(build, blobs, validation_blobs, (1e30, 0.01), QUICK)
    assert "at learning rate 1e+30" in search.histories[1e30].diverged
    assert search.histories[0.01].diverged == ""
    assert search.best == 0.01


def test_if_all_diverge_the_error_says_so(blobs, validation_blobs):
    with pytest.raises(ValueError, match=r"every learning rate diverged: .*1e\+30.*1e\+31"):
        search_learning_rate(build, blobs, validation_blobs, (1e30, 1e31), QUICK)


def test_the_best_is_that_of_the_highest_accuracy_then_of_the_lowest_loss():
    def history(accuracies, losses, diverged=""):
        count = len(accuracies)
        return History((1.0,) * count, losses, accuracies, (0.1,) * count, (1.0,) * count, diverged)

    histories = {
        0.1: history((0.5, 0.9), (1.0, 0.4), "the loss became nan"),
        0.01: history((0.8, 0.7), (0.5, 0.1)),
        0.001: history((0.6, 0.8), (0.5, 0.3)),
    }
    assert LearningRateSearch(histories).best == 0.001


def test_stopped_in_between_it_goes_on_and_finds_the_same(blobs, validation_blobs, tmp_path):
    rates = (0.03, 0.01)
    calls = []

    def build_twice():
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return build()

    with pytest.raises(KeyboardInterrupt):
        search_learning_rate(
            build_twice, blobs, validation_blobs, rates, QUICK, checkpoints=tmp_path
        )
    loaded = dict(blobs.loaded)
    resumed = search_learning_rate(
        build, blobs, validation_blobs, rates, QUICK, checkpoints=tmp_path
    )
    whole = search_learning_rate(build, blobs, validation_blobs, rates, QUICK)
    for rate in rates:
        assert resumed.histories[rate].training_loss == whole.histories[rate].training_loss
    assert loaded
    assert {path.name for path in tmp_path.glob("*.pt")} == {"rate_0.03.pt", "rate_0.01.pt"}


@pytest.mark.parametrize("rates", [(), (0.1, 0.1)])
def test_it_wants_different_values(blobs, validation_blobs, rates):
    with pytest.raises(ValueError, match="expected different values"):
        search_learning_rate(build, blobs, validation_blobs, rates, QUICK)


def test_the_global_generator_is_left_alone(blobs, validation_blobs):
    before = torch.random.get_rng_state()
    search_learning_rate(build, blobs, validation_blobs, (0.01,), QUICK)
    assert torch.equal(before, torch.random.get_rng_state())
