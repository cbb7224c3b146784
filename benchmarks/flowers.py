"""Loading flowers, and training all layers or the last ones of a ResNet-18.

The images are the drawings of ``data/flowers``, enlarged to the size of Oxford's photographs, 667 x
500 pixels; a ResNet-18 without weights takes them at 224.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models, transforms

from benchmarks.table import Row, gigaflop, has_amx, interleave, matmul_peak
from coursework.backbones import IMAGENET
from coursework.profiles import ROOT
from coursework.runtime import choose_precision
from hw4.flowers import FlowerDataset, TrainingSettings, build_network, train_model

SIZE, BATCH, IMAGES = 224, 32, 96


def rows() -> Iterator[Row]:
    """Measure loading, training of all layers, and training of the last ones."""
    with tempfile.TemporaryDirectory() as folder:
        root = enlarged(ROOT / "data" / "flowers", Path(folder))
        yield loading(root)
        yield all_layers(root)
        yield frozen_part(root, "last_layers", 2.0)
        yield frozen_part(root, "head", 10.0)


def enlarged(source: Path, target: Path) -> Path:
    """Copy a folder of drawings in the size of photographs, and return the new folder."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in target.glob("jpg/*.jpg"):
        with Image.open(path) as drawing:
            photograph = drawing.resize((667, 500), Image.Resampling.BICUBIC)
        photograph.save(path, quality=90)
    return target


def first(count: int, dataset: FlowerDataset) -> FlowerDataset:
    """Return a data set with so many images: its first ones, and again from where it ends."""
    size = len(dataset)
    dataset.labels = np.resize(dataset.labels, count)
    dataset.paths = [dataset.paths[index % size] for index in range(count)]
    return dataset


PLAIN_TRANSFORM = transforms.Compose(
    [
        transforms.RandomResizedCrop(SIZE, scale=(0.4, 1)),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(0.2, 0.2, 0.2),
        transforms.ToTensor(),
        transforms.Normalize(*IMAGENET),
    ]
)
"""The usual augmentation of torchvision."""


def plain_batch(dataset: FlowerDataset, indices: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Load images one by one, with PIL."""
    images = []
    for index in indices:
        with Image.open(dataset.paths[index]) as image:
            images.append(PLAIN_TRANSFORM(image.convert("RGB")))
    return torch.stack(images), torch.from_numpy(dataset.labels[indices])


def loading(root: Path) -> Row:
    """Compare the loading of augmented images, nothing kept from an epoch before."""
    ours = FlowerDataset(root, image_size=SIZE, cache_bytes=0)
    kept = FlowerDataset(root, image_size=SIZE)
    batches = np.array_split(np.arange(IMAGES), IMAGES // BATCH)
    seconds = interleave(
        {
            "plain": lambda: [plain_batch(ours, batch) for batch in batches],
            "ours": lambda: [ours.batch(batch, 0) for batch in batches],
            "kept": lambda: [kept.batch(batch, 0) for batch in batches],
        }
    )
    here, plain, again = (IMAGES / seconds[name] for name in ("ours", "plain", "kept"))
    work, baseline = f"667 x 500 JPEG to {SIZE} pixels, augmented", "PIL and torchvision.transforms"
    limit = f"decoding: {again:,.0f} images/s once decoded images are in memory"
    return Row(f"flowers, {work}", "images/s", here, plain, baseline, required=1, limit=limit)


def all_layers(root: Path) -> Row:
    """Compare one epoch of training all layers with the usual loop of PyTorch."""
    train = first(IMAGES, FlowerDataset(root, image_size=SIZE, cache_bytes=0))
    validation = first(2, FlowerDataset(root, "val", image_size=SIZE))
    settings = TrainingSettings(epochs=1, learning_rate=0.01, batch_size=BATCH)

    layouts: set[str] = set()

    def ours() -> None:
        network = build_network("scratch", train.classes)
        train_model(network, train, validation, settings, device="cpu")
        layouts.add(network.layout)

    def plain() -> None:
        network = models.resnet18(weights=None, num_classes=train.classes)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
        for batch in np.array_split(np.random.default_rng(0).permutation(IMAGES), IMAGES // BATCH):
            x, y = plain_batch(train, batch)
            loss = nn.functional.cross_entropy(network(x), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    seconds = interleave({"plain": plain, "ours": ours}, rounds=3)
    rate = {name: IMAGES / elapsed for name, elapsed in seconds.items()}
    network = models.resnet18(num_classes=train.classes)
    each = gigaflop(lambda: network(torch.zeros(1, 3, SIZE, SIZE)).sum().backward())
    precision = choose_precision("auto", "cpu")
    used, peak = rate["ours"] * each, matmul_peak(precision)
    return Row(
        f"ResNet-18, {SIZE} pixels, batches of {BATCH}, all layers trained",
        "images/s",
        rate["ours"],
        rate["plain"],
        "the same in float32, contiguous, loading with PIL",
        required=2.5 if has_amx() else None,
        limit=f"arithmetic, {precision}, {', '.join(layouts)}: {used:,.0f} of {peak:,.0f} GFLOP/s; "
        "2.5 required with AMX",
    )


def frozen_part(root: Path, mode: str, required: float) -> Row:
    """Compare an epoch after the first with and without the outputs of the frozen part kept."""
    train = first(IMAGES, FlowerDataset(root, augment=False, image_size=SIZE))
    validation = first(BATCH, FlowerDataset(root, "val", image_size=SIZE))
    seconds: dict[int, list[float]] = {0: [], 2**30: []}
    for _ in range(2):
        for cache_bytes, times in seconds.items():
            settings = TrainingSettings(
                epochs=3, learning_rate=0.01, batch_size=BATCH, cache_bytes=cache_bytes
            )
            network = build_network(mode, train.classes, weights=None)
            run = train_model(network, train, validation, settings, device="cpu")
            times.extend(run.history.seconds[1:])
    again, kept = (float(np.median(times)) for times in seconds.values())
    with torch.no_grad():
        output = network.frozen(torch.zeros(1, 3, SIZE, SIZE))
    work = f"ResNet-18, {SIZE} pixels, mode {mode}: an epoch after the first"
    limit = f"arithmetic of the trained part; {output.nbytes / 1000:,.0f} kB are kept of each image"
    return Row(work, "s", kept, again, "the frozen part computed again", required, limit)
