"""Coding part 1: the homework's stratified split."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw4.flowers import PARTS, FlowerDataset, homework_split, read_labels

pytestmark = pytest.mark.hw4_flowers

counts = st.lists(st.integers(1, 60), min_size=1, max_size=12)
seeds = st.integers(0, 2**40)


def shuffled_labels(sizes, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


@given(counts, seeds)
def test_the_parts_are_disjoint_and_hold_everything(sizes, seed):
    labels = shuffled_labels(sizes, seed)
    parts = homework_split(labels, seed)
    assert tuple(parts) == PARTS
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(labels)))
    for part in parts.values():
        assert (np.diff(part) > 0).all()


@given(counts, seeds)
def test_every_class_is_split_alike(sizes, seed):
    labels = shuffled_labels(sizes, seed)
    parts = homework_split(labels, seed)
    train, val, test = (np.bincount(labels[parts[mode]], minlength=len(sizes)) for mode in PARTS)
    n = np.array(sizes)
    assert (train[n == 1] == 1).all()
    assert (train[n == 2] == 1).all()
    several = n >= 3
    for part in (train, val, test):
        assert (part[several] >= 1).all()
    # 70 % rounded down, unless a class of three or four needs an image elsewhere.
    assert (train[n >= 4] == np.floor(0.7 * n[n >= 4] + 1e-9)).all()
    assert ((test - val >= 0) & (test - val <= 1)).all()


def test_seeds_differ_and_the_default_is_fixed():
    """These very images on every machine and with every release of NumPy."""
    labels = np.repeat(np.arange(7), 40)
    parts = homework_split(labels)
    digest = hashlib.sha256(np.concatenate(list(parts.values())).astype("<i8").tobytes())
    assert digest.hexdigest() == "07259aa47d907b20736e29029047613682c56ffd59e2d7a071227f82d002b760"
    assert (parts["val"] != homework_split(labels, 1)["val"]).any()


def test_the_sizes_on_oxford_102_are_those_of_the_homework(flowers102_labels):
    labels = read_labels(flowers102_labels)
    parts = homework_split(labels)
    assert [len(parts[mode]) for mode in PARTS] == [5687, 1224, 1278]
    digest = hashlib.sha256(np.concatenate(list(parts.values())).astype("<i8").tobytes())
    assert digest.hexdigest() == "646f411a5e2adb13d54192ac86be25351dd5c60b057fc72331c1d10bce272c30"


def test_the_split_does_not_depend_on_the_order_in_which_a_folder_lists_its_files(
    flower_folder, monkeypatch
):
    root = flower_folder()
    before = [FlowerDataset(root, mode, "homework").paths for mode in PARTS]
    glob = type(root).glob
    monkeypatch.setattr(type(root), "glob", lambda *a: sorted(glob(*a), reverse=True))
    assert [FlowerDataset(root, mode, "homework").paths for mode in PARTS] == before


@pytest.mark.parametrize("labels", [[], [[0, 1]]])
def test_labels_are_one_row_of_some(labels):
    with pytest.raises(ValueError, match="expected \\(m,\\)"):
        homework_split(labels)
