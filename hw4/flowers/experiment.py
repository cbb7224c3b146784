"""Coding part 1, the experiment: three ways to train one architecture, each with its best rate."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from coursework.runtime import choose_device
from coursework.side_by_side import side_by_side
from coursework.storage import scratch_folder
from hw4.flowers.dataset import FlowerDataset
from hw4.flowers.evaluation import Predictions, predict
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.training import History, TrainingSettings, train_model

MODE_NAMES = {
    "scratch": "A (scratch)",
    "finetune": "B (fine-tuned)",
    "last_layers": "C (last layers)",
}
"""The three modes of the homework, and their names in tables and figures."""

Result = TypeVar("Result")

Build = Callable[[str], StagedNetwork]
"""Returns a fresh network for a mode, the same one each time."""

Search = dict[float, History]
"""From each learning rate to its training, in the order in which the rates were tried."""


def chosen_rate(search: Search) -> float:
    """Return the learning rate of the highest validation accuracy in any of its epochs.

    Of equal rates, the one with the lowest validation loss in that epoch is taken. A rate that
    diverged is never taken, although it may have done well before; if all diverged, it is the
    lowest.
    """
    finished = {rate: h for rate, h in search.items() if not h.diverged}
    if not finished:
        return min(search)

    def quality(rate: float) -> tuple[float, float]:
        history = finished[rate]
        return history.best_accuracy, -history.validation_loss[history.best_epoch - 1]

    return max(finished, key=quality)


def search_modes(
    build: Build,
    train: FlowerDataset,
    validation: FlowerDataset,
    learning_rates: Sequence[float],
    settings: TrainingSettings,
    *,
    modes: Sequence[str] = tuple(MODE_NAMES),
    checkpoints: Path | None = None,
    device: str = "auto",
    show_progress: bool = False,
) -> dict[str, Search]:
    """Try each learning rate in each mode; give up those that an epoch shows to be hopeless.

    After the first epoch of all tries, those go on whose validation accuracy is at least half of
    the best in their mode. A try that a checkpoint has at a later epoch goes on, too.

    Parameters
    ----------
    build
        From a mode to a fresh network, usually `hw4.flowers.build_network` with all but its first
        argument filled in.
    train, validation
        As `hw4.flowers.train_model` takes them. The test set has no part in the choice.
    learning_rates
        The values to try.
    settings
        All settings but the learning rate, usually with few epochs.
    modes
        The ways to train, by their names in `hw4.flowers.MODES`.
    checkpoints
        A folder that gets one folder for each mode, so that a search that was stopped goes on;
        with ``None`` the states lie in a temporary folder meanwhile, some 40 MB for each try of
        EfficientNet-Lite0.
    device
        As `hw4.flowers.train_model` takes it. On a CPU the trainings run side by side, on one core
        each; on another device one after another.
    show_progress
        Whether to show progress bars.

    Returns
    -------
    dict
        From the mode to its search. A search in which every value diverged is there too, and so
        are tries that were given up.

    Raises
    ------
    ValueError
        If there is no learning rate, one occurs twice or is not a positive number.
    """
    if not learning_rates or len(set(learning_rates)) < len(learning_rates):
        raise ValueError(f"learning_rates are {list(learning_rates)}, expected different values")
    # Each number of epochs has a folder of its own: a cosine schedule depends on it.
    name = f"search_{settings.epochs}_epochs"
    temporary = settings.epochs > 1 and not checkpoints
    with scratch_folder("search") if temporary else nullcontext(checkpoints) as folder:
        tries = {}
        for mode in modes:
            fresh = build(mode)
            for rate in learning_rates:
                tries[mode, rate] = partial(
                    try_rate,
                    fresh,
                    train,
                    validation,
                    replace(settings, learning_rate=rate),
                    checkpoint=folder and folder / mode / name / f"rate_{rate!r}.pt",
                    device=device,
                )

        def run(keys: Iterable[tuple[str, float]], what: str, until: int) -> list[History]:
            named = {
                f"{MODE_NAMES.get(mode, mode)}, rate {rate:g}": partial(
                    tries[mode, rate], until=until
                )
                for mode, rate in keys
            }
            return _run(named, what, device, show_progress)

        histories = iter(run(tries, "search, first epoch", 1))
        searches = {mode: {rate: next(histories) for rate in learning_rates} for mode in modes}
        if settings.epochs > 1:
            searches = {mode: give_up(search) for mode, search in searches.items()}
            promising = [
                (mode, rate)
                for mode, search in searches.items()
                for rate, history in search.items()
                if not (history.diverged or history.given_up)
            ]
            if promising:
                histories = iter(run(promising, "search, the others", settings.epochs))
                for mode, rate in promising:
                    searches[mode][rate] = next(histories)
    return searches


def give_up(search: Search) -> Search:
    """Mark the tries whose only epoch had less than half of the best first accuracy of them all."""
    best = max((h.validation_accuracy[0] for h in search.values() if len(h)), default=0.0)
    return {
        rate: replace(h, given_up=len(h) == 1 and not h.diverged and h.best_accuracy < best / 2)
        for rate, h in search.items()
    }


def try_rate(
    fresh: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    settings: TrainingSettings,
    **how: Any,
) -> History:
    """Train a copy of a fresh network, so that no rate goes on where another one stopped."""
    return train_model(copy.deepcopy(fresh), train, validation, settings, **how).history


@dataclass(frozen=True, eq=False)
class ModeResult:
    """The result of one mode.

    Attributes
    ----------
    learning_rate
        The rate that was taken.
    history
        The training with it.
    network
        With the weights of the epoch that did best on the validation set; with those it started
        from if no epoch was finished.
    validation, test
        The predictions of this network for the two sets.
    """

    learning_rate: float
    history: History
    network: StagedNetwork
    validation: Predictions
    test: Predictions

    @property
    def learned(self) -> bool:
        """Whether an epoch was finished before the training diverged, if it did."""
        return len(self.history) > 0


def train_modes(
    build: Build,
    train: FlowerDataset,
    validation: FlowerDataset,
    test: FlowerDataset,
    searches: dict[str, Search],
    settings: TrainingSettings,
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
        All settings but the learning rate.

    Returns
    -------
    dict
        From the mode to its result. Where every learning rate diverged, the lowest is taken, and
        the history reports how it went.
    """
    trainings = {}
    for mode, search in searches.items():
        rate = chosen_rate(search)
        name = f"rate_{rate!r}_{settings.epochs}_epochs.pt"
        trainings[MODE_NAMES.get(mode, mode)] = partial(
            train_mode,
            build(mode),
            train,
            validation,
            test,
            replace(settings, learning_rate=rate),
            checkpoint=checkpoints and checkpoints / mode / name,
            device=device,
        )
    results = _run(trainings, "training", device, show_progress)
    return dict(zip(searches, results, strict=True))


def train_mode(
    network: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    test: FlowerDataset,
    settings: TrainingSettings,
    *,
    device: str,
    **how: Any,
) -> ModeResult:
    """Train a network, and let its best epoch predict the validation and the test set."""
    training = train_model(network, train, validation, settings, device=device, **how)
    validated, tested = (
        predict(
            training.network,
            source,
            batch_size=settings.batch_size,
            device=device,
            precision=settings.precision,
        )
        for source in (validation, test)
    )
    return ModeResult(settings.learning_rate, training.history, training.network, validated, tested)


def _run(
    trainings: Mapping[str, Callable[..., Result]], what: str, device: str, show_progress: bool
) -> list[Result]:
    """Run trainings side by side on a CPU, and elsewhere one by one, each with a bar of its own."""
    if choose_device(device).type == "cpu":
        return side_by_side(
            trainings, description=what, unit="training", processes=True, show=show_progress
        )
    return [
        training(show_progress=show_progress, description=f"{what}, {name}")
        for name, training in trainings.items()
    ]
