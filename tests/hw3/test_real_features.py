"""Question 2 on features of a real network; they take long, so the points are given elsewhere."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from coursework.profiles import get_profile
from hw3.features import Features, Preprocessing, build_extractor, compute_features
from hw3.mnist import Digits
from hw3.softmax_regression import DivergenceWarning, SoftmaxRegression, standardize

pytestmark = pytest.mark.hw3_q2


@pytest.fixture(scope="module")
def pretrained_features(digits) -> dict[str, Features]:
    """What question 1 of the embedded run hands to question 2, for the first 2,000 and 1,000."""
    profile = get_profile("embedded")
    extractor = build_extractor(profile.feature_backbone, profile.feature_weights)
    preprocessing = Preprocessing(image_size=profile.feature_image_size)
    return {
        split: compute_features(
            Digits(part.images[:2000], part.labels[:2000]),
            extractor,
            preprocessing,
            show_progress=False,
        )
        for split, part in digits.items()
    }


def test_on_real_features_it_reaches_scikit_learn_within_a_point(pretrained_features):
    train, test = pretrained_features["train"], pretrained_features["test"]
    X, X_test = standardize(train.features, test.features)
    ours = SoftmaxRegression(learning_rate=0.1).fit(X, train.labels)
    theirs = LogisticRegression(max_iter=1000).fit(X, train.labels)
    reached = ours.score(X_test, test.labels)
    assert reached >= theirs.score(X_test, test.labels) - 0.01
    assert reached >= 0.9


def test_steps_too_long_on_features_of_a_real_network_end_above_guessing(pretrained_features):
    """Features far from zero: where a softmax with a shared maximum gave NaN."""
    X, y = 50 * pretrained_features["train"].features[:1000], np.arange(1000) % 10
    with pytest.warns(DivergenceWarning, match="lower learning_rate, or standardize"):
        model = SoftmaxRegression(learning_rate=10, max_epochs=3).fit(X, y)
    assert len(model.history_) == 3
    assert np.isfinite(model.weights_).all()
    assert np.isfinite(model.history_.loss).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
