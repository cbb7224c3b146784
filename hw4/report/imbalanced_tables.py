"""What the numbers of coding part 2 say, as a table and in words."""

from collections.abc import Mapping

import pandas as pd
from IPython.display import Markdown

from coursework.display import Headline, readable
from hw4.imbalanced import Metrics
from hw4.theory.zero_sets import ZeroSet


def metrics_table(results: Mapping[str, Metrics]) -> pd.DataFrame:
    """Return the rates of each model, one a row, to four places.

    Parameters
    ----------
    results
        From the name of a model to its metrics.

    Returns
    -------
    DataFrame
        Accuracy, true-positive and true-negative rate, balanced accuracy, and the accuracy that
        weights the positives; its column is named after the weight if that is the same for all.
    """
    weights = {f"{metrics.positive_weight:g}" for metrics in results.values()}
    weighted = f"weighted ({weights.pop()}:1)" if len(weights) == 1 else "weighted"
    rows = [
        {
            "model": name,
            "accuracy": f"{m.accuracy:.4f}",
            "TPR": f"{m.tpr:.4f}",
            "TNR": f"{m.tnr:.4f}",
            "balanced": f"{m.balanced_accuracy:.4f}",
            weighted: f"{m.weighted_accuracy:.4f}",
        }
        for name, m in results.items()
    ]
    return readable(pd.DataFrame(rows))


def conclusion(plain: Metrics, balanced: Metrics) -> Markdown:
    """Say what balanced batches changed on a test set.

    Parameters
    ----------
    plain, balanced
        The metrics of the model trained on plain batches and on balanced ones.
    """
    samples = plain.positives + plain.negatives
    majority = max(plain.positives, plain.negatives) / samples
    always = "negative" if plain.negatives >= plain.positives else "positive"
    return Markdown(
        f"**Plain batches.** {plain.accuracy:.1%} of the answers are right, where saying "
        f"*{always}* every time would be right for {majority:.1%}. The model finds "
        f"{plain.true_positives:,} of the {plain.positives:,} positives.\n\n"
        f"**Balanced batches.** The model finds {balanced.true_positives:,} of the "
        f"{balanced.positives:,} positives and calls {balanced.false_positives:,} of the "
        f"{balanced.negatives:,} negatives positive as well. The accuracy "
        f"{_change(plain.accuracy, balanced.accuracy)}, the balanced accuracy "
        f"{_change(plain.balanced_accuracy, balanced.balanced_accuracy)}.\n\n"
        f"**So** the accuracy prefers the model from "
        f"{_better(plain.accuracy, balanced.accuracy)} batches and the balanced accuracy the one "
        f"from {_better(plain.balanced_accuracy, balanced.balanced_accuracy)} batches. What "
        "separates the two measures is the share of the classes in the file: in the accuracy "
        f"a positive counts as much as a negative, though there are "
        f"{plain.negatives / plain.positives:.3g} negatives for each positive."
    )


def separation(line: Metrics, curve: Metrics, shape: ZeroSet) -> Markdown:
    """Say what a curved boundary changed on a test set.

    Parameters
    ----------
    line, curve
        The metrics of the linear and of the radial model.
    shape
        The boundary of the latter.
    """
    better = curve.balanced_accuracy > line.balanced_accuracy
    verdict = (
        "It was trained on *plain* batches: what the line lacks is not balance, it is a bend."
        if better
        else "Here the bend does not help."
    )
    wrong_line = line.false_negatives + line.false_positives
    wrong_curve = curve.false_negatives + curve.false_positives
    return Markdown(
        f"The learned boundary is: {shape}. It finds {curve.tpr:.2%} of the positives and "
        f"leaves {curve.tnr:.2%} of the negatives alone, {wrong_curve:,} mistakes in all where "
        f"the line of the balanced batches makes {wrong_line:,}; the balanced accuracy "
        f"{_change(line.balanced_accuracy, curve.balanced_accuracy)}. {verdict}"
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


def _change(before: float, after: float) -> str:
    """Say how a share changes, to a tenth of a percent."""
    first, second = f"{before:.1%}", f"{after:.1%}"
    if first == second:
        return f"stays at {first}"
    return f"{'rises' if after > before else 'falls'} from {first} to {second}"


def _better(plain: float, balanced: float) -> str:
    """Name the kind of batches with the larger value."""
    return "plain" if plain >= balanced else "balanced"
