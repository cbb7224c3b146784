"""A training on disk: all that it needs to go on where it was stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from coursework.storage import atomic_path


def load_state(path: Path, identity: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the state that `save_state` wrote last, or ``None`` if there is no file.

    Parameters
    ----------
    path
        The file.
    identity
        What makes the training this one: its settings, its network, its data.

    Raises
    ------
    ValueError
        If the file cannot be read, or belongs to another training.
    """
    if path.is_dir():
        raise ValueError(f"the checkpoint {path} is a folder; name a file in it")
    if not path.is_file():
        return None
    mend = "remove it to start anew, or name another checkpoint"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found, state = content["identity"], dict(content["state"])
    except Exception as error:  # pickle, zipfile and torch each report a foreign file in their way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is not a checkpoint ({reason}); {mend}") from error
    for name, wanted in identity.items():
        if found.get(name) != wanted:
            raise ValueError(
                f"{path} belongs to another training: its {name} is {found.get(name)!r}, now it is "
                f"{wanted!r}; {mend}"
            )
    return state


def save_state(path: Path, identity: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Replace the file; a reader finds the old state or the new one, whole."""
    with atomic_path(path) as temporary:
        torch.save({"identity": dict(identity), "state": dict(state)}, temporary)
