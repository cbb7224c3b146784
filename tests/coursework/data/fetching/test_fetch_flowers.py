"""The flowers: the archive and what is unpacked from it."""

import pytest

from coursework.data import FetchError, fetch_flowers
from tests.coursework.data.fetching.conftest import PHOTOGRAPHS, put_by_hand, quietly


def test_flowers_come_with_their_labels_and_photographs(root):
    folder = root / "flowers"
    assert fetch_flowers(folder, quietly()) == folder
    assert {p.name: p.read_bytes() for p in (folder / "jpg").iterdir()} == PHOTOGRAPHS


def test_photographs_that_were_lost_or_damaged_come_from_the_archive(server, root):
    folder = fetch_flowers(root / "flowers", quietly())
    (folder / "jpg" / "image_00001.jpg").unlink()
    (folder / "jpg" / "image_00002.jpg").write_bytes(b"damaged")
    server.requests.clear()
    lines = []
    fetch_flowers(folder, quietly(lines))
    assert {p.name: p.read_bytes() for p in (folder / "jpg").iterdir()} == PHOTOGRAPHS
    assert "2 of 3 photographs" in lines[-1]
    assert server.requests == []


def contents(folder):
    """Return every file below a folder, locks too, with what is in it and when that was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_offline_an_archive_that_is_not_unpacked_is_told_and_left(server, root):
    folder = put_by_hand(root, "flowers")
    before = contents(root)
    lines = []
    with pytest.raises(FetchError, match="not unpacked yet: run without --offline") as error:
        fetch_flowers(folder, quietly(lines, offline=True))
    assert str(folder / "102flowers.tgz") in str(error.value)
    assert lines[-1] == "missing   flowers/jpg  not unpacked yet"
    assert contents(root) == before
    assert list(folder.iterdir()) == [path for path in folder.iterdir() if path.is_file()]


def test_offline_photographs_that_differ_are_counted_and_left(server, root):
    folder = fetch_flowers(root / "flowers", quietly())
    (folder / "jpg" / "image_00001.jpg").unlink()
    (folder / "jpg" / "image_00002.jpg").write_bytes(b"damaged")
    before = contents(root)
    lines = []
    with pytest.raises(FetchError, match="2 of 3 photographs are missing or differ: run without"):
        fetch_flowers(folder, quietly(lines, offline=True))
    assert lines[-1].startswith("damaged   flowers/jpg")
    assert contents(root) == before


def test_an_archive_is_unpacked_without_a_network(no_network, server, root):
    folder = put_by_hand(root, "flowers")
    fetch_flowers(folder, quietly())
    assert {p.name: p.read_bytes() for p in (folder / "jpg").iterdir()} == PHOTOGRAPHS
    fetch_flowers(folder, quietly(offline=True))
    assert server.requests == []


def test_photographs_without_their_archive_are_counted(server, root):
    folder = fetch_flowers(root / "flowers", quietly())
    (folder / "102flowers.tgz").unlink()
    server.requests.clear()
    lines = []
    fetch_flowers(folder, quietly(lines))
    assert "counted: no archive" in lines[-1]
    assert server.requests == []
    (folder / "jpg" / "image_00003.jpg").unlink()
    fetch_flowers(folder, quietly())
    assert [request.path for request in server.requests] == ["/flowers/102flowers.tgz"]
    assert (folder / "jpg" / "image_00003.jpg").is_file()
