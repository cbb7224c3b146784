"""Features of digits compared with one image at a time and with plain batches, and their memory.

The network is the homework's ResNet-50 at 28 x 28 pixels, untrained, since weights do not change
the time. The baselines are a first and a second attempt: torchvision's network in evaluation mode
without gradients, in a loop over images or over batches of images.
"""

import math
import multiprocessing
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.softmax import embedded_features
from benchmarks.table import Row, has_amx, interleave, matmul_peak
from coursework.profiles import get_profile
from coursework.runtime import describe_device, reduced_precision
from hw3.features import Extractor, build_extractor, compute_features, extract
from hw3.mnist import Digits, load_mnist
from hw3.softmax_regression import SoftmaxRegression

BATCH_SIZES = (32, 64, 128, 256, 512)
ONE_BY_ONE, BATCHED, OURS = 50, 512, 4000
"""How many images each side computes in a round; the rates are compared. Our side prepares the
network in each round, which takes a twentieth of a second: little beside 4,000 images."""

MANY = 10_000
"""How many images the process extracts whose memory is measured."""

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


def operations(extractor: Extractor, side: int = 28) -> float:
    """Return the 10^9 operations of one image: two for each product, those with padding too."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        extractor(torch.zeros(1, 3, side, side))
    return float(counter.get_total_flops()) / 1e9


def rows() -> Iterator[Row]:
    """Measure the times on all cores, then the memory of a process."""
    yield from compare_precisions()
    yield compare_memory()


def measure_rates(extractor: Extractor, reduced: torch.dtype | None) -> dict[str, float]:
    """Return the images/s of every side; the plain batches are named by their size."""
    train = digits()
    images = train.images[:BATCHED].copy()
    some = Digits(train.images[:OURS], train.labels[:OURS])
    ours = partial(compute_features, some, extractor, device="cpu", show_progress=False)
    contenders: dict[str, Callable[[], object]] = {
        "ours": ours,
        "one": lambda: one_at_a_time(images[:ONE_BY_ONE]),
        **{f"{size}": partial(in_batches, images, size) for size in BATCH_SIZES},
    }
    if reduced:
        contenders["reduced"] = partial(ours, precision="auto")
    seconds = interleave(contenders, rounds=7, pause=0.2)
    counts = {"ours": OURS, "reduced": OURS, "one": ONE_BY_ONE}
    return {name: counts.get(name, BATCHED) / time for name, time in seconds.items()}


def compare_precisions() -> Iterator[Row]:
    """Compare in float32, and in the reduced precision of this machine if it has one."""
    extractor = build_extractor("resnet50", None)
    reduced = reduced_precision("cpu")
    rate = measure_rates(extractor, reduced)
    size = max(BATCH_SIZES, key=lambda size: rate[f"{size}"])
    each = operations(extractor)
    limit = f"arithmetic: {rate['ours'] * each:.0f} of {matmul_peak(torch.float32):.0f} GFLOP/s"
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
    name = str(reduced).removeprefix("torch.")
    yield Row(
        work=f"{work}, {name}",
        ours=f"{rate['reduced']:.0f} images/s",
        baseline=one,
        ratio=rate["reduced"] / rate["one"],
        required=13 if has_amx() else None,
        limit=f"arithmetic, in {name}: {rate['reduced'] * each:.0f} of {matmul_peak(reduced):.0f} "
        "GFLOP/s; with AMX 13 are required",
    )
    yield compare_accuracies(name)


def compare_accuracies(reduced: str) -> Row:
    """Compare the test accuracies of pretrained features in float32 and in reduced precision."""
    full, fewer = (accuracy(precision) for precision in ("fp32", "auto"))
    return Row(
        work=f"test accuracy with EfficientNet-Lite0 features, {reduced}",
        ours=f"{fewer:.4f}",
        baseline=f"{full:.4f} in fp32, less 0.003",
        ratio=fewer / (full - 0.003),
        required=1,
        limit=f"{len(digits('test').labels):,} embedded digits to test with: each is "
        f"{1 / len(digits('test').labels):.4f}",
    )


def accuracy(precision: str) -> float:
    """Return the test accuracy of softmax regression on the embedded digits."""
    (X, y), (X_test, y_test) = embedded_features(precision)
    return SoftmaxRegression().fit(X, y).score(X_test, y_test)


def compare_memory() -> Row:
    """Measure the most memory that a process takes to extract features and write them to a file."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        before, peak = pool.submit(peak_of_extract, MANY).result()
    array = MANY * 2048 * 4
    allowed = array + 1.5e9
    return Row(
        work=f"peak memory of `extract`, {MANY:,} images",
        ours=f"{peak / 1e6:,.0f} MB",
        baseline=f"{allowed / 1e6:,.0f} MB, the array of features and 1.5 GB",
        ratio=allowed / peak,
        required=1,
        limit=f"PyTorch, the weights and the images, {before / 1e6:,.0f} MB before it begins; the "
        f"features, {array / 1e6:,.0f} MB; and what a batch of 250 takes",
    )


def peak_of_extract(count: int) -> tuple[float, float]:
    """Extract features to a file; return the most bytes that this process had before and after.

    Before the extraction, the images and the network are loaded.
    """
    train = digits()
    many = Digits(np.resize(train.images, (count, 28, 28)), np.resize(train.labels, count))
    extractor = build_extractor("resnet50", None)
    before = peak_resident_memory()
    with tempfile.TemporaryDirectory() as folder:
        extract(many, Path(folder, "some.mat"), extractor, device="cpu", show_progress=False)
    return before, peak_resident_memory()


def peak_resident_memory() -> float:
    """Return the most bytes of memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # here resource.getrusage would count the memory of the parent too
        (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        return 1024.0 * int(kilobytes)
    import resource  # which Windows lacks

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
