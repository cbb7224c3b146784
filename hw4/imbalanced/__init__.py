"""Coding part 2: two classes of which one is rare, told apart by a single linear layer."""

from hw4.imbalanced.balanced_batches import (
    BalancedBatchSampler,
    plain_batches,
)
from hw4.imbalanced.dataset import (
    ImbalancedDataset,
)
from hw4.imbalanced.linear_training import (
    LinearNet,
    RadialNet,
    SampleSet,
    decision_line,
    evaluate,
    predict,
    train,
)
from hw4.imbalanced.metrics import (
    Metrics,
    measure,
)
from hw4.imbalanced.sample_file import (
    Samples,
    from_text,
)

__all__ = [
    "BalancedBatchSampler",
    "ImbalancedDataset",
    "LinearNet",
    "Metrics",
    "RadialNet",
    "SampleSet",
    "Samples",
    "decision_line",
    "evaluate",
    "from_text",
    "measure",
    "plain_batches",
    "predict",
    "train",
]
