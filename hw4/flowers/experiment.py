"""Coding part 1, the experiment: three ways to train one architecture, compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hw4.flowers.batches import ImageSource
from hw4.flowers.evaluation import Predictions, predict
from hw4.flowers.history import History
from hw4.flowers.learning_rate_search import (
    AllDivergedError,
    LearningRateSearch,
    search_learning_rate,
)
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.settings import TrainingSettings
from hw4.flowers.training import train_model

MODE_NAMES = {
    "scratch": "A (scratch)",
    "finetune": "B (fine-tuned)",
    "last_layers": "C (last layers)",
}
"""The three modes of the homework, and what tables and figures call them."""

Build = Callable[[str], StagedNetwork]
"""Returns a fresh network for a mode, the same one each time."""


@dataclass(frozen=True, eq=False)
class ModeResult:
    """What one mode led to.

    Attributes
    ----------
    search
        What each learning rate led to in a few epochs.
    learning_rate
        The one that was taken.
    history
        The training with it.
    network
        With the weights of the epoch that did best on the validation set; those it started from if
        no epoch was finished.
    validation, test
        What this network says of the two sets.
    """

    search: LearningRateSearch
    learning_rate: float
    history: History
    network: StagedNetwork
    validation: Predictions
    test: Predictions

    @property
    def learned(self) -> bool:
        """Whether an epoch was finished before the training diverged, if it did."""
        return len(self.history) > 0


def search_modes(
    build: Build,
    train: ImageSource,
    validation: ImageSource,
    learning_rates: Sequence[float],
    settings: TrainingSettings | None = None,
    *,
    modes: Sequence[str] = tuple(MODE_NAMES),
    checkpoints: Path | None = None,
    device: str = "auto",
    show_progress: bool = False,
) -> dict[str, LearningRateSearch]:
    """Try each learning rate in each mode.

    Parameters
    ----------
    build
        From a mode to a fresh network, usually `hw4.flowers.build_network` with all but its first
        argument filled in.
    train, validation, learning_rates, settings
        As `hw4.flowers.search_learning_rate` takes them.
    modes
        Which, by the names in `hw4.flowers.MODES`.
    checkpoints
        A folder that gets one folder for each mode, so that a search that was stopped goes on;
        ``None`` keeps nothing.
    device, show_progress
        As `hw4.flowers.train_model` takes them.

    Returns
    -------
    dict
        From the mode to its search. A search in which every value diverged is there too.
    """
    settings = settings or TrainingSettings()
    searches: dict[str, LearningRateSearch] = {}
    for mode in modes:
        # Each number of epochs in its own folder: a cosine schedule depends on it.
        folder = f"search_{settings.epochs}_epochs"
        try:
            searches[mode] = search_learning_rate(
                partial(build, mode),
                train,
                validation,
                learning_rates,
                settings,
                checkpoints=None if checkpoints is None else checkpoints / mode / folder,
                device=device,
                show_progress=show_progress,
                description=_title(mode),
            )
        except AllDivergedError as error:
            searches[mode] = error.search
    return searches


def train_modes(
    build: Build,
    train: ImageSource,
    validation: ImageSource,
    test: ImageSource,
    searches: dict[str, LearningRateSearch],
    settings: TrainingSettings | None = None,
    *,
    checkpoints: Path | None = None,
    device: str = "auto",
    show_progress: bool = False,
) -> dict[str, ModeResult]:
    """Train a fresh network in each mode with its best learning rate, and test its best epoch.

    Parameters
    ----------
    build, train, validation, checkpoints, device, show_progress
        As `search_modes` takes them.
    test
        The set that has no part in any choice: it is looked at when a mode is trained.
    searches
        From `search_modes`.
    settings
        All but the learning rate.

    Returns
    -------
    dict
        From the mode to its result. Where every learning rate diverged, the lowest is taken, and
        the history reports how it went.
    """
    settings = settings or TrainingSettings()
    results: dict[str, ModeResult] = {}
    for mode, search in searches.items():
        rate = chosen_rate(search)
        name = f"rate_{rate!r}_{settings.epochs}_epochs.pt"
        training = train_model(
            build(mode),
            train,
            validation,
            replace(settings, learning_rate=rate),
            checkpoint=None if checkpoints is None else checkpoints / mode / name,
            device=device,
            show_progress=show_progress,
            description=_title(mode),
        )
        of_validation, of_test = (
            predict(
                training.network,
                source,
                batch_size=settings.batch_size,
                device=device,
                precision=settings.precision,
            )
            for source in (validation, test)
        )
        results[mode] = ModeResult(
            search, rate, training.history, training.network, of_validation, of_test
        )
    return results


def chosen_rate(search: LearningRateSearch) -> float:
    """Return the best learning rate, or the lowest if all of them diverged."""
    if all(history.diverged for history in search.histories.values()):
        return min(search.histories)
    return search.best


def _title(mode: str) -> str:
    return MODE_NAMES.get(mode, mode)
