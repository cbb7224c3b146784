"""What a notebook shows besides figures and tables."""

import inspect
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown


def show_source(*functions: Callable[..., Any]) -> Markdown:
    """Show the source of functions or classes, so that the hand-in holds what it calls.

    Parameters
    ----------
    *functions
        Anything whose source ``inspect`` finds.

    Returns
    -------
    IPython.display.Markdown
        One block of Python, in the order given.
    """
    source = "\n\n".join(inspect.getsource(function).rstrip() for function in functions)
    return Markdown(f"~~~~python\n{source}\n~~~~")
