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
    total: int | None = None,
    initial: int = 0,
    unit_scale: bool = False,
    show: bool = True,
) -> "tqdm[Any]":
    """Return a text progress bar over ``items``, or one to be moved by ``update``.

    The bar is text, because a widget leaves nothing in an exported notebook. It goes to standard
    output, because notebooks paint standard error as if something were wrong. ``initial`` is what
    an earlier run has done already; ``unit_scale`` writes 3.2M for 3,200,000.
    """
    return tqdm(
        items,
        desc=description,
        unit=unit,
        total=total,
        initial=initial,
        unit_scale=unit_scale,
        disable=not show,
        file=sys.stdout,
        ncols=90,
        mininterval=0.5,
    )
