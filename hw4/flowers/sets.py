"""The three parts of the flowers as a network expects them, downloaded if they are not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursework.backbones import BACKBONES
from coursework.data import fetch_flowers, sources
from hw4.flowers.dataset import FlowerDataset
from hw4.flowers.files import PARTS
from hw4.flowers.transforms import Normalisation


@dataclass(frozen=True, eq=False)
class FlowerSets:
    """The parts of one split.

    Attributes
    ----------
    train
        What is learned from; augmented.
    val
        What every choice is made with: the learning rate and the epoch.
    test
        What is measured at the end and chooses nothing.
    """

    train: FlowerDataset
    val: FlowerDataset
    test: FlowerDataset

    def __iter__(self) -> Iterator[FlowerDataset]:
        """Yield train, val and test."""
        yield from (self.train, self.val, self.test)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.class_names


def load_flowers(
    root: Path | str,
    split: str,
    backbone: str,
    image_size: int,
    *,
    seed: int = 0,
    download: bool = False,
) -> FlowerSets:
    """Open all parts of the flowers for one network.

    Parameters
    ----------
    root, split, image_size, seed
        As `hw4.flowers.FlowerDataset` takes them.
    backbone
        A name in `coursework.backbones.BACKBONES`: images are normalised as its weights expect.
    download
        If files are missing, fetch Oxford's flowers into ``root``, verified, unless some of
        somebody else's are there. What is there is read as it is.

    Raises
    ------
    FileNotFoundError
        If files are missing and not to be downloaded, or flowers other than Oxford's are there.
    coursework.data.FetchError
        If they cannot be downloaded.
    ValueError
        If there is no such backbone, or as `hw4.flowers.FlowerDataset` raises it.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")
    normalisation = Normalisation(BACKBONES[backbone].mean, BACKBONES[backbone].std)

    def load() -> FlowerSets:
        return FlowerSets(
            *(
                FlowerDataset(
                    root,
                    mode,
                    split,
                    image_size=image_size,
                    normalisation=normalisation,
                    seed=seed,
                )
                for mode in PARTS
            )
        )

    try:
        return load()
    except FileNotFoundError:
        if not download or not _may_be_filled(Path(root)):
            raise
    fetch_flowers(Path(root))
    return load()


def _may_be_filled(folder: Path) -> bool:
    """Return whether a folder holds no flowers yet, or a download of Oxford's that was stopped.

    Flowers of somebody else's, of which a file is missing, are not replaced by Oxford's: those are
    known by their archive, whole or in part, or by the checksums of their label files.
    """
    *labels, archive = sources.FLOWERS
    if any(folder.glob(f"{archive.name}*")):
        return True
    if there := [source for source in labels if source.find(folder)]:
        return all(source.find_intact(folder) for source in there)
    return not (folder / "jpg").exists()
