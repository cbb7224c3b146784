"""Both homeworks on a GPU, beside plain loops on the same card: ``python -m benchmarks.gpu``.

ResNet-50 features of as many digits as MNIST has, and a ResNet-18 trained at 224 pixels in the
three modes of the homework, in float32 and in reduced precision. The networks are untrained, since
weights do not change the time; digits and drawings of flowers come with the project, and are
repeated. Without a GPU the same runs at a small size on the CPU.

A plain loop is what a first attempt has: networks and augmentation of torchvision, batches of the
same size, and for the photographs a `DataLoader` with a process for each core. In reduced precision
it computes under ``torch.autocast`` too.

The time that the card waits for the processor is measured by leaving out the processor's part: how
much longer the work takes than the same work on images that lie on the card already.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from joblib import cpu_count
from torch import nn
from torch.utils.data import DataLoader
from torchvision import models

from benchmarks.extraction import digits, plain_features
from benchmarks.flowers import BATCH, SIZE, enlarged, first, plain_batch
from benchmarks.table import Row, interleave, markdown
from coursework.machine import describe_machine
from coursework.profiles import ROOT
from coursework.runtime import choose_device, choose_precision, describe_device, full_float32
from hw3.features import Extractor, build_extractor, compute_features
from hw3.features.pipeline import build_pipeline
from hw3.mnist import Digits
from hw4.flowers import MODE_NAMES, FlowerDataset, TrainingSettings, build_network, train_model

ROUNDS = 2
"""How often each side is measured, after one round that pays for what comes first."""


def main() -> None:
    """Print each row when it is measured, and all of them as a table."""
    start, device = time.perf_counter(), choose_device()
    large = device.type != "cpu"
    if not large:
        print("There is no GPU here: a small size runs on the CPU, to show that it works.")
    facts = describe_machine() | {"device": describe_device(device)}
    print("; ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    rows = []
    for row in all_rows(device, *((70_000, 1000, 1280) if large else (200, 100, 16))):
        rows.append(row)
        print("  ".join(row.cells()), flush=True)
    print(f"\n{markdown(rows)}\n{time.perf_counter() - start:.0f} s in all")


def all_rows(device: torch.device, images: int, batch: int, photographs: int) -> Iterator[Row]:
    """Measure the extraction from so many images, and epochs over so many photographs."""
    fast = choose_precision("auto", device)
    precisions = {"fp32": torch.float32, **({} if fast is torch.float32 else {"auto": fast})}
    extractor, some = build_extractor("resnet50", None), digits(images)
    for precision in precisions.items():
        yield extraction(extractor, some, batch, device, *precision)
    with tempfile.TemporaryDirectory() as folder:
        root = enlarged(ROOT / "data" / "flowers", Path(folder))
        for name, dtype in precisions.items():
            if dtype is torch.float16:
                continue  # small gradients vanish in it: homework 4 then trains in float32
            for mode in MODE_NAMES:
                yield training(root, photographs, device, mode, name, dtype)


def waits(seconds: float, ready: float) -> str:
    """Say which part of its time the device waits, if work on images at hand takes ``ready``."""
    return f"waits for the processor {max(0, 1 - ready / seconds):.0%} of the time"


def extraction(
    extractor: Extractor,
    some: Digits,
    batch: int,
    device: torch.device,
    precision: str,
    dtype: torch.dtype,
) -> Row:
    """Compare features of digits with plain batches."""
    count, at_hand = len(some), torch.zeros(batch, 28, 28, device=device)
    pipeline = build_pipeline(extractor, device=str(device), precision=precision)
    ours = partial(compute_features, batch_size=batch, device=str(device), precision=precision)
    full = dtype is torch.float32
    # For the plain loop; ours enters it by itself. A card would compute float32 with fewer bits.
    with full_float32() if full else torch.autocast(device.type, dtype):
        seconds = interleave(
            {
                "plain": lambda: plain_features(some.images, batch, device),
                "ours": lambda: ours(some, extractor, show_progress=False),
                "ready": lambda: [pipeline(at_hand) for _ in range(count // batch)],
            },
            ROUNDS,
        )
    return Row(
        f"ResNet-50 features of {count:,} digits, batches of {batch:,}, {dtype}",
        "images/s",
        count / seconds["ours"],
        count / seconds["plain"],
        "plain batches",
        required=None,
        limit=waits(seconds["ours"], seconds["ready"]),
    )


def training(
    root: Path, count: int, device: torch.device, mode: str, precision: str, dtype: torch.dtype
) -> Row:
    """Compare an epoch over photographs with the usual loop of PyTorch."""
    source, ready = (first(count, FlowerDataset(root, image_size=SIZE)) for _ in range(2))
    few = first(2, FlowerDataset(root, "val", image_size=SIZE))
    size = min(count, BATCH)
    batch = ready.batch(range(size), 0, device)
    ready.batch = lambda *_: batch  # type: ignore[method-assign]

    def ours(images: FlowerDataset) -> float:
        # With a rate so low an untrained network does not diverge, which would end the training.
        settings = TrainingSettings(1 + ROUNDS, 1e-6, BATCH, precision=precision)
        network = build_network(mode, images.classes, weights=None)
        run = train_model(network, images, few, settings, device=device)
        return statistics.median(run.history.seconds[1:])

    seconds = ours(source)
    return Row(
        f"ResNet-18, {SIZE} pixels, batches of {size}, {MODE_NAMES[mode]}, {dtype}",
        "images/s",
        count / seconds,
        count / plain_epoch(source, mode, device, dtype),
        "plain loop with a DataLoader",
        required=None,
        limit=waits(seconds, ours(ready)),
    )


def plain_epoch(
    source: FlowerDataset, mode: str, device: torch.device, dtype: torch.dtype
) -> float:
    """Return the seconds of an epoch of a plain loop, after the first one."""
    network = models.resnet18(weights=None, num_classes=source.classes).to(device)
    network.requires_grad_(mode != "last_layers")
    nn.ModuleList([network.layer4, network.fc]).requires_grad_(True)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.01, momentum=0.9)
    # The data set is the numbers of the photographs; the processes load what belongs to them.
    loader: DataLoader[int] = DataLoader(
        range(len(source)),  # type: ignore[arg-type]
        BATCH,
        shuffle=True,
        num_workers=cpu_count(),
        collate_fn=partial(plain_batch, source),
        pin_memory=device.type == "cuda",
        persistent_workers=True,
    )
    reduced = dtype is not torch.float32
    seconds = []
    for _ in range(1 + ROUNDS):
        start, total = time.perf_counter(), 0.0
        for x, y in loader:
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            with torch.autocast(device.type, dtype, enabled=reduced):
                loss = nn.functional.cross_entropy(network(x), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
