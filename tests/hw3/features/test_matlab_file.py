"""Question 1 on disk: rows become columns and columns rows, by every core and without a loss."""

import warnings

import numpy as np
import pytest

from hw3.features import matlab_file
from hw3.features.matlab_file import transposed

pytestmark = pytest.mark.hw3_q1


@pytest.mark.parametrize("cores", [1, 2, 7, None])
@pytest.mark.parametrize("shape", [(1, 1), (1, 130), (2050, 1), (1024, 64), (1025, 65), (70, 3000)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_tile_is_transposed_by_some_core(monkeypatch, cores, shape, order):
    monkeypatch.setattr(matlab_file.os, "cpu_count", lambda: cores)
    matrix = np.asarray(np.random.default_rng(0).normal(size=shape), np.float32, order=order)
    result = transposed(matrix)
    np.testing.assert_array_equal(result, matrix.T)
    assert result.flags.c_contiguous


def test_doubles_beyond_single_precision_become_infinite_in_every_thread():
    """`load_features` says so; a warning from a thread could not be silenced by the caller."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(transposed(np.full((1500, 100), 1e300))).all()
