"""Every figure of the notebook on the theory and on the imbalanced data, importable from one place.

Each function takes what it draws and returns a matplotlib Figure.
"""

from hw4.imbalanced_figures import (
    curved_boundary,
    decision_lines,
    metric_bars,
    sample_scatter,
)
from hw4.theory_figures import rbf_cases, threshold_regions

__all__ = [
    "curved_boundary",
    "decision_lines",
    "metric_bars",
    "rbf_cases",
    "sample_scatter",
    "threshold_regions",
]
