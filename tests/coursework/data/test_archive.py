"""An archive becomes a folder: whole or not at all, and nothing lands anywhere else."""

import errno
import io
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from coursework.data.archive import look_like_photographs, unlike, unpack

RANDOM = random.Random(0)
PHOTOGRAPHS = {
    f"image_{number:05d}.jpg": b"\xff\xd8\xff" + RANDOM.randbytes(5000) for number in range(1, 6)
}


def entry(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def write(path, entries):
    with tarfile.open(path, "w:gz") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def good_entries():
    folder = entry("jpg", kind=tarfile.DIRTYPE)
    return [folder, *(entry(f"jpg/{name}", content) for name, content in PHOTOGRAPHS.items())]


@pytest.fixture
def archive(tmp_path):
    return write(tmp_path / "photographs.tgz", good_entries())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "flowers" / "jpg"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_photographs_are_unpacked_and_nothing_else_is_left(archive, folder):
    assert unlike(archive, folder, 5)
    assert unpack(archive, folder, 5) == 5
    assert contents(folder) == PHOTOGRAPHS
    assert [path.name for path in folder.parent.iterdir()] == ["jpg"]
    assert not unlike(archive, folder, 5)
    assert unpack(archive, folder, 5) == 0


def test_photographs_that_are_missing_or_differ_are_replaced_and_others_left(archive, folder):
    unpack(archive, folder, 5)
    (folder / "image_00002.jpg").unlink()
    (folder / "image_00004.jpg").write_bytes(PHOTOGRAPHS["image_00003.jpg"])
    (folder / "mine.jpg").write_bytes(b"mine")
    untouched = (folder / "image_00001.jpg").stat().st_mtime_ns
    assert unlike(archive, folder, 5)
    assert unpack(archive, folder, 5) == 2
    assert contents(folder) == {**PHOTOGRAPHS, "mine.jpg": b"mine"}
    assert (folder / "image_00001.jpg").stat().st_mtime_ns == untouched


@pytest.mark.parametrize(
    "bad",
    [
        entry("jpg/../../escaped.jpg", b"x"),
        entry("../escaped.jpg", b"x"),
        entry("/tmp/escaped.jpg", b"x"),
        entry("jpg/..", b"x"),
        entry("jpg/a\\..\\escaped.jpg", b"x"),
        entry("jpg/C:escaped.jpg", b"x"),
        entry("jpg/deeper/image_00001.jpg", b"x"),
        entry("jpg/.hidden", b"x"),
        entry("readme.txt", b"x"),
        entry("jpg/link.jpg", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        entry("jpg/link.jpg", kind=tarfile.LNKTYPE, link="../../escaped.jpg"),
        entry("jpg/device.jpg", kind=tarfile.CHRTYPE),
        entry("jpg/pipe.jpg", kind=tarfile.FIFOTYPE),
        entry("elsewhere", kind=tarfile.DIRTYPE),
    ],
    ids=lambda bad: f"{bad[0].name}-{bad[0].type.decode()}",
)
def test_an_archive_that_reaches_out_is_refused(tmp_path, folder, bad):
    archive = write(tmp_path / "bad.tgz", [*good_entries(), bad])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="expected jpg/NAME only"):
        unpack(archive, folder, 6)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, folder.parent])


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_an_archive_that_was_cut_leaves_no_folder(archive, folder, kept):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"photographs\.tgz is no whole archive .*fetch it again"):
        unpack(archive, folder, 5)
    assert list(folder.parent.iterdir()) == []


def test_an_archive_with_flipped_bits_leaves_no_folder(archive, folder):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="is no whole archive"):
        unpack(archive, folder, 5)
    assert not folder.exists()


def test_what_a_killed_run_left_is_removed(archive, folder):
    run = """
import os, sys
from pathlib import Path
from coursework.data import archive
photographs = archive._photographs
def killed_after_two(*arguments):
    for number, pair in enumerate(photographs(*arguments)):
        if number == 2:
            os._exit(9)
        yield pair
archive._photographs = killed_after_two
archive.unpack(Path(sys.argv[1]), Path(sys.argv[2]), 5)
"""
    assert subprocess.run([sys.executable, "-c", run, archive, folder]).returncode == 9
    assert len([path for path in folder.parent.rglob("*.jpg") if path.is_file()]) == 2
    assert unpack(archive, folder, 5) == 5
    assert contents(folder) == PHOTOGRAPHS
    assert [path.name for path in folder.parent.iterdir()] == ["jpg"]


@pytest.mark.parametrize("begun", [False, True])
def test_a_full_disk_is_told_with_the_folder(archive, folder, monkeypatch, begun):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    if begun:
        folder.mkdir(parents=True)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as error:
        unpack(archive, folder, 5)
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename == str(folder)
    assert [path for path in folder.parent.rglob("*") if path != folder] == []


@pytest.mark.parametrize("count", [4, 6])
def test_another_number_of_photographs_is_refused(archive, folder, count):
    with pytest.raises(ValueError, match=f"holds 5 photographs, expected {count}"):
        unpack(archive, folder, count)
    assert not folder.exists()


def test_photographs_are_known_by_how_they_begin(archive, folder):
    unpack(archive, folder, 5)
    paths = [folder / name for name in PHOTOGRAPHS]
    assert look_like_photographs(paths)
    assert not look_like_photographs([*paths, folder / "image_00006.jpg"])
    paths[2].write_bytes(b"")
    assert not look_like_photographs(paths)
