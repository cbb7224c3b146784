"""Question 2, "modify and see": the same training with one thing changed at a time."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from coursework.progress import progress
from hw3.features import Features, Preprocessing, build_extractor, compute_features, pixels
from hw3.history import History
from hw3.inputs import standardize
from hw3.mnist import Digits
from hw3.softmax_regression import SoftmaxRegression


@dataclass(frozen=True)
class Trial:
    """One training run of a sweep.

    Attributes
    ----------
    parameter, value
        What was varied, by its name in `SoftmaxRegression`, and its value here.
    history
        What was measured after each epoch.
    """

    parameter: str
    value: float
    history: History


@dataclass(frozen=True)
class Comparison:
    """The test accuracy that softmax regression reaches on one kind of features.

    Attributes
    ----------
    name
        What the features are.
    width
        How many there are.
    as_they_are, standardised
        Test accuracy on the features, and on the features shifted and scaled to mean 0 and standard
        deviation 1.
    """

    name: str
    width: int
    as_they_are: float
    standardised: float


def sweep(
    parameter: str,
    values: Sequence[float],
    train: Features,
    test: Features,
    **settings: Any,
) -> tuple[Trial, ...]:
    """Train once for each value of a parameter, each time anew from weights of zero.

    Parameters
    ----------
    parameter
        A parameter of `SoftmaxRegression`, such as ``"learning_rate"``.
    values
        The values to try.
    train, test
        Features and labels.
    **settings
        The other parameters of `SoftmaxRegression`, the same for all.
    """
    trials = []
    for value in progress(values, description=parameter, unit="run"):
        model = SoftmaxRegression(**settings).set_params(**{parameter: value})
        with _divergence_is_a_result():
            model.fit(train.features, train.labels, test.features, test.labels)
        trials.append(Trial(parameter, value, model.history_))
    return tuple(trials)


def baselines(
    train: Digits,
    test: Digits,
    backbone: str,
    preprocessing: Preprocessing,
    *,
    seed: int,
    batch_size: int = 250,
    device: str = "auto",
    precision: str = "fp32",
) -> dict[str, tuple[Features, Features]]:
    """Return what pretrained features have to beat: pixels, and networks that learned nothing.

    Parameters
    ----------
    train, test
        The digits.
    backbone, preprocessing
        The pretrained network that they are for, and what it sees: it is run the same way with
        random weights. ResNet-50 at the size of the digits, the network of the homework, is run
        too.
    seed
        Where the random weights start.
    batch_size, device, precision
        As `hw3.features.compute_features` takes them.

    Returns
    -------
    dict
        From a name to the features of the training and of the test set.
    """
    sets = {"pixels": (pixels(train), pixels(test))}
    for name, seen in {"resnet50": Preprocessing(), backbone: preprocessing}.items():
        network = build_extractor(name, None, seed=seed)
        made = [
            compute_features(
                digits,
                network,
                seen,
                batch_size=batch_size,
                device=device,
                precision=precision,
                description=f"untrained {name}",
            )
            for digits in (train, test)
        ]
        sets[f"{name}, untrained"] = (made[0], made[1])
    return sets


def compare_features(
    sets: Mapping[str, tuple[Features, Features]], **settings: Any
) -> tuple[Comparison, ...]:
    """Train the same classifier on several kinds of features of the same images.

    Parameters
    ----------
    sets
        From a name to the features of the training and of the test set.
    **settings
        Parameters of `SoftmaxRegression`, the same for all.
    """
    rows = []
    for name, (train, test) in progress(sets.items(), description="features", unit="set"):
        scores = []
        for X, X_test in (
            (train.features, test.features),
            standardize(train.features, test.features),
        ):
            with _divergence_is_a_result():
                model = SoftmaxRegression(**settings).fit(X, train.labels)
            scores.append(model.score(X_test, test.labels))
        rows.append(Comparison(name, train.features.shape[1], *scores))
    return tuple(rows)


@contextmanager
def _divergence_is_a_result() -> Iterator[None]:
    """Let a training diverge without a warning: the table that follows shows what became of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the loss ended", RuntimeWarning)
        yield
