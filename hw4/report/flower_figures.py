"""The figures of coding part 1: counts, flowers, learning rates, curves, and mistakes."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from PIL import Image

from coursework.figure import BLUE, GRAY, GREEN, ORANGE, VERMILION, new_figure, tidy
from hw4.flowers import (
    MODE_NAMES,
    FlowerDataset,
    FlowerSets,
    ModeResult,
    Predictions,
    Search,
    chosen_rate,
    unnormalise,
)

MANY = 20
"""With more classes than these, neither their names nor numbers in cells fit on the page."""


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
            # Stripes would fill bars that are hardly wider than a stripe.
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


def learning_rates(searches: Mapping[str, Search]) -> Figure:
    """Draw the best validation accuracy against the learning rate, one line for each mode.

    The rate that is taken has a ring; one that diverged has a cross at the bottom.
    """
    figure, ((ax,),) = new_figure(height=2.8)
    diverged: set[float] = set()
    looks = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "^", ":"))
    for (mode, search), (colour, marker, line) in zip(searches.items(), looks, strict=False):
        finished = {r: h.best_accuracy for r, h in search.items() if not h.diverged}
        diverged |= search.keys() - finished.keys()
        ax.plot(
            sorted(finished),
            [finished[rate] for rate in sorted(finished)],
            marker + line,
            color=colour,
            label=MODE_NAMES[mode],
        )
        if finished:
            rate = chosen_rate(search)
            ax.plot(rate, finished[rate], "o", color=colour, markersize=13, fillstyle="none")
    if diverged:
        ax.plot(sorted(diverged), [0] * len(diverged), "x", color=GRAY, label="diverged")
    ax.set(xscale="log", ylim=(-0.05, 1.05), xlabel="learning rate")
    ax.set_ylabel("best validation accuracy")
    rates = sorted({rate for search in searches.values() for rate in search})
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.margins(x=0.1)
    tidy(ax)
    figure.legend(loc="outside right center", fontsize=9, frameon=False)
    return figure


def training_curves(results: Mapping[str, ModeResult]) -> Figure:
    """Draw both losses and the validation accuracy against the epochs, a column for each mode.

    A dotted line marks the epoch that is kept. Losses have a logarithmic axis: from scratch, the
    first ones may be a hundred times as large as those of a network with loaded weights.
    """
    figure, axes = new_figure(2, len(results), height=4.2, sharex=True, sharey="row")
    for (mode, result), (top, bottom) in zip(results.items(), axes.T, strict=True):
        history = result.history
        epochs = range(1, len(history) + 1)
        for ax, values, label, look, colour in (
            (top, history.training_loss, "training loss", "o-", BLUE),
            (top, history.validation_loss, "validation loss", "s--", VERMILION),
            (bottom, history.validation_accuracy, "validation accuracy", "^-", GREEN),
        ):
            ax.plot(epochs, values, look, color=colour, markersize=3.5, label=label)
        for ax in (top, bottom):
            # A line at NaN is not drawn, but has its entry in the legend.
            best = history.best_epoch or np.nan
            ax.axvline(best, color=GRAY, linestyle=":", linewidth=1.8, zorder=0, label="best epoch")
            tidy(ax)
        if history.diverged:
            at = f"diverged in epoch {len(history) + 1}"
            bottom.text(0.5, 0.9, at, ha="center", fontsize=9, transform=bottom.transAxes)
        top.set_title(f"{MODE_NAMES[mode]}\nlearning rate {result.learning_rate:g}", fontsize=10)
        bottom.set(xlabel="epoch", ylim=(-0.02, 1.02))
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[0, 0].set_ylabel("loss (nats)")
    if any(len(result.history) for result in results.values()):
        axes[0, 0].set_yscale("log")
        axes[0, 0].yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes[0, 0].yaxis.set_major_formatter("{x:g}")
        axes[0, 0].yaxis.set_minor_locator(NullLocator())
    axes[1, 0].set_ylabel("accuracy")
    curves = [*axes[0, 0].lines[:2], *axes[1, 0].lines]
    figure.legend(handles=curves, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    return figure


def confusion(predictions: Predictions, names: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix: a row for each true class, a column for each predicted one.

    The colour is the share of the true class. With few classes each cell has its count; with many
    only some of the rows and columns are named.
    """
    matrix = predictions.confusion
    classes, totals = len(matrix), matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(totals, 1)
    few = classes <= MANY
    figure, ((ax,),) = new_figure(height=3.6 if few else 6.4)
    # Viewers of a PDF may smooth an image of few pixels, so each cell becomes a block of pixels.
    pixels = np.kron(share, np.ones((max(1, 800 // classes),) * 2))
    ends = (-0.5, classes - 0.5, classes - 0.5, -0.5)
    # The square root makes a single confusion visible beside many right answers.
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


def preprocessing(dataset: FlowerDataset) -> Figure:
    """Draw seven flowers as stored, as a network sees them, and with the normalisation undone.

    Where images are augmented, there is one more row: the same flowers an epoch later.
    """
    chosen = one_of_each(dataset.labels, 7)
    epochs = (0, 1) if dataset.augments else (0,)
    rows = ["as stored", "normalised,\nclipped", "normalisation\nundone"]
    rows += ["the same,\nan epoch later"] * (len(epochs) - 1)
    figure, axes = new_figure(len(rows), len(chosen), height=0.45 + 1.18 * len(rows))
    normalised = [dataset.batch(chosen, epoch)[0] for epoch in epochs]
    undone = [unnormalise(images, dataset.normalisation).numpy() for images in normalised]
    for column, index in enumerate(chosen):
        stored = dataset.stored(int(index))
        values = np.asarray(stored)
        _show(axes[0, column], _shrink(stored))
        name = textwrap.fill(dataset.class_names[int(dataset.labels[index])], 14)
        width, height = stored.size
        size = f"{width} × {height}\n{values.min()} to {values.max()}"
        axes[0, column].set_title(f"{name}\n{size}", fontsize=8)
        pictures = [normalised[0][column].numpy(), *(images[column] for images in undone)]
        for row, picture in enumerate(pictures, 1):
            _show(axes[row, column], np.clip(picture, 0, 1).transpose(1, 2, 0))
            axes[row, column].set_title(_range(picture), fontsize=8)
    for row, text in enumerate(rows):
        axes[row, 0].set_ylabel(text, fontsize=8)
    return figure


def mistakes(dataset: FlowerDataset, predictions: Predictions) -> Figure:
    """Draw up to eight mistakes, the surest first, with the two likeliest classes of each."""
    shown = predictions.mistakes[:8]
    if not len(shown):
        figure, ((ax,),) = new_figure(height=0.6)
        ax.set_axis_off()
        text = f"None of the {len(predictions.labels):,} images is mistaken."
        ax.text(0.5, 0.5, text, ha="center", va="center", fontsize=10)
        return figure
    columns = 4
    rows = -(-len(shown) // columns)
    figure, axes = new_figure(rows, columns, height=2.3 * rows)
    for ax in axes.flat[len(shown) :]:
        ax.set_axis_off()
    names = dataset.class_names
    for ax, index in zip(axes.flat, shown, strict=False):
        _show(ax, _shrink(dataset.stored(int(index))))
        lines = [f"is: {_short(names[int(predictions.labels[index])])}"]
        lines += [f"{_short(names[k])} ({p:.2f})" for k, p in predictions.likeliest(int(index))]
        ax.set_title("\n".join(lines), fontsize=8)
    return figure


def one_of_each(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return positions of images of different classes, spread evenly over the classes there are."""
    classes, first = np.unique(labels, return_index=True)
    spread = np.linspace(0, len(classes) - 1, min(count, len(classes))).round().astype(int)
    positions: npt.NDArray[np.int64] = first[spread]
    return positions


def _show(ax: Axes, picture: Any) -> None:
    """Draw a picture without axes; its pixels go into the figure as they are."""
    ax.imshow(picture, interpolation="none")
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def _shrink(image: Image.Image) -> Image.Image:
    """Return an image with at most 256 pixels a side, since it is small on the page."""
    image = image.copy()
    image.thumbnail((256, 256))
    return image


def _range(values: npt.NDArray[np.float32]) -> str:
    """Return the least and the greatest value, with the minus sign of mathematics."""
    return f"{values.min():.2f} to {values.max():.2f}".replace("-", "−")


def _short(name: str) -> str:
    return textwrap.shorten(name, 22, placeholder=" …")
