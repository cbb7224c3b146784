"""Question 1, many processes: they meet, or say that somebody is missing."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest
from torch import distributed

from coursework.profiles import ROOT
from hw3.features import process_group, processes
from hw3.features.processes import ProcessLostError, all_alive

pytestmark = pytest.mark.hw3_q1


@pytest.fixture
def one_of(monkeypatch):
    """Make this the first of some processes; the store is that of torchrun's agent."""
    store = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def set_size(size):
        for name, value in {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(store.port),
            "RANK": "0",
            "TORCHELASTIC_RESTART_COUNT": "0",
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "WORLD_SIZE": str(size),
        }.items():
            monkeypatch.setenv(name, value)

    return set_size


def test_each_queue_is_numbered_from_one(one_of):
    one_of(1)
    with process_group() as take_ticket:
        assert [take_ticket(name) for name in "aaba"] == [1, 2, 1, 3]
    assert not distributed.is_initialized()


def test_the_group_ends_when_the_work_fails(one_of):
    one_of(1)
    with pytest.raises(KeyboardInterrupt), process_group():
        raise KeyboardInterrupt
    assert not distributed.is_initialized()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the threads in /proc")
def test_no_thread_of_the_group_is_left_when_a_network_was_built_in_it(one_of, monkeypatch):
    one_of(1)
    program = """
from pathlib import Path
from hw3.features import process_group
from hw3.features import build_extractor
with process_group():
    build_extractor("efficientnet_lite0", None)
print(*[(thread / "comm").read_text().strip() for thread in Path("/proc/self/task").iterdir()])
"""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "gloo" not in run.stdout


def test_a_process_that_never_comes_is_not_waited_for_as_long_as_a_slow_one(one_of, monkeypatch):
    monkeypatch.setattr(processes, "JOIN", timedelta(seconds=1))
    one_of(2)
    with pytest.raises(ProcessLostError, match="process 1"), process_group():
        pass
    assert not distributed.is_initialized()


def test_a_machine_that_cannot_be_reached_is_an_error_of_one_line(one_of, monkeypatch):
    monkeypatch.setattr(processes, "JOIN", timedelta(seconds=1))
    one_of(2)
    monkeypatch.setenv("MASTER_PORT", "1")
    with pytest.raises(ProcessLostError) as caught, process_group():
        pass
    assert re.fullmatch("another process of this run has ended, or .*", str(caught.value))


def test_what_is_wrong_otherwise_stays_what_it_is():
    with pytest.raises(ValueError, match="else"), all_alive():
        raise ValueError("something else")
