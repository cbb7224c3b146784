"""Softmax regression against the reference and scikit-learn: ``python -m benchmarks softmax``."""

import warnings
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.table import Row, interleave, matmul_peak, peak_memory
from coursework.profiles import get_profile
from hw3.features import Preprocessing, build_extractor, compute_features
from hw3.mnist import load_mnist
from hw3.softmax_regression import SoftmaxRegression, standardize

TRAIN, TEST, WIDTH, CLASSES, BATCH, EPOCHS = 60_000, 10_000, 2_048, 10, 512, 10
PRODUCTS = 3 + TEST / TRAIN
"""Matrix products of an epoch, in products with the whole training set: the logits and the gradient
of the steps, the logits that measure the training set, and the logits of the test set."""

Matrix = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def rows() -> Iterator[Row]:
    """Compare the time of an epoch, its memory, and the time to an accuracy."""
    yield from epoch_rows()
    yield accuracy_row()


def epoch_rows() -> Iterator[Row]:
    """Train at full size. The preparation counts by its share in the epochs of one training."""
    rng = np.random.default_rng(0)
    X, X_test = (rng.standard_normal((m, WIDTH), dtype=np.float32) for m in (TRAIN, TEST))
    y, y_test = (rng.integers(0, CLASSES, m) for m in (TRAIN, TEST))
    X64, X64_test = X.astype(np.float64), X_test.astype(np.float64)

    def ours() -> list[float]:
        return list(SoftmaxRegression(max_epochs=EPOCHS).fit(X, y, X_test, y_test).history_.loss)

    def theirs() -> list[float]:
        return reference(X64, y, X64_test, y_test)

    memory = [peak_memory(run) for run in (ours, theirs)]
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-4)
    contenders: dict[str, Callable[[], object]] = {"ours": ours, "theirs": theirs}
    copies = X64.nbytes + X64_test.nbytes  # the reference copies all features, to append ones
    seconds = interleave(contenders, rounds=5, pause=0.2, memory=copies)
    epoch, baseline = seconds["ours"] / EPOCHS, seconds["theirs"] / EPOCHS
    work = f"{TRAIN:,} x {WIDTH:,}"
    operations = 2e-9 * TRAIN * WIDTH * CLASSES * PRODUCTS
    yield Row(
        work=f"softmax regression, an epoch with train and test metrics, {work}",
        ours=f"{epoch:.3f} s",
        baseline=f"{baseline:.3f} s (the reference's procedure, float64)",
        ratio=baseline / epoch,
        required=2.5,
        limit="memory and cache: products with matrices of ten columns reach "
        f"{operations / epoch:.0f} of {matmul_peak(torch.float32):.0f} GFLOP/s",
    )
    yield Row(
        work=f"memory for training, beside the features, {work}",
        ours=f"{memory[0] / 1e6:,.0f} MB",
        baseline=f"{memory[1] / 1e6:,.0f} MB (the reference's procedure, float64)",
        ratio=memory[1] / memory[0],
        required=1,
        limit="labels, logits and a batch: the features are not copied",
    )


def reference(X: Matrix, y: Labels, X_test: Matrix, y_test: Labels) -> list[float]:
    """Train as the earlier hand-in did, and return the loss of each epoch.

    The reference computes in float64, appends a column of ones to all features, shifts softmax by
    the maximum of the whole matrix, and computes a gradient of the bias that nothing uses. Its
    batches hold the same samples as ours, in the same order, so that both compute the same weights.
    """
    X, X_test = (np.hstack([part, np.ones((len(part), 1))]) for part in (X, X_test))
    Y, W, losses = np.eye(CLASSES)[y], np.zeros((X.shape[1], CLASSES)), []
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        order = rng.permutation(len(X))
        for start in range(0, len(X), BATCH):
            batch = order[start : start + BATCH]
            inputs = X[batch]
            residual = shared_maximum_softmax(inputs @ W) - Y[batch]
            residual.mean(axis=0)
            W = W - 0.01 * (inputs.T @ residual) / len(batch)
        P, P_test = shared_maximum_softmax(X @ W), shared_maximum_softmax(X_test @ W)
        losses.append(-float(np.mean(np.sum(Y * np.log(P), axis=1))))
        np.mean(P.argmax(axis=1) == y)
        np.mean(P_test.argmax(axis=1) == y_test)
    return losses


def shared_maximum_softmax(Z: Matrix) -> Matrix:
    """Return the softmax of the reference, which shifts all rows by the maximum of the matrix."""
    E = np.exp(Z - Z.max())
    probabilities: Matrix = E / E.sum(axis=1, keepdims=True)
    return probabilities


def accuracy_row() -> Row:
    """Train on the digits that come with the project until scikit-learn's accuracy is reached."""
    (X, y), (X_test, y_test) = embedded_features()
    X, X_test = standardize(X, X_test)

    def theirs() -> LogisticRegression:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 100 iterations may be too few to converge
            return LogisticRegression(max_iter=100).fit(X, y)

    solved = theirs()
    wanted = solved.score(X_test, y_test)
    settings: dict[str, Any] = {"learning_rate": 0.05, "batch_size": 32}
    found = SoftmaxRegression(**settings, max_epochs=60).fit(X, y, X_test, y_test)
    reached = next(
        (epoch for epoch, share in zip(count(1), found.history_.test_accuracy) if share >= wanted),
        60,
    )

    def ours() -> SoftmaxRegression:
        return SoftmaxRegression(**settings, max_epochs=reached).fit(X, y, X_test, y_test)

    share = ours().history_.test_accuracy[-1]
    seconds = interleave({"ours": ours, "theirs": theirs}, rounds=3, unmeasured=0, pause=0.2)
    return Row(
        work=f"softmax regression to the test accuracy of L-BFGS, {len(X):,} x {X.shape[1]:,} "
        "(EfficientNet-Lite0 features of the embedded digits)",
        ours=f"{seconds['ours']:.2f} s: {share:.3f} after {reached} epochs",
        baseline=f"{seconds['theirs']:.2f} s: {wanted:.3f} after {solved.n_iter_[0]} iterations "
        "(LogisticRegression)",
        ratio=seconds["theirs"] / seconds["ours"] if share >= wanted else float("nan"),
        required=1,
        limit=f"Python: {1e3 * seconds['ours'] / reached / -(-len(X) // 32):.2f} ms for a step on "
        f"32 samples; learning rate {settings['learning_rate']}",
    )


def embedded_features(precision: str = "fp32") -> list[tuple[npt.NDArray[np.float32], Labels]]:
    """Return the features and labels of the embedded notebook: the training set, then the test set.

    The network runs on the CPU, in the precision that is given.
    """
    profile = get_profile("embedded")
    extractor = build_extractor(profile.feature_backbone, profile.feature_weights)
    preprocessing = Preprocessing(image_size=profile.feature_image_size)
    sets = []
    for split in ("train", "test"):
        digits = load_mnist(profile.mnist_root, split)
        made = compute_features(
            digits, extractor, preprocessing, device="cpu", precision=precision, show_progress=False
        )
        sets.append((made.features, made.labels))
    return sets
