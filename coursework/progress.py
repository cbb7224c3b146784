"""Progress bars that read well in a terminal, in JupyterLab and in the exported PDF."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(
    items: Iterable[Any] | None = None,
    *,
    description: str,
    unit: str,
    show: bool = True,
    **options: Any,
) -> "tqdm[Any]":
    """Return a text progress bar over ``items``, or one to be moved by ``update``.

    The bar is text, because a widget leaves nothing in an exported notebook. It goes to standard
    output, because notebooks paint standard error as if something were wrong. Further ``options``
    are those of tqdm.
    """
    return tqdm(
        items,
        desc=description,
        unit=unit,
        disable=not show,
        file=sys.stdout,
        ncols=90,
        mininterval=0.5,
        **options,
    )
