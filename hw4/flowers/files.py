"""The Oxford layout of flower photographs on disk: images, labels, and which part holds which.

A folder holds ``jpg/image_00001.jpg`` and so on; ``imagelabels.mat`` with the class of each image
in ``labels``, from 1 to K; and ``setid.mat`` with the image numbers of the official parts in
``trnid``, ``valid`` and ``tstid``, from 1. Any number of images and classes will do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat

from hw4.flowers.names import OXFORD_NAMES

Ints = npt.NDArray[np.int64]

PARTS = ("train", "val", "test")

OFFICIAL_PARTS = {"train": "trnid", "val": "valid", "test": "tstid"}
"""The variable of ``setid.mat`` that holds the image numbers of each mode."""


def find_folder(root: Path | str) -> Path:
    """Return the folder of the data: ``root``, or ``root/flowers-102`` as torchvision has it.

    Raises
    ------
    FileNotFoundError
        If neither holds the images and their labels. The message says how to get them.
    """
    root = Path(root)
    for folder in (root, root / "flowers-102"):
        if (folder / "jpg").is_dir() and (folder / "imagelabels.mat").is_file():
            return folder
    require_files(root, "jpg", "imagelabels.mat")
    raise FileNotFoundError(f"{root}: jpg is not a folder, or imagelabels.mat not a file")


def require_files(folder: Path, *names: str) -> None:
    """Raise a FileNotFoundError that names what ``folder`` lacks and says how to get it."""
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {' and '.join(missing)}; `coursework fetch flowers` brings the Oxford "
            "flowers, or put them there by hand: the folder jpg/ of 102flowers.tgz, "
            "imagelabels.mat and setid.mat"
        )


def read_labels(folder: Path) -> Ints:
    """Return the class of every image from ``imagelabels.mat``, shape (m,), counted from 0.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, cannot be read, or its labels are not 1 to K, each at least once.
    """
    require_files(folder, "imagelabels.mat")
    path = folder / "imagelabels.mat"
    labels = _whole_numbers(path, _read_mat(path), "labels")
    present = np.unique(labels)
    if len(present) == 0:
        raise ValueError(f"{path}: labels is empty, expected the class of each image")
    if present[0] < 1 or len(present) != present[-1]:
        absent = np.setdiff1d(np.arange(1, len(present) + 1), present)
        raise ValueError(
            f"{path}: labels run from {present[0]} to {present[-1]} and {len(present)} of them "
            f"occur, expected every class from 1 to K; {absent[0]} is absent"
        )
    return labels - 1


def read_official_split(folder: Path, images: int) -> dict[str, Ints]:
    """Return the official parts from ``setid.mat`` as positions from 0, in the order of the file.

    Parameters
    ----------
    folder
        Where the file lies.
    images
        How many images there are. Not every one has to be in a part.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or cannot be read, a number is outside 1 to ``images``, or an image
        is named twice.
    """
    require_files(folder, "setid.mat")
    path = folder / "setid.mat"
    content = _read_mat(path)
    parts = {mode: _whole_numbers(path, content, name) for mode, name in OFFICIAL_PARTS.items()}
    for mode, numbers in parts.items():
        outside = numbers[(numbers < 1) | (numbers > images)]
        if len(outside):
            raise ValueError(
                f"{path}: {OFFICIAL_PARTS[mode]} names image {outside[0]}, but imagelabels.mat has "
                f"the images 1 to {images}; the two files are not from one data set"
            )
    numbers, times = np.unique(np.concatenate(list(parts.values())), return_counts=True)
    if (times > 1).any():
        number = numbers[times > 1][0]
        where = [OFFICIAL_PARTS[mode] for mode in PARTS if number in parts[mode]]
        raise ValueError(
            f"{path}: image {number} stands {times[times > 1][0]} times, in {' and '.join(where)}; "
            "an image may be in one part only, or the test is not one"
        )
    return {mode: numbers - 1 for mode, numbers in parts.items()}


def image_paths(folder: Path, images: int) -> list[Path]:
    """Return the files ``jpg/image_00001.jpg`` to the last of ``images``; each of them exists.

    Raises
    ------
    FileNotFoundError
        If one is missing.
    ValueError
        If there are more of them than labels.
    """
    names = [f"image_{number:05d}.jpg" for number in range(1, images + 1)]
    found = {path.name for path in (folder / "jpg").glob("image_*.jpg")}
    missing = [name for name in names if name not in found]
    if missing:
        raise FileNotFoundError(
            f"{folder / 'jpg'} lacks {len(missing)} of the {images} images that imagelabels.mat "
            f"has labels for, the first {missing[0]}; unpack all of the images there again, or run "
            "`coursework fetch flowers`"
        )
    extra = sorted(found.difference(names))
    if extra:
        raise ValueError(
            f"{folder / 'jpg'} holds {len(found)} images, but imagelabels.mat has {images} labels "
            f"({extra[0]} has none); the images and the labels are not from one data set"
        )
    return [folder / "jpg" / name for name in names]


def read_class_names(folder: Path, classes: int) -> tuple[str, ...]:
    """Return the name of each class.

    They come from ``names.txt``, one a line in the order of the labels (blank lines and lines that
    begin with ``#`` do not count); without that file Oxford's own names if there are 102 classes,
    and else "class 1" and so on.

    Raises
    ------
    ValueError
        If the file has another number of names or is not UTF-8 text.
    """
    path = folder / "names.txt"
    if not path.is_file():
        if classes == len(OXFORD_NAMES):
            return OXFORD_NAMES
        return tuple(f"class {number}" for number in range(1, classes + 1))
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text; save the file as plain text") from error
    names = tuple(line for line in lines if line and not line.startswith("#"))
    if len(names) != classes:
        raise ValueError(
            f"{path}: {len(names)} names for {classes} classes; write one name a line, in the "
            "order of the labels, or remove the file"
        )
    return names


def _read_mat(path: Path) -> Mapping[str, Any]:
    try:
        content: Mapping[str, Any] = loadmat(path)
    except Exception as error:  # a damaged file fails in scipy, zlib or struct, each its own way
        raise ValueError(
            f"{path} is not a MATLAB file that can be read ({error}); fetch it again"
        ) from error
    return content


def _whole_numbers(path: Path, content: Mapping[str, Any], name: str) -> Ints:
    """Return a variable of a MATLAB file, which stores a vector as a matrix of one row."""
    if name not in content:
        found = ", ".join(key for key in content if not key.startswith("__")) or "nothing"
        raise ValueError(f"{path}: no variable {name!r}, it holds {found}")
    values = np.asarray(content[name])
    if values.ndim != 2 or (values.size and 1 not in values.shape):
        raise ValueError(f"{path}: {name} has the shape {values.shape}, expected one row")
    values = values.ravel()
    if values.dtype.kind not in "uif" or not (values == np.floor(values)).all():
        raise ValueError(f"{path}: {name} holds {values.dtype}, expected whole numbers")
    return values.astype(np.int64)
