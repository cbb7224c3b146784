"""Question 1: from images to the features of a network, kept in a MATLAB file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from coursework.progress import progress
from coursework.runtime import choose_device
from hw3.feature_file import Features, load_features, save_features
from hw3.networks import BACKBONES, Extractor, build_extractor

__all__ = [
    "BACKBONES",
    "Extractor",
    "Features",
    "Preprocessing",
    "build_extractor",
    "compute_features",
    "extract",
    "load_features",
    "pixels",
    "save_features",
]


class ImageDataset(Protocol):
    """Anything with a length whose items are pairs of a grayscale image and its label."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


@dataclass(frozen=True)
class Preprocessing:
    """How a grayscale image becomes the input of a network.

    The gray channel is repeated three times, brought to [0, 1] and normalised to
    ``(x - mean) / std``.

    Attributes
    ----------
    mean, std
        One number each for all three channels.
    image_size
        Side in pixels to which images are resized (bilinear, antialiased); ``None`` keeps the size
        they have.
    """

    mean: float = 0.5
    std: float = 0.5
    image_size: int | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (b, height, width) with values in [0, 1] to (b, 3, side, side)."""
        x = images.unsqueeze(1)
        if self.image_size is not None and x.shape[-2:] != (self.image_size, self.image_size):
            size = (self.image_size, self.image_size)
            x = functional.interpolate(x, size, mode="bilinear", antialias=True)
        x = (x - self.mean) / self.std
        return x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)

    def __str__(self) -> str:
        size = "size as stored"
        if self.image_size is not None:
            size = f"resized to {self.image_size} x {self.image_size}"
        return f"gray repeated to 3 channels, [0, 1], (x - {self.mean}) / {self.std}, {size}"


def compute_features(
    dataset: ImageDataset,
    extractor: Extractor,
    preprocessing: Preprocessing | None = None,
    *,
    batch_size: int = 250,
    device: str = "auto",
    show_progress: bool = True,
    description: str = "features",
) -> Features:
    """Run every image of a data set through a network, in batches.

    Parameters
    ----------
    dataset
        `hw3.mnist.Digits`, or anything with a length whose items are ``(image, label)``: the image
        (height, width) or (1, height, width), as uint8, as floats in [0, 1], or from PIL. All
        images have one size.
    extractor
        The network. Its parameters and BatchNorm statistics are the same afterwards.
    preprocessing
        What happens to the images first; the homework's by default.
    batch_size
        Images that go through the network together. It changes the speed, not the result (up to
        rounding).
    device
        As `coursework.runtime.choose_device` takes it.
    show_progress, description
        Whether to show a progress bar, and its title.

    Returns
    -------
    Features
        Row i belongs to item i of the data set.

    Raises
    ------
    ValueError
        If the data set is empty, an image is not grayscale or not in [0, 1], or the network gives
        something else than one row of finite numbers for each image.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
    if len(dataset) == 0:
        raise ValueError("the data set is empty: there is nothing to extract features from")
    preprocessing = preprocessing or Preprocessing()
    target = choose_device(device)
    extractor = extractor.to(target)
    features = np.empty((len(dataset), extractor.width), np.float32)
    labels = np.empty(len(dataset), np.int64)
    bar = progress(total=len(dataset), description=description, unit="image", show=show_progress)
    with bar, torch.inference_mode():
        for start, images, batch_labels in _batches(dataset, batch_size):
            rows = slice(start, start + len(images))
            output = extractor(preprocessing(images.to(target)))
            if output.shape != (len(images), extractor.width):
                raise ValueError(
                    f"{extractor.backbone} gave {tuple(output.shape)} for {len(images)} images, "
                    f"expected ({len(images)}, {extractor.width})"
                )
            features[rows] = output.cpu().numpy()
            labels[rows] = batch_labels
            bar.update(len(images))
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{extractor.backbone} ({extractor.weights}) gave infinite or undefined features for "
            f"{np.count_nonzero(~finite)} images, the first at index {np.argmin(finite)}; "
            "the weights are damaged or do not belong to this network"
        )
    return Features(features, labels, extractor.backbone, extractor.weights, str(preprocessing))


def pixels(dataset: ImageDataset) -> Features:
    """Return the pixels themselves, in [0, 1], as features: what any network has to beat.

    The parameter is that of `compute_features`. The width is height times width of the images.
    """
    parts, labels = [], []
    for _, images, batch_labels in _batches(dataset, batch_size=1000):
        parts.append(images.flatten(1).numpy())
        labels.append(batch_labels)
    return Features(np.concatenate(parts), np.concatenate(labels), "pixels", "none", "[0, 1]")


def extract(
    dataset: ImageDataset,
    filename: Path | str,
    extractor: Extractor | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    batch_size: int = 250,
    device: str = "auto",
    show_progress: bool = True,
) -> Features:
    """Run every image through a network and write the features to a MATLAB file.

    The parameters are those of `compute_features`; in addition:

    Parameters
    ----------
    filename
        The file to write, see `save_features`.
    extractor
        By default ``build_extractor()``: ResNet-50 trained on ImageNet, as the homework asks.

    Returns
    -------
    Features
        What was written.
    """
    computed = compute_features(
        dataset,
        extractor if extractor is not None else build_extractor(),
        preprocessing,
        batch_size=batch_size,
        device=device,
        show_progress=show_progress,
        description=Path(filename).stem,
    )
    save_features(filename, computed)
    return computed


def _batches(
    dataset: ImageDataset, batch_size: int
) -> Iterator[tuple[int, Tensor, npt.NDArray[np.int64]]]:
    """Yield the first index, images (b, height, width) in [0, 1] and labels (b,) of each batch."""
    for start in range(0, len(dataset), batch_size):
        stop = min(start + batch_size, len(dataset))
        pairs = [_pair(dataset[index], index) for index in range(start, stop)]
        images = [image for image, _ in pairs]
        shapes = {tuple(image.shape) for image in images}
        if len(shapes) > 1:
            raise ValueError(
                f"images {start} to {stop - 1} have different sizes: {sorted(shapes)}; resize "
                "them to one size"
            )
        yield start, torch.stack(images), np.array([label for _, label in pairs], np.int64)


def _pair(item: Any, index: int) -> tuple[Tensor, int]:
    """Return an item of a data set as an image (height, width) in [0, 1] and a whole number."""
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise ValueError(
            f"item {index} of the data set is a {type(item).__name__}, expected a pair of an image "
            "and its label"
        )
    image, label = item
    try:
        number = int(label)
        whole = number == label
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise ValueError(f"label {index} is {label!r}, expected a whole number; map names to them")
    return _gray_image(image, index), number


def _gray_image(image: Any, index: int) -> Tensor:
    """Return one image as floats (height, width) in [0, 1]."""
    if torch.is_tensor(image):
        image = image.float() if image.is_floating_point() else image
        image = image.cpu().numpy()
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2:
        raise ValueError(
            f"image {index} has the shape {array.shape}, expected a grayscale image "
            "(height, width) or (1, height, width)"
        )
    if array.dtype == np.uint8:
        return torch.from_numpy(np.array(array, np.float32, order="C")) / 255
    # The negation also catches NaN.
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"image {index} is {array.dtype} with values from {array.min()} to {array.max()}, "
            "expected uint8 or floats in [0, 1]; do not normalise it before: extraction does"
        )
    # A copy in rows, since PyTorch takes neither negative strides nor foreign byte orders.
    return torch.from_numpy(np.array(array, np.float32, order="C"))
