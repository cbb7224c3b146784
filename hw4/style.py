"""How figures and tables look: sizes for A4, and colours that everybody can tell apart.

Figures are made without pyplot, so that none stays open and no setting of the reader's changes.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# From Okabe and Ito, "Color Universal Design", 2008; told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
GREY = "#666666"

WIDTH = 6.4
"""Inches: the text of an A4 page is about as wide, so that a point in a figure is one on paper."""

SMALL = 8
"""Points, for what stands in a figure beside its title and its labels."""


def new_figure(
    height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure `WIDTH` wide and its axes, row by row.

    Parameters
    ----------
    height
        Inches.
    rows, columns
        Of axes.
    **options
        For `matplotlib.figure.Figure.subplots`.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = list(np.ravel(figure.subplots(rows, columns, **options)))
    for ax in axes:
        ax.tick_params(labelsize=SMALL)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for reading: its first column names the rows, numbers have separators."""
    first = table.columns[0]
    named = table.set_index(first).rename_axis(index=None, columns=first)
    return named.map(lambda value: f"{value:,}" if isinstance(value, int) else value)
