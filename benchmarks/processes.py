"""Features of digits by one process and by two: ``python -m benchmarks processes``."""

import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import torch

from benchmarks.extraction import digits, operations
from benchmarks.table import Row, matmul_peak
from coursework.processes import current_group, process_group
from hw3.features import Extractor, build_extractor, extract
from hw3.mnist import Digits

SHARED = 4000
"""How many images the processes share in a round: four shards."""


def rows() -> Iterator[Row]:
    """Measure a group of one process of one thread, and of two, that write one file together."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(2, context, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):

        def run(processes: int) -> float:
            # Both processes of the pool are idle, so each takes one task.
            port = free_port()
            tasks = [
                pool.submit(take_part, Path(folder, "some.mat"), SHARED, rank, processes, port)
                for rank in range(processes)
            ]
            return max(task.result() for task in tasks)

        run(2)  # imports, and loads the network, in both
        turns = [(run(2), run(1)) for _ in range(5)]
    two, one = (SHARED / statistics.median(times) for times in zip(*turns, strict=True))
    each = operations(build_extractor("resnet50", None))
    yield Row(
        work=f"ResNet-50 features of {SHARED:,} digits to one file, 2 processes of 1 thread each",
        ours=f"{two:.0f} images/s",
        baseline=f"{one:.0f} images/s by 1 process of 1 thread",
        ratio=two / one,
        required=1.7,
        limit=f"arithmetic, a core for each process: {two * each:.0f} of "
        f"{matmul_peak(torch.float32):.0f} GFLOP/s. From when they have met, as "
        "`torchrun` lets them, until the file is there",
    )


def free_port() -> int:
    """Return a port of this machine at which processes can meet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def take_part(filename: Path, count: int, rank: int, processes: int, port: int) -> float:
    """Extract so many images in a group of processes, and return the seconds it took.

    The time begins when all processes have met. The variables are those that `torchrun` sets.
    """
    group = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": processes,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    os.environ.update({name: str(value) for name, value in group.items()})
    train = digits()
    some = Digits(train.images[:count], train.labels[:count])
    extractor = _extractor()
    with process_group("cpu"):
        current_group().from_all("is here")
        start = time.perf_counter()
        extract(some, filename, extractor, device="cpu", show_progress=False)
        return time.perf_counter() - start


@cache
def _extractor() -> Extractor:
    return build_extractor("resnet50", None)
