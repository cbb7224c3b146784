"""What a training measured, epoch by epoch."""

import math
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class History:
    """One number an epoch, of every epoch that was finished.

    Attributes
    ----------
    training_loss
        Mean cross-entropy over the training samples in nats, each measured when its batch was
        trained on, in training mode.
    validation_loss, validation_accuracy
        Over all validation samples at the end of the epoch, in evaluation mode.
    learning_rate
        What the epoch was trained with.
    seconds
        How long it took, validation included.
    diverged
        Empty, or the report of a loss that was no longer a number, which ended the training.
    """

    training_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()
    learning_rate: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    diverged: str = ""

    def __len__(self) -> int:
        return len(self.training_loss)

    def append(self, **measured: float) -> "History":
        """Return the history with one epoch more; each field but ``diverged`` has to be named."""
        fields: dict[str, Any] = {
            name: (*getattr(self, name), value) for name, value in measured.items()
        }
        return replace(self, **fields)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, of the highest validation accuracy; 0 if none was finished.

        Among equals it is the one of the lowest validation loss.
        """
        pairs = list(zip(self.validation_accuracy, self.validation_loss, strict=True))
        if not pairs:
            return 0
        return 1 + max(range(len(pairs)), key=lambda epoch: (pairs[epoch][0], -pairs[epoch][1]))

    @property
    def best_accuracy(self) -> float:
        """The highest validation accuracy; NaN if no epoch was finished."""
        return max(self.validation_accuracy, default=math.nan)
