"""What the training of question 2 measured as it went."""

from dataclasses import dataclass


@dataclass(frozen=True)
class History:
    """What was measured at the end of each epoch, one number an epoch.

    Attributes
    ----------
    loss
        Mean cross-entropy on the training set, in nats.
    train_accuracy, test_accuracy
        Share of right predictions; the latter is empty if there was no test set.
    converged
        Whether training ended because the weights no longer moved.
    """

    loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    test_accuracy: tuple[float, ...]
    converged: bool

    def __len__(self) -> int:
        return len(self.loss)
