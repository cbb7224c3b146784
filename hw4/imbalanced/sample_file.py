"""Text files of labelled points: one row ``x1 x2 label`` a sample, separated by blanks."""

import io
import math
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt


class Samples(NamedTuple):
    """What a file holds: points, shape (m, 2), float64, and labels 0 or 1, shape (m,), int64."""

    data: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]


def from_text(path: Path | str) -> Samples:
    """Read a file of rows ``x1 x2 label``.

    Numbers are separated by blanks or tabs; there is no header. Line ends of Unix and Windows are
    read alike, and lines without a character, such as those at the end, are skipped.

    Parameters
    ----------
    path
        The file, UTF-8 or ASCII.

    Returns
    -------
    Samples
        In the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, a row does not hold three finite numbers, a label is neither 0 nor 1,
        or all labels are the same. The message names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file, expected rows of 'x1 x2 label'; data/make_imbalanced.py "
            "writes a pair of them"
        )
    try:
        # utf-8-sig drops the mark that Windows editors put first; \r\n and \r become \n.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: not UTF-8 text; save the file as plain text"
        ) from error
    if not text.strip():
        raise ValueError(f"{path}: the file is empty, expected rows of 'x1 x2 label'")
    try:
        table = np.loadtxt(io.StringIO(text), comments=None, ndmin=2)
    except ValueError as error:
        _explain(path, text, str(error))
    labels = table[:, -1]
    # In one expression for speed; where it fails, the lines are looked at one by one.
    if table.shape[1] != 3 or not (np.isfinite(table).all() and np.isin(labels, (0, 1)).all()):
        _explain(path, text, f"the table has the shape {table.shape}")
    if (labels == labels[0]).all():
        last = text.rstrip().count("\n") + 1
        raise ValueError(
            f"{path}, lines 1 to {last}: every label is {labels[0]:.0f}; "
            "expected samples of both classes, 0 and 1"
        )
    return Samples(table[:, :2].copy(), labels.astype(np.int64))


def _explain(path: Path, text: str, reason: str) -> NoReturn:
    """Raise a ValueError that names the first line of ``text`` that is not right."""
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if not fields:
            continue
        where = f"{path}, line {number}: found {line.strip()[:60]!r}"
        if len(fields) != 3:
            raise ValueError(f"{where}, {len(fields)} columns; expected three, 'x1 x2 label'")
        try:
            values = [_number(field) for field in fields]
        except ValueError:
            raise ValueError(f"{where}, not three numbers; expected 'x1 x2 label'") from None
        if not all(map(math.isfinite, values)):
            raise ValueError(f"{where}; expected finite numbers, mend or drop the row")
        if values[2] not in (0, 1):
            raise ValueError(f"{where}; expected the label 0 or 1 in the third column")
    raise ValueError(f"{path}: cannot be read as rows of 'x1 x2 label': {reason}")


def _number(field: str) -> float:
    """Read a number as NumPy does, without the underscores and foreign digits of Python's."""
    if "_" in field or not field.isascii():
        raise ValueError
    return float(field)
