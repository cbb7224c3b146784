"""What the numbers of coding part 1 say, in words that follow from them."""

import math
from collections.abc import Mapping

import numpy as np
from IPython.display import Markdown
from scipy.stats import binomtest

from hw4.flowers import MODE_NAMES, ModeResult, Predictions
from hw4.report.flower_tables import standard_error

ERRORS = 2
"""A difference of fewer standard errors than these is put down to chance."""

LEVEL = 0.05
"""A difference that chance alone gives more often than this is put down to it."""


def conclusion(results: Mapping[str, ModeResult]) -> Markdown:
    """Say which mode is ahead, whether by more than chance, and how validation differs from test.

    Parameters
    ----------
    results
        From `hw4.flowers.train_modes`. A mode in which no epoch was finished is named
        and left out of the comparison.
    """
    learned = {mode: result for mode, result in results.items() if result.learned}
    paragraphs = [
        f"**{_name(mode)}** has learned nothing: {result.history.diverged}."
        for mode, result in results.items()
        if not result.learned
    ]
    if learned:
        paragraphs.append(f"**The modes.** {_ranking(learned)}")
    if {"finetune", "last_layers"} <= learned.keys():
        pair = (learned["finetune"], learned["last_layers"])
        paragraphs.append(f"**B or C.** {_b_or_c(*pair)}")
    if learned:
        paragraphs.append(f"**Validation and test.** {_validation_and_test(learned)}")
    return Markdown("\n\n".join(paragraphs))


def paired_difference(first: Predictions, second: Predictions) -> tuple[float, float]:
    """Return how much more accurate the first is, and the standard error of that.

    Both were asked about the same images, so only those count that one alone has right: with f of
    them for the first and s for the second of n images, the difference is (f - s) / n and its
    standard error √(f + s - (f - s)² / n) / n [1]_. It is smaller than that of two accuracies on
    different images, since an image that is hard for one is mostly hard for the other.

    Raises
    ------
    ValueError
        If the labels are not the same.

    References
    ----------
    .. [1] Agresti, *Categorical Data Analysis*, 3rd edition, 2013, section 11.1.
    """
    f, s = alone_right(first, second)
    n = len(first.labels)
    return (f - s) / n, math.sqrt(f + s - (f - s) ** 2 / n) / n


def alone_right(first: Predictions, second: Predictions) -> tuple[int, int]:
    """Return how many images the first alone has right, and how many the second alone."""
    if not np.array_equal(first.labels, second.labels):
        raise ValueError("the predictions are of different images; compare them on one data set")
    one, two = (p.classes == p.labels for p in (first, second))
    return int((one & ~two).sum()), int((two & ~one).sum())


def more_than_chance(first: Predictions, second: Predictions) -> bool:
    """Return whether one is better than the other by more than chance.

    If both were equally good, each image that one alone has right would be as likely to be the
    first's as the second's: an exact binomial test (McNemar's). Twice the standard error of
    `paired_difference` would be too little where the two differ on a few images only.
    """
    f, s = alone_right(first, second)
    return f + s > 0 and float(binomtest(f, f + s).pvalue) < LEVEL


def _ranking(learned: Mapping[str, ModeResult]) -> str:
    """Order the modes, and compare those that start from ImageNet with the one that does not."""
    # Sorting keeps the order of equals.
    ranked = sorted(learned, key=lambda mode: -learned[mode].test.accuracy)
    tests = {mode: learned[mode].test for mode in ranked}
    places = [f"{_name(m)} {p.accuracy:.1%} ± {standard_error(p):.1%}" for m, p in tests.items()]
    images, classes = tests[ranked[0]].probabilities.shape
    text = (
        f"Of the {images:,} test images the best epochs have right: {'; '.join(places)} (± one "
        f"standard error). Guessing among {classes} classes would give {1 / classes:.1%}. "
    )
    pretrained = [mode for mode in ranked if mode != "scratch"]
    if "scratch" not in learned or not pretrained:
        return text
    worst = pretrained[-1]
    gap, error = paired_difference(tests[worst], tests["scratch"])
    which = ", the weaker of those that start from ImageNet," if len(pretrained) > 1 else ""
    found = f"by {100 * abs(gap):.1f} points (standard error {100 * error:.1f})"
    certain = more_than_chance(tests[worst], tests["scratch"])
    if certain and gap > 0:
        return text + (
            f"{_name(worst)}{which} is ahead of {_name('scratch')} {found}, more than chance: what "
            "the network has learned on other pictures is worth more than what these training "
            "images alone teach it in as many epochs."
        )
    if certain and gap < 0:
        return text + (
            f"{_name(worst)}{which} is behind {_name('scratch')} {found}, more than chance: here "
            "the ImageNet weights are no help."
        )
    if gap == 0:
        return text + f"{_name(worst)}{which} has as many images right as {_name('scratch')}."
    side = "behind" if gap < 0 else "ahead of"
    return text + (
        f"{_name(worst)}{which} is {side} {_name('scratch')} {found}, which may be chance."
    )


def _b_or_c(b: ModeResult, c: ModeResult) -> str:
    """Say whether training all layers or the last ones makes a difference."""
    gap, error = paired_difference(b.test, c.test)
    only_b, only_c = alone_right(b.test, c.test)
    in_b, in_c = (sum(result.history.seconds) / len(result.history) for result in (b, c))
    counts = (
        f"{only_b:,} images are right in B alone and {only_c:,} in C alone: B minus C is "
        f"{_points(gap)} points, with a standard error of {100 * error:.1f}. "
    )
    if more_than_chance(b.test, c.test):
        better = "B: adapting all layers pays" if gap > 0 else "C: keeping the early layers pays"
        verdict = f"That is more than chance, in favour of {better} on these images. "
    else:
        verdict = "That is within chance: this test set cannot tell the two apart. "
    ending = "which trains fewer layers" if in_c < in_b else "though C trains fewer layers"
    return f"{counts}{verdict}An epoch took {in_b:.1f} s in B and {in_c:.1f} s in C, {ending}."


def _validation_and_test(learned: Mapping[str, ModeResult]) -> str:
    """Compare the two accuracies of each mode, with the chance in both."""
    parts, beyond = [], []
    for mode, result in learned.items():
        gap = result.validation.accuracy - result.test.accuracy
        error = math.hypot(standard_error(result.validation), standard_error(result.test))
        parts.append(f"{_name(mode)} {_points(gap)} ± {100 * error:.1f}")
        if abs(gap) > ERRORS * error:
            beyond.append(_name(mode))
    text = (
        "The validation set chose the learning rate and the epoch: the highest of several values "
        "was kept, and chance has a part in which is the highest, so that on average it promises "
        "too much. The test set chose nothing. Validation minus test in percentage points, with "
        f"the standard error of both together: {'; '.join(parts)}. "
    )
    if not beyond:
        return text + (
            f"None is beyond {ERRORS} standard errors: on sets of this size, what the choice adds "
            "cannot be told from chance."
        )
    return text + (
        f"Beyond {ERRORS} standard errors: {'; '.join(beyond)}. Choosing explains a difference "
        "upwards only; the two sets are also different images, of which one may be harder."
    )


def _points(difference: float) -> str:
    """Write a difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def _name(mode: str) -> str:
    return MODE_NAMES.get(mode, mode)
