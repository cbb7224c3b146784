"""Reading MATLAB 5 files by hand, so that a damaged file is an error in words.

SciPy's reader is compiled and trusts the sizes that stand in a file: a single wrong byte can end
the interpreter. Here each size is held against the bytes that are there. Matrices of real numbers
and texts are read, as views of the file where it is not compressed. Of any other variable, such as
a cell, a structure or a sparse matrix, only the name is read.

References
----------
MathWorks, *MAT-File Format*, "Level 5 MAT-File Format".
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

# The codes of the format: kinds of elements, ways to store numbers and texts, classes of matrices.
_INT32, _UINT32, _MATRIX, _COMPRESSED = 5, 6, 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", _INT32: "i4", _UINT32: "u4"}
_STORED |= {7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CODECS = {1: "utf-8", 2: "utf-8", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"}
_CLASSES |= {14: "i8", 15: "u8"}
_TEXT, _OPAQUE = 4, 17
_COMPLEX = 0x800

_MOST_UNPACKED = 2**26
_MOST_RATIO = 20
"""A file may unpack to so many bytes, or to so many times its size. Features unpack to less than
ten times the size of their file, but a hostile file could unpack to a thousand times its size."""


def read_mat(path: Path | str, advice: str) -> dict[str, npt.NDArray[Any]]:
    """Read the variables of a MATLAB 5 file by their names.

    Matrices of numbers are read-only and may be views of the file. A text is an array of its rows,
    shape (n,). A variable of another kind is an empty object array, shape ().

    Raises
    ------
    ValueError
        If it is no MATLAB 5 file, is damaged, or unpacks to far more than its size; the message
        ends with the advice.
    """
    path = Path(path)
    with open(path, "rb") as file:
        start = file.read(128)
    if start.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise ValueError(
            f"{path} is a MATLAB 7.3 file, which is read by nothing here: save it with -v7, as in "
            f"save('{path.name}', 'NAME', '-v7')"
        )
    order = {b"IM": "<", b"MI": ">"}.get(start[126:])
    content: dict[str, npt.NDArray[Any]] = {}
    try:
        if order is None:
            raise ValueError("it does not begin like one")
        for name, value in _variables(np.asarray(np.memmap(path, np.uint8, "r")), order):
            if name in content:
                raise ValueError(f"it holds {name} twice")
            content[name] = value
    except (ValueError, zlib.error) as error:
        raise ValueError(f"{path} is not a MATLAB 5 file ({error}); {advice}") from error
    return content


def _variables(content: Bytes, order: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield the name and the value of each variable; ``order`` is the byte order of NumPy."""
    position, room = 128, max(_MOST_UNPACKED, _MOST_RATIO * len(content))
    while position < len(content):
        kind, data, position = _element(content, position, order)
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(data.data, room)
            if not unpacker.eof:
                raise ValueError("a variable is cut short, or unpacks to far more than its size")
            room = max(1, room - len(unpacked))
            kind, data, _ = _element(np.frombuffer(unpacked, np.uint8), 0, order)
        if kind != _MATRIX:
            raise ValueError(f"there is an element of type {kind}, expected a variable")
        name, value = _variable(data, order)
        if name:  # MATLAB keeps what belongs to objects in a variable without a name
            yield name, value


def _element(content: Bytes, position: int, order: str) -> tuple[int, Bytes, int]:
    """Return the type and the data of an element, and the position of the next one."""
    if position + 8 > len(content):
        raise ValueError("it is cut short")
    kind, size = struct.unpack_from(f"{order}II", content.data, position)
    start = position + 8
    if kind >> 16:  # a small element: its size, its type and up to four bytes within eight
        kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
        if size > 4:
            raise ValueError(f"a small element has {size} bytes")
    end = start + size
    if end > len(content):
        raise ValueError("it is cut short, or a size in it is wrong")
    # The next element begins at a multiple of eight bytes, unless this one is compressed.
    following = end if kind == _COMPRESSED else end + (position - end) % 8
    return kind, content[start:end], following


def _variable(data: Bytes, order: str) -> tuple[str, npt.NDArray[Any]]:
    """Return the name and the value of a variable."""
    kind, flags, position = _element(data, 0, order)
    if kind != _UINT32 or len(flags) != 8:
        raise ValueError("a variable does not begin like one")
    flags_and_class, _ = struct.unpack(f"{order}II", flags.data)
    matrix_class = flags_and_class & 0xFF
    shape: tuple[int, ...] = ()
    if matrix_class != _OPAQUE:  # objects, such as tables and strings, have no shape
        kind, sizes, position = _element(data, position, order)
        if kind != _INT32 or len(sizes) < 8 or len(sizes) % 4:
            raise ValueError("a variable has no shape")
        shape = tuple(sizes.view(f"{order}i4").tolist())
    _, letters, position = _element(data, position, order)
    name = letters.tobytes().decode("ascii")
    is_complex = bool(flags_and_class & _COMPLEX)
    if is_complex or (matrix_class != _TEXT and matrix_class not in _CLASSES):
        return name, np.empty((), object)
    if min(shape) < 0:
        raise ValueError(f"{name} has the shape {shape}")
    kind, values, _ = _element(data, position, order)
    if matrix_class == _TEXT:
        return name, _text(name, kind, values, shape, order)
    return name, _numbers(name, kind, values, shape, order + _CLASSES[matrix_class])


def _numbers(
    name: str, kind: int, values: Bytes, shape: tuple[int, ...], dtype: str
) -> npt.NDArray[Any]:
    """Return a matrix of numbers, which MATLAB may store in a smaller type than they have."""
    stored = np.dtype(dtype[0] + _STORED.get(kind, "V1"))
    if not np.can_cast(stored, dtype, "same_kind"):
        raise ValueError(f"{name} is stored as type {kind}, which does not fit its class")
    if math.prod(shape) * stored.itemsize != len(values):
        raise ValueError(f"{name} has {len(values)} bytes, but the shape {shape}")
    return values.view(stored).reshape(shape, order="F").astype(dtype, copy=False)


def _text(
    name: str, kind: int, values: Bytes, shape: tuple[int, ...], order: str
) -> npt.NDArray[np.str_]:
    """Return the rows of a text."""
    if kind not in _CODECS:
        raise ValueError(f"{name} is a text stored as type {kind}")
    codec = _CODECS[kind]
    if codec != "utf-8":
        codec += "-le" if order == "<" else "-be"
    text = values.tobytes().decode(codec)
    rows = shape[0]
    if rows > 1 and len(text) != math.prod(shape):
        raise ValueError(f"{name} has {len(text)} characters, but the shape {shape}")
    return np.array([text[row::rows] for row in range(rows)] if text else [], str)
