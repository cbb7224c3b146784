"""Train a network on flowers from the command line: ``python -m hw4.training``."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from coursework.backbones import BACKBONES
from coursework.processes import ProcessLostError, process_group
from coursework.storage import atomic_path
from hw4.flowers import (
    MODES,
    PARTS,
    PRECISIONS,
    SCHEDULES,
    SPLITS,
    EvaluationTransform,
    FlowerDataset,
    FrozenInputs,
    Normalisation,
    TrainingSettings,
    build_network,
    choose_precision,
    current_processes,
    evaluate,
    train_model,
)

_DEFAULTS = TrainingSettings()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 1 after an error, which is printed in words."""
    options = _parser().parse_args(arguments)
    try:
        with process_group(options.device) as device:
            _train(options, device)
    except (ValueError, OSError, ProcessLostError) as error:
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
    add("--precision", choices=PRECISIONS, default=_DEFAULTS.precision)
    add("--cache-bytes", type=int, default=_DEFAULTS.cache_bytes, help="for a frozen part's output")
    add("--device", default="auto")
    add("--checkpoint", type=Path, help="written after each epoch; gone on from if it is there")
    add("--output", type=Path, help="where to write the state_dict of the best epoch")
    return parser


def _train(options: argparse.Namespace, device: torch.device) -> None:
    settings = TrainingSettings(
        **{name: getattr(options, name) for name in vars(_DEFAULTS) if hasattr(options, name)}
    )
    _check_output(options)
    architecture = BACKBONES[options.backbone]
    normalisation = Normalisation(architecture.mean, architecture.std)
    unchanged = EvaluationTransform(options.image_size, *normalisation)
    train, validation, test = (
        FlowerDataset(
            options.root,
            mode,
            options.split,
            transform=unchanged if options.no_augmentation else None,
            image_size=options.image_size,
            normalisation=normalisation,
            seed=options.seed,
        )
        for mode in PARTS
    )
    network = build_network(
        options.mode, train.classes, options.backbone, options.weights, seed=options.seed
    )
    training = train_model(
        network,
        train,
        validation,
        settings,
        checkpoint=options.checkpoint,
        device=device,
        show_progress=True,
    )
    if not len(training.history):
        raise ValueError(f"nothing was learned and nothing is written: {training.history.diverged}")
    processes = current_processes()
    precision = choose_precision(settings.precision, device)
    inputs = FrozenInputs(training.network, test, device, precision, cache_bytes=0)
    measured = evaluate(training.network, inputs, settings.batch_size, processes)
    if processes.rank > 0:
        return
    history = training.history
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
    print(f"best epoch {history.best_epoch}, test accuracy {measured.accuracy:.4f}")
    if options.output is not None:
        with atomic_path(options.output) as temporary:
            torch.save(training.network.state_dict(), temporary)


def _check_output(options: argparse.Namespace) -> None:
    """Refuse a place for the result that would turn out unusable when the work is done."""
    if options.output is None:
        return
    if options.output.is_dir():
        raise ValueError(f"--output {options.output} is a folder; name a file in it")
    if options.checkpoint and options.output.resolve() == options.checkpoint.resolve():
        raise ValueError(f"--output and --checkpoint are both {options.output}; name two files")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=options.output.parent):
        pass


if __name__ == "__main__":
    raise SystemExit(main())
