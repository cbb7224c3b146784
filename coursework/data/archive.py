"""An archive of photographs and the folder they are unpacked into: the same, byte for byte."""

import contextlib
import gzip
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from coursework.storage import atomic_path


def unpack(archive: Path, folder: Path, count: int) -> int:
    """Make a folder hold the photographs of an archive.

    A folder that is not there appears with all of them at once. In one that is there, each
    photograph that is missing or differs is replaced, and nothing else is touched. Two processes
    must not unpack into one folder at the same time: `fetch_files` sees to that.

    Parameters
    ----------
    archive
        A gzipped tar file of photographs ``jpg/NAME``.
    folder
        Where they go, as ``folder/NAME``.
    count
        How many there must be.

    Returns
    -------
    int
        How many were written; 0 if all were there and right.

    Raises
    ------
    ValueError
        If the archive is damaged, holds another number of photographs, or anything else: a path
        that leads elsewhere, a link, a device. A folder that was not there is still not there.
    OSError
        If the disk is full or may not be written; it names the folder.
    """
    if folder.is_dir():
        written = 0
        for path, content in _unlike(archive, folder, count):
            with _naming(folder), atomic_path(path) as temporary:
                temporary.write_bytes(content)
            written += 1
        return written
    # Always the same name, so that what a killed process left is found and removed.
    fresh = folder.with_name(f".{folder.name}.unpacking")
    try:
        with _naming(folder):
            if fresh.exists():
                shutil.rmtree(fresh)
            fresh.mkdir(parents=True)
        for name, content in _photographs(archive, count):
            with _naming(folder):
                (fresh / name).write_bytes(content)
        with _naming(folder):
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return count


def look_like_photographs(paths: Iterable[Path]) -> bool:
    """Return whether every file is there and begins as a JPEG file does."""
    return all(path.is_file() and _first_bytes(path) == b"\xff\xd8\xff" for path in paths)


def unlike(archive: Path, folder: Path, count: int) -> int:
    """Return how many photographs of an archive are missing in a folder, or differ there.

    The parameters are those of `unpack`, which raises the same errors.
    """
    return sum(1 for _ in _unlike(archive, folder, count)) if folder.is_dir() else count


def _unlike(archive: Path, folder: Path, count: int) -> Iterator[tuple[Path, bytes]]:
    for name, content in _photographs(archive, count):
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            yield path, content


def _photographs(archive: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each photograph; raise if that is not what there is.

    Nothing is left to ``tarfile.extractall``, whose protection against paths that lead elsewhere
    (``filter="data"``) is missing before Python 3.11.4: only contents come from the archive, and
    names that are a plain word.
    """
    names = set()
    try:
        with gzip.open(archive) as unpacked, tarfile.open(fileobj=unpacked) as entries:
            for entry in entries:
                if entry.isdir() and re.fullmatch(r"(\./)?(jpg)?/?|\.", entry.name):
                    continue
                name = re.fullmatch(r"(?:\./)?jpg/(\w[\w.-]*)", entry.name, re.ASCII)
                file = entries.extractfile(entry) if entry.isreg() else None
                if name is None or file is None:
                    raise ValueError(f"{archive} holds {entry.name!r}, expected jpg/NAME only")
                names.add(name[1])
                yield name[1], file.read()
            # gzip has its own checksum at the very end, behind what tarfile reads.
            while unpacked.read(2**20):
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{archive} is no whole archive ({reason}); fetch it again") from error
    if len(names) != count:
        raise ValueError(f"{archive} holds {len(names):,} photographs, expected {count:,}")


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Let an error of writing name a folder: that of a full disk names nothing at all."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def _first_bytes(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(3)
