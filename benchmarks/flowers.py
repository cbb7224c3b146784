"""Measure the training on flowers: ``python -m benchmarks flowers``.

The images are the drawings of ``data/flowers``, enlarged to the size of Oxford's photographs, 667 x
500 pixels; a ResNet-18 without weights takes them at 224.
"""

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models, transforms

from benchmarks.table import Row, has_amx, interleave, matmul_peak
from coursework.backbones import IMAGENET
from coursework.profiles import ROOT
from coursework.runtime import choose_device, reduced_precision
from hw4.flowers import (
    FlowerDataset,
    History,
    StagedNetwork,
    TrainingSettings,
    build_network,
    train_model,
)

SIZE, BATCH, IMAGES = 224, 32, 96
SETTINGS = TrainingSettings(epochs=1, learning_rate=0.01, batch_size=BATCH)


def first(count: int, dataset: FlowerDataset) -> FlowerDataset:
    """Return a data set of which only the first images are left."""
    dataset.labels, dataset.paths = dataset.labels[:count], dataset.paths[:count]
    return dataset


def rows() -> Iterator[Row]:
    """Measure loading, training of all layers, and training of the last ones."""
    with tempfile.TemporaryDirectory() as folder:
        root = enlarged(ROOT / "data" / "flowers", Path(folder))
        yield loading(root)
        yield all_layers(root)
        for mode, required in (("last_layers", 2.0), ("head", 10.0)):
            yield frozen_part(root, mode, required)


def enlarged(source: Path, target: Path) -> Path:
    """Write the drawings of a folder in the size of photographs, and return the new folder."""
    (target / "jpg").mkdir()
    for name in ("imagelabels.mat", "setid.mat"):
        (target / name).write_bytes((source / name).read_bytes())
    for drawing in (source / "jpg").iterdir():
        with Image.open(drawing) as image:
            photograph = image.resize((667, 500), Image.Resampling.BICUBIC)
        photograph.save(target / "jpg" / drawing.name, quality=90)
    return target


def plain_transform() -> transforms.Compose:
    """Return the usual augmentation of torchvision."""
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE, scale=(0.4, 1)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.2, 0.2, 0.2),
            transforms.ToTensor(),
            transforms.Normalize(*IMAGENET),
        ]
    )


def plain_batch(dataset: FlowerDataset, indices: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Load images one by one, with PIL."""
    transform = plain_transform()
    images = []
    for index in indices:
        with Image.open(dataset.paths[index]) as image:
            images.append(transform(image.convert("RGB")))
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
    rate = {name: IMAGES / elapsed for name, elapsed in seconds.items()}
    return Row(
        f"flowers, 667 x 500 JPEG to {SIZE} pixels, augmented",
        f"{rate['ours']:,.0f} images/s",
        f"PIL and torchvision.transforms, {rate['plain']:,.0f} images/s",
        seconds["plain"] / seconds["ours"],
        1.0,
        f"decoding: once the decoded images are in memory, {rate['kept']:,.0f} images/s",
    )


def all_layers(root: Path) -> Row:
    """Compare one epoch of training all layers with the usual loop of PyTorch."""
    train = first(IMAGES, FlowerDataset(root, image_size=SIZE, cache_bytes=0))
    validation = first(2, FlowerDataset(root, "val", image_size=SIZE))
    start = copy.deepcopy(build_network("scratch", train.classes).state_dict())
    losses: dict[str, float] = {}

    def ours() -> None:
        network = build_network("scratch", train.classes)
        losses["ours"] = _train(network, train, validation, SETTINGS).training_loss[0]

    def plain() -> None:
        network = models.resnet18(weights=None, num_classes=train.classes)
        network.load_state_dict({name.split(".", 1)[1]: value for name, value in start.items()})
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
        total = 0.0
        order = np.random.default_rng(0).permutation(IMAGES)
        for batch in np.array_split(order, IMAGES // BATCH):
            x, y = plain_batch(train, batch)
            loss = nn.functional.cross_entropy(network(x), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(batch)
        losses["plain"] = total / IMAGES

    seconds = interleave({"plain": plain, "ours": ours}, rounds=3)
    rate = {name: IMAGES / elapsed for name, elapsed in seconds.items()}
    precision = reduced_precision(choose_device("cpu")) or torch.float32
    used, peak = rate["ours"] * training_gigaflop(), matmul_peak(precision)
    within = f"loss of the epoch {losses['ours']:.3f}, there {losses['plain']:.3f}"
    return Row(
        f"ResNet-18, {SIZE} pixels, batches of {BATCH}, all layers trained",
        f"{rate['ours']:.1f} images/s",
        f"the same in float32, contiguous, loading with PIL, {rate['plain']:.1f} images/s",
        seconds["plain"] / seconds["ours"],
        2.5 if has_amx() else None,
        f"arithmetic, in {str(precision).removeprefix('torch.')}: {used:,.0f} of {peak:,.0f} "
        f"GFLOP/s; {within}; with AMX 2.5 are required",
    )


def training_gigaflop() -> float:
    """Return the operations of one training step, in 10^9 for each image."""
    network = build_network("scratch", 10)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, SIZE, SIZE)).sum().backward()
    return 1e-9 * float(counter.get_total_flops())


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
            history = _train(network, train, validation, settings)
            times.extend(history.seconds[1:])
    without, kept = (float(np.median(times)) for times in seconds.values())
    with torch.no_grad():
        row = build_network(mode, 2, weights=None).frozen(torch.zeros(1, 3, SIZE, SIZE))
    return Row(
        f"ResNet-18, {SIZE} pixels, no augmentation, mode {mode}: an epoch after the first",
        f"{kept:.2f} s for {IMAGES} + {BATCH} images",
        f"the frozen part computed again, {without:.2f} s",
        without / kept,
        required,
        f"arithmetic of the trained part; {row.nbytes / 1000:,.0f} kB are kept of each image, at "
        f"most {TrainingSettings().cache_bytes / 2**30:.0f} GiB",
    )


def _train(
    network: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    settings: TrainingSettings,
) -> History:
    """Train on the CPU, as the baseline does."""
    return train_model(network, train, validation, settings, device="cpu").history
