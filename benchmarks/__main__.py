"""Measure the table of speeds: ``python -m benchmarks [NAME ...]``, or ``make bench``.

The table is printed row by row and written to ``build/benchmarks.md``. The exit code is 1 if the
ratio of a row is below the required one.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from importlib import metadata
from pathlib import Path

import torch

from benchmarks import balanced_batches, extraction, feature_files, flowers, processes, roc, softmax
from benchmarks.table import COLUMNS, Row, markdown, matmul_peak, put_between_marks, streaming_read
from coursework.machine import describe_machine
from coursework.profiles import ROOT
from coursework.runtime import describe_device
from coursework.storage import atomic_path

MODULES = (balanced_batches, extraction, feature_files, flowers, processes, roc, softmax)
BENCHMARKS: dict[str, Callable[[], Iterable[Row]]] = {
    module.__name__.removeprefix("benchmarks."): module.rows for module in MODULES
}


def caption() -> str:
    """Return when, where and with which versions the table was measured."""
    facts = describe_machine() | {"instructions": describe_device("cpu")}
    for package in ("scikit-learn", "imbalanced-learn"):
        with suppress(metadata.PackageNotFoundError):
            facts[package] = metadata.version(package)
    return (
        f"Measured on {date.today().isoformat()}: "
        f"{'; '.join(f'{name} {value}' for name, value in facts.items())}. Large matrix products "
        f"in float32 reach {matmul_peak(torch.float32):,.0f} GFLOP/s, a streaming read "
        f"{streaming_read():.1f} GB/s."
    )


def main(
    arguments: Sequence[str] | None = None,
    available: Mapping[str, Callable[[], Iterable[Row]]] = BENCHMARKS,
    root: Path = ROOT,
) -> int:
    """Measure, print and write the table; return 1 if a row falls short and 0 otherwise.

    ``build/``, ``docs/speed.md`` and ``README.md`` are looked for in the folder ``root``.
    """
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure the speeds.")
    names = ", ".join(available)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {names}; all by default")
    parser.add_argument(
        "--update-docs",
        action="store_true",
        help="also write docs/speed.md, and the first row of each part into README.md",
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in available]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {names}")
    if chosen.update_docs and chosen.names:
        parser.error("--update-docs needs the whole table: give no names with it")
    rows: list[Row] = []
    first: list[Row] = []
    for name in chosen.names or available:
        print(f"\n{name}", flush=True)
        start = len(rows)
        for row in available[name]():
            rows.append(row)
            work, here, baseline, ratio, required, limit = row.cells()
            required = f", required {required}" if required else ""
            comparison = f"{here}, baseline {baseline}: {ratio}{required}"
            print(f"  {work}\n    {comparison}\n    {limit}", flush=True)
        first += rows[start : start + 1]
    table = markdown(rows, caption())
    with atomic_path(root / "build" / "benchmarks.md") as path:
        path.write_text(table, encoding="utf-8")
    if chosen.update_docs:
        put_between_marks(root / "docs" / "speed.md", table)
        put_between_marks(root / "README.md", markdown(first, columns=COLUMNS[:4]))
    short = [row for row in rows if row.falls_short]
    for row in short:
        message = f"{row.work}: ratio {row.ratio:.3g}, required {row.required:.3g}"
        print(f"falls short: {message}", file=sys.stderr)
    return int(bool(short))


if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)
    sys.exit(main())
