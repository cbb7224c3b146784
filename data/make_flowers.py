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

PER_CLASS = sum(PARTS.values())
HEADER = b"MATLAB 5.0 MAT-file, drawn flowers of data/make_flowers.py".ljust(116)
NAMES_HEADER = "# These flowers are drawings made by data/make_flowers.py, not photographs.\n"


def write_images(folder: Path) -> None:
    """Draw every image, class by class, each with a random generator of its own."""
    for label, name in enumerate(KINDS):
        for number in range(PER_CLASS):
            # RandomState and not default_rng: NumPy promises that its numbers never change.
            picture = draw_flower(name, np.random.RandomState([SEED, label, number]))
            path = folder / "jpg" / f"image_{label * PER_CLASS + number + 1:05d}.jpg"
            with atomic_path(path) as temporary:
                picture.save(temporary, quality=85, optimize=True)


def write_labels(folder: Path) -> None:
    """Write the labels, the parts and the names."""
    labels = np.repeat(np.arange(1, len(KINDS) + 1, dtype=np.uint8), PER_CLASS)
    numbers = np.arange(1, len(labels) + 1, dtype=np.uint16).reshape(len(KINDS), PER_CLASS)
    columns = np.split(numbers, np.cumsum(list(PARTS.values()))[:-1], axis=1)
    parts = {name: part.ravel() for name, part in zip(PARTS, columns, strict=True)}
    for name, content in (("imagelabels.mat", {"labels": labels}), ("setid.mat", parts)):
        with atomic_path(folder / name) as temporary:
            savemat(temporary, content, oned_as="row")
            # scipy's header holds the time and the system: the file would differ in every run.
            temporary.write_bytes(HEADER + temporary.read_bytes()[len(HEADER) :])
    with atomic_path(folder / "names.txt") as temporary:
        names = "".join(f"{name}\n" for name in KINDS)
        temporary.write_text(NAMES_HEADER + names, encoding="utf-8", newline="\n")


def main() -> None:
    """Write the images, their labels and ``SHA256SUMS``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "flowers")
    target = parser.parse_args().target
    write_labels(target)
    write_images(target)
    files = [*target.glob("*.mat"), target / "names.txt", *target.glob("jpg/*.jpg")]
    sums = {path.relative_to(target).as_posix(): sha256(path) for path in files}
    with atomic_path(target / "SHA256SUMS") as temporary:
        lines = (f"{sums[name]}  {name}\n" for name in sorted(sums))
        temporary.write_text("".join(lines), newline="\n")
    print(f"{target}: {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes")


if __name__ == "__main__":
    main()
