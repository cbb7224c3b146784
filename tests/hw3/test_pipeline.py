"""Question 1, precision: float32 unless asked for otherwise, and never a slow emulation."""

import numpy as np
import pytest
import torch
from torch import nn

from coursework import runtime
from hw3.features import compute_features, extract, load_features
from hw3.networks import Extractor, build_extractor
from hw3.pipeline import Preprocessing, build_pipeline

pytestmark = pytest.mark.hw3_q1


@pytest.fixture
def fast_bfloat16(monkeypatch):
    monkeypatch.setattr(runtime, "reduced_precision", lambda device: torch.bfloat16)


@pytest.fixture
def full_only(monkeypatch):
    monkeypatch.setattr(runtime, "reduced_precision", lambda device: None)


def features_in(precision, some_digits):
    extractor = build_extractor("efficientnet_lite0", None)
    return compute_features(
        some_digits, extractor, Preprocessing(), precision=precision, show_progress=False
    )


def test_auto_is_full_precision_where_nothing_else_is_fast(full_only, some_digits):
    full, auto = (features_in(name, some_digits) for name in ("fp32", "auto"))
    assert auto.precision == "fp32"
    np.testing.assert_array_equal(auto.features, full.features)


def test_an_emulated_precision_is_refused_and_says_what_there_is(full_only, some_digits):
    with pytest.raises(ValueError, match=r"bf16 is not fast on this CPU \(.+\), .* 'fp32' or"):
        features_in("bf16", some_digits)


@pytest.mark.parametrize("precision", ["bf16", "auto"])
def test_reduced_precision_is_nearly_the_same(fast_bfloat16, some_digits, precision):
    full, reduced = features_in("fp32", some_digits), features_in(precision, some_digits)
    assert reduced.precision == "bf16"
    assert reduced.features.dtype == np.float32
    difference = np.abs(full.features - reduced.features).max()
    # bfloat16 keeps 8 bits: not the same, but close.
    assert 0 < difference < 0.1 * np.abs(full.features).max()


def test_full_precision_stays_the_default(fast_bfloat16, some_digits):
    pipeline = build_pipeline(build_extractor("efficientnet_lite0", None), device="cpu")
    assert pipeline.precision == "fp32"


def tf32_is_allowed():
    if hasattr(torch.backends, "fp32_precision"):
        return torch.backends.cudnn.conv.fp32_precision == "tf32"
    return torch.backends.cudnn.allow_tf32


def test_full_precision_is_not_the_tf32_that_pytorch_takes_on_a_gpu(some_digits):
    allowed = []

    class Spy(nn.Module):
        def forward(self, images):
            allowed.append(tf32_is_allowed())
            return images.mean((1, 2, 3))[:, None].expand(-1, 2048)

    extractor = Extractor(Spy(), "resnet50", "a spy")
    before = tf32_is_allowed()
    result = compute_features(some_digits, extractor, batch_size=10, show_progress=False)
    assert result.precision == "fp32"
    assert allowed == [False] * 3
    assert tf32_is_allowed() is before is True


def test_the_file_says_the_precision(fast_bfloat16, some_digits, mat_file):
    extractor = build_extractor("efficientnet_lite0", None)
    extract(some_digits, mat_file, extractor, precision="bf16", show_progress=False)
    assert load_features(mat_file).precision == "bf16"


def test_everything_that_decides_the_last_bits_is_in_the_recipe():
    def recipe(weights_seed=0, **settings):
        extractor = build_extractor("efficientnet_lite0", None, seed=weights_seed)
        return build_pipeline(extractor, Preprocessing(**settings)).recipe()

    assert recipe() == recipe()
    assert recipe(weights_seed=1)["network sha256"] != recipe()["network sha256"]
    assert recipe(image_size=64)["preprocessing"] != recipe()["preprocessing"]
    assert recipe()["threads"] == str(torch.get_num_threads())
    assert recipe()["torch"] == torch.__version__
