"""What can be downloaded, and how: MNIST, the Oxford flowers, ImageNet weights."""

from coursework.data.download import FetchOptions
from coursework.data.fetching import (
    FetchError,
    fetch,
    fetch_files,
    fetch_flowers,
    table,
    weights_file,
)
from coursework.data.sources import GROUPS

__all__ = [
    "GROUPS",
    "FetchError",
    "FetchOptions",
    "fetch",
    "fetch_files",
    "fetch_flowers",
    "table",
    "weights_file",
]
