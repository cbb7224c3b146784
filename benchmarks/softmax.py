"""Softmax regression against the earlier hand-in's procedure, and against scikit-learn."""

import math
import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.extraction import embedded_features
from benchmarks.table import Row, interleave, matmul_peak, peak_memory
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

    def ours() -> tuple[float, ...]:
        return SoftmaxRegression(max_epochs=EPOCHS).fit(X, y, X_test, y_test).history_.loss

    theirs = partial(reference, X64, y, X64_test, y_test)
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-4)
    ours_mb, theirs_mb = (1e-6 * peak_memory(run) for run in (ours, theirs))
    copies = X64.nbytes + X64_test.nbytes  # the reference copies all features, to append ones
    seconds = interleave({"ours": ours, "theirs": theirs}, pause=0.2, memory=copies)
    epoch = seconds["ours"] / EPOCHS
    rate = 2e-9 * TRAIN * WIDTH * CLASSES * PRODUCTS / epoch
    work, baseline = f"{TRAIN:,} x {WIDTH:,}", "the reference's procedure, float64"
    peak = matmul_peak(torch.float32)
    yield Row(
        f"softmax regression, an epoch with train and test metrics, {work}",
        "s",
        epoch,
        seconds["theirs"] / EPOCHS,
        baseline,
        required=2.5,
        limit=f"memory: products with ten columns reach {rate:.0f} of {peak:.0f} GFLOP/s",
    )
    work = f"memory for training, beside the features, {work}"
    limit = f"labels, logits and a batch: the {1e-6 * X.nbytes:,.0f} MB of features are not copied"
    yield Row(work, "MB", ours_mb, theirs_mb, baseline, required=1, limit=limit)


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

    def ours(epochs: int) -> tuple[float, ...]:
        model = SoftmaxRegression(learning_rate=0.05, batch_size=32, max_epochs=epochs)
        return model.fit(X, y, X_test, y_test).history_.test_accuracy

    wanted = theirs().score(X_test, y_test)
    enough = [epoch for epoch, share in enumerate(ours(60), start=1) if share >= wanted]
    epochs = enough[0] if enough else 60
    seconds = interleave({"ours": partial(ours, epochs), "theirs": theirs}, rounds=3, pause=0.2)
    step = 1e3 * seconds["ours"] / epochs / -(-len(X) // 32)
    return Row(
        f"softmax regression to the test accuracy of L-BFGS, {wanted:.3f}, on {len(X):,} x "
        f"{X.shape[1]:,} EfficientNet-Lite0 features of the embedded digits",
        "s",
        seconds["ours"] if enough else math.nan,
        seconds["theirs"],
        "LogisticRegression, at most 100 iterations",
        required=1,
        limit=f"Python: {step:.2f} ms for a step on 32 samples, {epochs} epochs",
    )
