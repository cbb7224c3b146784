"""What the numbers of coding part 2 say, as a table and in words."""

from collections.abc import Mapping

import pandas as pd
from IPython.display import Markdown

from coursework.display import Headline, readable
from hw4.imbalanced import Metrics
from hw4.theory.radial_neuron import ZeroSet


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


def conclusion(plain: Metrics, balanced: Metrics) -> Markdown:
    """Say what balanced batches changed on a test set."""
    p, n = plain.positives, plain.negatives
    return Markdown(
        f"**Plain batches** find {plain.true_positives:,} of the {p:,} positives. "
        f"{plain.accuracy:.1%} of the answers are right; the larger class as the answer for all "
        f"samples would be right for {max(p, n) / (p + n):.1%}.\n\n"
        f"**Balanced batches** find {balanced.true_positives:,} of the {p:,} positives, and call "
        f"{balanced.false_positives:,} of the {n:,} negatives positive as well. From plain to "
        f"balanced batches the accuracy goes from {plain.accuracy:.1%} to {balanced.accuracy:.1%}, "
        f"and the balanced accuracy from {plain.balanced_accuracy:.1%} to "
        f"{balanced.balanced_accuracy:.1%}. The two measures differ because the file has "
        f"{n / p:.3g} negatives for each positive: the accuracy counts every sample once, the "
        "balanced accuracy every class."
    )


def separation(line: Metrics, curve: Metrics, shape: ZeroSet) -> Markdown:
    """Say what a curved boundary changed on a test set, and which shape it has."""
    wrong_line, wrong_curve = (m.false_negatives + m.false_positives for m in (line, curve))
    return Markdown(
        f"The learned boundary is: {shape}. It finds {curve.tpr:.2%} of the positives and "
        f"leaves {curve.tnr:.2%} of the negatives alone: {wrong_curve:,} mistakes, where the line "
        f"of the balanced batches makes {wrong_line:,}. The balanced accuracy goes from "
        f"{line.balanced_accuracy:.1%} with the line to {curve.balanced_accuracy:.1%} with the "
        "curve, which was trained on plain batches."
    )


def headline(results: Mapping[str, Metrics]) -> Headline:
    """Return what a reader looks for first: the four measures of each model."""
    figures: dict[str, float] = {}
    for name, metrics in results.items():
        figures[f"{name}, accuracy"] = metrics.accuracy
        figures[f"{name}, true-positive rate"] = metrics.tpr
        figures[f"{name}, true-negative rate"] = metrics.tnr
        figures[f"{name}, balanced accuracy"] = metrics.balanced_accuracy
    return Headline(figures)
