"""ROC curves against scikit-learn's, which keeps every threshold too.

Both sides must give the same curve to the last bit before anything is timed.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from benchmarks.table import Row, interleave
from hw3.roc import auc, one_vs_rest, roc_curve

Matrix = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def rows() -> Iterator[Row]:
    """Compare one curve at two sizes, then the areas below ten curves."""
    rng = np.random.default_rng(0)
    for size, rounds in ((10**4, 101), (10**6, 7)):
        labels = (rng.random(size) < 0.1).astype(np.int64)
        scores = rng.normal(size=size) + labels
        scores[::2] = scores[::2].round(2)  # so that many scores are tied
        one = partial(roc_curve, labels, scores)
        other = partial(metrics.roc_curve, labels, scores, drop_intermediate=False)
        curve, expected = one(), other()
        for here, there in zip((curve.fpr, curve.tpr, curve.thresholds), expected, strict=True):
            np.testing.assert_array_equal(here, there)
        work, sort = f"`roc_curve`, {size:,} scores", partial(np.sort, scores)
        yield compare(work, rounds, ours=one, theirs=other, sort=sort)
    labels, P = rng.integers(0, 10, 10_000), rng.dirichlet(np.ones(10), 10_000)
    ours, theirs = partial(our_areas, labels, P), partial(their_areas, labels, P)
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-12)
    work, sort = f"ten one-vs-rest curves with AUC, {len(P):,} images", partial(np.sort, P, axis=0)
    yield compare(work, 21, ours=ours, theirs=theirs, sort=sort)


def our_areas(labels: Whole, P: Matrix) -> list[float]:
    """Return the area of every class, whose probabilities are the columns of P."""
    return [auc(curve) for curve in one_vs_rest(labels, P, np.arange(P.shape[1])).values()]


def their_areas(labels: Whole, P: Matrix) -> list[float]:
    """Return the same in a loop over scikit-learn."""
    areas = []
    for label, column in enumerate(P.T):
        fpr, tpr, _ = metrics.roc_curve(labels == label, column, drop_intermediate=False)
        areas.append(float(metrics.auc(fpr, tpr)))
    return areas


def compare(work: str, rounds: int, **contenders: Callable[[], object]) -> Row:
    """Compare ``ours`` and ``theirs``, and show the time of ``sort``."""
    ms = {name: 1e3 * seconds for name, seconds in interleave(contenders, rounds).items()}
    limit = f"sorting, on one core: the sorts alone take {ms['sort']:.3g} ms"
    return Row(work, "ms", ms["ours"], ms["theirs"], "scikit-learn", required=1, limit=limit)
