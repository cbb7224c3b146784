"""A command that is killed at a random moment: the next run makes the same, and tidies up."""

import sys

import pytest

from tests.kills import kill

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tried on Linux alone")


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("fetch", 3),
        ("pdf", 2),
        ("submit", 1),
        pytest.param("training", 3, marks=pytest.mark.hw4_flowers),
    ],
)
def test_a_run_after_a_kill_is_like_one_that_nobody_stopped(name, times):
    kill(name, times)
