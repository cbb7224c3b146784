"""Independent runs at the same time, each on one core: in threads, or in processes."""

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import TypeVar

from joblib import Parallel, delayed
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits

from coursework.progress import progress

Result = TypeVar("Result")


def side_by_side(
    runs: Mapping[str, Callable[[], Result]],
    *,
    description: str,
    unit: str,
    processes: bool = False,
    show: bool = True,
) -> list[Result]:
    """Call functions side by side, as many at once as there are cores, and return their results.

    Each run computes in one thread, so it gives the same numbers on a machine with one core and on
    a machine with many.

    Parameters
    ----------
    runs
        From the name of a run, for error messages, to a function without arguments.
    description, unit
        Texts of the progress bar, which counts the runs.
    processes
        Whether each run has a process of its own. Threads are enough for NumPy, which lets other
        threads compute during a matrix product; PyTorch's training holds Python's lock too often.
        See `in_processes`.
    show
        Whether to show the progress bar.

    Returns
    -------
    list
        One result for each run, in the order of ``runs``.

    Raises
    ------
    Exception
        The error of a run that fails, with a note that names the run. The other runs end, as they
        do when the user interrupts.
    """
    bar = partial(progress, total=len(runs), description=description, unit=unit, show=show)
    if processes:
        # With one core to give, joblib runs them in this process, which may have more threads.
        with threadpool_limits(limits=1):
            return list(bar(in_processes(runs)))
    active: set[int] = set()

    def call(name: str, run: Callable[[], Result]) -> Result:
        active.add(threading.get_ident())
        try:
            return _named(name, run)
        finally:
            active.discard(threading.get_ident())

    # The limit holds for the process. It is set once here, and not by each thread, because threads
    # that come and go would put back each other's limits.
    with threadpool_limits(limits=1, user_api="blas"):
        parallel = Parallel(n_jobs=-1, backend="threading", return_as="generator")
        try:
            return list(bar(parallel(delayed(call)(name, run) for name, run in runs.items())))
        except BaseException:
            # Python cannot end a thread from outside, but it can raise an exception in the thread.
            # A thread that ends by SystemExit does so silently.
            for thread in tuple(active):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(SystemExit)
                )
            raise


def in_processes(
    runs: Mapping[str, Callable[[], Result]], *, ordered: bool = True
) -> Generator[Result, None, None]:
    """Call functions side by side, each in a process of its own, and yield their results.

    Functions and results are pickled. `joblib.parallel_config` may name a backend in place of the
    processes of this machine, such as Dask or Ray for several machines.

    Parameters
    ----------
    runs
        As `side_by_side` takes them.
    ordered
        Whether the results come in the order of ``runs``; otherwise each comes as soon as it is
        there.

    Yields
    ------
    object
        The result of a run. An error of a run, or closing the generator, ends all other runs.
    """
    way = "generator" if ordered else "generator_unordered"
    if not get_active_backend(prefer="processes")[0].supports_return_generator:
        way = "list"  # Ray gives all results at the end
    # joblib lets each process use one thread.
    parallel = Parallel(n_jobs=-1, prefer="processes", return_as=way)
    calls = [delayed(_in_process)(os.getpid(), name, run) for name, run in runs.items()]
    with _ctrl_c_for_this_process_alone():
        results = parallel(calls)
    yield from results


@contextmanager
def _ctrl_c_for_this_process_alone() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C, which a terminal sends to all.

    joblib ends them when this process is interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread is interrupted by Ctrl-C, or may say who is
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_process(parent: int, name: str, run: Callable[[], Result]) -> Result:
    starter = multiprocessing.parent_process()
    if starter is not None and starter.pid == parent:
        _end_with(parent)
    return _named(name, run)


@cache
def _end_with(parent: int) -> None:
    """Let this process end when its parent is killed; it would compute on for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _named(name: str, run: Callable[[], Result]) -> Result:
    try:
        return run()
    except Exception as error:
        error.add_note(f"This happened in the run with {name}.")
        raise
