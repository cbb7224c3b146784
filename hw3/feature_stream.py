"""From shards to one file, a block at a time: more features than fit in memory."""

import io
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import scipy.io

from coursework.storage import atomic_path
from hw3.shards import Shards

BLOCK_BYTES = 2**28
"""How much of the features is in memory at a time."""

MAT_LIMIT = 2**31 - 1
"""Bytes that a variable of a MATLAB 5 file can have for MATLAB to read it."""


def check_target(filename: Path | str, images: int, width: int) -> None:
    """Refuse, before anything is computed, a file that could not hold the features.

    Raises
    ------
    ValueError
        If features (images, width) in single precision are more than a MATLAB 5 file takes.
    """
    size = 4 * images * width
    if size > MAT_LIMIT and not is_array(filename):
        raise ValueError(
            f"{images:,} x {width:,} features are {size / 2**30:.1f} GiB, but a variable of a "
            f"MATLAB 5 file ends at 2 GiB; write to {Path(filename).stem}.npy instead of "
            f"{Path(filename).name}"
        )


def is_array(filename: Path | str) -> bool:
    """Return whether features go to a NumPy array on disk, of any size, and not to MATLAB's."""
    return Path(filename).suffix == ".npy"


def labels_beside(filename: Path | str) -> Path:
    """Return the MATLAB file with the labels and the texts that belong to ``features.npy``."""
    return Path(filename).with_suffix(".labels.mat")


def open_array(filename: Path | str) -> npt.NDArray[np.float32]:
    """Return the features of ``NAME.npy`` as a read-only memory map."""
    features: npt.NDArray[np.float32] = np.load(filename, mmap_mode="r")
    return features


def stream_features(
    filename: Path | str,
    shards: Shards,
    labels: npt.NDArray[np.int64],
    texts: Mapping[str, str],
) -> None:
    """Write finished shards as one file, which appears whole or not at all.

    Equal arguments give equal bytes: no date is written.

    Parameters
    ----------
    filename
        ``NAME.npy`` becomes a NumPy array (images, width), with the rest in ``NAME.labels.mat``;
        any other name a MATLAB 5 file with everything, as `hw3.feature_file.save_features` writes
        it.
    shards
        All of them finished.
    labels
        Shape (images,).
    texts
        How the features were made, by the names in `hw3.feature_file.Features`.
    """
    rest = {"labels": labels, **texts}
    final = Path(filename)
    # Among the shards, so that what a killed process leaves of it goes with them.
    whole = shards.folder / "whole"
    with open(whole, "wb") as file:
        if is_array(final):
            shape = {"shape": (shards.images, shards.width), "fortran_order": False, "descr": "<f4"}
            np.lib.format.write_array_header_1_0(file, shape)
            for number in range(len(shards)):
                file.write(np.ascontiguousarray(shards.read(number), "<f4").data)
        else:
            file.write(_mat_header())
            _write_columns(file, shards)
            file.write(_mat_variables(rest))
        file.flush()
        os.fsync(file.fileno())
    if is_array(final):
        # Neither file may ever stand beside one of another run; the shards are still there.
        final.unlink(missing_ok=True)
        with atomic_path(labels_beside(final)) as beside:
            beside.write_bytes(_mat_header() + _mat_variables(rest))
    os.replace(whole, final)


def _write_columns(file: BinaryIO, shards: Shards) -> None:
    """Write ``features`` (images, width) as a variable of a MATLAB 5 file, column after column."""
    m, width = shards.images, shards.width
    size = 4 * m * width
    padding = -size % 8
    name = b"features"
    # The format's numbers: 14 is a matrix, here of class 7 (single); 6, 5, 1 and 7 are the types
    # uint32, int32, int8 and single, of its flags, dimensions, name and values.
    parts = struct.pack("=IIIIIIiiII8sII", 6, 8, 7, 0, 5, 8, m, width, 1, len(name), name, 7, size)
    file.write(struct.pack("=II", 14, len(parts) + size + padding) + parts)
    step = max(1, BLOCK_BYTES // (4 * m))
    for first in range(0, width, step):
        columns = np.empty((min(step, width - first), m), np.float32)
        for number in range(len(shards)):
            rows = shards.rows(number)
            part = shards.read(number)[:, first : first + step]
            columns[:, rows.start : rows.stop] = part.T
        file.write(columns.data)
    file.write(bytes(padding))


def _mat_header() -> bytes:
    """Return the first 128 bytes of a MATLAB 5 file: a text, the version, the byte order."""
    return struct.pack(
        "=116s8xHH", b"MATLAB 5.0 MAT-file, by hw3.features".ljust(116), 0x100, 0x4D49
    )


def _mat_variables(variables: Mapping[str, object]) -> bytes:
    """Return small variables as they stand in a MATLAB 5 file, after its header."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, oned_as="column")
    return buffer.getvalue()[128:]
