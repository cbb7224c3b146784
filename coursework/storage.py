"""Files that are either whole or not there, and that one process writes at a time."""

import errno
import glob
import hashlib
import io
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BusyError(RuntimeError):
    """Another process is writing the file."""


@contextmanager
def scratch_folder(name: str, parent: Path | str | None = None) -> Iterator[Path]:
    """Give an empty folder that is removed with its content when the block ends.

    It is called ``.NAME.`` and some random letters, and lies in ``parent``, by default the system's
    folder for temporary files. No other user may read it. A process that is killed leaves its
    folder behind, but no longer holds the lock of the folder, so that the next call with the same
    name and place removes it. If the disk is full, the `OSError` of the block names the folder.
    """
    parent = Path(parent or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    # The lock of a folder has its name and one dot more in front. It is there before the folder
    # and goes after it, so that a folder in use is never without.
    pattern = f".{glob.escape(name)}.{8 * '[0-9a-f]'}"
    locks = (lock.with_suffix("").name[1:] for lock in parent.glob(f".{pattern}.lock"))
    for left in {*parent.glob(pattern), *map(parent.joinpath, locks)}:
        with suppress(BusyError, OSError), locked(left):  # busy, or of another user
            _remove(left)
    folder = parent / f".{name}.{secrets.token_hex(4)}"
    # Another process may hold the lock for a moment, to see whether the folder is left over.
    with locked(folder, waiting=lambda: None), _named(folder):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder as far as possible, whatever a hostile program has left in it."""
    with suppress(RecursionError):  # a thousand folders within each other
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        with suppress(OSError):
            subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)


@contextmanager
def atomic_path(final: Path | str) -> Iterator[Path]:
    """Give a name to write to, which becomes ``final`` only if the block ends well.

    The temporary file has the same suffix and lies in the folder of ``final``, which is made if it
    is missing. So the last step is a rename within one file system: a reader sees the old file or
    the new one, never a part. The temporary file is removed if the block raises, and by the next
    call for the same file if the process is killed.

    Raises
    ------
    FileNotFoundError
        If the block ends without having written anything.
    OSError
        As the block raises it; if the disk is full, the error names ``final``.
    ValueError
        If ``final`` is a folder or a device, which a file would replace.
    """
    final = Path(final)
    if final.exists() and not final.is_file():
        raise ValueError(f"{final} is no plain file, where a file is to be written; name a file")
    with scratch_folder(final.name, final.parent) as folder, _named(final):
        temporary = folder / final.name
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, final)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name what was written when the disk was full; Python names only what cannot be opened."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_IS_FULL and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


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

    The algorithm is ``"sha256"``, or ``"md5"`` where the authors of a data set published no other:
    enough against accidents, which is what the sum is for here.
    """
    result = hashlib.new(algorithm, usedforsecurity=False)
    while block := file.read(2**20):
        result.update(block)
    return result.hexdigest()
