"""A profile says how one run differs from another, field by field; a wrong value is an error."""

import dataclasses
from pathlib import Path

import pytest

from coursework.profiles import PATH_FIELDS, PROFILES, ROOT, data_root, get_profile


def test_the_embedded_profile_needs_no_network():
    profile = get_profile()
    assert profile.name == "embedded"
    assert profile.mnist_root.is_dir()
    assert not profile.mnist_download
    assert (profile.feature_backbone, profile.feature_weights) == ("efficientnet_lite0", "imagenet")
    assert (profile.flowers_root / "jpg").is_dir()
    assert not profile.flowers_download
    assert (profile.flowers_backbone, profile.flowers_weights) == ("efficientnet_lite0", "imagenet")
    assert profile.flowers_checkpoints is None


def test_the_full_profile_is_the_homework_as_set():
    profile = get_profile("full")
    assert profile.mnist_download
    assert (profile.feature_backbone, profile.feature_weights) == ("resnet50", "imagenet")
    assert profile.feature_image_size is None
    assert (profile.softmax_learning_rate, profile.softmax_batch_size) == (0.01, 512)
    assert (profile.softmax_epochs, profile.softmax_tolerance) == (100, 1e-10)
    assert profile.roc_category == 9
    assert profile.flowers_download
    assert (profile.flowers_backbone, profile.flowers_weights) == ("resnet18", "imagenet")
    assert (profile.flowers_split, profile.flowers_image_size) == ("homework", 224)
    assert (profile.flowers_epochs, profile.flowers_batch_size) == (10, 32)
    assert profile.flowers_checkpoints == ROOT / "build" / "flowers_checkpoints"


def test_the_fields_that_may_hold_a_path_are_known():
    assert {
        "build_root", "feature_weights", "flowers_checkpoints", "flowers_root", "flowers_weights",
        "imbalanced_root", "mnist_root",
    } == PATH_FIELDS  # fmt: skip


def test_a_profile_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_profile().seed = 1


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("softmax_epochs", 5, 5),
        ("softmax_learning_rate", 1, 1.0),
        ("mnist_root", "elsewhere", Path("elsewhere")),
        ("mnist_download", True, True),
        ("feature_weights", None, None),
        ("feature_weights", "mine.pth", "mine.pth"),
        ("feature_image_size", 96, 96),
        ("flowers_checkpoints", "kept", Path("kept")),
        ("sweep_batch_sizes", [8, 16], (8, 16)),
        ("sweep_learning_rates", [1, 0.5], (1.0, 0.5)),
    ],
)
def test_any_single_field_can_be_replaced(field, given, kept):
    changed = get_profile("embedded", **{field: given})
    assert getattr(changed, field) == kept
    assert type(getattr(changed, field)) is type(kept)
    assert dataclasses.replace(changed, **{field: getattr(get_profile(), field)}) == get_profile()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("softmax_epochs", "5", "does not fit: it is of type int"),
        ("softmax_epochs", 5.5, "does not fit"),
        ("softmax_epochs", True, "does not fit"),
        ("softmax_learning_rate", "fast", "does not fit: it is of type float"),
        ("mnist_download", 1, "does not fit"),
        ("sweep_batch_sizes", 8, "does not fit"),
        ("sweep_batch_sizes", "8", "does not fit"),
        ("sweep_batch_sizes", {8: 16}, "does not fit"),
        ("sweep_batch_sizes", [8, "x"], "does not fit"),
        ("mnist_root", 3, "does not fit"),
        ("mnist_root", "", "does not fit: it is of type Path"),
        ("flowers_checkpoints", "", "does not fit"),
        ("softmax_epochs", 0, "expected a positive number"),
        ("softmax_learning_rate", -0.1, "expected a positive number"),
        ("softmax_learning_rate", float("nan"), "expected a positive number"),
        ("feature_image_size", 0, "expected a positive number"),
        ("sweep_batch_sizes", [], "expected one value or more"),
        ("sweep_batch_sizes", [32, 0], "expected a positive number"),
        ("seed", -1, "expected a positive number"),
        ("roc_category", 10, "expected a digit"),
        ("softmax_epoch", 3, "did you mean 'softmax_epochs'"),
        ("name", "mine", "has no field 'name'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        get_profile("embedded", **{field: value})


@pytest.mark.parametrize("field", ["softmax_epochs", "sweep_batch_sizes", "mnist_root"])
@pytest.mark.parametrize("kind", [lambda value: [value], lambda value: {"a": value}])
def test_a_value_that_is_nested_deeply_is_refused_in_a_line(field, kind):
    value = 1
    for _ in range(3000):
        value = kind(value)
    with pytest.raises(ValueError, match=rf"{field} = .*\.\.\..* does not fit") as error:
        get_profile("embedded", **{field: value})
    assert len(str(error.value)) < 300


def test_zero_is_a_seed_a_digit_and_a_tolerance():
    profile = get_profile("embedded", seed=0, roc_category=0, softmax_tolerance=0)
    assert (profile.seed, profile.roc_category, profile.softmax_tolerance) == (0, 0, 0.0)


def test_an_unknown_profile_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no profile 'quick'; there are embedded, full"):
        get_profile("quick")


def test_the_environment_may_say_where_downloads_lie(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEWORK_DATA", raising=False)
    assert data_root() == ROOT / "data" / "downloads"
    assert get_profile("full").mnist_root == ROOT / "data" / "downloads" / "mnist"
    monkeypatch.setenv("COURSEWORK_DATA", str(tmp_path))
    assert data_root() == tmp_path
    assert get_profile("full").mnist_root == tmp_path / "mnist"
    assert get_profile("full").flowers_root == tmp_path / "flowers"
    assert get_profile("full", mnist_root="mine").mnist_root == Path("mine")
    assert get_profile("embedded") == PROFILES["embedded"]


def test_a_data_root_that_depends_on_the_folder_is_refused(monkeypatch):
    monkeypatch.setenv("COURSEWORK_DATA", "data/mine")
    with pytest.raises(ValueError, match="COURSEWORK_DATA is 'data/mine', expected a full path"):
        get_profile("full")
    monkeypatch.setenv("COURSEWORK_DATA", "~/mine")
    assert data_root() == Path.home() / "mine"
