"""The figures of coding part 1 that show flowers: before and after normalisation, and mistaken."""

import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from coursework.figure import new_figure
from hw4.flowers import FlowerDataset, Predictions, unnormalise

STORED_SIDE = 256
"""Pixels of a stored image's longer side in a figure, which is small on the page."""


def preprocessing(dataset: FlowerDataset, count: int = 7) -> Figure:
    """Draw some flowers as stored, as a network sees them, and with the normalisation undone.

    Where images are augmented, there is one more row: the same flowers an epoch later.
    """
    chosen = one_of_each(dataset.labels, count)
    epochs = (0, 1) if dataset.augments else (0,)
    rows = ["as stored", "normalised,\nclipped", "normalisation\nundone"]
    rows += ["the same,\nan epoch later"] * (len(epochs) - 1)
    figure, axes = new_figure(len(rows), len(chosen), height=0.45 + 1.18 * len(rows))
    normalised = [dataset.batch(chosen, epoch)[0] for epoch in epochs]
    undone = [unnormalise(images, *dataset.normalisation).numpy() for images in normalised]
    for column, index in enumerate(chosen):
        stored = dataset.stored(int(index))
        values = np.asarray(stored)
        _show(axes[0, column], _shrink(stored))
        name = _wrap(dataset.class_names[int(dataset.labels[index])])
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


def mistakes(dataset: FlowerDataset, predictions: Predictions, count: int = 8) -> Figure:
    """Draw what was taken for another flower, the surest first, with the two likeliest classes.

    Parameters
    ----------
    dataset
        The images of the predictions, in their order.
    predictions
        From `hw4.flowers.predict`.
    count
        How many to show at most.
    """
    shown = predictions.mistakes[:count]
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
    image = image.copy()
    image.thumbnail((STORED_SIDE, STORED_SIDE))
    return image


def _range(values: npt.NDArray[np.float32]) -> str:
    """Say between which values an image lies, with a minus sign as mathematics has it."""
    return f"{values.min():.2f} to {values.max():.2f}".replace("-", "−")


def _short(name: str) -> str:
    return textwrap.shorten(name, 22, placeholder=" …")


def _wrap(name: str) -> str:
    return "\n".join(textwrap.wrap(name, 14))
