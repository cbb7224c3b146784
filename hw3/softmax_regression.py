"""Question 2, the training: multinomial logistic regression by mini-batch gradient descent.

The mathematics of one step is in `hw3.softmax`; this module repeats the step and measures.
"""

import inspect
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from coursework.progress import progress
from hw3.softmax import (
    Floats,
    Labels,
    accuracy,
    all_logits,
    apply_gradients,
    cross_entropy,
    one_hot,
    predict,
    softmax,
)


class DivergenceWarning(RuntimeWarning):
    """The steps of a training were too long: its loss overflowed, or ended above guessing."""


@dataclass(frozen=True)
class History:
    """What was measured at the end of each epoch, one number an epoch.

    Attributes
    ----------
    loss
        Mean cross-entropy on the training set, in nats.
    train_accuracy, test_accuracy
        Share of right predictions; ``test_accuracy`` is empty if there was no test set.
    converged
        Whether training ended because the weights no longer moved.
    overflowed
        Whether training ended because the loss was no longer a finite number. The last epoch was
        then undone, and the last numbers are measured with the weights that it began with.
    """

    loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    test_accuracy: tuple[float, ...]
    converged: bool
    overflowed: bool = False

    def __len__(self) -> int:
        return len(self.loss)


def train(
    X: Floats,
    y: Labels,
    X_test: Floats | None,
    y_test: Labels | None,
    *,
    learning_rate: float,
    batch_size: int,
    max_epochs: int,
    tol: float,
    rng: np.random.Generator,
    show_progress: bool = False,
) -> tuple[Floats, History]:
    """Descend from weights of zero, epoch by epoch, and measure at the end of each.

    This is the loop behind `SoftmaxRegression.fit`, which checks the arguments and explains them.

    Returns
    -------
    tuple of ndarray and History
        The weights, shape (d + 1, K), and what was measured.
    """
    classes = np.unique(y)
    Y = one_hot(y, classes).astype(X.dtype)
    W = np.zeros((X.shape[1] + 1, len(classes)), X.dtype)
    losses, train_accuracies, test_accuracies = [], [], []
    epochs = progress(range(max_epochs), description="training", unit="epoch", show=show_progress)
    for _ in epochs:
        before, order = W, rng.permutation(len(X))
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            W = apply_gradients(W, X[batch], Y[batch], learning_rate)
        loss, train_accuracy = measure(W, X, Y)
        overflowed = not np.isfinite(loss)
        if overflowed:  # The steps were too long. Go back to the last weights that were finite.
            W = before
            loss, train_accuracy = measure(W, X, Y)
        losses.append(loss)
        train_accuracies.append(train_accuracy)
        if not (X_test is None or y_test is None):
            test_accuracies.append(accuracy(y_test, predict(W, X_test, classes)))
        epochs.set_postfix(loss=f"{loss:.3f}", refresh=False)
        converged = not overflowed and bool(np.linalg.norm(W - before) < tol)
        if converged or overflowed:
            break
    measured = tuple(losses), tuple(train_accuracies), tuple(test_accuracies)
    return W, History(*measured, converged, overflowed)


def measure(W: Floats, X: Floats, Y: Floats) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy on X (m, d), whose one-hot labels are Y."""
    Z = all_logits(W, X)
    return cross_entropy(Z, Y), accuracy(Y.argmax(axis=1), Z.argmax(axis=1))


class SoftmaxRegression:
    """Multinomial logistic regression, trained by mini-batch gradient descent.

    Minimises the mean cross-entropy, without regularisation, starting from weights of zero. The
    class follows scikit-learn's conventions. Equal seeds give equal weights, up to the last bits,
    which depend on how many threads BLAS uses.

    Parameters
    ----------
    learning_rate
        What the gradient is multiplied by in a step.
    batch_size
        Samples in a step. The last step of an epoch takes what is left.
    max_epochs
        Passes over the training set, at most.
    tol
        Training ends after an epoch that moved the weights by less than this (Euclidean norm).
    random_state
        A seed or a generator for the order of the samples, which is a new one in each epoch.
    show_progress
        Whether to show a progress bar.

    Attributes
    ----------
    classes_
        The labels of the training set in rising order, shape (K,).
    weights_
        Shape (d + 1, K); the last row is the bias. ``coef_`` (K, d) and ``intercept_`` (K,) are
        the same numbers as scikit-learn arranges them.
    history_
        A `History`.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["low", "low", "high", "high"])
    >>> SoftmaxRegression(learning_rate=1.0, max_epochs=500).fit(X, y).predict(X).tolist()
    ['low', 'low', 'high', 'high']
    """

    classes_: Labels
    weights_: Floats
    history_: History

    def __init__(
        self,
        learning_rate: float = 0.01,
        batch_size: int = 512,
        max_epochs: int = 100,
        tol: float = 1e-10,
        random_state: int | np.random.Generator = 0,
        show_progress: bool = False,
    ) -> None:
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.tol = tol
        self.random_state = random_state
        self.show_progress = show_progress

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        X_test: npt.ArrayLike | None = None,
        y_test: npt.ArrayLike | None = None,
    ) -> Self:
        """Train on X (m, d) and y (m,).

        Parameters
        ----------
        X, y
            Finite features, and labels that are numbers or texts. float32 stays float32;
            everything else becomes float64.
        X_test, y_test
            Only measured after each epoch, never trained on. Labels that the training set lacks
            count as predicted wrong.

        Raises
        ------
        ValueError
            If the shapes do not fit; a feature is not a finite number; labels are missing, of
            several kinds, or of another kind in the test set; there are fewer than two classes; or
            a parameter is out of its range.

        Warns
        -----
        DivergenceWarning
            A RuntimeWarning. The steps were too long: the loss was no longer finite, which ended
            the training with the weights of the epoch before, or it ended above that of guessing.
        """
        self._check_parameters()
        if (X_test is None) != (y_test is None):
            raise ValueError("X_test and y_test belong together: give both, or neither")
        features = _check_features(X)
        labels = _check_labels(y, len(features))
        test_features, test_labels = None, None
        if X_test is not None and y_test is not None:
            test_features = _check_features(X_test, like=features)
            test_labels = _check_labels(y_test, len(test_features), like=labels)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"y holds the class {classes.tolist()} alone; expected two")
        # An overflow ends the training, so NumPy need not warn about it as well.
        with np.errstate(over="ignore", invalid="ignore"):
            weights, history = train(
                np.ascontiguousarray(features),
                labels,
                test_features,
                test_labels,
                # NumPy's own floats would turn float32 into float64.
                learning_rate=float(self.learning_rate),
                batch_size=self.batch_size,
                max_epochs=self.max_epochs,
                tol=self.tol,
                rng=np.random.default_rng(self.random_state),
                show_progress=self.show_progress,
            )
        loss, guessing = history.loss[-1], float(np.log(len(classes)))
        if history.overflowed or loss > 1.001 * guessing:
            problem = (
                f"the loss overflowed in epoch {len(history)}, which was undone"
                if history.overflowed
                else f"the loss ended at {loss:.3g}, above the {guessing:.3g} of guessing"
            )
            advice = "lower learning_rate, or standardize the features"
            warnings.warn(f"{problem}: {advice}", DivergenceWarning, stacklevel=2)
        # The attributes are set at the end: an interrupted training leaves the model as it was.
        self.classes_, self.weights_, self.history_ = classes, weights, history
        return self

    @property
    def coef_(self) -> Floats:
        """Weights without the bias, shape (K, d)."""
        weights: Floats = self.weights_[:-1].T
        return weights

    @property
    def intercept_(self) -> Floats:
        """Biases, shape (K,)."""
        biases: Floats = self.weights_[-1]
        return biases

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Return the probability of each of ``classes_`` for X (m, d), shape (m, K)."""
        with np.errstate(over="ignore"):
            return softmax(self._logits(X))

    def predict(self, X: npt.ArrayLike) -> Labels:
        """Return the most probable label for each row of X (m, d), shape (m,)."""
        Z = self._logits(X)
        most_probable: Labels = self.classes_[Z.argmax(axis=1)]
        return most_probable

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the accuracy on X (m, d) with the labels y (m,), of the kind of ``classes_``."""
        predicted = self.predict(X)
        return accuracy(_check_labels(y, len(predicted), like=self.classes_), predicted)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **parameters: Any) -> Self:
        """Replace parameters by name."""
        known = self.get_params()
        for name, value in parameters.items():
            if name not in known:
                raise ValueError(f"no parameter {name!r}; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn, the only caller of this method, that the class is a classifier."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
        )

    def _logits(self, X: npt.ArrayLike) -> Floats:
        if not hasattr(self, "weights_"):
            raise ValueError("this SoftmaxRegression is not trained yet; call fit first")
        features = _check_features(X, like=self.coef_)
        with np.errstate(over="ignore", invalid="ignore"):
            Z = all_logits(self.weights_, features)
        # Features far larger than those of the training set may overflow. The largest number takes
        # the place of infinity, so that the probabilities are finite.
        return np.nan_to_num(Z, copy=False)

    def _check_parameters(self) -> None:
        rate, tol = self.learning_rate, self.tol
        for name, valid, expected in (
            ("learning_rate", isinstance(rate, Real) and 0 < rate < np.inf, "a positive number"),
            ("batch_size", _is_count(self.batch_size), "a whole number, 1 or more"),
            ("max_epochs", _is_count(self.max_epochs), "a whole number, 1 or more"),
            ("tol", isinstance(tol, Real) and tol >= 0, "0 or more"),
        ):
            if not valid:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}")
        try:
            np.random.default_rng(self.random_state)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"random_state is {self.random_state!r}, expected a seed, 0 or more, or a generator"
            ) from error


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and int(value) >= 1


def standardize(train: npt.ArrayLike, *others: npt.ArrayLike) -> tuple[Floats, ...]:
    """Shift and scale every feature to mean 0 and standard deviation 1 over the training set.

    Parameters
    ----------
    train, *others
        Shape (m, d) each. The other sets, such as the test set, are shifted and scaled by the
        numbers of the training set.

    Returns
    -------
    tuple of ndarray
        The sets in the order given. A feature that is constant over the training set becomes 0
        there.

    Raises
    ------
    ValueError
        If a set is not a matrix of finite numbers, or another set has another width.
    """
    sets = [_check_features(part) for part in (train, *others)]
    if len({part.shape[1] for part in sets}) > 1:
        raise ValueError(
            f"the sets have {[part.shape[1] for part in sets]} features, expected as many in each"
        )
    # Divided by the largest value first, so that squares of large features do not overflow.
    largest = np.abs(sets[0]).max(axis=0)
    largest[largest == 0] = 1
    scaled = sets[0] / largest
    mean = scaled.mean(axis=0, dtype=np.float64).astype(scaled.dtype)
    deviation = scaled.std(axis=0, dtype=np.float64).astype(scaled.dtype)
    # Rounding leaves a constant feature a deviation of some 1e-17 instead of 0.
    deviation[scaled.min(axis=0) == scaled.max(axis=0)] = 1
    return tuple(((part / largest - mean) / deviation).astype(part.dtype) for part in sets)


def _as_array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return an array, unless that would lose what the values say."""
    if hasattr(values, "toarray"):
        raise ValueError(f"{name} is a sparse matrix; use {name}.toarray()")
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; fill or drop them")
    return np.asarray(values)


def _check_features(X: npt.ArrayLike, like: Floats | None = None) -> Floats:
    """Return X (m, d) as finite floats, in the type and with the width of ``like`` if given.

    float32 stays float32, and everything else becomes float64.
    """
    array = _as_array(X, "X")
    if array.ndim != 2 or array.shape[0] == 0:
        raise ValueError(f"X has the shape {array.shape}, expected (samples, features)")
    if array.dtype != np.float32:
        try:
            if array.dtype.kind not in "biufO":
                raise TypeError(f"values of type {array.dtype}")
            array = array.astype(np.float64, copy=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"X holds {error}, expected real numbers") from error
    kind = ""
    if like is not None:
        if array.shape[1] != like.shape[1]:
            raise ValueError(
                f"X has {array.shape[1]} features, expected {like.shape[1]} as in training"
            )
        # A large float64 becomes infinite in float32, and the check below finds it.
        with np.errstate(over="ignore"):
            array = array.astype(like.dtype, copy=False)
        kind = f" (as {like.dtype}, which the model computes in)"
    # If the sum is finite, so is every feature. Another sum may only have overflowed: then each one
    # is tested, which needs an array of truth values, a quarter of the memory of the features.
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    if not np.isfinite(total) and not (finite := np.isfinite(array).all(axis=1)).all():
        raise ValueError(
            f"X holds infinite or undefined numbers in {np.count_nonzero(~finite)} rows, the first "
            f"at {np.argmin(finite)}{kind}; mend or drop them"
        )
    return array


def _check_labels(y: npt.ArrayLike, samples: int, like: Labels | None = None) -> Labels:
    """Return y as a vector with one label for each sample, of the kind of ``like`` if given."""
    labels = _as_array(y, "y")
    if labels.dtype.kind in "USO":
        labels = _of_one_kind(np.array(y, object))
    if labels.shape != (samples,):
        raise ValueError(
            f"y has the shape {labels.shape}, expected ({samples},), one label for each row of X; "
            "labels that loadmat returns are (1, m) or (m, 1): use .ravel()"
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("y holds labels that are no numbers (NaN or infinite); mend or drop them")
    if _kind(labels) is None or (like is not None and _kind(labels) != _kind(like)):
        expected = f"{_kind(like)} as in training" if like is not None else "numbers or texts"
        raise ValueError(f"y holds {_kind(labels) or labels.dtype}, expected {expected}")
    return labels


def _of_one_kind(labels: Labels) -> Labels:
    """Return labels (of any shape) that are objects as numbers or texts; refuse a mixture.

    NumPy would turn the numbers of a list into texts if there is one text among them.
    """
    kinds = {type(label) for label in labels.ravel()}
    for kind in ((Real, np.bool_), (str,), (bytes,)):
        if all(issubclass(found, kind) for found in kinds):
            exact: Labels = np.array(labels.tolist())
            if exact.dtype.kind != "O":
                return exact
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ValueError(f"y holds {found}, expected numbers alone or texts alone; mend or drop them")


def _kind(labels: Labels) -> str | None:
    """Return in a word what labels are: those of two kinds are never equal."""
    return {"U": "texts", "S": "bytes"}.get(
        labels.dtype.kind, "numbers" if labels.dtype.kind in "biuf" else None
    )
