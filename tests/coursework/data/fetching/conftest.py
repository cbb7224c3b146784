"""What the tests of `coursework fetch` share: a server on this machine with small files."""

import dataclasses
import gzip
import hashlib
import io
import tarfile

import pytest

from coursework.data import Manner, Patience, sources
from coursework.data.sources import Source

NOWHERE = "http://127.0.0.1:9"  # the port "discard", where nothing listens
PHOTOGRAPHS = {
    f"image_{number:05d}.jpg": b"\xff\xd8\xff" + bytes([number]) * 999 for number in range(1, 4)
}


def archive_of(photographs):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in photographs.items():
            entry = tarfile.TarInfo(f"jpg/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


CONTENTS = {
    "mnist": {"images.gz": b"images" * 20_000, "labels.gz": b"labels" * 100},
    "flowers": {
        "imagelabels.mat": b"labels of flowers",
        "setid.mat": b"splits of flowers",
        "102flowers.tgz": archive_of(PHOTOGRAPHS),
    },
    "weights": {"resnet18.pth": b"eighteen" * 9, "resnet50.pth": b"fifty" * 9},
}
FILES = [f"{group}/{name}" for group, files in CONTENTS.items() for name in files]


@pytest.fixture(autouse=True)
def small_world(server, reply, tmp_path, monkeypatch):
    """Small files in place of the real ones, each offered by the server and by a dead mirror."""
    groups = {}
    for group, files in CONTENTS.items():
        groups[group] = tuple(
            Source(
                name=name,
                urls=(f"{NOWHERE}/{group}/{name}", f"{server.url}/{group}/{name}"),
                size=len(content),
                checksum=f"sha256:{hashlib.sha256(content).hexdigest()}",
            )
            for name, content in files.items()
        )
        for name, content in files.items():
            server.offer(f"/{group}/{name}", reply(content))
    monkeypatch.setattr(sources, "GROUPS", groups)
    monkeypatch.setattr(sources, "FLOWERS", groups["flowers"])
    monkeypatch.setattr(sources, "PHOTOGRAPHS", len(PHOTOGRAPHS))
    networks = dict(zip(("resnet18", "resnet50"), groups["weights"], strict=True))
    monkeypatch.setattr(sources, "WEIGHTS", networks)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("COURSEWORK_DATA", str(tmp_path / "data"))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def no_network(monkeypatch):
    for group, files in sources.GROUPS.items():
        unreachable = tuple(dataclasses.replace(s, urls=s.urls[:1]) for s in files)
        monkeypatch.setitem(sources.GROUPS, group, unreachable)


def quietly(lines=None, **options):
    if lines is not None:
        options["report"] = lines.append
    return Manner(show_progress=False, patience=Patience(pause_seconds=0.0), **options)


def put_by_hand(root, *groups):
    """Put all files of groups into their places and return the folder of the last one."""
    for group in groups:
        (root / group).mkdir(parents=True)
        for name, content in CONTENTS[group].items():
            (root / group / name).write_bytes(content)
    return root / groups[-1]


def visible(folder):
    """Return the files below a folder, but for the locks."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.suffix != ".lock")
