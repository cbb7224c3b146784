"""Notice when code of a stranger changes what it is tested with, and put it back."""

import ast
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

JUDGES = (
    *("pytest", "_pytest", "pluggy", "hypothesis", "unittest", "numpy"),
    *("builtins", "json", "math", "os"),
)
"""The packages that tests are judged with, guarded with all of their modules."""


_THEIR_OWN = {"sys", "warnings"}
"""Modules in which pytest itself replaces functions while a test runs."""


def libraries_of(files: Iterable[Path], without: Iterable[str]) -> list[str]:
    """Return the modules that test files may use, but for those of some packages.

    A name such as ``np.testing`` may be a module that is imported only when it is asked for. Some
    of the names are no modules but functions.
    """
    found: set[str] = set()
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
        known: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Import):
                known |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
                for alias in node.names:
                    known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        found.update(known.values())
        found.update(
            f"{known[node.value.id]}.{node.attr}"
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in known
        )
    strange = set(without)
    return [name for name in sorted(found) if name.partition(".")[0] not in strange]


class Guard:
    """Functions and classes of libraries, as they are when the guard is made.

    Parameters
    ----------
    modules
        The modules to guard besides `JUDGES`, as far as they are imported already. Of a package,
        the names that it hands on itself.
    free
        Names that may change: libraries replace functions of their own when they are first used.
    """

    def __init__(self, modules: Iterable[str], free: Iterable[str] = ()) -> None:
        self._free = frozenset(free)
        chosen = set(modules) - _THEIR_OWN
        self._modules = {
            name: module
            for name, module in sys.modules.items()
            if isinstance(module, types.ModuleType)
            and (name in chosen or name.partition(".")[0] in JUDGES)
        }
        # The place, the name in it, what stands there, and the parts of a function in Python.
        self._known: list[tuple[Any, str, Any, tuple[Any, Any] | None]] = []
        classes: dict[int, type] = {}
        for module in self._modules.values():
            for name, value in tuple(vars(module).items()):
                if callable(value) or isinstance(value, types.ModuleType):
                    self._note(module, name, value)
                if isinstance(value, type) and value.__module__ in self._modules:
                    classes[id(value)] = value
        self._members: list[tuple[type, frozenset[str]]] = []
        for owner in classes.values():
            if owner.__flags__ & 1 << 9:  # made by a class statement, so that it can be changed
                self._members.append((owner, frozenset(vars(owner))))
                for name, value in tuple(vars(owner).items()):
                    if callable(value) or isinstance(value, property | classmethod | staticmethod):
                        self._note(owner, name, value)

    def _note(self, owner: Any, name: str, value: Any) -> None:
        if f"{owner.__name__}.{name}" in self._free:
            return
        self._known.append((owner, name, value, _parts(value)))

    def changed(self) -> list[str]:
        """Return the names of what is not as it was."""
        places = [(owner, name) for owner, name, *_ in self._replaced()] + self._added()
        return [
            *(name for name, known in self._modules.items() if sys.modules.get(name) is not known),
            *(f"{owner.__name__}.{name}" for owner, name in places),
        ]

    def _replaced(self) -> list[tuple[Any, str, Any, tuple[Any, Any] | None]]:
        """Return what stands no longer where it stood, and functions that run other code."""
        return [
            (owner, name, value, parts)
            for owner, name, value, parts in self._known
            if vars(owner).get(name) is not value or (parts and _parts(value) != parts)
        ]

    def _added(self) -> list[tuple[type, str]]:
        """Return what classes have now and did not have, which may hide what instances have."""
        return [
            (owner, name)
            for owner, members in self._members
            if len(vars(owner)) != len(members)
            for name in vars(owner).keys() - members
            if f"{owner.__name__}.{name}" not in self._free
        ]

    def mend(self) -> list[str]:
        """Put back whatever was changed, and return its names."""
        changed = self.changed()
        if changed:
            sys.modules.update(self._modules)
            for owner, name, value, parts in self._replaced():
                setattr(owner, name, value)
                if parts is not None:
                    value.__code__, value.__defaults__ = parts
            for cls, name in self._added():
                delattr(cls, name)
        return changed


def _parts(value: Any) -> tuple[Any, Any] | None:
    """Return the code of a function and the defaults of its arguments."""
    if isinstance(value, types.FunctionType):
        return value.__code__, value.__defaults__
    return None
