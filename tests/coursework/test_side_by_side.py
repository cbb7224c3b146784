"""Runs side by side, in threads or processes: in order, on all cores, and ended together."""

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
from joblib import cpu_count, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from coursework.profiles import ROOT
from coursework.side_by_side import side_by_side


def blas_threads():
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


def run_all(runs):
    return side_by_side(runs, description="test", unit="run")


def test_results_come_in_the_order_of_the_runs():
    def wait(seconds):
        time.sleep(seconds)
        return seconds

    pauses = [0.05, 0.0, 0.02]
    assert run_all({str(pause): partial(wait, pause) for pause in pauses}) == pauses


def test_matrix_products_use_one_thread_while_the_runs_last():
    with threadpool_limits(2, user_api="blas"):
        assert run_all({"a": blas_threads, "b": blas_threads}) == [{1}, {1}]
        assert blas_threads() == {2}


def test_an_error_names_its_run_and_keeps_its_type():
    def overflow():
        raise FloatingPointError("the numbers are too large")

    with pytest.raises(FloatingPointError, match="too large") as caught:
        run_all({"rate = 1": int, "rate = 2": overflow})
    assert caught.value.__notes__ == ["This happened in the run with rate = 2."]


def interrupt():
    _thread.interrupt_main()  # what Ctrl-C does
    time.sleep(10)


def fail():
    raise ValueError("stop")


@pytest.mark.skipif(cpu_count() < 2, reason="on one core nothing runs beside the failing run")
@pytest.mark.parametrize(("end", "error"), [(interrupt, KeyboardInterrupt), (fail, ValueError)])
def test_an_interrupt_or_an_error_ends_the_other_runs(end, error):
    started, ended = threading.Event(), threading.Event()

    def endless():
        started.set()
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    def end_all():
        started.wait(10)
        time.sleep(0.1)  # by then all runs are on their way or in line
        end()

    with pytest.raises(error):
        run_all({"endless": endless, "failing": end_all, "waiting": endless})
    assert ended.wait(10)


def in_processes(runs):
    return side_by_side(runs, description="test", unit="run", processes=True)


def place(number):
    import torch

    return number, os.getpid(), torch.get_num_threads()


def test_processes_have_one_thread_each_and_results_come_in_order():
    found = in_processes({str(number): partial(place, number) for number in range(3)})
    numbers, places, threads = zip(*found, strict=True)
    assert numbers == (0, 1, 2)
    assert threads == (1, 1, 1)
    assert cpu_count() == 1 or os.getpid() not in places


def test_one_process_for_all_has_one_thread_too():
    """As in a container that is given one core of many."""
    with threadpool_limits(2), parallel_config(backend="sequential"):
        assert in_processes({"a": partial(place, 0)}) == [(0, os.getpid(), 1)]
        assert place(0) == (0, os.getpid(), 2)


def test_an_error_in_a_process_names_its_run_and_keeps_its_type():
    with pytest.raises(ValueError, match="stop") as caught:
        in_processes({"rate = 1": int, "rate = 2": partial(int, "stop")})
    assert caught.value.__notes__ == ["This happened in the run with rate = 2."]


WAITS = """
import time
from functools import partial
from coursework.side_by_side import side_by_side

print("waits", flush=True)
runs = {str(seconds): partial(time.sleep, seconds) for seconds in (61, 62, 63)}
side_by_side(runs, description="test", unit="run", processes=True, show=False)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_the_processes_end_with_the_one_that_started_them(number):
    program = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout.readline() == "waits\n"
    time.sleep(2)
    if number == signal.SIGINT:
        os.killpg(program.pid, number)  # as a terminal does: to the command and its processes
    else:
        program.kill()
    _, said = program.communicate(timeout=20)  # the pipes are closed when nobody is left
    assert program.returncode != 0
    assert said.count("Traceback") == (1 if number == signal.SIGINT else 0), said
