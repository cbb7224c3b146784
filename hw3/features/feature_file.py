"""Features on disk: a MATLAB 5 file, or a NumPy array of any size with a MATLAB file beside it.

``scipy.io.savemat`` turns rows into columns in a second array, and that one into bytes in a third.
Here the matrix of features is written a block of columns at a time, and small variables are left to
SciPy. `coursework.matlab` reads them, through a memory map.

References
----------
MathWorks, *MAT-File Format*, "Level 5 MAT-File Format".
"""

import io
import os
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from coursework.backbones import BACKBONES
from coursework.matlab import read_mat
from coursework.storage import atomic_path

Matrix = npt.NDArray[np.float32]

MAT_LIMIT = 2**31 - 1
"""Bytes that a variable of a MATLAB 5 file can have."""

_HEADER = struct.pack(
    "=116s8xHH", b"MATLAB 5.0 MAT-file, by hw3.features".ljust(116), 0x100, 0x4D49
)
"""The first 128 bytes: a text, the version, the byte order. No date: equal content, equal bytes."""

_ADVICE = "make it again with hw3.features.extract"

_TEXTS = ("backbone", "weights", "preprocessing", "precision", "layout")


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a data set, and how they were made.

    Attributes
    ----------
    features
        Shape (m, width), float32.
    labels
        Shape (m,), int64.
    backbone, weights, preprocessing
        The network, where its weights come from, and what was done to the images, in words.
    precision
        What the network computed in: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    layout
        The order of images in memory, on which rounding depends: a name in
        `coursework.runtime.LAYOUTS`.
    """

    features: Matrix
    labels: npt.NDArray[np.int64]
    backbone: str
    weights: str
    preprocessing: str
    precision: str = "fp32"
    layout: str = "channels_last"


def is_array(filename: Path | str) -> bool:
    """Return whether the name is one of a NumPy array, and not of a MATLAB file."""
    return Path(filename).suffix == ".npy"


def labels_beside(filename: Path | str) -> Path:
    """Return the MATLAB file with the labels and the texts that belong to ``features.npy``."""
    return Path(filename).with_suffix(".labels.mat")


def check_target(filename: Path | str, images: int, width: int) -> None:
    """Refuse, before anything is computed, a name under which the features cannot be written."""
    paths = [Path(filename)]
    if is_array(filename):
        paths.append(labels_beside(filename))
    else:
        check_size(filename, images, width)
    for path in paths:
        if path.is_dir():
            raise ValueError(
                f"{path} is a folder, where a file is to be written; name a file, "
                "such as features.mat"
            )


def check_size(filename: Path | str, images: int, width: int) -> None:
    """Refuse features (images, width) that are larger than a variable of a MATLAB 5 file."""
    if 4 * images * width > MAT_LIMIT:
        raise ValueError(
            f"{images:,} x {width:,} features are {images * width / 2**28:.1f} GiB, but a variable "
            f"of a MATLAB 5 file ends at 2 GiB, {MAT_LIMIT // (4 * width):,} rows; let "
            f"hw3.features.extract write to {Path(filename).stem}.npy instead of "
            f"{Path(filename).name}"
        )


def save_features(filename: Path | str, features: Features) -> None:
    """Write features to a MATLAB 5 file, which MATLAB, Octave and SciPy read.

    The variables are ``features`` (m x width, single), ``labels`` (m x 1) and the texts
    ``backbone``, ``weights``, ``preprocessing``, ``precision`` and ``layout``. The file appears
    whole or not at all, and equal features give equal bytes.

    Raises
    ------
    ValueError
        If `load_features` would refuse the file; if the features take more than the 2 GiB that a
        variable of the format may have: 262,143 rows of ResNet-50; or if the name is one of a NumPy
        array.
    """
    if is_array(filename):
        raise ValueError(
            f"{filename} is the name of a NumPy array, and this writes a MATLAB file; "
            f"write to {Path(filename).with_suffix('.mat').name}"
        )
    values = features.features
    if fault := _fault({name: np.asarray(value) for name, value in vars(features).items()}):
        raise ValueError(f"{filename} is not written: {fault}")
    m, d = values.shape
    check_size(filename, m, d)
    columns = max(1, 2**25 // max(1, 4 * m))  # 32 MiB of them are in memory at a time
    with atomic_path(filename) as temporary, open(temporary, "wb") as file:
        file.write(_HEADER + _front(m, d))
        for first in range(0, d, columns):
            block = _transposed(values[:, first : first + columns])
            if not _all_finite(block):
                raise ValueError(
                    f"{filename} is not written: features hold infinite or undefined numbers"
                )
            file.write(block.data)
        rest = {name: value for name, value in vars(features).items() if name != "features"}
        file.write(bytes(_padding(m, d)) + _variables(rest))


def write_array(path: Path, shape: tuple[int, int], pieces: Iterable[Matrix]) -> None:
    """Write a NumPy array of a shape (m, width), with one piece in memory at a time.

    On a full disk the error says so; ``numpy.save`` only counts the items that it did not write.
    """
    with open(path, "wb") as file:
        kind = {"shape": shape, "fortran_order": False, "descr": "<f4"}
        np.lib.format.write_array_header_1_0(file, kind)
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, "<f4").data)


def write_labels(path: Path, variables: Mapping[str, object]) -> None:
    """Write the MATLAB file that lies beside a NumPy array: its labels and texts by their names."""
    path.write_bytes(_HEADER + _variables(variables))


def load_features(filename: Path | str) -> Features:
    """Read a file of features, and refuse one that does not hold what it should.

    Parameters
    ----------
    filename
        The MATLAB file of `save_features` or `hw3.features.extract`, or the ``NAME.npy`` of
        `hw3.features.extract`, whose features stay on disk: a read-only memory map.

    Returns
    -------
    Features
        With labels of shape (m,), although MATLAB files know no vectors.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a MATLAB file, lacks a variable, a variable has the wrong shape or holds
        anything but finite numbers, or the backbone gives features of another width.
    """
    path = Path(filename)
    if not path.is_file():
        raise FileNotFoundError(f"no feature file {path}; hw3.features.extract writes one")
    beside = labels_beside(path) if is_array(path) else path
    if not beside.is_file():
        raise FileNotFoundError(f"{path} lacks its labels, {beside}; {_ADVICE}")
    content = read_mat(beside, _ADVICE)
    if is_array(path):
        content["features"] = read_array(path)
    # Files from before there was a choice do not hold the precision or the layout.
    content.setdefault("precision", np.array(["fp32"]))
    content.setdefault("layout", np.array(["channels_last"]))
    if fault := _fault(content):
        raise ValueError(f"{path}: {fault}; {_ADVICE}")
    features = content["features"]
    # A NumPy array already has its rows one after another, and stays on disk.
    in_place = is_array(path) and features.dtype == np.float32 and features.flags.c_contiguous
    rows = np.asarray(features) if in_place else _transposed(features.T)
    if not _all_finite(rows):
        raise ValueError(f"{path}: features hold infinite or undefined numbers; {_ADVICE}")
    texts = {name: str(content[name].item()) for name in _TEXTS}
    return Features(rows, content["labels"].ravel().astype(np.int64), **texts)


def _fault(content: Mapping[str, Any]) -> str | None:
    """Return in words what is wrong with the variables of a file, or ``None``."""
    missing = [name for name in ("features", "labels", *_TEXTS) if name not in content]
    if missing:
        found = ", ".join(content) or "nothing"
        return f"it lacks {', '.join(missing)} and holds {found}"
    features, labels = content["features"], content["labels"]
    if features.ndim != 2 or features.dtype.kind != "f" or 0 in features.shape:
        return f"features is {features.dtype} {features.shape}, expected floats (images, width)"
    if labels.ndim == 0 or labels.size != max(labels.shape) or labels.size != len(features):
        return f"labels is {labels.shape}, expected one for each of the {len(features)} rows"
    # Beyond 2^53 a double no longer tells whole numbers apart.
    if (
        labels.dtype.kind not in "biuf"
        or not ((np.abs(labels.astype(np.float64)) <= 2.0**53) & (labels == np.rint(labels))).all()
    ):
        return f"labels are {labels.dtype}, expected whole numbers"
    texts = [content[name] for name in _TEXTS]
    if any(text.dtype.kind != "U" or text.size != 1 or not text.item() for text in texts):
        return f"{', '.join(_TEXTS)} must be texts that are not empty"
    backbone, width = content["backbone"].item(), features.shape[1]
    if backbone in BACKBONES and width != BACKBONES[backbone].width:
        return f"features have {width} columns, but {backbone} gives {BACKBONES[backbone].width}"
    return None


def _all_finite(values: Matrix) -> bool:
    # NaN is the minimum of its array. The extremes need no array of truth values.
    return bool(np.isfinite([values.min(), values.max()]).all())


def read_array(path: Path, advice: str = _ADVICE) -> npt.NDArray[Any]:
    """Return a NumPy array that stays on disk, as a read-only memory map."""
    try:
        array: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # tokenize, ast and mmap each report a damaged file in their own way
        raise ValueError(f"{path} is not a NumPy array ({error}); {advice}") from error
    return array


def _front(m: int, d: int) -> bytes:
    """Return the bytes of a file between its header and the numbers of a matrix (m, d)."""
    size = 4 * m * d
    name = b"features"
    # The format's numbers: 14 is a matrix, here of class 7 (single); 6, 5, 1 and 7 are the types
    # uint32, int32, int8 and single, of its flags, dimensions, name and values.
    parts = struct.pack("=IIIIIIiiII8sII", 6, 8, 7, 0, 5, 8, m, d, 1, len(name), name, 7, size)
    return struct.pack("=II", 14, len(parts) + size + _padding(m, d)) + parts


def _padding(m: int, d: int) -> int:
    """Return how many bytes follow the numbers, so that they end at a multiple of eight."""
    return -4 * m * d % 8


def _variables(variables: Mapping[str, object]) -> bytes:
    """Return small variables as they stand in a MATLAB 5 file, after its header."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, oned_as="column")
    return buffer.getvalue()[128:]


def _transposed(matrix: Matrix) -> Matrix:
    """Return the transpose (n, m) of a matrix (m, n), its rows one after another in memory.

    A tile of 1,024 rows and 64 columns at a time fits into the cache and touches few pages of
    memory. In one go the copy takes some five times as long. Every core copies tiles of its own.
    """
    m, n = matrix.shape
    result = np.empty((n, m), np.float32)
    count = os.cpu_count() or 1
    tiles = list(product(range(0, m, 1024), range(0, n, 64)))

    def copy(part: int) -> None:
        # NumPy keeps what to do about an overflow for each thread.
        with np.errstate(over="ignore"):
            for top, left in tiles[len(tiles) * part // count : len(tiles) * (part + 1) // count]:
                rows, columns = slice(top, top + 1024), slice(left, left + 64)
                result[columns, rows] = matrix[rows, columns].T

    with ThreadPoolExecutor(count) as cores:
        list(cores.map(copy, range(count)))  # the list raises here what a thread raises
    return result
