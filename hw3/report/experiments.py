"""Question 2, "modify and see": the same training with one thing changed at a time."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from coursework.side_by_side import side_by_side
from hw3.features import Features, Preprocessing, build_extractor, compute_features, pixels
from hw3.mnist import Digits
from hw3.softmax_regression import DivergenceWarning, History, SoftmaxRegression, standardize

Result = TypeVar("Result")


@dataclass(frozen=True)
class Trial:
    """One training of a sweep: the parameter of `SoftmaxRegression` that varies, and its value."""

    parameter: str
    value: float
    history: History


@dataclass(frozen=True)
class Comparison:
    """The test accuracy on features of one kind, which are ``width`` numbers for each image.

    The features are taken as they are, and standardised to mean 0 and standard deviation 1.
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
    parameter, values
        A parameter of `SoftmaxRegression`, such as ``"learning_rate"``, and the values to try.
    train, test
        Features and labels.
    **settings
        The other parameters of `SoftmaxRegression`, the same for all.

    Raises
    ------
    ValueError
        If a value occurs twice, or `SoftmaxRegression.fit` refuses one.
    """
    if len(set(values)) < len(values):
        raise ValueError(f"{parameter} = {values}: a value stands there twice; name each one once")
    runs = {
        f"{parameter} = {value!r}": partial(_trial, parameter, value, train, test, settings)
        for value in values
    }
    return tuple(_train_side_by_side(runs, parameter))


def _trial(
    parameter: str, value: float, train: Features, test: Features, settings: Mapping[str, Any]
) -> Trial:
    model = SoftmaxRegression(**settings).set_params(**{parameter: value})
    model.fit(train.features, train.labels, test.features, test.labels)
    return Trial(parameter, value, model.history_)


def baselines(
    train: Digits,
    test: Digits,
    backbone: str,
    preprocessing: Preprocessing,
    *,
    seed: int,
    **how: Any,
) -> dict[str, tuple[Features, Features]]:
    """Return features that pretrained ones have to beat: pixels, and those of untrained networks.

    Parameters
    ----------
    train, test
        The digits.
    backbone, preprocessing
        The pretrained network to compare with, and the preprocessing of its images. The same
        network is run here with random weights, and so is ResNet-50 on digits of 28 x 28 pixels,
        as the homework sets it.
    seed
        Seed of the random weights.
    **how
        The batch size, device and precision, as `hw3.features.compute_features` takes them.

    Returns
    -------
    dict
        From a name to the features of the training and of the test set.
    """
    sets = {"pixels": (pixels(train), pixels(test))}
    for name, seen in {"resnet50": Preprocessing(), backbone: preprocessing}.items():
        network = build_extractor(name, None, seed=seed)
        made = [
            compute_features(digits, network, seen, description=f"untrained {name}", **how)
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
    runs = {}
    for name, (train, test) in sets.items():
        runs[f"{name}, as they are"] = partial(_test_accuracy, train, test, False, settings)
        runs[f"{name}, standardised"] = partial(_test_accuracy, train, test, True, settings)
    accuracies = _train_side_by_side(runs, "features")
    return tuple(
        Comparison(name, train.features.shape[1], as_they_are, standardised)
        for (name, (train, _)), as_they_are, standardised in zip(
            sets.items(), accuracies[::2], accuracies[1::2], strict=True
        )
    )


def _test_accuracy(
    train: Features, test: Features, standardised: bool, settings: Mapping[str, Any]
) -> float:
    """Train on one kind of features, and return the accuracy on the test set."""
    X, X_test = train.features, test.features
    if standardised:
        X, X_test = standardize(X, X_test)
    return SoftmaxRegression(**settings).fit(X, train.labels).score(X_test, test.labels)


def _train_side_by_side(runs: Mapping[str, Callable[[], Result]], description: str) -> list[Result]:
    """Train side by side, without warnings of divergence: the table shows how each run ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        return side_by_side(runs, description=description, unit="run")
