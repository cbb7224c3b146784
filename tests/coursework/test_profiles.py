"""Profiles: one place for what differs, overridable field by field, never silently wrong."""

import dataclasses
from pathlib import Path

import pytest

from coursework.profiles import PROFILES, ROOT, data_root, get_profile


def test_the_embedded_profile_needs_no_network():
    profile = get_profile()
    assert profile.name == "embedded"
    assert profile.mnist_root.is_dir()
    assert not profile.mnist_download
    assert (profile.feature_backbone, profile.feature_weights) == ("efficientnet_lite0", "imagenet")


def test_the_full_profile_is_the_homework_as_set():
    profile = get_profile("full")
    assert profile.mnist_download
    assert (profile.feature_backbone, profile.feature_weights) == ("resnet50", "imagenet")
    assert profile.feature_image_size is None
    assert (profile.softmax_learning_rate, profile.softmax_batch_size) == (0.01, 512)
    assert (profile.softmax_epochs, profile.softmax_tolerance) == (100, 1e-10)
    assert profile.roc_category == 9


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
    ("field", "value"),
    [
        ("softmax_epochs", "5"),
        ("softmax_epochs", 5.5),
        ("softmax_epochs", True),
        ("softmax_learning_rate", "fast"),
        ("mnist_download", 1),
        ("sweep_batch_sizes", 8),
        ("sweep_batch_sizes", "8"),
        ("sweep_batch_sizes", [8, "x"]),
        ("mnist_root", 3),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} = .* does not fit"):
        get_profile("embedded", **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("softmax_epochs", 0),
        ("softmax_learning_rate", -0.1),
        ("softmax_learning_rate", float("nan")),
        ("feature_image_size", 0),
        ("sweep_batch_sizes", []),
        ("sweep_batch_sizes", [32, 0]),
        ("seed", -1),
        ("roc_category", 10),
    ],
)
def test_a_value_out_of_range_is_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} .*expected"):
        get_profile("embedded", **{field: value})


def test_zero_is_a_seed_a_digit_and_a_tolerance():
    profile = get_profile("embedded", seed=0, roc_category=0, softmax_tolerance=0)
    assert (profile.seed, profile.roc_category, profile.softmax_tolerance) == (0, 0, 0.0)


def test_an_unknown_field_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"no field 'softmax_epoch' .*'softmax_epochs'"):
        get_profile("embedded", softmax_epoch=3)
    with pytest.raises(ValueError, match="no field 'name'"):
        get_profile("embedded", name="mine")


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="no profile 'quick'; there are embedded, full"):
        get_profile("quick")


def test_profiles_are_filed_under_their_names():
    assert all(profile.name == name for name, profile in PROFILES.items())


def test_downloads_lie_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEWORK_DATA", raising=False)
    assert data_root() == ROOT / "data" / "downloads"
    assert get_profile("full").mnist_root == ROOT / "data" / "downloads" / "mnist"
    monkeypatch.setenv("COURSEWORK_DATA", str(tmp_path))
    assert data_root() == tmp_path
    assert get_profile("full").mnist_root == tmp_path / "mnist"
    assert get_profile("full", mnist_root="mine").mnist_root == Path("mine")
    assert get_profile("embedded") == PROFILES["embedded"]


def test_a_data_root_that_depends_on_the_folder_is_refused(monkeypatch):
    monkeypatch.setenv("COURSEWORK_DATA", "data/mine")
    with pytest.raises(ValueError, match="COURSEWORK_DATA is 'data/mine', expected a full path"):
        get_profile("full")
    monkeypatch.setenv("COURSEWORK_DATA", "~/mine")
    assert data_root() == Path.home() / "mine"
