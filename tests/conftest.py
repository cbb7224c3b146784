"""What all tests share."""

import os
from pathlib import Path

import hypothesis
import pytest

from coursework.profiles import ROOT

# Shared machines stall at random: a slow example is not a failure.
hypothesis.settings.register_profile("coursework", deadline=None, max_examples=60)
hypothesis.settings.load_profile("coursework")

SHARED = Path(os.environ.get("COURSEWORK_SHARED", ROOT.parent / "shared"))


def shared_data(name: str) -> Path:
    """Return a folder of real data that lies beside the project, or skip the test by its name."""
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder {name} of the shared data")
    return folder


@pytest.fixture(scope="session")
def all_of_mnist() -> Path:
    return shared_data("mnist")


@pytest.fixture(scope="session")
def shared_notebooks() -> Path:
    return shared_data("notebooks")


@pytest.fixture(scope="session")
def flowers5() -> Path:
    return shared_data("flowers5")


@pytest.fixture(scope="session")
def flowers102_labels() -> Path:
    return shared_data("flowers102-labels")
