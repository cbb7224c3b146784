"""The flowers: an archive becomes a folder, whole or not at all, and nothing lands elsewhere."""

import dataclasses
import gzip
import queue
import shutil
import tarfile
import threading

import pytest

from coursework.data import FetchError, fetch_flowers, sources
from coursework.storage import locked
from tests.coursework.data.conftest import (
    CONTENTS,
    PHOTOGRAPHS,
    archive_of,
    entry,
    put_by_hand,
    quiet,
    source_of,
    visible,
)

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def folder(root):
    return put_by_hand(root, "flowers")


def photographs_in(folder):
    return {path.name: path.read_bytes() for path in (folder / "jpg").iterdir()}


def state_of(folder):
    """Return every file below a folder with its content and the time when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_flowers_come_with_their_labels_and_photographs(server, root):
    lines = []
    fetch_flowers(root / "flowers", quiet(lines))
    assert photographs_in(root / "flowers") == PHOTOGRAPHS
    assert visible(root / "flowers") == sorted(
        [*CONTENTS["flowers"], *(f"jpg/{name}" for name in PHOTOGRAPHS)]
    )
    assert lines[-1] == "unpacked  flowers/jpg  3 of 3 photographs"
    before = state_of(root)
    server.requests.clear()
    fetch_flowers(root / "flowers", quiet(lines))
    assert lines[-1] == "present   flowers/jpg  3 photographs, each as in 102flowers.tgz"
    assert state_of(root) == before
    assert server.requests == []


def test_photographs_that_are_missing_or_differ_are_replaced_and_others_left(folder):
    fetch_flowers(folder, quiet())
    (folder / "jpg" / "image_00001.jpg").unlink()
    (folder / "jpg" / "image_00002.jpg").write_bytes(PHOTOGRAPHS["image_00003.jpg"])
    (folder / "jpg" / "mine.jpg").write_bytes(b"mine")
    untouched = (folder / "jpg" / "image_00003.jpg").stat().st_mtime_ns
    lines = []
    fetch_flowers(folder, quiet(lines))
    assert photographs_in(folder) == {**PHOTOGRAPHS, "mine.jpg": b"mine"}
    assert (folder / "jpg" / "image_00003.jpg").stat().st_mtime_ns == untouched
    assert "2 of 3 photographs" in lines[-1]


def test_an_archive_is_unpacked_without_a_network_and_without_the_labels(no_network, folder):
    (folder / "setid.mat").unlink()
    with pytest.raises(FetchError, match=r"1 file is missing or damaged:\n\nsetid\.mat"):
        fetch_flowers(folder, quiet())
    assert photographs_in(folder) == PHOTOGRAPHS


@pytest.mark.parametrize("differing", [3, 2])
def test_offline_photographs_that_differ_are_counted_and_left(server, folder, differing):
    if differing == 2:
        fetch_flowers(folder, quiet())
        (folder / "jpg" / "image_00001.jpg").unlink()
        (folder / "jpg" / "image_00002.jpg").write_bytes(b"damaged")
    before, lines = state_of(folder), []
    message = f"{differing} of 3 photographs are missing or differ: run without --offline"
    with pytest.raises(FetchError, match=message) as error:
        fetch_flowers(folder, quiet(lines, offline=True))
    assert f"archive    {folder / '102flowers.tgz'}, intact" in str(error.value)
    assert lines[-1].startswith("failed    flowers/jpg")
    assert state_of(folder) == before
    assert (folder / "jpg").exists() is (differing == 2)


def test_photographs_without_their_archive_are_counted(server, folder):
    fetch_flowers(folder, quiet())
    (folder / "102flowers.tgz").unlink()
    lines = []
    fetch_flowers(folder, quiet(lines))
    assert "counted: no archive" in lines[-1]
    assert server.requests == []
    (folder / "jpg" / "image_00003.jpg").unlink()
    fetch_flowers(folder, quiet())
    assert [request.path for request in server.requests] == ["/flowers/102flowers.tgz"]
    assert photographs_in(folder) == PHOTOGRAPHS


def put_archive(folder, content, monkeypatch):
    """Put an archive into its place, and its checksum into the table."""
    *labels, archive = sources.FLOWERS
    monkeypatch.setattr(sources, "FLOWERS", (*labels, source_of(archive.name, content)))
    (folder / archive.name).write_bytes(content)


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
def test_an_archive_that_reaches_out_is_refused(folder, tmp_path, monkeypatch, bad):
    put_archive(folder, archive_of(PHOTOGRAPHS, bad), monkeypatch)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FetchError, match="expected jpg/NAME only"):
        fetch_flowers(folder, quiet())
    assert sorted(tmp_path.rglob("*")) == before


ARCHIVE = CONTENTS["flowers"]["102flowers.tgz"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no whole archive"),
        (ARCHIVE[: len(ARCHIVE) // 2], r"102flowers\.tgz is no whole archive .*fetch it again"),
        (ARCHIVE[:-1], "is no whole archive"),
        (ARCHIVE[:-9] + b"\xff" + ARCHIVE[-8:], "is no whole archive"),
        (archive_of(dict(list(PHOTOGRAPHS.items())[:2])), "holds 2 photographs, expected 3"),
        (archive_of({**PHOTOGRAPHS, "more.jpg": b"x"}), "holds 4 photographs, expected 3"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_archive_that_is_not_right_changes_no_photograph(
    folder, monkeypatch, content, message, begun
):
    if begun:
        fetch_flowers(folder, quiet())
        (folder / "jpg" / "image_00001.jpg").write_bytes(b"damaged")
    put_archive(folder, content, monkeypatch)
    before = sorted(folder.rglob("*"))
    with pytest.raises(FetchError, match=message):
        fetch_flowers(folder, quiet())
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_entry_that_promises_gigabytes_is_refused_before_it_is_read(folder, monkeypatch, kind):
    """Its header alone is there, so that one who reads it would find the archive cut short."""
    huge = tarfile.TarInfo("jpg/image_00001.jpg")
    huge.size, huge.type = 2**32, kind
    put_archive(folder, gzip.compress(huge.tobuf(tarfile.GNU_FORMAT)), monkeypatch)
    with pytest.raises(FetchError, match=r"of (4,294,967,296|more than 100,000,000) bytes"):
        fetch_flowers(folder, quiet())


def test_photographs_that_a_killed_run_left_half_unpacked_are_removed(folder):
    (folder / ".jpg.unpacking").mkdir()
    (folder / ".jpg.unpacking" / "image_00001.jpg").write_bytes(b"half of")
    fetch_flowers(folder, quiet())
    assert photographs_in(folder) == PHOTOGRAPHS
    assert not (folder / ".jpg.unpacking").exists()


def test_the_archive_needs_room_for_its_photographs_too(root, monkeypatch):
    free = 2 * len(ARCHIVE) - 1
    usage = shutil.disk_usage(".")._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    *labels, archive = sources.FLOWERS
    archive = dataclasses.replace(archive, unpacked_size=len(ARCHIVE))
    monkeypatch.setattr(sources, "FLOWERS", (*labels, archive))
    with pytest.raises(FetchError, match=f"has room for {free:,} bytes, but .* needs {free + 1:,}"):
        fetch_flowers(root / "flowers", quiet())


def test_of_two_runs_that_unpack_the_second_waits(folder):
    lines = queue.Queue()
    second = threading.Thread(target=fetch_flowers, args=(folder, quiet(report=lines.put)))
    with locked(folder / "jpg"):
        second.start()
        while not (line := lines.get(timeout=30)).startswith("waiting"):
            assert line.startswith("present")
        assert "flowers/jpg" in line
        assert not (folder / "jpg").exists()
    second.join(timeout=30)
    assert photographs_in(folder) == PHOTOGRAPHS
