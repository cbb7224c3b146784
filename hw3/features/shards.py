"""Unfinished extractions: shards of features beside the file that they will become.

For ``features.mat`` they lie in ``.features.mat.parts/RECIPE/``, where RECIPE is a sum of
everything that decides the result, so that work of two kinds is never mixed. Each shard is written
under another name and renamed: what has its name is whole, whenever the process is killed.
"""

import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import numpy.typing as npt

from coursework.storage import atomic_path

logger = logging.getLogger(__name__)

BATCHES_IN_A_SHARD = 4
"""A killed extraction loses at most so many batches, and a set is shared out in such pieces."""


class ExtractionRunningError(RuntimeError):
    """Another process is extracting to the same file."""


@dataclass(frozen=True)
class Shards:
    """The features of a data set in pieces on disk, each of whole batches.

    Attributes
    ----------
    folder
        Where the pieces lie.
    images, width
        The shape of the whole.
    size
        Images in each piece; the last may hold fewer.
    """

    folder: Path
    images: int
    width: int
    size: int

    def __len__(self) -> int:
        return -(-self.images // self.size)

    def rows(self, number: int) -> range:
        """Return the items of the data set that belong to a shard."""
        return range(number * self.size, min((number + 1) * self.size, self.images))

    def path(self, number: int) -> Path:
        """Return where a shard lies, once it is finished."""
        return self.folder / f"{number:06}.npy"

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are still to be made."""
        return [number for number in range(len(self)) if not self._is_whole(number)]

    def write(self, number: int, features: npt.NDArray[np.float32]) -> None:
        """Keep the features (rows, width) of a shard; they are there wholly or not at all."""
        with atomic_path(self.path(number)) as temporary:
            np.save(temporary, features)

    def read(self, number: int) -> npt.NDArray[np.float32]:
        """Return the features (rows, width) of a finished shard."""
        features: npt.NDArray[np.float32] = np.load(self.path(number))
        return features

    def gather(self) -> npt.NDArray[np.float32]:
        """Return all features (images, width) in memory."""
        whole = np.empty((self.images, self.width), np.float32)
        for number in range(len(self)):
            rows = self.rows(number)
            whole[rows.start : rows.stop] = self.read(number)
        return whole

    def _is_whole(self, number: int) -> bool:
        path = self.path(number)
        if not path.exists():
            return False
        try:
            found = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError):
            found = np.empty(0)
        if found.shape == (len(self.rows(number)), self.width) and found.dtype == np.float32:
            return True
        logger.warning("%s is damaged and is made again", path)
        return False


@contextmanager
def open_shards(
    filename: Path | str, recipe: Mapping[str, str], images: int, width: int, batch_size: int
) -> Iterator[Shards]:
    """Give the shards of an extraction to ``filename``, with what an earlier run finished.

    The folder goes when `remove_shards` is called. If the block fails, finished shards stay for the
    next run. What a killed run had half written is removed, so only who holds the file, by
    `only_one`, may open its shards. The parameters are those of `locate_shards`.
    """
    shards = locate_shards(filename, recipe, images, width, batch_size)
    note = shards.folder / "recipe.json"
    text = json.dumps({**recipe, "images": images, "batch size": batch_size}, indent=2)
    for other in shards.folder.parent.glob(f"*/{note.name}"):
        if other != note:
            logger.warning(
                "%s is unfinished work with other settings and is not used: %s. "
                "Delete the folder if it is not wanted any more",
                other.parent,
                _difference(other, text),
            )
    shards.folder.mkdir(parents=True, exist_ok=True)
    # What a killed run left of the whole file, which may be gigabytes, or of a shard.
    for left in (*shards.folder.glob("whole-*"), *shards.folder.glob(".*")):
        shutil.rmtree(left, ignore_errors=True)
    with atomic_path(note) as temporary:
        temporary.write_text(text, encoding="utf-8")
    try:
        yield shards
    except BaseException:
        if list(shards.folder.iterdir()) == [note]:
            remove_shards(shards)
        raise


def locate_shards(
    filename: Path | str, recipe: Mapping[str, str], images: int, width: int, batch_size: int
) -> Shards:
    """Return the shards of an extraction without touching the disk.

    Parameters
    ----------
    filename
        The file that the shards will become.
    recipe
        What decides every bit of the result. Shards of another recipe are neither used nor removed.
    images, width
        The shape of the features.
    batch_size
        Images in a batch. Shards hold whole batches, so that a resumed run computes the same
        batches, whose last bits depend on their size.
    """
    parts = {**recipe, "shape": [images, width], "batch size": batch_size}
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    folder = Path(filename).parent / f".{Path(filename).name}.parts" / name
    return Shards(folder, images, width, BATCHES_IN_A_SHARD * batch_size)


def remove_shards(shards: Shards) -> None:
    """Remove what is not needed any more; unfinished work with other settings stays."""
    shutil.rmtree(shards.folder, ignore_errors=True)
    with suppress(OSError):
        shards.folder.parent.rmdir()


@contextmanager
def named_run(shards: Shards) -> Iterator[str]:
    """Give this run a name that no other has, and mark the folder of the shards with it.

    A process that sees a file of that name there sees the folder of this run, as it is now.
    """
    for left_by_a_killed_run in shards.folder.glob("run-*"):
        left_by_a_killed_run.unlink(missing_ok=True)
    mark = shards.folder / f"run-{secrets.token_hex(8)}"
    mark.touch()
    try:
        yield mark.name
    finally:
        mark.unlink(missing_ok=True)


@contextmanager
def only_one(filename: Path | str) -> Iterator[None]:
    """Hold a file while it is made, so that no other process makes it at the same time.

    The operating system frees it when the process ends, however it ends. Some network file systems
    have no such locks: there a file marks that it is held, which a killed process leaves behind.

    Raises
    ------
    ValueError
        If it is a folder, or something else that cannot be replaced by a file.
    ExtractionRunningError
        If another process holds it.
    """
    final = Path(filename)
    if final.exists() and not final.is_file():
        raise ValueError(f"{final} is not a file; name one to write to, such as features.mat")
    final.parent.mkdir(parents=True, exist_ok=True)
    path = final.parent / f".{final.name}.lock"
    lock = filelock.FileLock(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise ExtractionRunningError(
            f"another process is extracting to {final}; wait for it, or name another file. If none "
            f"is running, on any machine, delete {path}"
        ) from None
    try:
        yield
    finally:
        # Before it is freed, since afterwards it may be another's; filelock tells whoever opened it
        # before that it is gone. Windows removes it by itself.
        with suppress(OSError):
            path.unlink()
        lock.release()


def _difference(other: Path, text: str) -> str:
    """Return in words how another recipe differs from this one."""
    ours = json.loads(text)
    try:
        theirs = json.loads(other.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "its recipe cannot be read"
    return ", ".join(
        f"{key} was {theirs.get(key)!r}, now {value!r}"
        for key, value in ours.items()
        if theirs.get(key) != value
    )
