"""Threads that share the samples of a batch, while BLAS uses one thread in each of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

FEWEST_SAMPLES = 128
"""A core takes no fewer: waking it up would take longer than they do. So four cores, at most, share
a batch of 512."""

Result = TypeVar("Result")


class Helper:
    """A thread that does one piece of work after another.

    With the futures of an executor a step of training, which is over in less than a millisecond,
    takes some 4 % longer than with two queues.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def start(self, task: Callable[[], Any]) -> None:
        """Begin a piece of work; `wait` must follow."""
        self._tasks.put(task)

    def wait(self) -> tuple[Any, BaseException | None]:
        """Return what the work returned, and what it raised instead."""
        return self._results.get()

    def end(self) -> None:
        """End the thread, once it has nothing more to do."""
        self._tasks.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._results.put(_attempt(task))


def _attempt(task: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Return what the task returned, and what it raised instead: it belongs to whoever waits."""
    try:
        return task(), None
    except BaseException as error:
        return None, error


@dataclass(frozen=True)
class Cores:
    """Threads that share the samples; without helpers, the one that calls does all.

    Attributes
    ----------
    helpers
        The threads beside the one that calls.
    """

    helpers: tuple[Helper, ...] = ()

    @property
    def count(self) -> int:
        """How many work at once, the one that calls included."""
        return 1 + len(self.helpers)

    def threads(self, samples: int) -> int:
        """Return how many threads are worth while for so many samples."""
        return max(1, min(self.count, samples // FEWEST_SAMPLES))

    def share(self, work: Callable[[slice], Result], samples: int, unit: int = 1) -> list[Result]:
        """Return what ``work`` returns for consecutive parts of the samples, in their order.

        Parameters
        ----------
        work
            Called with the range of a part, in several threads at once.
        samples
            How many there are.
        unit
            Every part but the last holds a multiple of this.
        """
        parts = parts_of(samples, self.threads(samples), unit)
        return self.run(lambda rank: work(parts[rank]), len(parts))

    def run(self, work: Callable[[int], Result], threads: int) -> list[Result]:
        """Return what ``work`` returns for 0 to threads - 1, each in a thread of its own.

        Nobody works on when this returns or raises. After errors it raises that of the first, but
        prefers to `AbandonedError` the error that was the reason for it.
        """
        working = self.helpers[: threads - 1]
        for rank, helper in enumerate(working, 1):
            helper.start(partial(work, rank))
        outcomes = [_attempt(partial(work, 0)), *(helper.wait() for helper in working)]
        errors = [error for _, error in outcomes if error is not None]
        if errors:
            raise min(errors, key=lambda error: isinstance(error, AbandonedError))
        return [result for result, _ in outcomes]


def parts_of(samples: int, parts: int, unit: int = 1) -> list[slice]:
    """Return consecutive parts of the samples, all but the last a multiple of the unit."""
    units = -(-samples // unit)
    cuts = [min(samples, unit * (units * part // parts)) for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


class AbandonedError(Exception):
    """Another thread, whose contribution this one needs, has failed."""


ONE_CORE = Cores()


@contextmanager
def all_cores() -> Iterator[Cores]:
    """Give as many threads as NumPy's products may use, each of which multiplies on its own.

    Two levels of threads would get in each other's way, so for as long as this lasts a product of
    NumPy uses one. What the user or the system has set, such as ``OPENBLAS_NUM_THREADS``, is kept
    to and comes back.

    That holds for the whole process. Whoever asks while another thread has the cores works on its
    own one and leaves NumPy's threads as they are: each would put back what it found.
    """
    if not _CORES_ARE_TAKEN.acquire(blocking=False):
        yield ONE_CORE
        return
    try:
        with _helpers() as cores:
            yield cores
    finally:
        _CORES_ARE_TAKEN.release()


_CORES_ARE_TAKEN = Lock()


@contextmanager
def _helpers() -> Iterator[Cores]:
    """Start as many threads as BLAS would, and let it use one in each."""
    blas = ThreadpoolController().select(user_api="blas")
    count = max((library["num_threads"] for library in blas.info()), default=1)
    helpers = []
    with ExitStack() as ends:
        for _ in range(count - 1):
            helpers.append(helper := Helper())
            ends.callback(helper.end)
        with blas.limit(limits=1):
            yield Cores(tuple(helpers))
