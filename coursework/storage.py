"""Files that are either whole or not there, and that one process writes at a time."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock


class BusyError(RuntimeError):
    """Another process is writing the file."""


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


@contextmanager
def locked(final: Path | str, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold a file or folder while it is made, so that no other process makes it at the same time.

    The lock is a file ``.NAME.lock`` beside it. The operating system frees it when the process
    ends, however it ends. On a network file system without locks the mere existence of that file
    is the lock, and a killed process leaves it behind.

    Parameters
    ----------
    final
        What is made. Missing folders above it are made.
    waiting
        Called once if another process holds the lock, before waiting for it. Without it, nothing
        waits.

    Raises
    ------
    BusyError
        If another process holds the lock and ``waiting`` is not given.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    path = final.parent / f".{final.name}.lock"
    lock = filelock.FileLock(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        if waiting is None:
            raise BusyError(
                f"another process is writing {final}; wait for it to end, or name another file. "
                f"If none is running, on any machine, delete {path}"
            ) from None
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        # The file is deleted while the lock is still held: after the release it may belong to
        # another process. filelock tells a process that opened the file earlier that it is gone.
        # Windows deletes the file by itself.
        with suppress(OSError):
            path.unlink()
        lock.release()


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
