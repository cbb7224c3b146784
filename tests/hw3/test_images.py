"""Question 1, the way in: every item once, in order, and faults found before the work begins."""

import numpy as np
import pytest
import torch

from hw3.features import extract
from hw3.images import batches, survey
from hw3.mnist import Digits
from hw3.networks import build_extractor

pytestmark = pytest.mark.hw3_q1


def test_some_rows_are_the_same_batches_as_all_rows(some_digits):
    everything = list(batches(some_digits, 4))
    assert [rows for rows, _, _ in everything] == [
        range(start, min(start + 4, 23)) for start in range(0, 23, 4)
    ]
    part = list(batches(some_digits, 4, range(8, 16)))
    for (rows, images, labels), (_, expected, expected_labels) in zip(
        part, everything[2:4], strict=True
    ):
        assert rows in (range(8, 12), range(12, 16))
        torch.testing.assert_close(images, expected, rtol=0, atol=0)
        np.testing.assert_array_equal(labels, expected_labels)


def test_a_survey_returns_the_labels(some_digits):
    labels, _ = survey(some_digits, 4)
    np.testing.assert_array_equal(labels, some_digits.labels)
    assert labels.dtype == np.int64


def test_a_sum_is_of_the_content_and_of_nothing_else(some_digits):
    _, before = survey(some_digits, 4)
    pairs = [(torch.tensor(image)[None] / 255, label) for image, label in some_digits]
    assert survey(pairs, 4)[1] == before
    assert survey(pairs[::-1], 4)[1] != before
    images = some_digits.images.copy()
    images[22, 0, 0] += 1
    assert survey(Digits(images, some_digits.labels), 4)[1] != before


def test_a_fault_in_the_last_image_is_found_before_the_network_runs(some_digits, mat_file):
    items = [*some_digits, (np.full((28, 28), 7.0), 1)]
    extractor = build_extractor("efficientnet_lite0", None)
    extractor.register_forward_hook(lambda *_: pytest.fail("the network ran"))
    with pytest.raises(ValueError, match="image 23 is float64 with values from 7"):
        extract(items, mat_file, extractor, batch_size=4, show_progress=False)
