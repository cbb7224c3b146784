"""Question 1: from images to the features of a network, kept in a MATLAB file."""

from hw3.features.extraction import (
    compute_features,
    extract,
    pixels,
)
from hw3.features.extractor import (
    BACKBONES,
    Extractor,
    build_extractor,
)
from hw3.features.feature_file import (
    Features,
    load_features,
    save_features,
)
from hw3.features.pipeline import (
    Pipeline,
    Preprocessing,
    build_pipeline,
)
from hw3.features.processes import (
    process_group,
)
from hw3.features.sharing import (
    extract_together,
)

__all__ = [
    "BACKBONES",
    "Extractor",
    "Features",
    "Pipeline",
    "Preprocessing",
    "build_extractor",
    "build_pipeline",
    "compute_features",
    "extract",
    "extract_together",
    "load_features",
    "pixels",
    "process_group",
    "save_features",
]
