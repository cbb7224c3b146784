"""The command ``python -m hw4.training``, which trains a network and tests its best epoch."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from coursework.backbones import BACKBONES
from coursework.processes import ProcessLostError, process_group
from coursework.storage import BusyError
from hw4.flowers.dataset import load_flowers
from hw4.flowers.evaluation import evaluate
from hw4.flowers.files import SPLITS
from hw4.flowers.inputs import FrozenInputs
from hw4.flowers.networks import MODES, build_network
from hw4.flowers.processes import current_processes
from hw4.flowers.training import (
    SCHEDULES,
    TRAINING_PRECISIONS,
    History,
    TrainingSettings,
    save_tensors,
    train_model,
)

_DEFAULTS = TrainingSettings()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 1 after an error, which is printed in words."""
    options = _parser().parse_args(arguments)
    try:
        with process_group(options.device) as device:
            _train(options, device)
    except (ValueError, OSError, BusyError, ProcessLostError) as error:
        print(f"hw4.training: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw4.training",
        description="Train a network on flowers and test its best epoch. Several processes: "
        "torchrun --nproc-per-node N -m hw4.training ...; the batch is shared among them, so the "
        "result is the same.",
    )
    add = parser.add_argument
    add("--root", type=Path, required=True, help="the folder with jpg/ and the two .mat files")
    add("--split", choices=SPLITS, default="official")
    add("--image-size", type=int, default=224, metavar="PIXELS")
    add("--no-augmentation", action="store_true", help="the same training images in every epoch")
    add("--mode", choices=MODES, default="finetune")
    add("--backbone", choices=BACKBONES, default="resnet18")
    add("--weights", default="imagenet", help="'imagenet', or the path of a checkpoint")
    add("--epochs", type=int, default=_DEFAULTS.epochs)
    add("--learning-rate", type=float, default=_DEFAULTS.learning_rate)
    add("--batch-size", type=int, default=_DEFAULTS.batch_size, help="over all processes")
    add("--momentum", type=float, default=_DEFAULTS.momentum)
    add("--weight-decay", type=float, default=_DEFAULTS.weight_decay)
    add("--schedule", choices=SCHEDULES, default=_DEFAULTS.schedule)
    add("--patience", type=int, metavar="EPOCHS", help="stop after so many without a better one")
    add("--seed", type=int, default=_DEFAULTS.seed)
    add("--precision", choices=TRAINING_PRECISIONS, default=_DEFAULTS.precision)
    add(
        "--cache-bytes",
        type=int,
        default=_DEFAULTS.cache_bytes,
        help="for the output of a frozen part",
    )
    add("--device", default="auto")
    add("--checkpoint", type=Path, help="written after each epoch; a training goes on from it")
    add("--output", type=Path, help="where to write the state_dict of the best epoch")
    return parser


def _train(options: argparse.Namespace, device: torch.device) -> None:
    settings = TrainingSettings(**{name: getattr(options, name) for name in vars(_DEFAULTS)})
    _check_output(options)
    flowers = load_flowers(
        options.root,
        options.split,
        options.backbone,
        options.image_size,
        seed=options.seed,
        augment=not options.no_augmentation,
    )
    network = build_network(
        options.mode,
        len(flowers.class_names),
        options.backbone,
        options.weights,
        seed=options.seed,
    )
    training = train_model(
        network,
        flowers.train,
        flowers.val,
        settings,
        checkpoint=options.checkpoint,
        device=device,
        show_progress=True,
    )
    if not len(training.history):
        raise ValueError(f"nothing was learned and nothing is written: {training.history.diverged}")
    processes = current_processes()
    inputs = FrozenInputs(
        training.network, flowers.test, device, settings.precision, processes=processes
    )
    accuracy = evaluate(inputs, settings.batch_size).accuracy
    if processes.rank > 0:
        return
    _print(training.history)
    print(f"best epoch {training.history.best_epoch}, test accuracy {accuracy:.4f}")
    if options.output is not None:
        save_tensors(options.output, training.network.state_dict())


def _print(history: History) -> None:
    print("epoch  training loss  validation loss  validation accuracy  learning rate  seconds")
    for number in range(len(history)):
        print(
            f"{number + 1:5}  {history.training_loss[number]:13.4f}  "
            f"{history.validation_loss[number]:15.4f}  "
            f"{history.validation_accuracy[number]:19.4f}  "
            f"{history.learning_rate[number]:13.4g}  {history.seconds[number]:7.1f}"
        )
    if history.diverged:
        print(history.diverged)


def _check_output(options: argparse.Namespace) -> None:
    """Refuse, before the work is done, a place where its result could not be written."""
    if options.output is None:
        return
    if options.output.is_dir():
        raise ValueError(f"--output {options.output} is a folder; name a file in it")
    if options.checkpoint and options.output.resolve() == options.checkpoint.resolve():
        raise ValueError(f"--output and --checkpoint are both {options.output}; name two files")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=options.output.parent):
        pass
