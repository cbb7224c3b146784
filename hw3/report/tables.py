"""The tables of the notebook, made from the numbers that were computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

from coursework.display import Headline, readable
from hw3.features import Features
from hw3.report.experiments import Comparison, Trial
from hw3.roc import RocCurve, auc
from hw3.softmax_regression import History


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


def sweep_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Tabulate how each trial of a sweep ended."""
    name = trials[0].parameter.replace("_", " ")
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
