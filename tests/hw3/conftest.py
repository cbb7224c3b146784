"""Digits, and their features, computed once for all tests of homework 3."""

from pathlib import Path

import pytest

from coursework.profiles import get_profile
from hw3.features import Features, Preprocessing, build_extractor, compute_features
from hw3.mnist import Digits, load_mnist


@pytest.fixture(scope="session")
def digits() -> dict[str, Digits]:
    root = get_profile("embedded").mnist_root
    return {split: load_mnist(root, split) for split in ("train", "test")}


@pytest.fixture(scope="session")
def some_digits(digits) -> Digits:
    return Digits(digits["train"].images[:23], digits["train"].labels[:23])


@pytest.fixture(scope="session")
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


@pytest.fixture
def mat_file(tmp_path) -> Path:
    return tmp_path / "features.mat"
