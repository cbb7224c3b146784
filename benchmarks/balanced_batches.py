"""Measure balanced batches over a million labels: ``python benchmarks/balanced_batches.py``.

One label in a hundred is positive. `hw4.balanced_batches.BalancedBatchSampler` is compared with the
batch generator of imbalanced-learn (``pip install -e '.[bench]'``) and with PyTorch's
`WeightedRandomSampler`. Each draws batches of 128; the three take turns, and the median of the
rounds is shown: the time until the batches can be asked for, the batches a second of one epoch, and
how far a batch was from half positives at worst.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import BatchSampler, WeightedRandomSampler

from hw4.balanced_batches import BalancedBatchSampler

BATCH = 128
Labels = npt.NDArray[np.int64]


def ours(labels: Labels, seed: int) -> Iterable[list[int]]:
    """Build the sampler of this project."""
    return BalancedBatchSampler(labels, BATCH, generator=torch.Generator().manual_seed(seed))


def weighted(labels: Labels, seed: int) -> Iterable[list[int]]:
    """Build PyTorch's sampler, with weights that make both classes equally likely."""
    weights = 1 / np.bincount(labels)[labels]
    generator = torch.Generator().manual_seed(seed)
    sampler = WeightedRandomSampler(weights, len(labels), generator=generator)
    return BatchSampler(sampler, BATCH, drop_last=False)


def imbalanced_learn(labels: Labels, seed: int) -> Iterable[npt.NDArray[np.int64]]:
    """Build imbalanced-learn's generator, with its own choice: drop the surplus of a class."""
    from imblearn.keras import balanced_batch_generator

    # It cuts the batches out of the features, so the features are the numbers of the samples.
    numbers = np.arange(len(labels))[:, None]
    batches, _ = balanced_batch_generator(numbers, labels, batch_size=BATCH, random_state=seed)
    return (features[:, 0] for features, _ in batches)


def measure(
    build: Callable[[Labels, int], Iterable[npt.ArrayLike]], labels: Labels, seed: int, most: int
) -> tuple[float, float, float]:
    """Return seconds to build, batches a second, and the largest deviation from half and half."""
    start = time.perf_counter()
    batches = build(labels, seed)
    built = time.perf_counter()
    drawn = list(islice(batches, most))
    rate = len(drawn) / (time.perf_counter() - built)
    # Not timed: the last batch of an epoch may be short, and then it cannot be half and half.
    full = [batch for batch in map(np.asarray, drawn) if len(batch) == BATCH]
    deviation = max(abs(labels[batch].mean() - 0.5) for batch in full)
    return built - start, rate, deviation


def main() -> None:
    """Measure all three in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    labels = (np.arange(arguments.labels) % 100 == 0).astype(np.int64)
    epoch = -(-len(labels) // BATCH)
    contenders = {
        "hw4.balanced_batches": ours,
        "imbalanced-learn": imbalanced_learn,
        "WeightedRandomSampler": weighted,
    }
    for build in contenders.values():
        # Once unmeasured, so that no import is counted.
        measure(build, labels[:10_000], 0, 10)
    rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contenders}
    for seed in range(arguments.rounds):
        for name, build in contenders.items():
            rounds[name].append(measure(build, labels, seed, epoch))
    rows = []
    for name, results in rounds.items():
        seconds, rates, deviations = zip(*results, strict=True)
        rows.append(
            {
                "sampler": name,
                "build": f"{statistics.median(seconds):.3f} s",
                "batches/s": f"{statistics.median(rates):,.0f}",
                "worst deviation": f"{max(deviations):.1%}",
            }
        )
    print(f"{len(labels):,} labels, batches of {BATCH}, median of {arguments.rounds} rounds")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)
    main()
