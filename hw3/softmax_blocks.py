"""Question 2 at full size: the products of `hw3.softmax`, logits and gradient, in blocks.

BLAS is made for large square matrices. It first copies both factors into an order of its own, and
with ten columns that takes as long as the arithmetic. Below a million multiplications OpenBLAS
leaves the copy out where it can. So samples are multiplied in blocks of that size, a stack of them
in one call of NumPy, and every core can take a part of the stack.
"""

import numpy as np
import numpy.typing as npt

from hw3.cores import ONE_CORE, Cores
from hw3.softmax import Floats, Labels, as_floats, cross_entropy, saturate

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
    cores.share(lambda part: write_logits(W, X[part], Z[part]), len(X), block_rows(W))
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


def aligned_rows(rows: int, X: Floats) -> Floats:
    """Return memory for some rows of X (m, d), shape (rows, d), that begins at a cache line.

    NumPy's own arrays begin anywhere, and then every read of a whole vector register takes two.
    """
    d, size = X.shape[1], X.dtype.itemsize
    spare = np.empty(rows * d + CACHE_LINE // size, X.dtype)
    start = -spare.ctypes.data % CACHE_LINE // size
    return spare[start : start + rows * d].reshape(rows, d)


def write_logits(W: Floats, X: Floats, Z: Floats) -> None:
    """Write the logits of X (n, d) to Z (n, K), which is in columns."""
    size = block_rows(W)
    whole = len(X) // size * size
    # NumPy keeps what to do about an overflow for each thread.
    with np.errstate(over="ignore", invalid="ignore"):
        inputs, outputs = (_blocks(A[:whole], size).transpose(0, 2, 1) for A in (X, Z))
        np.matmul(W[:-1].T, inputs, out=outputs)
        if whole < len(X):
            Z[whole:] = X[whole:] @ W[:-1]
        Z += W[-1]
    saturate(Z)


def gradient_by_blocks(R: Floats, X: Floats, products: Floats, size: int) -> Floats:
    """Return R^T [X 1], shape (K, d + 1), for residuals R (n, K), in columns, and inputs X (n, d).

    Each block of ``size`` samples is multiplied into ``products``, at least n / size times K rows
    of d.
    """
    (n, K), d = R.shape, X.shape[1]
    whole = n // size * size
    terms = products[: whole // size * K].reshape(whole // size, K, d)
    np.matmul(_blocks(R[:whole], size).transpose(0, 2, 1), _blocks(X[:whole], size), out=terms)
    G = np.empty((K, d + 1), R.dtype)
    # Their sum, which NumPy takes twice as long for when it writes it into rows with a gap.
    G[:, :-1] = terms.sum(axis=0)
    if whole < n:
        G[:, :-1] += R[whole:].T @ X[whole:]
    R.sum(axis=0, out=G[:, -1])
    return G


def block_rows(W: Floats) -> int:
    """Return how many samples a block holds: 16, 32 or 64, which divide the usual batches."""
    fitting = max(1, SMALL_PRODUCT // max(1, W[:-1].size))
    return min(64, max(16, 1 << (fitting.bit_length() - 1)))


def _blocks(A: Floats, size: int) -> Floats:
    """Return A (n, k) as a stack of blocks in the same memory, shape (n / size, size, k)."""
    return A.reshape(len(A) // size, size, A.shape[1])
