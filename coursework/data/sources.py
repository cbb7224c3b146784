"""The table of files that can be downloaded: where each is served, its size and its checksum."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursework.storage import checksum


@dataclass(frozen=True)
class Source:
    """One file that can be downloaded.

    Attributes
    ----------
    name
        The name of the file.
    urls
        Where it is served, in the order in which the mirrors are tried.
    size
        Its length in bytes.
    checksum
        The checksum of the file: the algorithm, a colon and hexadecimal digits, as in
        ``"md5:f68b3c2d..."``.
    content_checksum
        The checksum of what a gzipped file unpacks to, in the same form. A copy that somebody
        unpacked, or packed again with another compression, is then as good as the file itself.
    also_at
        Other paths where the file may lie: relative to the folder of the file, or absolute.
    unpacked_size
        How many bytes more are written when the file is unpacked.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    checksum: str
    content_checksum: str | None = None
    also_at: tuple[str, ...] = ()
    unpacked_size: int = 0

    def find(self, folder: Path) -> Path | None:
        """Return the path of the first copy in a folder, intact or not, or ``None``."""
        return next(self._copies(folder), None)

    def find_intact(self, folder: Path) -> Path | None:
        """Return the path of the first copy in a folder that is intact, or ``None``."""
        return next((path for path in self._copies(folder) if self.is_intact(path)), None)

    def is_intact(self, path: Path) -> bool:
        """Return whether a file has the right checksum, or unpacks to content that has it."""
        if path.stat().st_size == self.size and self.checksum_of(path) == self.checksum:
            return True
        return self.content_checksum is not None and self._has_right_content(path)

    def checksum_of(self, path: Path) -> str:
        """Return the checksum of a file, with the algorithm and in the form of ``checksum``."""
        algorithm = self.checksum.partition(":")[0]
        with open(path, "rb") as file:
            return f"{algorithm}:{checksum(file, algorithm)}"

    def _copies(self, folder: Path) -> Iterator[Path]:
        paths = (folder / name for name in (self.name, *self.also_at))
        return (path for path in paths if path.is_file())

    def _has_right_content(self, path: Path) -> bool:
        algorithm, _, expected = str(self.content_checksum).partition(":")
        with open(path, "rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            try:
                content: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if is_packed else file
                return checksum(content, algorithm) == expected
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return False


def _mnist(name: str, size: int, md5: str, unpacked_md5: str) -> Source:
    packed = f"{name}.gz"
    return Source(
        name=packed,
        urls=(
            f"https://ossci-datasets.s3.amazonaws.com/mnist/{packed}",
            f"https://storage.googleapis.com/cvdf-datasets/mnist/{packed}",
            f"http://yann.lecun.com/exdb/mnist/{packed}",
        ),
        size=size,
        checksum=f"md5:{md5}",
        content_checksum=f"md5:{unpacked_md5}",
        also_at=tuple(_other_places(name)),
    )


def _other_places(name: str) -> Iterator[str]:
    """Yield where else a file of MNIST may lie.

    Somebody unpacked it, or let torchvision download it; some unpackers make a folder of its name,
    or write a dot before ``idx``; a browser adds a number to a name that was there already.
    """
    spellings = (name, name.replace("-idx", ".idx"))
    for folder in ("", "MNIST/raw/", "raw/", *(f"{spelling}/" for spelling in spellings)):
        for ending in (".gz", "", " (1).gz", "(1).gz", " (1)", "(1)"):
            for spelling in spellings:
                yield f"{folder}{spelling}{ending}"


def _flowers(name: str, size: int, md5: str, unpacked_size: int = 0) -> Source:
    urls = (
        f"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/{name}",
        f"https://thor.robots.ox.ac.uk/flowers/102/{name}",
    )
    return Source(name, urls, size, f"md5:{md5}", unpacked_size=unpacked_size)


def _weights(name: str, size: int, sha256: str) -> Source:
    urls = (
        f"https://download.pytorch.org/models/{name}",
        f"https://download-r2.pytorch.org/models/{name}",
    )
    return Source(name, urls, size, f"sha256:{sha256}")


MNIST = (
    _mnist(
        "train-images-idx3-ubyte",
        9_912_422,
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "6bbc9ace898e44ae57da46a324031adb",
    ),
    _mnist(
        "train-labels-idx1-ubyte",
        28_881,
        "d53e105ee54ea40749a09fcbcd1e9432",
        "a25bea736e30d166cdddb491f175f624",
    ),
    _mnist(
        "t10k-images-idx3-ubyte",
        1_648_877,
        "9fb629c4189551a2d022fa330f9573f3",
        "2646ac647ad5339dbf082846283269ea",
    ),
    _mnist(
        "t10k-labels-idx1-ubyte",
        4_542,
        "ec29112dd5afa0611ce80d1b7f02629c",
        "27ae3e4e09519cfbb04c329615203637",
    ),
)
"""LeCun, Cortes and Burges, *The MNIST database of handwritten digits*."""

FLOWERS = (
    _flowers("imagelabels.mat", 502, "e0620be6f572b9609742df49c70aed4d"),
    _flowers("setid.mat", 14_989, "a5357ecc9cb78c4bef273ce3793fc85c"),
    _flowers(
        "102flowers.tgz",
        344_862_509,
        "52808999861908f626f3c1f4e79d11fa",
        # JPEG files are compressed already, so they take about the room of their archive.
        unpacked_size=344_862_509,
    ),
)
"""Nilsback and Zisserman, *Automated Flower Classification over a Large Number of Classes*."""

PHOTOGRAPHS = 8189
"""How many photographs the flowers' archive holds: ``jpg/image_00001.jpg`` and on."""

WEIGHTS = {
    "resnet18": _weights(
        "resnet18-f37072fd.pth",
        46_830_571,
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    ),
    "resnet50": _weights(
        "resnet50-0676ba61.pth",
        102_530_333,
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
}
"""The files of torchvision's weights ``IMAGENET1K_V1``, by the name of the network."""

GROUPS: dict[str, tuple[Source, ...]] = {
    "mnist": MNIST,
    "flowers": FLOWERS,
    "weights": tuple(WEIGHTS.values()),
}
"""The files by the name of their group, which is also the name of its folder in the data root."""
