"""The speed of extraction: both sides compute the same, and each row is judged as it should be."""

import math

import numpy as np
import pytest
import torch

from benchmarks import extraction
from benchmarks.extraction import BATCH_SIZES, OURS, in_batches, one_at_a_time, plain_network
from hw3.features import Extractor, compute_features
from hw3.mnist import Digits


def test_all_sides_compute_the_same_features():
    train = extraction.digits()
    images = train.images[:5].copy()
    one = one_at_a_time(images)
    tolerance = {"rtol": 1e-4, "atol": 1e-4 * np.abs(one).max()}
    np.testing.assert_allclose(in_batches(images, 2), one, **tolerance)
    ours = compute_features(
        Digits(train.images[:5], train.labels[:5]),
        Extractor(plain_network(), "resnet50", "untrained"),
        device="cpu",
        show_progress=False,
    )
    np.testing.assert_allclose(ours.features, one, **tolerance)


@pytest.fixture
def measured(monkeypatch):
    """Pretend that the plain loops take 1 s a round, batches of 128 half of it, and ours 0.5 s."""

    def interleave(contenders, rounds, pause):
        times = {"ours": 0.5, "one": 1.0, "reduced": 0.25, "128": 0.5}
        return {name: times.get(name, 1.0) for name in contenders}

    monkeypatch.setattr(extraction, "interleave", interleave)
    monkeypatch.setattr(extraction, "accuracy", lambda *arguments: 0.9)


def test_the_best_of_the_plain_batches_is_the_baseline(measured, monkeypatch):
    monkeypatch.setattr(extraction, "reduced_precision", lambda device: None)
    one, batched, _ = extraction.compare_precisions()
    assert (one.ratio, one.required) == (pytest.approx(OURS / 0.5 / 50), 8)
    assert (batched.ratio, batched.required) == (pytest.approx(OURS / 0.5 / 1024), 1)
    assert batched.baseline.endswith("32, 64, 128, 256, 512: 128")
    assert 128 in BATCH_SIZES


def test_a_precision_that_is_not_there_is_shown_and_not_judged(measured, monkeypatch):
    monkeypatch.setattr(extraction, "reduced_precision", lambda device: None)
    *_, row = extraction.compare_precisions()
    assert row.ours == "not on this CPU"
    assert math.isnan(row.ratio)
    assert not row.falls_short


@pytest.mark.parametrize(("amx", "required"), [(True, 13), (False, None)])
def test_reduced_precision_is_judged_where_there_is_amx(measured, monkeypatch, amx, required):
    monkeypatch.setattr(extraction, "reduced_precision", lambda device: torch.bfloat16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    *_, row, _ = extraction.compare_precisions()
    assert row.work.endswith("bfloat16")
    assert (row.ratio, row.required) == (pytest.approx(OURS / 0.25 / 50), required)


@pytest.mark.parametrize(("reduced", "falls_short"), [(0.8981, False), (0.8959, True)])
def test_reduced_precision_may_cost_three_tenths_of_a_point(monkeypatch, reduced, falls_short):
    reached = {"fp32": 0.899, "auto": reduced}
    monkeypatch.setattr(extraction, "accuracy", reached.__getitem__)
    assert extraction.compare_accuracies("bfloat16").falls_short is falls_short


def test_the_memory_is_that_of_a_process_of_its_own(monkeypatch):
    """Two gigabytes of this one do not count."""
    monkeypatch.setattr(extraction, "MANY", 20)
    ballast = np.ones(2**28)
    row = extraction.compare_memory()
    peak = (20 * 2048 * 4 + 1.5e9) / row.ratio
    assert 100e6 < peak < ballast.nbytes
