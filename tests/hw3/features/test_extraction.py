"""Question 1: one row of features an image, fast, the same as one image at a time."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import resize

from coursework import runtime
from coursework.backbones import BACKBONES
from hw3.features import (
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


def with_statistics(extractor):
    """Give every BatchNorm layer statistics and weights as a trained one has."""
    generator = torch.Generator().manual_seed(0)
    for module in extractor.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -1, 1),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -1, 1),
            ):
                tensor.uniform_(low, high, generator=generator)
    return extractor


def one_at_a_time(digits, extractor, preprocessing):
    rows = []
    for image, _ in digits:
        with torch.inference_mode():
            x = preprocessing(torch.tensor(image)[None].float() / 255)
            rows.append(extractor(x)[0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_batches_without_batch_norm_layers_give_the_features_of_one_image_at_a_time(
    some_digits, backbone
):
    extractor = with_statistics(build_extractor(backbone, None))
    preprocessing = Preprocessing(image_size=32)
    expected = one_at_a_time(some_digits, extractor, preprocessing)
    ran = []
    with register_module_forward_hook(lambda module, *_: ran.append(type(module))):
        batched = compute_features(
            some_digits, extractor, preprocessing, batch_size=8, show_progress=False
        ).features
    for row, alone in zip(batched, expected, strict=True):
        np.testing.assert_allclose(row, alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())
    assert any(issubclass(kind, nn.Conv2d) for kind in ran)
    assert not any(issubclass(kind, nn.BatchNorm2d) for kind in ran)


class BasicBlock(nn.Module):
    """Named like a block of torchvision; its BatchNorm layer reads the images themselves."""

    def __init__(self):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(3), nn.Conv2d(3, 512, 3)

    def forward(self, x):
        return self.conv1(self.bn1(x)).mean(dim=(2, 3))


def test_a_network_of_another_make_runs_as_it_is(some_digits):
    extractor = with_statistics(Extractor(BasicBlock(), "resnet18", "my own"))
    ours = compute_features(some_digits, extractor, show_progress=False).features
    expected = one_at_a_time(some_digits, extractor, Preprocessing())
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_extraction_leaves_the_network_as_it_was(some_digits, backbone):
    extractor = build_extractor(backbone, None)
    before = {name: value.clone() for name, value in extractor.state_dict().items()}
    extractor.train()
    compute_features(some_digits, extractor, Preprocessing(image_size=32), show_progress=False)
    after = extractor.state_dict()
    assert list(after) == list(before)
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


def test_images_are_resized_as_torchvision_does_it_and_only_if_asked_for():
    x = torch.rand(2, 28, 28)
    assert Preprocessing()(x).shape == (2, 3, 28, 28)
    expected = resize(x, [64, 64], InterpolationMode.BILINEAR, antialias=True)
    torch.testing.assert_close(Preprocessing(0, 1, 64)(x)[:, 0], expected)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    "settings",
    [
        *({"image_size": 0}, {"image_size": 100_000}, {"std": 0.0}, {"std": float("nan")}),
        *({"std": float("inf")}, {"mean": float("nan")}),
    ],
)
def test_a_size_or_a_deviation_that_cannot_be_is_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} is .*, expected"):
        Preprocessing(**settings)


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
    dataset = [(kind, torch.tensor(label)) for kind in kinds]
    result = compute_features(dataset, spy, show_progress=False)
    np.testing.assert_allclose(result.features, result.features[[0]].repeat(7, 0), rtol=1e-6)
    assert result.labels.tolist() == [label] * 7


@pytest.mark.handed_out
@pytest.mark.parametrize("mode", ["1", "L", "F"])
def test_every_gray_mode_of_pil_is_the_same_image(mode):
    eye = np.eye(5, dtype=np.float32 if mode == "F" else np.uint8)
    image = Image.fromarray(eye if mode == "F" else eye * 255).convert(mode)
    np.testing.assert_allclose(pixels([(image, 0)]).features, np.eye(5).reshape(1, 25))


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
        # The numbers of a palette look like intensities, and so does a single row of colours.
        *[
            ([(Image.new(mode, (28, 1)), 0)], rf"mode '{mode}' of PIL.*convert\('L'\)")
            for mode in ("P", "PA", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV")
        ],
        ([(Image.new("I", (5, 5), 7), 0)], "image 0 is int32 with values from 7 to 7, expected"),
        ([(Image.new("I;16", (5, 5), 7), 0)], "image 0 is uint16 with values from 7 to 7"),
    ],
)
def test_images_of_another_kind_are_refused(items, message, spy):
    with pytest.raises(ValueError, match=message):
        compute_features(items, spy, show_progress=False)


@pytest.mark.parametrize("border", [3, 4, 5, 8])
def test_a_fault_anywhere_in_the_data_is_found_before_the_network_runs(mat_file, spy, border):
    """Images of another size may fill a batch of their own."""
    sides = [28] * border + [64] * (9 - border)
    items = [(np.zeros((side, side), np.uint8), 0) for side in sides]
    message = rf"image {border} is \(64, 64\) but image 0 \(28, 28\); resize them to one size"
    with pytest.raises(ValueError, match=message):
        extract(items, mat_file, spy, batch_size=4, show_progress=False)
    assert spy.network.seen == []


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Spy(value=torch.nan), "broken.* undefined features for 10 images of a batch of 10"),
        (Spy(value=torch.inf), "broken.* undefined features for 10 images of a batch of 10"),
        (Spy(width=7), r"gave \(10, 7\) for 10 images, expected \(10, 2048\)"),
    ],
)
def test_what_the_network_gives_has_to_be_rows_of_numbers(some_digits, network, message):
    extractor = Extractor(network, "resnet50", "broken")
    with pytest.raises(ValueError, match=message):
        compute_features(some_digits, extractor, batch_size=10, show_progress=False)


def test_a_batch_size_below_one_is_refused(some_digits, spy):
    with pytest.raises(ValueError, match="batch_size is 0"):
        compute_features(some_digits, spy, batch_size=0)


def test_progress_is_visible(some_digits, spy, capsys):
    compute_features(some_digits, spy, batch_size=10, description="mnist_train")
    printed = capsys.readouterr().out
    assert "mnist_train" in printed
    assert "23/23" in printed


def test_extract_writes_what_compute_features_returns(some_digits, spy, mat_file):
    extract(some_digits, mat_file, spy, show_progress=False)
    loaded, computed = load_features(mat_file), compute_features(some_digits, spy)
    np.testing.assert_array_equal(loaded.features, computed.features)
    np.testing.assert_array_equal(loaded.labels, some_digits.labels)
    assert (loaded.backbone, loaded.weights) == ("resnet50", "a spy")
    assert loaded.preprocessing == (
        "gray repeated to 3 channels, [0, 1], (x - 0.5) / 0.5, size as stored"
    )


@pytest.mark.handed_out
def test_pixels_are_features_too(some_digits):
    result = pixels(some_digits)
    np.testing.assert_allclose(result.features, some_digits.images.reshape(23, 784) / 255)
    np.testing.assert_array_equal(result.labels, some_digits.labels)


def test_the_layout_changes_features_by_rounding_alone_and_the_file_names_it(
    some_digits, mat_file, monkeypatch
):
    monkeypatch.setattr("hw3.features.pipeline.TRIAL_FROM", 1)
    extractor = build_extractor("resnet18", None)
    found = {}
    for layout in ("contiguous", "channels_last"):
        monkeypatch.setattr("hw3.features.pipeline.choose_layout", lambda *_, name=layout: name)
        extract(some_digits, mat_file, extractor, show_progress=False)
        found[layout] = load_features(mat_file)
        assert found[layout].layout == layout
    one, other = (made.features for made in found.values())
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(one).max())


def test_reduced_precision_is_nearly_the_same_and_the_file_says_so(
    some_digits, mat_file, monkeypatch
):
    monkeypatch.setattr(runtime, "reduced_precision", lambda device: torch.bfloat16)
    extractor = build_extractor("efficientnet_lite0", None)
    full, reduced = (
        compute_features(some_digits, extractor, precision=precision, show_progress=False)
        for precision in ("fp32", "bf16")
    )
    assert (full.precision, reduced.precision) == ("fp32", "bf16")
    assert reduced.features.dtype == np.float32
    difference = np.abs(full.features - reduced.features).max()
    # bfloat16 keeps 8 bits: not the same, but close.
    assert 0 < difference < 0.1 * np.abs(full.features).max()
    extract(some_digits, mat_file, extractor, precision="bf16", show_progress=False)
    assert load_features(mat_file).precision == "bf16"


def tf32_is_allowed():
    if hasattr(torch.backends, "fp32_precision"):
        return torch.backends.cudnn.conv.fp32_precision == "tf32"
    return torch.backends.cudnn.allow_tf32


def test_full_precision_is_not_the_tf32_that_pytorch_takes_on_a_gpu(some_digits, spy):
    allowed = []
    spy.register_forward_pre_hook(lambda *_: allowed.append(tf32_is_allowed()))
    before = tf32_is_allowed()
    result = compute_features(some_digits, spy, batch_size=10, show_progress=False)
    assert result.precision == "fp32"
    assert allowed == [False] * 3
    assert tf32_is_allowed() is before is True
