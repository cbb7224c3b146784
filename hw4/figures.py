"""Every figure of the notebook, importable from one place.

Each function takes what it draws and returns a matplotlib Figure.
"""

from hw4.flower_figures import class_counts, confusion, learning_rates, training_curves
from hw4.flower_pictures import mistakes, preprocessing
from hw4.imbalanced_figures import (
    curved_boundary,
    decision_lines,
    metric_bars,
    sample_scatter,
)
from hw4.theory_figures import rbf_cases, threshold_regions

__all__ = [
    "class_counts",
    "confusion",
    "curved_boundary",
    "decision_lines",
    "learning_rates",
    "metric_bars",
    "mistakes",
    "preprocessing",
    "rbf_cases",
    "sample_scatter",
    "threshold_regions",
    "training_curves",
]
