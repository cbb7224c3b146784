"""From shards to one file, a block at a time: more features than fit in memory."""

import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from coursework.storage import atomic_path
from hw3.features.matlab_file import MAT_HEADER, MAT_LIMIT, mat_variables, write_mat
from hw3.features.shards import Shards

BLOCK_BYTES = 2**28
"""How much of the features is in memory at a time."""


def check_target(filename: Path | str, images: int, width: int) -> None:
    """Refuse, before anything is computed, a file that could not hold the features.

    Nothing is left on the disk.

    Raises
    ------
    ValueError
        If features (images, width) in single precision are more than a MATLAB 5 file takes, the
        name is that of a folder, or its own folder cannot be made or written to.
    """
    size = 4 * images * width
    if size > MAT_LIMIT and not is_array(filename):
        raise ValueError(
            f"{images:,} x {width:,} features are {size / 2**30:.1f} GiB, but a variable of a "
            f"MATLAB 5 file ends at 2 GiB; write to {Path(filename).stem}.npy instead of "
            f"{Path(filename).name}"
        )
    try:
        _check_place(Path(filename))
    except OSError as error:
        raise ValueError(
            f"{filename} cannot be written ({error}); name a file in a folder that takes files"
        ) from error


def is_array(filename: Path | str) -> bool:
    """Return whether features go to a NumPy array on disk, of any size, and not to MATLAB's."""
    return Path(filename).suffix == ".npy"


def labels_beside(filename: Path | str) -> Path:
    """Return the MATLAB file with the labels and the texts that belong to ``features.npy``."""
    return Path(filename).with_suffix(".labels.mat")


def open_array(filename: Path | str) -> npt.NDArray[np.float32]:
    """Return the features of ``NAME.npy`` as a read-only memory map."""
    features: npt.NDArray[np.float32] = np.load(filename, mmap_mode="r")
    return features


def stream_features(
    filename: Path | str,
    shards: Shards,
    labels: npt.NDArray[np.int64],
    texts: Mapping[str, str],
) -> None:
    """Write finished shards as one file, which appears whole or not at all.

    Equal arguments give equal bytes: no date is written.

    Parameters
    ----------
    filename
        ``NAME.npy`` becomes a NumPy array (images, width), with the rest in ``NAME.labels.mat``;
        any other name a MATLAB 5 file with everything, as `hw3.features.save_features` writes
        it.
    shards
        All of them finished.
    labels
        Shape (images,).
    texts
        How the features were made, by the names in `hw3.features.Features`.
    """
    rest = {"labels": labels, **texts}
    final = Path(filename)
    # Among the shards, so that what a killed process leaves of it goes with them, or when the next
    # run begins.
    with TemporaryDirectory(prefix="whole-", dir=shards.folder) as folder:
        whole = Path(folder) / final.name
        _write(whole, shards, rest)
        if is_array(final):
            with atomic_path(labels_beside(final)) as beside:
                beside.write_bytes(MAT_HEADER + mat_variables(rest))
                # Neither file may ever stand beside one of another run. The old features go when
                # all of the new is written, and until it has its name the shards are there.
                final.unlink(missing_ok=True)
        os.replace(whole, final)


def _write(path: Path, shards: Shards, rest: Mapping[str, object]) -> None:
    """Write finished shards to a file of the kind that its name says, down to the disk."""
    with open(path, "wb") as file:
        if is_array(path):
            kind = {"shape": (shards.images, shards.width), "fortran_order": False, "descr": "<f4"}
            np.lib.format.write_array_header_1_0(file, kind)
            for number in range(len(shards)):
                file.write(np.ascontiguousarray(shards.read(number), "<f4").data)
        else:
            shape = (shards.images, shards.width)
            write_mat(file, shape, partial(_columns, shards), rest, BLOCK_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _check_place(final: Path) -> None:
    """Raise if a file cannot be written, by an `OSError` where the system says so."""
    if final.is_dir():
        raise ValueError(
            f"{final} is a folder; name a file in it, such as {final / 'features.mat'}"
        )
    if is_array(final) and labels_beside(final).is_dir():
        raise ValueError(
            f"{labels_beside(final)} is a folder, where the labels of {final.name} belong; "
            "move it, or choose another name"
        )
    # Missing folders will be made in the last one that is there. A file is tried in it, since
    # permissions do not tell of a file system that cannot be written to.
    folders = (final.parent, *final.parent.parents)
    with tempfile.TemporaryFile(dir=next(filter(Path.exists, folders), final.parent)):
        pass


def _columns(shards: Shards, first: int, last: int) -> npt.NDArray[np.float32]:
    """Return some columns of all shards, one after another in memory."""
    columns = np.empty((last - first, shards.images), np.float32)
    for number in range(len(shards)):
        rows = shards.rows(number)
        columns[:, rows.start : rows.stop] = shards.read(number)[:, first:last].T
    return columns
