"""Batches of sample indices: plain ones, and ones with as many samples of every class."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import BatchSampler, RandomSampler, Sampler

Indices = npt.NDArray[np.int64]


def plain_batches(
    samples: int, batch_size: int, generator: torch.Generator | None = None
) -> BatchSampler:
    """Return batches that go through all samples once an epoch, in a new random order each time.

    Parameters
    ----------
    samples
        The number of samples.
    batch_size
        Samples in a batch; the last one takes what is left.
    generator
        Draws the order.
    """
    order = RandomSampler(range(samples), generator=generator)
    return BatchSampler(order, batch_size, drop_last=False)


class BalancedBatchSampler(Sampler[list[int]]):
    """Draws batches in which every class has the same number of samples.

    With K classes a batch holds a quota of ``batch_size`` / K samples of each, in random order, and
    an epoch of n samples has ⌈n / batch_size⌉ batches, as many as plain batches would take. Within
    an epoch no sample comes a second time before every other sample of its class has come once:
    the samples of a rare class come several times, and of a common class some do not come at all.

    Each epoch takes one number from the generator and keeps no other state. So an epoch that is
    left with ``break`` does not touch the next one, and two passes can be under way at once. The
    sampler serves as the ``batch_sampler`` of a `torch.utils.data.DataLoader`.

    Parameters
    ----------
    labels
        The class of each sample, shape (n,): numbers, booleans or text.
    batch_size
        A multiple of K.
    generator
        Draws the order: the same seed gives the same order. PyTorch's own if None.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or ``batch_size`` is not a multiple of K.

    Examples
    --------
    >>> labels = [0] * 90 + [1] * 10
    >>> sampler = BalancedBatchSampler(labels, 20, torch.Generator().manual_seed(0))
    >>> len(sampler), [sum(labels[i] for i in batch) for batch in sampler]
    (5, [10, 10, 10, 10, 10])
    """

    def __init__(
        self, labels: npt.ArrayLike, batch_size: int, generator: torch.Generator | None = None
    ) -> None:
        values = np.asarray(labels)
        if values.ndim != 1:
            raise ValueError(f"labels has the shape {values.shape}, expected (n,)")
        codes, classes = pd.factorize(values, use_na_sentinel=False)
        if len(classes) < 2:
            raise ValueError(
                f"the {len(values)} labels hold the classes {classes.tolist()}; balanced batches "
                "need two classes or more"
            )
        if batch_size < 1 or batch_size % len(classes):
            quota = max(1, batch_size // len(classes))
            raise ValueError(
                f"batch_size is {batch_size}, not a multiple of the {len(classes)} classes; take "
                f"{quota * len(classes)} or {(quota + 1) * len(classes)}"
            )
        self.batches = math.ceil(len(values) / batch_size)
        self.quota = batch_size // len(classes)
        self.generator = generator
        self.members = [np.flatnonzero(codes == k) for k in range(len(classes))]

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of one epoch: a quota of every class, in random order."""
        seed = torch.randint(2**63 - 1, (), generator=self.generator).item()
        rng = np.random.default_rng(int(seed))
        streams = [self.draw(members, rng) for members in self.members]
        for _ in range(self.batches):
            batch = np.concatenate([next(stream) for stream in streams])
            yield rng.permutation(batch).tolist()

    def draw(self, members: Indices, rng: np.random.Generator) -> Iterator[Indices]:
        """Yield quotas of one class without end, from one random permutation after another."""
        left = rng.permutation(members)
        while True:
            while len(left) < self.quota:
                left = np.concatenate([left, rng.permutation(members)])
            yield left[: self.quota]
            left = left[self.quota :]
