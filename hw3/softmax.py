"""Question 2, the mathematics: softmax, cross-entropy, its gradient and one step, in NumPy alone.

The symbols mean the same everywhere: m samples of d features in X (m, d); K classes; weights W
(d + 1, K); one-hot labels Y (m, K); logits Z (m, K); probabilities P = softmax(Z) (m, K).

The last row of W is the bias. A column of ones at the end of X would multiply this row, so the row
is added to every sample, Z = X W[:-1] + W[-1], and the column need not be stored.

The functions compute in the precision of X, W and Y, which share one floating type.
`hw3.softmax_regression.SoftmaxRegression` checks and converts what a user passes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 48
"""Rows that `all_logits` multiplies at a time. OpenBLAS copies no matrix in a product of a million
multiplications or fewer: 48 rows of 2,048 features for ten classes."""

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[Any]


def one_hot(labels: Labels, classes: Labels) -> npt.NDArray[np.float64]:
    """Encode labels as rows that are 1 at their class and 0 elsewhere.

    Parameters
    ----------
    labels
        Shape (m,), numbers or texts.
    classes
        Shape (K,): column k stands for ``classes[k]``. The classes of the training set encode a
        test set too, even if one of the classes does not occur in it.

    Returns
    -------
    ndarray
        Shape (m, K).

    Raises
    ------
    ValueError
        If a label is not among the classes.

    Examples
    --------
    >>> one_hot(np.array([7, 3, 7]), classes=np.array([3, 5, 7]))
    array([[0., 0., 1.],
           [1., 0., 0.],
           [0., 0., 1.]])
    """
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise ValueError(f"labels {unknown.tolist()} are not among the classes {classes.tolist()}")
    Y: npt.NDArray[np.float64] = (labels[:, np.newaxis] == classes).astype(np.float64)
    return Y


def softmax(Z: Floats) -> Floats:
    """Turn logits into probabilities, P[i, k] = exp(Z[i, k]) / sum_j exp(Z[i, j]).

    Each row is first shifted by its own maximum, which changes nothing in exact arithmetic. Shifted
    by the maximum of the whole matrix, a row far below this maximum would underflow to 0 / 0.

    Parameters
    ----------
    Z
        Logits, shape (m, K).

    Returns
    -------
    ndarray
        Shape (m, K); every row sums to 1.
    """
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    P: Floats = E / E.sum(axis=1, keepdims=True)
    return P


def log_softmax(Z: Floats) -> Floats:
    """Return the logarithm of `softmax`, Z[i, k] - log sum_j exp(Z[i, j]), never forming log(0).

    Parameters
    ----------
    Z
        Logits, shape (m, K).

    Returns
    -------
    ndarray
        Shape (m, K).
    """
    S = Z - Z.max(axis=1, keepdims=True)
    log_P: Floats = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    return log_P


def cross_entropy(Z: Floats, Y: Floats) -> float:
    """Return the mean cross-entropy, -1/m sum_ik Y[i, k] log softmax(Z)[i, k], in nats.

    The function takes logits, as PyTorch's does, because the logarithm of a probability that has
    underflowed to 0 is lost.

    Parameters
    ----------
    Z
        Logits, shape (m, K).
    Y
        One-hot labels, shape (m, K).
    """
    return float(-np.sum(Y * log_softmax(Z), dtype=np.float64) / len(Y))


def logits(W: Floats, X: Floats) -> Floats:
    """Return Z = X W[:-1] + W[-1], the features times the weights, plus the bias.

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias.
    X
        Features, shape (m, d).

    Returns
    -------
    ndarray
        Shape (m, K).
    """
    # Column after column in memory: NumPy takes longer for the maxima and sums of short rows.
    return np.asfortranarray(X @ W[:-1] + W[-1])


def all_logits(W: Floats, X: Floats) -> Floats:
    """Return `logits` of a large X (m, d), multiplied a few rows at a time.

    For a product of all rows, the matrix library would first copy X into an order of its own.
    """
    starts = range(0, max(len(X), 1), ROWS)  # no rows have logits, too: none
    return np.concatenate([logits(W, X[start : start + ROWS]) for start in starts])


def predict_proba(W: Floats, X: Floats) -> Floats:
    """Return the probabilities softmax(Z), shape (m, K), for W (d + 1, K) and X (m, d)."""
    return softmax(logits(W, X))


def predict(W: Floats, X: Floats, classes: Labels) -> Labels:
    """Return the most probable of the classes (K,) for each row of X (m, d), shape (m,)."""
    predicted: Labels = classes[all_logits(W, X).argmax(axis=1)]
    return predicted


def accuracy(y_true: Labels, y_pred: Labels) -> float:
    """Return the share of predictions (m,) that equal the true labels (m,)."""
    return float(np.mean(y_true == y_pred))


def gradient(W: Floats, X: Floats, Y: Floats) -> Floats:
    """Return the gradient of the mean cross-entropy in W, [X 1]^T (P - Y) / m, shape (d + 1, K).

    The bias multiplies ones, so the last row of the gradient is the sum of the residuals
    (P - Y) / m.

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias.
    X
        Features, shape (m, d).
    Y
        One-hot labels, shape (m, K).
    """
    residual = (predict_proba(W, X) - Y) / len(X)
    return np.vstack([X.T @ residual, residual.sum(axis=0)])


def apply_gradients(W: Floats, X: Floats, Y: Floats, learning_rate: float) -> Floats:
    """Take one step of gradient descent on a batch: W - learning_rate * gradient(W, X, Y).

    The arguments are those of `gradient`. The bias is a row of W and moves like the other rows. W
    itself is not changed.
    """
    return W - learning_rate * gradient(W, X, Y)
