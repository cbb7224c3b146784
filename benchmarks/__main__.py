"""Measure the table of speeds: ``python -m benchmarks [NAME ...]``, or ``make bench``.

Every module of this package that has a function ``rows`` is a benchmark. The table is printed row
by row and written to ``build/benchmarks.md``. The exit code is 1 if a row falls short of what is
required of it.
"""

import argparse
import importlib
import pkgutil
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from importlib import metadata
from pathlib import Path

import torch

import benchmarks
from benchmarks.table import Row, markdown, matmul_peak, put_between_marks, streaming_read
from coursework.profiles import ROOT
from coursework.runtime import describe_device, describe_machine, reduced_precision
from coursework.storage import atomic_path

Benchmark = Callable[[], Iterable[Row]]


def find_benchmarks() -> dict[str, Benchmark]:
    """Return the function ``rows`` of every module that has one, by the name of the module."""
    names = sorted(info.name for info in pkgutil.iter_modules(benchmarks.__path__))
    modules = {
        name: importlib.import_module(f"benchmarks.{name}") for name in names if name != "__main__"
    }
    return {name: module.rows for name, module in modules.items() if hasattr(module, "rows")}


def caption() -> str:
    """Return when, where and with which versions the table was measured."""
    facts = describe_machine()
    reduced = reduced_precision("cpu")
    facts["instructions"] = describe_device("cpu") + (
        f" with {str(reduced).removeprefix('torch.')}" if reduced else " without reduced precision"
    )
    for package in ("scikit-learn", "imbalanced-learn"):
        with suppress(metadata.PackageNotFoundError):
            facts[package] = metadata.version(package)
    return (
        f"Measured on {date.today().isoformat()}: "
        f"{'; '.join(f'{name} {value}' for name, value in facts.items())}. There, large matrix "
        f"products in float32 reach {matmul_peak(torch.float32):,.0f} GFLOP/s and a streaming read "
        f"{streaming_read():.1f} GB/s."
    )


def main(
    arguments: Sequence[str] | None = None,
    available: dict[str, Benchmark] | None = None,
    root: Path = ROOT,
) -> int:
    """Measure, print and write the table; return 1 if a row falls short and 0 otherwise.

    Parameters
    ----------
    arguments
        Those of the command line.
    available
        The benchmarks to choose from, all of this package by default.
    root
        The folder with ``README.md`` and ``build/``.
    """
    available = find_benchmarks() if available is None else available
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure the speeds.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(available)}")
    parser.add_argument(
        "--update-readme", action="store_true", help="put the table into README.md too"
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in available]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(available)}")
    if chosen.update_readme and chosen.names:
        parser.error("--update-readme needs the whole table: give no names with it")
    rows = []
    for name in chosen.names or available:
        print(f"\n{name}", flush=True)
        for row in available[name]():
            rows.append(row)
            print(describe(row), flush=True)
    table = markdown(rows, caption())
    with atomic_path(root / "build" / "benchmarks.md") as path:
        path.write_text(table, encoding="utf-8")
    if chosen.update_readme:
        readme = root / "README.md"
        text = put_between_marks(readme.read_text(encoding="utf-8"), table)
        with atomic_path(readme) as path:
            path.write_text(text, encoding="utf-8")
    short = [row for row in rows if row.falls_short]
    for row in short:
        print(
            f"falls short: {row.work}: ratio {row.ratio:.3g}, required {row.required:.3g}",
            file=sys.stderr,
        )
    return int(bool(short))


def describe(row: Row) -> str:
    """Return a row as lines for a terminal."""
    required = "" if row.required is None else f", required {row.required:.3g}"
    return (
        f"  {row.work}\n    {row.ours}, baseline {row.baseline}: ratio {row.ratio:.2f}"
        f"{required}\n    {row.limit}"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)
    sys.exit(main())
