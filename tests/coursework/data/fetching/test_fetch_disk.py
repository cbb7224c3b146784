"""A disk that is full or may not be written: still one list of everything that is missing."""

import dataclasses
import errno
import os
import shutil
from types import SimpleNamespace

import pytest

from coursework.cli import main
from coursework.data import FetchError, fetch, fetch_flowers, sources
from tests.coursework.data.fetching.conftest import CONTENTS, put_by_hand, quietly, visible


def told_of(source, path, error):
    digits = source.checksum.partition(":")[2]
    return all(part in error for part in (str(path), digits, *source.urls, f"{source.size:,} by"))


@pytest.fixture
def frozen(root):
    """Everything, in folders that nobody may write to."""
    put_by_hand(root, *CONTENTS)
    fetch(root=root, manner=quietly())
    folders = [path for path in [root, *root.rglob("*")] if path.is_dir()]

    def freeze(*lost):
        for name in lost:
            (root / name).unlink()
        for lock in root.rglob(".*.lock"):
            lock.unlink()
        for folder in folders:
            folder.chmod(0o555)
        if os.access(root, os.W_OK):
            pytest.skip("needs a user whom permissions bind, which root is not")

    yield freeze
    for folder in folders:
        folder.chmod(0o755)


def test_a_read_only_folder_with_everything_in_it_is_enough(server, root, frozen, capsys):
    frozen()
    server.requests.clear()
    assert main(["fetch"]) == 0
    assert "failed" not in capsys.readouterr().out
    assert server.requests == []


def test_a_file_that_a_read_only_folder_lacks_is_described(no_network, root, frozen, capsys):
    frozen("mnist/labels.gz", "weights/resnet18.pth")
    assert main(["fetch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("coursework: 2 files are missing:")
    assert error.count("cannot write here: ") == error.count("Permission denied") == 2
    assert "COURSEWORK_DATA chooses another folder" in error
    assert told_of(sources.GROUPS["mnist"][1], root / "mnist" / "labels.gz", error)
    assert told_of(sources.GROUPS["weights"][0], root / "weights" / "resnet18.pth", error)


def test_where_no_lock_can_be_had_the_missing_file_is_described(server, root, monkeypatch):
    """The two tests above, for a user whom permissions do not bind."""
    fetch(root=root, manner=quietly())

    def no_lock(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", no_lock)
    fetch(root=root, manner=quietly())
    path = root / "mnist" / "labels.gz"
    path.unlink()
    with pytest.raises(FetchError, match=r"cannot write here: .*Permission denied") as error:
        fetch(root=root, manner=quietly())
    assert told_of(sources.GROUPS["mnist"][1], path, str(error.value))


def test_a_folder_that_cannot_be_made_keeps_no_other_group_back(root, capsys):
    root.mkdir()
    (root / "mnist").write_bytes(b"a file, and no folder")
    assert main(["fetch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("coursework: 2 files are missing:")
    assert error.count("cannot write here: ") == 2
    assert "flowers/jpg/image_00001.jpg" in visible(root)
    assert {"weights/resnet18.pth", "weights/resnet50.pth"} <= set(visible(root))


def test_what_has_no_room_is_listed_and_what_has_is_fetched(root, reply, server, monkeypatch):
    """The archive is too long for the disk; MNIST is out of reach; the weights fit."""
    for name in CONTENTS["mnist"]:
        server.offer(f"/mnist/{name}", reply(status=404))
    free = len(CONTENTS["flowers"]["102flowers.tgz"]) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(FetchError) as error:
        fetch(root=root, manner=quietly())
    missing = [item.source.name for item in error.value.missing]
    assert missing == [*CONTENTS["mnist"], "102flowers.tgz"]
    assert f"flowers has room for {free:,} bytes" in str(error.value)
    assert {"weights/resnet18.pth", "weights/resnet50.pth"} <= set(visible(root))


@pytest.mark.parametrize("unpacked", [False, True])
def test_the_archive_needs_room_for_its_photographs_too(root, monkeypatch, unpacked):
    *labels, archive = sources.FLOWERS
    archive = dataclasses.replace(archive, unpacked_size=5000)
    monkeypatch.setattr(sources, "FLOWERS", (*labels, archive))
    free = archive.size + 4999
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    if unpacked:
        (root / "flowers" / "jpg").mkdir(parents=True)
        fetch_flowers(root / "flowers", quietly())
        return
    needs = f"needs {archive.size + 5000:,} more to be received and unpacked"
    with pytest.raises(FetchError, match=needs):
        fetch_flowers(root / "flowers", quietly())
    assert visible(root) == ["flowers/imagelabels.mat", "flowers/setid.mat"]


def test_an_archive_that_cannot_be_unpacked_is_one_of_the_list(root, no_network, monkeypatch):
    put_by_hand(root, *CONTENTS)
    (root / "weights" / "resnet50.pth").unlink()
    monkeypatch.setattr(sources, "PHOTOGRAPHS", 4)
    with pytest.raises(FetchError) as error:
        fetch(root=root, manner=quietly())
    lines = str(error.value).splitlines()
    assert lines[0] == "1 file is missing, and an archive is not unpacked as it should be:"
    assert f"  place      {root / 'flowers' / 'jpg'}" in lines
    assert any("holds 3 photographs, expected 4" in line for line in lines)
    assert "resnet50.pth" in lines
    assert not (root / "flowers" / "jpg").exists()


def test_an_archive_is_unpacked_although_the_labels_are_missing(root, no_network):
    put_by_hand(root, *CONTENTS)
    (root / "flowers" / "setid.mat").unlink()
    with pytest.raises(FetchError, match="1 file is missing:"):
        fetch(["flowers"], root, quietly())
    assert "flowers/jpg/image_00003.jpg" in visible(root)
