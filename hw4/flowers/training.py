"""Coding part 1, the training: mini-batch SGD, the best epoch kept, resumed where it stopped."""

import hashlib
import io
import logging
import math
import textwrap
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from coursework.backbones import read_torch_file
from coursework.progress import progress
from coursework.runtime import choose_device, choose_layout
from coursework.storage import atomic_path, locked
from hw4.flowers.dataset import FlowerDataset
from hw4.flowers.evaluation import evaluate
from hw4.flowers.inputs import FrozenInputs, epoch_batches
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.processes import current_processes

logger = logging.getLogger(__name__)

SCHEDULES = ("constant", "cosine")
TRAINING_PRECISIONS = ("auto", "fp32", "bf16")
TRIAL_FROM = 128
"""The side in pixels from which a training lasts so long that a trial of the layouts is worth its
time. Below, as in the profile ``embedded``, no clock has a say, and the figures are the same in
every run on a machine."""


@dataclass(frozen=True)
class TrainingSettings:
    """The choices of a training.

    Attributes
    ----------
    epochs
        Passes over the training set, at most.
    learning_rate
        The factor of the gradient in a step of SGD.
    batch_size
        Samples in a step, over all processes.
    momentum, weight_decay
        As SGD takes them.
    schedule
        ``"constant"``, or ``"cosine"``: from ``learning_rate`` down towards 0 along half a cosine,
        epoch by epoch.
    patience
        Training stops early after so many epochs without a new best one (see
        `hw4.flowers.History.best_epoch`); with ``None`` it never does.
    seed
        Where the random order of the samples starts.
    precision
        ``"fp32"``; ``"bf16"``, which the device must have in hardware; or ``"auto"``: bfloat16 if
        the device has it, and float32 otherwise.
    cache_bytes
        How much memory the outputs of a frozen part may take in each process, for training and
        validation set together. A set whose outputs do not all fit keeps none.
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
            (
                "precision",
                self.precision in TRAINING_PRECISIONS,
                f"one of {', '.join(TRAINING_PRECISIONS)}",
            ),
            ("cache_bytes", self.cache_bytes >= 0, "0 or more"),
        ):
            if not valid:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}")

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


@dataclass(frozen=True)
class History:
    """The measurements of a training, one number for every epoch that was finished.

    Attributes
    ----------
    training_loss
        Mean cross-entropy over the training samples in nats, each measured when its batch was
        trained on, in training mode.
    validation_loss, validation_accuracy
        Over all validation samples at the end of the epoch, in evaluation mode.
    learning_rate
        The learning rate of the epoch.
    seconds
        How long the epoch took, validation included.
    diverged
        Empty, or the report of a loss that was no longer a number, which ended the training.
    given_up
        Whether a search ended the training early, since another one was far better.
    """

    training_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()
    learning_rate: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    diverged: str = ""
    given_up: bool = False

    def __len__(self) -> int:
        return len(self.training_loss)

    @property
    def summary(self) -> str:
        """A few words on the last epoch."""
        return "diverged" if self.diverged else f"validation {self.validation_accuracy[-1]:.3f}"

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, of the highest validation accuracy; 0 if none was finished.

        Of equal epochs, the one with the lowest validation loss is the best.
        """
        accuracies, losses = self.validation_accuracy, self.validation_loss
        epochs = range(1, len(self) + 1)
        return max(epochs, key=lambda i: (accuracies[i - 1], -losses[i - 1]), default=0)

    @property
    def best_accuracy(self) -> float:
        """The highest validation accuracy; NaN if no epoch was finished."""
        return max(self.validation_accuracy, default=math.nan)


@dataclass(frozen=True, eq=False)
class Training:
    """The result of a training.

    Attributes
    ----------
    network
        With the weights of the epoch that did best on the validation set, in evaluation mode. If no
        epoch was finished, they are the weights that it started from.
    history
        The measurements of each epoch.
    """

    network: StagedNetwork
    history: History


def train_model(
    network: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    settings: TrainingSettings,
    *,
    checkpoint: Path | str | None = None,
    until: int | None = None,
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
        How to train.
    checkpoint
        A file to which the state is written after each epoch. If it is there already, training
        goes on from it, and ends with the same weights as one that was never stopped (same seed,
        on the CPU; elsewhere up to rounding). The file stays, so that a finished training is not
        done again.
    until
        Stop after this epoch, and go on later from the checkpoint; by default after the last one.
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
        If the network has not as many outputs as there are classes, the device does not have the
        precision, or the checkpoint belongs to another training.
    coursework.storage.BusyError
        If another process is training with the checkpoint.
    """
    target = choose_device(str(device))
    _check_training(network, train, validation, settings)
    run = TrainingRun(network.to(target), train, validation, settings, target)
    first = run.processes.rank == 0
    # The first process alone reads and writes the file.
    file = Path(checkpoint) if checkpoint and first else None
    precision = run.inputs.precision
    identity = _identity(network, train, validation, settings, precision) if file else {}
    with locked(file) if file else nullcontext():
        state = run.processes.from_first(load_state(file, identity) if file else None)
        if state is None:
            run.choose_layout()
        else:
            try:
                run.restore(state)
            except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
                reason = textwrap.shorten(f"{type(error).__name__}: {error}", 200)
                raise ValueError(
                    f"{checkpoint} does not hold the state of this training ({reason}); {_MEND}"
                ) from error
        done = len(run.history)
        if done > settings.epochs:
            raise ValueError(
                f"{checkpoint} holds {done} epochs already, {settings.epochs} are asked for; ask "
                "for as many or more, or name another checkpoint"
            )
        size = len(train.labels)
        with progress(
            total=min(settings.epochs, until or settings.epochs) * size,
            description=description,
            unit="image",
            show=show_progress and first,
            initial=done * size,
        ) as bar:
            while not run.finished and (until is None or len(run.history) < until):
                run.epoch(bar)
                bar.set_postfix_str(run.history.summary, refresh=False)
                if file:
                    save_tensors(file, {"identity": identity, "state": run.state()})
    network.trained.load_state_dict(run.best)
    return Training(network.eval(), run.history)


class TrainingRun:
    """The state of a training: all that an epoch changes, and that a checkpoint keeps.

    Attributes
    ----------
    inputs, validation
        What enters the trained part of the network in training and in validation.
    history
        The measurements so far.
    best
        The weights of the trained part after the best epoch.
    """

    def __init__(
        self,
        network: StagedNetwork,
        train: FlowerDataset,
        validation: FlowerDataset,
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        self.network, self.settings, self.processes = network, settings, current_processes()
        # Nothing is kept of augmented images; other data sets get room by their sizes.
        sizes = [0 if source.augments else len(source.labels) for source in (train, validation)]
        room = [settings.cache_bytes * size // max(sum(sizes), 1) for size in sizes]
        how = (device, settings.precision)
        self.inputs = FrozenInputs(network, train, *how, room[0], self.processes)
        self.validation = FrozenInputs(network, validation, *how, room[1], self.processes)
        self.processes.synchronise(network.trained)
        self.optimizer = torch.optim.SGD(
            network.trained.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        self.history = History()
        self.best = copied(network.trained.state_dict())

    def choose_layout(self) -> None:
        """Arrange the network as a trial on the first images finds faster, in all processes."""
        source = self.inputs.source
        if self.inputs.device.type != "cpu" or source.image_size < TRIAL_FROM:
            return
        share = max(1, self.settings.batch_size // self.processes.size)
        images, _ = source.batch(np.arange(min(share, len(source.labels))))
        network = self.network
        network.train()  # a training before may have left it in evaluation mode
        layout = choose_layout(network, images, self.inputs.precision)
        network.arrange(self.processes.from_first(layout))

    def epoch(self, bar: Any) -> None:
        """Train for one epoch, measure it, and keep the weights if they are the best so far."""
        began = time.perf_counter()
        number = len(self.history)
        rate = self.settings.learning_rate_at(number)
        self.optimizer.param_groups[0]["lr"] = rate
        training_loss = self.train(number, bar)
        measured = evaluate(self.validation, self.settings.batch_size)
        for name, loss in (("training", training_loss), ("validation", measured.loss)):
            if not math.isfinite(loss):
                where = f"in epoch {number + 1}, at learning rate {rate:g}"
                report = f"the {name} loss became {loss} {where}; take a lower one"
                self.history = replace(self.history, diverged=report)
                return
        so_far = self.history
        self.history = replace(
            so_far,
            training_loss=(*so_far.training_loss, training_loss),
            validation_loss=(*so_far.validation_loss, measured.loss),
            validation_accuracy=(*so_far.validation_accuracy, measured.accuracy),
            learning_rate=(*so_far.learning_rate, rate),
            seconds=(*so_far.seconds, time.perf_counter() - began),
        )
        if self.history.best_epoch == len(self.history):
            self.best = copied(self.network.trained.state_dict())

    def train(self, number: int, bar: Any) -> float:
        """Take one step for each batch, in a new order; return the mean loss over all samples."""
        self.network.train()
        samples = len(self.inputs.source.labels)
        batches = epoch_batches(samples, self.settings.batch_size, self.settings.seed, number)
        total = 0.0
        for batch, (x, y) in zip(batches, self.inputs.batches(batches, number), strict=True):
            loss = functional.cross_entropy(self.inputs.logits(x), y, reduction="sum")
            self.optimizer.zero_grad()
            # A step follows the mean loss of its batch, whatever the size of the batch.
            (loss / len(batch)).backward()  # type: ignore[no-untyped-call]
            self.processes.add_gradients(self.network.trained)
            self.optimizer.step()
            total += self.processes.total(loss.detach()).item()
            if not math.isfinite(total):
                break  # no later batch can mend it
            bar.update(len(batch))
        return total / samples

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, none has been better for long, or the loss diverged."""
        done, patience = len(self.history), self.settings.patience
        stopped = patience is not None and done - self.history.best_epoch >= patience and done > 0
        return done >= self.settings.epochs or stopped or bool(self.history.diverged)

    def state(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on."""
        return {
            "layout": self.network.layout,
            "trained": copied(self.network.trained.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "history": asdict(self.history),
            "best": self.best,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state that `state` returned."""
        # Versions without a choice do not name the layout.
        self.network.arrange(state.get("layout", "channels_last"))
        self.network.trained.load_state_dict(state["trained"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = History(**state["history"])
        self.best = state["best"]


_MEND = "remove it to start anew, or name another checkpoint"


def load_state(path: Path, identity: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the state that an epoch wrote last, or ``None`` if there is no file.

    A file that cannot be read, or that belongs to a training with another ``identity``, is refused.
    """
    if path.is_dir():
        raise ValueError(f"the checkpoint {path} is a folder; name a file in it")
    if not path.is_file():
        return None
    try:
        content = read_torch_file(path)
    except ValueError as error:
        raise ValueError(f"{error}; {_MEND}") from error
    try:
        found, state = dict(content["identity"]), dict(content["state"])
    except (TypeError, ValueError, LookupError) as error:
        raise ValueError(f"{path} is not a checkpoint of a training; {_MEND}") from error
    for name, wanted in identity.items():
        if name in _IMAGES and name not in found:
            logger.warning(
                "%s is of version 0.1.0 and does not say what its %s were; they are taken to be "
                "those of now",
                *(path, name),
            )
        elif found.get(name) != wanted:
            raise ValueError(
                f"{path} belongs to another training: its {name} is {found.get(name)!r}, now it is "
                f"{wanted!r}; {_MEND}"
            )
    return state


def save_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file that ``torch.load`` reads, whole or not at all.

    It is made in memory: on a full disk ``torch.save`` reports a position in its own source.
    """
    memory = io.BytesIO()
    torch.save(content, memory)
    with atomic_path(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of a ``state_dict`` on the CPU, which later steps do not change."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}


def _check_training(
    network: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    settings: TrainingSettings,
) -> None:
    """Refuse what would fail after hours, or give a result that means nothing."""
    for name, source in (("training", train), ("validation", validation)):
        highest = int(source.labels.max())
        if highest >= network.classes:
            raise ValueError(
                f"the {name} set has labels up to {highest}, but the network has "
                f"{network.classes} outputs; build it with as many as there are classes"
            )
    if not network.fixed_statistics and min(settings.batch_size, len(train.labels)) == 1:
        raise ValueError(
            f"batches of a single image (batch_size is {settings.batch_size}, the training set "
            f"has {len(train.labels)}), but BatchNorm cannot take the variance of one; take a "
            "larger batch_size, or a mode that keeps the statistics of loaded weights"
        )


_IMAGES = ("training images", "validation images")
"""The parts of an identity that checkpoints of version 0.1.0 do not have."""


def _identity(
    network: StagedNetwork,
    train: FlowerDataset,
    validation: FlowerDataset,
    settings: TrainingSettings,
    precision: torch.dtype,
) -> dict[str, str]:
    """Describe what makes a training this one and no other, for its checkpoint.

    These are settings, network with its first weights, data, precision and the release of PyTorch.
    If one of them differs, a training that goes on from the checkpoint gives a result that neither
    the old training nor the new one would give.
    """
    fields = {name: str(value) for name, value in vars(settings).items() if name != "cache_bytes"}
    if settings.schedule == "constant":
        # More epochs only continue such a training; other schedules spread over all epochs.
        del fields["epochs"]
    return fields | {
        "precision": str(precision),
        "network": network.name,
        "initial weights": _digest(x.cpu().numpy() for x in network.state_dict().values()),
        "training set": _source_digest(train),
        "validation set": _source_digest(validation),
        **dict(zip(_IMAGES, (train.checksum(), validation.checksum()), strict=True)),
        "torch version": str(torch.__version__),
    }


def _source_digest(source: FlowerDataset) -> str:
    """Digest the labels and one image, which shows size, normalisation and augmentation."""
    image, _ = source.batch(np.array([0]), 0)
    return _digest([np.asarray(source.labels), image.numpy()])


def _digest(arrays: Iterable[npt.ArrayLike]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
