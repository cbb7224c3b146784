"""`coursework fetch`, from a server on this machine: verified, never twice, clear when it fails."""

import dataclasses
import hashlib
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from coursework.cli import main
from coursework.data import FetchError, fetch, sources, weights_file
from tests.coursework.data.conftest import (
    CONTENTS,
    FILES,
    PHOTOGRAPHS,
    Reply,
    put_by_hand,
    quiet,
    start_run,
    visible,
    wait_for_half,
)

pytestmark = pytest.mark.usefixtures("world")
IMAGES, LABELS = CONTENTS["mnist"].values()


def first_words(text):
    return [line.split()[0] for line in text.splitlines()]


def describes(text, source, path):
    """Return whether a text says of a file all that one needs to fetch it by hand."""
    digits = source.checksum.partition(":")[2]
    return all(part in text for part in (str(path), digits, f"{source.size:,} by", *source.urls))


def test_the_command_fetches_everything_and_then_nothing(server, root, capsys):
    assert main(["fetch"]) == 0
    for group, files in CONTENTS.items():
        for name, content in files.items():
            assert (root / group / name).read_bytes() == content
    assert visible(root) == sorted([*FILES, *(f"flowers/jpg/{name}" for name in PHOTOGRAPHS)])
    lines = capsys.readouterr().out.splitlines()
    fetched = [line.split() for line in lines if line.startswith("fetched")]
    assert [words[1] for words in fetched] == FILES
    assert all(words[-1] == server.url.removeprefix("http://") for words in fetched)

    server.requests.clear()
    assert main(["fetch", "all"]) == 0
    assert server.requests == []
    assert first_words(capsys.readouterr().out) == ["present"] * (len(FILES) + 1)


@pytest.mark.parametrize("group", CONTENTS)
def test_a_group_can_be_fetched_alone_and_elsewhere(group, root, tmp_path, capsys):
    other = tmp_path / "other"
    assert main(["fetch", group, "--root", str(other)]) == 0
    assert [path.name for path in other.iterdir()] == [group]
    assert not root.exists()
    assert f"set COURSEWORK_DATA={other} " in capsys.readouterr().out


def test_the_list_shows_all_there_is_and_fetches_nothing(server, root, capsys):
    assert main(["fetch", "--list"]) == 0
    shown = capsys.readouterr().out
    for group, files in sources.GROUPS.items():
        assert all(describes(shown, source, root / group / source.name) for source in files)
    assert server.requests == []
    assert not root.exists()


def test_without_a_network_one_error_lists_every_file(no_network, root, capsys):
    assert main(["fetch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"coursework: {len(FILES)} files are missing or damaged:")
    for group, files in sources.GROUPS.items():
        assert all(describes(error, source, root / group / source.name) for source in files)
    assert error.count("no connection") == len(FILES)
    assert visible(root) == []


def test_a_damaged_file_stays_until_a_good_one_can_be_had(server, root, capsys):
    path = put_by_hand(root, "mnist") / "images.gz"
    path.write_bytes(b"damaged")
    server.offer("/mnist/images.gz", Reply(status=404), Reply(IMAGES))
    assert main(["fetch", "mnist"]) == 1
    found = hashlib.sha256(b"damaged").hexdigest()
    assert f"{path} (7 bytes, sha256:{found}); left as it is" in capsys.readouterr().err
    assert path.read_bytes() == b"damaged"
    assert main(["fetch", "mnist"]) == 0
    assert path.read_bytes() == IMAGES
    assert first_words(capsys.readouterr().out) == ["damaged", "fetched", "present"]


def test_a_damaged_copy_does_not_hide_an_intact_one(no_network, root, monkeypatch, capsys):
    images = dataclasses.replace(sources.GROUPS["mnist"][0], also_at=("MNIST/raw/images.gz",))
    monkeypatch.setitem(sources.GROUPS, "mnist", (images,))
    intact = root / "mnist" / "MNIST" / "raw" / "images.gz"
    intact.parent.mkdir(parents=True)
    intact.write_bytes(IMAGES)
    (root / "mnist" / "images.gz").write_bytes(b"damaged")
    assert main(["fetch", "mnist"]) == 0
    present, damaged = capsys.readouterr().out.splitlines()
    assert present.endswith(f"verified, at {intact}")
    assert f"delete {root / 'mnist' / 'images.gz'}" in damaged


def test_offline_verifies_asks_nobody_and_writes_nothing(server, root, capsys):
    folder = put_by_hand(root, "mnist")
    (folder / "labels.gz").write_bytes(b"damaged")
    assert main(["fetch", "--offline"]) == 1
    captured = capsys.readouterr()
    assert first_words(captured.out) == ["present", "damaged", *["missing"] * 5]
    assert "6 files are missing or damaged" in captured.err
    assert server.requests == []
    assert visible(root) == ["mnist/images.gz", "mnist/labels.gz"]


def test_a_mirror_of_ones_own_is_asked_first(server, root):
    server.offer("/class/mnist/images.gz", Reply(IMAGES))
    assert main(["fetch", "mnist", "--mirror", f"{server.url}/class/"]) == 0
    asked = ["/class/mnist/images.gz", "/class/mnist/labels.gz", "/mnist/labels.gz"]
    assert [request.path for request in server.requests] == asked


@pytest.mark.parametrize("options", [["--mirror", "file:///class"], ["--timeout", "0"]])
def test_wrong_options_are_one_line(options, root, capsys):
    assert main(["fetch", "mnist", *options]) == 1
    error = capsys.readouterr().err
    assert "expected" in error
    assert error.count("\n") == 1
    assert not root.exists()


def test_the_timeout_is_passed_on(server, root):
    server.offer("/mnist/images.gz", Reply(silent=True), Reply(IMAGES))
    began = time.monotonic()
    assert main(["fetch", "mnist", "--timeout", "0.2"]) == 0
    assert time.monotonic() - began < 10
    assert len(server.ranges("/mnist/images.gz")) == 2


# The weights, which PyTorch may have downloaded already


@pytest.fixture
def cached():
    """The path of ResNet-18 in the cache of PyTorch, where it is intact."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / "resnet18.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENTS["weights"]["resnet18.pth"])
    return path


def test_weights_are_asked_for_by_the_name_of_the_network(root):
    assert weights_file("resnet50") == root / "weights" / "resnet50.pth"
    assert visible(root) == ["weights/resnet50.pth"]
    with pytest.raises(ValueError, match="'vgg16'; there are weights for resnet18, resnet50"):
        weights_file("vgg16")


def test_weights_that_torch_has_already_are_used_where_they_are(no_network, root, cached):
    assert weights_file("resnet18") == cached
    assert visible(root) == []
    lines = []
    with pytest.raises(FetchError, match=r"1 file is missing or damaged:\n\nresnet50"):
        fetch(["weights"], root, quiet(lines, offline=True))
    assert lines[0].endswith(f"verified, at {cached}")
    assert visible(root) == []


def test_damaged_weights_of_torch_are_left_and_good_ones_fetched(root, cached):
    cached.write_bytes(b"damaged")
    assert weights_file("resnet18") == root / "weights" / "resnet18.pth"
    assert cached.read_bytes() == b"damaged"


@pytest.mark.parametrize("there", [False, True])
def test_the_command_copies_weights_of_torch_into_the_folder(server, root, cached, capsys, there):
    path = root / "weights" / "resnet18.pth"
    if there:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"damaged")
    assert main(["fetch", "weights"]) == 0
    assert [request.path for request in server.requests] == ["/weights/resnet50.pth"]
    assert f"from {cached}\n" in capsys.readouterr().out
    assert path.read_bytes() == cached.read_bytes()


# A disk that is full or may not be written: still one list of everything that is missing


@pytest.fixture
def read_only(root):
    """The folders of the root, which hold everything and may not be written to."""
    put_by_hand(root, *CONTENTS)
    fetch(CONTENTS, root, quiet())
    folders = [path for path in [root, *root.rglob("*")] if path.is_dir()]
    (root / "weights" / "resnet18.pth").unlink()
    for folder in folders:
        folder.chmod(0o555)
    if os.access(root, os.W_OK):
        pytest.skip("needs a user whom permissions bind, which root is not")
    yield
    for folder in folders:
        folder.chmod(0o755)


def test_in_a_read_only_folder_files_are_verified_and_missing_ones_described(
    read_only, server, root, capsys
):
    assert main(["fetch"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("coursework: 1 file is missing or damaged:\n\nresnet18.pth")
    assert "cannot write here: [Errno 13] Permission denied" in captured.err
    assert first_words(captured.out).count("present") == len(FILES)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_keeps_no_other_group_back(root, capsys):
    root.mkdir()
    (root / "mnist").write_bytes(b"a file, and no folder")
    assert main(["fetch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("coursework: 2 files are missing or damaged:")
    assert error.count("cannot write here: ") == 2
    assert "COURSEWORK_DATA names another folder" in error
    assert describes(error, sources.GROUPS["mnist"][1], root / "mnist" / "labels.gz")
    assert {"flowers/jpg/image_00001.jpg", "weights/resnet18.pth"} <= set(visible(root))


def test_a_file_that_has_no_room_is_listed_and_others_are_fetched(root, monkeypatch):
    free = len(LABELS)
    usage = shutil.disk_usage(".")._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FetchError, match=f"mnist has room for {free:,} bytes") as error:
        fetch(["mnist", "weights"], root, quiet())
    assert len(error.value.missing) == 1
    assert visible(root) == ["mnist/labels.gz", "weights/resnet18.pth", "weights/resnet50.pth"]


# Two runs at once, and runs that are stopped: real processes


@pytest.fixture
def hold(server):
    """Let the server stop in the middle of a file until it is told to go on."""
    go_on = threading.Event()
    server.offer("/mnist/images.gz", Reply(IMAGES, hold=go_on), Reply(IMAGES))
    yield go_on
    go_on.set()


@pytest.fixture
def first(hold, root):
    """A run that has half of a file."""
    with start_run(sources.GROUPS["mnist"][0], root) as run:
        wait_for_half(root / "mnist" / "images.gz.part", IMAGES)
        yield run
        run.kill()


@pytest.fixture
def second(first, root):
    """Another run that waits for the first."""
    with start_run(sources.GROUPS["mnist"][0], root) as run:
        assert run.stdout.readline().startswith("waiting")
        yield run
        run.kill()


def test_of_two_runs_at_once_the_second_waits_and_finds_the_file(server, hold, first, second, root):
    hold.set()
    assert first.communicate(timeout=60)[0].startswith("fetched")
    assert second.communicate(timeout=60)[0].startswith("present")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(server.requests) == 1
    assert visible(root) == ["mnist/images.gz"]


def test_a_run_that_was_killed_holds_nobody_up_and_is_continued(server, first, second, root):
    first.kill()
    assert second.wait(timeout=60) == 0
    assert server.ranges("/mnist/images.gz") == [None, f"bytes={len(IMAGES) // 2}-"]
    assert (root / "mnist" / "images.gz").read_bytes() == IMAGES
    assert visible(root) == ["mnist/images.gz"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to one process")
def test_ctrl_c_is_one_line_and_the_next_run_goes_on(server, first, root):
    first.send_signal(signal.SIGINT)
    assert first.communicate(timeout=60)[1] == "coursework: interrupted\n"
    assert first.returncode == 130
    assert visible(root) == ["mnist/images.gz.part"]
    assert main(["fetch", "mnist"]) == 0
    assert server.ranges("/mnist/images.gz") == [None, f"bytes={len(IMAGES) // 2}-"]
