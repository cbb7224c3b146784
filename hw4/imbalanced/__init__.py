"""Coding part 2: two classes of which one is rare, told apart by a single linear layer."""

from hw4.imbalanced.batches import BalancedBatchSampler, plain_batches
from hw4.imbalanced.linear_net import (
    LinearNet,
    RadialNet,
    decision_line,
    descend,
    evaluate,
    predict,
    train,
)
from hw4.imbalanced.measures import Metrics, measure
from hw4.imbalanced.samples import ImbalancedDataset, read_samples

__all__ = [
    "BalancedBatchSampler",
    "ImbalancedDataset",
    "LinearNet",
    "Metrics",
    "RadialNet",
    "decision_line",
    "descend",
    "evaluate",
    "measure",
    "plain_batches",
    "predict",
    "read_samples",
    "train",
]
