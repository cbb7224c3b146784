"""One look for every figure: as wide as a page, in colours that colour-blind readers tell apart."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# From Okabe and Ito, Color Universal Design, 2008.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
GRAY = "#6B6B6B"

WIDTH = 7.0
"""Inches; the width of the text on an A4 page, so that labels are printed in their own size."""


def new_figure(
    rows: int = 1, columns: int = 1, *, height: float, **grid: Any
) -> tuple[Figure, Any]:
    """Return a figure of the page's width and its axes, an array (rows, columns).

    Pyplot does not know the figure, so it need not be closed.

    Parameters
    ----------
    rows, columns
        The grid of axes.
    height
        Inches.
    **grid
        Further arguments of ``Figure.subplots``.
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
