"""Question 2, "modify and see": one thing changed at a time, each run from the same start."""

import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hw3.features import Features, Preprocessing
from hw3.mnist import Digits
from hw3.report.experiments import baselines, compare_features, sweep
from hw3.softmax_regression import SoftmaxRegression, standardize

pytestmark = pytest.mark.hw3_q2

SETTINGS = {"batch_size": 16, "max_epochs": 4}


@pytest.fixture
def sets():
    """Training and test features of three clouds, far from zero and of unequal scales."""
    rng = np.random.default_rng(3)
    parts = []
    for size in (90, 45):
        y = np.arange(size) % 3
        X = np.float32(rng.normal(size=(size, 2)) + 2 * np.eye(3)[y, :2]) * [1, 5] + [0, 10]
        parts.append(Features(np.float32(X), y, "clouds", "none", "none"))
    return tuple(parts)


def test_each_trial_is_a_training_of_its_own(sets):
    """Not a run that continues the last: the same as training alone, in any order."""
    train, test = sets
    forward = sweep("learning_rate", [0.01, 0.1], train, test, **SETTINGS)
    backward = sweep("learning_rate", [0.1, 0.01], train, test, **SETTINGS)
    assert [trial.value for trial in forward] == [0.01, 0.1]
    assert forward[0].history == backward[1].history
    assert forward[1].history == backward[0].history
    alone = SoftmaxRegression(learning_rate=0.01, **SETTINGS)
    alone.fit(train.features, train.labels, test.features, test.labels)
    assert forward[0].history == alone.history_


def test_a_run_that_diverges_is_a_result_and_not_a_warning(sets):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        *_, diverged = sweep("learning_rate", [0.01, 10.0, 1e39], *sets, **SETTINGS)
    assert diverged.history.overflowed
    assert np.isfinite(diverged.history.loss).all()


@pytest.mark.parametrize("cores", [1, 2])
def test_the_numbers_do_not_depend_on_the_number_of_cores(cores, monkeypatch):
    """A width at which the threads of BLAS would split a product, and change its last bits."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 700)).astype(np.float32), np.arange(1500) % 10
    wide = Features(X, y, "noise", "none", "none")
    rates = [0.1, 0.2, 0.3]
    with threadpool_limits(1, user_api="blas"):
        alone = [SoftmaxRegression(rate, max_epochs=2).fit(X, y, X, y).history_ for rate in rates]
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(cores))  # what joblib counts as cores
    trials = sweep("learning_rate", rates, wide, wide, max_epochs=2)
    assert [trial.history for trial in trials] == alone


@pytest.mark.handed_out
def test_a_value_that_stands_there_twice_is_refused(sets):
    with pytest.raises(ValueError, match=r"batch_size = \[8, 8\]: a value stands there twice"):
        sweep("batch_size", [8, 8], *sets, **SETTINGS)


def test_a_sweep_replaces_the_parameter_given_among_the_settings(sets):
    trials = sweep("batch_size", [8, 90], *sets, **SETTINGS)
    assert trials[0].history != trials[1].history


def test_standardising_helps_features_far_from_zero(sets):
    (row,) = compare_features({"clouds": sets}, learning_rate=0.5, **SETTINGS)
    assert (row.name, row.width) == ("clouds", 2)
    assert row.standardised > row.as_they_are
    train, test = sets
    for accuracy, X, X_test in (
        (row.as_they_are, train.features, test.features),
        (row.standardised, *standardize(train.features, test.features)),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            alone = SoftmaxRegression(learning_rate=0.5, **SETTINGS).fit(X, train.labels)
        assert accuracy == alone.score(X_test, test.labels)


def test_baselines_are_pixels_and_an_untrained_network(digits):
    train = Digits(digits["train"].images[:6], digits["train"].labels[:6])
    test = Digits(digits["test"].images[:4], digits["test"].labels[:4])
    seen = Preprocessing(image_size=32)
    sets = baselines(train, test, "efficientnet_lite0", seen, seed=1)
    assert list(sets) == ["pixels", "resnet50, untrained", "efficientnet_lite0, untrained"]
    for (ours, other), width in zip(sets.values(), (784, 2048, 1280), strict=True):
        assert ours.features.shape == (6, width)
        assert other.features.shape == (4, width)
        np.testing.assert_array_equal(other.labels, test.labels)
    same = sets["efficientnet_lite0, untrained"][0]
    assert (same.weights, same.preprocessing) == ("untrained, seed 1", str(seen))
    assert sets["resnet50, untrained"][0].preprocessing == str(Preprocessing())


def test_the_homeworks_own_network_is_not_run_twice(digits):
    few = Digits(digits["test"].images[:2], digits["test"].labels[:2])
    sets = baselines(few, few, "resnet50", Preprocessing(), seed=1)
    assert list(sets) == ["pixels", "resnet50, untrained"]
