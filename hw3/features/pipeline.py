"""What happens to an image on its way to its features, and what determines every bit of them."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from coursework.runtime import (
    PRECISIONS,
    choose_device,
    choose_precision,
    describe_device,
    full_float32,
)
from hw3.features.extractor import Extractor
from hw3.features.folding import fold_batch_norm
from hw3.features.images import ImageDataset, batches

FIRST_IMAGES = 4
"""How many images are computed to see whether a pipeline gives what another gave."""


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


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Preprocessing and a network, on a device, in a precision; `build_pipeline` checks them.

    Attributes
    ----------
    extractor, preprocessing
        The network, already on the device and with its BatchNorm layers folded away, and what comes
        before it.
    device
        Where it runs.
    dtype
        What it multiplies in; all bits of float32, or a reduced precision through
        ``torch.autocast``.
    """

    extractor: Extractor
    preprocessing: Preprocessing
    device: torch.device
    dtype: torch.dtype

    @property
    def precision(self) -> str:
        """The name of `dtype`: ``"fp32"``, ``"bf16"`` or ``"fp16"``."""
        return next(name for name, dtype in PRECISIONS.items() if dtype is self.dtype)

    def __call__(self, images: Tensor, first: int) -> npt.NDArray[np.float32]:
        """Map images (b, height, width) in [0, 1] to features (b, width).

        Raises
        ------
        ValueError
            If the network gives something else than one row of finite numbers for each image.
            ``first`` is the number of the first image, for the message.
        """
        width, name = self.extractor.width, self.extractor.backbone
        full = self.dtype is torch.float32
        precision = full_float32() if full else torch.autocast(self.device.type, self.dtype)
        with torch.inference_mode(), precision:
            output = self.extractor(self.preprocessing(images.to(self.device)))
        if output.shape != (len(images), width):
            raise ValueError(
                f"{name} gave {tuple(output.shape)} for {len(images)} images, "
                f"expected ({len(images)}, {width})"
            )
        features: npt.NDArray[np.float32] = output.float().cpu().numpy()
        finite = np.isfinite(features).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"{name} ({self.extractor.weights}) gave infinite or undefined features for "
                f"{np.count_nonzero(~finite)} images of a batch, the first at index "
                f"{first + np.argmin(finite)}; the weights are damaged, do not belong to this "
                f"network, or {self.precision} does not hold its numbers"
            )
        return features

    def texts(self) -> dict[str, str]:
        """Return what a feature file says of how its features were made."""
        return {
            "backbone": self.extractor.backbone,
            "weights": self.extractor.weights,
            "preprocessing": str(self.preprocessing),
            "precision": self.precision,
        }

    def recipe(self, dataset: ImageDataset, batch_size: int) -> dict[str, str]:
        """Return everything that decides the features' last bits, apart from images and batches.

        Code that was edited, switches of PyTorch and instructions that its libraries choose have no
        name here; the features of the first images tell of them. The parameters are those of
        `hw3.features.images.batches`.
        """
        _, images, _ = next(batches(dataset, min(batch_size, FIRST_IMAGES)))
        first = self(images, 0)
        return {
            **self.texts(),
            "network sha256": _network_sum(self.extractor),
            "device": describe_device(self.device),
            # With small batches, oneDNN splits sums among threads, and rounds otherwise with each.
            "threads": str(torch.get_num_threads()),
            "torch": str(torch.__version__),
            "first features sha256": hashlib.sha256(first.tobytes()).hexdigest(),
        }


def build_pipeline(
    extractor: Extractor,
    preprocessing: Preprocessing | None = None,
    *,
    device: str = "auto",
    precision: str = "fp32",
) -> Pipeline:
    """Bring a network to its device, and make a copy of it that computes the same sooner.

    Parameters
    ----------
    extractor, preprocessing
        The network, and what happens to the images first; the homework's by default.
    device, precision
        As `coursework.runtime.choose_device` and `coursework.runtime.choose_precision` take them.

    Raises
    ------
    ValueError
        If the device does not exist, or has no such precision.
    """
    target = choose_device(device)
    dtype = choose_precision(precision, target)
    folded = fold_batch_norm(extractor.to(target))
    return Pipeline(folded, preprocessing or Preprocessing(), target, dtype)


def _network_sum(extractor: Extractor) -> str:
    """Return the SHA-256 sum of a network's layers and weights."""
    digest = hashlib.sha256(repr(extractor.network).encode())
    for name, tensor in extractor.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
