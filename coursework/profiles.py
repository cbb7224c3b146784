"""Everything that differs between a quick run on embedded data and the homework as set."""

import dataclasses
import difflib
import math
import os
import reprlib
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the project, which holds ``data/`` and ``notebooks/``."""

DOWNLOADS = ROOT / "data" / "downloads"
"""Where downloads lie unless ``COURSEWORK_DATA`` names another folder (see `data_root`)."""

BUILD = ROOT / "build"
"""Where results are written unless ``build_root`` names another folder."""


class OutsideProjectError(FileNotFoundError):
    """The packages are installed without the project, which is needed here."""


def require_project() -> None:
    """Raise unless the packages lie in the project's folder, beside its data and notebooks.

    Raises
    ------
    OutsideProjectError
        If they were installed from a wheel. `ROOT` is then a folder of Python's own, where nothing
        of the project is found and nothing may be written.
    """
    if not ((ROOT / "pyproject.toml").is_file() and (ROOT / "notebooks").is_dir()):
        raise OutsideProjectError(
            f"the packages in {ROOT} are installed without the project's notebooks and data; "
            "clone the project and run `make submission` in its folder"
        )


@dataclass(frozen=True)
class Profile:
    """The sizes, paths and choices of one run.

    Attributes
    ----------
    name
        ``"embedded"`` or ``"full"``.
    seed
        The seed of all random generators.
    device
        A PyTorch device name, or ``"auto"``.
    build_root
        Where results are written.
    mnist_root
        The folder with MNIST's four IDX files.
    mnist_download
        Whether missing files are fetched into ``mnist_root``.
    feature_backbone, feature_weights
        The network of HW3, as `hw3.features.build_extractor` takes them.
    feature_image_size
        Side in pixels to which digits are resized; ``None`` keeps their 28.
    feature_batch_size
        Number of images that go through the network together.
    feature_precision
        The type that the network computes in, as `coursework.runtime.choose_precision` takes it.
    softmax_epochs, softmax_learning_rate, softmax_batch_size, softmax_tolerance
        The training of HW3, question 2.
    sweep_learning_rates, sweep_batch_sizes
        The values tried in HW3, question 2, "modify and see the change in performance".
    roc_category
        The digit of HW3, question 3, that is told from all others.
    flowers_root
        The folder of HW4's flowers, in Oxford's layout (see `hw4.flowers.files`).
    flowers_download
        Whether missing files are fetched into ``flowers_root``.
    flowers_split
        ``"official"``, or ``"homework"`` for the stratified 70/15/15.
    flowers_backbone, flowers_weights
        The network of HW4, coding part 1, as `hw4.flowers.build_network` takes them.
    flowers_precision
        The type that it is trained in, as `hw4.flowers.TrainingSettings` takes it.
    flowers_image_size
        Side in pixels of the images that the network sees.
    flowers_learning_rates, flowers_search_epochs
        The learning rates tried in each of the three modes, and the epochs that each try takes
        unless it is given up.
    flowers_epochs, flowers_batch_size, flowers_schedule
        The training of each mode, as `hw4.flowers.TrainingSettings` takes them; the search has the
        same batch size and schedule.
    flowers_checkpoints
        The folder where each epoch of a training is kept, so that a training that was stopped can
        go on; ``None`` keeps nothing.
    imbalanced_root, imbalanced_files
        The folder of HW4's imbalanced samples, and the training and the test file: their names in
        that folder, or full paths.
    imbalanced_epochs, imbalanced_learning_rate, imbalanced_batch_size
        The training of HW4, coding part 2.
    imbalanced_positive_weight
        The weight of a positive sample in the weighted accuracy; a negative weighs 1.
    """

    name: str
    mnist_root: Path
    mnist_download: bool
    feature_backbone: str
    feature_image_size: int | None
    flowers_root: Path
    flowers_download: bool
    flowers_split: str
    flowers_backbone: str
    flowers_image_size: int
    flowers_checkpoints: Path | None
    seed: int = 2026
    device: str = "auto"
    build_root: Path = BUILD
    feature_weights: str | None = "imagenet"
    feature_batch_size: int = 250
    feature_precision: str = "fp32"
    softmax_epochs: int = 100
    softmax_learning_rate: float = 0.01
    softmax_batch_size: int = 512
    softmax_tolerance: float = 1e-10
    sweep_learning_rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    sweep_batch_sizes: tuple[int, ...] = (32, 128, 512, 2048)
    roc_category: int = 9
    flowers_weights: str = "imagenet"
    flowers_epochs: int = 10
    flowers_batch_size: int = 32
    flowers_precision: str = "auto"
    flowers_schedule: str = "cosine"
    flowers_search_epochs: int = 2
    flowers_learning_rates: tuple[float, ...] = (0.002, 0.006, 0.02)
    imbalanced_root: Path = ROOT / "data" / "imbalanced"
    imbalanced_files: tuple[str, ...] = ("samplestr.txt", "sampleste.txt")
    imbalanced_epochs: int = 30
    imbalanced_learning_rate: float = 0.1
    imbalanced_batch_size: int = 128
    imbalanced_positive_weight: float = 2.0

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            numbers = value if isinstance(value, tuple) else (value,)
            if not numbers:
                raise ValueError(f"{field} is empty, expected one value or more")
            for number in numbers:
                if type(number) not in (int, float):
                    continue
                may_be_zero = field in ("seed", "softmax_tolerance", "roc_category")
                large_enough = number > 0 or (number == 0 and may_be_zero)
                if not (large_enough and math.isfinite(number)):
                    raise ValueError(f"{field} is {number}, expected a positive number")
        if self.roc_category > 9:
            raise ValueError(f"roc_category is {self.roc_category}, expected a digit, 0 to 9")


PATH_FIELDS = frozenset(
    field.name
    for field in dataclasses.fields(Profile)
    if Path in (field.type, *typing.get_args(field.type)) or field.name.endswith("_weights")
)
"""The fields that name a file or folder; a field of weights may also hold a word."""

PROFILES: dict[str, Profile] = {
    # Committed digits and drawings, weights from a pip package: needs no network, takes minutes.
    # All is computed in float32, so that the figures owe little to the processor.
    "embedded": Profile(
        name="embedded",
        mnist_root=ROOT / "data" / "mnist",
        mnist_download=False,
        feature_backbone="efficientnet_lite0",
        feature_image_size=64,
        flowers_root=ROOT / "data" / "flowers",
        flowers_download=False,
        flowers_split="official",
        flowers_backbone="efficientnet_lite0",
        flowers_image_size=80,
        flowers_batch_size=16,
        flowers_precision="fp32",
        flowers_learning_rates=(0.003, 0.01, 0.03),
        flowers_checkpoints=None,
    ),
    # The homework as set: all 70,000 digits through an ImageNet ResNet-50 at 28 x 28 pixels, and
    # Oxford's 8,189 flowers for ResNet-18. Training on them takes hours, so each epoch is kept.
    "full": Profile(
        name="full",
        mnist_root=DOWNLOADS / "mnist",
        mnist_download=True,
        feature_backbone="resnet50",
        feature_image_size=None,
        flowers_root=DOWNLOADS / "flowers",
        flowers_download=True,
        flowers_split="homework",
        flowers_backbone="resnet18",
        flowers_image_size=224,
        flowers_checkpoints=BUILD / "flowers_checkpoints",
    ),
}


def data_root() -> Path:
    """Return the folder of everything that is downloaded: data sets and weights.

    The environment variable ``COURSEWORK_DATA`` may name it: a folder on a large disk, or one for
    a whole class. Otherwise it is ``data/downloads``.

    Raises
    ------
    ValueError
        If the variable holds no full path. A notebook runs in another folder than the command
        that starts it, so a relative path would name two places.
    OutsideProjectError
        If there is neither the variable nor the project.
    """
    named = os.environ.get("COURSEWORK_DATA")
    if not named:
        require_project()
        return DOWNLOADS
    root = Path(named).expanduser()
    if not root.is_absolute():
        raise ValueError(f"COURSEWORK_DATA is {named!r}, expected a full path such as /data/mine")
    return root


def get_profile(name: str = "embedded", /, **overrides: Any) -> Profile:
    """Return a profile by name, with single fields replaced.

    Folders of a profile that lie below `DOWNLOADS` are moved below `data_root`, and those below
    `BUILD` below ``build_root``.

    Parameters
    ----------
    name
        ``"embedded"`` or ``"full"``.
    **overrides
        New values for fields of `Profile`, as a command line or JSON can hold them: text for a
        path, a list for a tuple, a whole number for a float.

    Raises
    ------
    ValueError
        If the profile or a field does not exist, a value does not fit its field, or `data_root`
        finds no full path.
    OutsideProjectError
        If there is no project, whose data and folders the profiles name.

    Examples
    --------
    >>> get_profile("embedded", softmax_epochs=5).softmax_epochs
    5
    """
    require_project()
    if name not in PROFILES:
        raise ValueError(f"no profile {name!r}; there are {', '.join(PROFILES)}")
    field_types = typing.get_type_hints(Profile)
    changes: dict[str, Any] = {}
    for folder, root in ((DOWNLOADS, data_root()), (BUILD, overrides.get("build_root", BUILD))):
        for field, value in vars(PROFILES[name]).items():
            if isinstance(value, Path) and value.is_relative_to(folder):
                # A root that is no path is refused below.
                changes[field] = Path(str(root), value.relative_to(folder))
    for field, value in overrides.items():
        if field not in field_types or field == "name":
            close = difflib.get_close_matches(field, field_types, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(field_types)}"
            raise ValueError(f"a profile has no field {field!r} to override; {hint}")
        try:
            changes[field] = _fit(value, field_types[field])
        except (TypeError, ValueError) as error:
            kind = getattr(field_types[field], "__name__", None) or str(field_types[field])
            shown = reprlib.repr(value)  # at most a line of a value that is nested deeply
            raise ValueError(f"{field} = {shown} does not fit: it is of type {kind}") from error
    return dataclasses.replace(PROFILES[name], **changes)


def _fit(value: Any, kind: Any) -> Any:
    """Return a value as the type of its field, or raise TypeError."""
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        # The union is X | None: None stays None, and anything else has to fit X.
        return None if value is None else _fit(value, arguments[0])
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise TypeError
        return tuple(_fit(item, arguments[0]) for item in value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and isinstance(value, str) and value:  # an empty one would be this folder
        return Path(value)
    # For Python, True is a whole number.
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise TypeError
    return value
