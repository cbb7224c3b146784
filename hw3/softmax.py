"""Question 2, the mathematics: softmax, cross-entropy, its gradient and one step, in NumPy alone.

The symbols are the same everywhere: m samples of d features in X (m, d + 1), whose last column is
ones; K classes; weights W (d + 1, K), whose last row is thus the bias; one-hot labels Y (m, K);
logits Z = X W (m, K); probabilities P = softmax(Z) (m, K).

Results are in the precision of X. They are finite for any finite input: what overflows is held at
the largest number of that precision.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[Any]


def as_floats(X: npt.ArrayLike) -> Floats:
    """Return X as it is if it is float32, and as float64 otherwise."""
    array = np.asarray(X)
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def add_bias(X: npt.ArrayLike) -> Floats:
    """Append a column of ones to X (m, d), the input of the bias; the result is (m, d + 1)."""
    X = as_floats(X)
    return np.hstack([X, np.ones((len(X), 1), X.dtype)])


def one_hot(labels: Labels, classes: Labels | None = None) -> npt.NDArray[np.float64]:
    """Encode labels as rows that are 1 at their class and 0 elsewhere.

    Parameters
    ----------
    labels
        Shape (m,), numbers or texts.
    classes
        The classes in rising order, shape (K,): column k stands for ``classes[k]``. Without them,
        those that occur in ``labels``. Give those of the training set to encode a test set, which
        may lack one.

    Returns
    -------
    ndarray
        Shape (m, K).

    Raises
    ------
    ValueError
        If ``labels`` is not a vector, the classes do not rise, or a label is not among them.

    Examples
    --------
    >>> one_hot(np.array([7, 3, 7]))
    array([[0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(
            f"labels have the shape {labels.shape}, expected (m,); those that loadmat returns are "
            "(1, m) or (m, 1): use .ravel()"
        )
    classes = np.unique(labels) if classes is None else np.asarray(classes)
    if classes.ndim != 1 or len(classes) == 0 or (classes[1:] <= classes[:-1]).any():
        raise ValueError(f"classes are {classes.tolist()}, expected a rising list; use np.unique")
    columns = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    unknown = np.unique(labels[classes[columns] != labels])
    if len(unknown):
        raise ValueError(f"labels {unknown.tolist()} are not among the classes {classes.tolist()}")
    Y = np.zeros((len(labels), len(classes)))
    Y[np.arange(len(labels)), columns] = 1
    return Y


def softmax(Z: npt.ArrayLike) -> Floats:
    """Turn logits into probabilities, P[i, k] = exp(Z[i, k]) / sum_j exp(Z[i, j]).

    Each row is first shifted by its own maximum, which changes nothing in exact arithmetic. With
    the maximum of the whole matrix, a row far below it would underflow to 0 / 0.

    Parameters
    ----------
    Z
        Logits, shape (m, K).

    Returns
    -------
    ndarray
        Shape (m, K); every row sums to 1.
    """
    E = np.exp(shift_rows(Z))
    P: Floats = E / E.sum(axis=1, keepdims=True)
    return P


def softmax_in_place(Z: Floats) -> Floats:
    """Return `softmax` of finite logits Z (m, K), which it overwrites: no new memory for a step.

    A difference too large for the type becomes minus infinity here, whose exponential is the 0 that
    it should be.
    """
    with np.errstate(over="ignore"):
        Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z /= Z.sum(axis=1, keepdims=True)
    return Z


def log_softmax(Z: npt.ArrayLike) -> Floats:
    """Return the logarithm of `softmax`, shape (m, K), without ever forming log(0).

    log P[i, k] = Z[i, k] - log sum_j exp(Z[i, j]).
    """
    S = shift_rows(Z)
    log_P: Floats = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    return log_P


def cross_entropy(Z: npt.ArrayLike, Y: npt.ArrayLike) -> float:
    """Return the mean cross-entropy, -1/m sum_ik Y[i, k] log softmax(Z)[i, k], in nats.

    It takes logits, as PyTorch's does. A probability that underflowed to 0 has lost what its
    logarithm needs.

    Parameters
    ----------
    Z
        Logits, shape (m, K).
    Y
        One-hot labels, shape (m, K).
    """
    Y = as_floats(Y)
    return float(-np.sum(Y / len(Y) * log_softmax(Z), dtype=np.float64))


def gradient(W: npt.ArrayLike, X: npt.ArrayLike, Y: npt.ArrayLike) -> Floats:
    """Return the gradient of the mean cross-entropy in W, X^T (P - Y) / m, shape (d + 1, K).

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias.
    X
        Inputs, shape (m, d + 1); the last column is ones.
    Y
        One-hot labels, shape (m, K).
    """
    W, X = as_floats(W), as_floats(X)
    residual = (predict_proba(W, X) - as_floats(Y)) / len(X)
    return X.T @ residual.astype(X.dtype, copy=False)


def apply_gradients(
    W: npt.ArrayLike, X: npt.ArrayLike, Y: npt.ArrayLike, learning_rate: float
) -> Floats:
    """Take one step of gradient descent on a batch: W - learning_rate * gradient(W, X, Y).

    The arguments are those of `gradient`. The bias, being a row of W, moves like the rest. W itself
    is not changed.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return descend(W, gradient(W, X, Y), learning_rate)


def descend(W: npt.ArrayLike, G: npt.ArrayLike, learning_rate: float) -> Floats:
    """Return the weights after a step against their gradient G: W - learning_rate * G."""
    W = as_floats(W)
    with np.errstate(over="ignore", invalid="ignore"):
        return saturate(W - W.dtype.type(learning_rate) * as_floats(G))


def logits(W: npt.ArrayLike, X: npt.ArrayLike) -> Floats:
    """Return Z = X W, shape (m, K), for W (d + 1, K) and X (m, d + 1)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return saturate(as_floats(X) @ as_floats(W))


def predict_proba(W: npt.ArrayLike, X: npt.ArrayLike) -> Floats:
    """Return the probabilities softmax(X W), shape (m, K), for W (d + 1, K) and X (m, d + 1)."""
    return softmax(logits(W, X))


def predict(W: npt.ArrayLike, X: npt.ArrayLike, classes: npt.ArrayLike) -> Labels:
    """Return the most probable of the classes (K,) for each row of X (m, d + 1), shape (m,)."""
    most_probable: Labels = np.asarray(classes)[logits(W, X).argmax(axis=1)]
    return most_probable


def accuracy(y_true: Labels, y_pred: Labels) -> float:
    """Return the share of predictions that are right.

    Raises
    ------
    ValueError
        If there are none, or the shapes are not (m,) twice: (m,) == (1, m) would compare all pairs.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or y_true.size == 0:
        raise ValueError(
            f"expected two vectors of one length, found {y_true.shape} and {y_pred.shape}; "
            "labels that loadmat returns are (1, m) or (m, 1): use .ravel()"
        )
    return float(np.mean(y_true == y_pred))


def shift_rows(Z: npt.ArrayLike) -> Floats:
    """Return Z with 0 as the maximum of each row, and no entry below the smallest number."""
    Z = as_floats(Z)
    with np.errstate(over="ignore"):
        S: Floats = np.maximum(Z - Z.max(axis=1, keepdims=True), np.finfo(Z.dtype).min)
    return S


def saturate(A: Floats) -> Floats:
    """Replace what overflowed by the largest number, and an undefined sum of overflows by 0."""
    return A if np.isfinite(A).all() else np.nan_to_num(A, copy=False)
