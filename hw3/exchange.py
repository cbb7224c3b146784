"""Sums of what several threads contribute: the all-reduce of data-parallel training."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from queue import SimpleQueue

import numpy as np

from hw3.cores import AbandonedError
from hw3.softmax import Floats


class Exchange:
    """Adds up what each of some threads contributes, time after time.

    To give and to ask for the sum are two calls: what a thread does in between is done while the
    others finish.

    Parameters
    ----------
    threads
        How many there are. Each has a rank of its own, from 0.
    """

    def __init__(self, threads: int) -> None:
        ranks = range(threads)
        # One from each thread to each: who is quick may give a second time before all have asked.
        self._queues: list[list[SimpleQueue[Floats | None]]] = [
            [SimpleQueue() for _ in ranks] for _ in ranks
        ]

    def give(self, rank: int, part: Floats) -> None:
        """Contribute an array, which nobody may change from now on."""
        self._send(rank, part)

    def total(self, rank: int) -> Floats:
        """Return the sum of what all have given, in the order of their ranks: the same bits to all.

        Every `give` of a thread is followed by one `total`, which waits for the slowest.

        Raises
        ------
        AbandonedError
            If another thread has failed.
        """
        parts = []
        for queues in self._queues:
            part = queues[rank].get()
            if part is None:
                raise AbandonedError
            parts.append(part)
        return reduce(np.add, parts)

    @contextmanager
    def member(self, rank: int) -> Iterator[None]:
        """Let the others know if what a thread does herein fails, so that they do not wait."""
        try:
            yield
        except BaseException:
            self._send(rank, None)
            raise

    def _send(self, rank: int, part: Floats | None) -> None:
        for queue in self._queues[rank]:
            queue.put(part)
