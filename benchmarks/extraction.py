"""Features of digits compared with one image at a time and with plain batches, and their memory.

The network is the homework's ResNet-50 at 28 x 28 pixels, untrained, since weights do not change
the time. The baselines are a first and a second attempt: torchvision's network in evaluation mode
without gradients, in a loop over images or over batches of images.
"""

import math
import multiprocessing
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torchvision.models import resnet50

from benchmarks.table import Row, gigaflop, has_amx, interleave, matmul_peak
from coursework.profiles import get_profile
from coursework.runtime import reduced_precision
from hw3.features import Extractor, Preprocessing, build_extractor, compute_features, extract
from hw3.features.pipeline import build_pipeline
from hw3.mnist import Digits, load_mnist
from hw3.softmax_regression import SoftmaxRegression

BATCH_SIZES = (32, 64, 128, 256, 512)
OURS, BATCHED, ONE_BY_ONE = 10_000, 512, 50
"""How many images each side computes in a round; the rates are compared. This project prepares the
network in each round, which takes a twentieth of a second: little beside 10,000 images. With fewer
it would not try which order of memory is faster."""

MANY = 10_000
"""How many images the process extracts whose memory is measured."""

CPU = torch.device("cpu")
Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def digits(count: int) -> Digits:
    """Return training digits of the embedded set, which starts again where it ends."""
    train = load_mnist(get_profile("embedded").mnist_root, "train")
    return Digits(np.resize(train.images, (count, 28, 28)), np.resize(train.labels, count))


@cache
def plain_network() -> nn.Module:
    """Return torchvision's ResNet-50 without its last layer, as a first attempt has it."""
    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Identity()
    return network.eval()


def plain_features(
    images: npt.NDArray[np.uint8], batch_size: int, device: torch.device = CPU
) -> Array:
    """Compute features with torchvision's network in batches, which may hold a single image."""
    features, network = np.empty((len(images), 2048), np.float32), plain_network().to(device)
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size]).to(device)[:, None]
            x = network((batch.float().div(255).expand(-1, 3, 28, 28) - 0.5) / 0.5)
            features[start : start + batch_size] = x.float().cpu().numpy()
    return features


def image_gigaflop(extractor: Extractor, side: int = 28) -> float:
    """Return the operations of one image in 10^9: two for each product, with padding too."""
    return gigaflop(partial(extractor, torch.zeros(1, 3, side, side)))


def rows() -> Iterator[Row]:
    """Measure the times on all cores, the accuracy, and the memory of a process."""
    extractor = build_extractor("resnet50", None)
    reduced = reduced_precision("cpu")
    rate = measure_rates(extractor, reduced)
    compared = precision_rows(rate, image_gigaflop(extractor), reduced)
    for row, precision in zip(compared, ("fp32", "fp32", "auto"), strict=True):
        # The trial of the order of memory is over, and its result is remembered.
        pipeline = build_pipeline(extractor, device="cpu", precision=precision)
        layout = pipeline.faster_layout(digits(OURS), batch_size=250)
        yield replace(row, limit=f"{row.limit}; computed in {pipeline.precision}, {layout}")
    if reduced:
        yield accuracy_row(reached_accuracy("fp32"), reached_accuracy("auto"))
    yield memory_row()


def measure_rates(extractor: Extractor, reduced: torch.dtype | None) -> dict[str, float]:
    """Return the images/s of every side; the plain loops are named by their batch size."""
    images = digits(BATCHED).images
    ours = partial(compute_features, digits(OURS), extractor, device="cpu", show_progress=False)
    contenders: dict[str, Callable[[], object]] = {"fp32": ours}
    if reduced:
        contenders["reduced"] = partial(ours, precision="auto")
    contenders["1"] = partial(plain_features, images[:ONE_BY_ONE], 1)
    for size in BATCH_SIZES:
        contenders[f"{size}"] = partial(plain_features, images, size)
    counts = {"fp32": OURS, "reduced": OURS, "1": ONE_BY_ONE}
    seconds = interleave(contenders, rounds=5, pause=0.2)
    return {name: counts.get(name, BATCHED) / time for name, time in seconds.items()}


def precision_rows(
    rate: Mapping[str, float], each: float, reduced: torch.dtype | None
) -> Iterator[Row]:
    """Compare rates in float32, and in the reduced precision of this machine if there is one.

    ``rate`` is what `measure_rates` returns, and ``each`` the 10^9 operations of one image.
    """
    work = "ResNet-50 features of MNIST"
    size = max(BATCH_SIZES, key=lambda size: rate[f"{size}"])
    limit = f"arithmetic: {rate['fp32'] * each:.0f} of {matmul_peak(torch.float32):.0f} GFLOP/s"
    one, best, ours = rate["1"], rate[f"{size}"], rate["fp32"]
    batches = f"batches of {size}, the best of 32 to 512"
    yield Row(f"{work}, fp32", "images/s", ours, one, "one at a time", required=8, limit=limit)
    yield Row(f"{work}, fp32", "images/s", ours, best, batches, required=1, limit=limit)
    work, baseline = f"{work}, {reduced or 'reduced precision'}", "one at a time, fp32"
    if reduced:
        ours, peak, required = rate["reduced"], matmul_peak(reduced), 13 if has_amx() else None
        limit = f"arithmetic: {ours * each:.0f} of {peak:.0f} GFLOP/s; 13 required with AMX"
        yield Row(work, "images/s", ours, one, baseline, required, limit)
    else:
        limit = "this CPU has no instructions for bfloat16 and would emulate it"
        yield Row(work, "images/s", math.nan, one, baseline, required=None, limit=limit)


def accuracy_row(full: float, reduced: float) -> Row:
    """Compare the test accuracies of pretrained features in float32 and in reduced precision."""
    work = "test accuracy with EfficientNet-Lite0 features in reduced precision"
    limit = "the test set: one of 1,000 embedded digits is 0.1 %"
    return Row(work, "%", 100 * reduced, 100 * full - 0.3, "fp32 less 0.3 points", 1, limit)


def embedded_features(precision: str = "fp32") -> list[tuple[Array, Labels]]:
    """Return the features and labels of the embedded notebook: training set, then test set."""
    profile = get_profile("embedded")
    extractor = build_extractor(profile.feature_backbone, profile.feature_weights)
    compute = partial(
        compute_features,
        extractor=extractor,
        preprocessing=Preprocessing(image_size=profile.feature_image_size),
        device="cpu",
        precision=precision,
        show_progress=False,
    )
    sets = [compute(load_mnist(profile.mnist_root, split)) for split in ("train", "test")]
    return [(made.features, made.labels) for made in sets]


def reached_accuracy(precision: str) -> float:
    """Return the test accuracy of softmax regression on the embedded digits."""
    (X, y), (X_test, y_test) = embedded_features(precision)
    return SoftmaxRegression().fit(X, y).score(X_test, y_test)


def memory_row() -> Row:
    """Measure the most memory that a process takes to extract features and write them to a file."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        before, peak = pool.submit(peak_of_extract, MANY).result()
    work, baseline = f"peak memory of `extract`, {MANY:,} images", "the array and 1.5 GB"
    allowed = MANY * 2048 * 4e-6 + 1500
    limit = f"PyTorch, the weights and the images: {before:,.0f} MB before it begins"
    return Row(work, "MB", peak, allowed, baseline, required=1, limit=limit)


def peak_of_extract(count: int) -> tuple[float, float]:
    """Extract features to a file; return the most megabytes of this process before and after.

    Before the extraction, the images and the network are loaded.
    """
    many = digits(count)
    extractor = build_extractor("resnet50", None)
    before = peak_resident_memory()
    with tempfile.TemporaryDirectory() as folder:
        extract(many, Path(folder, "some.mat"), extractor, device="cpu", show_progress=False)
    return before, peak_resident_memory()


def peak_resident_memory() -> float:
    """Return the most megabytes that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where resource.getrusage would count the memory of the parent too
        (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        return 1.024e-3 * int(kilobytes)
    import resource  # which Windows lacks

    return 1e-6 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
