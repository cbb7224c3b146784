"""Question 2: multinomial logistic regression by mini-batch gradient descent, in NumPy alone.

The mathematics is in `hw3.softmax` and can be imported from here too; this module trains.
"""

import warnings
from typing import Self

import numpy as np
import numpy.typing as npt

from coursework.progress import progress
from hw3.cores import FEWEST_SAMPLES, all_cores
from hw3.estimator import Estimator
from hw3.history import History
from hw3.inputs import check_features, check_samples
from hw3.softmax import (
    Floats,
    Labels,
    accuracy,
    one_hot,
    softmax,
)
from hw3.softmax_blocks import logits_by_blocks, loss_and_classes
from hw3.softmax_epoch import descend_in_batches


class SoftmaxRegression(Estimator):
    """Multinomial logistic regression, trained by mini-batch gradient descent.

    Minimises the mean cross-entropy, without regularisation, starting from weights of zero. It
    follows scikit-learn's conventions. Equal seeds give equal weights, up to the last bits, which
    depend on how many cores share the sums: those of the machine, or one while another thread
    trains.

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
            Finite features, and labels of any kind that can be sorted. float32 is computed with as
            it is; everything else becomes float64.
        X_test, y_test
            Only measured after each epoch, never trained on. Labels that the training set lacks
            count as predicted wrong.

        Raises
        ------
        ValueError
            If the shapes do not fit, a feature is not finite, there are fewer than two classes, or
            a parameter is out of its range.

        Warns
        -----
        RuntimeWarning
            If the loss ends above that of guessing: the steps were too long.
        """
        self._check_parameters()
        if (X_test is None) != (y_test is None):
            raise ValueError("X_test and y_test belong together: give both, or neither")
        train, labels = check_samples(X, y)
        test = None
        if X_test is not None and y_test is not None:
            test, test_labels = check_samples(X_test, y_test, like=train)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"y holds the class {classes.tolist()} alone; expected two")
        Y = one_hot(labels, classes).astype(train.dtype)
        # A class after another in memory, as `logits_by_blocks` arranges the logits.
        W = np.zeros((train.shape[1] + 1, len(classes)), train.dtype, order="F")
        rows = np.ascontiguousarray(train)
        rng = np.random.default_rng(self.random_state)
        losses, train_accuracies, test_accuracies, converged = [], [], [], False
        epochs = range(self.max_epochs)
        bar = progress(epochs, description="training", unit="epoch", show=self.show_progress)

        def record(loss: float, predicted: Labels) -> None:
            losses.append(loss)
            train_accuracies.append(accuracy(labels, classes[predicted]))
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)

        with all_cores() as cores:
            for epoch in bar:
                previous, order = W, rng.permutation(len(rows))
                W, loss, predicted = descend_in_batches(
                    previous, rows, Y, order, self.batch_size, self.learning_rate, cores
                )
                if epoch > 0:
                    record(loss, predicted)
                if test is not None:
                    predicted = logits_by_blocks(W, test, cores).argmax(axis=1)
                    test_accuracies.append(accuracy(test_labels, classes[predicted]))
                with np.errstate(over="ignore"):
                    converged = bool(np.linalg.norm(W - previous) < self.tol)
                if converged:
                    break
            record(*loss_and_classes(logits_by_blocks(W, rows, cores), Y, cores))
        guessing = np.log(len(classes))
        if losses[-1] > 1.001 * guessing:
            warnings.warn(
                f"the loss ended at {losses[-1]:.3g}, above the {guessing:.3g} of guessing: "
                "lower learning_rate, or standardize the features",
                RuntimeWarning,
                stacklevel=2,
            )
        # Only now: an interrupted training leaves the model as it was.
        self.classes_, self.weights_ = classes, W
        self.history_ = History(
            tuple(losses), tuple(train_accuracies), tuple(test_accuracies), converged
        )
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
        return softmax(self._logits(X))

    def predict(self, X: npt.ArrayLike) -> Labels:
        """Return the most probable label for each row of X (m, d), shape (m,)."""
        Z = self._logits(X)
        most_probable: Labels = self.classes_[Z.argmax(axis=1)]
        return most_probable

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the accuracy on X (m, d) with the labels y (m,)."""
        return accuracy(np.asarray(y), self.predict(X))

    def _logits(self, X: npt.ArrayLike) -> Floats:
        if not hasattr(self, "weights_"):
            raise ValueError("this SoftmaxRegression is not trained yet; call fit first")
        features = check_features(X, like=self.coef_)
        if len(features) < 2 * FEWEST_SAMPLES:  # one core's work: no thread is started for it
            return logits_by_blocks(self.weights_, features)
        with all_cores() as cores:
            return logits_by_blocks(self.weights_, features, cores)

    def _check_parameters(self) -> None:
        for name, valid, expected in (
            ("learning_rate", 0 < self.learning_rate < np.inf, "a positive number"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("max_epochs", self.max_epochs >= 1, "1 or more"),
            ("tol", self.tol >= 0, "0 or more"),
        ):
            if not valid:
                raise ValueError(f"{name} is {getattr(self, name)}, expected {expected}")
