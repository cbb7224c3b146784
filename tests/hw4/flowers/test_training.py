"""Coding part 1, the training: the traps of the homework, divergence, settings and history."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from hw4.flowers import History, TrainingSettings, evaluate, predict, train_model
from hw4.flowers import training as module
from hw4.flowers.evaluation import Measured
from hw4.flowers.inputs import epoch_batches
from tests.hw4.blobs import Blobs, small_network

pytestmark = pytest.mark.hw4_flowers

QUICK = TrainingSettings(epochs=2, learning_rate=0.01, batch_size=16)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("batch_size", 0),
        ("momentum", 1),
        ("weight_decay", -1),
        ("schedule", "linear"),
        ("patience", 0),
        ("seed", -1),
        ("precision", "fp16"),
        ("cache_bytes", -1),
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected"):
        TrainingSettings(**{name: value})


@pytest.mark.handed_out
def test_of_equal_epochs_the_one_with_the_lowest_loss_is_the_best():
    history = History((1.0,) * 3, (0.5, 0.4, 0.6), (0.8, 0.8, 0.7), (0.1,) * 3, (1.0,) * 3)
    assert (history.best_epoch, history.best_accuracy) == (2, 0.8)
    assert History().best_epoch == 0
    assert math.isnan(History().best_accuracy)


def test_two_epochs_are_what_plain_pytorch_does(blobs, validation_blobs, tmp_path):
    """An oracle: the same batches, the same SGD, written down in ten lines."""
    settings = TrainingSettings(
        epochs=2, learning_rate=0.02, batch_size=16, momentum=0.8, weight_decay=0.01, seed=4
    )
    expected = small_network()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.02, momentum=0.8, weight_decay=0.01)
    losses = []
    for epoch in range(2):
        expected.train()
        total = 0.0
        for members in epoch_batches(60, 16, 4, epoch):
            x, y = blobs.batch(members)
            loss = nn.functional.cross_entropy(expected(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(members)
        losses.append(total / 60)
    path = tmp_path / "run.pt"
    training = train_model(small_network(), blobs, validation_blobs, settings, checkpoint=path)
    np.testing.assert_allclose(training.history.training_loss, losses, rtol=1e-4)
    ours = torch.load(tmp_path / "run.pt", weights_only=True)["state"]["trained"]
    for name, tensor in expected.trained.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-3, atol=1e-4)


def test_means_are_over_samples_although_the_last_batch_is_short(blobs, validation_blobs):
    """Trap: accuracies of batches averaged, the loss divided by the wrong number."""
    training = train_model(small_network(), blobs, validation_blobs, QUICK)
    x, y = validation_blobs.batch(np.arange(21))
    best = training.history.best_epoch - 1
    with torch.inference_mode():
        logits = training.network(x)
    loss = nn.functional.cross_entropy(logits, y).item()
    assert training.history.validation_loss[best] == pytest.approx(loss, rel=1e-4)
    right = np.mean(logits.argmax(dim=1).numpy() == y.numpy())
    assert training.history.validation_accuracy[best] == pytest.approx(right)


def test_the_weights_of_the_best_epoch_are_returned(blobs, validation_blobs, monkeypatch):
    """The validation accuracy is made to fall after the second of four epochs."""
    seen = []

    def measure(inputs, batch_size):
        seen.append({n: t.clone() for n, t in inputs.network.trained.state_dict().items()})
        return Measured(loss=1.0, accuracy=[0.5, 0.9, 0.9, 0.7][len(seen) - 1])

    monkeypatch.setattr(module, "evaluate", measure)
    settings = dataclasses.replace(QUICK, epochs=4)
    training = train_model(small_network(), blobs, validation_blobs, settings)
    assert training.history.best_epoch == 2
    final = training.network.trained.state_dict()
    assert all(torch.equal(seen[1][name], final[name]) for name in final)
    assert not training.network.training


def test_validation_records_no_gradient_and_changes_no_weight(blobs, validation_blobs, monkeypatch):
    """Trap: gradients recorded in validation, BatchNorm statistics moved by it."""

    def watched(inputs, batch_size):
        network = inputs.network
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        handle = network.trained.register_forward_hook(
            lambda module, inputs, output: outputs.append(output.requires_grad)
        )
        measured = evaluate(inputs, batch_size)
        handle.remove()
        assert all(torch.equal(before[n], t) for n, t in network.state_dict().items())
        return measured

    outputs = []
    monkeypatch.setattr(module, "evaluate", watched)
    train_model(small_network(), blobs, validation_blobs, QUICK)
    assert outputs
    assert not any(outputs)


def test_it_learns_what_can_be_learned(blobs, validation_blobs):
    settings = TrainingSettings(epochs=4, learning_rate=0.01, batch_size=16)
    training = train_model(small_network(), blobs, validation_blobs, settings)
    assert training.history.best_accuracy >= 0.9
    test = Blobs(samples=31, seed=2)
    predictions = predict(training.network, test, batch_size=8)
    assert predictions.accuracy >= 0.9
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)


@pytest.mark.parametrize("mode", ["last_layers", "head"])
def test_the_frozen_part_is_the_same_after_training(mode, blobs, validation_blobs):
    """Trap: a "frozen" network whose BatchNorm statistics still move."""
    network = small_network(mode)
    before = {name: tensor.clone() for name, tensor in network.frozen.state_dict().items()}
    training = train_model(network, blobs, validation_blobs, QUICK)
    after = training.network.frozen.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_loss_that_is_no_number_ends_that_training_with_a_report(blobs, validation_blobs):
    start = small_network()
    before = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    wild = dataclasses.replace(QUICK, learning_rate=1e30, epochs=3)
    training = train_model(start, blobs, validation_blobs, wild)
    assert "the training loss became" in training.history.diverged
    assert "in epoch 1, at learning rate 1e+30" in training.history.diverged
    assert len(training.history) == 0
    # Nothing was finished, so the weights are those it started from.
    assert all(torch.equal(before[n], t) for n, t in training.network.state_dict().items())


def test_divergence_in_the_last_step_of_an_epoch_is_noticed_too(blobs, validation_blobs):
    """One batch an epoch: its loss is a number, and the weights after its step are not."""
    wild = dataclasses.replace(QUICK, learning_rate=1e30, batch_size=60)
    training = train_model(small_network(), blobs, validation_blobs, wild)
    assert "the validation loss became" in training.history.diverged
    assert len(training.history) == 0
    assert all(t.isfinite().all() for t in training.network.state_dict().values())


def test_a_later_divergence_keeps_the_best_epoch_before(blobs, validation_blobs, monkeypatch):
    rates = [0.01, 1e30, 1e30]
    monkeypatch.setattr(TrainingSettings, "learning_rate_at", lambda self, epoch: rates[epoch])
    settings = dataclasses.replace(QUICK, epochs=3)
    training = train_model(small_network(), blobs, validation_blobs, settings)
    assert "in epoch 2" in training.history.diverged
    assert training.history.best_epoch == len(training.history) == 1
    assert all(t.isfinite().all() for t in training.network.state_dict().values())


def test_early_stopping_waits_as_long_as_it_is_told(blobs, validation_blobs, monkeypatch):
    accuracies = iter([0.5, 0.6, 0.6, 0.55, 0.9])
    monkeypatch.setattr(module, "evaluate", lambda *a: Measured(1.0, next(accuracies)))
    settings = dataclasses.replace(QUICK, epochs=5, patience=2)
    history = train_model(small_network(), blobs, validation_blobs, settings).history
    assert history.validation_accuracy == (0.5, 0.6, 0.6, 0.55)
    assert history.best_epoch == 2


def test_the_history_holds_every_epoch(blobs, validation_blobs):
    settings = dataclasses.replace(QUICK, epochs=3, schedule="cosine")
    history = train_model(small_network(), blobs, validation_blobs, settings).history
    assert len(history) == 3
    expected = [0.01 * (1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in range(3)]
    assert history.learning_rate == pytest.approx(expected)
    assert all(seconds > 0 for seconds in history.seconds)
    assert history.diverged == ""


def test_training_twice_gives_the_same_weights(blobs, validation_blobs):
    blobs.augments = True
    states = []
    for seed in (0, 0, 1):
        settings = dataclasses.replace(QUICK, seed=seed)
        states.append(train_model(small_network(), blobs, validation_blobs, settings).network)
    first, again, other = (network.state_dict() for network in states)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["trained.fc.weight"], other["trained.fc.weight"])


def test_labels_that_do_not_fit_the_network_are_refused(blobs, validation_blobs):
    with pytest.raises(ValueError, match=r"labels up to 2, but the network has 2 outputs"):
        train_model(small_network(classes=2), blobs, validation_blobs, QUICK)


def test_batches_of_one_image_are_refused_where_batchnorm_would_fail(blobs, validation_blobs):
    ones = dataclasses.replace(QUICK, batch_size=1, epochs=1)
    with pytest.raises(ValueError, match="batches of a single image"):
        train_model(small_network(), blobs, validation_blobs, ones)
    assert len(train_model(small_network("head"), blobs, validation_blobs, ones).history) == 1


def test_in_reduced_precision_it_learns_the_same(blobs, validation_blobs, monkeypatch):
    """Hardware without bfloat16 emulates it: slow, but the same arithmetic."""
    network = small_network()
    gentle = dataclasses.replace(QUICK, learning_rate=0.001)
    plain = train_model(small_network(), blobs, validation_blobs, gentle).history
    monkeypatch.setattr("coursework.runtime.reduced_precision", lambda device: torch.bfloat16)
    types = []
    network.trained.conv1.register_forward_hook(lambda *call: types.append(call[2].dtype))
    in_bfloat16 = dataclasses.replace(gentle, precision="bf16")
    reduced = train_model(network, blobs, validation_blobs, in_bfloat16).history
    assert set(types) == {torch.bfloat16}
    np.testing.assert_allclose(reduced.training_loss, plain.training_loss, atol=0.1)
    # The weights themselves stay in full precision.
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_a_precision_that_the_hardware_lacks_is_refused_and_float16_is_not_trained_in(
    blobs, validation_blobs, monkeypatch
):
    reduced = dataclasses.replace(QUICK, precision="bf16", epochs=1)
    with pytest.raises(ValueError, match="bf16 is not fast on this CPU"):
        train_model(small_network("head"), blobs, validation_blobs, reduced)
    monkeypatch.setattr("coursework.runtime.reduced_precision", lambda device: torch.float16)
    network = small_network("head")
    network.trained.register_forward_hook(lambda *call: types.append(call[2].dtype))
    types = []
    train_model(network, blobs, validation_blobs, dataclasses.replace(QUICK, epochs=1))
    assert set(types) == {torch.float32}
