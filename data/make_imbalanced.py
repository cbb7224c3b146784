"""Draw the two imbalanced sample files of homework 4: ``python data/make_imbalanced.py``.

Each file has 10,000 rows ``x1 x2 label`` without a header, in the order of `BLOBS`: 8,000 negatives
and then 2,000 positives, sorted by class as in the homework. The result lies in ``data/imbalanced``
beside this script, with ``SHA256SUMS`` over the files.
"""

import argparse
from pathlib import Path

import numpy as np

from coursework.storage import atomic_path, sha256

BLOBS = (
    # rows, mean, standard deviation on both axes, label
    (5000, (0.0, 0.0), 0.5, 0),
    (3000, (5.0, 0.0), 0.3, 0),
    (1000, (4.0, 2.5), 0.3, 1),
    (1000, (5.0, -2.5), 0.3, 1),
)


def write_samples(path: Path, random: np.random.RandomState) -> None:
    """Draw `BLOBS` once and write them, with six decimals and Unix line ends."""
    points = np.concatenate([random.normal(mean, sd, (rows, 2)) for rows, mean, sd, _ in BLOBS])
    labels = np.concatenate([np.full(rows, label) for rows, _, _, label in BLOBS])
    with atomic_path(path) as temporary:
        np.savetxt(temporary, np.column_stack([points, labels]), fmt=("%.6f", "%.6f", "%d"))


def main() -> None:
    """Write ``samplestr.txt``, ``sampleste.txt`` and ``SHA256SUMS``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2026, help="where the random numbers start")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "imbalanced")
    arguments = parser.parse_args()
    # RandomState and not default_rng: NumPy promises that its numbers never change.
    random = np.random.RandomState(arguments.seed)
    train, test = (arguments.target / name for name in ("samplestr.txt", "sampleste.txt"))
    write_samples(train, random)
    write_samples(test, random)
    with atomic_path(arguments.target / "SHA256SUMS") as temporary:
        lines = (f"{sha256(path)}  {path.name}\n" for path in (test, train))
        temporary.write_text("".join(lines), newline="\n")


if __name__ == "__main__":
    main()
