"""The conclusions of the notebook in sentences, with the numbers that were computed."""

from collections.abc import Mapping, Sequence
from typing import Any

from IPython.display import Markdown

from hw3.report.experiments import Comparison, Trial
from hw3.roc import RocCurve, auc
from hw3.softmax_regression import History


def final_accuracies(history: History) -> Markdown:
    """Give the final accuracies, and why training ended."""
    end = "the last epoch allowed"
    if history.converged:
        end = "the weights had stopped moving"
    if history.overflowed:
        end = "the loss overflowed in the last one, which was undone"
    return Markdown(
        f"After {len(history)} epochs ({end}): loss **{history.loss[-1]:.3f}**, training accuracy "
        f"**{history.train_accuracy[-1]:.4f}**, test accuracy **{history.test_accuracy[-1]:.4f}**."
    )


def sweep_ends(trials: Sequence[Trial]) -> Markdown:
    """Say which value ended best and worst, and whether the training loss was still falling."""
    name = trials[0].parameter.replace("_", " ")
    ranked = sorted(trials, key=lambda trial: trial.history.test_accuracy[-1])
    worst, best = ranked[0], ranked[-1]
    fitted = min(trials, key=lambda trial: trial.history.loss[-1])
    gap = fitted.history.train_accuracy[-1] - fitted.history.test_accuracy[-1]
    end = (
        f"The test accuracy ends at {best.history.test_accuracy[-1]:.4f} with {name} {best.value:g}"
    )
    if len(trials) > 1:
        end += f", the highest, and at {worst.history.test_accuracy[-1]:.4f} with {worst.value:g}"
        end += ", the lowest"
    return Markdown(
        f"{end}. The training loss gets furthest, to {fitted.history.loss[-1]:.3f}, with "
        f"{fitted.value:g}; there the training accuracy is {_points(gap)} than the test accuracy."
    )


def feature_gains(rows: Sequence[Comparison]) -> Markdown:
    """Say how far the last row is ahead of each other one, in both columns."""
    last = rows[-1]
    lines = [
        f"- {row.name}: {_points(last.as_they_are - row.as_they_are)} as they are, "
        f"{_points(last.standardised - row.standardised)} standardised"
        for row in rows[:-1]
    ]
    return Markdown("\n".join([f"Against each, *{last.name}* has a test accuracy that is", *lines]))


def area_rank(category: Any, curves: Mapping[Any, RocCurve]) -> Markdown:
    """Place one category among the others by its area."""
    areas = {label: auc(curve) for label, curve in curves.items()}
    easiest, hardest = max(areas, key=areas.__getitem__), min(areas, key=areas.__getitem__)
    rank = 1 + sum(area > areas[category] for area in areas.values())
    return Markdown(
        f"Category {category} has an area of **{areas[category]:.4f}**, rank {rank} of "
        f"{len(areas)}. The easiest to tell from the rest is {easiest} ({areas[easiest]:.4f}), the "
        f"hardest {hardest} ({areas[hardest]:.4f})."
    )


def _points(difference: float) -> str:
    """Spell a difference of accuracies in percentage points."""
    return f"{abs(100 * difference):.1f} points {'higher' if difference >= 0 else 'lower'}"
