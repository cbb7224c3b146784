"""The handwritten digits: the embedded subset, or all 70,000."""

import gzip
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coursework.data import fetch_files, sources

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""MNIST's own file names, without ``.gz``: images and labels of each split."""

SIDE = 28
"""Pixels a side of an image."""

IMAGES = {"train": 60_000, "test": 10_000}
"""How many images all of MNIST has."""


MOST_BYTES = 2**28
"""Bytes of data that are read from a file, five times as many as MNIST has."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Images and their labels; ``digits[i]`` is one pair, ``len(digits)`` their number.

    Attributes
    ----------
    images
        Shape (m, 28, 28), uint8, 0 is the background.
    labels
        Shape (m,), uint8, the digits 0 to 9.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"expected images (m, height, width) and as many labels (m,), found images "
                f"{self.images.shape} and labels {self.labels.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], int]:
        return self.images[index], int(self.labels[index])


def load_mnist(root: Path | str, split: str, *, download: bool = False) -> Digits:
    """Load one split of MNIST.

    Parameters
    ----------
    root
        A folder that holds the IDX files, gzipped or not: directly, where torchvision puts them
        (``root/MNIST/raw``), or each in a folder of its own name. A name may have a dot before
        ``idx``, and a number such as ``(1)`` that a browser gave it.
    split
        ``"train"`` or ``"test"``.
    download
        Whether to fetch what ``root`` lacks of MNIST's four files, if one of this split is missing;
        each is verified by its checksum. Files that are there may hold a subset of MNIST. Files
        with as many images as MNIST have to be MNIST, since other data sets use the same names.

    Returns
    -------
    Digits
        60,000 training or 10,000 test images; 5,000 and 1,000 in the embedded subset.

    Raises
    ------
    FileNotFoundError
        If a file is missing and was not, or could not be, downloaded.
    ValueError
        If ``split`` has another value or a file is not what its name says: images of 28 x 28 bytes
        and as many labels from 0 to 9. With ``download``, if the files hold another data set of
        MNIST's size, or a damaged one.

    References
    ----------
    LeCun, Cortes and Burges, *The MNIST database of handwritten digits*.
    """
    if split not in FILES:
        raise ValueError(f"split is {split!r}, expected 'train' or 'test'")
    root = Path(root)
    files = [file for file in sources.MNIST if file.name.removesuffix(".gz") in FILES[split]]
    if download and any(file.find(root) is None for file in files):
        fetch_files([file for file in sources.MNIST if file.find(root) is None], root)
    images_path, labels_path = (_require(root, file) for file in files)
    images = read_idx(images_path, dimensions=3)
    labels = read_idx(labels_path, dimensions=1)
    if images.shape[1:] != (SIDE, SIDE) or len(images) == 0:
        raise ValueError(
            f"{images_path} holds images of the shape {images.shape}, expected one or more of "
            f"{SIDE} x {SIDE}"
        )
    if labels.max(initial=0) > 9:
        raise ValueError(
            f"{labels_path} holds the label {labels.max()}, expected the digits 0 to 9; is it of "
            "another data set, such as EMNIST?"
        )
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels; "
            "the two are not from one data set: replace both"
        )
    if download and len(images) == IMAGES[split]:
        for file, path in zip(files, (images_path, labels_path), strict=True):
            _require_intact(file, path)
    return Digits(images, labels)


def read_idx(path: Path | str, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes, gzipped or not.

    The format is two zero bytes, the type (8 for uint8), the number of dimensions, each size as a
    big-endian 32-bit integer, and then the data with the last index running fastest.

    Parameters
    ----------
    path
        The file.
    dimensions
        How many dimensions the array must have.

    Raises
    ------
    ValueError
        If the file is damaged, cut short, too long, or holds something else.
    """
    mend = "delete it and fetch it again"
    start = 4 + 4 * dimensions
    magic = bytes([0, 0, 8, dimensions])
    with open(path, "rb") as packed:
        is_packed = packed.read(2) == b"\x1f\x8b"
        packed.seek(0)
        file: io.BufferedIOBase = gzip.GzipFile(fileobj=packed) if is_packed else packed
        try:
            header = file.read(start)
            if header[:4] != magic or len(header) < start:
                raise ValueError(
                    f"{path} begins with the bytes {header[:4].hex(' ') or 'of an empty file'}, "
                    f"expected {magic.hex(' ')} (IDX, uint8, {dimensions} dimensions); {mend}"
                )
            shape = tuple(np.frombuffer(header, ">u4", dimensions, offset=4).tolist())
            expected = math.prod(shape)
            if expected > MOST_BYTES:
                raise ValueError(
                    f"{path} promises {expected:,} bytes for the shape {shape}, at most "
                    f"{MOST_BYTES:,} are read; {mend}"
                )
            # The end of a gzip file holds a checksum, which is read with the byte after the data.
            content = file.read(expected) + file.read(1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); {mend}") from error
    if len(content) != expected:
        raise ValueError(
            f"{path} holds {len(content):,} bytes of data{' or more' * (len(content) > expected)}, "
            f"but its header promises {expected:,} for the shape {shape}; {mend}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _require(root: Path, file: sources.Source) -> Path:
    """Return where the file lies, or raise `FileNotFoundError`."""
    path = file.find(root)
    if path is None:
        nearby = [f for pattern in ("*", "*/*", "*/*/*") for f in root.glob(f"{pattern}ubyte*")]
        found = ", ".join(str(f.relative_to(root)) for f in sorted(nearby)[:4] if f.is_file())
        raise FileNotFoundError(
            f"{root / file.name} is missing (with or without .gz, there or in MNIST/raw below; "
            f"found are {found or 'no IDX files'}); put MNIST's four IDX files into {root}, or "
            "load with download=True"
        )
    return path


def _require_intact(file: sources.Source, path: Path) -> None:
    """Raise `ValueError` if a file is not the one that MNIST publishes under this name."""
    if not file.is_intact(path):
        raise ValueError(
            f"{path} ({file.checksum_of(path)}) is as long as MNIST's file of that name, but not "
            f"the same: expected {file.checksum}, or {file.content_checksum} unpacked; "
            "delete it and fetch it again, or load another data set with download=False"
        )
