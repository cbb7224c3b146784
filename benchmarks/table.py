"""A row of the table of speeds, how both sides are measured, and how the table is written."""

import math
import statistics
import time
import timeit
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from coursework.storage import atomic_path

COLUMNS = ("work", "here", "baseline", "ratio", "required", "what limits it")
START, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"
LESS_IS_BETTER = ("s", "ms", "MB")


@dataclass(frozen=True)
class Row:
    """One comparison with what people would use instead.

    Attributes
    ----------
    work
        What was done, with its size.
    unit
        The unit of both measurements. The smaller one is better if the unit is one of
        `LESS_IS_BETTER`, and the larger one otherwise, as for ``"images/s"``.
    ours, theirs
        The measurements of this project and of the baseline; NaN if there is none.
    baseline
        What the baseline is.
    required
        The least ratio that passes; ``None`` shows the row without judging it.
    limit
        What limits this project (arithmetic, memory, Python), with a figure of the same run.
    """

    work: str
    unit: str
    ours: float
    theirs: float
    baseline: str
    required: float | None
    limit: str

    @property
    def ratio(self) -> float:
        """How many times as fast, or as small, this project is as the baseline."""
        if self.unit in LESS_IS_BETTER:
            return self.theirs / self.ours
        return self.ours / self.theirs

    @property
    def falls_short(self) -> bool:
        """Whether the ratio is below the required one, or undefined."""
        return self.required is not None and not self.ratio >= self.required

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row, in the order of `COLUMNS`."""
        here = amount(self.ours, self.unit)
        baseline = f"{amount(self.theirs, self.unit)} ({self.baseline})"
        required = "" if self.required is None else f"{self.required:.3g}"
        return (self.work, here, baseline, f"{self.ratio:.2f}", required, self.limit)


def amount(value: float, unit: str) -> str:
    """Return a measurement with three digits or more."""
    if math.isnan(value):
        return "not measured"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int = 5,
    *,
    pause: float = 0,
    memory: int = 0,
) -> dict[str, float]:
    """Return the median time of each contender in seconds.

    The contenders take turns, so that a busy machine slows all of them. One more round, which pays
    for imports and cold caches, comes first and does not count.

    Each turn begins after ``pause`` seconds, because the threads of BLAS and OpenMP wait for more
    work for a while and would take a core from the next contender. So many bytes of ``memory`` are
    used and freed before it, because a virtual machine hands memory that was free for some seconds
    back to its host, and a contender that needs much memory would wait for it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(1 + rounds):
        for name, run in contenders.items():
            time.sleep(pause)
            np.ones(memory, np.uint8)
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def peak_memory(run: Callable[[], object]) -> int:
    """Return the largest number of bytes that NumPy and Python held at a time during a run."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def gigaflop(run: Callable[[], object]) -> float:
    """Return how many operations PyTorch's products take in a run, in 10^9."""
    with FlopCounterMode(display=False) as counter:
        run()
    return 1e-9 * float(counter.get_total_flops())


def has_amx() -> bool:
    """Return whether the CPU has AMX, which multiplies bfloat16 much faster than AVX512_BF16."""
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())


@cache
def matmul_peak(dtype: torch.dtype) -> float:
    """Return the rate of a large matrix product on all cores, in 10^9 operations a second."""
    side = 2048
    matrix = torch.ones(side, side, dtype=dtype)
    # The best of eight: what the machine can do, not what it did in a busy moment.
    return 2e-9 * side**3 / min(timeit.repeat(lambda: matrix @ matrix, number=1, repeat=8))


def streaming_read() -> float:
    """Return the rate at which all cores read an array from memory, in 10^9 bytes a second."""
    array = torch.ones(2**27)  # 512 MB, larger than any cache
    return 1e-9 * array.nbytes / min(timeit.repeat(array.sum, number=1, repeat=8))


def markdown(rows: Iterable[Row], caption: str = "", columns: Sequence[str] = COLUMNS) -> str:
    """Return the caption and the first columns of the rows as a table in Markdown."""
    lines = [caption, ""] if caption else []
    for cells in (COLUMNS, ("---",) * len(COLUMNS), *(row.cells() for row in rows)):
        escaped = " | ".join(cell.replace("|", "\\|") for cell in cells[: len(columns)])
        lines.append(f"| {escaped} |")
    return "\n".join(lines) + "\n"


def put_between_marks(path: Path, table: str) -> None:
    """Write the table into a document in place of the text between its two marks."""
    document = path.read_text(encoding="utf-8")
    before, start, rest = document.partition(f"{START}\n")
    _, end, after = rest.partition(END)
    if document.count(START) != 1 or document.count(END) != 1 or not end:
        raise ValueError(f"{path}: expected one line {START!r} and after it one {END!r}")
    with atomic_path(path) as temporary:
        temporary.write_text(before + start + table + end + after, encoding="utf-8")
