"""Coding part 1, the experiment: each mode searched and trained by itself, from fresh weights."""

import dataclasses

import numpy as np
import pytest
import torch
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from hw4.flowers import (
    MODE_NAMES,
    MODES,
    History,
    TrainingSettings,
    chosen_rate,
    give_up,
    predict,
    search_modes,
    train_model,
    train_modes,
    try_rate,
)
from tests.hw4.blobs import Blobs, small_network

pytestmark = pytest.mark.hw4_flowers

QUICK = TrainingSettings(epochs=1, batch_size=16, precision="fp32")
LONGER = dataclasses.replace(QUICK, epochs=2)
RATES = (0.03, 0.01)


@pytest.fixture(autouse=True, scope="module")
def in_this_process():
    """Train in this process, where a test sees what was loaded and built."""
    with parallel_config(backend="sequential"):
        yield


@pytest.fixture(scope="module")
def sets():
    return Blobs(samples=32), Blobs(samples=21, seed=1), Blobs(samples=20, seed=2)


@pytest.fixture(scope="module")
def searches(sets):
    train, validation, _ = sets
    return search_modes(small_network, train, validation, RATES, QUICK)


@pytest.fixture(scope="module")
def results(sets, searches):
    return train_modes(small_network, *sets, searches, LONGER)


def test_the_three_modes_of_the_homework_in_its_order(searches, results):
    assert list(MODE_NAMES) == list(searches) == list(results)
    assert set(MODE_NAMES) <= set(MODES)
    assert [name[0] for name in MODE_NAMES.values()] == ["A", "B", "C"]


def test_each_rate_gives_what_it_gives_alone_whatever_was_tried_before(sets, searches):
    """Trap: the learning rates tried one after another on the same model."""
    train, validation, _ = sets
    assert [tuple(search) for search in searches.values()] == [RATES] * 3
    for rate, history in searches["last_layers"].items():
        settings = dataclasses.replace(QUICK, learning_rate=rate)
        with threadpool_limits(1):
            alone = train_model(small_network("last_layers"), train, validation, settings).history
        assert history.training_loss == alone.training_loss
        assert history.validation_loss == alone.validation_loss


def test_two_processes_find_what_one_finds(sets, searches):
    """So the figures are the same on any number of cores."""
    train, validation, _ = sets
    with parallel_config(backend="loky"):
        side_by_side = search_modes(
            small_network, train, validation, RATES, QUICK, modes=("scratch",)
        )
    for rate, history in side_by_side["scratch"].items():
        alone = searches["scratch"][rate]
        assert dataclasses.replace(history, seconds=()) == dataclasses.replace(alone, seconds=())


def test_a_trial_leaves_the_network_and_the_global_generator_alone(blobs, validation_blobs):
    fresh = small_network("head")
    weights, state = fresh.state_dict(), torch.random.get_rng_state()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    try_rate(fresh, blobs, validation_blobs, QUICK)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights.items())
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_rate_of_the_highest_accuracy_is_chosen_and_of_equals_the_one_of_the_lowest_loss():
    def history(accuracies, losses, diverged=""):
        count = len(accuracies)
        return History((1.0,) * count, losses, accuracies, (0.1,) * count, (1.0,) * count, diverged)

    histories = {
        0.1: history((0.5, 0.9), (1.0, 0.4), "the loss became nan"),
        0.01: history((0.8, 0.7), (0.5, 0.1)),
        0.001: history((0.6, 0.8), (0.5, 0.3)),
        0.0001: history((0.7, 0.75), (0.5, 0.2)),
    }
    assert chosen_rate(histories) == 0.001


@pytest.mark.handed_out
def test_a_try_is_given_up_whose_first_epoch_is_below_half_of_the_best_in_its_mode():
    def after(*accuracies, diverged=""):
        rest = [(0.1,) * len(accuracies)] * 2
        return History(rest[0], rest[1], accuracies, *rest, diverged)

    search = {
        0.1: after(0.1),
        0.2: after(0.39),
        0.3: after(0.4),
        0.4: after(0.8),
        0.5: after(0.1, diverged="in epoch 2"),
        0.55: after(0.1, 0.2),
        0.6: after(diverged="in epoch 1"),
    }
    marked = give_up(search)
    assert list(marked) == list(search)
    assert [rate for rate, history in marked.items() if history.given_up] == [0.1, 0.2]
    assert give_up({0.6: search[0.6]}) == {0.6: search[0.6]}


def one_sided(mode):
    """Return a network that takes every image for one class until it has learned something."""
    network = small_network(mode)
    with torch.no_grad():
        network.trained[-1].weight.zero_()
        network.trained[-1].bias.copy_(torch.tensor([1.0, 0, 0]))
    return network


@pytest.mark.parametrize("checkpoints", [False, True])
def test_a_search_goes_on_with_all_that_are_not_given_up(sets, tmp_path, checkpoints):
    settings = dataclasses.replace(QUICK, epochs=3, batch_size=4)
    train, validation, _ = sets
    rates = (0.5, 0.3, 1e-9, 1e38)
    keep = {"modes": ("head",), "checkpoints": tmp_path if checkpoints else None}
    for _ in range(2):  # the second time from the checkpoints, if there are any
        search = search_modes(one_sided, train, validation, rates, settings, **keep)["head"]
        for rate in rates[:2]:
            its = dataclasses.replace(settings, learning_rate=rate)
            with threadpool_limits(1):
                alone = train_model(one_sided("head"), train, validation, its).history
            assert search[rate].training_loss == alone.training_loss
            assert search[rate].validation_loss == alone.validation_loss
        assert (len(search[1e-9]), search[1e-9].given_up) == (1, True)
        assert (search[1e38].given_up, bool(search[1e38].diverged)) == (False, True)


def test_after_a_single_epoch_there_is_nothing_to_give_up(sets):
    train, validation, _ = sets
    settings = dataclasses.replace(QUICK, batch_size=4)
    for search in search_modes(one_sided, train, validation, (0.5, 1e-9), settings).values():
        assert not any(history.given_up for history in search.values())


@pytest.mark.handed_out
@pytest.mark.parametrize("rates", [(), (0.1, 0.1)])
def test_a_search_wants_different_rates(sets, rates):
    train, validation, _ = sets
    with pytest.raises(ValueError, match="expected different values"):
        search_modes(small_network, train, validation, rates, QUICK)


def test_training_starts_afresh_with_the_best_rate_of_its_own_search(sets, searches, results):
    """Trap: the network goes on from where the search left it."""
    train, validation, _ = sets
    result = results["last_layers"]
    assert result.learning_rate == chosen_rate(searches["last_layers"])
    settings = dataclasses.replace(LONGER, learning_rate=result.learning_rate)
    with threadpool_limits(1):
        alone = train_model(small_network("last_layers"), train, validation, settings)
    assert result.history.training_loss == alone.history.training_loss
    for name, tensor in alone.network.state_dict().items():
        assert torch.equal(tensor, result.network.state_dict()[name]), name


def test_predictions_are_those_of_the_best_epoch(sets, results):
    """Trap: no test accuracy at all."""
    _, validation, test = sets
    for result in results.values():
        assert result.learned
        assert result.validation.accuracy == pytest.approx(result.history.best_accuracy)
        expected = predict(result.network, test, batch_size=7)
        np.testing.assert_allclose(result.test.probabilities, expected.probabilities, atol=1e-5)
        assert np.array_equal(result.test.labels, test.labels)
        assert np.array_equal(result.validation.labels, validation.labels)


def test_the_test_set_is_not_looked_at_before_a_mode_is_trained():
    train, validation, test = (Blobs(samples=16, seed=seed) for seed in range(3))
    search = search_modes(small_network, train, validation, (0.01,), QUICK, modes=("head",))
    assert test.loaded == {}
    train_modes(small_network, train, validation, test, search, QUICK)
    assert set(test.loaded.values()) == {1}


def test_a_rate_or_a_mode_that_diverges_is_reported_and_the_others_go_on(sets):
    train, validation, test = sets

    def one_too_steep(mode):
        network = small_network("head")
        if mode == "scratch":
            with torch.no_grad():
                network.trained[-1].weight.fill_(3e38)
        return network

    modes = ("scratch", "head")
    searches = search_modes(one_too_steep, train, validation, (1e38, 0.01), QUICK, modes=modes)
    assert all(history.diverged for history in searches["scratch"].values())
    assert "at learning rate 1e+38" in searches["head"][1e38].diverged
    assert [chosen_rate(search) for search in searches.values()] == [0.01, 0.01]
    results = train_modes(one_too_steep, train, validation, test, searches, QUICK)
    assert "in epoch 1" in results["scratch"].history.diverged
    assert not results["scratch"].learned
    assert results["head"].learned
    assert results["head"].history.diverged == ""


def test_stopped_in_between_it_goes_on_and_finds_the_same(sets, tmp_path):
    train, validation, _ = sets
    started = []

    def stopped_before_training(mode):
        started.append(mode)
        if len(started) == 2:
            raise KeyboardInterrupt
        return small_network(mode)

    def run(build, checkpoints):
        keep = {"checkpoints": checkpoints}
        searches = search_modes(build, train, validation, RATES, QUICK, modes=("head",), **keep)
        return train_modes(build, *sets, searches, LONGER, **keep)["head"]

    with pytest.raises(KeyboardInterrupt):
        run(stopped_before_training, tmp_path)
    names = {path.name for path in (tmp_path / "head" / "search_1_epochs").glob("*.pt")}
    assert names == {"rate_0.03.pt", "rate_0.01.pt"}
    resumed, whole = run(small_network, tmp_path), run(small_network, None)
    assert resumed.history.training_loss == whole.history.training_loss
    assert np.array_equal(resumed.test.probabilities, whole.test.probabilities)
    assert (tmp_path / "head" / f"rate_{whole.learning_rate:g}_2_epochs.pt").is_file()
