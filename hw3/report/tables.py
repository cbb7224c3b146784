"""The tables and sentences of the notebook, made from the numbers that were computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

from coursework.display import Headline, readable
from hw3.features import Features
from hw3.report.experiments import Comparison, Trial
from hw3.roc import RocCurve, auc
from hw3.softmax_regression import History

NAMES = {"learning_rate": "learning rate", "batch_size": "batch size"}


def features_statement(train: Features, test: Features) -> Markdown:
    """Say which network and weights made the features, and of how many images."""
    return Markdown(
        f"**Network:** {train.backbone}, {train.weights}, in {train.precision}. "
        f"**Images:** {train.preprocessing}. "
        f"**Result:** `features` of shape {train.features.shape} for training and "
        f"{test.features.shape} for testing, with `labels` {train.labels.shape} and "
        f"{test.labels.shape}."
    )


def history_table(history: History, every: int = 10) -> pd.DataFrame:
    """Tabulate every n-th epoch, and the last."""
    epochs = sorted({*range(every, len(history) + 1, every), len(history)})
    columns = {
        "loss": history.loss,
        "train accuracy": history.train_accuracy,
        "test accuracy": history.test_accuracy,
    }
    table: dict[str, list[Any]] = {"epoch": epochs}
    for name, values in columns.items():
        if values:
            table[name] = [f"{values[epoch - 1]:.4f}" for epoch in epochs]
    return readable(pd.DataFrame(table))


def accuracy_statement(history: History) -> Markdown:
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


def sweep_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Tabulate how each trial of a sweep ended."""
    name = NAMES.get(trials[0].parameter, trials[0].parameter)
    rows = [
        {
            name: f"{trial.value:g}",
            "loss": f"{trial.history.loss[-1]:.4f}",
            "train accuracy": f"{trial.history.train_accuracy[-1]:.4f}",
            "test accuracy": f"{trial.history.test_accuracy[-1]:.4f}",
            "best test accuracy": f"{max(trial.history.test_accuracy):.4f}",
        }
        for trial in trials
    ]
    return readable(pd.DataFrame(rows))


def sweep_statement(trials: Sequence[Trial]) -> Markdown:
    """Say which value ended best and worst, and whether the training loss was still falling."""
    name = NAMES.get(trials[0].parameter, trials[0].parameter)
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


def comparison_table(rows: Sequence[Comparison]) -> pd.DataFrame:
    """Tabulate test accuracies by kind of features."""
    table = [
        {
            "features": row.name,
            "number": f"{row.width:,}",
            "as they are": f"{row.as_they_are:.4f}",
            "standardised": f"{row.standardised:.4f}",
        }
        for row in rows
    ]
    return readable(pd.DataFrame(table))


def comparison_statement(rows: Sequence[Comparison]) -> Markdown:
    """Say how far the last row is ahead of each other one, in both columns."""
    last = rows[-1]
    lines = [
        f"- {row.name}: {_points(last.as_they_are - row.as_they_are)} as they are, "
        f"{_points(last.standardised - row.standardised)} standardised"
        for row in rows[:-1]
    ]
    return Markdown("\n".join([f"Against each, *{last.name}* has a test accuracy that is", *lines]))


def _points(difference: float) -> str:
    """Spell a difference of accuracies in percentage points."""
    return f"{abs(100 * difference):.1f} points {'higher' if difference >= 0 else 'lower'}"


def auc_table(curves: Mapping[Any, RocCurve]) -> pd.DataFrame:
    """Tabulate the area under each curve, and how many positives are found at 1 % false alarms."""
    rows = [
        {
            "category": str(label),
            "AUC": f"{auc(curve):.4f}",
            "TPR at FPR of 1 % or less": f"{curve.tpr[curve.fpr <= 0.01].max():.3f}",
        }
        for label, curve in curves.items()
    ]
    return readable(pd.DataFrame(rows))


def headline(history: History, category: Any, curves: Mapping[Any, RocCurve]) -> Headline:
    """Return the figures of the homework that a reader looks for first."""
    return Headline(
        {
            "epochs": len(history),
            "final training loss": history.loss[-1],
            "training accuracy": history.train_accuracy[-1],
            "test accuracy": history.test_accuracy[-1],
            f"AUC of category {category}": auc(curves[category]),
            "mean AUC of all categories": sum(map(auc, curves.values())) / len(curves),
        }
    )


def roc_statement(category: Any, curves: Mapping[Any, RocCurve]) -> Markdown:
    """Place one category among the others by its area."""
    areas = {label: auc(curve) for label, curve in curves.items()}
    easiest, hardest = max(areas, key=areas.__getitem__), min(areas, key=areas.__getitem__)
    rank = 1 + sum(area > areas[category] for area in areas.values())
    return Markdown(
        f"Category {category} has an area of **{areas[category]:.4f}**, rank {rank} of "
        f"{len(areas)}. The easiest to tell from the rest is {easiest} ({areas[easiest]:.4f}), the "
        f"hardest {hardest} ({areas[hardest]:.4f})."
    )
