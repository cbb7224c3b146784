"""MATLAB 5 files with one large matrix, written a block of columns at a time.

``scipy.io.savemat`` turns rows into columns in a second array, and that one into bytes in a third.
Here a block is in memory at a time. Small variables, and all reading, are scipy's.

References
----------
MathWorks, *MAT-File Format*, "Level 5 MAT-File Format".
"""

import io
import os
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import scipy.io

MAT_LIMIT = 2**31 - 1
"""Bytes that a variable of a MATLAB 5 file can have."""

MAT_HEADER = struct.pack(
    "=116s8xHH", b"MATLAB 5.0 MAT-file, by hw3.features".ljust(116), 0x100, 0x4D49
)
"""The first 128 bytes: a text, the version, the byte order. No date: equal content, equal bytes."""

Columns = Callable[[int, int], npt.NDArray[np.float32]]
"""Returns the columns from one number to another of a matrix (m, d), in the shape (columns, m)."""


def write_mat(
    file: BinaryIO,
    shape: tuple[int, int],
    columns: Columns,
    rest: Mapping[str, object],
    block_bytes: int = 2**25,
) -> None:
    """Write the matrix ``features`` in single precision, and small variables after it.

    Parameters
    ----------
    file
        Empty, open for writing bytes.
    shape
        Of the matrix, (m, d): less than `MAT_LIMIT` bytes.
    columns
        Gives its content.
    rest
        The other variables, as ``scipy.io.savemat`` takes them.
    block_bytes
        How much of the matrix is asked for at a time.
    """
    m, d = shape
    file.write(MAT_HEADER + _front(m, d))
    step = max(1, block_bytes // max(1, 4 * m))
    for first in range(0, d, step):
        file.write(columns(first, min(first + step, d)).data)
    file.write(bytes(_padding(m, d)) + mat_variables(rest))


def _front(m: int, d: int) -> bytes:
    """Return what stands in a file between its header and the content of a matrix (m, d)."""
    size = 4 * m * d
    name = b"features"
    # The format's numbers: 14 is a matrix, here of class 7 (single); 6, 5, 1 and 7 are the types
    # uint32, int32, int8 and single, of its flags, dimensions, name and values.
    parts = struct.pack("=IIIIIIiiII8sII", 6, 8, 7, 0, 5, 8, m, d, 1, len(name), name, 7, size)
    return struct.pack("=II", 14, len(parts) + size + _padding(m, d)) + parts


def _padding(m: int, d: int) -> int:
    """Return how many bytes follow the content, for its end to be a multiple of eight."""
    return -4 * m * d % 8


def map_features(path: Path) -> npt.NDArray[np.float32] | None:
    """Return the matrix of a file by `write_mat`, (m, d), as it lies on disk, column after column.

    It is a read-only memory map: nothing is copied, as scipy would. A file of another make, such as
    one that MATLAB compressed, gives ``None``.
    """
    header = len(MAT_HEADER)
    front = header + len(_front(0, 0))
    with open(path, "rb") as file:
        start = file.read(front)
    if len(start) < front or start[124:header] != MAT_HEADER[124:]:
        return None
    m, d = struct.unpack_from("=ii", start, header + 32)
    # Of a file of another make these two are any numbers: `_front` takes those that can be.
    if min(m, d) < 1 or 4 * m * d > MAT_LIMIT or start[header:] != _front(m, d):
        return None
    if path.stat().st_size < front + 4 * m * d:
        return None
    return np.memmap(path, np.float32, "r", front, (m, d), "F")


def mat_variables(variables: Mapping[str, object]) -> bytes:
    """Return small variables as they stand in a MATLAB 5 file, after its header."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, oned_as="column")
    return buffer.getvalue()[128:]


def transposed(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
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
        list(cores.map(copy, range(count)))  # which raises here what a thread raises
    return result
