"""Coding part 2: the data set, the linear layer, its training and its line."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader

from hw4.imbalanced import (
    BalancedBatchSampler,
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
from hw4.report.imbalanced_tables import conclusion, headline, metrics_table, separation
from hw4.theory.zero_sets import Circle

pytestmark = pytest.mark.hw4_imbalanced

ROOT = Path(__file__).resolve().parents[3] / "data" / "imbalanced"


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Points:
    """A small set of samples, the least that `train` asks for."""

    def __init__(self, data, labels):
        self.data = torch.tensor(data, dtype=torch.float32)
        self.labels = torch.tensor(labels)

    def __getitem__(self, index):
        return {"data": self.data[index], "label": self.labels[index]}


@pytest.fixture
def points():
    rng = np.random.default_rng(3)
    labels = np.arange(50) % 5 == 0
    return Points(rng.normal(size=(50, 2)) + labels[:, None], labels.astype(np.int64))


def net(w1, w2, b, kind=LinearNet):
    model = kind()
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[w1, w2]]))
        model.layer.bias.fill_(b)
    return model


# --- Data -------------------------------------------------------------------------------------


def test_items_have_data_and_label():
    train_set, test_set = (ImbalancedDataset(ROOT, mode) for mode in ("train", "test"))
    assert len(train_set) == len(test_set) == 10_000
    assert not torch.equal(train_set.data, test_set.data)
    item = train_set[9_999]
    assert set(item) == {"data", "label"}
    assert item["data"].shape == (2,)
    assert item["data"].dtype == torch.float32
    assert item["label"] == 1
    assert train_set[[0, 9_999]]["label"].tolist() == [0, 1]


def test_works_in_a_data_loader_and_ends():
    dataset = ImbalancedDataset(ROOT, "test")
    batch = next(iter(DataLoader(dataset, 32, shuffle=True)))
    assert (batch["data"].shape, batch["label"].shape) == ((32, 2), (32,))
    with pytest.raises(IndexError):
        dataset[10_000]


def test_other_files_are_found_by_name_or_path(tmp_path):
    for name, label in (("a.txt", "0"), ("b.txt", "1")):
        (tmp_path / name).write_text(f"1 2 0\n3 4 1\n5 6 {label}\n")
    files = ("a.txt", str(tmp_path / "b.txt"))
    assert ImbalancedDataset(tmp_path, "train", files).labels.tolist() == [0, 1, 0]
    assert ImbalancedDataset("elsewhere", "test", files).labels.tolist() == [0, 1, 1]


def test_unknown_modes_and_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mode is 'val', expected 'train' or 'test'"):
        ImbalancedDataset(ROOT, "val")
    with pytest.raises(FileNotFoundError, match=r"samplestr\.txt: no such file"):
        ImbalancedDataset(tmp_path, "train")
    with pytest.raises(ValueError, match="the training file and the test file"):
        ImbalancedDataset(tmp_path, "train", "samplestr.txt")


# --- Training ---------------------------------------------------------------------------------


def test_steps_are_those_of_gradient_descent_by_hand(points):
    """Traps: gradients that are never zeroed, a loss divided by the size of the data set."""
    model = net(0.3, -0.2, 0.1)
    batches = [list(range(0, 30)), list(range(30, 50))]
    losses = train(model, points, batches, epochs=3, learning_rate=0.5, averaged_epochs=0)
    X = np.column_stack([points.data.double().numpy(), np.ones(50)])
    y, w, expected = points.labels.numpy(), np.array([0.3, -0.2, 0.1]), []
    for _ in range(3):
        total = 0.0
        for batch in batches:
            z = X[batch] @ w
            total += np.sum(np.log1p(np.exp(z)) - y[batch] * z)
            w = w - 0.5 * X[batch].T @ (1 / (1 + np.exp(-z)) - y[batch]) / len(batch)
        expected.append(total / 50)
    found = [*model.layer.weight[0].tolist(), model.layer.bias.item()]
    assert found == pytest.approx(w, abs=1e-6)
    assert losses == pytest.approx(expected, abs=1e-6)


def test_the_model_ends_as_the_mean_over_the_last_epochs(points):
    def parameters(epochs, averaged):
        model = net(0.3, -0.2, 0.1)
        train(model, points, [list(range(50))], epochs, 0.5, averaged)
        return np.array([*model.layer.weight[0].tolist(), model.layer.bias.item()])

    last = [parameters(epochs, 0) for epochs in (3, 4)]
    assert parameters(4, 2) == pytest.approx(np.mean(last, axis=0), abs=1e-6)
    assert parameters(4, None) == pytest.approx(parameters(4, 2))


def test_training_finds_the_minimum(points):
    model = LinearNet(seeded())
    train(model, points, [list(range(50))], epochs=3000, learning_rate=1.0, averaged_epochs=1)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(points.data, points.labels)
    assert model.layer.weight[0].tolist() == pytest.approx(oracle.coef_[0], abs=2e-4)
    assert model.layer.bias.item() == pytest.approx(oracle.intercept_[0], abs=2e-4)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"epochs": 2, "averaged_epochs": 3}, "averaged_epochs is 3, expected 0 to 2"),
        ({"batches": []}, "batches"),
    ],
)
def test_impossible_training_is_refused(points, arguments, message):
    with pytest.raises(ValueError, match=message):
        train(LinearNet(), points, **{"batches": [[0]], **arguments})


# --- Prediction and measures ------------------------------------------------------------------


def test_predictions_are_by_the_sign_of_the_logit():
    """Trap: the arg max over a single logit is always 0, so that all answers are negative."""
    data = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]])
    model = net(2.0, 0.0, 0.0)
    assert predict(model, data).tolist() == [True, False, False]
    assert model(data).shape == (3,)


def test_evaluation_takes_every_sample_once(points):
    """Trap: measuring the test set with the sampler of the training."""
    found = evaluate(net(1.0, 1.0, -1.0), points)
    assert (found.positives, found.negatives) == (10, 40)
    X = points.data.numpy()
    assert found == measure(points.labels.numpy(), X[:, 0] + X[:, 1] > 1)


@pytest.fixture(scope="module", params=["the committed files", "another draw"])
def root(request, tmp_path_factory):
    """The folder of a pair of files."""
    if request.param == "the committed files":
        return ROOT
    folder = tmp_path_factory.mktemp("imbalanced")
    script = ROOT.parent / "make_imbalanced.py"
    command = [sys.executable, script, "--target", folder, "--seed", "7"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT.parents[1])
    return folder


@pytest.fixture(scope="module")
def results(root):
    """The two models of the homework and the radial one."""
    train_set, test_set = (ImbalancedDataset(root, mode) for mode in ("train", "test"))
    found = {}
    for name, kind, balanced in (
        ("plain", LinearNet, False),
        ("balanced", LinearNet, True),
        ("radial", RadialNet, False),
    ):
        generator = seeded(2026)
        model = kind(generator)
        batches = (
            BalancedBatchSampler(train_set.labels, 128, generator=generator)
            if balanced
            else plain_batches(len(train_set), 128, generator)
        )
        losses = train(model, train_set, batches)
        assert losses[-1] < losses[0]
        found[name] = evaluate(model, test_set, positive_weight=2)
    return found


def test_plain_batches_are_80_percent_right_and_find_nothing(results):
    assert 0.79 <= results["plain"].accuracy <= 0.81
    assert results["plain"].tpr <= 0.02


def test_balanced_batches_find_the_positives(results):
    assert results["balanced"].tpr >= 0.99
    assert 0.80 <= results["balanced"].balanced_accuracy <= 0.82


def test_a_curved_boundary_separates_the_classes(results):
    assert results["radial"].tpr >= 0.99
    assert results["radial"].tnr >= 0.99


# --- The line ---------------------------------------------------------------------------------


@given(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32), st.floats(-5, 5, width=32))
def test_the_line_is_where_the_answer_changes(w1, w2, b):
    model = net(w1, w2, b)
    side = decision_line(model)
    if w1 == 0 and w2 == 0:
        assert side is None
        return
    assert (side.w1, side.w2, side.b) == (w1, w2, b)
    grid = torch.tensor(np.mgrid[-4:4:9j, -4:4:9j].reshape(2, -1).T, dtype=torch.float32)
    exact = side.contains(grid.numpy())
    near = np.abs(grid.double().numpy() @ [w1, w2] + b) < 1e-4
    assert (near | (predict(model, grid).numpy() == exact)).all()


def test_a_vertical_line_and_no_line():
    vertical = decision_line(net(2.0, 0.0, -3.0))
    assert vertical.vertical
    assert vertical.equation == "x1 = 1.5"
    assert decision_line(net(0.0, 0.0, 1.0)) is None


def test_the_radial_model_and_its_neuron_have_one_boundary():
    model = net(0.5, 2.0, -1.5, RadialNet)
    data = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    positive = predict(model, torch.tensor(data, dtype=torch.float32)).numpy()
    assert np.array_equal(positive, model.neuron()(*data.T) < 0)
    assert model.neuron().zero_set().semi_axes == pytest.approx((math.sqrt(3), math.sqrt(0.75)))


# --- Words and tables -------------------------------------------------------------------------


def test_the_table_has_the_rates_of_each_model(results):
    table = metrics_table(results)
    assert list(table.columns) == ["accuracy", "TPR", "TNR", "balanced", "weighted (2:1)"]
    assert float(table.loc["balanced", "balanced"]) == pytest.approx(
        results["balanced"].balanced_accuracy, abs=5e-5
    )


def test_the_conclusion_follows_the_numbers():
    useless, useful = measure([0] * 8 + [1] * 2, [0] * 10), measure([0] * 8 + [1] * 2, [1] * 10)
    text = conclusion(useless, useful).data
    assert "80.0% of the answers are right, where saying *negative* every time" in text
    assert "finds 0 of the 2 positives" in text
    assert "finds 2 of the 2 positives and calls 8 of the 8 negatives positive" in text
    assert "The accuracy falls from 80.0% to 20.0%, the balanced accuracy stays at 50.0%" in text
    assert "rises from 20.0% to 80.0%" in conclusion(useful, useless).data


def test_the_last_word_says_when_a_curve_does_not_help():
    poor, good = measure([0, 0, 1, 1], [0, 1, 0, 1]), measure([0, 0, 1, 1], [0, 0, 1, 1])
    assert "it is a bend" in separation(poor, good, Circle(1.0)).data
    assert "does not help" in separation(good, poor, Circle(1.0)).data
    assert "circle, radius 1" in separation(poor, good, Circle(1.0)).data


def test_the_headline_has_four_figures_for_each_model(results):
    figures = headline(results).figures
    assert len(figures) == 4 * len(results)
    assert figures["plain, accuracy"] == results["plain"].accuracy
