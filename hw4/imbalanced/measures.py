"""How good a binary classifier is when one class is rare."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Metrics:
    """The four counts of a binary classifier, and the rates that follow from them.

    With P positives and N negatives, TPR = TP / P and TNR = TN / N.

    Attributes
    ----------
    true_positives, false_negatives, true_negatives, false_positives
        Numbers of samples.
    positive_weight
        How many times as much as the negatives the positives count in the `weighted_accuracy`.
    """

    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    positive_weight: float = 1.0

    def __post_init__(self) -> None:
        for name, count in (("positive", self.positives), ("negative", self.negatives)):
            if count == 0:
                raise ValueError(
                    f"no {name} sample among {self.positives + self.negatives}: a rate of this "
                    "class would be 0 / 0; both classes, 1 and 0, are needed"
                )
        if not 0 < self.positive_weight < np.inf:
            raise ValueError(
                f"positive_weight is {self.positive_weight}, expected a positive number"
            )

    @property
    def positives(self) -> int:
        """P = TP + FN."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """N = TN + FP."""
        return self.true_negatives + self.false_positives

    @property
    def accuracy(self) -> float:
        """(TP + TN) / (P + N), the share of all samples that are right."""
        right = self.true_positives + self.true_negatives
        return right / (self.positives + self.negatives)

    @property
    def tpr(self) -> float:
        """True-positive rate TP / P, the share of the positives that are found."""
        return self.true_positives / self.positives

    @property
    def tnr(self) -> float:
        """True-negative rate TN / N, the share of the negatives that are left alone."""
        return self.true_negatives / self.negatives

    @property
    def balanced_accuracy(self) -> float:
        """(TPR + TNR) / 2; guessing, or one answer for all, gives one half."""
        return (self.tpr + self.tnr) / 2

    @property
    def weighted_accuracy(self) -> float:
        """(w TPR + TNR) / (w + 1) with w = ``positive_weight``.

        With w = 1 it is the balanced accuracy, with w = P / N the accuracy.
        """
        return (self.positive_weight * self.tpr + self.tnr) / (self.positive_weight + 1)


def measure(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, positive_weight: float = 1.0
) -> Metrics:
    """Count the right and wrong predictions of each class.

    Parameters
    ----------
    labels, predictions
        0 or 1, or booleans, shape (m,) each.
    positive_weight
        The weight of the positives in the `Metrics.weighted_accuracy`.

    Raises
    ------
    ValueError
        If the shapes differ, a value is neither 0 nor 1, or a class is absent from ``labels``.

    Examples
    --------
    >>> measure([0, 0, 0, 1], [0, 0, 1, 1]).balanced_accuracy
    0.8333333333333333
    """
    truth, guess = np.asarray(labels), np.asarray(predictions)
    if truth.ndim != 1 or truth.shape != guess.shape:
        raise ValueError(
            f"expected two vectors of one length, found labels {truth.shape} and predictions "
            f"{guess.shape}"
        )
    for name, values in (("labels", truth), ("predictions", guess)):
        if not np.isin(values, (0, 1)).all():
            raise ValueError(f"{name} holds {np.unique(values)[:5].tolist()}, expected only 0, 1")
    counts = np.bincount(2 * truth.astype(np.int64) + guess.astype(np.int64), minlength=4)
    tn, fp, fn, tp = counts.tolist()
    return Metrics(tp, fn, tn, fp, positive_weight)
