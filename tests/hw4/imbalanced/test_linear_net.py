"""Coding part 2: the linear layer, its training, its answers and its line."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from hw4.imbalanced import (
    ImbalancedDataset,
    LinearNet,
    RadialNet,
    decision_line,
    evaluate,
    measure,
    plain_batches,
    predict,
    train,
)
from tests.hw4.blobs import linear_net

pytestmark = pytest.mark.hw4_imbalanced


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def points(tmp_path):
    """Return a small training set whose classes overlap: 40 negatives and 10 positives."""
    rng = np.random.default_rng(3)
    labels = np.arange(50) % 5 == 0
    data = rng.normal(size=(50, 2)) + labels[:, None]
    np.savetxt(tmp_path / "samplestr.txt", np.column_stack([data, labels]))
    return ImbalancedDataset(tmp_path)


def parameters(model):
    return [*model.layer.weight[0].tolist(), model.layer.bias.item()]


# --- Training ---------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 2, 3, 4])
def test_steps_are_those_of_gradient_descent_by_hand(points, epochs):
    """Traps: gradients that are never zeroed, a loss divided by the size of the data set.

    The model ends as the mean over the steps of the second half of the epochs.
    """
    model = linear_net(0.3, -0.2, 0.1)
    batches = [list(range(0, 30)), list(range(30, 50))]
    losses = train(model, points, batches, epochs, learning_rate=0.5)
    X = np.column_stack([points.data.double().numpy(), np.ones(50)])
    y, w, expected, steps = points.labels.numpy(), np.array([0.3, -0.2, 0.1]), [], []
    for _ in range(epochs):
        total = 0.0
        for batch in batches:
            z = X[batch] @ w
            total += np.sum(np.log1p(np.exp(z)) - y[batch] * z)
            w = w - 0.5 * X[batch].T @ (1 / (1 + np.exp(-z)) - y[batch]) / len(batch)
            steps.append(w)
        expected.append(total / 50)
    half = np.mean(steps[2 * (epochs // 2) :], axis=0)
    assert parameters(model) == pytest.approx(half, abs=1e-6)
    assert losses == pytest.approx(expected, abs=1e-6)


def test_training_finds_the_minimum(points):
    model = LinearNet(seeded())
    train(model, points, [list(range(50))], epochs=500, learning_rate=4.0)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(points.data, points.labels)
    assert parameters(model) == pytest.approx([*oracle.coef_[0], *oracle.intercept_], abs=2e-4)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(points):
    lines = []
    for seed in (0, 0, 1):
        model = LinearNet(seeded(seed))
        train(model, points, plain_batches(50, 8, seeded(seed)), epochs=2)
        lines.append(decision_line(model))
    assert lines[0] == lines[1] != lines[2]


def test_training_leaves_the_number_of_threads_alone(points):
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        train(LinearNet(), points, [[0, 1]], epochs=1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"batches": []}, "batches"),
    ],
)
def test_impossible_training_is_refused(points, arguments, message):
    with pytest.raises(ValueError, match=message):
        train(LinearNet(), points, **{"batches": [[0]], **arguments})


# --- Answers ----------------------------------------------------------------------------------


def test_predictions_are_by_the_sign_of_the_logit():
    """Trap: the arg max over a single logit is always 0, so that all answers are negative."""
    data = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]])
    model = linear_net(2.0, 0.0, 0.0)
    assert predict(model, data).tolist() == [True, False, False]
    assert model(data).shape == (3,)


def test_evaluation_takes_every_sample_once(points):
    """Trap: measuring the test set with the sampler of the training."""
    found = evaluate(linear_net(1.0, 1.0, -1.0), points)
    assert (found.positives, found.negatives) == (10, 40)
    X = points.data.numpy()
    called = X[:, 0] + X[:, 1] > 1
    assert found == measure(points.labels.numpy(), called)
    weighted = evaluate(linear_net(1.0, 1.0, -1.0), points, positive_weight=3.0)
    assert weighted == measure(points.labels.numpy(), called, 3.0) != found


# --- The boundary -----------------------------------------------------------------------------


@given(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32), st.floats(-5, 5, width=32))
def test_the_line_is_where_the_answer_changes(w1, w2, b):
    model = linear_net(w1, w2, b)
    side = decision_line(model)
    if not (w1 or w2):
        assert side is None
        return
    assert (side.w1, side.w2, side.b) == (w1, w2, b)
    grid = torch.tensor(np.mgrid[-4:4:9j, -4:4:9j].reshape(2, -1).T, dtype=torch.float32)
    exact = side.contains(grid.numpy())
    near = np.abs(grid.double().numpy() @ [w1, w2] + b) < 1e-4
    assert (near | (predict(model, grid).numpy() == exact)).all()


def test_the_radial_model_and_its_neuron_have_one_boundary():
    model = linear_net(0.5, 2.0, -1.5, RadialNet)
    data = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    positive = predict(model, torch.tensor(data, dtype=torch.float32)).numpy()
    assert np.array_equal(positive, model.neuron()(*data.T) < 0)
    assert model.neuron().zero_set().semi_axes == pytest.approx((math.sqrt(3), math.sqrt(0.75)))
