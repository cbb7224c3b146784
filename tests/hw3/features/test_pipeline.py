"""Question 1, precision: float32 unless asked for otherwise, and never a slow emulation."""

import numpy as np
import pytest
import torch
from torch import nn

from coursework import runtime
from coursework.runtime import describe_device
from hw3.features import (
    Extractor,
    Preprocessing,
    build_extractor,
    build_pipeline,
    compute_features,
    extract,
    load_features,
)

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


def test_everything_that_decides_the_last_bits_is_in_the_recipe(fast_bfloat16, some_digits):
    def recipe(weights_seed=0, precision="fp32", **settings):
        extractor = build_extractor("efficientnet_lite0", None, seed=weights_seed)
        preprocessing = Preprocessing(**settings)
        pipeline = build_pipeline(extractor, preprocessing, device="cpu", precision=precision)
        return pipeline.recipe(some_digits, 250)

    usual = recipe()
    assert recipe() == usual
    assert usual == {
        "backbone": "efficientnet_lite0",
        "weights": usual["weights"],
        "preprocessing": str(Preprocessing()),
        "precision": "fp32",
        "network sha256": usual["network sha256"],
        "device": describe_device("cpu"),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "first features sha256": usual["first features sha256"],
    }
    for changed, entries in (
        (recipe(weights_seed=1), {"weights", "network sha256"}),
        (recipe(image_size=64), {"preprocessing"}),
        (recipe(precision="bf16"), {"precision"}),
    ):
        differences = {name for name in usual if changed[name] != usual[name]}
        assert differences == {*entries, "first features sha256"}


def test_code_that_gives_other_features_is_another_recipe(some_digits, monkeypatch):
    """Names and weights do not tell it: a function was edited between two runs."""
    pipeline = build_pipeline(build_extractor("efficientnet_lite0", None), device="cpu")
    before = pipeline.recipe(some_digits, 250)
    original = Preprocessing.__call__
    monkeypatch.setattr(Preprocessing, "__call__", lambda self, images: original(self, images) / 2)
    after = pipeline.recipe(some_digits, 250)
    assert {name for name in before if after[name] != before[name]} == {"first features sha256"}


@pytest.mark.parametrize(("batch_size", "first"), [(250, 4), (3, 3), (1, 1)])
def test_a_recipe_costs_a_few_images_and_never_more_than_a_batch(some_digits, batch_size, first):
    seen = []
    extractor = build_extractor("efficientnet_lite0", None)
    extractor.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    build_pipeline(extractor, device="cpu").recipe(some_digits, batch_size)
    assert seen == [first]
