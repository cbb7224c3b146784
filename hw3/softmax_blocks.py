"""Question 2 at full size: the logits and the gradient of `hw3.softmax`, in blocks, on all cores.

BLAS is made for large square matrices. It first copies both factors into an order of its own, and
with ten columns that takes as long as the arithmetic. Below a million multiplications OpenBLAS
leaves the copy out where it can. So samples are multiplied in blocks of that size, a stack of them
in one call of NumPy, and every core takes a part of the stack.
"""

import numpy as np
import numpy.typing as npt

from hw3.cores import ONE_CORE, Cores
from hw3.softmax import Floats, Labels, as_floats, cross_entropy, saturate, softmax_in_place

SMALL_PRODUCT = 10**6
"""Multiplications that OpenBLAS does without copying the factors."""

CACHE_LINE = 64
"""Bytes that go between memory and processor together; at least as many as a vector register."""


def logits_by_blocks(W: npt.ArrayLike, X: npt.ArrayLike, cores: Cores = ONE_CORE) -> Floats:
    """Return the logits of X (m, d), the features without their column of ones, shape (m, K).

    X W[:-1] + W[-1] is the same as ``logits(W, add_bias(X))``, without a copy of all features.

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias.
    X
        Features, shape (m, d).
    cores
        From `hw3.cores.all_cores`. Without them one does it.
    """
    W, X = as_floats(W), as_floats(X)
    # A class after another in memory: what follows runs along the samples, not along ten classes.
    Z = np.empty((len(X), W.shape[1]), np.result_type(X, W), order="F")
    cores.share(lambda part: _logits(W, X[part], Z[part]), len(X), _block_rows(W))
    return Z


def loss_and_classes(Z: Floats, Y: Floats, cores: Cores = ONE_CORE) -> tuple[float, Labels]:
    """Return ``cross_entropy(Z, Y)`` and the most probable class of each sample, shape (m,).

    Parameters
    ----------
    Z
        Logits, shape (m, K).
    Y
        One-hot labels, shape (m, K).
    cores
        From `hw3.cores.all_cores`. Without them one does it.
    """

    def work(part: slice) -> tuple[float, Labels]:
        share = (part.stop - part.start) / len(Z)
        return share * cross_entropy(Z[part], Y[part]), Z[part].argmax(axis=1)

    losses, classes = zip(*cores.share(work, len(Z)), strict=True)
    return sum(losses), np.concatenate(classes)


def gradient_of_batch(
    W: Floats,
    X: Floats,
    Y: Floats,
    batch: npt.NDArray[np.intp],
    memory: Floats,
    cores: Cores = ONE_CORE,
) -> Floats:
    """Return ``gradient(W, add_bias(X[batch]), Y[batch])`` of `hw3.softmax`, shape (d + 1, K).

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias.
    X
        All features, shape (m, d), a row after another in memory.
    Y
        All one-hot labels, shape (m, K).
    batch
        Which of the m samples to take, shape (b,).
    memory
        At least b rows of d, from `aligned_rows`: the batch is brought together there. Given from
        outside, no batch waits for the system to hand out megabytes.
    cores
        From `hw3.cores.all_cores`. Without them one does it.
    """
    size = _block_rows(W)

    def work(part: slice) -> Floats:
        chosen, inputs = batch[part], memory[part.start : part.stop]
        # Not checked again ("clip"): a permutation is in range, and checking would copy the result.
        np.take(X, chosen, axis=0, out=inputs, mode="clip")
        Z = np.empty((len(chosen), W.shape[1]), W.dtype, order="F")
        _logits(W, inputs, Z)
        residual = softmax_in_place(Z)
        residual -= np.take(Y, chosen, axis=0, mode="clip")
        residual /= W.dtype.type(len(batch))
        # A class after another in memory, as the residual is.
        G = np.empty(W.shape[::-1], W.dtype)
        whole = len(inputs) // size * size
        columns = residual[:whole].T.reshape(len(G), -1, size).transpose(1, 0, 2)
        np.matmul(columns, _blocks(inputs[:whole], size)).sum(axis=0, out=G[:, :-1])
        if whole < len(inputs):
            G[:, :-1] += residual[whole:].T @ inputs[whole:]
        residual.sum(axis=0, out=G[:, -1])
        return G

    first, *rest = cores.share(work, len(batch), size)
    for part in rest:
        first += part
    return first.T


def aligned_rows(rows: int, X: Floats) -> Floats:
    """Return memory for some rows of X (m, d), shape (rows, d), that begins at a cache line.

    NumPy's own arrays begin anywhere, and then every read of a whole vector register takes two.
    """
    d, size = X.shape[1], X.dtype.itemsize
    spare = np.empty(rows * d + CACHE_LINE // size, X.dtype)
    start = -spare.ctypes.data % CACHE_LINE // size
    return spare[start : start + rows * d].reshape(rows, d)


def _logits(W: Floats, X: Floats, Z: Floats) -> None:
    """Write the logits of X (n, d) to Z (n, K), which is in columns."""
    size = _block_rows(W)
    whole = len(X) // size * size
    # NumPy keeps what to do about an overflow for each thread.
    with np.errstate(over="ignore", invalid="ignore"):
        Z[:whole] = np.matmul(_blocks(X[:whole], size), W[:-1]).reshape(-1, Z.shape[1])
        if whole < len(X):
            Z[whole:] = X[whole:] @ W[:-1]
        Z += W[-1]
    saturate(Z)


def _block_rows(W: Floats) -> int:
    """Return how many samples a block holds: 16, 32 or 64, which divide the usual batches."""
    fitting = max(1, SMALL_PRODUCT // max(1, W[:-1].size))
    return min(64, max(16, 1 << (fitting.bit_length() - 1)))


def _blocks(X: Floats, size: int) -> Floats:
    """Return X (n, d) as a stack of blocks, shape (n / size, size, d)."""
    return X.reshape(len(X) // size, size, X.shape[1])
