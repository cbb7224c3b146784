"""One look for every figure: sized for an A4 page, colours that colour-blind readers tell apart."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design, 2008, in an order that puts strong contrasts first.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
)
GRAY = "#6B6B6B"

WIDTH = 7.0
"""Inches: the text width of an A4 page, so that labels print in the size they are given."""


def new_figure(
    rows: int = 1, columns: int = 1, *, height: float, **grid: Any
) -> tuple[Figure, Any]:
    """Return a figure of the page's width and its axes, an array (rows, columns).

    The figure belongs to no window and no global list: it is gone when nobody holds it.

    Parameters
    ----------
    rows, columns
        The grid of axes.
    height
        Inches.
    **grid
        What ``Figure.subplots`` takes besides.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=150)
    return figure, figure.subplots(rows, columns, squeeze=False, **grid)


def tidy(axes: Axes) -> None:
    """Remove the frame's upper and right side and draw a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E3E3E3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    axes.title.set_fontsize(10)
