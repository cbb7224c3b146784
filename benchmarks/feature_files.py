"""MATLAB files of 60,000 x 2,048 features, written and read.

The baseline hands scipy.io an array as NumPy makes it, in float64, and reads it back. This project
writes float32; reading includes the checks of `hw3.features.load_features` and a copy into rows,
and writing waits until the file is on the disk. The baseline does none of this. The files that are
read are in the system's cache, and memory is ready for both.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.io

from benchmarks.table import Row, interleave, peak_memory
from hw3.features import Features, load_features, save_features

SHAPE = (60_000, 2_048)


def rows() -> Iterator[Row]:
    """Compare the bytes on disk, the times, and the memory beyond the array that is given."""
    values = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    labels = np.arange(len(values)) % 10
    features = Features(values, labels, "random numbers", "none", "none")
    doubled = {"features": values.astype(np.float64), "labels": labels.astype(np.float64)}
    work = f"the `.mat` of {SHAPE[0]:,} x {SHAPE[1]:,}"
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder) / "here.mat", Path(folder) / "there.mat"
        # Writing apart from reading: the gigabytes that savemat leaves behind would decide how long
        # the system takes to find memory for the next reader.
        writing = compare(
            f"writing {work}",
            lambda: save_features(here, features),
            "savemat",
            lambda: scipy.io.savemat(there, doubled),
        )
        reading = compare(
            f"reading {work}",
            lambda: load_features(here),
            "loadmat",
            lambda: scipy.io.loadmat(there),
        )
        yield from writing
        ours, theirs = (1e-6 * path.stat().st_size for path in (here, there))
        limit = f"the format: the numbers take {1e-6 * values.nbytes:,.0f} MB"
        yield Row(f"bytes of {work}", "MB", ours, theirs, "scipy.io, float64", 1.99, limit)
        yield from reading
        np.testing.assert_array_equal(load_features(here).features, values)


def compare(
    work: str, ours: Callable[[], object], baseline: str, theirs: Callable[[], object]
) -> Iterator[Row]:
    """Compare the times, then the memory."""
    array = 4 * SHAPE[0] * SHAPE[1]
    peaks = [peak_memory(run) for run in (ours, theirs)]
    seconds = interleave({"ours": ours, "theirs": theirs}, memory=2 * array)
    baseline = f"{baseline}, float64"
    limit = "the file system, and the turn between rows and columns: "
    limit += f"{1e-9 * array / seconds['ours']:.2f} GB/s"
    yield Row(work, "s", seconds["ours"], seconds["theirs"], baseline, required=1, limit=limit)
    # scipy copies in float64: a second copy in float32 would lower the ratio to 1.
    work, limit = f"memory for {work}", f"{peaks[0] / array:.1f} times the float32 array"
    yield Row(work, "MB", peaks[0] / 1e6, peaks[1] / 1e6, baseline, required=1.9, limit=limit)
