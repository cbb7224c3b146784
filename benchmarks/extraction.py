"""Features of digits: against one image at a time, against plain batches, and shared by processes.

The network is the homework's ResNet-50 at 28 x 28 pixels, untrained, since weights do not change
the time. The baselines are what a first and a second attempt look like: the network of torchvision
as it comes, in evaluation mode without gradients, in a loop over images or over batches of them.
"""

import math
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.table import Row, interleave, matmul_peak
from coursework.profiles import get_profile
from coursework.runtime import describe_device, reduced_precision
from hw3.features import compute_features, compute_shards
from hw3.mnist import Digits, load_mnist
from hw3.networks import Extractor, build_extractor
from hw3.pipeline import Pipeline, build_pipeline
from hw3.shards import Shards
from hw3.softmax_regression import SoftmaxRegression

BATCH_SIZES = (32, 64, 128, 256, 512)
ONE_BY_ONE, BATCHED, OURS = 50, 512, 1000
"""How many images each side computes in a round; the rates are compared."""

Images = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]


def digits(split: str = "train") -> Digits:
    """Return the embedded digits."""
    return load_mnist(get_profile("embedded").mnist_root, split)


@cache
def plain_network() -> nn.Module:
    """Return torchvision's ResNet-50 without its last layer, as a first attempt has it."""
    from torchvision.models import resnet50

    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Identity()
    return network.eval()


def one_at_a_time(images: Images) -> Array:
    """Compute features as the reference did: one image, one call, one element of a list."""
    rows = []
    with torch.no_grad():
        for image in images:
            x = torch.from_numpy(image).float().div(255).expand(1, 3, 28, 28)
            rows.append(plain_network()((x - 0.5) / 0.5).numpy()[0])
    return np.array(rows)


def in_batches(images: Images, batch_size: int) -> Array:
    """Compute features with the same network in batches."""
    features = np.empty((len(images), 2048), np.float32)
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size])[:, None]
            x = batch.float().div(255).expand(-1, 3, 28, 28)
            features[start : start + batch_size] = plain_network()((x - 0.5) / 0.5).numpy()
    return features


def operations(extractor: Extractor) -> float:
    """Return the 10^9 operations of one image: two for each product, those with padding too."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        extractor(torch.zeros(1, 3, 28, 28))
    return float(counter.get_total_flops()) / 1e9


def rows() -> Iterator[Row]:
    """Measure on all cores, then with one and two processes of one thread."""
    yield from compare_precisions()
    yield compare_processes()


def compare_precisions() -> Iterator[Row]:
    """Measure float32, and the reduced precision of this machine if it has one."""
    extractor = build_extractor("resnet50", None)
    train = digits()
    images = train.images[:BATCHED].copy()
    some = Digits(train.images[:OURS], train.labels[:OURS])
    reduced = reduced_precision("cpu")
    ours = partial(compute_features, some, extractor, device="cpu", show_progress=False)
    contenders: dict[str, Callable[[], object]] = {
        "ours": ours,
        "one": lambda: one_at_a_time(images[:ONE_BY_ONE]),
        **{f"{size}": partial(in_batches, images, size) for size in BATCH_SIZES},
    }
    if reduced:
        contenders["reduced"] = partial(ours, precision="auto")
    seconds = interleave(contenders, rounds=7)
    counts = {"ours": OURS, "reduced": OURS, "one": ONE_BY_ONE}
    rate = {name: counts.get(name, BATCHED) / time for name, time in seconds.items()}
    size = max(BATCH_SIZES, key=lambda size: rate[f"{size}"])
    used = rate["ours"] * operations(extractor)
    limit = f"arithmetic: {used:.0f} GFLOP/s, large matrix products reach {matmul_peak():.0f}"
    work = "ResNet-50 features of MNIST"
    one = f"{rate['one']:.0f} images/s, one at a time"
    yield Row(
        work=f"{work}, fp32",
        ours=f"{rate['ours']:.0f} images/s",
        baseline=one,
        ratio=rate["ours"] / rate["one"],
        required=8,
        limit=limit,
    )
    yield Row(
        work=f"{work}, fp32",
        ours=f"{rate['ours']:.0f} images/s",
        baseline=f"{rate[f'{size}']:.0f} images/s, the best of batches of "
        f"{', '.join(map(str, BATCH_SIZES))}: {size}",
        ratio=rate["ours"] / rate[f"{size}"],
        required=1,
        limit=limit,
    )
    if reduced is None:
        yield Row(
            work=f"{work}, reduced precision",
            ours="not on this CPU",
            baseline=one,
            ratio=math.nan,
            required=None,
            limit=f"a {describe_device('cpu')} without instructions for bfloat16 emulates it",
        )
        return
    full, fewer = (accuracy(extractor, precision) for precision in ("fp32", "auto"))
    yield Row(
        work=f"{work}, {str(reduced).removeprefix('torch.')}",
        ours=f"{rate['reduced']:.0f} images/s",
        baseline=one,
        ratio=rate["reduced"] / rate["one"],
        # What is asked of a CPU with AMX; one with AVX512_BF16 alone has half its rate or less.
        required=13 if getattr(torch.cpu, "_is_amx_tile_supported", bool)() else None,
        limit=f"memory between the layers; test accuracy {fewer:.4f}, in fp32 {full:.4f}",
    )


def accuracy(extractor: Extractor, precision: str) -> float:
    """Return the test accuracy of softmax regression on features of the embedded digits."""
    train, test = (
        compute_features(
            digits(split), extractor, device="cpu", precision=precision, show_progress=False
        )
        for split in ("train", "test")
    )
    model = SoftmaxRegression(random_state=0).fit(train.features, train.labels)
    return model.score(test.features, test.labels)


def compare_processes() -> Row:
    """Measure one process of one thread, and two of them at once: the work of `torchrun`."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(2, context, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):

        def run(processes: int) -> None:
            # Each is idle and takes one; the queue hands none two while the other waits.
            tasks: list[Future[Any]] = [
                pool.submit(make_shard, Path(folder), number) for number in range(processes)
            ]
            for task in tasks:
                task.result()

        # The larger number first: it starts both processes.
        seconds = interleave({"two": lambda: run(2), "one": lambda: run(1)}, rounds=7)
    one, two = OURS / seconds["one"], 2 * OURS / seconds["two"]
    return Row(
        work="ResNet-50 features of MNIST, 2 processes of 1 thread each",
        ours=f"{two:.0f} images/s",
        baseline=f"{one:.0f} images/s by 1 process of 1 thread",
        ratio=two / one,
        required=1.7,
        limit="arithmetic: each process has a core to itself and shares memory bandwidth",
    )


def make_shard(folder: Path, number: int) -> None:
    """Compute and keep one shard of features, in a process that loads the network once."""
    train = digits()
    shards = Shards(folder, images=2 * OURS, width=2048, size=OURS)
    compute_shards(train, _pipeline(), shards, [number], 250, lambda images: None)


@cache
def _pipeline() -> Pipeline:
    return build_pipeline(build_extractor("resnet50", None), device="cpu")
