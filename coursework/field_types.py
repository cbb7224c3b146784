"""From what a command line or JSON can hold to the type of a field."""

import types
import typing
from pathlib import Path
from typing import Any


def fit(value: Any, kind: Any) -> Any:
    """Turn a value into the type that a field is annotated with; no text becomes a number.

    Parameters
    ----------
    value
        Text, a number, a list: what a command line or JSON can hold.
    kind
        A class, ``X | None`` or ``tuple[X, ...]``.

    Returns
    -------
    Any
        A ``Path`` for text, a tuple for a list, a float for a whole number, as ``kind`` asks; any
        other value as it is.

    Raises
    ------
    TypeError
        If it does not fit.

    Examples
    --------
    >>> fit([1, 0.5], tuple[float, ...])
    (1.0, 0.5)
    """
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        # Optional fields: None stays None, anything else has to fit the other type.
        if value is None:
            return None
        return fit(value, next(argument for argument in arguments if argument is not type(None)))
    if typing.get_origin(kind) is tuple:
        if isinstance(value, str):
            raise TypeError
        return tuple(fit(item, arguments[0]) for item in value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise TypeError
    return value
