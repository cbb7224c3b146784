"""Question 2, training: every sample used, repeatable, as good as scikit-learn's."""

import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hw3.softmax import apply_gradients, one_hot
from hw3.softmax_regression import DivergenceWarning, SoftmaxRegression, standardize

pytestmark = pytest.mark.hw3_q2


@pytest.fixture
def blobs():
    """Three overlapping clouds, labelled 10, 20 and 30."""
    rng = np.random.default_rng(7)
    y = rng.choice([10, 20, 30], size=200)
    return rng.normal(size=(200, 4)) + 0.1 * (y[:, None] - 20) * [1, 0, -1, 0.5], y


def test_the_steps_are_those_of_apply_gradients(blobs):
    """200 samples in batches of 64, each epoch in a new order: the last batch holds 8 samples."""
    X, y = blobs
    Y = one_hot(y, np.unique(y))
    found = SoftmaxRegression(0.1, batch_size=64, max_epochs=2).fit(X, y).weights_
    W, rng = np.zeros((5, 3)), np.random.default_rng(0)
    for _ in range(2):
        order = rng.permutation(len(X))
        for start in range(0, len(X), 64):
            batch = order[start : start + 64]
            W = apply_gradients(W, X[batch], Y[batch], 0.1)
    np.testing.assert_allclose(found, W, rtol=1e-10)


def test_full_batches_equal_pytorchs_gradient_descent(blobs):
    X, y = blobs
    ours = SoftmaxRegression(0.3, batch_size=len(X), max_epochs=25).fit(X, y)
    linear = torch.nn.Linear(4, 3, dtype=torch.float64)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    targets = torch.tensor(y // 10 - 1)
    for epoch in range(25):
        loss = torch.nn.functional.cross_entropy(linear(torch.tensor(X)), targets)
        for parameter, slope in zip(
            linear.parameters(), torch.autograd.grad(loss, linear.parameters()), strict=True
        ):
            parameter.data -= 0.3 * slope
        after = torch.nn.functional.cross_entropy(linear(torch.tensor(X)), targets)
        assert ours.history_.loss[epoch] == pytest.approx(after.item(), rel=1e-12)
    np.testing.assert_allclose(ours.coef_, linear.weight.detach(), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(ours.intercept_, linear.bias.detach(), rtol=1e-10, atol=1e-13)


def test_it_converges_to_the_minimum_that_scikit_learn_finds(blobs):
    X, y = blobs
    ours = SoftmaxRegression(0.5, batch_size=len(X), max_epochs=20000, tol=1e-9).fit(X, y)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(X, y)
    assert ours.history_.converged
    assert log_loss(y, ours.predict_proba(X)) == pytest.approx(
        log_loss(y, theirs.predict_proba(X)), rel=1e-9
    )
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


def test_an_epoch_that_overflows_is_undone_and_ends_the_training():
    """Each of these steps moves the logits by a tenth of the largest number or more."""
    X, y = np.float32([[1], [2], [3], [4]]), [0, 0, 1, 1]
    with pytest.warns(DivergenceWarning, match="overflowed in epoch 3, which was undone: lower"):
        model = SoftmaxRegression(5e37, max_epochs=9).fit(X, y, X, y)
    with pytest.warns(DivergenceWarning, match="above the 0.693 of guessing: lower"):
        before = SoftmaxRegression(5e37, max_epochs=2).fit(X, y, X, y)
    assert model.history_.overflowed
    assert not model.history_.converged
    np.testing.assert_array_equal(model.weights_, before.weights_)
    for undone, kept in (
        (model.history_.loss, before.history_.loss),
        (model.history_.train_accuracy, before.history_.train_accuracy),
        (model.history_.test_accuracy, before.history_.test_accuracy),
    ):
        assert undone == (*kept, kept[-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_any_finite_input_gives_a_finite_model(dtype, data):
    """The weights, what is recorded, and the probabilities, also of features never seen."""
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=8 * np.dtype(dtype).itemsize)
    X, X_new = (data.draw(arrays(dtype, (4, 3), elements=numbers)) for _ in range(2))
    rate = data.draw(st.sampled_from([1e-3, 1.0, 1e10]))
    untouched = X.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as NumPy's about an overflow
        warnings.simplefilter("ignore", DivergenceWarning)
        model = SoftmaxRegression(rate, batch_size=2, max_epochs=5).fit(X, [0, 1, 0, 2])
        P = model.predict_proba(X_new)
    assert model.weights_.dtype == P.dtype == dtype
    assert np.isfinite(model.weights_).all()
    assert np.isfinite(model.history_.loss).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(X, untouched)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(blobs):
    X, y = blobs
    weights = [
        SoftmaxRegression(batch_size=16, max_epochs=3, random_state=seed).fit(X, y).weights_
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_each_epoch_is_measured_with_the_weights_at_its_end(blobs, epochs):
    X, y = blobs
    model = SoftmaxRegression(0.1, batch_size=64, max_epochs=3).fit(X, y)
    earlier = SoftmaxRegression(0.1, batch_size=64, max_epochs=epochs).fit(X, y)
    loss = log_loss(y, earlier.predict_proba(X))
    assert model.history_.loss[epochs - 1] == pytest.approx(loss, rel=1e-12)
    assert model.history_.train_accuracy[epochs - 1] == earlier.score(X, y)


def test_history_has_one_entry_an_epoch(blobs):
    X, y = blobs
    history = SoftmaxRegression(max_epochs=6).fit(X, y, X[:50], y[:50]).history_
    assert len(history) == len(history.train_accuracy) == len(history.test_accuracy) == 6
    assert not history.converged
    assert SoftmaxRegression(max_epochs=6).fit(X, y).history_.test_accuracy == ()


def test_the_test_set_is_never_trained_on(blobs):
    X, y = blobs
    with_test = SoftmaxRegression(max_epochs=3).fit(X, y, 100 * X[:20], y[:20][::-1])
    without = SoftmaxRegression(max_epochs=3).fit(X, y)
    np.testing.assert_array_equal(with_test.weights_, without.weights_)


def test_labels_line_up_with_the_training_classes(blobs):
    X, y = blobs
    lacking = y != 20
    model = SoftmaxRegression(0.1).fit(X, y, X[lacking], y[lacking])
    assert model.classes_.tolist() == [10, 20, 30]
    assert model.history_.test_accuracy[-1] == np.mean(model.predict(X[lacking]) == y[lacking])
    assert model.history_.test_accuracy[-1] > 0.7
    names = np.array(["", "one", "two", "three"])[y // 10]
    assert set(SoftmaxRegression(0.1).fit(X, names).predict(X)) <= {"one", "two", "three"}


def test_a_label_unknown_in_training_counts_as_wrong(blobs):
    X, y = blobs
    model = SoftmaxRegression(0.1).fit(X, y, X[:10], np.full(10, 99))
    assert model.history_.test_accuracy[-1] == 0


def test_scikit_learns_tools_take_it(blobs):
    X, y = blobs
    model = clone(SoftmaxRegression(learning_rate=0.2).set_params(max_epochs=7))
    assert model.get_params()["learning_rate"] == 0.2
    assert model.fit(X, y) is model
    assert model.coef_.shape == (3, 4)
    assert model.intercept_.shape == (3,)
    assert len(model.history_) == 7
    assert repr(model).startswith("SoftmaxRegression(learning_rate=0.2, batch_size=512")
    with pytest.raises(ValueError, match="no parameter 'rate'; there are learning_rate"):
        model.set_params(rate=1)
    piped = make_pipeline(StandardScaler(), SoftmaxRegression(learning_rate=0.3))
    scores = cross_val_score(piped, X, y, cv=3)
    assert scores.min() > 0.6  # guessing would be one third
    search = GridSearchCV(SoftmaxRegression(), {"learning_rate": [1e-9, 0.1]}, cv=3).fit(X, y)
    assert search.best_params_ == {"learning_rate": 0.1}


def test_training_does_not_copy_the_features():
    """A column of ones appended to all of them would be a second set of features."""
    X = np.random.default_rng(0).normal(size=(20_000, 50)).astype(np.float32)
    y = np.arange(len(X)) % 2
    tracemalloc.start()
    try:
        SoftmaxRegression(max_epochs=2).fit(X, y).predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.6 * X.nbytes


@pytest.mark.handed_out
def test_a_test_set_needs_its_labels(blobs):
    with pytest.raises(ValueError, match="X_test and y_test belong together"):
        SoftmaxRegression().fit(*blobs, blobs[0])


class Interrupted(np.random.Generator):
    """A generator during whose second epoch the user presses Ctrl-C."""

    epochs = 0

    def permutation(self, x, axis=0):
        self.epochs += 1
        if self.epochs == 2:
            raise KeyboardInterrupt
        return super().permutation(x, axis)


def test_an_interrupted_training_leaves_the_model_as_it_was(blobs):
    X, y = blobs
    model = SoftmaxRegression(0.1).fit(X, y)
    before = model.predict(X)
    model.set_params(random_state=Interrupted(np.random.PCG64()))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, np.where(y == 10, "a", "b"))
    np.testing.assert_array_equal(model.predict(X), before)


def test_training_ends_when_the_weights_move_by_less_than_the_tolerance(blobs):
    """The Euclidean norm of the movement counts: a tolerance above that of an epoch ends it."""
    X, y = blobs
    moved = np.linalg.norm(SoftmaxRegression(max_epochs=1).fit(X, y).weights_)
    ended = SoftmaxRegression(tol=moved * 1.001).fit(X, y).history_
    assert (ended.converged, len(ended)) == (True, 1)
    assert len(SoftmaxRegression(tol=moved * 0.999, max_epochs=2).fit(X, y).history_) == 2


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [[0, 1]], r"y has the shape \(1, 2\), expected \(2,\).*ravel"),
        ([[1.0], [2.0]], [0, 1, 1], r"y has the shape \(3,\)"),
        ([1.0, 2.0], [0, 1], r"X has the shape \(2,\), expected \(samples, features\)"),
        (np.zeros((0, 3)), [], "expected"),
        ([[1.0], [np.nan], [np.inf]], [0, 1, 1], "undefined numbers in 2 rows, the first at 1"),
        ([[1.0], [2.0]], [5, 5], r"y holds the class \[5\] alone"),
        ([[1.0], [2.0]], [0.0, np.nan], "y holds labels that are no numbers"),
        ([[1.0], [2.0]], np.array([0.0, np.nan], object), "y holds labels that are no numbers"),
        ([[1.0], [2.0]], [0, None], "y holds NoneType, int, expected numbers alone or texts"),
        ([[1.0], [2.0]], ["a", 1], "y holds int, str, expected numbers alone or texts alone"),
        ([[1.0], [2.0]], ["a", np.nan], "y holds float, str"),
        ([[1.0], [2.0]], [1, 2j], "y holds complex128, expected numbers or texts"),
        ([[1.0], [2.0]], np.ma.array([0, 1], mask=[0, 1]), "y has masked values"),
        (scipy.sparse.eye(2), [0, 1], r"X is a sparse matrix; use X\.toarray\(\)"),
        ([[1.0], [2.0]], scipy.sparse.eye(2), r"y is a sparse matrix; use y\.toarray\(\)"),
        ([[1.0], [None]], [0, 1], "X holds infinite or undefined numbers in 1 rows"),
        ([["a"], ["b"]], [0, 1], "X holds .*, expected real numbers"),
        ([[1.0], [2j]], [0, 1], "X holds .*, expected real numbers"),
        (np.ma.array([[1.0], [2.0]], mask=[[0], [1]]), [0, 1], "X has masked values"),
    ],
)
def test_samples_that_do_not_fit_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxRegression().fit(X, y)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    "parameter",
    [
        *({"learning_rate": 0}, {"learning_rate": np.nan}, {"batch_size": 0}, {"max_epochs": 0}),
        *({"batch_size": 512.0}, {"max_epochs": 2.5}, {"learning_rate": "0.1"}, {"tol": None}),
        *({"random_state": "a"}, {"random_state": -1}),
    ],
)
def test_parameters_out_of_range_are_refused(parameter, blobs):
    (name,) = parameter
    with pytest.raises(ValueError, match=f"{name} is .*, expected"):
        SoftmaxRegression(**parameter).fit(*blobs)


def test_inputs_of_another_width_and_untrained_models_are_refused(blobs):
    with pytest.raises(ValueError, match="call fit first"):
        SoftmaxRegression().predict([[1.0]])
    model = SoftmaxRegression(max_epochs=1).fit(*blobs)
    with pytest.raises(ValueError, match="X has 2 features, expected 4 as in training"):
        model.predict([[1.0, 2.0]])


def test_without_features_the_bias_is_learned_alone():
    model = SoftmaxRegression(learning_rate=1.0).fit(np.ones((40, 0)), [0, 1, 1, 1] * 10)
    np.testing.assert_allclose(model.predict_proba(np.ones((1, 0))), [[0.25, 0.75]], atol=1e-3)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float16, np.ndarray.tolist])
def test_whole_numbers_and_lists_are_numbers_too(kind, blobs):
    """Integers, cast back to integers, would make every gradient zero."""
    X, y = np.abs(blobs[0] * 10).round(), blobs[1]
    given_X = X.tolist() if kind is np.ndarray.tolist else X.astype(kind)
    expected = SoftmaxRegression(max_epochs=2).fit(X, y)
    found = SoftmaxRegression(max_epochs=2).fit(given_X, y)
    assert found.weights_.dtype == np.float64
    np.testing.assert_array_equal(found.weights_, expected.weights_)


def test_float32_stays_float32_whatever_the_type_of_the_learning_rate(blobs):
    X, y = np.float32(blobs[0]), blobs[1]
    model = SoftmaxRegression(np.float64(0.1), max_epochs=2).fit(X, y)
    assert model.weights_.dtype == model.predict_proba(X.tolist()).dtype == np.float32


def test_features_in_columns_or_with_gaps_give_the_same(blobs):
    """A MATLAB file holds a matrix column by column."""
    X, y = blobs
    expected = SoftmaxRegression(max_epochs=2).fit(X, y).weights_
    for given_X in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(
            SoftmaxRegression(max_epochs=2).fit(given_X, y).weights_, expected
        )


def test_a_number_that_float32_cannot_hold_is_refused_by_a_model_in_float32(blobs):
    model = SoftmaxRegression(max_epochs=1).fit(np.float32(blobs[0]), blobs[1])
    with pytest.raises(ValueError, match=r"in 1 rows, the first at 1 \(as float32, which the"):
        model.predict([[1.0, 2.0, 3.0, 4.0], [1e300, 0.0, 0.0, 0.0]])


def test_score_refuses_labels_that_would_be_compared_in_pairs(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"y has the shape \(1, 200\).*ravel"):
        SoftmaxRegression(max_epochs=1).fit(X, y).score(X, y[np.newaxis])


@pytest.mark.parametrize(
    ("labels", "others"),
    [([10, 20], ["10", "20"]), (["10", "20"], [10, 20]), (["a", "b"], [b"a", b"b"])],
)
def test_labels_of_another_kind_are_refused_where_they_would_never_be_equal(labels, others):
    X = [[0.0], [1.0]]
    model = SoftmaxRegression(1.0, max_epochs=50).fit(X, labels)
    assert model.score(X, labels) == 1
    with pytest.raises(ValueError, match=r"y holds .*, expected .* as in training"):
        model.score(X, others)
    with pytest.raises(ValueError, match=r"y holds .*, expected .* as in training"):
        model.fit(X, labels, X, others)


@pytest.mark.parametrize(
    "given_y",
    [
        [False, True],
        [0.0, 1.0],
        np.array([0, 1], object),
        np.array([0.0, 1], object),
        [torch.tensor(0), torch.tensor(1)],
        [np.bool_(False), np.bool_(True)],
    ],
)
def test_numbers_are_numbers_whatever_holds_them(given_y):
    X = [[0.0], [1.0]]
    model = SoftmaxRegression(1.0, max_epochs=50).fit(X, given_y)
    assert model.classes_.tolist() == [0, 1]
    assert model.score(X, [0, 1]) == model.score(X, [False, True]) == 1


def test_texts_in_an_array_of_objects_are_texts():
    """As pandas hands them on."""
    X = [[0.0], [1.0]]
    model = SoftmaxRegression(1.0, max_epochs=50).fit(X, np.array(["a", "b"], object))
    assert model.predict(X).tolist() == ["a", "b"]
    assert model.score(X, ["a", "b"]) == 1


# Standardising


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([[1.0, 2.0]], r"X has the shape \(2,\)"),
        ([[[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0]]], r"the sets have \[2, 1\] features"),
        ([[[1.0], [np.nan]]], "undefined numbers in 1 rows"),
    ],
)
def test_sets_that_cannot_be_standardised_are_refused(others, message):
    with pytest.raises(ValueError, match=message):
        standardize(*others)


@pytest.mark.handed_out
def test_standardize_is_scikit_learns_scaler():
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 5, size=(50, 4)), rng.normal(size=(20, 4))
    scaler = StandardScaler().fit(train)
    ours = standardize(train, test)
    np.testing.assert_allclose(ours[0], scaler.transform(train), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours[1], scaler.transform(test), rtol=1e-10, atol=1e-12)


@pytest.mark.handed_out
@given(arrays(np.float64, (6, 3), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_any_finite_training_set_stays_finite_when_standardised(train):
    (scaled,) = standardize(train)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= np.sqrt(6) * (1 + 1e-9)


@pytest.mark.handed_out
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e300])
def test_a_constant_feature_becomes_zero(value):
    (scaled,) = standardize(np.full((5, 1), value))
    np.testing.assert_allclose(scaled, 0, atol=1e-12)


@pytest.mark.handed_out
def test_standardize_keeps_the_precision_and_leaves_its_input_alone():
    train = np.arange(6, dtype=np.float32).reshape(3, 2)
    before = train.copy()
    assert standardize(train)[0].dtype == np.float32
    np.testing.assert_array_equal(train, before)
    assert standardize(np.arange(6).reshape(3, 2))[0].dtype == np.float64
