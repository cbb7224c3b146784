"""ROC curves against scikit-learn's: ``python -m benchmarks roc``.

Both get the same labels and scores, keep every threshold, and must give the same curve to the last
bit before anything is timed.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from benchmarks.table import Row, interleave
from hw3.roc import RocCurve, auc, one_vs_rest, roc_curve

Matrix = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def rows() -> Iterator[Row]:
    """Compare one curve at two sizes, then ten curves with their areas."""
    rng = np.random.default_rng(0)
    yield curve_row(10**4, 101, rng)
    yield curve_row(10**6, 7, rng)
    labels = rng.integers(0, 10, 10_000)
    probabilities = rng.dirichlet(np.ones(10), 10_000)
    classes = np.arange(10)
    areas, expected = ours(labels, probabilities, classes), theirs(labels, probabilities, classes)
    np.testing.assert_allclose(areas, expected, rtol=1e-12)
    seconds = interleave(
        {
            "ours": lambda: ours(labels, probabilities, classes),
            "theirs": lambda: theirs(labels, probabilities, classes),
            "sort": lambda: [np.sort(column) for column in probabilities.T],
        },
        rounds=21,
    )
    yield Row(
        work="ten one-vs-rest curves with AUC, 10,000 images",
        ours=milliseconds(seconds["ours"]),
        baseline=f"{milliseconds(seconds['theirs'])} (a loop over scikit-learn)",
        ratio=seconds["theirs"] / seconds["ours"],
        required=1,
        limit="sorting and the calls of Python: ten sorts by value take "
        f"{milliseconds(seconds['sort'])}",
    )


def curve_row(size: int, rounds: int, rng: np.random.Generator) -> Row:
    """Compare one curve."""
    labels = (rng.random(size) < 0.1).astype(np.int64)
    # Two digits after the point for half of them, so that many scores are tied.
    scores = rng.normal(size=size) + labels
    scores[::2] = scores[::2].round(2)
    check(roc_curve(labels, scores), labels, scores)
    seconds = interleave(
        {
            "ours": lambda: roc_curve(labels, scores),
            "theirs": lambda: metrics.roc_curve(labels, scores, drop_intermediate=False),
            "sort": lambda: np.sort(scores),
        },
        rounds,
    )
    return Row(
        work=f"`roc_curve`, {size:,} scores",
        ours=milliseconds(seconds["ours"]),
        baseline=f"{milliseconds(seconds['theirs'])} (scikit-learn)",
        ratio=seconds["theirs"] / seconds["ours"],
        required=1,
        limit="sorting, which NumPy does on one core: one sort by value takes "
        f"{milliseconds(seconds['sort'])}",
    )


def check(curve: RocCurve, labels: npt.ArrayLike, scores: npt.ArrayLike) -> None:
    """Require scikit-learn's points and thresholds, exactly."""
    expected = metrics.roc_curve(labels, scores, drop_intermediate=False)
    for ours, theirs in zip((curve.fpr, curve.tpr, curve.thresholds), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def ours(labels: Whole, P: Matrix, classes: Whole) -> list[float]:
    """Return the area of every class."""
    return [auc(curve) for curve in one_vs_rest(labels, P, classes).values()]


def theirs(labels: Whole, P: Matrix, classes: Whole) -> list[float]:
    """Return the same by scikit-learn."""
    areas = []
    for column, label in enumerate(classes):
        fpr, tpr, _ = metrics.roc_curve(labels == label, P[:, column], drop_intermediate=False)
        areas.append(float(metrics.auc(fpr, tpr)))
    return areas


def milliseconds(seconds: float) -> str:
    """Return a time in words."""
    return f"{1000 * seconds:.3g} ms"
