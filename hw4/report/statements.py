"""The conclusions of the notebook in sentences, with the numbers that were computed."""

import itertools
from collections.abc import Mapping

from IPython.display import Markdown

from hw4.flowers import MODE_NAMES, ModeResult
from hw4.imbalanced import Metrics
from hw4.report.flower_tables import mcnemar, points, standard_error, validation_minus_test
from hw4.theory.radial_neuron import ZeroSet


def flowers(results: Mapping[str, ModeResult]) -> Markdown:
    """Say which mode is best, how validation differs from test, and which pairs differ.

    A mode in which no epoch was finished is named and left out.
    """
    learned = {MODE_NAMES[mode]: result for mode, result in results.items() if result.learned}
    paragraphs = [
        f"**{MODE_NAMES[mode]}** has learned nothing and is left out: {result.history.diverged}."
        for mode, result in results.items()
        if not result.learned
    ]
    if learned:
        tests = {name: result.test for name, result in learned.items()}
        best, *others = sorted(tests, key=lambda name: -tests[name].accuracy)
        top, (images, classes) = tests[best].accuracy, tests[best].probabilities.shape
        behind = [f"; {name} {points(tests[name].accuracy - top)} points" for name in others]
        gaps = {name: validation_minus_test(result) for name, result in learned.items()}
        differences = [f"{name} {points(gap)} ± {100 * e:.1f}" for name, (gap, e) in gaps.items()]
        paragraphs += [
            f"**Best** on the {images:,} test images: {best} with {top:.1%} ± "
            f"{standard_error(tests[best]):.1%}{''.join(behind)}. Guessing among {classes} classes "
            f"would give {1 / classes:.1%}.",
            "**Validation and test.** The validation set chose the learning rate and the epoch, so "
            "its accuracy is on average too high; the test set chose nothing. Validation minus "
            f"test in points, ± one standard error: {'; '.join(differences)}.",
        ]
    if len(learned) > 1:
        differing = [
            f"{first} − {second}"
            for second, first in itertools.combinations(learned, 2)
            if mcnemar(learned[first].test, learned[second].test)[2] < 0.05
        ]
        paragraphs.append(
            "**Pairs** whose difference two equally good networks would show in fewer than 5 of "
            f"100 cases (p < 0.05): {'; '.join(differing) or 'none'}."
        )
    return Markdown("\n\n".join(paragraphs))


def batches(plain: Metrics, balanced: Metrics) -> Markdown:
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
