"""Run a notebook on a fresh kernel, top to bottom."""

import ast
import json
import os
import re
import socket
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import get_kernel_spec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode
from traitlets.config import Config

from coursework.identity import Identity, fill_in
from coursework.storage import atomic_path, locked, scratch_folder

_INJECTED = "injected-parameters"
"""The tag of the cell with the parameters of a run, as papermill calls it."""

_NOT_PLAIN = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
"""What `ast` raises for a source that is no plain Python, or is nested too deep."""


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
    """A cell failed, or the kernel does not start.

    The message names the cell, its error and the notebook that was kept, or the kernel's Python.
    """


def run_notebook(
    source: Path | str,
    target: Path | str,
    *,
    parameters: Mapping[str, Any] | None = None,
    identity: Identity | None = None,
    cell_timeout: int | None = None,
    missing: Mapping[str, str] | None = None,
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
    missing
        If given, the notebook is part-finished: a cell that fails shows its error, and the next
        cells run all the same. The questions and what is missing of each stand on its first page.
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
        If a cell fails, takes too long, or ends its kernel; or if there is no kernel that starts.
    coursework.storage.BusyError
        If another process is running a notebook to ``target``.
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
    if missing is not None:
        _expect_errors(notebook, missing)
    _require_kernel()
    failed = target.with_suffix(".failed.ipynb")
    times: dict[int, float] = {}
    folder = source.parent.resolve()
    with locked(target):
        for old in (target, failed):
            old.unlink(missing_ok=True)
        start = time.monotonic()
        try:
            _execute(notebook, source, cell_timeout, report, times)
        except (KeyboardInterrupt, CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            reason = _explain(error, f"cell {max(times, default=-1) + 1} of {source.name}")
            try:
                _write(notebook, failed, folder)
                kept = f"the cells that ran are kept in {failed}"
            except (OSError, ValueError) as lost:  # it must not hide why the run ended
                kept = f"the cells that ran are lost, since they cannot be written ({lost})"
            raise NotebookError(f"{reason}; {kept}") from error
        seconds = time.monotonic() - start
        _write(notebook, target, folder)
    return Run(seconds, tuple(times.values()))


def read_parameters(source: Path) -> dict[str, Any]:
    """Return the values that a notebook gives to its parameters.

    Returns
    -------
    dict
        What the cell tagged ``parameters`` assigns, and the cell that `run_notebook` put behind it
        in an earlier run: names and plain values. What a cell computes is left out.

    Raises
    ------
    FileNotFoundError, ValueError
        As `run_notebook` raises them.
    """
    notebook = _read(source)
    values: dict[str, Any] = {}
    for cell in (*_tagged(notebook, "parameters"), *_tagged(notebook, _INJECTED)):
        with suppress(*_NOT_PLAIN):  # such as a magic of IPython
            for node in ast.parse(cell.source).body:
                match node:
                    case (
                        ast.Assign(targets=[ast.Name(id=name)], value=value)
                        | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                    ):
                        values.pop(name, None)
                        with suppress(*_NOT_PLAIN):
                            values[name] = ast.literal_eval(value)
    return values


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
    if language and "python" not in str(language).lower():
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
    for old in _tagged(notebook, _INJECTED):
        notebook.cells.remove(old)
    # JSON holds only values that Python reads back from their text: a path becomes a text here.
    plain = json.loads(json.dumps(dict(parameters), default=str))
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in plain.items())]
    cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [_INJECTED]})
    notebook.cells.insert(notebook.cells.index(tagged[0]) + 1, cell)


def _expect_errors(notebook: NotebookNode, missing: Mapping[str, str]) -> None:
    """Let each cell fail, and list what is missing below the header."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tags = cell.metadata.setdefault("tags", [])
            cell.metadata["tags"] = [*tags, "raises-exception"]
    lines = ["**Part-finished hand-in.**"]
    if missing:
        lines[0] += " Not answered yet:"
        lines += ["", *(f"- {question}: {what}" for question, what in missing.items())]
    header = _tagged(notebook, "identity")
    place = notebook.cells.index(header[0]) + 1 if header else 0
    notebook.cells.insert(place, nbformat.v4.new_markdown_cell("\n".join(lines)))


def _tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def _require_kernel() -> None:
    """Refuse a kernel ``python3`` of Jupyter that is not of the Python of this process.

    Another one may lack the homework's packages, or have them in other releases.
    """
    own = sys.executable
    mend = f"{own} -m ipykernel install --sys-prefix"
    # Older releases of ipykernel load a debugger, here and in the kernel, which warns of Python's
    # frozen modules.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        kernel = get_kernel_spec("python3")
        python = kernel.argv[0]
    except Exception as error:  # a description that is missing, no JSON, or lacks a field
        raise NotebookError(
            f"{own} has no kernel for notebooks ({error}); run {own} -m pip install ipykernel, "
            f"and then {mend}"
        ) from error
    # Jupyter itself takes a bare name for the Python of this process.
    bare = {"python", "python3", f"python3.{sys.version_info.minor}"}
    same = python in bare or Path(python).parent.resolve() == Path(own).parent.resolve()
    if not same or kernel.language.lower() != "python":
        raise NotebookError(
            f"Jupyter's kernel 'python3' runs {python} ({kernel.language}), but the homework is "
            f"installed for {own}; remove {kernel.resource_dir}, which describes that kernel"
        )
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        raise NotebookError(
            f"this machine cannot connect to itself at 127.0.0.1 ({error}), which is how the "
            f"kernel, {own}, is spoken to; bring the loopback up (ip link set lo up), or let the "
            "firewall pass it"
        ) from error


def _execute(
    notebook: NotebookNode,
    source: Path,
    cell_timeout: int | None,
    report: Callable[[str], None],
    times: dict[int, float],
) -> None:
    """Run the cells on a kernel of their own, and put the seconds of each into ``times``."""
    # While OpenMP's threads wait for each other, they use up the cores that other programs, or the
    # very thread they wait for, would need. The policy lets them sleep instead.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    with scratch_folder("kernel") as folder, open(folder / "errors", "w+b") as errors:
        client = _client(notebook, source, folder, cell_timeout, report, times)
        manager = client.create_kernel_manager()
        try:
            client.start_new_kernel(env=environment, stderr=errors)
            client.start_new_kernel_client()
        except KeyboardInterrupt:
            if manager.has_kernel:
                # Otherwise it would go on for a second, in a folder that is gone.
                run_sync(manager.shutdown_kernel)(now=True)  # type: ignore[arg-type]  # is async
            raise
        except Exception as error:  # the system, Jupyter and ZeroMQ each fail in their own ways
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            reason = ": ".join([str(error).replace("\n", " "), *said[-1:]])
            raise NotebookError(
                f"the kernel of the notebook, {sys.executable}, does not start ({reason}); try "
                f"{sys.executable} -m pip install --force-reinstall ipykernel"
            ) from error
        # NotebookClient.execute would do this too, but it takes the signals of the whole process,
        # and what it leaves to the end of Python fails there with a traceback.
        with client.setup_kernel():
            assert client.kc is not None
            reply = client.wait_for_reply(client.kc.kernel_info())
            assert reply is not None
            notebook.metadata["language_info"] = reply["content"]["language_info"]
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
            client.set_widgets_metadata()


def _client(
    notebook: NotebookNode,
    source: Path,
    folder: Path,
    cell_timeout: int | None,
    report: Callable[[str], None],
    times: dict[int, float],
) -> NotebookClient:
    """Return the client that runs the notebook; how to reach its kernel is noted in ``folder``."""
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
        config=Config({"KernelManager": {"connection_file": str(folder / "connection.json")}}),
        # The kernel warns of its own sockets, about which a student can do nothing.
        extra_arguments=["--log-level=CRITICAL"],
        on_cell_execute=on_start,
        on_cell_executed=on_executed,
    )


def _explain(error: BaseException, cell: str) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, CellExecutionError):
        return f"{cell} failed with {error.ename}: {error.evalue}"
    if isinstance(error, CellTimeoutError):
        return f"{cell} was still running when its time was up"
    return f"{cell} ended its kernel, perhaps for lack of memory"


def _write(notebook: NotebookNode, path: Path, folder: Path) -> None:
    """Write a notebook that ran, without the number of its kernel's process and its folder.

    Each warning names a file in a folder that is called after the process, and an error names the
    files that it went through: two runs would never be the same.
    """
    home = str(Path.home())  # IPython writes it as ~
    names = {str(folder), re.sub(rf"^{re.escape(home)}(?=[/\\])", "~", str(folder))}
    process = re.compile(r"\bipykernel_\d+(?=[/\\])")
    inside = re.compile("|".join(re.escape(name + os.sep) for name in names))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = process.sub("ipykernel", output.text)
                if output.name == "stderr":
                    output.text = inside.sub("", output.text)
            elif output.output_type == "error":
                # Before its release 8, IPython named the file of a cell here too.
                lines = [process.sub("ipykernel", line) for line in output.traceback]
                output.traceback = [inside.sub("", line) for line in lines]
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)
