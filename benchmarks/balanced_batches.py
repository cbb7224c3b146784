"""Balanced batches over a million labels: ``python -m benchmarks balanced_batches``.

One label in a hundred is positive. `hw4.imbalanced.BalancedBatchSampler` is compared with the
batch generator of imbalanced-learn (``pip install -e '.[bench]'``) and with PyTorch's
`WeightedRandomSampler`. Each draws batches of 128; the three take turns, and the median of the
rounds is shown: the batches a second of one epoch, the time until they can be asked for, and how
far a batch was from half positives at worst.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import BatchSampler, WeightedRandomSampler

from benchmarks.table import Row
from hw4.imbalanced import BalancedBatchSampler

BATCH = 128
LABELS = 1_000_000
ROUNDS = 5
OURS = "hw4.imbalanced"
Labels = npt.NDArray[np.int64]
Batches = Iterable[list[int]] | Iterable[npt.NDArray[np.int64]]


def ours(labels: Labels, seed: int) -> Iterable[list[int]]:
    """Build the sampler of this project."""
    return BalancedBatchSampler(labels, BATCH, generator=torch.Generator().manual_seed(seed))


def weighted(labels: Labels, seed: int) -> Iterable[list[int]]:
    """Build PyTorch's sampler, with weights that make both classes equally likely."""
    weights = 1 / np.bincount(labels)[labels]
    generator = torch.Generator().manual_seed(seed)
    # The annotation asks for a list, but the sampler makes a tensor of it; an array saves time.
    sampler = WeightedRandomSampler(weights, len(labels), generator=generator)  # type: ignore[arg-type]
    return BatchSampler(sampler, BATCH, drop_last=False)


def imbalanced_learn(labels: Labels, seed: int) -> Iterable[npt.NDArray[np.int64]]:
    """Build imbalanced-learn's generator, which by default drops the surplus of a class."""
    from imblearn.keras import balanced_batch_generator

    # The generator returns rows of the features, so the features are the numbers of the samples.
    numbers = np.arange(len(labels))[:, None]
    batches, _ = balanced_batch_generator(numbers, labels, batch_size=BATCH, random_state=seed)
    return (features[:, 0] for features, _ in batches)


def measure(
    build: Callable[[Labels, int], Batches], labels: Labels, seed: int, most: int
) -> tuple[float, float, float]:
    """Return seconds to build, batches a second, and the largest deviation from half and half."""
    start = time.perf_counter()
    batches = build(labels, seed)
    built = time.perf_counter()
    drawn = list(islice(batches, most))
    rate = len(drawn) / (time.perf_counter() - built)
    # Short batches are left out: the last one of an epoch may be odd, so that it has no half.
    full = [batch for batch in map(np.asarray, drawn) if len(batch) == BATCH]
    deviation = max(abs(labels[batch].mean() - 0.5) for batch in full)
    return built - start, rate, deviation


def rows() -> Iterator[Row]:
    """Measure all three in turn."""
    labels = (np.arange(LABELS) % 100 == 0).astype(np.int64)
    epoch = -(-len(labels) // BATCH)
    contenders: dict[str, Callable[[Labels, int], Batches]] = {
        OURS: ours,
        "imbalanced-learn": imbalanced_learn,
        "WeightedRandomSampler": weighted,
    }
    for build in contenders.values():
        # The first call is not measured, because it includes imports.
        measure(build, labels[:10_000], 0, 10)
    rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contenders}
    for seed in range(ROUNDS):
        for name, build in contenders.items():
            rounds[name].append(measure(build, labels, seed, epoch))
    built, rate, worst = {}, {}, {}
    for name, results in rounds.items():
        seconds, rates, deviations = zip(*results, strict=True)
        built[name], rate[name] = statistics.median(seconds), statistics.median(rates)
        worst[name] = max(deviations)
    for name in contenders:
        if name != OURS:
            yield Row(
                work=f"balanced batches of {BATCH} from {LABELS:,} labels, 1 % positive",
                ours=f"{rate[OURS]:,.0f} batches/s, after {built[OURS]:.3f} s",
                baseline=f"{name}: {rate[name]:,.0f} batches/s, after {built[name]:.3f} s",
                ratio=rate[OURS] / rate[name],
                required=1,
                limit="Python, which makes a list for each batch; at worst a batch is off half "
                f"positives by {worst[OURS]:.0%}, in the baseline by {worst[name]:.0%}",
            )
