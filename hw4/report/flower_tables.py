"""What the numbers of coding part 1 say, as tables."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown

from coursework.display import Headline, readable
from hw4.flowers import (
    MODE_NAMES,
    FlowerSets,
    History,
    LearningRateSearch,
    ModeResult,
    Predictions,
    chosen_rate,
)

OXFORD_IMAGES = 8189
"""How many photographs Oxford 102 has."""

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


def search_table(searches: Mapping[str, LearningRateSearch]) -> pd.DataFrame:
    """Return the best validation accuracy of each learning rate, a row for each mode."""
    rows = []
    for mode, search in searches.items():
        row = {"mode": MODE_NAMES.get(mode, mode)}
        row |= {f"{rate:g}": _outcome(history) for rate, history in search.histories.items()}
        diverged = all(history.diverged for history in search.histories.values())
        row["taken"] = f"{chosen_rate(search):g}" + (" (the lowest)" if diverged else "")
        row["seconds"] = f"{sum(sum(h.seconds) for h in search.histories.values()):.0f}"
        rows.append(row)
    return readable(pd.DataFrame(rows))


def result_table(results: Mapping[str, ModeResult]) -> pd.DataFrame:
    """Return validation against test for each mode.

    The standard error of an accuracy p on n images is √(p (1 - p) / n). Where no epoch was
    finished, there are no accuracies.
    """
    rows = []
    for mode, result in results.items():
        history, validation, test = result.history, result.validation, result.test
        end = f", diverged in {len(history) + 1}" if history.diverged else ""
        measured = {
            "validation": f"{validation.accuracy:.4f}",
            "test": f"{test.accuracy:.4f}",
            "difference": _signed(validation.accuracy - test.accuracy),
            "std. error (test)": f"{standard_error(test):.4f}",
        }
        rows.append(
            {
                "mode": MODE_NAMES.get(mode, mode),
                "learning rate": f"{result.learning_rate:g}",
                "best epoch": f"{history.best_epoch} of {len(history)}{end}",
                **(measured if result.learned else dict.fromkeys(measured, "–")),
                "seconds": f"{sum(history.seconds):.0f}",
            }
        )
    return readable(pd.DataFrame(rows))


def confusion_table(
    predictions: Predictions, names: tuple[str, ...], count: int = 8
) -> pd.DataFrame | Markdown:
    """Return the most frequent confusions, or that there is none.

    Parameters
    ----------
    predictions, names
        What was predicted, and the name of each class.
    count
        How many pairs of classes at most.
    """
    matrix = predictions.confusion
    totals = matrix.sum(axis=1)
    wrong = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [(int(k) // len(matrix), int(k) % len(matrix)) for k in order]
    rows = [
        {
            "flower": names[true],
            "taken for": names[taken],
            "times": int(wrong[true, taken]),
            "of": int(totals[true]),
        }
        for true, taken in pairs
        if wrong[true, taken]
    ]
    if not rows:
        return Markdown("No class is taken for another.")
    return readable(pd.DataFrame(rows))


def reference_table(
    results: Mapping[str, ModeResult], flowers: FlowerSets, backbone: str
) -> pd.DataFrame | Markdown:
    """Return test accuracies beside those of an earlier hand-in, if the two can be compared.

    That takes Oxford's 102 flowers, the homework's split and ResNet-18; otherwise it is said why
    there is no table.
    """
    differs = [
        f"{what} here, {wanted} there"
        for what, wanted, same in (
            (_described(flowers), "Oxford's 8,189 of 102", _is_oxford(flowers)),
            (f"{backbone}", "resnet18", backbone == "resnet18"),
            (f"the {flowers.train.split} split", "the homework's", _is_homework_split(flowers)),
        )
        if not same
    ]
    if differs:
        return Markdown(
            "The reference figures of the homework are for another task "
            f"({'; '.join(differs)}), so they are not put beside these. The profile `full` "
            "computes what they can be compared with."
        )
    rows = []
    for mode, result in results.items():
        row = {"mode": MODE_NAMES.get(mode, mode)}
        for epochs, accuracies in REFERENCE.items():
            known = mode in accuracies
            row[f"reference, {epochs} epochs"] = f"{accuracies[mode]:.3f}" if known else "–"
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
            name = MODE_NAMES.get(mode, mode)
            figures[f"{name}, validation accuracy"] = result.validation.accuracy
            figures[f"{name}, test accuracy"] = result.test.accuracy
    return Headline(figures)


def standard_error(predictions: Predictions) -> float:
    """Return how far an accuracy p of n images is off by chance: √(p (1 - p) / n)."""
    p = predictions.accuracy
    return math.sqrt(p * (1 - p) / len(predictions.labels))


def _outcome(history: History) -> str:
    if history.diverged:
        return f"diverged in epoch {len(history) + 1}"
    return f"{history.best_accuracy:.4f}"


def _described(flowers: FlowerSets) -> str:
    return f"{sum(map(len, flowers)):,} flowers of {len(flowers.class_names)} kinds"


def _is_oxford(flowers: FlowerSets) -> bool:
    return len(flowers.class_names) == 102 and sum(map(len, flowers)) == OXFORD_IMAGES


def _is_homework_split(flowers: FlowerSets) -> bool:
    return flowers.train.split == "homework"


def _signed(difference: float) -> str:
    """Write a difference with its sign, to four places."""
    return f"{difference:+.4f}".replace("-", "−")
