"""Which modules of the project a notebook uses, directly or through others."""

import ast
from collections.abc import Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from coursework.profiles import ROOT


def used_modules(notebook: NotebookNode, root: Path = ROOT) -> tuple[Path, ...]:
    """Return the files below ``root`` that the notebook's cells import, followed to the end.

    Parameters
    ----------
    notebook
        Its code cells are read, not run.
    root
        The folder that holds the packages.

    Returns
    -------
    tuple of Path
        Relative to ``root``, sorted, with the ``__init__.py`` of each package on the way.
    """
    # What IPython would run: magics and shell lines turned into Python.
    to_python = TransformerManager().transform_cell
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    waiting = [name for source in cells for name in _imports(to_python(source))]
    found: set[Path] = set()
    while waiting:
        for path in _files(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.extend(_imports((root / path).read_text(encoding="utf-8")))
    return tuple(sorted(found))


def _imports(source: str) -> Iterator[str]:
    """Yield every dotted name that the source imports, or may import as a submodule."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str, root: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs, as far as they lie below ``root``."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        base = Path(*parts[:depth])
        for candidate in (base / "__init__.py", base.with_suffix(".py")):
            if (root / candidate).is_file():
                yield candidate
