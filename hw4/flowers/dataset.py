"""The flowers as a data set: labelled images, normalised, and augmented for training."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from hw4.flowers.files import (
    PARTS,
    find_folder,
    image_paths,
    read_class_names,
    read_labels,
    read_official_split,
)
from hw4.flowers.images import load_image
from hw4.flowers.splits import SPLIT_SEED, homework_split
from hw4.flowers.transforms import (
    IMAGENET,
    EvaluationTransform,
    Normalisation,
    TrainingTransform,
)

SPLITS = ("official", "homework")


class FlowerDataset(Dataset[dict[str, Any]]):
    """The flowers of one part of a data set in the Oxford layout, see `hw4.flowers.files`.

    An item is a dictionary with ``image``, a tensor (3, s, s), float32, normalised, and ``label``,
    a whole number from 0. `batch` gives many at once, and faster.

    Augmentation is random but not arbitrary: what image i looks like in epoch e depends on
    (``seed``, e, i) alone. A run that is resumed, or that loads in another number of threads,
    workers or processes, sees the same images.

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
    transform
        By default `training_transform` in mode ``"train"`` and `evaluation_transform` in the
        others. Either may be given for any mode, and so may any function from an upright RGB
        picture (PIL) to a tensor (3, h, w); what that one makes is not kept in memory.
    image_size, normalisation
        Side s in pixels, and the mean and standard deviation that the network was trained with; for
        the default transforms.
    seed
        Of the augmentation.
    split_seed
        Of the homework's split: the same in all three modes, or they would overlap.
    cache_bytes
        Memory that decoded images may take, so that later epochs need not decode them again. What
        does not fit is decoded anew each time; the images are the same either way. An image takes
        3 s² bytes in val and test, and up to about 9 s² in training (4:3, three halves of s).
    threads
        How many decode at the same time in `batch`; as many as processors, at most 8, if None.

    Attributes
    ----------
    labels
        The class of each item, shape (m,), int64, from 0.
    paths
        The file of each item.
    cache
        The `PixelCache`, whose ``used`` are the bytes taken now.
    classes, class_names
        The number of classes of the whole data set, and their names.

    Raises
    ------
    FileNotFoundError, ValueError
        If files are missing, broken, or do not belong together. The message names the file.

    Notes
    -----
    `torch.utils.data.DataLoader` works too: call `set_epoch` before each epoch, and with workers do
    not set ``persistent_workers``, since they would not hear of it.
    """

    def __init__(
        self,
        root: Path | str,
        mode: str = "train",
        split: str = "official",
        transform: Callable[[Image.Image], Tensor] | TrainingTransform | None = None,
        *,
        image_size: int = 224,
        normalisation: Normalisation = IMAGENET,
        seed: int = 0,
        split_seed: int = SPLIT_SEED,
        cache_bytes: int = 2**30,
        threads: int | None = None,
    ) -> None:
        for name, value, allowed in (("mode", mode, PARTS), ("split", split, SPLITS)):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(allowed)}")
        threads = min(8, os.cpu_count() or 1) if threads is None else threads
        for name, number, least in (
            ("seed", seed, 0),
            ("cache_bytes", cache_bytes, 0),
            ("threads", threads, 1),
        ):
            if number < least:
                raise ValueError(f"{name} is {number}, expected {least} or more")
        folder = find_folder(root)
        labels = read_labels(folder)
        paths = image_paths(folder, len(labels))
        if split == "official":
            members = read_official_split(folder, len(labels))[mode]
        else:
            members = homework_split(labels, split_seed)[mode]
        if len(members) == 0:
            raise ValueError(f"{folder}: the {split} split has no image for mode {mode!r}")
        self.mode, self.split = mode, split
        self.labels = labels[members]
        self.paths = [paths[member] for member in members]
        self.classes = int(labels.max()) + 1
        self.class_names = read_class_names(folder, self.classes)
        self.image_size, self.normalisation = image_size, normalisation
        self.seed, self.epoch = seed, 0
        build = TrainingTransform if mode == "train" else EvaluationTransform
        self.transform = transform or build(image_size, *normalisation)
        self.threads = threads
        self.cache = PixelCache(cache_bytes)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        index = range(len(self))[index]
        image = self._image(index, self.epoch)
        return {"image": image.contiguous(), "label": int(self.labels[index])}

    @property
    def augments(self) -> bool:
        """Whether an image may look different in another epoch."""
        return not isinstance(self.transform, EvaluationTransform)

    def set_epoch(self, epoch: int) -> None:
        """Choose the augmentations that items show from now on."""
        self.epoch = epoch

    def batch(
        self, indices: Sequence[int] | npt.NDArray[np.int64] | Tensor, epoch: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Load some items at once, in several threads.

        Parameters
        ----------
        indices
            Which, shape (b,), in the order that is wanted.
        epoch
            Whose augmentations to show.

        Returns
        -------
        images, labels
            Shape (b, 3, s, s), float32, in PyTorch's ``channels_last`` order of memory, and (b,),
            int64.
        """
        members = [range(len(self))[int(index)] for index in indices]
        with ThreadPoolExecutor(self.threads) as pool:
            images = list(pool.map(lambda member: self._image(member, epoch), members))
        stacked = torch.stack([image.permute(1, 2, 0) for image in images])
        return stacked.permute(0, 3, 1, 2), torch.from_numpy(self.labels[members])

    def stored(self, index: int) -> Image.Image:
        """Return an image as it is stored, of its own size, upright and RGB."""
        return load_image(self.paths[index])

    def _image(self, index: int, epoch: int) -> Tensor:
        """Return an image (3, s, s) as this epoch shows it, its channels last in memory."""
        transform = self.transform
        if not isinstance(transform, EvaluationTransform | TrainingTransform):
            return transform(self.stored(index))
        pixels = self.cache.get(index)
        if pixels is None:
            pixels = transform.prepare(load_image(self.paths[index], transform.least_side))
            self.cache.put(index, pixels)
        rng = np.random.default_rng((self.seed, epoch, index))
        return torch.from_numpy(transform.finish(pixels, rng)).permute(2, 0, 1)


class PixelCache:
    """Decoded images up to a number of bytes; what came first stays.

    Nothing is thrown out for something newer: an epoch goes through all images, and the least
    recently used is exactly the one that is needed next. Copies start empty.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._kept: dict[int, npt.NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def get(self, index: int) -> npt.NDArray[np.uint8] | None:
        """Return what was kept for ``index``, if anything."""
        return self._kept.get(index)

    def put(self, index: int, pixels: npt.NDArray[np.uint8]) -> None:
        """Keep ``pixels`` if there is room."""
        if torch.utils.data.get_worker_info() is not None:
            # A worker of a DataLoader ends with the epoch, and what it kept with it.
            return
        with self._lock:
            if index not in self._kept and self.used + pixels.nbytes <= self.limit:
                self._kept[index] = pixels
                self.used += pixels.nbytes

    def __reduce__(self) -> tuple[type["PixelCache"], tuple[int]]:
        return PixelCache, (self.limit,)
