"""Every figure of the notebook, one function each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coursework.figure import BLUE, GRAY, VERMILION, new_figure, tidy
from hw3.mnist import Digits
from hw3.report.experiments import Trial
from hw3.roc import RocCurve, auc
from hw3.softmax_regression import History

ON_WHITE: dict[str, Any] = {"framealpha": 1, "edgecolor": "none", "fontsize": 8}
"""A legend that lines do not cross."""


def sample_digits(digits: Digits) -> Figure:
    """Show the first image of each class, with its label."""
    labels, first = np.unique(digits.labels, return_index=True)
    figure, grid = new_figure(1, len(labels), height=1.1)
    for axes, label, index in zip(grid.flat, labels, first, strict=True):
        axes.imshow(digits.images[index], cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"label {label}", fontsize=9)
        axes.set_axis_off()
    return figure


def training_curves(history: History) -> Figure:
    """Plot the loss, and both accuracies together, against the epoch."""
    figure, ((left, right),) = new_figure(1, 2, height=2.7)
    epochs = range(1, len(history) + 1)
    left.plot(epochs, history.loss, color=GRAY, linewidth=2, label="training loss")
    left.set(xlabel="epoch", ylabel="mean cross-entropy (nats)", title="Loss")
    left.set_ylim(bottom=0)
    right.plot(epochs, history.train_accuracy, color=BLUE, linewidth=2, label="training set")
    right.plot(epochs, history.test_accuracy, color=VERMILION, linewidth=1.6, label="test set")
    right.set(xlabel="epoch", ylabel="accuracy", title="Accuracy")
    for axes in (left, right):
        tidy(axes)
        axes.legend(frameon=False)
    return figure


def sweep_curves(trials: Sequence[Trial]) -> Figure:
    """Plot loss and test accuracy against the epoch, one line for each value that was tried."""
    figure, ((left, right),) = new_figure(1, 2, height=2.9)
    shades = colormaps["viridis"](np.linspace(0, 0.88, len(trials)))
    for trial, shade in zip(trials, shades, strict=True):
        epochs = range(1, len(trial.history) + 1)
        left.plot(epochs, trial.history.loss, color=shade, linewidth=1.6)
        right.plot(
            epochs,
            trial.history.test_accuracy,
            color=shade,
            linewidth=1.6,
            label=f"{trial.value:g}",
        )
    left.set(xlabel="epoch", ylabel="training loss (nats)", yscale="log")
    right.set(xlabel="epoch", ylabel="test accuracy")
    for axes in (left, right):
        tidy(axes)
    name = trials[0].parameter.replace("_", " ")
    right.legend(title=name, loc="lower right", **ON_WHITE)
    return figure


def roc(curve: RocCurve, category: Any) -> Figure:
    """Plot the ROC curve of one category, beside the diagonal of guessing."""
    figure, ((whole, corner),) = new_figure(1, 2, height=3.2)
    for axes in (whole, corner):
        axes.fill_between(curve.fpr, curve.tpr, color=BLUE, alpha=0.1, linewidth=0)
        axes.plot(curve.fpr, curve.tpr, color=BLUE, linewidth=2, label=f"AUC = {auc(curve):.4f}")
    whole.plot([0, 1], [0, 1], color=GRAY, linestyle="--", label="guessing, AUC = 0.5")
    whole.legend(title=f"category {category} against the rest", loc="lower right", **ON_WHITE)
    _name_roc_axes(whole, corner)
    return figure


def roc_all(curves: Mapping[Any, RocCurve]) -> Figure:
    """Plot the curves of all categories: whole, and the corner in which they differ."""
    figure, ((whole, corner),) = new_figure(1, 2, height=3.2)
    colours = colormaps["tab10"](range(10))
    for number, (label, curve) in enumerate(curves.items()):
        for axes in (whole, corner):
            axes.plot(
                curve.fpr,
                curve.tpr,
                color=colours[number % 10],
                # Dashes as well as colours, for readers and printers that see no colour.
                linestyle=("-", "--", "-.")[number % 3],
                linewidth=1.5,
                label=f"{label}: {auc(curve):.4f}",
            )
    whole.plot([0, 1], [0, 1], color=GRAY, linestyle=":", linewidth=1)
    whole.legend(title="category: AUC", loc="lower right", ncols=2, **ON_WHITE)
    _name_roc_axes(whole, corner)
    return figure


def _name_roc_axes(whole: Axes, corner: Axes) -> None:
    """Show all of the curve on the left, and on the right the corner where good ones differ."""
    whole.set(xlim=(-0.02, 1), ylim=(0, 1.02), title="All thresholds")
    corner.set(xlim=(-0.004, 0.2), ylim=(0.8, 1.004), title="The upper left corner")
    for axes in (whole, corner):
        axes.set(xlabel="false-positive rate", ylabel="true-positive rate")
        tidy(axes)
