"""The imbalanced samples: text files with one row ``x1 x2 label`` a sample, and the data set."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

PARTS = ("train", "test")


class ImbalancedDataset(Dataset[dict[str, torch.Tensor]]):
    """The samples of the training or of the test file.

    An item is a dictionary with ``data``, shape (2,), float32, and ``label``, 0 or 1, int64. A list
    of indices gives a whole batch: the same dictionary, with a first axis for the samples.

    Parameters
    ----------
    root
        The folder with the two files.
    mode
        ``"train"`` or ``"test"``.
    files
        The names of the training file and of the test file within ``root``, or their full paths.

    Attributes
    ----------
    data, labels
        All samples, shape (m, 2) and (m,), in the order of the file.

    Raises
    ------
    FileNotFoundError, ValueError
        If the mode is neither of the two, or the file is not right; see `read_samples`.
    """

    def __init__(
        self,
        root: Path | str,
        mode: str = "train",
        files: Sequence[str] = ("samplestr.txt", "sampleste.txt"),
    ) -> None:
        if mode not in PARTS:
            raise ValueError(f"mode is {mode!r}, expected 'train' or 'test'")
        if len(files) != 2 or isinstance(files, str):
            raise ValueError(f"files is {files!r}, expected the training file and the test file")
        path = Path(root) / files[PARTS.index(mode)]
        data, labels = read_samples(path)
        self.data = torch.tensor(data, dtype=torch.float32)
        if not self.data.isfinite().all():
            largest = np.abs(data).max()
            raise ValueError(f"{path} holds {largest:g}, which is too large for float32; scale it")
        self.labels = torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int | list[int]) -> dict[str, torch.Tensor]:
        return {"data": self.data[index], "label": self.labels[index]}


def read_samples(path: Path | str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Read a text file of rows ``x1 x2 label``.

    Numbers are separated by blanks or tabs, and there is no header. Line ends of Unix and Windows
    are read alike, and empty lines are skipped.

    Parameters
    ----------
    path
        The file, UTF-8 or ASCII.

    Returns
    -------
    tuple
        The points, shape (m, 2), and their labels 0 or 1, shape (m,), in the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a row does not hold three finite numbers, a label is neither 0 nor 1, or the file does
        not hold both labels. The message names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file, expected rows of 'x1 x2 label'; data/make_imbalanced.py "
            "writes a pair of them"
        )
    try:
        # utf-8-sig drops the byte-order mark that Windows editors put first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 text at byte {error.start}; save the file as plain text"
        ) from error
    rows = [
        _row(line, path, number)
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    labels = np.array([label for _, _, label in rows], np.int64)
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"{path}: found {len(rows)} rows with the labels {np.unique(labels).tolist()}, "
            "expected rows of 'x1 x2 label' with both labels, 0 and 1"
        )
    return np.array([point for *point, _ in rows]), labels


def _row(line: str, path: Path, number: int) -> list[float]:
    """Return the three numbers of a line, or raise a ValueError that names the line."""
    fields = line.split()
    try:
        x1, x2, label = map(float, fields)
        if math.isfinite(x1) and math.isfinite(x2) and label in (0, 1):
            return [x1, x2, label]
        problem = "expected finite numbers, and 0 or 1 in the third column"
    except ValueError:
        problem = f"{len(fields)} columns; expected three numbers, 'x1 x2 label'"
    raise ValueError(f"{path}, line {number}: found {line.strip()[:60]!r}; {problem}")
