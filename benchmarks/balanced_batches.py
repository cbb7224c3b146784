"""Balanced batches over a million labels, of which one in a hundred is positive.

`hw4.imbalanced.BalancedBatchSampler` is compared with the batch generator of imbalanced-learn and
with PyTorch's `WeightedRandomSampler`. Each is built and draws batches for one epoch.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import BatchSampler, WeightedRandomSampler

from benchmarks.table import Row, interleave
from hw4.imbalanced import BalancedBatchSampler

LABELS, BATCH = 1_000_000, 128
Labels = npt.NDArray[np.int64]
Batches = Iterable[list[int]] | Iterable[Labels]


def ours(labels: Labels) -> Batches:
    """Build the sampler of this project."""
    return BalancedBatchSampler(labels, BATCH, generator=torch.Generator().manual_seed(0))


def weighted(labels: Labels) -> Batches:
    """Build PyTorch's sampler, with weights that make both classes equally likely."""
    weights = 1 / np.bincount(labels)[labels]
    generator = torch.Generator().manual_seed(0)
    # The annotation asks for a list, but the sampler makes a tensor of it; an array saves time.
    sampler = WeightedRandomSampler(weights, len(labels), generator=generator)  # type: ignore[arg-type]
    return BatchSampler(sampler, BATCH, drop_last=False)


def imbalanced_learn(labels: Labels) -> Batches:
    """Build imbalanced-learn's generator, which never ends."""
    from imblearn.keras import balanced_batch_generator

    # The generator returns rows of the features, so the features are the numbers of the samples.
    numbers = np.arange(len(labels))[:, None]
    batches, _ = balanced_batch_generator(numbers, labels, batch_size=BATCH, random_state=0)
    return (features[:, 0] for features, _ in batches)


def rows() -> Iterator[Row]:
    """Compare the times of an epoch, and how far a batch is from half positives at worst."""
    labels = (np.arange(LABELS) % 100 == 0).astype(np.int64)
    epoch = -(-LABELS // BATCH)

    def draw(build: Callable[[Labels], Batches]) -> list[list[int] | Labels]:
        return list(islice(build(labels), epoch))

    def deviation(build: Callable[[Labels], Batches]) -> float:
        # The last batch may be short and odd, and then it has no half.
        full = [np.asarray(batch) for batch in draw(build) if len(batch) == BATCH]
        return max(abs(float(labels[batch].mean()) - 0.5) for batch in full)

    baselines = {"imbalanced-learn": imbalanced_learn, "WeightedRandomSampler": weighted}
    builders = {"ours": ours, **baselines}
    seconds = interleave({name: partial(draw, build) for name, build in builders.items()})
    work = f"balanced batches of {BATCH} from {LABELS:,} labels, 1 % positive"
    for name, build in baselines.items():
        here, there = epoch / seconds["ours"], epoch / seconds[name]
        off = f"{deviation(ours):.0%} off half positives, of the baseline {deviation(build):.0%}"
        limit = f"Python, a list for each batch; the worst batch is {off}"
        yield Row(work, "batches/s", here, there, name, required=1, limit=limit)
