"""Unfinished extractions: shards, files of some rows each, beside the file that they will become.

For ``features.mat`` they lie in ``.features.mat.parts/RECIPE/``, where RECIPE is a checksum of
everything that decides the result, so that shards of two kinds are never mixed. A shard is written
under another name and then renamed: under its own name it is whole, even after a crash.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coursework.runtime import LAYOUTS
from coursework.storage import atomic_path, locked
from hw3.features.feature_file import (
    Features,
    is_array,
    labels_beside,
    read_array,
    save_features,
    write_array,
    write_labels,
)

logger = logging.getLogger(__name__)

VISIBLE_WITHIN = 60.0
"""Seconds after which a machine sees the files of another: network file systems take a moment."""


@dataclass(frozen=True)
class Shards:
    """The features (images, width) of a data set in files of ``size`` rows; a shard is its rows.

    The last shard may be shorter. The others hold whole batches, so that a resumed run computes the
    same batches, whose last bits depend on their size.
    """

    folder: Path
    images: int
    width: int
    size: int

    def all(self) -> list[range]:
        """Return the rows of every shard, in order."""
        starts = range(0, self.images, self.size)
        return [range(start, min(start + self.size, self.images)) for start in starts]

    def missing(self) -> list[range]:
        """Return the rows of the shards that are not finished."""
        return [rows for rows in self.all() if not self.path(rows).exists()]

    def path(self, rows: range) -> Path:
        """Return where a shard lies, once it is finished."""
        return self.folder / f"{rows.start // self.size:06}.npy"

    def write(self, rows: range, features: npt.NDArray[np.float32]) -> None:
        """Keep the features (rows, width) of a shard, whole or not at all."""
        with atomic_path(self.path(rows)) as temporary:
            write_array(temporary, (len(rows), self.width), [features])

    def read(self, rows: range) -> npt.NDArray[np.float32]:
        """Return the features (rows, width) of a finished shard."""
        path, advice = self.path(rows), "delete it and run again, to compute its rows anew"
        features = read_array(path, advice)
        if features.shape != (len(rows), self.width):
            raise ValueError(f"{path} holds features of the shape {features.shape}; {advice}")
        return features


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Return in words where two recipes differ; empty if they do not."""
    return "; ".join(
        f"{key}: {first.get(key)} and {value}"
        for key, value in second.items()
        if first.get(key) != value
    )


def place_shards(filename: Path | str, recipe: Mapping[str, Any]) -> Shards:
    """Return where the shards of a file belong that is made by a `Pipeline.recipe`."""
    # The recipes of versions without a choice do not name the layout, and their work goes on.
    named = {key: value for key, value in recipe.items() if value != "channels_last"}
    name = hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
    folder = Path(filename).parent / f".{Path(filename).name}.parts" / name
    images, width = recipe["shape"]
    # A process that is killed loses a shard at most, and processes share the work in shards.
    return Shards(folder, images, width, 4 * recipe["batch size"])


def unfinished_layout(filename: Path | str, recipe: Mapping[str, Any]) -> str | None:
    """Return the layout of unfinished work that differs from a recipe in nothing else, if any."""
    for path in place_shards(filename, recipe).folder.parent.glob("*/recipe.json"):
        # What cannot be read is warned of later, or is gone: another run may just end.
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(path.read_text(encoding="utf-8"))
            layout = found.get("layout", "channels_last")
            unlike = {key for key, value in recipe.items() if found.get(key) != value}
            # Features depend on the layout, in their last bits.
            if unlike <= {"layout", "first features sha256"} and layout in tuple(LAYOUTS):
                return str(layout)
    return None


@contextmanager
def open_shards(filename: Path | str, shards: Shards, recipe: Mapping[str, Any]) -> Iterator[None]:
    """Hold the file while it is made; afterwards remove the shards, or keep them if that failed."""
    with locked(filename):
        _warn_of_other_recipes(shards.folder, recipe)
        try:
            with atomic_path(shards.folder / "recipe.json") as note:
                note.write_text(json.dumps(recipe, indent=2), encoding="utf-8")
            yield
        except BaseException:
            if shards.missing() == shards.all():
                _remove(shards.folder)
            raise
        _remove(shards.folder)


def assemble(
    filename: Path | str,
    shards: Shards,
    labels: npt.NDArray[np.int64],
    texts: Mapping[str, str],
) -> None:
    """Write finished shards as one file, which appears whole or not at all.

    ``NAME.npy`` becomes a NumPy array, a shard at a time, with the labels and the texts of
    `Features` in ``NAME.labels.mat``. Any other name becomes a MATLAB file with everything.
    """
    if not comes_to_exist(*map(shards.path, shards.all())):
        raise FileNotFoundError(
            f"{shards.path(shards.missing()[0])} was written by another process, but is not "
            "visible here; do all machines share that folder?"
        )
    final = Path(filename)
    # Among the shards, so that the next run removes what a killed process leaves of it.
    whole = shards.folder / f"whole-{final.name}"
    if is_array(final):
        shape = (shards.images, shards.width)
        with atomic_path(whole) as temporary:
            write_array(temporary, shape, (shards.read(rows) for rows in shards.all()))
        with atomic_path(labels_beside(final)) as beside:
            write_labels(beside, {"labels": labels, **texts})
            # Features never stand beside the labels of another run: the old features go before
            # the new labels come. Until the new features have their name, the shards are there.
            final.unlink(missing_ok=True)
    else:
        features = np.empty((shards.images, shards.width), np.float32)
        for rows in shards.all():
            features[rows.start : rows.stop] = shards.read(rows)
        save_features(whole, Features(features, labels, **texts))
    os.replace(whole, final)


def comes_to_exist(*paths: Path) -> bool:
    """Return whether files that another machine has written appear on this one."""
    deadline = time.monotonic() + VISIBLE_WITHIN
    while not all(path.exists() for path in paths):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def _remove(folder: Path) -> None:
    """Remove the shards of one recipe; unfinished work of other recipes stays."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _warn_of_other_recipes(folder: Path, recipe: Mapping[str, Any]) -> None:
    for other in folder.parent.glob("*/recipe.json"):
        if other.parent != folder:
            try:
                unlike = differences(json.loads(other.read_text(encoding="utf-8")), recipe)
            except (ValueError, AttributeError):
                unlike = "what was there cannot be read"
            logger.warning(
                "%s is unfinished work with other settings and is not used (there and now: %s). "
                "Delete the folder if you do not want to go on with that work",
                other.parent,
                unlike,
            )
