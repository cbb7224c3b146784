"""The processes that ``torchrun`` started for one piece of work: how they meet and share it."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

# Building a network imports this module, and the defaults of its functions are the process group
# of that moment. Imported inside a group, it would keep the threads of the group alive after its
# end, and Python aborts when it exits with them.
import torch.distributed.nn.functional

from coursework.runtime import choose_device

Item = TypeVar("Item")

PATIENCE = 1800.0
"""Seconds that a process waits for another one before it gives up.

A process that ends closes its connections, which the others notice at once. Only a machine that
loses its power or its network closes nothing. The time has to suffice for the work that one
process does alone: download weights, read the data, compute one share of the work.
"""


class ProcessLostError(RuntimeError):
    """Another process of the same run has ended; its own message says why."""


@dataclass(frozen=True)
class Group:
    """The processes that work together, and which of them this one is.

    Attributes
    ----------
    rank
        The number of this process, from 0.
    size
        How many processes there are.
    """

    rank: int = 0
    size: int = 1

    def from_first(self, value: Any) -> Any:
        """Return, in every process, the value that the first process gives."""
        if self.size == 1:
            return value
        holder = [value]
        dist.broadcast_object_list(holder, src=0)
        return holder[0]

    def from_all(self, value: Any) -> list[Any]:
        """Return the values of all processes by rank. No process passes before all have come."""
        if self.size == 1:
            return [value]
        values = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def share_out(self, items: Sequence[Item]) -> Iterator[Item]:
        """Hand out the items of the first process, each to the process that asks next.

        A process that is slow takes fewer items and holds nobody up.
        """
        if self.size == 1:
            yield from items
            return
        # The name is new each time: the store keeps the counters of earlier queues and runs.
        queue, items = self.from_first((secrets.token_hex(8), items))
        counter = dist.distributed_c10d._get_default_store()
        while (number := counter.add(queue, 1)) <= len(items):
            yield items[number - 1]


def current_group() -> Group:
    """Return the processes that `process_group` joined; outside of it, one process alone."""
    if dist.is_initialized():
        return Group(dist.get_rank(), dist.get_world_size())
    return Group()


@contextmanager
def process_group(device: str = "auto", patience: float = PATIENCE) -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` started, if it did, and give the device of this one.

    Enter it before anything that can fail in one process only: the others notice at once that a
    process has ended, but not that it never came.

    Parameters
    ----------
    device
        As `coursework.runtime.choose_device` takes it. Without a number, ``"cuda"`` and ``"auto"``
        give each process of a machine a GPU of its own, as long as there are enough.
    patience
        Seconds to wait for another process before giving up.

    Raises
    ------
    ProcessLostError
        If another process does not come, ends before the work is done, or does not answer.
    ValueError
        If the device does not exist on this machine.
    """
    if "LOCAL_RANK" not in os.environ:
        yield choose_device(device)
        return
    try:
        # Gloo carries what is on the CPU, and NCCL what is on a GPU.
        backends = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backends, timeout=timedelta(seconds=patience))
        yield _own_device(device)
    except RuntimeError as error:
        # Gloo raises plain RuntimeErrors, which name its source files.
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        reason = str(error).splitlines()[0]
        raise ProcessLostError(
            f"another process of this run has ended, or does not answer ({reason}); "
            "look for its own message, and run the same command again to go on from here"
        ) from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _own_device(name: str) -> torch.device:
    """Return the device of this process: with CUDA one of the GPUs of its machine."""
    device = choose_device(name)
    if device.type == "cuda":
        if device.index is None:
            number = int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count()
            device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    return device
