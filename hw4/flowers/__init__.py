"""Coding part 1: flowers, from the files on disk to the comparison of three trainings."""

from hw4.flowers.dataset import (
    SPLITS,
    FlowerDataset,
)
from hw4.flowers.evaluation import (
    Measured,
    Predictions,
    evaluate,
    predict,
)
from hw4.flowers.experiment import (
    MODE_NAMES,
    ModeResult,
    chosen_rate,
    search_modes,
    train_modes,
)
from hw4.flowers.files import (
    PARTS,
    read_labels,
    read_official_split,
)
from hw4.flowers.frozen_inputs import (
    FrozenInputs,
)
from hw4.flowers.history import (
    History,
)
from hw4.flowers.images import (
    load_image,
)
from hw4.flowers.learning_rate_search import (
    LearningRateSearch,
    search_learning_rate,
)
from hw4.flowers.networks import (
    MODES,
    StagedNetwork,
    build_network,
)
from hw4.flowers.processes import (
    current_processes,
)
from hw4.flowers.sets import (
    FlowerSets,
    load_flowers,
)
from hw4.flowers.settings import (
    PRECISIONS,
    SCHEDULES,
    TrainingSettings,
    choose_precision,
)
from hw4.flowers.splits import (
    homework_split,
)
from hw4.flowers.training import (
    Training,
    TrainingRun,
    train_model,
)
from hw4.flowers.transforms import (
    HALF,
    IMAGENET,
    EvaluationTransform,
    Normalisation,
    TrainingTransform,
    unnormalise,
)

__all__ = [
    "HALF",
    "IMAGENET",
    "MODES",
    "MODE_NAMES",
    "PARTS",
    "PRECISIONS",
    "SCHEDULES",
    "SPLITS",
    "EvaluationTransform",
    "FlowerDataset",
    "FlowerSets",
    "FrozenInputs",
    "History",
    "LearningRateSearch",
    "Measured",
    "ModeResult",
    "Normalisation",
    "Predictions",
    "StagedNetwork",
    "Training",
    "TrainingRun",
    "TrainingSettings",
    "TrainingTransform",
    "build_network",
    "choose_precision",
    "chosen_rate",
    "current_processes",
    "evaluate",
    "homework_split",
    "load_flowers",
    "load_image",
    "predict",
    "read_labels",
    "read_official_split",
    "search_learning_rate",
    "search_modes",
    "train_model",
    "train_modes",
    "unnormalise",
]
