"""How a network is trained: the choices, and the precision a device offers."""

import math
from dataclasses import dataclass

import torch

from coursework import runtime

SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", *runtime.PRECISIONS)


@dataclass(frozen=True)
class TrainingSettings:
    """The choices of a training.

    Attributes
    ----------
    epochs
        Passes over the training set, at most.
    learning_rate
        What a gradient is multiplied by in a step of SGD.
    batch_size
        Samples in a step, over all processes.
    momentum, weight_decay
        Of SGD.
    schedule
        ``"constant"``, or ``"cosine"``: from ``learning_rate`` down towards 0 along half a cosine,
        epoch by epoch.
    patience
        Training stops early after so many epochs without a new best one (see
        `hw4.flowers.History.best_epoch`); ``None`` never does.
    seed
        What the order of the samples starts from.
    precision
        ``"fp32"``; ``"bf16"`` or ``"fp16"``, which the device must have in hardware; or ``"auto"``,
        one of these if it has, and float32 otherwise.
    cache_bytes
        How much memory the outputs of a frozen part may take in each process, for training and
        validation set together.
    """

    epochs: int = 10
    learning_rate: float = 0.01
    batch_size: int = 32
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    patience: int | None = None
    seed: int = 0
    precision: str = "auto"
    cache_bytes: int = 2 * 2**30

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ("epochs", self.epochs >= 1, "1 or more"),
            ("learning_rate", 0 < self.learning_rate < math.inf, "a positive number"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("momentum", 0 <= self.momentum < 1, "0 or more, below 1"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more"),
            ("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            ("patience", self.patience is None or self.patience >= 1, "1 or more, or None"),
            ("seed", self.seed >= 0, "0 or more"),
            ("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
            ("cache_bytes", self.cache_bytes >= 0, "0 or more"),
        ):
            if not valid:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}")

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


def choose_precision(name: str, device: torch.device) -> torch.dtype | None:
    """Return the type for ``torch.autocast``, or ``None`` to compute in float32.

    The arguments and errors are those of `coursework.runtime.choose_precision`.
    """
    dtype = runtime.choose_precision(name, device)
    return None if dtype is torch.float32 else dtype
