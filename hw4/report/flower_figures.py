"""The figures of coding part 1 that show numbers: counts, learning rates, curves, confusions."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from coursework.figure import BLUE, GRAY, GREEN, ORANGE, VERMILION, new_figure, tidy
from hw4.flowers import (
    MODE_NAMES,
    FlowerSets,
    History,
    LearningRateSearch,
    ModeResult,
    Predictions,
    chosen_rate,
)

MANY = 20
"""With more classes than these their names, and numbers in cells, no longer fit."""

_LOOKS = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "^", ":"), (ORANGE, "D", "-."))


def class_counts(flowers: FlowerSets) -> Figure:
    """Draw how many images of each class the three parts have, on top of each other."""
    classes = flowers.train.classes
    figure, ((ax,),) = new_figure(height=2.6)
    below = np.zeros(classes)
    looks = ((BLUE, ""), (ORANGE, "//"), (GREEN, ".."))
    for part, (colour, hatch) in zip(flowers, looks, strict=True):
        counts = np.bincount(part.labels, minlength=classes)
        ax.bar(
            range(1, classes + 1),
            counts,
            0.8,
            bottom=below,
            label=f"{part.mode} ({len(part):,})",
            color=colour,
            # Stripes would fill bars that are hardly wider than they are.
            hatch=hatch if classes <= MANY else None,
            edgecolor="white",
            linewidth=0.5 if classes <= MANY else 0,
        )
        below += counts
    tidy(ax)
    ax.grid(False, axis="x")
    ax.set(ylabel="images", xlim=(0.4, classes + 0.6))
    if classes <= MANY:
        ax.set_xticks(range(1, classes + 1), flowers.class_names, rotation=30, ha="right")
    else:
        ax.set_xlabel("class")
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    return figure


def learning_rates(searches: Mapping[str, LearningRateSearch]) -> Figure:
    """Draw the best validation accuracy against the learning rate, one line for each mode.

    The rate that is taken has a ring; one that diverged has a cross at the bottom.
    """
    figure, ((ax,),) = new_figure(height=2.8)
    diverged: set[float] = set()
    for (mode, search), (colour, marker, line) in zip(searches.items(), _LOOKS, strict=False):
        finished = {r: h.best_accuracy for r, h in search.histories.items() if not h.diverged}
        diverged |= search.histories.keys() - finished.keys()
        ax.plot(
            sorted(finished),
            [finished[rate] for rate in sorted(finished)],
            marker + line,
            color=colour,
            label=MODE_NAMES.get(mode, mode),
        )
        if finished:
            rate = chosen_rate(search)
            ax.plot(rate, finished[rate], "o", color=colour, markersize=13, fillstyle="none")
    if diverged:
        ax.plot(sorted(diverged), [0] * len(diverged), "x", color=GRAY, label="diverged")
    ax.set(xscale="log", ylim=(-0.05, 1.05), xlabel="learning rate")
    ax.set_ylabel("best validation accuracy")
    rates = sorted({rate for search in searches.values() for rate in search.histories})
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.margins(x=0.1)
    tidy(ax)
    figure.legend(loc="outside right center", fontsize=9, frameon=False)
    return figure


def training_curves(results: Mapping[str, ModeResult]) -> Figure:
    """Draw both losses and the validation accuracy against the epochs, a column for each mode.

    A dotted line marks the epoch that is kept.
    """
    figure, axes = new_figure(2, len(results), height=4.2, sharex=True, sharey="row")
    for (mode, result), (top, bottom) in zip(results.items(), axes.T, strict=True):
        history = result.history
        top.set_title(f"{MODE_NAMES.get(mode, mode)}\nlearning rate {result.learning_rate:g}")
        _draw_history(top, bottom, history)
        if history.diverged:
            at = f"diverged in epoch {len(history) + 1}"
            bottom.text(0.5, 0.9, at, ha="center", fontsize=9, transform=bottom.transAxes)
        bottom.set(xlabel="epoch", ylim=(-0.02, 1.02))
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        tidy(top)
        tidy(bottom)
    axes[0, 0].set_ylabel("loss (nats)")
    axes[1, 0].set_ylabel("accuracy")
    entries = [ax.get_legend_handles_labels() for ax in axes.flat]
    named = {label: handle for entry in entries for handle, label in zip(*entry, strict=True)}
    # After the curves, although the panels below, with the accuracy, come later.
    if "best epoch" in named:
        named["best epoch"] = named.pop("best epoch")
    figure.legend(
        named.values(),
        named.keys(),
        loc="outside lower center",
        ncols=4,
        fontsize=9,
        frameon=False,
    )
    return figure


def _draw_history(top: Axes, bottom: Axes, history: History) -> None:
    """Draw the losses above and the accuracy below, and a line through both at the best epoch."""
    epochs = range(1, len(history) + 1)
    for ax, values, label, (colour, marker, line) in (
        (top, history.training_loss, "training loss", _LOOKS[0]),
        (top, history.validation_loss, "validation loss", _LOOKS[1]),
        (bottom, history.validation_accuracy, "validation accuracy", (GREEN, "^", "-")),
    ):
        ax.plot(epochs, values, marker + line, color=colour, markersize=3.5, label=label)
    if history.best_epoch:
        for ax in (top, bottom):
            ax.axvline(
                history.best_epoch,
                color=GRAY,
                linestyle=":",
                linewidth=1.8,
                zorder=0,
                label="best epoch",
            )


def confusion(predictions: Predictions, names: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix: rows are what the flowers are, columns what they are taken for.

    The colour is the share of the true class. With few classes each cell has its count; with many
    only some of the rows and columns are named.
    """
    matrix = predictions.confusion
    classes, totals = len(matrix), matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(totals, 1)
    few = classes <= MANY
    figure, ((ax,),) = new_figure(height=3.6 if few else 6.4)
    # Enlarged here, since viewers of a PDF may smooth what is small.
    pixels = np.kron(share, np.ones((max(1, 800 // classes),) * 2))
    ends = (-0.5, classes - 0.5, classes - 0.5, -0.5)
    # The square root shows a single confusion among the many that are right.
    norm = PowerNorm(0.5, 0, 1)
    image = ax.imshow(pixels, cmap="Blues", norm=norm, extent=ends, interpolation="none")
    step = 1 if few else -(-classes // 34)
    places = range(0, classes, step)
    shown = [names[place] for place in places]
    size = 8 if few else 6
    ax.set_xticks(
        places,
        shown,
        fontsize=size,
        rotation=40 if few else 90,
        ha="right" if few else "center",
        rotation_mode="anchor" if few else "default",
    )
    ax.set_yticks(places, shown, fontsize=size)
    ax.set_xlabel("taken for", fontsize=9)
    ax.set_ylabel("is", fontsize=9)
    if few:
        for row, column in np.argwhere(matrix):
            colour = "white" if share[row, column] > 0.4 else "black"
            count = f"{matrix[row, column]}"
            ax.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    bar = figure.colorbar(image, ax=ax, shrink=0.6, ticks=(0, 0.1, 0.25, 0.5, 1))
    bar.set_label("share of the true class", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return figure
