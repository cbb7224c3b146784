"""Question 2 at full size: an epoch of gradient descent, whose batches the cores share.

Two things make it fast, beside the blocks of `hw3.softmax_blocks`:

- Bringing a batch together takes longer than a product with it. So the loss of the weights that an
  epoch begins with is measured on the very batches that its steps bring together, by one product
  of each with both weights, and not in a pass of its own.
- Every thread takes all steps, with weights of its own, and needs of the others only their
  gradients. Before it waits for these it brings together its part of the next batch: meanwhile
  whoever was late has caught up.
"""

import numpy as np
import numpy.typing as npt

from hw3.cores import ONE_CORE, Cores, parts_of
from hw3.exchange import Exchange
from hw3.softmax import Floats, Labels, descend, softmax_in_place
from hw3.softmax_blocks import (
    aligned_rows,
    block_rows,
    gradient_by_blocks,
    loss_and_classes,
    write_logits,
)


def descend_in_batches(
    W: Floats,
    X: Floats,
    Y: Floats,
    order: npt.NDArray[np.intp],
    batch_size: int,
    learning_rate: float,
    cores: Cores = ONE_CORE,
) -> tuple[Floats, float, Labels]:
    """Return the weights after an epoch, and the loss and the classes by those before it.

    The epoch is ``W = apply_gradients(W, add_bias(X[batch]), Y[batch], learning_rate)`` of
    `hw3.softmax` for each batch. The loss and the classes are, in another order of summation,
    ``loss_and_classes(logits_by_blocks(W, X), Y)`` for the W that is given.

    Parameters
    ----------
    W
        Weights, shape (d + 1, K); the last row is the bias. They are not changed.
    X
        All features, shape (m, d), a row after another in memory.
    Y
        All one-hot labels, shape (m, K).
    order
        A permutation of the m samples: the first ``batch_size`` are the first batch, and so on.
    batch_size
        Samples in a step. The last step takes what is left.
    learning_rate
        What the gradient is multiplied by in a step.
    cores
        From `hw3.cores.all_cores`. Without them one does it.
    """
    m, K = Y.shape
    largest, size = min(m, batch_size), block_rows(W)
    threads = cores.threads(largest)
    exchange = Exchange(threads)
    # In the order of the batches, and one class after another in memory, as all logits here.
    before = np.empty((m, K), W.dtype, order="F")

    def work(rank: int) -> Floats:
        with exchange.member(rank):
            # Had once: no step waits for the system to hand out megabytes.
            memory = aligned_rows(largest, X)
            products = aligned_rows(-(-largest // size) * K, X)
            both = np.asfortranarray(np.hstack([W, W]))
            for start in range(0, m, batch_size):
                batch = order[start : start + batch_size]
                part = parts_of(len(batch), threads, size)[rank]
                chosen, inputs = batch[part], memory[: part.stop - part.start]
                # Not checked again ("clip"): a permutation is in range, and checking would copy.
                np.take(X, chosen, axis=0, out=inputs, mode="clip")
                targets = np.take(Y, chosen, axis=0, mode="clip")
                if start > 0:
                    both[:, :K] = descend(both[:, :K], exchange.total(rank).T, learning_rate)
                Z = np.empty((len(chosen), 2 * K), W.dtype, order="F")
                write_logits(both, inputs, Z)
                before[start:][part] = Z[:, K:]
                residual = softmax_in_place(Z[:, :K])
                residual -= targets
                residual /= W.dtype.type(len(batch))
                exchange.give(rank, gradient_by_blocks(residual, inputs, products, size))
            return descend(both[:, :K], exchange.total(rank).T, learning_rate)

    after = cores.run(work, threads)[0]  # they are the same in all threads
    classes = np.empty(m, np.intp)
    loss, classes[order] = loss_and_classes(before, Y[order], cores)
    return after, loss, classes
