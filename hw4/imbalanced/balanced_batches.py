"""Batches that hold exactly as many samples of every class, however rare it is."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import BatchSampler, RandomSampler, Sampler


class BalancedBatchSampler(Sampler[list[int]]):
    """Draws batches in which every class has the same number of samples.

    With K classes a batch holds its quota of q = ``batch_size`` / K samples of each, in random
    order. Within an epoch a class is drawn from a random permutation of its samples, and when that
    runs out from a fresh one: no sample comes a second time before every other one of its class has
    come once. A class with fewer samples than are wanted is thus gone through several times (the
    rare class, and in a batch with a quota larger than the class some samples stand twice); one
    with more is only sampled from.

    Each epoch begins anew. It takes one number from the generator and nothing else is kept, so
    that an epoch left with ``break`` does not touch the next one, and two passes can be under way
    at once. It serves as the ``batch_sampler`` of a `torch.utils.data.DataLoader`.

    Parameters
    ----------
    labels
        The class of each sample, shape (n,): numbers, booleans or text.
    batch_size
        A multiple of K.
    batches
        Batches in an epoch; as many as plain batches would take, ⌈n / batch_size⌉, if None.
    generator
        Where the order comes from: the same seed gives the same order. PyTorch's own if None.
    classes
        The classes that every batch has to hold; those that occur in ``labels`` if None.

    Raises
    ------
    ValueError
        If there are fewer than two classes, one of ``classes`` is absent or a label is not one of
        them, ``batch_size`` is not a multiple of K, or ``batches`` is less than 1.

    Notes
    -----
    Building takes O(n): labels are numbered through a hash table, and sorted by a radix sort. An
    epoch takes time and memory in proportion to what is drawn, beside one permutation a class.

    Examples
    --------
    >>> labels = [0] * 90 + [1] * 10
    >>> sampler = BalancedBatchSampler(labels, 20, generator=torch.Generator().manual_seed(0))
    >>> len(sampler), [sum(labels[i] for i in batch) for batch in sampler]
    (5, [10, 10, 10, 10, 10])
    """

    def __init__(
        self,
        labels: npt.ArrayLike,
        batch_size: int,
        batches: int | None = None,
        generator: torch.Generator | None = None,
        classes: Sequence[Any] | None = None,
    ) -> None:
        values = np.asarray(labels)
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"labels has the shape {values.shape}, expected (n,) with n > 0")
        codes, found = _number(values, classes)
        if len(found) < 2:
            raise ValueError(
                f"all {len(values)} labels are {found[0]!r}; balanced batches need two classes"
            )
        if batch_size < 1 or batch_size % len(found):
            lower = batch_size // len(found) * len(found)
            raise ValueError(
                f"batch_size is {batch_size}, not a multiple of the {len(found)} classes; take "
                f"{lower or len(found)} or {max(lower, len(found)) + len(found)}"
            )
        if batches is None:
            batches = -(-len(values) // batch_size)
        if batches < 1:
            raise ValueError(f"batches is {batches}, expected 1 or more")
        self.classes: list[Any] = found
        self.batch_size = batch_size
        self.batches = batches
        self.generator = generator
        # Sample numbers, grouped by class. A stable sort of 16-bit numbers is a radix sort: O(n).
        narrow = codes.astype(np.uint16) if len(found) <= 2**16 else codes
        ends = np.cumsum(np.bincount(codes, minlength=len(found)))[:-1]
        self._members = np.split(np.argsort(narrow, kind="stable"), ends)

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        # Drawn here and not at the first batch: an epoch starts when it is asked for.
        seed = int(torch.randint(2**63 - 1, (), generator=self.generator))
        return self._epoch(np.random.default_rng(seed))

    def _epoch(self, rng: np.random.Generator) -> Iterator[list[int]]:
        quota = self.batch_size // len(self.classes)
        streams = [_portions(members, quota, rng) for members in self._members]
        for _ in range(self.batches):
            batch = np.concatenate([next(stream) for stream in streams])
            yield rng.permutation(batch).tolist()


def plain_batches(
    samples: int, batch_size: int, generator: torch.Generator | None = None
) -> BatchSampler:
    """Return batches that go through all samples once an epoch, in a new random order each time.

    Parameters
    ----------
    samples
        How many there are.
    batch_size
        Samples in a batch; the last one takes what is left.
    generator
        Where the order comes from.
    """
    order = RandomSampler(range(samples), generator=generator)
    return BatchSampler(order, batch_size, drop_last=False)


def _portions(
    members: npt.NDArray[np.int64], quota: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield ``quota`` members at a time, for ever, from one random permutation after another."""
    left = rng.permutation(members)
    while True:
        while len(left) < quota:
            left = np.concatenate([left, rng.permutation(members)])
        yield left[:quota]
        left = left[quota:]


def _number(
    values: npt.NDArray[Any], classes: Sequence[Any] | None
) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return the position of each label in the list of classes, and that list."""
    codes, uniques = pd.factorize(values, sort=True)
    if (codes < 0).any():
        raise ValueError(f"label {np.argmin(codes)} is missing (NaN or None)")
    found = uniques.tolist()
    if classes is None:
        return codes, found
    wanted = list(classes)
    for name, extra in (
        ("absent from the labels", [label for label in wanted if label not in found]),
        ("not among the classes", [label for label in found if label not in wanted]),
    ):
        if extra:
            raise ValueError(f"{extra} is {name}: labels hold {found}, classes are {wanted}")
    if len(wanted) != len(found):
        raise ValueError(f"classes names one twice: {wanted}")
    position = np.array([wanted.index(label) for label in found])
    return position[codes], wanted
