"""Features of digits computed by one process and by two, which ``torchrun`` starts."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.extraction import digits, image_gigaflop
from benchmarks.table import Row, matmul_peak
from coursework.processes import current_group, process_group
from coursework.profiles import ROOT
from hw3.features import build_extractor, extract

SHARED = 4000
"""How many images the processes share in a round: four shards."""


def rows() -> Iterator[Row]:
    """Compare two processes of one thread each, which write one file together, with one."""
    seconds: dict[int, list[float]] = {2: [], 1: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3):
            for processes, times in seconds.items():
                times.append(run(processes, Path(folder, "some.mat")))
    two, one = (SHARED / statistics.median(times) for times in seconds.values())
    used = two * image_gigaflop(build_extractor("resnet50", None))
    peak = matmul_peak(torch.float32)
    work = f"ResNet-50 features of {SHARED:,} digits to one file, 2 processes of 1 thread each"
    limit = f"arithmetic, a core for each process: {used:.0f} of {peak:.0f} GFLOP/s"
    yield Row(work, "images/s", two, one, "1 process of 1 thread", required=1.7, limit=limit)


def run(processes: int, path: Path) -> float:
    """Run this module in so many processes, and return the seconds that it prints."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, f"--nproc-per-node={processes}", "-m", "benchmarks.processes", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def main() -> None:
    """Extract features with the other processes, and print the seconds from when all have met."""
    some, network = digits(SHARED), build_extractor("resnet50", None)
    with process_group("cpu"):
        current_group().from_all("is here")
        start = time.perf_counter()
        extract(some, sys.argv[1], network, device="cpu", show_progress=False)
        if current_group().rank == 0:
            print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
