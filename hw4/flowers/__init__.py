"""Coding part 1: flowers, from the files on disk to the comparison of three trainings."""

from hw4.flowers.dataset import FlowerDataset, FlowerSets, load_flowers
from hw4.flowers.evaluation import Measured, Predictions, evaluate, predict
from hw4.flowers.experiment import (
    MODE_NAMES,
    ModeResult,
    Search,
    chosen_rate,
    search_modes,
    train_modes,
    try_rate,
)
from hw4.flowers.files import (
    OXFORD_NAMES,
    PARTS,
    SPLITS,
    homework_split,
    read_labels,
    read_official_split,
)
from hw4.flowers.images import load_image
from hw4.flowers.inputs import FrozenInputs, epoch_batches
from hw4.flowers.networks import MODES, StagedNetwork, assemble_network, build_network
from hw4.flowers.processes import current_processes
from hw4.flowers.together import finish_together
from hw4.flowers.training import (
    SCHEDULES,
    TRAINING_PRECISIONS,
    History,
    TrainingRun,
    TrainingSettings,
    train_model,
)
from hw4.flowers.transforms import (
    EvaluationTransform,
    TrainingTransform,
    random_box,
    unnormalise,
)

__all__ = [
    "MODES",
    "MODE_NAMES",
    "OXFORD_NAMES",
    "PARTS",
    "SCHEDULES",
    "SPLITS",
    "TRAINING_PRECISIONS",
    "EvaluationTransform",
    "FlowerDataset",
    "FlowerSets",
    "FrozenInputs",
    "History",
    "Measured",
    "ModeResult",
    "Predictions",
    "Search",
    "StagedNetwork",
    "TrainingRun",
    "TrainingSettings",
    "TrainingTransform",
    "assemble_network",
    "build_network",
    "chosen_rate",
    "current_processes",
    "epoch_batches",
    "evaluate",
    "finish_together",
    "homework_split",
    "load_flowers",
    "load_image",
    "predict",
    "random_box",
    "read_labels",
    "read_official_split",
    "search_modes",
    "train_model",
    "train_modes",
    "try_rate",
    "unnormalise",
]
