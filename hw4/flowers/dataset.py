"""The flowers as data sets: labelled images, normalised, and augmented for training."""

import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from coursework.backbones import BACKBONES, IMAGENET, LARGEST_SIDE, Normalisation
from coursework.data import fetch_flowers, sources
from coursework.storage import sha256
from hw4.flowers.files import (
    PARTS,
    SPLITS,
    find_folder,
    homework_split,
    image_paths,
    read_class_names,
    read_labels,
    read_official_split,
)
from hw4.flowers.images import load_image
from hw4.flowers.together import finish_together
from hw4.flowers.transforms import EvaluationTransform, TrainingTransform, least_side

CPU = torch.device("cpu")
_THREADS = min(8, os.cpu_count() or 1)


class FlowerDataset(Dataset[dict[str, Any]]):
    """The flowers of one part of a data set in the Oxford layout, see `hw4.flowers.files`.

    An item is a dictionary with ``image``, a tensor (3, s, s), float32, normalised, and ``label``,
    a whole number from 0. `batch` loads many items at once, in several threads.

    Augmentation depends on (``seed``, epoch, index) alone. A run that is resumed, or that loads in
    another number of threads, workers or processes, sees the same images.

    Parameters
    ----------
    root
        The folder with ``jpg/``, ``imagelabels.mat`` and ``setid.mat``, or the one above it where
        torchvision downloaded them (``root/flowers-102``).
    mode
        ``"train"``, ``"val"`` or ``"test"``.
    split
        ``"official"``: the parts of ``setid.mat``. ``"homework"``: the stratified 70/15/15 of
        `homework_split`.
    augment
        Whether an image looks different in every epoch; by default in mode ``"train"`` only.
    image_size, normalisation
        Side s in pixels, and the mean and standard deviation that the network was trained with.
    seed
        Where the random numbers of the augmentation start.
    cache_bytes
        Memory that decoded images may take, so that later epochs need not decode them again. An
        image that does not fit is decoded each time; the results are the same. An image takes
        3 s² bytes in val and test, and up to about 9 s² in training (4:3, three halves of s). By
        default 1 GiB, and 4 GiB once a batch goes to a GPU: a GPU trains faster than a processor
        decodes, and one network at a time.

    Attributes
    ----------
    labels
        The class of each item, shape (m,), int64, from 0.
    paths
        The file of each item.
    augments
        Whether an image may look different in another epoch.
    classes, class_names
        The number of classes of the whole data set, and their names.
    epoch
        Which augmentations the items show. Set it before each epoch of a
        `torch.utils.data.DataLoader`, whose workers must not be persistent: they would keep the
        epoch that they started with.
    cache
        The `PixelCache`, whose ``used`` are the bytes taken now, of at most ``limit``.

    Raises
    ------
    FileNotFoundError, ValueError
        If files are missing, broken, or do not belong together. The message names the file.
    """

    def __init__(
        self,
        root: Path | str,
        mode: str = "train",
        split: str = "official",
        *,
        augment: bool | None = None,
        image_size: int = 224,
        normalisation: Normalisation = IMAGENET,
        seed: int = 0,
        cache_bytes: int | None = None,
    ) -> None:
        for name, value, allowed in (("mode", mode, PARTS), ("split", split, SPLITS)):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(allowed)}")
        if not 1 <= image_size <= LARGEST_SIDE:
            raise ValueError(f"image_size is {image_size}, expected 1 to {LARGEST_SIDE}")
        for name, number in (("seed", seed), ("cache_bytes", cache_bytes)):
            if number is not None and number < 0:
                raise ValueError(f"{name} is {number}, expected 0 or more")
        folder = find_folder(Path(root))
        labels = read_labels(folder)
        paths = image_paths(folder, len(labels))
        if split == "official":
            members = read_official_split(folder, len(labels))[mode]
        else:
            members = homework_split(labels)[mode]
        if len(members) == 0:
            raise ValueError(f"{folder}: the {split} split has no image for mode {mode!r}")
        self.mode, self.split = mode, split
        self.labels = labels[members]
        self.paths = [paths[member] for member in members]
        self.classes = int(labels.max()) + 1
        self.class_names = read_class_names(folder, self.classes)
        self.image_size, self.normalisation = image_size, normalisation
        self.seed, self.epoch = seed, 0
        self.augments = mode == "train" if augment is None else augment
        transform = TrainingTransform if self.augments else EvaluationTransform
        self.transform = transform(image_size, normalisation)
        self.cache = PixelCache(2**30 if cache_bytes is None else cache_bytes)
        self._limit_with_gpu = 4 * 2**30 if cache_bytes is None else cache_bytes

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        index = range(len(self))[index]  # -1 is the last; beyond it an IndexError
        return {"image": self.image(index, self.epoch), "label": int(self.labels[index])}

    def image(self, index: int, epoch: int) -> Tensor:
        """Return an image (3, s, s) as it looks in an epoch."""
        pixels, rng = self.pixels(index), self.rng(index, epoch)
        return torch.from_numpy(self.transform.finish(pixels, rng)).permute(2, 0, 1)

    def pixels(self, index: int) -> npt.NDArray[np.uint8]:
        """Return what the transform prepares of an image, decoded or from memory."""
        pixels = self.cache.get(index)
        if pixels is None:
            picture = load_image(self.paths[index], least_side(self.image_size))
            pixels = self.transform.prepare(picture)
            self.cache.put(index, pixels)
        return pixels

    def rng(self, index: int, epoch: int) -> np.random.Generator:
        """Return the generator that decides how an image looks in an epoch."""
        return np.random.default_rng((self.seed, epoch, index))

    def batch(
        self,
        indices: Sequence[int] | npt.NDArray[np.int64] | Tensor,
        epoch: int = 0,
        device: torch.device = CPU,
    ) -> tuple[Tensor, Tensor]:
        """Load some items (b,) at once, in several threads, as they look in an epoch.

        The images (b, 3, s, s) are float32, on the CPU in PyTorch's ``channels_last`` order of
        memory; the labels (b,) are int64, and stay on the CPU. For another device the threads only
        decode, and the device does the rest.
        """
        members = [range(len(self))[int(index)] for index in indices]
        labels = torch.from_numpy(self.labels[members])
        with ThreadPoolExecutor(_THREADS) as pool:
            if device.type == "cpu":
                images = pool.map(lambda member: self.image(member, epoch), members)
                stacked = torch.stack([image.permute(1, 2, 0) for image in images])
                return stacked.permute(0, 3, 1, 2), labels
            self.cache.limit = self._limit_with_gpu
            decoded = list(pool.map(self.pixels, members))
        rngs = [self.rng(member, epoch) for member in members]
        return finish_together(self.transform, decoded, rngs, device), labels

    def checksum(self) -> str:
        """Return a SHA-256 sum of the labels and of every image file, as it lies on disk."""
        with ThreadPoolExecutor(_THREADS) as pool:
            sums = list(pool.map(sha256, self.paths))
        return hashlib.sha256(self.labels.tobytes() + "".join(sums).encode()).hexdigest()

    def stored(self, index: int) -> Image.Image:
        """Return an image as it is stored: of its own size, upright and RGB."""
        return load_image(self.paths[index])


class PixelCache:
    """Decoded images up to a number of bytes; the first images stay.

    No image is thrown out for a newer one: an epoch goes through all images, so the least recently
    used image is exactly the one that is needed next. A copy of the cache starts empty.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._kept: dict[int, npt.NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def get(self, index: int) -> npt.NDArray[np.uint8] | None:
        """Return the pixels that are kept for ``index``, if any."""
        return self._kept.get(index)

    def put(self, index: int, pixels: npt.NDArray[np.uint8]) -> None:
        """Keep ``pixels`` if there is room."""
        with self._lock:
            if index not in self._kept and self.used + pixels.nbytes <= self.limit:
                self._kept[index] = pixels
                self.used += pixels.nbytes

    def __reduce__(self) -> tuple[type["PixelCache"], tuple[int]]:
        return PixelCache, (self.limit,)


class FlowerSets(NamedTuple):
    """The parts of one split.

    Attributes
    ----------
    train
        The images to learn from; augmented, unless asked otherwise.
    val
        The images that every choice is made with: the learning rate and the epoch.
    test
        The images that are measured at the end and choose nothing.
    """

    train: FlowerDataset
    val: FlowerDataset
    test: FlowerDataset

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.class_names


def load_flowers(
    root: Path | str,
    split: str,
    backbone: str,
    image_size: int,
    *,
    seed: int = 0,
    augment: bool = True,
    download: bool = False,
) -> FlowerSets:
    """Open all parts of the flowers for one network.

    Parameters
    ----------
    root, split, image_size, seed
        As `hw4.flowers.FlowerDataset` takes them.
    backbone
        A name in `coursework.backbones.BACKBONES`: images are normalised as its weights expect.
    augment
        Whether a training image looks different in every epoch.
    download
        If files are missing, fetch Oxford's flowers into ``root`` and verify them, unless flowers
        of another origin lie there. A folder that lacks nothing is read as it is.

    Raises
    ------
    FileNotFoundError
        If files are missing and not to be downloaded, or flowers other than Oxford's are there.
    coursework.data.FetchError
        If they cannot be downloaded.
    ValueError
        If there is no such backbone, or as `hw4.flowers.FlowerDataset` raises it.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")

    def load(mode: str) -> FlowerDataset:
        return FlowerDataset(
            root,
            mode,
            split,
            augment=augment and mode == "train",
            image_size=image_size,
            normalisation=BACKBONES[backbone].normalisation,
            seed=seed,
        )

    try:
        return FlowerSets(*map(load, PARTS))
    except FileNotFoundError:
        if not download or not _may_be_filled(Path(root)):
            raise
    fetch_flowers(Path(root))
    return FlowerSets(*map(load, PARTS))


def _may_be_filled(folder: Path) -> bool:
    """Return whether a folder holds no flowers yet, or a download of Oxford's that was stopped.

    Oxford's flowers are known by their archive, whole or in part, or by the checksums of their
    label files. Incomplete flowers of another origin are not replaced.
    """
    *labels, archive = sources.FLOWERS
    if any(folder.glob(f"{archive.name}*")):
        return True
    if there := [source for source in labels if source.find(folder)]:
        return all(source.find_intact(folder) for source in there)
    return not (folder / "jpg").exists()
