"""Draw the small flower data set of homework 4: ``python data/make_flowers.py``.

These are drawings, not photographs: ten kinds, see `flower_kinds`, 60 pictures of each, in the
layout of the Oxford 102 flowers: ``jpg/image_00001.jpg`` and so on, ``imagelabels.mat`` and
``setid.mat``, with ``names.txt`` for the names of the classes. The result lies in ``data/flowers``
beside this script, with ``SHA256SUMS`` over the files.
"""

import argparse
from pathlib import Path

import numpy as np
from flower_kinds import KINDS, draw_flower
from scipy.io import savemat

from coursework.storage import atomic_path, sha256

SEED = 2026
PARTS = {"trnid": 36, "valid": 12, "tstid": 12}
"""How many images of each class go to each part, in the order in which they are drawn."""

NAMES_HEADER = "# These flowers are drawings made by data/make_flowers.py, not photographs.\n"


def write_images(folder: Path, seed: int) -> list[Path]:
    """Draw every image, class by class; each has random numbers of its own."""
    paths = []
    per_class = sum(PARTS.values())
    for label, kind in enumerate(KINDS):
        for number in range(per_class):
            path = folder / "jpg" / f"image_{label * per_class + number + 1:05d}.jpg"
            # RandomState and not default_rng: NumPy promises its numbers for ever.
            picture = draw_flower(kind, np.random.RandomState([seed, label, number]))
            with atomic_path(path) as temporary:
                picture.save(temporary, quality=85, optimize=True)
            paths.append(path)
    return paths


def write_labels(folder: Path) -> list[Path]:
    """Write the labels, the parts and the names."""
    per_class = sum(PARTS.values())
    labels = np.repeat(np.arange(1, len(KINDS) + 1, dtype=np.uint8), per_class)
    numbers = np.arange(1, len(labels) + 1, dtype=np.uint16).reshape(len(KINDS), per_class)
    columns = np.split(numbers, np.cumsum(list(PARTS.values()))[:-1], axis=1)
    parts = {name: part.ravel() for name, part in zip(PARTS, columns, strict=True)}
    contents = {"imagelabels.mat": {"labels": labels}, "setid.mat": parts}
    for name, content in contents.items():
        with atomic_path(folder / name) as temporary:
            savemat(temporary, content, oned_as="row")
            erase_date(temporary)
    with atomic_path(folder / "names.txt") as temporary:
        names = "".join(f"{kind.name}\n" for kind in KINDS)
        temporary.write_text(NAMES_HEADER + names, encoding="utf-8", newline="\n")
    return [folder / name for name in (*contents, "names.txt")]


def erase_date(path: Path) -> None:
    """Replace the text of a MATLAB file's header, which holds the time and the system."""
    content = path.read_bytes()
    header = b"MATLAB 5.0 MAT-file, drawn flowers of data/make_flowers.py".ljust(116)
    path.write_bytes(header + content[116:])


def main() -> None:
    """Write the images, their labels and ``SHA256SUMS``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED, help="where the random numbers start")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "flowers")
    arguments = parser.parse_args()
    paths = write_labels(arguments.target) + write_images(arguments.target, arguments.seed)
    lines = (f"{sha256(path)}  {path.relative_to(arguments.target).as_posix()}\n" for path in paths)
    with atomic_path(arguments.target / "SHA256SUMS") as temporary:
        temporary.write_text("".join(sorted(lines, key=lambda x: x.split()[1])), newline="\n")
    total = sum(path.stat().st_size for path in paths)
    print(f"{arguments.target}: {len(paths)} files, {total:,} bytes")


if __name__ == "__main__":
    main()
