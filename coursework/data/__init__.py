"""What can be downloaded, and how: MNIST, the Oxford flowers, ImageNet weights."""

from coursework.data.fetch_files import (
    Manner,
    fetch_files,
)
from coursework.data.fetch_report import (
    FetchError,
    table,
)
from coursework.data.fetching import (
    fetch,
    fetch_flowers,
    weights_file,
)
from coursework.data.mirror import (
    Patience,
)
from coursework.data.sources import (
    GROUPS,
)

__all__ = [
    "GROUPS",
    "FetchError",
    "Manner",
    "Patience",
    "fetch",
    "fetch_files",
    "fetch_flowers",
    "table",
    "weights_file",
]
