"""A row of the table of speeds, how it is measured, and how the table is written."""

import re
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

COLUMNS = ("work", "here", "baseline", "baseline / here", "required", "what limits it")
START, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"


@dataclass(frozen=True)
class Row:
    """One comparison with what people would use instead.

    Attributes
    ----------
    work
        What was done, with its size.
    ours, baseline
        What was measured here and there, in words: ``"1.2 s"``.
    ratio
        How many times as fast this project is: time of the baseline / time here. The same of bytes.
    required
        The least ratio that passes; ``None`` shows the row without judging it, and ``limit`` says
        why.
    limit
        What limits it (arithmetic, memory bandwidth, Python), with a figure of the same run.
    """

    work: str
    ours: str
    baseline: str
    ratio: float
    required: float | None
    limit: str

    @property
    def falls_short(self) -> bool:
        """Whether the ratio is below what is required, or undefined."""
        return self.required is not None and not self.ratio >= self.required

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row, in the order of `COLUMNS`."""
        required = "" if self.required is None else f"{self.required:.3g}"
        return (self.work, self.ours, self.baseline, f"{self.ratio:.2f}", required, self.limit)


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int = 5,
    *,
    unmeasured: int = 1,
    pause: float = 0,
    memory: int = 0,
) -> dict[str, float]:
    """Time each contender in turn, so that a busy machine is unfair to none.

    Parameters
    ----------
    contenders
        From a name to what is to be timed.
    rounds
        How often each is timed.
    unmeasured
        Rounds before these, which pay for imports, page faults and cold caches.
    pause
        Seconds before each turn, for contenders with threads of their own: those of BLAS and OpenMP
        look for more work for a while after their last, and would take a core from the next one.
    memory
        Bytes that are used, in NumPy's large pages, and freed before each turn, for contenders that
        ask for many: the host of a virtual machine takes back what was free for some seconds, and
        whoever asks first then waits for it, more than half a second for half a gigabyte.

    Returns
    -------
    dict
        From each name to the median of its times, in seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(unmeasured + rounds):
        for name, run in contenders.items():
            time.sleep(pause)
            np.ones(memory, np.uint8)
            start = time.perf_counter()
            run()
            elapsed = time.perf_counter() - start
            if number >= unmeasured:
                seconds[name].append(elapsed)
    return {name: statistics.median(times) for name, times in seconds.items()}


def peak_memory(run: Callable[[], object]) -> int:
    """Return the most bytes that were allocated at a time while it ran."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def has_amx() -> bool:
    """Return whether the CPU multiplies bfloat16 with AMX, which what is required of it supposes.

    AVX512_BF16 alone has half that rate or less.
    """
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())


@cache
def matmul_peak(dtype: torch.dtype) -> float:
    """Return the rate of a large matrix product on all cores, in 10^9 operations a second.

    NumPy and PyTorch bring libraries of their own; it is the faster one's best of several: what the
    machine can do, not what it did in a busy moment. It is measured once in a run for each type.
    """
    side = 2048
    tensor = torch.ones(side, side, dtype=dtype)
    best = _best_time(lambda: tensor @ tensor)
    if dtype != torch.bfloat16:  # which NumPy does not know
        array = tensor.numpy()
        best = min(best, _best_time(lambda: array @ array))
    return 2e-9 * side**3 / best


@cache
def streaming_read() -> float:
    """Return the rate at which all cores read an array from memory, in 10^9 bytes a second.

    The array, 512 MB, is larger than any cache. It is measured as `matmul_peak` is.
    """
    array = torch.ones(2**27)
    return 1e-9 * array.nbytes / _best_time(array.sum)


def _best_time(run: Callable[[], object], rounds: int = 8) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def markdown(rows: Iterable[Row], caption: str) -> str:
    """Return the caption and the rows as a table in Markdown."""
    lines = [caption, "", _line(COLUMNS), _line("---" for _ in COLUMNS)]
    lines += [_line(row.cells()) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def put_between_marks(document: str, table: str) -> str:
    """Return the document with the table in place of what stands between its two marks.

    Raises
    ------
    ValueError
        If the marks `START` and `END` are not there once each, in this order.
    """
    place = re.compile(f"({re.escape(START)}\n).*?({re.escape(END)})", re.DOTALL)
    if document.count(START) != 1 or document.count(END) != 1 or not place.search(document):
        raise ValueError(f"expected one line {START!r} and after it one line {END!r}")
    return place.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", document)
