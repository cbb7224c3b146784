"""MATLAB files of 60,000 x 2,048 features: ``python -m benchmarks feature_files``.

The baseline hands scipy.io an array as NumPy makes it, in float64, and reads it back. Our file
holds float32; reading includes the checks of `hw3.features.load_features` and its copy into rows,
and writing waits until the file is on the disk. The baseline does none of this. The files that are
read are in the system's cache, and memory is ready for both.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.io

from benchmarks.table import Row, interleave, peak_memory, streaming_read
from hw3.features import Features, load_features, save_features

SHAPE = (60_000, 2_048)


def rows() -> Iterator[Row]:
    """Compare the bytes on disk, the times, and the memory beyond the array that is given."""
    values = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    labels = np.arange(len(values)) % 10
    features = Features(values, labels, "random numbers", "none", "none")
    doubled = {"features": values.astype(np.float64), "labels": labels.astype(np.float64)}
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder) / "here.mat", Path(folder) / "there.mat"
        turns: dict[str, Callable[[], object]] = {
            "save": lambda: save_features(here, features),
            "savemat": lambda: scipy.io.savemat(there, doubled),
            "load": lambda: load_features(here),
            "loadmat": lambda: scipy.io.loadmat(there),
        }
        memory = {name: peak_memory(run) for name, run in turns.items()}
        # Reading apart from writing: the gigabytes that savemat leaves behind would decide how long
        # the system takes to find memory for whoever reads next.
        seconds: dict[str, float] = {}
        for pair in (("save", "savemat"), ("load", "loadmat")):
            contenders = {name: turns[name] for name in pair}
            seconds |= interleave(contenders, rounds=5, memory=doubled["features"].nbytes)
        sizes = here.stat().st_size, there.stat().st_size
        np.testing.assert_array_equal(load_features(here).features, values)
    work = f"of the `.mat` of {SHAPE[0]:,} x {SHAPE[1]:,}"
    yield Row(
        work=f"bytes {work}",
        ours=f"{sizes[0] / 1e6:,.0f} MB",
        baseline=f"{sizes[1] / 1e6:,.0f} MB (scipy.io, float64)",
        ratio=sizes[1] / sizes[0],
        required=1.99,
        limit="the format: 4 bytes a number, and labels and texts besides",
    )
    read = sizes[0] / 1e9 / streaming_read()
    for name, ours, theirs, limit in (
        (
            "writing",
            "save",
            "savemat",
            "turning rows into columns, and the disk",
        ),
        ("reading", "load", "loadmat", "the file system, and turning columns into rows"),
    ):
        yield Row(
            work=f"{name} {work}",
            ours=f"{seconds[ours]:.2f} s",
            baseline=f"{seconds[theirs]:.2f} s ({theirs}, float64)",
            ratio=seconds[theirs] / seconds[ours],
            required=1,
            limit=f"{limit}: {sizes[0] / 1e9 / seconds[ours]:.2f} GB/s; a streaming read of the "
            f"array takes {read:.3f} s",
        )
        yield Row(
            work=f"memory for {name} {work}",
            ours=f"{memory[ours] / 1e6:,.0f} MB",
            baseline=f"{memory[theirs] / 1e6:,.0f} MB ({theirs}, float64)",
            ratio=memory[theirs] / memory[ours],
            required=1.9,  # scipy's copy is of float64: one more of float32 would show
            limit=f"{memory[ours] / values.nbytes:.1f} times the float32 array: {COPIES[name]}",
        )


COPIES = {
    "writing": "a block of columns at a time",
    "reading": "the rows, copied from a memory map",
}
