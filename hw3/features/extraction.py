"""Question 1: from images to the features of a network, kept in a MATLAB file."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coursework.processes import Group, current_group
from coursework.progress import progress
from hw3.features.extractor import Extractor, build_extractor
from hw3.features.feature_file import Features, check_target
from hw3.features.images import ImageDataset, Labels, batches, survey
from hw3.features.pipeline import Pipeline, Preprocessing, build_pipeline
from hw3.features.shards import (
    Shards,
    assemble,
    comes_to_exist,
    differences,
    open_shards,
    place_shards,
    unfinished_layout,
)


def compute_features(
    dataset: ImageDataset,
    extractor: Extractor,
    preprocessing: Preprocessing | None = None,
    *,
    batch_size: int = 250,
    device: str = "auto",
    precision: str = "fp32",
    show_progress: bool = True,
    description: str = "features",
) -> Features:
    """Run every image of a data set through a network, in batches.

    Parameters
    ----------
    dataset
        `hw3.mnist.Digits`, or anything with a length whose items are ``(image, label)``: the image
        (height, width) or (1, height, width), as uint8, as floats in [0, 1], or from PIL. All
        images have one size.
    extractor
        The network. Its parameters and BatchNorm statistics are the same afterwards.
    preprocessing
        What happens to the images first; the homework's by default.
    batch_size
        Images that go through the network together. It changes the speed, not the result (up to
        rounding).
    device, precision
        As `coursework.runtime.choose_device` and `coursework.runtime.choose_precision` take them.
        The features are float32 always.
    show_progress, description
        Whether to show a progress bar, and its title.

    Returns
    -------
    Features
        Row i belongs to item i of the data set.

    Raises
    ------
    ValueError
        If the data set is empty, an image is not grayscale or not in [0, 1], the network gives
        something else than one row of finite numbers for each image, or the device has no such
        precision.
    """
    pipeline = build_pipeline(extractor, preprocessing, device=device, precision=precision)
    pipeline = pipeline.arranged(pipeline.faster_layout(dataset, batch_size))
    images = range(len(dataset))
    bar = progress(total=len(images), description=description, unit="image", show=show_progress)
    with bar:
        features, labels = run_rows(dataset, images, pipeline, batch_size, bar.update)
    return Features(features, labels, **pipeline.texts())


def pixels(dataset: ImageDataset) -> Features:
    """Return the pixels themselves, in [0, 1], as features: what any network has to beat.

    The data set is one that `compute_features` takes. The width is height times width of an image.
    """
    [(_, images, labels)] = batches(dataset, batch_size=len(dataset))
    return Features(images.flatten(1).numpy(), labels, "pixels", "none", "[0, 1]")


def extract(
    dataset: ImageDataset,
    filename: Path | str,
    extractor: Extractor | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    batch_size: int = 250,
    device: str = "auto",
    precision: str = "fp32",
    show_progress: bool = True,
) -> None:
    """Run every image through a network and write the features to a MATLAB file.

    Finished shards of the features are kept beside the file until it is whole. A run that was
    killed goes on where it stopped, and its file is the same, byte for byte, as the file of a run
    in one go.

    Inside of `coursework.processes.process_group` the processes share the work: each of them calls
    this function with the same arguments, and the first one writes the file. The bytes are those
    that one process writes with as many threads as each of them has.

    The parameters are those of `compute_features`; in addition:

    Parameters
    ----------
    filename
        The file to write, with the variables that `save_features` names. A MATLAB 5 file ends at
        2 GiB of features; ``NAME.npy`` is a NumPy array of any size, with the labels in
        ``NAME.labels.mat``. Processes of several machines need a folder that all of them see.
    extractor
        By default ``build_extractor()``: ResNet-50 trained on ImageNet, as the homework asks.

    Raises
    ------
    ValueError
        As `compute_features` raises it; if the features do not fit a MATLAB file; if ``filename``
        is a folder; or if the processes differ in their data, network, settings or kind of device,
        since rounding would then depend on who computes what.
    coursework.storage.BusyError
        If another run is extracting to this file.
    FileNotFoundError
        If the processes do not see each other's files.
    OSError
        If the folder cannot be written to, or the disk is full. Finished shards stay.
    """
    extractor = extractor if extractor is not None else build_extractor()
    check_target(filename, len(dataset), extractor.width)
    pipeline = build_pipeline(extractor, preprocessing, device=device, precision=precision)
    labels, checksum = survey(dataset, batch_size)
    pipeline, recipe = settle_layout(pipeline, dataset, checksum, batch_size, filename)
    shards, group = place_shards(filename, recipe), current_group()
    with join_work(filename, shards, recipe, group):
        for rows, report in share_rows(shards, group, Path(filename).stem, show_progress):
            features, _ = run_rows(dataset, rows, pipeline, batch_size, report)
            shards.write(rows, features)
        if group.rank == 0:
            assemble(filename, shards, labels, pipeline.texts())


def settle_layout(
    pipeline: Pipeline, dataset: ImageDataset, checksum: str, batch_size: int, filename: Path | str
) -> tuple[Pipeline, dict[str, Any]]:
    """Return the pipeline in the layout of unfinished work, or in the faster one; and its recipe.

    Of several processes the first one decides, since all have to round alike.
    """
    recipe, group = pipeline.recipe(dataset, checksum, batch_size), current_group()
    layout = None
    if group.rank == 0:
        layout = unfinished_layout(filename, recipe) or pipeline.faster_layout(dataset, batch_size)
    layout = group.from_first(layout)
    if layout == pipeline.layout:
        return pipeline, recipe
    pipeline = pipeline.arranged(layout)
    return pipeline, pipeline.recipe(dataset, checksum, batch_size)


def run_rows(
    dataset: ImageDataset,
    rows: range,
    pipeline: Pipeline,
    batch_size: int,
    report: Callable[[int], object],
) -> tuple[npt.NDArray[np.float32], Labels]:
    """Return the features (rows, width) of some images, computed batch by batch, and their labels.

    After each batch ``report`` is called with the number of its images.
    """
    features = np.empty((len(rows), pipeline.extractor.width), np.float32)
    labels = np.empty(len(rows), np.int64)
    for batch, images, batch_labels in batches(dataset, batch_size, rows):
        place = slice(batch.start - rows.start, batch.stop - rows.start)
        features[place] = pipeline(images)
        labels[place] = batch_labels
        report(len(batch))
    return features, labels


@contextmanager
def join_work(
    filename: Path | str, shards: Shards, recipe: Mapping[str, Any], group: Group
) -> Iterator[None]:
    """Hold the file while it is made, and see that all processes make the same file.

    All processes raise `ValueError` if one of them would compute something else, and
    `FileNotFoundError` if one of them does not see the folder in which the first one works.
    """
    recipes = group.from_all(recipe)
    for rank, other in enumerate(recipes):
        if unlike := differences(recipes[0], other):
            raise ValueError(f"processes 0 and {rank} would not compute the same: {unlike}")
    work = open_shards(filename, shards, recipe) if group.rank == 0 else nullcontext()
    with work:
        group.from_first("the folder is there")
        place = f"{Path(filename).absolute()} on {platform.node()}"
        places = group.from_all((place, comes_to_exist(shards.folder)))
        for rank, (other, sees) in enumerate(places):
            if not sees:
                raise FileNotFoundError(
                    f"process {rank} writes to {other}, and does not see what process 0 writes to "
                    f"{places[0][0]}; name the same file to all, in a folder that all machines "
                    "share"
                )
        yield


def share_rows(
    shards: Shards, group: Group, description: str, show_progress: bool
) -> Iterator[tuple[range, Callable[[int], object]]]:
    """Give the rows of every unfinished shard to one process, until all shards are finished.

    With the rows comes a function that moves the progress bar by a number of images.
    """
    missing = shards.missing()
    found = shards.images - sum(map(len, missing))
    bar = progress(
        total=shards.images,
        initial=found,
        description=description,
        unit="image",
        show=show_progress and group.rank == 0,
    )
    with bar:
        for rows in group.share_out(missing):
            # Counts the shards that other processes have taken in between.
            taken = sum(len(earlier) for earlier in missing if earlier.start < rows.start)
            bar.update(found + taken - bar.n)
            yield rows, bar.update
        group.from_all("no shard is left")
        bar.update(shards.images - bar.n)
