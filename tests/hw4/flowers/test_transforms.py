"""Coding part 1: augmentation, the middle of an image, normalisation and its inverse."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from coursework.backbones import HALF, IMAGENET
from hw4.flowers import EvaluationTransform, TrainingTransform, unnormalise
from hw4.flowers.together import finish_together
from hw4.flowers.transforms import random_box

pytestmark = pytest.mark.hw4_flowers


def rng(seed=0):
    return np.random.default_rng(seed)


def smooth(width, height, seed=0):
    """Return a picture without fine detail."""
    coarse = Image.fromarray(rng(seed).integers(0, 256, (5, 6, 3), np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def apply(transform, picture, seed=0):
    """Return the tensor (3, s, s) that a transform makes of a picture."""
    pixels = transform.finish(transform.prepare(picture), rng(seed))
    return torch.from_numpy(pixels).permute(2, 0, 1)


@pytest.mark.parametrize("normalisation", [IMAGENET, HALF])
@pytest.mark.parametrize("size", [(341, 256), (300, 500), (64, 64), (900, 120)])
def test_evaluation_is_torchvision_s_resize_and_centre_crop(size, normalisation):
    picture = smooth(*size)
    oracle = v2.Compose(
        [
            v2.Resize(112),
            v2.CenterCrop(112),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(*normalisation),
        ]
    )
    ours = apply(EvaluationTransform(112, normalisation), picture)
    assert (ours.shape, ours.dtype) == ((3, 112, 112), torch.float32)
    # Half a pixel of rounding where the oracle crops.
    difference = unnormalise(ours, normalisation) - unnormalise(oracle(picture), normalisation)
    assert difference.abs().mean() < 0.01
    assert difference.abs().max() < 0.06


def test_evaluation_is_the_same_each_time_and_training_is_not():
    picture = smooth(80, 60)
    middle, training = EvaluationTransform(32), TrainingTransform(32)
    assert torch.equal(apply(middle, picture, 1), apply(middle, picture, 2))
    assert torch.equal(apply(training, picture, 1), apply(training, picture, 1))
    assert not torch.equal(apply(training, picture, 1), apply(training, picture, 2))


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (200, 3), (31, 33)])
def test_pictures_of_any_size_fit(size):
    for transform in (TrainingTransform(32), EvaluationTransform(32)):
        image = apply(transform, smooth(*size))
        assert image.shape == (3, 32, 32)
        assert torch.isfinite(image).all()


@pytest.mark.handed_out
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 2**32))
def test_a_random_box_lies_within_the_image_and_keeps_to_its_bounds(width, height, seed):
    left, top, right, bottom = random_box(width, height, 0.4, 4 / 3, rng(seed))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    stretch = (right - left) / (bottom - top)
    assert 3 / 4 - 1e-6 <= stretch <= 4 / 3 + 1e-6
    # It may only be smaller than asked for where it touches both edges, and was shrunk to fit.
    area = (right - left) * (bottom - top) / (width * height)
    touches = right - left > width - 1e-6 or bottom - top > height - 1e-6
    assert area >= 0.4 - 1e-9 or touches


@pytest.mark.handed_out
def test_boxes_are_spread_over_area_shape_and_place():
    boxes = np.array([random_box(100, 100, 0.4, 4 / 3, rng(seed)) for seed in range(2000)])
    sides = boxes[:, 2:] - boxes[:, :2]
    assert sides.prod(axis=1).min() < 4200
    assert sides.prod(axis=1).max() > 9500
    assert np.log(sides[:, 0] / sides[:, 1]).mean() == pytest.approx(0, abs=0.02)
    assert boxes.reshape(-1, 2, 2).mean(axis=(0, 1)) == pytest.approx([50, 50], abs=1)


PLAIN = TrainingTransform(40, least_area=1, most_stretch=1, jitter=0)


def test_one_in_two_is_mirrored():
    picture = smooth(40, 40)
    straight = apply(EvaluationTransform(40), picture)
    images = [apply(PLAIN, picture, seed) for seed in range(400)]
    mirrored = sum(torch.allclose(image, straight.flip(-1), atol=1e-6) for image in images)
    assert sum(torch.allclose(image, straight, atol=1e-6) for image in images) == 400 - mirrored
    # Four standard deviations.
    assert abs(mirrored - 200) <= 40


@pytest.mark.parametrize("seed", range(5))
def test_the_change_of_light_equals_three_torchvision_functions_in_turn(seed):
    """One matrix and one shift do what brightness, saturation and contrast do in turn."""
    # Not near black or white, where torchvision cuts off after each step.
    picture = Image.fromarray(rng(seed).integers(90, 160, (40, 40, 3), np.uint8))
    transform = dataclasses.replace(PLAIN, jitter=0.3)
    generator = rng(seed)
    random_box(40, 40, 1, 1, generator)
    mirrored = generator.random() < 0.5
    brightness, saturation, contrast = generator.uniform(0.7, 1.3, 3)
    expected = v2.functional.to_dtype(v2.functional.to_image(picture), torch.float32, scale=True)
    expected = v2.functional.adjust_brightness(expected, brightness)
    expected = v2.functional.adjust_saturation(expected, saturation)
    expected = v2.functional.adjust_contrast(expected, contrast)
    expected = expected.flip(-1) if mirrored else expected
    assert torch.allclose(unnormalise(apply(transform, picture, seed)), expected, atol=2e-4)


def test_the_change_of_light_stays_within_black_and_white():
    picture = Image.fromarray(rng().choice([0, 255], (40, 40, 3)).astype(np.uint8))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in IMAGENET)
    transform = dataclasses.replace(PLAIN, jitter=0.9)
    for seed in range(20):
        seen = apply(transform, picture, seed) * std + mean
        assert seen.min() > -1e-6
        assert seen.max() < 1 + 1e-6


@given(st.sampled_from([IMAGENET, HALF]), st.integers(0, 2**32))
def test_unnormalise_gives_back_the_pixels(normalisation, seed):
    pixels = rng(seed).integers(0, 256, (56, 64, 3), np.uint8)
    # The middle square has the size that is asked for, so that nothing is resampled.
    image = apply(EvaluationTransform(56, normalisation), Image.fromarray(pixels))
    expected = torch.from_numpy(pixels[:, 4:-4]).permute(2, 0, 1) / 255
    assert torch.allclose(unnormalise(image, normalisation), expected, atol=1e-6)


def test_unnormalise_takes_one_image_or_many_and_stays_in_bounds():
    images = torch.linspace(-9, 9, 2 * 3 * 4 * 4).view(2, 3, 4, 4)
    both = unnormalise(images)
    assert torch.equal(both[1], unnormalise(images[1]))
    assert (both.min(), both.max()) == (0, 1)


@pytest.mark.handed_out
def test_large_images_are_shrunk_once_and_small_ones_kept():
    transform = TrainingTransform(64)
    assert transform.prepare(smooth(400, 300)).shape == (96, 128, 3)
    assert transform.prepare(smooth(90, 60)).shape == (60, 90, 3)


@pytest.mark.parametrize("kind", [TrainingTransform, EvaluationTransform])
def test_a_whole_batch_shows_what_its_images_show_one_by_one(kind):
    """Up to a level of 255: Pillow rounds between its passes, and the light may enlarge that."""
    transform = kind(40, HALF)
    noise = Image.fromarray(rng().integers(0, 256, (70, 90, 3), np.uint8))
    sizes = [(1, 1), (200, 3), (31, 33), (64, 300), (400, 300)]
    pictures = [noise, *(smooth(*size, seed) for seed, size in enumerate(sizes))]
    images = [transform.prepare(picture) for picture in pictures]
    single = [apply(transform, picture, seed) for seed, picture in enumerate(pictures)]
    together = finish_together(transform, images, map(rng, range(6)), torch.device("cpu"))
    with torch.autocast("cpu", torch.bfloat16):  # what the caller computes in does not count
        again = finish_together(transform, images, map(rng, range(6)), torch.device("cpu"))
    assert torch.equal(again, together)
    assert (together.shape, together.dtype) == ((6, 3, 40, 40), torch.float32)
    for ours, expected in zip(together, single, strict=True):
        levels = 255 * (unnormalise(ours, HALF) - unnormalise(expected, HALF))
        assert levels.abs().max() < 2
        assert levels.mean().abs() < 0.2
