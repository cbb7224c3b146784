"""Coding part 1, the training: mini-batch SGD, the best epoch kept, resumed where it stopped."""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from coursework.progress import progress
from coursework.runtime import choose_device
from hw4.flowers.batches import ImageSource, epoch_batches
from hw4.flowers.checkpoint import open_checkpoint
from hw4.flowers.evaluation import evaluate
from hw4.flowers.frozen_inputs import FrozenInputs
from hw4.flowers.history import History
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.processes import Processes, current_processes
from hw4.flowers.settings import TrainingSettings, choose_precision
from hw4.flowers.training_checks import check_training
from hw4.flowers.training_identity import training_identity


class DivergedError(ArithmeticError):
    """The loss is no longer a number."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a training ended with.

    Attributes
    ----------
    network
        With the weights of the epoch that did best on the validation set, in evaluation mode. If
        none was finished, those it started from.
    history
        What was measured in each epoch.
    """

    network: StagedNetwork
    history: History


def train_model(
    network: StagedNetwork,
    train: ImageSource,
    validation: ImageSource,
    settings: TrainingSettings | None = None,
    *,
    checkpoint: Path | str | None = None,
    device: str | torch.device = "auto",
    show_progress: bool = False,
    description: str = "training",
) -> Training:
    """Train a network and give back its best epoch.

    Each epoch takes every training sample once, in a new order, and then measures the validation
    set, without gradients and in evaluation mode. Losses and accuracies are means over samples. A
    loss that is no longer a number ends the training, and the history says so.

    Parameters
    ----------
    network
        From `hw4.flowers.build_network`; it is trained in place. Only its trained part changes.
    train, validation
        From `hw4.flowers.FlowerDataset`.
    settings
        How to train; the defaults of `TrainingSettings` without it.
    checkpoint
        A file to which the state is written after each epoch. If it is there already, training
        goes on from it, and ends with the same weights as one that was never stopped (same seed,
        on the CPU; elsewhere up to rounding). It is left there, so that a finished training is not
        done again.
    device
        As `coursework.runtime.choose_device` takes it.
    show_progress, description
        Whether to show a progress bar, and its title.

    Returns
    -------
    Training

    Raises
    ------
    ValueError
        If the network has not as many outputs as there are classes, a data set is empty, the
        precision is not to be had on the device, or the checkpoint belongs to another training or
        is in use.
    """
    settings = settings or TrainingSettings()
    target = choose_device(str(device))
    precision = choose_precision(settings.precision, target)
    check_training(network, train, validation, settings)
    processes = current_processes()
    identity = training_identity(network, train, validation, settings, precision)
    run = TrainingRun(network.to(target), train, validation, settings, target, precision, processes)
    first = processes.rank == 0
    with open_checkpoint(checkpoint if first else None, identity) as file:
        run.restore(processes.from_first(file.load()))
        if len(run.history) > settings.epochs:
            raise ValueError(
                f"{checkpoint} holds {len(run.history)} epochs already, {settings.epochs} are "
                "asked for; ask for as many or more, or name another checkpoint"
            )
        bar = progress(
            total=settings.epochs * len(train.labels),
            description=description,
            unit="image",
            show=show_progress and first,
            initial=len(run.history) * len(train.labels),
        )
        with bar:
            while not run.finished:
                try:
                    run.epoch(bar)
                except DivergedError as report:
                    run.history = dataclasses.replace(run.history, diverged=str(report))
                    bar.set_postfix_str("diverged", refresh=False)
                else:
                    accuracy = run.history.validation_accuracy[-1]
                    bar.set_postfix_str(f"validation {accuracy:.3f}", refresh=False)
                file.save(run.state())
    network.trained.load_state_dict(run.best)
    return Training(network.eval(), run.history)


class TrainingRun:
    """The state of a training: what an epoch changes, and a checkpoint keeps."""

    def __init__(
        self,
        network: StagedNetwork,
        train: ImageSource,
        validation: ImageSource,
        settings: TrainingSettings,
        device: torch.device,
        precision: torch.dtype | None,
        processes: Processes,
    ) -> None:
        self.network, self.settings, self.processes = network, settings, processes
        # Augmented images are not cached; otherwise each data set gets room by its size.
        sizes = [0 if source.augments else len(source.labels) for source in (train, validation)]
        room = [settings.cache_bytes * size // max(sum(sizes), 1) for size in sizes]
        self.train = FrozenInputs(network, train, device, precision, room[0])
        self.validation = FrozenInputs(network, validation, device, precision, room[1])
        self.parallel = processes.parallel(network.trained, device)
        self.optimizer = torch.optim.SGD(
            network.trained.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        # float16 has so few exponents that small gradients vanish unless the loss is scaled up.
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision is torch.float16)
        self.history = History()
        self.best = _copy(network.trained.state_dict())

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, none has been better for long, or the loss diverged."""
        done, patience = len(self.history), self.settings.patience
        stopped = patience is not None and done - self.history.best_epoch >= patience and done > 0
        return done >= self.settings.epochs or stopped or bool(self.history.diverged)

    def epoch(self, bar: Any) -> None:
        """Train for one epoch, measure it, and keep the weights if they are the best so far."""
        start = time.perf_counter()
        number = len(self.history)
        learning_rate = self.settings.learning_rate_at(number)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss = self._train(number, bar)
        measured = evaluate(self.network, self.validation, self.settings.batch_size, self.processes)
        if not math.isfinite(measured.loss):
            # The last step of the epoch is the one that no later batch would have shown.
            raise DivergedError(
                f"the validation loss became {measured.loss} in epoch {number + 1}, at learning "
                f"rate {learning_rate:g}; take a lower one"
            )
        self.history = self.history.append(
            training_loss=loss,
            validation_loss=measured.loss,
            validation_accuracy=measured.accuracy,
            learning_rate=learning_rate,
            seconds=time.perf_counter() - start,
        )
        if self.history.best_epoch == len(self.history):
            self.best = _copy(self.network.trained.state_dict())

    def _train(self, number: int, bar: Any) -> float:
        """Take one step a batch; return the mean loss over all samples."""
        self.network.train()
        samples, size = len(self.train.source.labels), self.settings.batch_size
        batches = epoch_batches(samples, size, self.settings.seed, number)
        shares = [self.processes.share(batch) for batch in batches]
        total = 0.0
        for batch, (x, y) in zip(batches, self.train.batches(shares, number), strict=True):
            logits = self.train.compute(self.parallel, x).float()
            loss = functional.cross_entropy(logits, y, reduction="sum")
            batch_loss = self.processes.total(loss.detach()).item()
            if not math.isfinite(batch_loss):
                raise DivergedError(
                    f"the training loss became {batch_loss} in epoch {number + 1}, at learning "
                    f"rate {self.optimizer.param_groups[0]['lr']:g}; take a lower one"
                )
            self.optimizer.zero_grad(set_to_none=True)
            # The gradient of the mean over the whole batch: processes average theirs.
            mean = loss * (self.processes.size / len(batch))
            self.scaler.scale(mean).backward()  # type: ignore[no-untyped-call]
            self.scaler.step(self.optimizer)
            self.scaler.update()
            total += batch_loss
            bar.update(len(batch))
        return total / samples

    def state(self) -> dict[str, Any]:
        """Return what the next epoch depends on."""
        return {
            "trained": _copy(self.network.trained.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": dataclasses.asdict(self.history),
            "best": self.best,
        }

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Go back to what `state` returned, if there is anything."""
        if state is not None:
            self.network.trained.load_state_dict(state["trained"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"])
            self.history = History(**state["history"])
            self.best = state["best"]


def _copy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}
