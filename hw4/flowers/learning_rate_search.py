"""Coding part 1, the learning rate: several values, each tried on the same fresh network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hw4.flowers.batches import ImageSource
from hw4.flowers.history import History
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.settings import TrainingSettings
from hw4.flowers.training import train_model


@dataclass(frozen=True)
class LearningRateSearch:
    """What each learning rate led to.

    Attributes
    ----------
    histories
        From the learning rate to its `History`, in the order in which they were tried.
    """

    histories: dict[float, History]

    @property
    def best(self) -> float:
        """The learning rate of the highest validation accuracy in any of its epochs.

        Among equals it is the one of the lowest validation loss in that epoch. One that diverged
        is never taken, although it may have done well before.
        """
        finished = {rate: h for rate, h in self.histories.items() if not h.diverged}
        return max(
            finished,
            key=lambda rate: (
                finished[rate].best_accuracy,
                -finished[rate].validation_loss[finished[rate].best_epoch - 1],
            ),
        )


class AllDivergedError(ValueError):
    """No learning rate led anywhere.

    Attributes
    ----------
    search
        What each of them led to.
    """

    def __init__(self, search: LearningRateSearch) -> None:
        reports = "; ".join(history.diverged for history in search.histories.values())
        super().__init__(f"every learning rate diverged: {reports}")
        self.search = search


def search_learning_rate(
    build: Callable[[], StagedNetwork],
    train: ImageSource,
    validation: ImageSource,
    learning_rates: Sequence[float],
    settings: TrainingSettings | None = None,
    *,
    checkpoints: Path | str | None = None,
    device: str = "auto",
    show_progress: bool = False,
    description: str = "search",
) -> LearningRateSearch:
    """Train with each learning rate, from the same fresh weights each time.

    Parameters
    ----------
    build
        Returns a fresh network, the same each time: ``lambda: build_network(mode, classes, ...)``.
        A network that has been trained once would go on from there, and the last value tried would
        look best.
    train, validation
        As `hw4.flowers.train_model` takes them. The test set has no part in the choice.
    learning_rates
        The values to try.
    settings
        All else, usually with few epochs.
    checkpoints
        A folder with one checkpoint for each value; ``None`` keeps nothing.
    device, show_progress, description
        As `hw4.flowers.train_model` takes them.

    Returns
    -------
    LearningRateSearch

    Raises
    ------
    ValueError
        If there is no learning rate, one occurs twice, or ``build`` returns the same object again
        or other weights.
    AllDivergedError
        If every value diverged.
    """
    settings = settings or TrainingSettings()
    if not learning_rates or len(set(learning_rates)) < len(learning_rates):
        raise ValueError(f"learning_rates are {list(learning_rates)}, expected different values")
    histories: dict[float, History] = {}
    first: float | None = None
    for rate in learning_rates:
        network = build()
        start = _sum_of_weights(network)
        if first is not None and start != first:
            raise ValueError(
                "build() returned other weights than the first time: it must build a new network "
                "from the same seed at each call"
            )
        first = start
        histories[rate] = train_model(
            network,
            train,
            validation,
            replace(settings, learning_rate=rate),
            checkpoint=None if checkpoints is None else Path(checkpoints) / f"rate_{rate!r}.pt",
            device=device,
            show_progress=show_progress,
            description=f"{description}, rate {rate:g}",
        ).history
    search = LearningRateSearch(histories)
    if all(history.diverged for history in histories.values()):
        raise AllDivergedError(search)
    return search


def _sum_of_weights(network: StagedNetwork) -> float:
    """Return one number that tells two networks apart, buffers included."""
    state = network.cpu().state_dict().values()
    return float(np.sum([tensor.double().abs().sum().item() for tensor in state]))
