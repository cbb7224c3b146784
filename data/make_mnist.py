"""Cut the embedded digits from all of MNIST: ``python data/make_mnist.py FOLDER_WITH_MNIST``.

For each class 500 images of the training set and 100 of the test set are taken, evenly spaced over
MNIST's own order, and they stay in that order. (The first half of the test set is the easier one,
so its first thousand images would give too good an accuracy.) The result lies in ``data/mnist``
beside this script, in MNIST's file format, with ``SHA256SUMS`` over the files.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

from coursework.storage import atomic_path, sha256
from hw3.mnist import FILES, Digits, load_mnist

PER_CLASS = {"train": 500, "test": 100}


def balanced_subset(digits: Digits, per_class: int) -> Digits:
    """Return ``per_class`` evenly spaced images of every class, in their original order."""
    chosen = []
    for digit in range(10):
        where = np.flatnonzero(digits.labels == digit)
        chosen.append(where[np.arange(per_class) * len(where) // per_class])
    order = np.sort(np.concatenate(chosen))
    return Digits(digits.images[order], digits.labels[order])


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write bytes as a gzipped IDX file: magic number, big-endian sizes, then the data."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    # No name and no time in the gzip header: the same digits give the same file.
    with (
        atomic_path(path) as temporary,
        open(temporary, "wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
    ):
        packed.write(header + array.astype(np.uint8).tobytes())


def main() -> None:
    """Read the folder named on the command line and write ``data/mnist``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with MNIST's four IDX files")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "mnist")
    arguments = parser.parse_args()
    sums = {}
    for split, (images_name, labels_name) in FILES.items():
        subset = balanced_subset(load_mnist(arguments.source, split), PER_CLASS[split])
        for name, array in ((images_name, subset.images), (labels_name, subset.labels)):
            path = arguments.target / f"{name}.gz"
            write_idx(path, array)
            sums[path.name] = sha256(path)
    with atomic_path(arguments.target / "SHA256SUMS") as temporary:
        lines = (f"{sums[name]}  {name}\n" for name in sorted(sums))
        temporary.write_text("".join(lines), newline="\n")


if __name__ == "__main__":
    main()
