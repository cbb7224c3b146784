"""The rules of the house: imports point one way, and nothing runs when a module is imported."""

import ast
import subprocess
import sys

import pytest

from coursework.profiles import ROOT

MODULES = sorted(
    path
    for package in ("benchmarks", "coursework", "hw3", "hw4")
    for path in (ROOT / package).rglob("*.py")
)


def imported(path):
    """Return the top-level packages that a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    forbidden = {
        "benchmarks": set(),
        "coursework": {"hw3", "hw4", "benchmarks"},
        "hw3": {"hw4", "benchmarks"},
        "hw4": {"hw3", "benchmarks"},
    }[package]
    assert not forbidden & set(imported(path))


@pytest.mark.parametrize("name", ["softmax", "roc"])
def test_what_is_to_be_written_by_hand_needs_numpy_alone(name):
    standard = set(sys.stdlib_module_names)
    assert set(imported(ROOT / "hw3" / f"{name}.py")) - standard == {"numpy"}


def test_importing_everything_prints_nothing_and_draws_no_random_number():
    code = """
import random, numpy, torch
before = random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
import coursework.cli, coursework.handin, hw4.training
import hw3.report.experiments, hw3.report.figures, hw3.report.tables
import hw4.report.flower_figures, hw4.report.flower_tables, hw4.report.imbalanced_figures
import hw4.theory.convolutions, hw4.theory.figures
after = random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
assert before == after
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
