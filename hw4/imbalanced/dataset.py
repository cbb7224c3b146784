"""The imbalanced samples as a data set."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from hw4.imbalanced.sample_file import from_text

MODES = ("train", "test")


class ImbalancedDataset(Dataset[dict[str, torch.Tensor]]):
    """The samples of the training or of the test file.

    An item is a dictionary with ``data``, shape (2,), float32, and ``label``, 0 or 1, int64. A list
    of indices gives the same with a first axis for the samples, which is how `train` asks for a
    whole batch at once; a `torch.utils.data.DataLoader` works too.

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
        If the mode is neither of the two, or the file is not right; see `from_text`.
    """

    def __init__(
        self,
        root: Path | str,
        mode: str = "train",
        files: Sequence[str] = ("samplestr.txt", "sampleste.txt"),
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}, expected 'train' or 'test'")
        if len(files) != 2 or isinstance(files, str):
            raise ValueError(f"files is {files!r}, expected the training file and the test file")
        samples = from_text(Path(root) / files[MODES.index(mode)])
        self.data = torch.tensor(samples.data, dtype=torch.float32)
        self.labels = torch.tensor(samples.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int | list[int] | torch.Tensor) -> dict[str, torch.Tensor]:
        return {"data": self.data[index], "label": self.labels[index]}
