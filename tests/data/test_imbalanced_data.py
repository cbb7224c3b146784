"""The imbalanced files are the ones that the script draws, in the order of the homework."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coursework.storage import sha256

pytestmark = [pytest.mark.hw4_imbalanced, pytest.mark.handed_out]

DATA = Path(__file__).resolve().parents[2] / "data"
NAMES = ("sampleste.txt", "samplestr.txt")


def test_the_checksums_hold():
    lines = (DATA / "imbalanced" / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{sha256(DATA / 'imbalanced' / name)}  {name}" for name in NAMES]


def run_script(target, *arguments):
    command = [sys.executable, DATA / "make_imbalanced.py", "--target", target, *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=DATA.parent)


def test_the_script_writes_the_same_bytes_again(tmp_path):
    run_script(tmp_path)
    for name in (*NAMES, "SHA256SUMS"):
        assert (tmp_path / name).read_bytes() == (DATA / "imbalanced" / name).read_bytes()


def test_another_seed_draws_other_points(tmp_path):
    run_script(tmp_path, "--seed", "1")
    for name in NAMES:
        assert sha256(tmp_path / name) != sha256(DATA / "imbalanced" / name)


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_are_those_of_the_brief(name):
    table = np.loadtxt(DATA / "imbalanced" / name)
    assert table.shape == (10_000, 3)
    assert table[:, 2].tolist() == [0] * 8_000 + [1] * 2_000
    for rows, mean, sigma in (
        (slice(0, 5_000), (0, 0), 0.5),
        (slice(5_000, 8_000), (5, 0), 0.3),
        (slice(8_000, 9_000), (4, 2.5), 0.3),
        (slice(9_000, None), (5, -2.5), 0.3),
    ):
        points = table[rows, :2]
        # Five standard errors.
        margin = 5 * sigma / np.sqrt(len(points))
        assert points.mean(axis=0) == pytest.approx(mean, abs=margin)
        assert points.std(axis=0) == pytest.approx((sigma, sigma), abs=margin)


def test_train_and_test_are_drawn_apart():
    first, second = (np.loadtxt(DATA / "imbalanced" / name) for name in NAMES)
    assert not (first[:, :2] == second[:, :2]).all(axis=1).any()
