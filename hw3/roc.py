"""Question 3: receiver operating characteristic curves, by hand, in NumPy alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class RocCurve:
    """The operating points of a binary classifier, one for each threshold.

    At point i every sample with a score of at least ``thresholds[i]`` is called positive.

    Attributes
    ----------
    fpr
        False-positive rates, shape (n,), rising from 0 to 1.
    tpr
        True-positive rates, shape (n,), rising from 0 to 1.
    thresholds
        Shape (n,), falling: infinity, where nothing is called positive, then every distinct score.
    """

    fpr: npt.NDArray[np.float64]
    tpr: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.floating[Any]]


def roc_curve(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> RocCurve:
    """Compute the true-positive rate against the false-positive rate over all thresholds.

    With P positives and N negatives, at the threshold t::

        tpr(t) = #{i : y_i = 1, s_i >= t} / P
        fpr(t) = #{i : y_i = 0, s_i >= t} / N

    The scores are sorted; then both counts are running sums, O(n log n) in all. Samples with
    the same score are above or below a threshold together, so each distinct score is one point.

    Parameters
    ----------
    y_true
        Whether each sample is positive, shape (n,): booleans, or numbers 0 and 1.
    y_score
        Higher for samples that look more positive, shape (n,), finite.

    Returns
    -------
    RocCurve
        From (0, 0) to (1, 1).

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, or one of the two
        classes is absent: its rate would be 0 / 0.

    References
    ----------
    Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> curve = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    >>> curve.fpr.tolist(), curve.tpr.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    positive, score = _checked(y_true, y_score)
    # Positives and negatives are sorted separately, by value. The stable sort finds these two runs
    # and merges them; sorting all at once would take one to three times as long.
    runs = np.concatenate([np.sort(score[positive]), np.sort(score[~positive])])
    order = np.argsort(runs, kind="stable")[::-1]
    score = runs[order]
    true_positives = np.cumsum(order < np.count_nonzero(positive))
    # The last sample of each run of equal scores: only there is a threshold between two samples.
    last = np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)
    tp = true_positives[last]
    fp = last + 1 - tp
    return RocCurve(
        fpr=np.concatenate([[0.0], fp / fp[-1]]),
        tpr=np.concatenate([[0.0], tp / tp[-1]]),
        thresholds=np.concatenate([[np.inf], score[last]]),
    )


def auc(curve: RocCurve) -> float:
    """Return the area under the curve, by the trapezoidal rule.

    It is the probability that a random positive scores above a random negative, a tie counting
    one half (the Mann-Whitney U statistic divided by P N).
    """
    return float(np.trapezoid(curve.tpr, curve.fpr))


def one_vs_rest(
    y_true: npt.ArrayLike, probabilities: npt.ArrayLike, classes: npt.ArrayLike
) -> dict[Any, RocCurve]:
    """Compute the curve of every class against all others.

    Parameters
    ----------
    y_true
        Labels, shape (n,).
    probabilities
        Shape (n, K); column k is the score of ``classes[k]``.
    classes
        Shape (K,).

    Returns
    -------
    dict
        From each class to its `RocCurve`.

    Raises
    ------
    ValueError
        If the shapes do not fit, a class stands twice in ``classes``, or is absent from ``y_true``
        or the only one in it.
    """
    labels, scores, known = np.asarray(y_true), np.asarray(probabilities), np.asarray(classes)
    if known.ndim != 1 or scores.shape != (*labels.shape, len(known)):
        raise ValueError(
            f"expected labels (n,), probabilities (n, K) and classes (K,), found {labels.shape}, "
            f"{scores.shape} and {known.shape}"
        )
    if len(set(known.tolist())) < len(known):
        raise ValueError(f"classes are {known.tolist()}, expected each class once")
    curves = {}
    for column, label in enumerate(known.tolist()):
        try:
            curves[label] = roc_curve(labels == label, scores[:, column])
        except ValueError as error:
            raise ValueError(f"class {label!r} against the rest: {error}") from error
    return curves


def _checked(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.floating[Any]]]:
    labels, score = np.asarray(y_true), np.asarray(y_score)
    if labels.ndim != 1 or labels.shape != score.shape:
        raise ValueError(
            f"expected two vectors of one length, found y_true {labels.shape} and y_score "
            f"{score.shape}"
        )
    if score.dtype.kind not in "iufb" or not np.isfinite(score).all():
        raise ValueError("y_score holds something that is not a finite number")
    positive = labels == 1
    if labels.dtype.kind not in "biuf" or not (positive | (labels == 0)).all():
        raise ValueError(
            f"y_true holds {list(dict.fromkeys(labels.tolist()))[:5]}, expected only 0 and 1; "
            "compare with the positive class first: y_true == 9"
        )
    count = np.count_nonzero(positive)
    if count in (0, len(labels)):
        raise ValueError(
            f"{count} of {len(labels)} samples are positive; a ROC curve needs at least one "
            "positive and one negative"
        )
    return positive, score
