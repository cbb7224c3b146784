"""Run a notebook on a fresh kernel, top to bottom."""

import json
import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from coursework.identity import Identity, fill_in
from coursework.storage import atomic_path


@dataclass(frozen=True)
class Run:
    """How long a notebook ran.

    Attributes
    ----------
    seconds
        For the whole notebook, the start of the kernel included.
    cell_seconds
        For each code cell, in order.
    """

    seconds: float
    cell_seconds: tuple[float, ...]


class NotebookError(RuntimeError):
    """A cell failed; the message names the cell, its error and the notebook that was kept."""


def run_notebook(
    source: Path | str,
    target: Path | str,
    *,
    parameters: Mapping[str, Any] | None = None,
    identity: Identity | None = None,
    cell_timeout: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a notebook and write it with its outputs.

    Parameters
    ----------
    source
        The notebook. It is not changed.
    target
        Where the executed notebook goes if every cell succeeds. Otherwise an older ``target`` is
        removed, and the cells that ran are kept beside it in ``NAME.failed.ipynb``.
    parameters
        New values for the variables of the cell tagged ``parameters``, set in a cell that follows
        it. Without any, the notebook runs as it stands.
    identity
        Who hands in, for the notebook's header; ``None`` leaves the header as it stands.
    cell_timeout
        Seconds after which a cell is stopped; ``None`` waits for ever.
    report
        Called with a line of text after each code cell: its number, its time, its first line.

    Raises
    ------
    FileNotFoundError
        If the notebook does not exist.
    ValueError
        If the file is not a notebook, is its own target, or has no cell tagged ``parameters``
        although some are given.
    NotebookError
        If a cell fails, takes too long, or ends its kernel.
    """
    source, target = Path(source), Path(target)
    notebook = _read(source)
    if target.resolve() == source.resolve():
        raise ValueError(
            f"{source} would be overwritten by its own result; write to another folder"
        )
    if parameters:
        _set_parameters(source, notebook, parameters)
    if identity:
        fill_in(notebook, identity)
    failed = target.with_suffix(".failed.ipynb")
    for old in (target, failed):
        old.unlink(missing_ok=True)
    times: dict[int, float] = {}
    client = _client(notebook, source, cell_timeout, report, times)
    # While OpenMP's threads wait for each other, they use up the cores that other programs, or the
    # very thread they wait for, would need. The policy lets them sleep instead.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    start = time.monotonic()
    try:
        client.execute(env=environment)
    except BaseException as error:
        _write(notebook, failed, source.parent.resolve())
        if isinstance(error, KeyboardInterrupt):
            reason = "interrupted"
        elif isinstance(error, CellExecutionError | CellTimeoutError | DeadKernelError):
            reason = f"cell {max(times, default=-1) + 1} of {source.name} {_explain(error)}"
        else:
            raise
        raise NotebookError(f"{reason}; the cells that ran are kept in {failed}") from error
    _write(notebook, target, source.parent.resolve())
    return Run(time.monotonic() - start, tuple(times.values()))


def takes_parameters(source: Path) -> bool:
    """Whether a notebook has a cell tagged ``parameters``; raises as `run_notebook` does."""
    return bool(_tagged(_read(source), "parameters"))


def _read(source: Path) -> NotebookNode:
    if not source.is_file():
        raise FileNotFoundError(f"no notebook {source}")
    try:
        with warnings.catch_warnings(action="ignore"):
            notebook: NotebookNode = nbformat.read(source, as_version=4)
            # Older notebooks lack the identifiers of cells, which a new cell must have.
            notebook = nbformat.v4.upgrade(notebook)
            nbformat.validate(notebook)
    except Exception as error:  # JSON, schema and encoding errors have no common class
        reason = str(error).partition("\n")[0]
        place = _place([*getattr(error, "absolute_path", ())])
        raise ValueError(f"{source} is not a valid Jupyter notebook: {place}{reason}") from error
    _require_python(source, notebook)
    return notebook


def _place(keys: list[str | int]) -> str:
    """Return the cell and the field that the keys of an error of the format lead to."""
    if len(keys) > 1 and keys[0] == "cells":
        keys = [f"cell {int(keys[1]) + 1}", *keys[2:]]
    return "".join(f"{key}: " for key in keys)


def _require_python(source: Path, notebook: NotebookNode) -> None:
    kernel = notebook.metadata.get("kernelspec", {})
    language = notebook.metadata.get("language_info", {}).get("name") or kernel.get("language")
    if language and "python" not in language.lower():
        raise ValueError(
            f"{source} is written in {language} for the kernel {kernel.get('name', language)!r}, "
            "which is missing here: only notebooks in Python can be run"
        )


def _set_parameters(source: Path, notebook: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Insert a cell with the parameters after the tagged one; it replaces one of an earlier run."""
    tagged = _tagged(notebook, "parameters")
    if len(tagged) != 1:
        raise ValueError(
            f"{source} has {len(tagged)} cells tagged 'parameters', expected one; "
            "tag the cell that names the profile"
        )
    for old in _tagged(notebook, "injected-parameters"):
        notebook.cells.remove(old)
    # JSON holds only values that Python reads back from their text: a path becomes a text here.
    plain = json.loads(json.dumps(dict(parameters), default=str))
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in plain.items())]
    cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(notebook.cells.index(tagged[0]) + 1, cell)


def _tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def _client(
    notebook: NotebookNode,
    source: Path,
    cell_timeout: int | None,
    report: Callable[[str], None],
    times: dict[int, float],
) -> NotebookClient:
    """Return the client that runs the notebook and puts the seconds of each cell into ``times``."""
    count = sum(cell.cell_type == "code" for cell in notebook.cells)

    def on_start(cell: NotebookNode, cell_index: int) -> None:
        times[cell_index] = time.monotonic()

    def on_executed(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        times[cell_index] = seconds = time.monotonic() - times[cell_index]
        first_line = cell.source.partition("\n")[0]
        report(f"{source.stem} {len(times):>3}/{count} {seconds:7.1f} s  {first_line:.60}")

    return NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=cell_timeout,
        resources={"metadata": {"path": str(source.parent.resolve())}},
        # The kernel warns of its own sockets, about which a student can do nothing.
        extra_arguments=["--log-level=CRITICAL"],
        on_cell_execute=on_start,
        on_cell_executed=on_executed,
    )


def _explain(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"failed with {error.ename}: {error.evalue}"
    if isinstance(error, CellTimeoutError):
        return "was still running when its time was up"
    return "ended its kernel, perhaps for lack of memory"


def _write(notebook: NotebookNode, path: Path, folder: Path) -> None:
    """Write a notebook that ran, without the number of its kernel's process and its folder.

    Each warning names a file in a folder that is called after the process, and an error names the
    files that it went through: two runs would never be the same.
    """
    home = str(Path.home())  # IPython writes it as ~
    names = {str(folder), re.sub(rf"^{re.escape(home)}(?=[/\\])", "~", str(folder))}
    inside = re.compile("|".join(re.escape(name + os.sep) for name in names))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = re.sub(r"\bipykernel_\d+(?=[/\\])", "ipykernel", output.text)
                if output.name == "stderr":
                    output.text = inside.sub("", output.text)
            elif output.output_type == "error":
                output.traceback = [inside.sub("", line) for line in output.traceback]
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)
