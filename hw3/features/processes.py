"""The processes that ``torchrun`` started: how they meet, and notice that one of them is gone."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch

# The defaults of its functions are the group of the time when it is first imported. Networks import
# it; while there is a group, that would outlive its end, and its threads the end of Python.
import torch.distributed.nn.functional
from torch import distributed
from torch.distributed.rendezvous import rendezvous

JOIN = timedelta(minutes=10)
"""How long a process waits until all have begun; ``torchrun`` starts them at the same time."""

PATIENCE = timedelta(hours=1)
"""How long a process waits for what another one has to say.

One that ends, for whatever reason, closes its connections, and is noticed as soon as somebody waits
for it. A machine that loses its power or its network closes nothing: it is given up after this
time, which must therefore be enough to download weights, to read the data once, and to compute one
shard.
"""


class ProcessLostError(RuntimeError):
    """Another process of the same run has ended; its own message says why."""


@contextmanager
def all_alive() -> Iterator[None]:
    """Name the reason if the processes cannot talk to each other.

    Raises
    ------
    ProcessLostError
        In place of what PyTorch raises in the block.
    """
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ProcessLostError(
            f"another process of this run has ended, or does not answer ({reason}); "
            "look for its own message, and run the same command again to go on from here"
        ) from error


@contextmanager
def process_group() -> Iterator[Callable[[str], int]]:
    """Meet the other processes of ``torchrun``, and number what is handed out among them.

    Enter it before anything that may fail in one process only: the others notice that a member of
    the group has ended, but not that one never came.

    Yields
    ------
    Callable
        Given the name of a queue, it returns 1, 2, 3 and so on, each to one process only.

    Raises
    ------
    ProcessLostError
        If not all of them come.
    """
    with all_alive():
        store, rank, size = next(rendezvous("env://", timeout=JOIN))
        # The group has one time limit, that of its work; so they meet before there is a group.
        store.set(f"process {rank}", "is here")
        store.wait([f"process {other}" for other in range(size)], JOIN)
        # Only small objects are exchanged, so Gloo does for GPUs too.
        distributed.init_process_group(
            "gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE
        )
    try:
        yield lambda queue: int(store.add(queue, 1))
    finally:
        distributed.destroy_process_group()


def own_device(name: str) -> str:
    """Return a GPU for each process of a machine, if there are any."""
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    return name
