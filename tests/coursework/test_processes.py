"""Several processes: they meet, share the work, and say so if one of them is gone."""

import json
import os
import socket
import subprocess
import sys

import pytest
from torch import distributed

from coursework.processes import Group, ProcessLostError, current_group, process_group
from coursework.profiles import ROOT
from coursework.runtime import choose_device


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def environment(rank, size, port):
    """Return what torchrun tells each process that it starts."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def run(program, port, size):
    """Run a program in some processes; return what each printed, and its exit code."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=os.environ
            | environment(rank, size, port)
            | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    try:
        return [(process.communicate(timeout=120)[0], process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()


def test_without_torchrun_one_process_does_everything():
    with process_group() as device:
        group = current_group()
    assert device == choose_device()
    assert group == Group(rank=0, size=1)
    assert list(group.share_out("abc")) == ["a", "b", "c"]
    assert group.from_first("x") == "x"
    assert group.from_all("x") == ["x"]


def test_every_item_is_handed_to_one_process_and_values_are_exchanged(free_port):
    program = """
import json
from coursework.processes import current_group, process_group
with process_group("cpu", patience=60) as device:
    group = current_group()
    shares = [list(group.share_out(items)) for items in (range(5), range(3), [])]
    told = group.from_first(f"by {group.rank}")
    print(json.dumps([str(device), shares, told, group.from_all(group.rank)]))
"""
    ends = run(program, free_port, 2)
    (here, ours, *exchanged), (there, theirs, *again) = [json.loads(end) for end, _ in ends]
    assert here == there == "cpu"
    for mine, others, items in zip(ours, theirs, ([0, 1, 2, 3, 4], [0, 1, 2], []), strict=True):
        assert sorted(mine + others) == items
    assert exchanged == again == ["by 0", [0, 1]]


def test_a_process_that_ends_is_noticed_by_the_others(free_port):
    program = """
import os
from coursework.processes import ProcessLostError, current_group, process_group
try:
    with process_group("cpu", patience=60):
        group = current_group()
        group.from_all("is here")
        if group.rank == 1:
            os._exit(3)
        group.from_all("is here no more")
except ProcessLostError as error:
    print(error)
"""
    (message, _), (_, code) = run(program, free_port, 2)
    assert code == 3
    assert message.startswith("another process of this run has ended, or does not answer (")
    assert message.strip().endswith("run the same command again to go on from here")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_never_comes_is_given_up(monkeypatch, free_port, rank):
    for name, value in environment(rank, 2, free_port).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProcessLostError) as caught, process_group("cpu", patience=1):
        pass
    assert "\n" not in str(caught.value)
    assert not distributed.is_initialized()


def test_another_error_ends_the_group_and_stays_as_it_is(monkeypatch, free_port):
    for name, value in environment(0, 1, free_port).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match=r"^out of memory$"), process_group("cpu"):
        raise RuntimeError("out of memory")
    assert not distributed.is_initialized()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the threads in /proc")
def test_a_network_that_was_built_in_the_group_keeps_no_thread_of_it(free_port):
    """Python would abort at its end."""
    program = """
from pathlib import Path
from coursework.processes import process_group
from coursework.backbones import build_classifier
with process_group("cpu"):
    build_classifier("efficientnet_lite0", None)
print(*[(thread / "comm").read_text().strip() for thread in Path("/proc/self/task").iterdir()])
"""
    ((threads, code),) = run(program, free_port, 1)
    assert code == 0
    assert "gloo" not in threads
