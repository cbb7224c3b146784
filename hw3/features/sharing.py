"""Extraction from the command line, by one process or by many: ``python -m hw3.features``.

Under ``torchrun --nproc-per-node N -m hw3.features ...`` the processes, on one machine or on
several that share a file system, take shards from one queue, so that a slow one holds nobody up.
The first of them puts the file together. A process that dies ends the run once others need it;
finished shards wait for the next.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from torch import distributed

from coursework.progress import progress
from hw3.features.extraction import compute_shards, extract
from hw3.features.extractor import BACKBONES, Extractor, build_extractor
from hw3.features.feature_stream import check_target, stream_features
from hw3.features.images import ImageDataset, survey
from hw3.features.pipeline import Pipeline, Preprocessing, build_pipeline
from hw3.features.processes import ProcessLostError, all_alive, own_device, process_group
from hw3.features.shards import (
    ExtractionRunningError,
    Shards,
    locate_shards,
    named_run,
    only_one,
    open_shards,
    remove_shards,
)
from hw3.mnist import FILES, load_mnist

VISIBLE_WITHIN = 60.0
"""Seconds in which one machine sees the files of another: network file systems take a moment."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract one split of MNIST, as the command line says."""
    chosen = _parser().parse_args(arguments)
    try:
        _run(chosen)
    except (ValueError, FileNotFoundError, ExtractionRunningError, ProcessLostError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(
            f"error: {chosen.output} was not made: {error}; once that is mended, the same command "
            "goes on from the shards that are finished"
        )


def extract_together(
    dataset: ImageDataset,
    filename: Path | str,
    pipeline: Pipeline,
    take_ticket: Callable[[str], int],
    *,
    batch_size: int = 250,
    show_progress: bool = True,
) -> None:
    """Share an extraction among the processes of ``torch.distributed``; see `hw3.features.extract`.

    Every process calls it with equal arguments. The file equals, byte for byte, that of one process
    with as many threads as each of them.

    Parameters
    ----------
    dataset, filename, batch_size, show_progress
        As `hw3.features.extract` takes them. The folder of the file is one that all processes see.
    pipeline
        What makes features of images.
    take_ticket
        Returns, for the name of a run, 1, 2, 3 and so on, each to one process only: who takes which
        shard. See `hw3.features.process_group`.

    Raises
    ------
    ValueError
        As `hw3.features.extract` raises it, or if the processes differ in their data, network,
        settings or kind of device: rounding would depend on who computes what.
    hw3.features.shards.ExtractionRunningError
        If another run is extracting to this file.
    hw3.features.processes.ProcessLostError
        If another process ends before its work is done.
    FileNotFoundError
        If the processes do not see each other's files.
    """
    rank = distributed.get_rank()
    shape = (len(dataset), pipeline.extractor.width)
    check_target(filename, *shape)
    labels, data_sum = survey(dataset, batch_size)
    recipe = {"data sha256": data_sum, **pipeline.recipe(dataset, batch_size)}
    _require_agreement({**recipe, "batch size": str(batch_size)})
    if rank > 0:
        shards = locate_shards(filename, recipe, *shape, batch_size)
        run, missing = _agree_on_work(filename, shards)
        tickets = partial(take_ticket, run)
        _take_part(dataset, pipeline, shards, tickets, missing, batch_size, show_progress=False)
        return
    with (
        only_one(filename),
        open_shards(filename, recipe, *shape, batch_size) as shards,
        named_run(shards) as run,
    ):
        _, missing = _agree_on_work(filename, shards, run, shards.missing())
        tickets = partial(take_ticket, run)
        _take_part(dataset, pipeline, shards, tickets, missing, batch_size, show_progress)
        _require_all_shards(shards)
        stream_features(filename, shards, labels, pipeline.texts())
        remove_shards(shards)


def _agree_on_work(
    filename: Path | str, shards: Shards, run: str = "", missing: Sequence[int] = ()
) -> tuple[str, Sequence[int]]:
    """Return the run and its missing shards, which the first process knows.

    Raise in every process if one of them would write its shards where the first does not read.
    """
    plan = [(run, missing)]
    with all_alive():
        distributed.broadcast_object_list(plan)
    run, missing = plan[0]
    seen = _comes_true((shards.folder / run).exists)
    place = f"{Path(filename).absolute()} on {platform.node()}"
    places = [(place, seen)] * distributed.get_world_size()
    with all_alive():
        distributed.all_gather_object(places, (place, seen))
    for rank, (other, other_sees) in enumerate(places):
        if not other_sees:
            raise FileNotFoundError(
                f"process {rank} writes to {other}, and does not see what process 0 writes to "
                f"{places[0][0]}; name the same file to all, in a folder that all machines share"
            )
    return run, missing


def _take_part(
    dataset: ImageDataset,
    pipeline: Pipeline,
    shards: Shards,
    take_ticket: Callable[[], int],
    missing: Sequence[int],
    batch_size: int,
    show_progress: bool,
) -> None:
    """Compute shards until none is left, and wait for the others."""
    done = shards.images - _count(shards, missing)
    bar = progress(
        total=shards.images,
        initial=done,
        description=f"{distributed.get_world_size()} processes",
        unit="image",
        show=show_progress,
    )

    def queue() -> Iterator[int]:
        while True:
            with all_alive():
                taken = take_ticket()
            if taken > len(missing):
                return
            bar.update(done + _count(shards, missing[: taken - 1]) - bar.n)
            yield missing[taken - 1]

    with bar:
        compute_shards(dataset, pipeline, shards, queue(), batch_size, lambda images: None)
        with all_alive():
            distributed.barrier()
        bar.update(shards.images - bar.n)


def _count(shards: Shards, numbers: Sequence[int]) -> int:
    """Return how many images some shards hold."""
    return sum(len(shards.rows(number)) for number in numbers)


def _require_agreement(recipe: dict[str, str]) -> None:
    """Raise in every process if one of them would compute something else."""
    recipes: list[dict[str, str]] = [{}] * distributed.get_world_size()
    with all_alive():
        distributed.all_gather_object(recipes, recipe)
    for rank, other in enumerate(recipes):
        differences = [key for key in recipe if other[key] != recipes[0][key]]
        if differences:
            listed = "; ".join(f"{key}: {recipes[0][key]} and {other[key]}" for key in differences)
            raise ValueError(f"processes 0 and {rank} would not compute the same: {listed}")


def _require_all_shards(shards: Shards) -> None:
    """Raise if what the others have written does not appear here."""
    _comes_true(lambda: not shards.missing())
    if missing := shards.missing():
        raise FileNotFoundError(
            f"shard {shards.path(missing[0])} was written by another process but is not "
            "visible here; do all machines share that folder?"
        )


def _comes_true(condition: Callable[[], bool]) -> bool:
    """Return whether a condition is met within `VISIBLE_WITHIN` seconds."""
    deadline = time.monotonic() + VISIBLE_WITHIN
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(1)
    return met


def _run(chosen: argparse.Namespace) -> None:
    if not distributed.is_torchelastic_launched():
        extract(
            load_mnist(chosen.root, chosen.split),
            chosen.output,
            _build_network(chosen),
            Preprocessing(image_size=chosen.image_size),
            batch_size=chosen.batch_size,
            device=chosen.device,
            precision=chosen.precision,
        )
        return
    with process_group() as take_ticket:
        dataset = load_mnist(chosen.root, chosen.split)
        pipeline = build_pipeline(
            _build_network(chosen),
            Preprocessing(image_size=chosen.image_size),
            device=own_device(chosen.device),
            precision=chosen.precision,
        )
        extract_together(
            dataset, chosen.output, pipeline, take_ticket, batch_size=chosen.batch_size
        )


def _build_network(chosen: argparse.Namespace) -> Extractor:
    weights = None if chosen.weights == "none" else chosen.weights
    return build_extractor(chosen.backbone, weights, seed=chosen.seed)


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
