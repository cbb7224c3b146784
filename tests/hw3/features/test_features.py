"""Question 1: one row of features an image, fast, the same as one image at a time."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import resize

from hw3.features import (
    BACKBONES,
    Extractor,
    Preprocessing,
    build_extractor,
    compute_features,
    extract,
    load_features,
    pixels,
)
from hw3.mnist import Digits

pytestmark = pytest.mark.hw3_q1


class Spy(nn.Module):
    """A network that remembers what it saw; its features are the mean pixel, repeated."""

    def __init__(self, width=2048, value=None):
        super().__init__()
        self.seen, self.width, self.value = [], width, value

    def forward(self, images):
        self.seen.append(images.clone())
        features = images.mean(dim=(1, 2, 3))[:, None].expand(-1, self.width)
        return features if self.value is None else torch.full_like(features, self.value)


@pytest.fixture
def spy():
    return Extractor(Spy(), "resnet50", "a spy")


@pytest.mark.parametrize("backbone", BACKBONES)
def test_batches_give_the_features_of_one_image_at_a_time(some_digits, backbone):
    extractor = build_extractor(backbone, None)
    preprocessing = Preprocessing(image_size=32)
    batched = compute_features(
        some_digits, extractor, preprocessing, batch_size=8, show_progress=False
    ).features
    with torch.inference_mode():
        for row, (image, _) in zip(batched, some_digits, strict=True):
            x = preprocessing(torch.tensor(image)[None].float() / 255)
            alone = extractor(x)[0].numpy()
            np.testing.assert_allclose(row, alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())


@pytest.mark.parametrize("backbone", BACKBONES)
def test_extraction_leaves_the_network_as_it_was(some_digits, backbone):
    extractor = build_extractor(backbone, None)
    before = {name: value.clone() for name, value in extractor.state_dict().items()}
    extractor.train()
    compute_features(some_digits, extractor, Preprocessing(image_size=32), show_progress=False)
    after = extractor.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_images_go_through_in_batches_and_the_short_last_one_too(some_digits, spy):
    result = compute_features(some_digits, spy, batch_size=10, show_progress=False)
    assert [len(images) for images in spy.network.seen] == [10, 10, 3]
    assert result.features.shape == (23, 2048)
    assert result.features.dtype == np.float32
    np.testing.assert_array_equal(result.labels, some_digits.labels)
    means = (some_digits.images.mean(axis=(1, 2)) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(result.features[:, 0], means, rtol=1e-4, atol=1e-6)


def test_preprocessing_is_the_homeworks(spy):
    image = np.arange(784, dtype=np.uint8).reshape(1, 28, 28)
    compute_features(Digits(image, np.array([3], np.uint8)), spy, show_progress=False)
    (seen,) = spy.network.seen
    assert seen.shape == (1, 3, 28, 28)
    for channel in seen[0]:
        np.testing.assert_allclose(channel, (image[0] / 255 - 0.5) / 0.5, atol=1e-6)


def test_resizing_happens_only_if_asked_for():
    x = torch.rand(2, 28, 28)
    assert Preprocessing()(x).shape == (2, 3, 28, 28)
    resized = Preprocessing(image_size=64)(x)
    assert resized.shape == (2, 3, 64, 64)
    assert -1 <= resized.min() <= resized.max() <= 1


def test_resizing_is_that_of_torchvision():
    x = torch.rand(2, 28, 28)
    expected = resize(x, [64, 64], InterpolationMode.BILINEAR, antialias=True)
    torch.testing.assert_close(Preprocessing(0, 1, 64)(x)[:, 0], expected)


class Listed:
    """A data set as others write them: items made one by one."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def test_pil_images_tensors_and_arrays_are_the_same_image(some_digits, spy):
    image, label = some_digits[0]
    kinds = [
        image,
        Image.fromarray(image),
        torch.tensor(image)[None],
        torch.tensor(image)[None].float() / 255,
        image / 255,
        (image / 255).astype(">f4"),
        np.asfortranarray(image[:, ::-1])[:, ::-1],
    ]
    dataset = Listed([(kind, torch.tensor(label)) for kind in kinds])
    result = compute_features(dataset, spy, show_progress=False)
    np.testing.assert_allclose(result.features, result.features[[0]].repeat(7, 0), rtol=1e-6)
    assert result.labels.tolist() == [label] * 7


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "empty"),
        ([(np.zeros((3, 28, 28), np.uint8), 0)], r"image 0 has the shape \(3, 28, 28\)"),
        ([(np.full((28, 28), -1.0), 0)], "image 0 is float64 with values from -1.0"),
        ([(np.full((28, 28), np.nan), 0)], "image 0 is float64 with values from nan"),
        ([(np.zeros((28, 28), np.int64), 0)], "image 0 is int64"),
        (
            [(np.zeros((28, 28), np.uint8), 0), (np.zeros((9, 9), np.uint8), 0)],
            r"image 1 is \(9, 9\) but image 0 \(28, 28\); resize them to one size",
        ),
        ([(np.zeros((28, 28), np.uint8), 3.7)], "label 0 is 3.7, expected a whole number"),
        ([(np.zeros((28, 28), np.uint8), "cat")], "label 0 is 'cat', expected a whole number"),
        ([(np.zeros((28, 28), np.uint8), np.eye(3)[0])], "label 0 is array"),
        ([{"image": 1, "label": 2}], "item 0 of the data set is a dict, expected a pair"),
    ],
)
def test_images_of_another_kind_are_refused(items, message, spy):
    with pytest.raises(ValueError, match=message):
        compute_features(Listed(items), spy, show_progress=False)


def test_features_that_are_not_numbers_are_refused(some_digits):
    broken = Extractor(Spy(value=torch.nan), "resnet50", "broken")
    with pytest.raises(ValueError, match="undefined features for 23 images"):
        compute_features(some_digits, broken, show_progress=False)


def test_a_network_of_another_width_is_refused(some_digits):
    with pytest.raises(ValueError, match=r"gave \(23, 7\) for 23 images, expected \(23, 2048\)"):
        compute_features(some_digits, Extractor(Spy(width=7), "resnet50", "x"), show_progress=False)


def test_a_batch_size_below_one_is_refused(some_digits, spy):
    with pytest.raises(ValueError, match="batch_size is 0"):
        compute_features(some_digits, spy, batch_size=0)


def test_progress_is_visible(some_digits, spy, capsys):
    compute_features(some_digits, spy, batch_size=10, description="mnist_train")
    printed = capsys.readouterr().out
    assert "mnist_train" in printed
    assert "23/23" in printed


def test_extract_writes_what_it_returns(some_digits, spy, mat_file):
    returned = extract(some_digits, mat_file, spy, show_progress=False)
    loaded = load_features(mat_file)
    np.testing.assert_array_equal(loaded.features, returned.features)
    np.testing.assert_array_equal(loaded.labels, some_digits.labels)
    assert (loaded.backbone, loaded.weights) == ("resnet50", "a spy")
    assert loaded.preprocessing == (
        "gray repeated to 3 channels, [0, 1], (x - 0.5) / 0.5, size as stored"
    )


def test_a_failed_extraction_leaves_the_old_file(some_digits, spy, mat_file):
    extract(some_digits, mat_file, spy, show_progress=False)
    before = mat_file.read_bytes()
    with pytest.raises(ValueError, match="undefined features"):
        extract(some_digits, mat_file, Extractor(Spy(value=torch.inf), "resnet50", "broken"))
    assert mat_file.read_bytes() == before
    assert [path.name for path in mat_file.parent.iterdir()] == [mat_file.name]


def test_pixels_are_features_too(some_digits):
    result = pixels(some_digits)
    np.testing.assert_allclose(result.features, some_digits.images.reshape(23, 784) / 255)
    np.testing.assert_array_equal(result.labels, some_digits.labels)
