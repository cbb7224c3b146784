"""Digits for all tests of homework 3; those of the ROC curves need no PyTorch."""

from pathlib import Path

import pytest

from coursework.profiles import get_profile
from hw3.mnist import Digits, load_mnist


def idx(array) -> bytes:
    """Return an array of bytes as a file of MNIST holds it."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


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
