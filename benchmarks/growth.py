"""Measure how the work grows, for docs/scaling.md: ``python -m benchmarks.growth``.

Features of a ResNet-50 at three numbers of images and at four sizes; softmax regression at three
numbers of samples; a training step of a ResNet-18 on images of three sizes, all layers or the last
stage and the head. The networks are untrained, since weights do not change the time.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.extraction import digits, image_gigaflop
from benchmarks.table import interleave
from hw3.features import Preprocessing, build_extractor, compute_features
from hw3.softmax_regression import SoftmaxRegression
from hw4.flowers import StagedNetwork, build_network

BATCH, EPOCHS = 32, 4


def main() -> None:
    """Print how long each piece of work takes."""
    extractor = build_extractor("resnet50", None)
    sizes = ((1000, 28, 250), (2000, 28, 250), (4000, 28, 250))
    for images, side, batch in (*sizes, (1000, 64, 50), (250, 128, 50), (100, 224, 25)):
        data, preprocessing = digits(images), Preprocessing(image_size=side)
        features = partial(
            compute_features, data, extractor, preprocessing, batch_size=batch, show_progress=False
        )
        each = image_gigaflop(extractor, side)
        show(f"ResNet-50, {images} images of {side} pixels, {each:.2f} GFLOP", features, images)
    rng = np.random.default_rng(0)
    for samples in (15_000, 30_000, 60_000):
        X = rng.standard_normal((samples, 2_048), dtype=np.float32)
        fit = partial(SoftmaxRegression(max_epochs=EPOCHS).fit, X, rng.integers(0, 10, samples))
        show(f"softmax regression, an epoch on {samples} x 2,048", fit, EPOCHS * samples)
    for size in (96, 160, 224):
        for mode in ("scratch", "last_layers"):
            training = partial(step, build_network(mode, 102, weights=None), size)
            show(f"ResNet-18, training, {mode}, {size} pixels", training, BATCH)


def show(name: str, run: Callable[[], object], items: int) -> None:
    """Print the median time of three runs, for each image or sample."""
    seconds = interleave({name: run}, rounds=3)[name] / items
    print(f"{name}: {1e3 * seconds:.3g} ms each, {1 / seconds:,.0f} a second", flush=True)


def step(network: StagedNetwork, size: int) -> None:
    """Train on one batch of one colour."""
    network.train()
    optimizer = torch.optim.SGD(network.trained.parameters(), lr=0.01, momentum=0.9)
    images = torch.zeros(BATCH, 3, size, size).to(memory_format=torch.channels_last)
    loss = nn.functional.cross_entropy(network(images), torch.zeros(BATCH, dtype=torch.long))
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


if __name__ == "__main__":
    main()
