"""Digits for all tests of homework 3; those of the ROC curves need no PyTorch."""

from pathlib import Path

import pytest

from coursework.profiles import get_profile
from hw3.mnist import Digits, load_mnist


def idx(array) -> bytes:
    """Return an array of bytes as a file of MNIST holds it."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def history(epochs=25, offset=0.0):
    """Return what a training might have measured."""
    # Imported here: answers that cannot be imported fail their own tests alone.
    from hw3.softmax_regression import History

    rising = tuple(0.5 + epoch / 100 for epoch in range(epochs))
    falling = tuple(1 + offset - epoch / 50 for epoch in range(epochs))
    return History(falling, rising, tuple(value - 0.01 for value in rising), False)


@pytest.fixture(scope="session")
def digits() -> dict[str, Digits]:
    root = get_profile("embedded").mnist_root
    return {split: load_mnist(root, split) for split in ("train", "test")}


@pytest.fixture(scope="session")
def some_digits(digits) -> Digits:
    return Digits(digits["train"].images[:23], digits["train"].labels[:23])


@pytest.fixture
def mat_file(tmp_path) -> Path:
    return tmp_path / "features.mat"
