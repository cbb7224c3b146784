"""What goes into a classifier: checked, brought to one type, and if wanted standardised."""

import numpy as np
import numpy.typing as npt

from hw3.softmax import Floats, Labels, as_floats


def standardize(train: npt.ArrayLike, *others: npt.ArrayLike) -> tuple[Floats, ...]:
    """Shift and scale every feature to mean 0 and standard deviation 1 over the training set.

    Parameters
    ----------
    train, *others
        Shape (m, d) each. The others, such as the test set, are moved by the amounts of the
        training set: nothing of them is used.

    Returns
    -------
    tuple of ndarray
        The sets in the order given. A feature that is constant over the training set becomes 0
        there.
    """
    sets = [as_floats(part) for part in (train, *others)]
    # Divided by the largest value first, so that squares of large features do not overflow.
    largest = np.abs(sets[0]).max(axis=0)
    largest[largest == 0] = 1
    scaled = sets[0] / largest
    mean = scaled.mean(axis=0, dtype=np.float64).astype(scaled.dtype)
    deviation = scaled.std(axis=0, dtype=np.float64).astype(scaled.dtype)
    # Rounding leaves a constant feature a deviation of some 1e-17 instead of 0.
    deviation[scaled.min(axis=0) == scaled.max(axis=0)] = 1
    return tuple(((part / largest - mean) / deviation).astype(part.dtype) for part in sets)


def check_features(X: npt.ArrayLike, like: Floats | None = None) -> Floats:
    """Return X (m, d) as finite floats; what is float32 already is not copied.

    Parameters
    ----------
    X
        Features.
    like
        Another result of this function, or anything of its width: X must have as many features,
        and takes its type.

    Raises
    ------
    ValueError
        If X is not a matrix, is empty, is not finite in the type that it takes, or has another
        number of features.
    """
    array = as_floats(X)
    if like is not None:
        # Before the numbers are looked at: in another type they may be infinite.
        with np.errstate(over="ignore"):
            array = array.astype(like.dtype, copy=False)
    if array.ndim != 2 or array.shape[0] == 0:
        raise ValueError(f"X has the shape {array.shape}, expected (samples, features)")
    if not all_finite(array):
        kind = "" if like is None else f" (as {like.dtype}, which the model computes in)"
        finite = np.isfinite(array).all(axis=1)
        raise ValueError(
            f"X holds infinite or undefined numbers in {np.count_nonzero(~finite)} rows, the first "
            f"at {np.argmin(finite)}{kind}; mend or drop them"
        )
    if like is not None and array.shape[1] != like.shape[1]:
        raise ValueError(
            f"X has {array.shape[1]} features, expected {like.shape[1]} as in training"
        )
    return array


def all_finite(X: Floats) -> bool:
    """Return whether every number of X is finite.

    A sum that is finite has only finite terms: one read of X, and no array of a truth value for
    each number. The sum of finite numbers may overflow, so that one that is not proves nothing;
    then their extremes tell, through which NaN passes too.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum()):
            return True
    return bool(np.isfinite(X.min(initial=0)) and np.isfinite(X.max(initial=0)))


def check_samples(
    X: npt.ArrayLike, y: npt.ArrayLike, like: Floats | None = None
) -> tuple[Floats, Labels]:
    """Return `check_features` of X, and y as a vector with one label for each row."""
    features, labels = check_features(X, like), np.asarray(y)
    if labels.shape != (len(features),):
        raise ValueError(
            f"y has the shape {labels.shape}, expected ({len(features)},), one label for each row "
            "of X; labels that loadmat returns are (1, m) or (m, 1): use .ravel()"
        )
    return features, labels
