"""The homework's split of a data set: 70 % to train, 15 % to choose with, 15 % to test."""

import numpy as np
import numpy.typing as npt

from hw4.flowers.files import PARTS

SPLIT_SEED = 102
"""The split that the notebook uses."""


def homework_split(
    labels: npt.ArrayLike, seed: int = SPLIT_SEED
) -> dict[str, npt.NDArray[np.int64]]:
    """Split every class at random into 70 % train, 15 % val and 15 % test.

    A class of n images gives ⌊0.7 n⌋ to train, half of the others, rounded down, to val, and the
    rest to test. With three images or more it is in all three parts; a class of two is in train
    and test, a single image in train.

    Each image gets a random number, and within its class the order of these numbers decides. They
    are the raw 64-bit output of PCG64, which NumPy promises never to change: unlike a shuffle, the
    split is the same with every release and on every machine.

    Parameters
    ----------
    labels
        The class of each image, shape (m,), from 0.
    seed
        Where the random numbers start.

    Returns
    -------
    dict
        ``"train"``, ``"val"`` and ``"test"``: positions from 0, ascending. They are disjoint and
        together hold every image.

    Examples
    --------
    >>> {mode: len(part) for mode, part in homework_split([0] * 20 + [1] * 7).items()}
    {'train': 18, 'val': 4, 'test': 5}
    """
    classes = np.asarray(labels)
    if classes.ndim != 1 or classes.size == 0:
        raise ValueError(f"labels has the shape {classes.shape}, expected (m,) with m > 0")
    draw = np.random.PCG64(seed).random_raw(len(classes))
    # Which part each image belongs to, as a position in PARTS.
    part = np.empty(len(classes), np.int64)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        members = members[np.argsort(draw[members], kind="stable")]
        n = len(members)
        train = max(1, min(7 * n // 10, n - 2))
        val = (n - train) // 2
        part[members] = np.repeat([0, 1, 2], [train, val, n - train - val])
    return {mode: np.flatnonzero(part == number) for number, mode in enumerate(PARTS)}
