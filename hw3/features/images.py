"""A data set read in batches: whatever its items are, gray images in [0, 1] and whole labels."""

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Labels = npt.NDArray[np.int64]


class ImageDataset(Protocol):
    """Anything with a length whose items are pairs of a grayscale image and its label."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


def batches(
    dataset: ImageDataset, batch_size: int, rows: range | None = None
) -> Iterator[tuple[range, Tensor, Labels]]:
    """Read a data set, or some consecutive rows of it, batch by batch.

    Yields the rows of each batch, its images (b, height, width) as float32 in [0, 1], and its
    labels (b,).
    """
    if len(dataset) == 0:
        raise ValueError("the data set is empty: there is nothing to extract features from")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
    rows = range(len(dataset)) if rows is None else rows
    size = None
    for start in range(rows.start, rows.stop, batch_size):
        batch = range(start, min(start + batch_size, rows.stop))
        pairs = [_pair(dataset[index], index) for index in batch]
        images = [image for image, _ in pairs]
        size = size or images[0].shape
        for index, image in zip(batch, images, strict=True):
            if image.shape != size:
                raise ValueError(
                    f"image {index} is {tuple(image.shape)} but image {rows.start} {tuple(size)}; "
                    "resize them to one size"
                )
        yield batch, torch.stack(images), np.array([label for _, label in pairs], np.int64)


def survey(dataset: ImageDataset, batch_size: int) -> tuple[Labels, str]:
    """Read a data set once: return its labels (m,) and the SHA-256 sum of its images and labels.

    An item that `batches` refuses is found here, before a network has run for hours.
    """
    digest = hashlib.sha256()
    parts = []
    for rows, images, labels in batches(dataset, batch_size):
        if rows.start == 0:
            digest.update(f"{len(dataset)} {tuple(images.shape[1:])}".encode())
        digest.update(images.numpy().data)
        parts.append(labels)
    all_labels = np.concatenate(parts)
    digest.update(all_labels.data)
    return all_labels, digest.hexdigest()


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
    if isinstance(image, Image.Image):
        image = _gray_mode(image, index)
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
    scale = 1
    if array.dtype == np.uint8:
        scale = 255
    # Comparisons with NaN are false: an image that holds NaN is refused too.
    elif array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"image {index} is {array.dtype} with values from {array.min()} to {array.max()}, "
            "expected uint8 or floats in [0, 1]; give images that are not normalised yet"
        )
    # A copy in rows, since PyTorch takes neither negative strides nor foreign byte orders.
    return torch.from_numpy(np.array(array, np.float32, order="C")) / scale


def _gray_mode(image: Image.Image, index: int) -> Image.Image:
    """Return an image of PIL whose numbers are intensities, and not indices of a palette."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("L", "F") or image.mode.startswith("I"):
        return image
    raise ValueError(
        f"image {index} has the mode {image.mode!r} of PIL, which is not grayscale; "
        "use image.convert('L')"
    )
