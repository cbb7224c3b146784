"""Features on disk: a MATLAB file that says how they were made."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from coursework.storage import atomic_path
from hw3.features.extractor import BACKBONES
from hw3.features.feature_stream import is_array, labels_beside, open_array
from hw3.features.matlab_file import MAT_LIMIT, map_features, transposed, write_mat


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a data set, and how they were made.

    Attributes
    ----------
    features
        Shape (m, width), float32.
    labels
        Shape (m,), int64.
    backbone, weights, preprocessing
        The network, where its weights come from, and what was done to the images, in words.
    precision
        What the network computed in: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    """

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    backbone: str
    weights: str
    preprocessing: str
    precision: str = "fp32"


def save_features(filename: Path | str, features: Features) -> None:
    """Write features to a MATLAB 5 file, which MATLAB, Octave and SciPy read.

    The variables are ``features`` (m x width, single), ``labels`` (m x 1) and the texts
    ``backbone``, ``weights``, ``preprocessing`` and ``precision``. The file appears whole or not at
    all.

    Raises
    ------
    ValueError
        If the features take more than the 2 GiB that a variable of the format may have: 262,143
        rows of ResNet-50; or if the name is that of a NumPy array.
    """
    if is_array(filename):
        raise ValueError(
            f"{filename} is the name of a NumPy array, and this writes a MATLAB file; "
            f"write to {Path(filename).with_suffix('.mat').name}"
        )
    values = features.features
    if values.nbytes > MAT_LIMIT:
        fitting = MAT_LIMIT // (values.nbytes // len(values))
        raise ValueError(
            f"{filename} was not written: features {values.shape} take {values.nbytes:,} bytes, "
            f"and a variable of a MATLAB 5 file at most {MAT_LIMIT:,}; write parts of up to "
            f"{fitting:,} rows to files of their own"
        )
    rest = {name: value for name, value in vars(features).items() if name != "features"}
    with atomic_path(filename) as temporary, open(temporary, "wb") as file:
        write_mat(file, values.shape, lambda first, last: transposed(values[:, first:last]), rest)


def load_features(filename: Path | str) -> Features:
    """Read a file of features, and refuse one that does not hold what it should.

    Parameters
    ----------
    filename
        The MATLAB file of `save_features` or `hw3.features.extract`, or the ``NAME.npy`` of the
        latter, whose features stay on disk: a read-only memory map.

    Returns
    -------
    Features
        With labels of shape (m,), although MATLAB files know no such thing.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a MATLAB file, lacks a variable, a variable has the wrong shape or holds
        anything but finite numbers, or the width is not that of the backbone.
    """
    path = Path(filename)
    if not path.is_file():
        raise FileNotFoundError(f"no feature file {path}; hw3.features.extract writes one")
    mend = "make it again with hw3.features.extract"
    content = _read_array(path) if is_array(path) else _read_mat(path)
    # Files of before there was a choice do not say it.
    content.setdefault("precision", np.array(["fp32"]))
    texts = ("backbone", "weights", "preprocessing", "precision")
    missing = [name for name in ("features", "labels", *texts) if name not in content]
    if missing:
        found = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise ValueError(f"{path} lacks {', '.join(missing)}; it holds {found}; {mend}")
    features, labels = content["features"], content["labels"]
    if features.ndim != 2 or features.dtype.kind != "f" or 0 in features.shape:
        raise ValueError(
            f"{path}: features is {features.dtype} {features.shape}, expected floats "
            f"(images, width); {mend}"
        )
    if labels.size != max(labels.shape) or labels.size != len(features):
        raise ValueError(
            f"{path}: labels is {labels.shape}, expected one for each of the {len(features)} rows "
            f"of features; {mend}"
        )
    # Beyond 2^53 a double no longer tells whole numbers apart.
    if (
        labels.dtype.kind not in "iuf"
        or not ((np.abs(labels.astype(np.float64)) <= 2.0**53) & (labels == np.rint(labels))).all()
    ):
        raise ValueError(f"{path}: labels are {labels.dtype}, expected whole numbers; {mend}")
    # The array of an .npy holds rows already, and stays on disk.
    in_place = is_array(path) and features.dtype == np.float32 and features.flags.c_contiguous
    rows = np.asarray(features) if in_place else transposed(features.T)
    if not np.isfinite([rows.min(), rows.max()]).all():  # NaN is the minimum of its array
        raise ValueError(f"{path}: features hold infinite or undefined numbers; {mend}")
    kinds = {name: (content[name].dtype.kind, content[name].size) for name in texts}
    if set(kinds.values()) != {("U", 1)}:
        raise ValueError(f"{path}: {', '.join(texts)} must be texts; {mend}")
    described = {name: str(content[name].item()) for name in texts}
    width = BACKBONES.get(described["backbone"], rows.shape[1])
    if rows.shape[1] != width:
        raise ValueError(
            f"{path}: features have {rows.shape[1]} columns, but {described['backbone']} gives "
            f"{width}; {mend}"
        )
    return Features(rows, labels.ravel().astype(np.int64), **described)


def _read_mat(path: Path) -> dict[str, Any]:
    """Return the variables of a MATLAB file by their names."""
    try:
        # The features of our own files are not read into an array of columns first.
        features = map_features(path)
        names = None if features is None else [field.name for field in fields(Features)][1:]
        content: dict[str, Any] = scipy.io.loadmat(path, appendmat=False, variable_names=names)
    except Exception as error:  # a foreign file fails in many ways inside scipy
        raise ValueError(
            f"{path} is not a MATLAB 5 file ({error}); make it again with hw3.features.extract"
        ) from error
    return content if features is None else {**content, "features": features}


def _read_array(path: Path) -> dict[str, Any]:
    """Return the same of a NumPy array and the MATLAB file that belongs to it."""
    beside = labels_beside(path)
    mend = "make it again with hw3.features.extract"
    if not beside.is_file():
        raise FileNotFoundError(f"{path} lacks its labels, {beside}; {mend}")
    content = _read_mat(beside)
    try:
        content["features"] = open_array(path)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is not a NumPy array ({error}); {mend}") from error
    return content
