"""Run a notebook on a fresh kernel, top to bottom."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from coursework.storage import atomic_path

KERNEL = "python3"


@dataclass(frozen=True)
class Run:
    """A notebook that ran to its end.

    Attributes
    ----------
    path
        The notebook with its outputs.
    seconds
        How long it took, the start of the kernel included.
    """

    path: Path
    seconds: float


class NotebookError(RuntimeError):
    """A cell failed; the message names the cell, its error and the notebook that was kept."""


def run_notebook(
    source: Path | str,
    target: Path | str,
    *,
    parameters: Mapping[str, Any] | None = None,
    prepare: Callable[[nbformat.NotebookNode], None] = lambda notebook: None,
    cell_timeout: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a notebook and write it with its outputs.

    Parameters
    ----------
    source
        The notebook. It is not changed.
    target
        Where the executed notebook goes, if every cell succeeds. Otherwise an older ``target`` is
        removed, and what ran is kept beside it as ``NAME.failed.ipynb``.
    parameters
        New values for the variables of the cell tagged ``parameters``, set in a cell that follows
        it. Without any, the notebook runs as it stands.
    prepare
        Called with the notebook before it runs, to change it in place.
    cell_timeout
        Seconds after which a cell is stopped; ``None`` waits for ever.
    report
        Called with a line of text after each code cell: its number, its time, how it begins.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.
    ValueError
        If the file is not a notebook, is its own target, or has no cell tagged ``parameters``
        although some are given.
    NotebookError
        If a cell fails, takes too long, or ends its kernel.
    """
    source, target = Path(source), Path(target)
    notebook = _load(source)
    if target.resolve() == source.resolve():
        raise ValueError(
            f"{source} would be overwritten by its own result; write to another folder"
        )
    if parameters:
        _require_parameters_cell(source, notebook)
        # Papermill would write a tuple as text: lists and texts are what survives.
        plain = json.loads(json.dumps(dict(parameters), default=str))
        notebook = parameterize_notebook(notebook, plain, kernel_name=KERNEL, language="python")
    prepare(notebook)
    failed = target.with_suffix(".failed.ipynb")
    for old in (target, failed):
        old.unlink(missing_ok=True)
    started: dict[int, float] = {}
    client = _client(notebook, source, cell_timeout, report, started)
    start = time.monotonic()
    try:
        client.execute(env=kernel_environment())
    except BaseException as error:
        _write(notebook, failed)
        if isinstance(error, CellExecutionError | CellTimeoutError | DeadKernelError):
            number = max(started, default=-1) + 1
            reason = _explain(error, f"cell {number} of {source.name}")
            raise NotebookError(f"{reason}\nwhat ran until then is kept in {failed}") from error
        if isinstance(error, KeyboardInterrupt):
            raise NotebookError(f"interrupted; what ran until then is kept in {failed}") from None
        raise
    _write(notebook, target)
    return Run(target, time.monotonic() - start)


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel: that of this process, with threads that wait asleep.

    OpenMP's threads otherwise spin while they wait for each other. On a machine that does anything
    else besides, they spin on the core that the thread they wait for would need.
    """
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}


def _client(
    notebook: nbformat.NotebookNode,
    source: Path,
    cell_timeout: int | None,
    report: Callable[[str], None],
    started: dict[int, float],
) -> NotebookClient:
    """Return what runs the notebook; ``started`` takes the time at which each cell began."""
    count = sum(cell.cell_type == "code" for cell in notebook.cells)

    def on_start(cell: nbformat.NotebookNode, cell_index: int) -> None:
        started[cell_index] = time.monotonic()

    def on_executed(
        cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        seconds = time.monotonic() - started[cell_index]
        first_line = cell.source.partition("\n")[0]
        report(f"{source.stem} {len(started):>3}/{count} {seconds:7.1f} s  {first_line:.60}")

    return NotebookClient(
        notebook,
        kernel_name=KERNEL,
        timeout=cell_timeout,
        resources={"metadata": {"path": str(source.parent.resolve())}},
        # Warnings of the kernel about its own sockets are nothing that a student can act on.
        extra_arguments=["--log-level=CRITICAL"],
        on_cell_execute=on_start,
        on_cell_executed=on_executed,
    )


def _explain(error: Exception, cell: str) -> str:
    if isinstance(error, CellExecutionError):
        return f"{cell} failed with {error.ename}: {error.evalue}"
    if isinstance(error, CellTimeoutError):
        return f"{cell} was still running when its time was up"
    return f"{cell} ended its kernel, perhaps for lack of memory"


def _write(notebook: nbformat.NotebookNode, path: Path) -> None:
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)


def _load(source: Path) -> nbformat.NotebookNode:
    if not source.is_file():
        raise FileNotFoundError(f"no notebook {source}")
    try:
        notebook: nbformat.NotebookNode = load_notebook_node(str(source))
        nbformat.validate(notebook)
    except Exception as error:  # JSON, schema and encoding errors have no common class
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{source} is not a valid Jupyter notebook: {reason}") from error
    return notebook


def _require_parameters_cell(source: Path, notebook: nbformat.NotebookNode) -> None:
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    if tags.count("parameters") != 1:
        raise ValueError(
            f"{source} has {tags.count('parameters')} cells tagged 'parameters', expected one; "
            "tag the cell that names the profile"
        )
