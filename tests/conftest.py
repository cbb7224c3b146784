"""What all tests share."""

import ipaddress
import os
import signal
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from coursework.profiles import ROOT

# Shared machines stall at random: a slow example is not a failure.
hypothesis.settings.register_profile("coursework", deadline=None, max_examples=60)
hypothesis.settings.load_profile("coursework")

# A shell that starts commands in the background lets them ignore Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)


def stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail the test that connects to another machine: all of them pass without a network."""
    if event == "socket.connect" and isinstance(address := arguments[1], tuple):
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test connects to {host}, which is not this machine")


sys.addaudithook(stay_on_this_machine)

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
