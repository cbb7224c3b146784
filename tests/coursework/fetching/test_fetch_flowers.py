"""The flowers: the archive and what is unpacked from it."""

from coursework.fetch import fetch_flowers
from tests.coursework.fetching.conftest import PHOTOGRAPHS, quietly


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
    fetch_flowers(folder, quietly(lines, offline=True))
    assert {p.name: p.read_bytes() for p in (folder / "jpg").iterdir()} == PHOTOGRAPHS
    assert "2 of 3 photographs" in lines[-1]
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
