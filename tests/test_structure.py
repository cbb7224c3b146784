"""The rules of the house: imports point one way, without circles, and each name has one address."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import nbformat
import pytest

from coursework.profiles import ROOT

LAYERS = {
    "coursework": [
        *("door", "storage", "matlab", "profiles", "progress", "figure", "display", "runtime"),
        *("machine",),
        *("side_by_side", "processes", "identity", "data", "backbones", "pdf", "check", "handin"),
        *("course", "cli", "__main__"),
    ],
    "hw3": ["mnist", "softmax", "features", "softmax_regression", "roc", "report"],
    "hw4": ["theory", "imbalanced", "flowers", "training", "report"],
}
"""The parts of each package in order: a part imports only from those before it, and from itself."""

ALLOWED = {"coursework": {"coursework"}, "hw3": {"hw3", "coursework"}, "hw4": {"hw4", "coursework"}}
"""Which packages of the project each of them may import."""


def name_of(path):
    """Return the dotted name of a module, or of the package whose ``__init__`` it is."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source):
    """Yield the module and the name of each ``from module import name``, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "write the whole path: relative imports are not followed here"
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)


def defined_in(source):
    """Return the names that a module itself defines at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = [name for target in targets for name in ast.walk(target)]
            names.update(name.id for name in stored if isinstance(name, ast.Name))
    return names


SOURCES = {
    name_of(path): path.read_text(encoding="utf-8")
    for package in LAYERS
    for path in (ROOT / package).rglob("*.py")
}
PACKAGES = {name_of(path) for package in LAYERS for path in (ROOT / package).rglob("__init__.py")}
IMPORTS = {name: sorted(set(imports_of(source)), key=str) for name, source in SOURCES.items()}
DEFINED = {name: defined_in(source) for name, source in SOURCES.items()}
HANDED_ON = {
    package: {
        name: module
        for module, name in IMPORTS[package]
        if module in SOURCES and name in DEFINED[module]
    }
    for package in PACKAGES
}
"""For each package, what its ``__init__`` hands on, and the module that defines it."""


def origin(module, name):
    """Return the module of the project that an import reads, or ``None``."""
    if f"{module}.{name}" in SOURCES:
        return f"{module}.{name}"
    return module if module in SOURCES else None


@pytest.mark.parametrize("name", SOURCES)
def test_imports_point_one_way(name):
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    order = LAYERS[package]
    for module, imported in IMPORTS[name]:
        target = origin(module, imported)
        if target is None:
            assert module.partition(".")[0] not in {"benchmarks", "tests", "data", "docs"}
            continue
        other, _, inside = target.partition(".")
        assert other in ALLOWED[package], f"{name} imports {target}"
        if other == package and inside:
            before = order[: order.index(part) + 1]
            assert inside.partition(".")[0] in before, f"{name} imports {target}"


def test_no_imports_go_in_a_circle():
    graph = {
        name: {origin(*pair) for pair in pairs} - {None, name} for name, pairs in IMPORTS.items()
    }
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


def importers():
    """Yield every importer of the project: modules, tests, benchmarks, scripts and notebooks."""
    yield from SOURCES.items()
    for folder in ("tests", "benchmarks", "data", "docs"):
        for path in (ROOT / folder).rglob("*.py"):
            yield name_of(path), path.read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        yield path.stem, "\n".join(line for line in source.splitlines() if line[:1] != "%")


@pytest.mark.parametrize(("importer", "source"), [pytest.param(*i, id=i[0]) for i in importers()])
def test_each_public_name_has_one_import_path(importer, source):
    for module, name in imports_of(source):
        if module not in SOURCES or name is None or f"{module}.{name}" in SOURCES:
            continue
        known = DEFINED[module] | HANDED_ON.get(module, {}).keys()
        assert name in known, f"{name} is not of {module}, which only imports it"
        for package, handed in HANDED_ON.items():
            if handed.get(name) == module and not f"{importer}.".startswith(f"{package}."):
                assert module == package, f"import {name} from {package}, not from {module}"


def test_no_package_hands_on_what_another_does():
    addresses = [(name, module) for handed in HANDED_ON.values() for name, module in handed.items()]
    assert len(addresses) == len(set(addresses))


def test_no_package_hands_on_a_name_that_one_of_its_modules_has():
    for package, handed in HANDED_ON.items():
        assert not [name for name in handed if f"{package}.{name}" in SOURCES]


@pytest.mark.parametrize("name", ["softmax", "roc"])
def test_what_is_to_be_written_by_hand_needs_numpy_alone(name):
    used = {module.partition(".")[0] for module, _ in IMPORTS[f"hw3.{name}"]}
    assert used - set(sys.stdlib_module_names) == {"numpy"}


def test_importing_everything_prints_nothing_and_draws_no_random_number():
    code = f"""
import importlib, random, numpy, torch
before = random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
for name in {sorted(name for name in SOURCES if not name.endswith("__main__"))}:
    importlib.import_module(name)
after = random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
assert before == after
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
