"""Extraction from the command line, by one process or by many: ``python -m hw3.features``.

Under ``torchrun --nproc-per-node N -m hw3.features ...`` the processes, on one machine or on
several that share a file system, take shards from one queue, so that a slow one holds nobody up.
The first of them puts the file together. A process that dies ends the run; finished shards wait for
the next.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from coursework.progress import progress
from hw3.feature_stream import check_target, stream_features
from hw3.features import compute_shards, extract
from hw3.images import ImageDataset, survey
from hw3.mnist import FILES, load_mnist
from hw3.networks import BACKBONES, build_extractor
from hw3.pipeline import Pipeline, Preprocessing, build_pipeline
from hw3.shards import (
    ExtractionRunningError,
    Shards,
    locate_shards,
    only_one,
    open_shards,
    remove_shards,
)

PATIENCE = timedelta(days=7)
"""How long a process waits for slower ones. One that died is noticed at once."""


class ProcessLostError(RuntimeError):
    """Another process of the same run has ended; its own message says why."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract one split of MNIST, as the command line says."""
    chosen = _parser().parse_args(arguments)
    try:
        _run(chosen)
    except (ValueError, FileNotFoundError, ExtractionRunningError, ProcessLostError) as error:
        sys.exit(f"error: {error}")


def extract_together(
    dataset: ImageDataset,
    filename: Path | str,
    pipeline: Pipeline,
    take_ticket: Callable[[], int],
    *,
    batch_size: int = 250,
    show_progress: bool = True,
) -> None:
    """Share an extraction among the processes of ``torch.distributed``; see `hw3.features.extract`.

    Every process calls it with equal arguments. The file equals that of one process, byte for byte.

    Parameters
    ----------
    dataset, filename, batch_size, show_progress
        As `hw3.features.extract` takes them. The folder of the file is one that all processes see.
    pipeline
        What makes features of images.
    take_ticket
        Returns 1, 2, 3 and so on, each to one process only: who takes which shard.

    Raises
    ------
    ValueError
        As `hw3.features.extract` raises it, or if the processes differ in their data, network,
        settings or kind of device: rounding would depend on who computes what.
    hw3.shards.ExtractionRunningError
        If another run is extracting to this file.
    ProcessLostError
        If another process ends before its work is done.
    """
    rank = distributed.get_rank()
    shape = (len(dataset), pipeline.extractor.width)
    check_target(filename, *shape)
    labels, data_sum = survey(dataset, batch_size)
    recipe = {"data sha256": data_sum, **pipeline.recipe(dataset, batch_size)}
    _require_agreement(recipe)
    if rank > 0:
        shards = locate_shards(filename, recipe, *shape, batch_size)
        _take_part(dataset, pipeline, shards, take_ticket, [], batch_size, show_progress=False)
        return
    with only_one(filename), open_shards(filename, recipe, *shape, batch_size) as shards:
        missing = shards.missing()
        _take_part(dataset, pipeline, shards, take_ticket, missing, batch_size, show_progress)
        _wait_for_the_file_system(shards)
        stream_features(filename, shards, labels, pipeline.texts())
        remove_shards(shards)


def _take_part(
    dataset: ImageDataset,
    pipeline: Pipeline,
    shards: Shards,
    take_ticket: Callable[[], int],
    missing: list[int],
    batch_size: int,
    show_progress: bool,
) -> None:
    """Compute shards until none is left, and wait for the others; the first process says which."""
    shared = [missing]
    with _all_alive():
        distributed.broadcast_object_list(shared)
    (missing,) = shared
    done = shards.images - _count(shards, missing)
    bar = progress(
        total=shards.images,
        initial=done,
        description=f"{distributed.get_world_size()} processes",
        unit="image",
        show=show_progress,
    )

    def queue() -> Iterator[int]:
        while (taken := take_ticket()) <= len(missing):
            bar.update(done + _count(shards, missing[: taken - 1]) - bar.n)
            yield missing[taken - 1]

    with bar:
        compute_shards(dataset, pipeline, shards, queue(), batch_size, lambda images: None)
        with _all_alive():
            distributed.barrier()
        bar.update(shards.images - bar.n)


def _count(shards: Shards, numbers: Sequence[int]) -> int:
    """Return how many images some shards hold."""
    return sum(len(shards.rows(number)) for number in numbers)


def _require_agreement(recipe: dict[str, str]) -> None:
    """Raise in every process if one of them would compute something else."""
    recipes: list[dict[str, str]] = [{}] * distributed.get_world_size()
    with _all_alive():
        distributed.all_gather_object(recipes, recipe)
    for rank, other in enumerate(recipes):
        differences = [key for key in recipe if other[key] != recipes[0][key]]
        if differences:
            listed = "; ".join(f"{key}: {recipes[0][key]} and {other[key]}" for key in differences)
            raise ValueError(f"processes 0 and {rank} would not compute the same: {listed}")


def _wait_for_the_file_system(shards: Shards, seconds: float = 60) -> None:
    """Wait until this machine sees what others have written: network file systems take a moment."""
    deadline = time.monotonic() + seconds
    while missing := shards.missing():
        if time.monotonic() > deadline:
            raise FileNotFoundError(
                f"shard {shards.path(missing[0])} was written by another process but is not "
                "visible here; do all machines share that folder?"
            )
        time.sleep(1)


def _run(chosen: argparse.Namespace) -> None:
    dataset = load_mnist(chosen.root, chosen.split)
    weights = None if chosen.weights == "none" else chosen.weights
    extractor = build_extractor(chosen.backbone, weights, seed=chosen.seed)
    preprocessing = Preprocessing(image_size=chosen.image_size)
    if not distributed.is_torchelastic_launched():
        extract(
            dataset,
            chosen.output,
            extractor,
            preprocessing,
            batch_size=chosen.batch_size,
            device=chosen.device,
            precision=chosen.precision,
        )
        return
    pipeline = build_pipeline(
        extractor, preprocessing, device=_own_device(chosen.device), precision=chosen.precision
    )
    with _process_group() as take_ticket:
        extract_together(
            dataset, chosen.output, pipeline, take_ticket, batch_size=chosen.batch_size
        )


@contextlib.contextmanager
def _all_alive() -> Iterator[None]:
    """Name the reason if the processes cannot talk to each other."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ProcessLostError(f"another process of this run has ended ({reason})") from error


@contextlib.contextmanager
def _process_group() -> Iterator[Callable[[], int]]:
    """Meet the other processes of ``torchrun``, and number what is handed out among them."""
    store, rank, size = next(rendezvous("env://", timeout=PATIENCE))
    # Only small objects are exchanged, so Gloo does for GPUs too.
    distributed.init_process_group(
        "gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE
    )
    # A run that torchrun starts again may find the store of the last attempt.
    name = f"tickets {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}"
    yield lambda: int(store.add(name, 1))
    distributed.destroy_process_group()


def _own_device(name: str) -> str:
    """Return a GPU for each process of a machine, if there are any."""
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw3.features",
        description="Write the features of MNIST's digits to a file. A run that was stopped goes "
        "on where it was. torchrun --nproc-per-node N -m hw3.features shares it among N processes.",
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder of MNIST's IDX files")
    parser.add_argument("--split", choices=tuple(FILES), default="train")
    parser.add_argument("--output", type=Path, required=True, help="NAME.mat, or NAME.npy")
    parser.add_argument("--backbone", choices=tuple(BACKBONES), default="resnet50")
    parser.add_argument("--weights", default="imagenet", help="imagenet, none, or a checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, where there are none")
    parser.add_argument("--image-size", type=int, help="pixels a side; as stored by default")
    parser.add_argument("--batch-size", type=int, default=250)
    parser.add_argument("--precision", default="fp32", help="fp32, bf16, fp16 or auto")
    parser.add_argument("--device", default="auto")
    return parser
