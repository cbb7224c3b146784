"""Question 1: from images to the features of a network, kept in a MATLAB file."""

from hw3.features.extraction import compute_features, extract, pixels, run_rows
from hw3.features.extractor import Extractor, build_extractor
from hw3.features.feature_file import Features, load_features, save_features
from hw3.features.pipeline import Pipeline, Preprocessing

__all__ = [
    "Extractor",
    "Features",
    "Pipeline",
    "Preprocessing",
    "build_extractor",
    "compute_features",
    "extract",
    "load_features",
    "pixels",
    "run_rows",
    "save_features",
]
