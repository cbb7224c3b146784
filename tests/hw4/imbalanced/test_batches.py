"""Coding part 2: batches with exactly as many samples of every class."""

import itertools
import time
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from hw4.imbalanced import BalancedBatchSampler, plain_batches

pytestmark = pytest.mark.hw4_imbalanced

LABELS = [0] * 90 + [1] * 10


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@st.composite
def cases(draw):
    """Labels of two to five classes, a batch size and a seed."""
    counts = draw(st.lists(st.integers(1, 40), min_size=2, max_size=5))
    labels = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(draw(st.integers(0, 99))).shuffle(labels)
    return labels, draw(st.integers(1, 12)) * len(counts), draw(st.integers(0, 2**32))


@given(cases())
def test_every_batch_has_exactly_the_same_number_of_every_class(case):
    labels, batch_size, seed = case
    sampler = BalancedBatchSampler(labels, batch_size, seeded(seed))
    batches = list(sampler)
    assert len(batches) == len(sampler)
    for batch in batches:
        assert all(type(index) is int for index in batch)
        counts = np.bincount(labels[batch], minlength=labels.max() + 1)
        assert set(counts.tolist()) == {batch_size // len(counts)}


@given(cases())
def test_no_sample_comes_again_before_every_other_of_its_class_has_come(case):
    """A class smaller than its quota is gone through in one permutation after another."""
    labels, batch_size, seed = case
    sampler = BalancedBatchSampler(labels, batch_size, seeded(seed))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        seen = Counter(dict.fromkeys(members.tolist(), 0))
        for batch in sampler:
            seen.update(index for index in batch if labels[index] == label)
            assert max(seen.values()) - min(seen.values()) <= 1


@given(cases(), st.integers(1, 8))
def test_the_same_seed_gives_the_same_order_and_a_break_leaves_no_state_behind(case, after):
    """Trap: an epoch that is left early must neither be continued nor change the next one."""
    labels, batch_size, seed = case
    whole, left = (BalancedBatchSampler(labels, batch_size, seeded(seed)) for _ in range(2))
    assert list(itertools.islice(left, after)) == list(whole)[:after]
    assert list(left) == list(whole)


def test_two_passes_at_once_do_not_disturb_each_other():
    sampler = BalancedBatchSampler(LABELS, 20, seeded())
    expected = [list(sampler), list(sampler)]
    sampler = BalancedBatchSampler(LABELS, 20, seeded())
    pairs = list(zip(sampler, sampler, strict=True))
    assert [list(part) for part in zip(*pairs, strict=True)] == expected


def test_each_epoch_and_each_seed_has_an_order_of_its_own():
    sampler, other = (BalancedBatchSampler(LABELS, 20, seeded(seed)) for seed in (0, 1))
    orders = [str(list(sampler)), str(list(sampler)), str(list(other))]
    assert len(set(orders)) == 3


def test_without_a_generator_the_seed_of_pytorch_decides():
    torch.manual_seed(7)
    first = list(BalancedBatchSampler(LABELS, 20))
    torch.manual_seed(7)
    assert list(BalancedBatchSampler(LABELS, 20)) == first


def test_the_length_is_the_number_of_plain_batches():
    """Trap: not the number of batches times their size."""
    assert len(BalancedBatchSampler(LABELS, 20)) == 5
    assert len(BalancedBatchSampler(LABELS, 30)) == 4 == len(plain_batches(100, 30))


def test_classes_are_mixed_within_a_batch():
    epochs = BalancedBatchSampler(LABELS, 20, seeded())
    assert {LABELS[batch[0]] for batch in itertools.chain(epochs, epochs)} == {0, 1}


@pytest.mark.parametrize(
    "labels",
    [["cat", "dog", "cat"], [True, False, True], [2.5, -1.0, 2.5], torch.tensor([1, 0, 1])],
)
def test_labels_of_any_kind(labels):
    batch = next(iter(BalancedBatchSampler(labels, 4)))
    assert Counter(index == 1 for index in batch) == {True: 2, False: 2}


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("labels", "batch_size", "message"),
    [
        ([1, 1, 1], 2, r"the 3 labels hold the classes \[1\]; balanced batches need two"),
        ([], 2, "the 0 labels hold"),
        ([[0], [1]], 2, r"shape \(2, 1\)"),
        (LABELS, 5, "5, not a multiple of the 2 classes; take 4 or 6"),
        (LABELS, 1, "1, not a multiple of the 2 classes; take 2 or 4"),
        (LABELS, 0, "not a multiple"),
        ([0, 1, 2], 128, "128, not a multiple of the 3 classes; take 126 or 129"),
    ],
)
def test_what_cannot_be_balanced_is_refused(labels, batch_size, message):
    with pytest.raises(ValueError, match=message):
        BalancedBatchSampler(labels, batch_size)


def test_serves_a_data_loader():
    data = TensorDataset(torch.arange(100), torch.tensor(LABELS))
    loader = DataLoader(data, batch_sampler=BalancedBatchSampler(LABELS, 20))
    assert len(loader) == 5
    assert [int(labels.sum()) for _, labels in loader] == [10] * 5


def test_a_million_labels_are_no_burden():
    """Trap: a search for each label among the others would take hours.

    The exact figures are in benchmarks/; the limits here leave room for a busy machine.
    """
    labels = np.arange(1_000_000) % 100 == 0
    start = time.perf_counter()
    sampler = BalancedBatchSampler(labels, 128)
    built = time.perf_counter()
    batches = sum(1 for _ in sampler)
    assert built - start < 2
    assert (time.perf_counter() - built) / batches < 0.002


def test_plain_batches_mix_sorted_classes_and_use_every_sample_once():
    """Trap: the files are sorted by class; unshuffled, most batches would hold one class only."""
    batches = plain_batches(len(LABELS), 30, seeded())
    epochs = [list(batches), list(batches)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [30, 30, 30, 10]
        assert sorted(itertools.chain(*epoch)) == list(range(100))
    assert epochs[0] != epochs[1]
    assert sum(LABELS[index] for index in epochs[0][-1]) < 10
    assert list(plain_batches(100, 30, seeded())) == epochs[0]
