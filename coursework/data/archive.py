"""Unpack an archive of photographs into a folder, or compare the two byte for byte."""

import gzip
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 100_000_000
"""Bytes of a photograph, or of any other entry of an archive. A small archive may hold far more."""


class _Unpacked(gzip.GzipFile):
    """The content of a gzip file, in pieces of bounded size: tarfile asks for whole entries."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MOST_BYTES:
            raise tarfile.ReadError(f"an entry of more than {MOST_BYTES:,} bytes")
        return super().read(size)


def unpack(archive: Path, folder: Path, count: int) -> int:
    """Write the photographs that differ from a folder's or that it lacks; return how many.

    The archive holds ``count`` photographs ``jpg/NAME`` and nothing else; otherwise it is refused
    by a `ValueError`. No photograph moves into the folder, as ``folder/NAME``, before the whole
    archive was read and found right. Two processes must not unpack into one folder at a time.
    """
    # The name is always the same, so that a later run removes what a killed run left.
    fresh = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for name, content in _differing(archive, folder, count):
            (fresh / name).write_bytes(content)
        folder.mkdir(exist_ok=True)
        photographs = sorted(fresh.iterdir())
        for photograph in photographs:
            os.replace(photograph, folder / photograph.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(photographs)


def count_differing(archive: Path, folder: Path, count: int) -> int:
    """Return how many photographs `unpack` would write; raise the same errors."""
    return sum(1 for _ in _differing(archive, folder, count))


def _differing(archive: Path, folder: Path, count: int) -> Iterator[tuple[str, bytes]]:
    for name, content in _photographs(archive, count):
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            yield name, content


def _photographs(archive: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each photograph; raise ValueError if the archive is wrong.

    ``tarfile.extractall`` is not used, because its protection against paths that lead elsewhere
    (``filter="data"``) is missing before Python 3.11.4.
    """
    names = set()
    try:
        with (
            _Unpacked(archive) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r:") as entries,
        ):
            for entry in entries:
                if entry.isdir() and re.fullmatch(r"(\./)?(jpg)?/?|\.", entry.name):
                    continue
                name = re.fullmatch(r"(?:\./)?jpg/(\w[\w.-]*)", entry.name, re.ASCII)
                file = entries.extractfile(entry) if entry.isreg() else None
                if name is None or file is None:
                    raise ValueError(f"{archive} holds {entry.name!r}, expected jpg/NAME only")
                if entry.size > MOST_BYTES:
                    raise ValueError(f"{archive} holds {entry.name!r} of {entry.size:,} bytes")
                names.add(name[1])
                yield name[1], file.read()
            # The checksum of gzip stands at the very end, behind the bytes that tarfile reads.
            while unpacked.read(2**20):
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{archive} is no whole archive ({reason}); fetch it again") from error
    if len(names) != count:
        raise ValueError(f"{archive} holds {len(names):,} photographs, expected {count:,}")
