"""A course of one question, in a checkout of its own."""

import json
import shutil
import subprocess

import pytest

TABLE = """
[tool.pytest.ini_options]
markers = ["hw9_q1: sums", "handed_out: free"]

[tool.coursework.questions.hw9_q1]
homework = "hw9"
name = "Question 1"
title = "sums"
points = 4
answers = ["hw9.sums:total", "hw9.sums:mean"]
prose = ["hw9-02"]
tests = { "tests/test_total.py" = 3, "tests/test_mean.py" = 1 }

[tool.coursework.release]
readme = "docs/students.md"
left_out = ["docs/*", "secret.md"]
"""

SUMS = '''"""Sums."""


def total(numbers):
    """Return the sum of all numbers."""
    collected = 0
    for number in numbers:
        collected = collected + number
    return collected


def mean(numbers):
    """Return the mean."""
    return total(numbers) / len(numbers)
'''

TOTAL = '''"""Sums."""

import pytest

from hw9.sums import total

pytestmark = pytest.mark.hw9_q1


def test_the_sum_of_two_numbers():
    """Trap: the last number dropped."""
    assert total([1, 2]) == 3


@pytest.mark.parametrize("numbers", [[], [0]])
def test_nothing_adds_up_to_nothing(numbers):
    assert total(numbers) == 0


@pytest.mark.handed_out
def test_one_is_one():
    assert 1 == 1
'''

MEAN = '''"""Means."""

import pytest

from hw9.sums import mean

pytestmark = pytest.mark.hw9_q1


def test_the_mean_of_equal_numbers():
    assert mean([2, 2]) == 2
'''

ANSWER = "The sum of all numbers\ngrows with each of them. It is |0| for none."


def cell(name, source):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source.splitlines(True)}


def checkout(root, files):
    """Write files by their names, and let git know them."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)


@pytest.fixture
def course(tmp_path):
    """Return the folder of the course; git knows all of its files."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    root = tmp_path / "course"
    notebook = {
        "cells": [cell("hw9-01", "# Sums"), cell("hw9-02", ANSWER)],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    files = {
        "pyproject.toml": TABLE,
        "hw9/__init__.py": "",
        "hw9/sums.py": SUMS,
        "tests/test_total.py": TOTAL,
        "tests/test_mean.py": MEAN,
        "notebooks/hw9_sums.ipynb": json.dumps(notebook),
        "docs/students.md": "# Sums\n<!-- questions -->\n",
        "README.md": "for teachers",
        "secret.md": SUMS,
        "data/numbers.bin": b"\xff\xfe",
    }
    checkout(root, files)
    (root / "untracked.md").write_text("mine", encoding="utf-8")
    return root
