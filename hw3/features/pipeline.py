"""What happens to an image on its way to its features, and what determines every bit of them."""

import copy
import hashlib
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval

from coursework.backbones import LARGEST_SIDE
from coursework.runtime import (
    LAYOUTS,
    PRECISIONS,
    choose_device,
    choose_layout,
    choose_precision,
    describe_device,
    full_float32,
)
from hw3.features.extractor import Extractor
from hw3.features.images import ImageDataset, batches

TRIAL_FROM = 10_000
"""How many images make a trial of the layouts worth its time. With fewer, as in the profile
``embedded``, no clock has a say, and the features are the same in every run on a machine."""


@dataclass(frozen=True)
class Preprocessing:
    """How a grayscale image becomes the input of a network.

    The gray channel is repeated three times, brought to [0, 1] and normalised to
    ``(x - mean) / std``. Images are resized to ``image_size`` pixels a side (bilinear,
    antialiased); ``None`` keeps the size they have.
    """

    mean: float = 0.5
    std: float = 0.5
    image_size: int | None = None

    def __post_init__(self) -> None:
        if self.image_size is not None and not 1 <= self.image_size <= LARGEST_SIDE:
            raise ValueError(
                f"image_size is {self.image_size}, expected 1 to {LARGEST_SIDE}, or None"
            )
        if not math.isfinite(self.mean):
            raise ValueError(f"mean is {self.mean}, expected a number")
        if not 0 < self.std < math.inf:
            raise ValueError(f"std is {self.std}, expected a positive number")

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (b, height, width) with values in [0, 1] to (b, 3, side, side)."""
        x = images.unsqueeze(1)
        if self.image_size is not None and x.shape[-2:] != (self.image_size, self.image_size):
            size = (self.image_size, self.image_size)
            x = functional.interpolate(x, size, mode="bilinear", antialias=True)
        x = (x - self.mean) / self.std
        return x.expand(-1, 3, -1, -1)

    def __str__(self) -> str:
        size = "size as stored"
        if self.image_size is not None:
            size = f"resized to {self.image_size} x {self.image_size}"
        return f"gray repeated to 3 channels, [0, 1], (x - {self.mean}) / {self.std}, {size}"


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Preprocessing and a network, on a device, in a precision; `build_pipeline` makes it.

    The network is on the device already, and without the BatchNorm layers that can be folded away.
    It multiplies in ``dtype``: with all bits of float32, or in a reduced precision through
    ``torch.autocast``. ``layout`` is the order of images in memory, a name in
    `coursework.runtime.LAYOUTS`.
    """

    extractor: Extractor
    preprocessing: Preprocessing
    device: torch.device
    dtype: torch.dtype
    layout: str = "channels_last"

    def arranged(self, layout: str) -> "Pipeline":
        """Return the pipeline in another layout. The network is its own, and is rearranged."""
        self.extractor.to(memory_format=LAYOUTS[layout])
        return replace(self, layout=layout)

    def faster_layout(self, dataset: ImageDataset, batch_size: int) -> str:
        """Return the layout that a trial on the first images finds faster (see `choose_layout`)."""
        if len(dataset) < TRIAL_FROM:
            return "channels_last"
        _, images, _ = next(batches(dataset, batch_size))
        x = self.preprocessing(images.to(self.device))
        return choose_layout(self.extractor, x, self.dtype)

    def __call__(self, images: Tensor) -> npt.NDArray[np.float32]:
        """Map images (b, height, width) in [0, 1] to features (b, width)."""
        full = self.dtype is torch.float32
        precision = full_float32() if full else torch.autocast(self.device.type, self.dtype)
        with torch.inference_mode(), precision:
            inputs = self.preprocessing(images.to(self.device))
            output = self.extractor(inputs.contiguous(memory_format=LAYOUTS[self.layout]))
        features: npt.NDArray[np.float32] = output.float().cpu().numpy()
        self.check(features, len(images))
        return features

    def check(self, features: npt.NDArray[np.float32], images: int) -> None:
        """Raise `ValueError` unless there is one row of finite numbers for each image."""
        width, name = self.extractor.width, self.extractor.backbone
        if features.shape != (images, width):
            raise ValueError(
                f"{name} gave {features.shape} for {images} images, expected ({images}, {width})"
            )
        broken = np.count_nonzero(~np.isfinite(features).all(axis=1))
        if broken:
            raise ValueError(
                f"{name} ({self.extractor.weights}) gave infinite or undefined features for "
                f"{broken} images of a batch of {images}; the weights are damaged or do not belong "
                f"to this network, or its numbers are too large for {self.precision}"
            )

    @property
    def precision(self) -> str:
        """The name of `dtype`: ``"fp32"``, ``"bf16"`` or ``"fp16"``."""
        return next(name for name, dtype in PRECISIONS.items() if dtype is self.dtype)

    def texts(self) -> dict[str, str]:
        """Return what a feature file says of how its features were made."""
        return {
            "backbone": self.extractor.backbone,
            "weights": self.extractor.weights,
            "preprocessing": str(self.preprocessing),
            "precision": self.precision,
            "layout": self.layout,
        }

    def recipe(self, dataset: ImageDataset, checksum: str, batch_size: int) -> dict[str, Any]:
        """Return everything that decides the last bits of the features of a data set.

        Edited code, switches of PyTorch and the processor instructions that its libraries choose
        have no name to write down. They show in the features of the first four images.
        """
        _, images, _ = next(batches(dataset, min(batch_size, 4)))
        return {
            "data sha256": checksum,
            **self.texts(),
            "network sha256": _network_sum(self.extractor),
            "device": describe_device(self.device),
            # With small batches oneDNN splits sums among threads: other threads, other rounding.
            "threads": str(torch.get_num_threads()),
            "torch": str(torch.__version__),
            "first features sha256": hashlib.sha256(self(images).tobytes()).hexdigest(),
            "shape": [len(dataset), self.extractor.width],
            "batch size": batch_size,
        }


def build_pipeline(
    extractor: Extractor,
    preprocessing: Preprocessing | None = None,
    *,
    device: str = "auto",
    precision: str = "fp32",
) -> Pipeline:
    """Bring a network to its device, and make a copy of it that computes the same sooner."""
    target = choose_device(device)
    dtype = choose_precision(precision, target)
    folded = fold_batch_norm(extractor.to(target))
    pipeline = Pipeline(folded, preprocessing or Preprocessing(), target, dtype)
    return pipeline.arranged("channels_last")


def fold_batch_norm(extractor: Extractor) -> Extractor:
    """Return a copy of a network whose BatchNorm layers are part of the convolutions before them.

    In evaluation mode such a layer is affine, y = gamma (x - mu) / sigma + beta for each channel.
    After a convolution, x = w * a + b, both together are a convolution with the weights
    gamma w / sigma and the bias beta + gamma (b - mu) / sigma. Each folded layer saves a pass over
    its inputs, and features are equal up to rounding.

    Only torchvision and timm are known to name a BatchNorm layer right after the convolution that
    it reads. A network of another make is returned as it is.

    References
    ----------
    Jacob et al., *Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference*, 2018, section 3.2.
    """
    if type(extractor.network).__module__.partition(".")[0] not in ("torchvision", "timm"):
        return extractor
    replaced: dict[str, nn.Module] = {}
    for name, block in extractor.named_modules():
        for (before, convolution), (after, norm) in pairwise(block.named_children()):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                replaced[f"{name}.{before}"] = fuse_conv_bn_eval(convolution, norm)
                # The BatchNorm layers of timm hold the activation that follows.
                replaced[f"{name}.{after}"] = getattr(norm, "act", nn.Identity())
    # The layers are copied; the tensors that stay as they are belong to both networks.
    shared = {id(tensor): tensor for tensor in (*extractor.parameters(), *extractor.buffers())}
    folded = copy.deepcopy(extractor, memo=shared)
    for name, layer in replaced.items():
        parent, _, last = name.rpartition(".")
        setattr(folded.get_submodule(parent), last, layer)
    return folded


def _network_sum(extractor: Extractor) -> str:
    """Return the SHA-256 sum of a network's layers and weights."""
    digest = hashlib.sha256(repr(extractor.network).encode())
    for name, tensor in extractor.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
