"""The speed of extraction: both sides compute the same, and each row is judged as it should be."""

import math

import numpy as np
import pytest
import torch

from benchmarks.extraction import (
    BATCH_SIZES,
    accuracy_row,
    digits,
    memory_row,
    plain_features,
    plain_network,
    precision_rows,
)
from benchmarks.table import has_amx
from hw3.features import Extractor, compute_features


def test_all_sides_compute_the_same_features():
    some = digits(5)
    one = plain_features(some.images, 1)
    tolerance = {"rtol": 1e-4, "atol": 1e-4 * np.abs(one).max()}
    np.testing.assert_allclose(plain_features(some.images, 2), one, **tolerance)
    extractor = Extractor(plain_network(), "resnet50", "untrained")
    ours = compute_features(some, extractor, device="cpu", show_progress=False)
    np.testing.assert_allclose(ours.features, one, **tolerance)


RATES = {"fp32": 800.0, "1": 80.0, **{f"{size}": 500.0 for size in BATCH_SIZES}, "128": 640.0}


def test_the_baselines_are_one_image_at_a_time_and_the_best_of_the_plain_batches():
    one, batched, _ = precision_rows(RATES, 0.16, None)
    assert (one.ratio, one.required) == (10, 8)
    assert (batched.ratio, batched.required) == (1.25, 1)
    assert batched.baseline == "batches of 128, the best of 32 to 512"


def test_a_precision_that_this_cpu_lacks_is_shown_and_not_judged():
    *_, row = precision_rows(RATES, 0.16, None)
    assert row.cells()[1] == "not measured"
    assert math.isnan(row.ratio)
    assert not row.falls_short


def test_reduced_precision_is_judged_where_there_is_amx():
    *_, row = precision_rows({**RATES, "reduced": 1600.0}, 0.16, torch.bfloat16)
    assert row.work.endswith("bfloat16")
    assert (row.ratio, row.required) == (20, 13 if has_amx() else None)


@pytest.mark.parametrize(("reduced", "falls_short"), [(0.8961, False), (0.8959, True)])
def test_reduced_precision_may_cost_three_tenths_of_a_point(reduced, falls_short):
    assert accuracy_row(0.899, reduced).falls_short is falls_short


def test_the_memory_row_measures_a_process_of_its_own(monkeypatch):
    """Two gigabytes of this process do not count."""
    monkeypatch.setattr("benchmarks.extraction.MANY", 20)
    ballast = np.ones(2**28)
    assert 100 < memory_row().ours < 1e-6 * ballast.nbytes
