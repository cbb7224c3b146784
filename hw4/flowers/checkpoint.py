"""A training on disk: what it needs to go on where it was stopped."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from coursework.storage import atomic_path


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds the state of one training, for one process at a time.

    Attributes
    ----------
    path
        The file, or ``None``: then nothing is kept.
    identity
        What makes the training this one: its settings, its network, its data. A file of another
        training is refused.
    """

    path: Path | None
    identity: Mapping[str, Any]

    def load(self) -> dict[str, Any] | None:
        """Return the state that was saved last, or ``None`` if there is none.

        Raises
        ------
        ValueError
            If the file cannot be read, or belongs to another training.
        """
        if self.path is None or not self.path.is_file():
            return None
        mend = "remove it to start anew, or name another checkpoint"
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
            found, state = content["identity"], dict(content["state"])
        except Exception as error:  # a foreign file fails in pickle, zipfile or torch
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"{self.path} is not a checkpoint ({reason}); {mend}") from error
        for name, wanted in self.identity.items():
            if found.get(name) != wanted:
                raise ValueError(
                    f"{self.path} belongs to another training: its {name} is "
                    f"{found.get(name)!r}, now it is {wanted!r}; {mend}"
                )
        return state

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the file; a reader finds the old state or the new one, whole."""
        if self.path is not None:
            with atomic_path(self.path) as temporary:
                torch.save({"identity": dict(self.identity), "state": dict(state)}, temporary)


@contextmanager
def open_checkpoint(path: Path | str | None, identity: Mapping[str, Any]) -> Iterator[Checkpoint]:
    """Hold a checkpoint file while a training runs.

    Parameters
    ----------
    path
        The file, or ``None`` to keep nothing.
    identity
        As in `Checkpoint`; texts and numbers.

    Raises
    ------
    ValueError
        If another process is training with the same file, or it is a folder.
    """
    if path is None:
        yield Checkpoint(None, identity)
        return
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"the checkpoint {path} is a folder; name a file in it")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"another process is training with {path}; wait for it, or name another checkpoint"
        ) from error
    try:
        # What a killed process was writing: nobody else does, while the lock is held.
        temporary = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}")
        for entry in path.parent.iterdir():
            if temporary.fullmatch(entry.name):
                shutil.rmtree(entry, ignore_errors=True)
        yield Checkpoint(path, identity)
    finally:
        lock.release()
