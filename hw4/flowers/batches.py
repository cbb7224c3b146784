"""The order of samples in an epoch, and batches that are decoded while another is used."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

Indices = npt.NDArray[np.int64]
Loaded = tuple[Tensor, Tensor] | None


class ImageSource(Protocol):
    """What can be trained on: `hw4.flowers.FlowerDataset`, or anything that has these."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The classes of all images from 0, shape (m,)."""

    @property
    def augments(self) -> bool:
        """Whether an image looks different in every epoch."""

    def batch(self, indices: Indices, epoch: int) -> tuple[Tensor, Tensor]:
        """Return images (b, 3, height, width) and labels (b,); equal arguments, equal images."""


def epoch_batches(samples: int, batch_size: int, seed: int, epoch: int) -> list[Indices]:
    """Return the batches of one epoch: every sample once, in an order of this seed and epoch.

    The order depends on nothing else, so a training that is continued sees what it would have
    seen. A last batch of a single sample joins the one before it, since BatchNorm cannot take the
    variance of one.

    Parameters
    ----------
    samples, batch_size
        How many there are, and how many go together.
    seed, epoch
        What decides the order.

    Returns
    -------
    list of ndarray
        Indices of shape (b,).
    """
    order = np.random.default_rng((seed, epoch)).permutation(samples)
    return cut(order, batch_size)


def cut(order: Indices, batch_size: int) -> list[Indices]:
    """Cut indices (m,) into batches; a last one of a single sample joins the one before it."""
    starts = list(range(batch_size, len(order), batch_size))
    if batch_size > 1 and starts and len(order) - starts[-1] == 1:
        starts.pop()
    return np.split(order, starts)


def load_ahead(source: ImageSource, batches: Sequence[Indices], epoch: int) -> Iterator[Loaded]:
    """Yield images and labels of each batch, the next one being decoded in another thread.

    An empty batch is yielded as ``None``, without asking the source.
    """

    def load(indices: Indices) -> Loaded:
        return source.batch(indices, epoch) if len(indices) else None

    with ThreadPoolExecutor(1, "load-ahead") as thread:
        coming = None
        for indices in batches:
            this, coming = coming, thread.submit(load, indices)
            if this is not None:
                yield this.result()
        if coming is not None:
            yield coming.result()
