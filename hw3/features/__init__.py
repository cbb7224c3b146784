"""Question 1: from images to the features of a network, kept in a MATLAB file.

``python -m hw3.features`` imports this package before the first line of its own, after which Ctrl-C
is no traceback. So nothing here imports PyTorch, which takes seconds, before a name is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    """Import what defines a public name, when the name is first used."""
    if name in __all__:
        for module in ("extraction", "extractor", "feature_file", "pipeline"):
            content = vars(import_module(f"hw3.features.{module}"))
            if name in content:
                globals()[name] = content[name]
                return content[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
