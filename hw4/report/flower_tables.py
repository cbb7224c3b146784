"""What the numbers of coding part 1 say, as tables."""

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import binomtest

from coursework.display import Headline, readable
from hw4.flowers import (
    MODE_NAMES,
    FlowerSets,
    History,
    ModeResult,
    Predictions,
    Search,
    chosen_rate,
)

REFERENCE = {
    10: {"scratch": 0.54, "finetune": 0.97, "last_layers": 0.965},
    30: {"scratch": 0.667, "finetune": 0.957, "last_layers": 0.961},
}
"""Test accuracies of an earlier hand-in, ResNet-18 on the homework's split, by number of epochs."""


def split_table(flowers: FlowerSets) -> pd.DataFrame:
    """Return how many images each part has, in all and of a class."""
    total = sum(len(part) for part in flowers)
    rows = []
    for part in flowers:
        counts = np.bincount(part.labels, minlength=part.classes)
        rows.append(
            {
                "part": part.mode,
                "images": len(part),
                "share": f"{len(part) / total:.1%}",
                "classes": int((counts > 0).sum()),
                "of the smallest class": int(counts.min()),
                "of the largest class": int(counts.max()),
            }
        )
    return readable(pd.DataFrame(rows))


def search_table(searches: Mapping[str, Search]) -> pd.DataFrame:
    """Return the best validation accuracy of each learning rate, a row for each mode.

    A rate that was given up has the accuracy of its first epoch.
    """
    rows = []
    for mode, search in searches.items():
        row = {"mode": MODE_NAMES[mode]}
        row |= {f"{rate:g}": _outcome(history) for rate, history in search.items()}
        all_diverged = all(history.diverged for history in search.values())
        row["taken"] = f"{chosen_rate(search):g}" + (" (the lowest)" if all_diverged else "")
        row["seconds"] = f"{sum(sum(history.seconds) for history in search.values()):.0f}"
        rows.append(row)
    return readable(pd.DataFrame(rows))


def result_table(results: Mapping[str, ModeResult]) -> pd.DataFrame:
    """Return validation against test for each mode, each ± its standard error.

    Where no epoch was finished, there are no accuracies.
    """
    rows = []
    for mode, result in results.items():
        history, test = result.history, result.test
        end = f", diverged in {len(history) + 1}" if history.diverged else ""
        gap, gap_error = validation_minus_test(result)
        measured = {
            "validation": f"{result.validation.accuracy:.4f}",
            "test": f"{test.accuracy:.4f} ± {standard_error(test):.4f}",
            "difference": f"{gap:+.4f} ± {gap_error:.4f}".replace("-", "−"),
        }
        rows.append(
            {
                "mode": MODE_NAMES[mode],
                "learning rate": f"{result.learning_rate:g}",
                "best epoch": f"{history.best_epoch} of {len(history)}{end}",
                **(measured if result.learned else dict.fromkeys(measured, "–")),
                "seconds": f"{sum(history.seconds):.0f}",
            }
        )
    return readable(pd.DataFrame(rows))


def paired_table(results: Mapping[str, ModeResult]) -> pd.DataFrame:
    """Compare the modes two by two on the test images.

    The images are the same for both modes, so those that both have right, or neither, do not tell
    them apart. With n images, f that the first alone has right and s that the second alone has
    right, the difference of the accuracies is (f - s) / n, and its standard error is
    √(f + s - (f - s)² / n) / n [1]_. The last column is McNemar's exact p, the probability that two
    equally good networks differ by as much or more. A mode in which no epoch was finished is left
    out.

    References
    ----------
    .. [1] Agresti, *Categorical Data Analysis*, 3rd edition, 2013, section 11.1.
    """
    learned = [mode for mode, result in results.items() if result.learned]
    rows = []
    for second, first in itertools.combinations(learned, 2):  # the later mode minus the earlier
        f, s, p = mcnemar(results[first].test, results[second].test)
        n = len(results[first].test.labels)
        error = math.sqrt(f + s - (f - s) ** 2 / n) / n
        pair = f"{MODE_NAMES[first]} − {MODE_NAMES[second]}"
        rows.append((pair, f, s, f"{points((f - s) / n)} ± {100 * error:.1f}", f"{p:.2g}"))
    names = ["pair", "first alone right", "second alone right", "difference in points", "p"]
    return readable(pd.DataFrame(rows, columns=names))


def confusion_table(predictions: Predictions, names: tuple[str, ...]) -> pd.DataFrame | Markdown:
    """Return the eight most frequent confusions, or the sentence that there is none."""
    wrong = predictions.confusion
    totals = wrong.sum(axis=1)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:8]
    rows = [
        {
            "flower": names[true],
            "taken for": names[taken],
            "times": int(wrong[true, taken]),
            "of": int(totals[true]),
        }
        for true, taken in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[true, taken]
    ]
    if not rows:
        return Markdown("No class is taken for another.")
    return readable(pd.DataFrame(rows))


def reference_table(
    results: Mapping[str, ModeResult], flowers: FlowerSets, backbone: str
) -> pd.DataFrame | Markdown:
    """Return test accuracies beside those of an earlier hand-in, if the two can be compared.

    They can for the 102 kinds of flowers, the homework's split and ResNet-18; otherwise a sentence
    says why there is no table.
    """
    kinds, split = len(flowers.class_names), flowers.train.split
    here = (f"{kinds} kinds of flowers", backbone, f"the {split} split")
    there = ("102 kinds of flowers", "resnet18", "the homework split")
    differs = [f"{h} here, {t} there" for h, t in zip(here, there, strict=True) if h != t]
    if differs:
        return Markdown(
            "The reference figures of the homework are for another task "
            f"({'; '.join(differs)}), so they are not put beside these. The profile `full` "
            "computes figures that can be compared with them."
        )
    rows = []
    for mode, result in results.items():
        row = {"mode": MODE_NAMES[mode]}
        for epochs, accuracies in REFERENCE.items():
            row[f"reference, {epochs} epochs"] = f"{accuracies[mode]:.3f}"
        accuracy = f"{result.test.accuracy:.3f} ± {standard_error(result.test):.3f}"
        row["this run"] = accuracy if result.learned else "–"
        row["its epochs"] = str(len(result.history))
        rows.append(row)
    return readable(pd.DataFrame(rows))


def headline(results: Mapping[str, ModeResult]) -> Headline:
    """Return what a reader looks for first: the accuracies of each mode."""
    figures: dict[str, float] = {}
    for mode, result in results.items():
        if result.learned:
            figures[f"{MODE_NAMES[mode]}, validation accuracy"] = result.validation.accuracy
            figures[f"{MODE_NAMES[mode]}, test accuracy"] = result.test.accuracy
    return Headline(figures)


def standard_error(predictions: Predictions) -> float:
    """Return how far an accuracy p of n images is off by chance: √(p (1 - p) / n)."""
    p = predictions.accuracy
    return math.sqrt(p * (1 - p) / len(predictions.labels))


def mcnemar(one: Predictions, two: Predictions) -> tuple[int, int, float]:
    """Return how many images the first alone has right, how many the second alone, and p.

    Between equally good networks, each of these images falls to one of the two like a coin.
    """
    one_right, two_right = one.classes == one.labels, two.classes == two.labels
    f, s = int((one_right & ~two_right).sum()), int((two_right & ~one_right).sum())
    return f, s, float(binomtest(f, f + s).pvalue) if f + s else 1.0


def validation_minus_test(result: ModeResult) -> tuple[float, float]:
    """Return the difference of the two accuracies and its standard error."""
    validation, test = result.validation, result.test
    error = math.hypot(standard_error(validation), standard_error(test))
    return validation.accuracy - test.accuracy, error


def _outcome(history: History) -> str:
    if history.diverged:
        return f"diverged in epoch {len(history) + 1}"
    return f"{history.best_accuracy:.4f}" + (", given up" if history.given_up else "")


def points(difference: float) -> str:
    """Write a difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")
