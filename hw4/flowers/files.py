"""The Oxford layout of flower photographs on disk, and which image belongs to which part.

A folder holds ``jpg/image_00001.jpg`` and so on; ``imagelabels.mat`` with the class of each image
in ``labels``, from 1 to K; and ``setid.mat`` with the image numbers of the official parts in
``trnid``, ``valid`` and ``tstid``, from 1. The numbers of images and classes are free. An image may
also be called ``.jpeg``, or ``.JPG``.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coursework.matlab import read_mat

Ints = npt.NDArray[np.int64]

PARTS = ("train", "val", "test")

SPLITS = ("official", "homework")

_VARIABLES = {"train": "trnid", "val": "valid", "test": "tstid"}
"""The variable of ``setid.mat`` that holds the image numbers of each part."""


def find_folder(root: Path) -> Path:
    """Return the folder of the data.

    It is ``root``; or ``root/flowers-102``, as torchvision has it; or the folder above, if ``root``
    is its ``jpg``.
    """
    above = [root.parent] if root.name == "jpg" else []
    for folder in (root, root / "flowers-102", *above):
        if not _lacks(folder, "jpg", "imagelabels.mat"):
            return folder
    raise _missing(root, "jpg", "imagelabels.mat")


def read_labels(folder: Path) -> Ints:
    """Return the class of every image from ``imagelabels.mat``, shape (m,), counted from 0.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, cannot be read, or its labels are not 1 to K, each at least once.
    """
    path = folder / "imagelabels.mat"
    labels = _whole_numbers(path, _read_mat(path), "labels")
    present = np.unique(labels)
    if len(present) == 0:
        raise ValueError(f"{path}: labels is empty, expected the class of each image")
    if present[0] == 0:
        raise ValueError(
            f"{path}: labels run from 0 to {present[-1]}, expected classes that count from 1, as "
            "Oxford's do; write labels + 1 into the file"
        )
    if present[0] < 1 or len(present) != present[-1]:
        absent = np.setdiff1d(np.arange(1, len(present) + 1), present)
        raise ValueError(
            f"{path}: labels run from {present[0]} to {present[-1]} and {len(present)} of them "
            f"occur, expected every class from 1 to K; {absent[0]} is absent"
        )
    return labels - 1


def read_official_split(folder: Path, images: int) -> dict[str, Ints]:
    """Return the official parts from ``setid.mat`` as positions from 0, in the order of the file.

    Parameters
    ----------
    folder
        The folder of the file.
    images
        How many images there are. An image may be in no part.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or cannot be read, a number is outside 1 to ``images``, or an image
        is named twice.
    """
    path = folder / "setid.mat"
    content = _read_mat(path)
    parts = {part: _whole_numbers(path, content, name) for part, name in _VARIABLES.items()}
    for part, numbers in parts.items():
        outside = numbers[(numbers < 1) | (numbers > images)]
        if len(outside):
            raise ValueError(
                f"{path}: {_VARIABLES[part]} names image {outside[0]}, but imagelabels.mat has "
                f"the images 1 to {images}; the two files are not from one data set"
            )
    numbers, times = np.unique(np.concatenate(list(parts.values())), return_counts=True)
    if (times > 1).any():
        number = numbers[times > 1][0]
        where = [_VARIABLES[part] for part in PARTS if number in parts[part]]
        raise ValueError(
            f"{path}: image {number} stands {times[times > 1][0]} times, in {' and '.join(where)}; "
            "an image may be in one part only, since a network is tested on images it has not seen"
        )
    return {part: numbers - 1 for part, numbers in parts.items()}


def homework_split(labels: npt.ArrayLike) -> dict[str, Ints]:
    """Split every class at random into 70 % train, 15 % val and 15 % test.

    A class of n images gives ⌊0.7 n⌋ to train, half of the others, rounded down, to val, and the
    rest to test. A class of three images or more is in all three parts, a class of two in train
    and test, a class of one in train.

    Each image gets a random number, and the order of these numbers decides within its class. They
    are the raw 64-bit output of PCG64, which NumPy promises never to change: unlike a shuffle, the
    split is the same with every release and on every machine.

    Parameters
    ----------
    labels
        The class of each image, shape (m,), from 0.

    Returns
    -------
    dict
        ``"train"``, ``"val"`` and ``"test"``: positions from 0, ascending. They are disjoint and
        together hold every image.

    Examples
    --------
    >>> {part: len(members) for part, members in homework_split([0] * 20 + [1] * 7).items()}
    {'train': 18, 'val': 4, 'test': 5}
    """
    classes = np.asarray(labels)
    draw = np.random.PCG64(102).random_raw(len(classes))
    # The part of each image, as a position in PARTS.
    part = np.empty(len(classes), np.int64)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        members = members[np.argsort(draw[members], kind="stable")]
        n = len(members)
        train = max(1, min(7 * n // 10, n - 2))
        val = (n - train) // 2
        part[members] = np.repeat([0, 1, 2], [train, val, n - train - val])
    return {name: np.flatnonzero(part == number) for number, name in enumerate(PARTS)}


def image_paths(folder: Path, images: int) -> list[Path]:
    """Return the files ``jpg/image_00001.jpg`` and on; refuse a folder with more or fewer."""
    found: dict[str, Path] = {}
    for path in sorted((folder / "jpg").iterdir()):
        if name := re.fullmatch(r"(image_.*)\.jpe?g", path.name, re.IGNORECASE):
            same = found.setdefault(name[1].lower(), path)
            if same != path:
                raise ValueError(f"{path} and {same.name} are two files for one image; remove one")
    names = [f"image_{number:05d}" for number in range(1, images + 1)]
    missing = [name for name in names if name not in found]
    if missing:
        raise FileNotFoundError(
            f"{folder / 'jpg'} lacks {len(missing)} of the {images} images that imagelabels.mat "
            f"has labels for, the first {missing[0]}.jpg; unpack all of the images there again, or "
            "run `coursework fetch flowers`"
        )
    extra = sorted(found.keys() - set(names))
    if extra:
        raise ValueError(
            f"{folder / 'jpg'} holds {len(found)} images, but imagelabels.mat has {images} labels "
            f"({found[extra[0]].name} has none); the images and the labels are not from one data "
            "set"
        )
    return [found[name] for name in names]


def read_class_names(folder: Path, classes: int) -> tuple[str, ...]:
    """Return the name of each class.

    They come from ``names.txt``, one a line in the order of the labels (blank lines and lines that
    begin with ``#`` do not count). Without that file they are Oxford's own names if there are 102
    classes, and "class 1" and so on if there are not.
    """
    path = folder / "names.txt"
    if not path.is_file():
        if classes == len(OXFORD_NAMES):
            return OXFORD_NAMES
        return tuple(f"class {number}" for number in range(1, classes + 1))
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text; save the file as plain text") from error
    names = tuple(line for line in lines if line and not line.startswith("#"))
    if len(names) != classes:
        raise ValueError(
            f"{path}: {len(names)} names for {classes} classes; write one name a line, in the "
            "order of the labels, or remove the file"
        )
    return names


def _lacks(folder: Path, *names: str) -> list[str]:
    """Return which of the files, and the folder ``jpg``, a folder does not have."""
    return [
        name
        for name in names
        if not ((folder / name).is_dir() if name == "jpg" else (folder / name).is_file())
    ]


def _missing(folder: Path, *names: str) -> FileNotFoundError:
    """Return the error that names the files that a folder lacks, and says how to get them."""
    return FileNotFoundError(
        f"{folder} lacks {' and '.join(_lacks(folder, *names))}; `coursework fetch flowers` brings "
        "the Oxford flowers, or put them there by hand: the folder jpg/ of 102flowers.tgz, "
        "imagelabels.mat and setid.mat"
    )


def _read_mat(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise _missing(path.parent, path.name)
    return read_mat(path, "fetch it again")


def _whole_numbers(path: Path, content: Mapping[str, Any], name: str) -> Ints:
    """Return a variable of a MATLAB file, which stores a vector as a matrix of one row."""
    if name not in content:
        found = ", ".join(content) or "nothing"
        raise ValueError(f"{path}: no variable {name!r}, it holds {found}")
    values = np.asarray(content[name])
    if values.ndim != 2 or (values.size and 1 not in values.shape):
        raise ValueError(f"{path}: {name} has the shape {values.shape}, expected one row")
    values = values.ravel()
    if (
        values.dtype.kind not in "uif"
        # Beyond 2^53 a double no longer tells whole numbers apart.
        or not ((values == np.floor(values)) & (np.abs(values.astype(np.float64)) < 2.0**53)).all()
    ):
        raise ValueError(f"{path}: {name} holds {values.dtype}, expected whole numbers")
    return values.astype(np.int64)


_NAMES = """
pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily,
moon orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea,
spear thistle, yellow iris, globe-flower, purple coneflower, peruvian lily, balloon flower,
giant white arum lily, fire lily, pincushion flower, fritillary, red ginger, grape hyacinth,
corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william, carnation,
garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower,
great masterwort, siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia,
bolero deep blue, wallflower, marigold, buttercup, oxeye daisy, common dandelion, petunia,
wild pansy, primula, sunflower, pelargonium, bishop of llandaff, gaura, geranium, orange dahlia,
pink-yellow dahlia?, cautleya spicata, japanese anemone, black-eyed susan, silverbush,
californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania,
azalea, water lily, rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium,
frangipani, clematis, hibiscus, columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress,
canna lily, hippeastrum, bee balm, ball moss, foxglove, bougainvillea, camellia, mallow,
mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily
"""

OXFORD_NAMES = tuple(" ".join(_NAMES.split()).split(", "))
"""The names of Oxford's 102 classes, in the order of the labels."""
