"""Question 1, the way in: every item once, in order, and faults found before the work begins."""

import numpy as np
import pytest
import torch
from PIL import Image

from hw3.features import build_extractor, extract
from hw3.features.images import batches, survey
from hw3.mnist import Digits

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
    assert {survey(pairs, batch_size)[1] for batch_size in (1, 5, 23, 100)} == {before}
    assert survey(pairs[::-1], 4)[1] != before
    assert survey(pairs[:-1], 4)[1] != before
    images = some_digits.images.copy()
    images[22, 0, 0] += 1
    assert survey(Digits(images, some_digits.labels), 4)[1] != before
    labels = some_digits.labels.copy()
    labels[0] += 1
    assert survey(Digits(some_digits.images, labels), 4)[1] != before
    flat = [(image.reshape(1, 14, 56), label) for image, label in pairs]
    assert survey(flat, 4)[1] != before


@pytest.mark.parametrize("border", [3, 4, 5, 8])
def test_images_of_another_size_are_found_wherever_they_begin(border):
    """A batch of their own is where nothing else would notice."""
    sides = [28] * border + [64] * (9 - border)
    items = [(np.zeros((side, side), np.uint8), 0) for side in sides]
    message = rf"image {border} is \(64, 64\) but image 0 \(28, 28\); resize them to one size"
    with pytest.raises(ValueError, match=message):
        survey(items, 4)


@pytest.mark.parametrize("mode", ["P", "PA", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_a_pil_image_that_is_not_gray_is_refused(mode):
    """Numbers of a palette look like intensities, and so does a single row of colours."""
    image = Image.new(mode, (28, 1))
    with pytest.raises(ValueError, match=rf"image 0 has the mode '{mode}' of PIL.*convert\('L'\)"):
        survey([(image, 0)], 4)


@pytest.mark.parametrize("mode", ["1", "L", "F"])
def test_every_gray_mode_of_pil_is_the_same_image(mode):
    eye = np.eye(5, dtype=np.float32 if mode == "F" else np.uint8)
    image = Image.fromarray(eye if mode == "F" else eye * 255).convert(mode)
    ((_, images, _),) = batches([(image, 0)], 4)
    torch.testing.assert_close(images[0], torch.eye(5))


@pytest.mark.parametrize("mode", ["I", "I;16"])
def test_gray_numbers_of_no_known_scale_are_refused(mode):
    image = Image.new("I", (5, 5), 7).convert(mode)
    with pytest.raises(ValueError, match=r"image 0 is u?int\d\d with values from 7 to 7, expected"):
        survey([(image, 0)], 4)


def test_a_fault_in_the_last_image_is_found_before_the_network_runs(some_digits, mat_file):
    items = [*some_digits, (np.full((28, 28), 7.0), 1)]
    extractor = build_extractor("efficientnet_lite0", None)
    extractor.register_forward_hook(lambda *_: pytest.fail("the network ran"))
    with pytest.raises(ValueError, match="image 23 is float64 with values from 7"):
        extract(items, mat_file, extractor, batch_size=4, show_progress=False)
