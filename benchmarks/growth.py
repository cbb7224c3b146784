"""Measure how the work grows, for docs/scaling.md: ``python -m benchmarks.growth``.

Softmax regression at three numbers of samples; a training step on images of three sizes, of which
all layers, or the last stage, of a ResNet-18 without weights are trained. Medians; each line is
printed when it is there.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from hw3.softmax_regression import SoftmaxRegression
from hw4.networks import StagedNetwork, build_network

BATCH, EPOCHS = 32, 4


def main() -> None:
    """Print both tables."""
    print("softmax regression, an epoch with train metrics, 2,048 features")
    rng = np.random.default_rng(0)
    for samples in (15_000, 30_000, 60_000):
        X = rng.standard_normal((samples, 2_048), dtype=np.float32)
        y = rng.integers(0, 10, samples)
        model = SoftmaxRegression(max_epochs=EPOCHS)
        seconds = median(partial(model.fit, X, y)) / EPOCHS
        print(f"  {samples:,}: {seconds:.3f} s, {1e6 * seconds / samples:.1f} µs a sample")
    print(f"ResNet-18, training, batches of {BATCH}, images in memory")
    for size in (96, 160, 224):
        for mode in ("scratch", "last_layers"):
            network = build_network(mode, 102, weights=None)
            seconds = median(partial(step, network, size), rounds=5) / BATCH
            print(f"  {size} pixels, {mode}: {1 / seconds:.1f} images/s, {1e3 * seconds:.0f} ms")


def step(network: StagedNetwork, size: int) -> None:
    """Train on one batch of one colour."""
    network.train()
    optimizer = torch.optim.SGD(network.trained.parameters(), lr=0.01, momentum=0.9)
    images = torch.zeros(BATCH, 3, size, size).to(memory_format=torch.channels_last)
    loss = nn.functional.cross_entropy(network(images), torch.zeros(BATCH, dtype=torch.long))
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def median(run: Callable[[], object], rounds: int = 3) -> float:
    """Return the median seconds of some runs after one that is not counted."""
    times = []
    for _ in range(1 + rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
