"""Measure how the work grows, for docs/scaling.md: ``python -m benchmarks.growth``.

Features of a ResNet-50 at three numbers of images and at four sizes; softmax regression at three
numbers of samples; a training step on images of three sizes, of which all layers, or the last
stage, of a ResNet-18 are trained. The networks are untrained, since weights do not change the time.
The figures are medians.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.extraction import digits, operations
from hw3.features import Extractor, Preprocessing, build_extractor, compute_features
from hw3.mnist import Digits
from hw3.softmax_regression import SoftmaxRegression
from hw4.flowers import StagedNetwork, build_network

BATCH, EPOCHS = 32, 4

FEATURES = (
    (1_000, 28, 250),
    (2_000, 28, 250),
    (4_000, 28, 250),
    (1_000, 64, 50),
    (250, 128, 50),
    (100, 224, 25),
)
"""Images, their side in pixels, and how many of them go through the network together."""


def main() -> None:
    """Print the tables."""
    print("ResNet-50, features, float32")
    extractor = build_extractor("resnet50", None)
    for images, side, batch in FEATURES:
        work = partial(features, extractor, images, side, batch)
        seconds = median(work) / images
        print(
            f"  {images:,} images of {side} pixels: {1e3 * seconds:.2f} ms an image, "
            f"{operations(extractor, side):.2f} · 10^9 operations, "
            f"{operations(extractor, side) / seconds:.0f} GFLOP/s"
        )
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


def features(extractor: Extractor, images: int, side: int, batch: int) -> None:
    """Compute the features of some of the embedded digits, resized."""
    train = digits()
    some = Digits(train.images[:images], train.labels[:images])
    preprocessing = Preprocessing(image_size=side)
    compute_features(some, extractor, preprocessing, batch_size=batch, show_progress=False)


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
