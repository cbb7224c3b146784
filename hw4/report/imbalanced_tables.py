"""What the numbers of coding part 2 say, as a table."""

from collections.abc import Mapping

import pandas as pd

from coursework.display import Headline, readable
from hw4.imbalanced import Metrics


def metrics_table(results: Mapping[str, Metrics]) -> pd.DataFrame:
    """Return the rates of each model, one a row, to four places.

    All are measured with the same weight of the positives, which the last column names.
    """
    rows = [
        {
            "model": name,
            "accuracy": f"{m.accuracy:.4f}",
            "TPR": f"{m.tpr:.4f}",
            "TNR": f"{m.tnr:.4f}",
            "balanced": f"{m.balanced_accuracy:.4f}",
            f"weighted ({m.positive_weight:g}:1)": f"{m.weighted_accuracy:.4f}",
        }
        for name, m in results.items()
    ]
    return readable(pd.DataFrame(rows))


def headline(results: Mapping[str, Metrics]) -> Headline:
    """Return what a reader looks for first: the four measures of each model."""
    figures: dict[str, float] = {}
    for name, metrics in results.items():
        figures[f"{name}, accuracy"] = metrics.accuracy
        figures[f"{name}, true-positive rate"] = metrics.tpr
        figures[f"{name}, true-negative rate"] = metrics.tnr
        figures[f"{name}, balanced accuracy"] = metrics.balanced_accuracy
    return Headline(figures)
