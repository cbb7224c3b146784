"""Coding part 1: flowers, from the files on disk to the comparison of three trainings."""

from hw4.flowers.dataset import FlowerDataset, FlowerSets, load_flowers
from hw4.flowers.evaluation import Predictions, evaluate, predict
from hw4.flowers.experiment import (
    MODE_NAMES,
    ModeResult,
    Search,
    chosen_rate,
    give_up,
    search_modes,
    train_modes,
    try_rate,
)
from hw4.flowers.files import PARTS
from hw4.flowers.networks import MODES, StagedNetwork, assemble_network, build_network
from hw4.flowers.training import History, TrainingRun, TrainingSettings, train_model
from hw4.flowers.transforms import EvaluationTransform, TrainingTransform, unnormalise

__all__ = [
    "MODES",
    "MODE_NAMES",
    "PARTS",
    "EvaluationTransform",
    "FlowerDataset",
    "FlowerSets",
    "History",
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
    "evaluate",
    "give_up",
    "load_flowers",
    "predict",
    "search_modes",
    "train_model",
    "train_modes",
    "try_rate",
    "unnormalise",
]
