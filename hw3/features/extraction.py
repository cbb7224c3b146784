"""Question 1: from images to the features of a network, kept in a MATLAB file."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from coursework.progress import progress
from hw3.features.extractor import Extractor, build_extractor
from hw3.features.feature_file import Features
from hw3.features.feature_stream import check_target, is_array, open_array, stream_features
from hw3.features.images import ImageDataset, batches, survey
from hw3.features.pipeline import Pipeline, Preprocessing, build_pipeline
from hw3.features.shards import Shards, only_one, open_shards, remove_shards


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
    device
        As `coursework.runtime.choose_device` takes it.
    precision
        As `coursework.runtime.choose_precision` takes it. The features are float32 always.
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
    features = np.empty((len(dataset), extractor.width), np.float32)
    labels = np.empty(len(dataset), np.int64)
    bar = progress(total=len(dataset), description=description, unit="image", show=show_progress)
    with bar:
        for rows, images, batch_labels in batches(dataset, batch_size):
            features[rows.start : rows.stop] = pipeline(images, rows.start)
            labels[rows.start : rows.stop] = batch_labels
            bar.update(len(rows))
    return Features(features, labels, **pipeline.texts())


def pixels(dataset: ImageDataset) -> Features:
    """Return the pixels themselves, in [0, 1], as features: what any network has to beat.

    The parameter is that of `compute_features`. The width is height times width of the images.
    """
    parts, labels = [], []
    for _, images, batch_labels in batches(dataset, batch_size=1000):
        parts.append(images.flatten(1).numpy())
        labels.append(batch_labels)
    return Features(np.concatenate(parts), np.concatenate(labels), "pixels", "none", "[0, 1]")


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
) -> Features:
    """Run every image through a network and write the features to a MATLAB file.

    Finished shards of features are kept beside the file until it is whole. A run that was killed
    goes on where it stopped, and its file is the same, byte for byte, as that of a run in one go.

    The parameters are those of `compute_features`; in addition:

    Parameters
    ----------
    filename
        The file to write, with the variables that `save_features` names. A MATLAB 5 file ends at
        2 GiB of features; ``NAME.npy`` is a NumPy array of any size, with the labels in
        ``NAME.labels.mat``.
    extractor
        By default ``build_extractor()``: ResNet-50 trained on ImageNet, as the homework asks.

    Returns
    -------
    Features
        What was written. Those of an ``.npy`` stay on disk: a read-only memory map.

    Raises
    ------
    ValueError
        As `compute_features` raises it, if the features do not fit a MATLAB file, or if
        ``filename`` is a folder.
    hw3.features.shards.ExtractionRunningError
        If another process is extracting to this file.
    OSError
        If the folder cannot be written to, or the disk is full. Finished shards stay.
    """
    extractor = extractor if extractor is not None else build_extractor()
    check_target(filename, len(dataset), extractor.width)
    pipeline = build_pipeline(extractor, preprocessing, device=device, precision=precision)
    labels, data_sum = survey(dataset, batch_size)
    recipe = {"data sha256": data_sum, **pipeline.recipe(dataset, batch_size)}
    shape = (len(dataset), extractor.width)
    with only_one(filename), open_shards(filename, recipe, *shape, batch_size) as shards:
        missing = shards.missing()
        bar = progress(
            total=len(dataset),
            initial=len(dataset) - sum(len(shards.rows(number)) for number in missing),
            description=Path(filename).stem,
            unit="image",
            show=show_progress,
        )
        with bar:
            compute_shards(dataset, pipeline, shards, missing, batch_size, bar.update)
        stream_features(filename, shards, labels, pipeline.texts())
        features = open_array(filename) if is_array(filename) else shards.gather()
        remove_shards(shards)
    return Features(features, labels, **pipeline.texts())


def compute_shards(
    dataset: ImageDataset,
    pipeline: Pipeline,
    shards: Shards,
    numbers: Iterable[int],
    batch_size: int,
    report: Callable[[int], object],
) -> None:
    """Compute some shards of an extraction, one after another.

    Parameters
    ----------
    dataset, batch_size
        As `compute_features` takes them.
    pipeline
        What makes features of images.
    shards
        Where they are kept.
    numbers
        The shards to make.
    report
        Called with the number of images after each batch.
    """
    for number in numbers:
        features = np.empty((len(shards.rows(number)), shards.width), np.float32)
        first = shards.rows(number).start
        for rows, images, _ in batches(dataset, batch_size, shards.rows(number)):
            features[rows.start - first : rows.stop - first] = pipeline(images, rows.start)
            report(len(rows))
        shards.write(number, features)
