"""Independent runs at the same time, each in a thread and on one core."""

import ctypes
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from coursework.progress import progress

Result = TypeVar("Result")


def side_by_side(
    runs: Mapping[str, Callable[[], Result]], *, description: str, unit: str
) -> list[Result]:
    """Call functions side by side, as many at once as there are cores, and return their results.

    While the runs last, NumPy's matrix products use one thread, so each run computes the same
    numbers on a machine with one core and on a machine with many.

    Parameters
    ----------
    runs
        From the name of a run, for error messages, to a function without arguments.
    description, unit
        Texts of the progress bar, which counts the runs.

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
    active: set[int] = set()

    def call(name: str, run: Callable[[], Result]) -> Result:
        active.add(threading.get_ident())
        try:
            return run()
        except Exception as error:
            error.add_note(f"This happened in the run with {name}.")
            raise
        finally:
            active.discard(threading.get_ident())

    # The limit holds for the process. It is set once here, and not by each thread, because threads
    # that come and go would put back each other's limits.
    with threadpool_limits(limits=1, user_api="blas"):
        parallel = Parallel(n_jobs=-1, backend="threading", return_as="generator")
        results = parallel(delayed(call)(name, run) for name, run in runs.items())
        try:
            return list(progress(results, total=len(runs), description=description, unit=unit))
        except BaseException:
            # Python cannot end a thread from outside, but it can raise an exception in the thread.
            # A thread that ends by SystemExit does so silently.
            for thread in tuple(active):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(SystemExit)
                )
            raise
