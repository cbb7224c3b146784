"""Files that are either whole or not there."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(final: Path | str) -> Iterator[Path]:
    """Give a name to write to, which becomes ``final`` only if the block ends well.

    The temporary file lies in the folder of ``final``, so that the last step is a rename within one
    file system: a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    final
        The file that is wanted. Missing folders are made.

    Yields
    ------
    Path
        A fresh name in the same folder, with the same suffix. It is removed if the block raises.

    Raises
    ------
    FileNotFoundError
        If the block ends without having written anything.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent)
    temporary = Path(folder) / final.name
    try:
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)
        os.rmdir(folder)


def sha256(path: Path | str) -> str:
    """Return the SHA-256 sum of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return checksum(file, "sha256")


def checksum(file: io.BufferedIOBase, algorithm: str) -> str:
    """Return the sum of what is left to read in an open file, in hexadecimal digits.

    Parameters
    ----------
    file
        Opened to read bytes; it may be one that unpacks as it is read.
    algorithm
        ``"sha256"``, or ``"md5"`` where that is all a data set's authors published: enough
        against accidents, which is what it is for here.
    """
    result = hashlib.new(algorithm, usedforsecurity=False)
    while block := file.read(2**20):
        result.update(block)
    return result.hexdigest()
