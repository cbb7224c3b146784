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
SEED = 2026


def draw(random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return one draw from `BLOBS`: points, shape (10000, 2), and labels, shape (10000,)."""
    points = [random.normal(mean, sigma, (rows, 2)) for rows, mean, sigma, _ in BLOBS]
    labels = [np.full(rows, label) for rows, _, _, label in BLOBS]
    return np.concatenate(points), np.concatenate(labels)


def write_samples(path: Path, points: np.ndarray, labels: np.ndarray) -> None:
    """Write one row ``x1 x2 label`` for each sample, with six decimals and Unix line ends."""
    with atomic_path(path) as temporary:
        np.savetxt(temporary, np.column_stack([points, labels]), fmt=("%.6f", "%.6f", "%d"))


def main() -> None:
    """Write ``samplestr.txt``, ``sampleste.txt`` and ``SHA256SUMS``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED, help="where the random numbers start")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "imbalanced")
    arguments = parser.parse_args()
    # RandomState and not default_rng: NumPy promises its numbers for ever, so that any later
    # release writes the same bytes.
    random = np.random.RandomState(arguments.seed)
    sums = []
    for name in ("samplestr.txt", "sampleste.txt"):
        path = arguments.target / name
        write_samples(path, *draw(random))
        sums.append(f"{sha256(path)}  {name}\n")
        print(f"{path}: {path.stat().st_size:,} bytes")
    with atomic_path(arguments.target / "SHA256SUMS") as temporary:
        temporary.write_text("".join(sorted(sums, key=lambda line: line.split()[1])), newline="\n")


if __name__ == "__main__":
    main()
