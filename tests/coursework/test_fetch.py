"""`coursework fetch`, from a server on this machine: verified, never twice, clear when it fails."""

import dataclasses
import hashlib
import io
import queue
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest
import torch

from coursework import sources
from coursework.cli import main
from coursework.fetch import FetchError, Manner, fetch, fetch_files, fetch_flowers, weights_file
from coursework.mirror import Patience
from coursework.sources import Source

NOWHERE = "http://127.0.0.1:9"  # the port "discard", where nothing listens
PHOTOGRAPHS = {
    f"image_{number:05d}.jpg": b"\xff\xd8\xff" + bytes([number]) * 999 for number in range(1, 4)
}


def archive_of(photographs):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in photographs.items():
            entry = tarfile.TarInfo(f"jpg/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


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
    report = (lambda line: None) if lines is None else lines.append
    patience = Patience(pause_seconds=0.0)
    return Manner(show_progress=False, report=report, patience=patience, **options)


def visible(folder):
    """Return the files below a folder, but for the locks."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.suffix != ".lock")


def test_the_command_fetches_everything_and_then_nothing(server, root, capsys):
    assert main(["fetch"]) == 0
    for group, files in CONTENTS.items():
        for name, content in files.items():
            assert (root / group / name).read_bytes() == content
    photographs = [f"flowers/jpg/{name}" for name in PHOTOGRAPHS]
    assert visible(root) == sorted([*FILES, *photographs])
    lines = capsys.readouterr().out.splitlines()
    host = server.url.removeprefix("http://")
    fetched = [line.split() for line in lines if line.startswith("fetched")]
    assert [words[1] for words in fetched] == FILES
    assert all(words[-1] == host for words in fetched)
    assert [line for line in lines if "3 of 3 photographs" in line]

    server.requests.clear()
    assert main(["fetch", "all"]) == 0
    assert server.requests == []
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FILES) + 1
    assert all(line.startswith("present") for line in lines)


@pytest.mark.parametrize("group", CONTENTS)
def test_a_group_can_be_fetched_alone_and_elsewhere(group, root, tmp_path, capsys):
    other = tmp_path / "other"
    assert main(["fetch", group, "--root", str(other)]) == 0
    assert [path.name for path in other.iterdir()] == [group]
    assert not root.exists()
    assert f"set COURSEWORK_DATA={other} " in capsys.readouterr().out


def test_an_unknown_group_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["fetch", "imagenet"])
    assert "choose from" in capsys.readouterr().err


def test_the_list_shows_all_there_is_and_fetches_nothing(server, root, capsys):
    assert main(["fetch", "--list"]) == 0
    shown = capsys.readouterr().out
    for group, files in sources.GROUPS.items():
        for source in files:
            digits = source.checksum.partition(":")[2]
            for part in (str(root / group / source.name), digits, *source.urls):
                assert part in shown
    assert server.requests == []
    assert not root.exists()


def test_without_a_network_one_error_lists_every_file(no_network, root, capsys):
    assert main(["fetch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"coursework: {len(FILES)} files are missing:")
    for group, files in sources.GROUPS.items():
        for source in files:
            digits = source.checksum.partition(":")[2]
            place = str(root / group / source.name)
            for part in (place, digits, f"{source.size:,} bytes", source.urls[0], "no connection"):
                assert part in error
    assert visible(root) == []


def test_what_is_learned_of_a_host_is_known_for_the_next_file(server, root):
    manner = quietly()
    fetch_files(sources.GROUPS["mnist"], root, manner)
    assert manner.hosts[server.url.removeprefix("http://")] == ""
    assert "no connection" in manner.hosts["127.0.0.1:9"]


def test_files_that_are_put_there_by_hand_are_verified_and_used(no_network, root, capsys):
    for group, files in CONTENTS.items():
        (root / group).mkdir(parents=True)
        for name, content in files.items():
            (root / group / name).write_bytes(content)
    assert main(["fetch"]) == 0
    assert visible(root / "flowers" / "jpg") == sorted(PHOTOGRAPHS)
    assert "failed" not in capsys.readouterr().out


def test_one_file_that_fails_does_not_keep_the_others_back(server, reply, root, capsys):
    server.offer("/mnist/images.gz", reply(b"wrong"))
    assert main(["fetch"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("coursework: 1 file is missing:\n\nimages.gz")
    assert "offers 5 bytes, expected 120000" in captured.err
    assert visible(root / "mnist") == ["labels.gz"]
    assert visible(root / "weights") == ["resnet18.pth", "resnet50.pth"]
    assert "failed    mnist/images.gz" in captured.out


def test_what_came_of_a_file_is_told_and_continued(server, reply, root, capsys):
    content = CONTENTS["mnist"]["images.gz"]
    server.offer("/mnist/images.gz", reply(content, cut_after=70_000), reply(status=404))
    assert main(["fetch", "mnist"]) == 1
    assert "received   70,000 bytes so far, kept for the next run" in capsys.readouterr().err
    server.offer("/mnist/images.gz", reply(content))
    assert main(["fetch", "mnist"]) == 0
    assert server.requests[-1].range == "bytes=70000-"


def test_a_damaged_file_is_reported_and_replaced(server, root, capsys):
    path = root / "mnist" / "images.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert main(["fetch", "mnist"]) == 0
    assert path.read_bytes() == CONTENTS["mnist"]["images.gz"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "damaged",
        "fetched",
        "fetched",
    ]


def test_a_damaged_file_stays_where_no_good_one_can_be_had(no_network, root, capsys):
    path = root / "mnist" / "images.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert main(["fetch", "mnist"]) == 1
    error = capsys.readouterr().err
    assert "2 files are missing or damaged" in error
    found = hashlib.sha256(b"damaged").hexdigest()
    assert f"{path} (7 bytes, sha256:{found}); left as it is" in error
    assert path.read_bytes() == b"damaged"


def test_offline_verifies_and_asks_nobody(server, root, capsys):
    fetch(["mnist"], root, quietly())
    (root / "mnist" / "labels.gz").write_bytes(b"damaged")
    server.requests.clear()
    assert main(["fetch", "--offline"]) == 1
    captured = capsys.readouterr()
    lines = [line.split()[:2] for line in captured.out.splitlines()]
    assert lines[:3] == [
        ["present", "mnist/images.gz"],
        ["damaged", "mnist/labels.gz"],
        ["missing", "flowers/imagelabels.mat"],
    ]
    assert "6 files are missing or damaged" in captured.err
    assert server.requests == []
    assert visible(root) == ["mnist/images.gz", "mnist/labels.gz"]


def test_a_mirror_of_ones_own_is_asked_first(server, reply, root):
    for name, content in CONTENTS["mnist"].items():
        server.offer(f"/class/mnist/{name}", reply(content))
    assert main(["fetch", "mnist", "--mirror", f"{server.url}/class/"]) == 0
    assert [request.path for request in server.requests] == [
        "/class/mnist/images.gz",
        "/class/mnist/labels.gz",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mirror", "file:///class"], "expected an http or https URL"),
        (["--timeout", "0"], "expected seconds above zero"),
    ],
)
def test_wrong_options_are_one_line(options, message, root, capsys):
    assert main(["fetch", "mnist", *options]) == 1
    assert message in capsys.readouterr().err
    assert not root.exists()


def test_the_timeout_is_passed_on(server, reply, root, capsys):
    server.offer("/mnist/images.gz", reply(silent=True), reply(CONTENTS["mnist"]["images.gz"]))
    began = time.monotonic()
    assert main(["fetch", "mnist", "--timeout", "0.2"]) == 0
    assert time.monotonic() - began < 10
    assert len(server.asked("/mnist/images.gz")) >= 2


def test_ctrl_c_is_one_line_and_keeps_what_came(server, root, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("coursework.mirror.Mirror._blocks", interrupted)
    assert main(["fetch", "mnist"]) == 130
    assert capsys.readouterr().err == "coursework: interrupted\n"
    assert visible(root) == ["mnist/images.gz.part"]


def test_a_read_only_folder_with_everything_in_it_is_enough(server, root, monkeypatch):
    fetch(root=root, manner=quietly())

    def no_lock(*arguments, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr("filelock.FileLock.acquire", no_lock)
    fetch(root=root, manner=quietly())
    (root / "mnist" / "labels.gz").unlink()
    with pytest.raises(PermissionError, match="read-only"):
        fetch(root=root, manner=quietly())


# Two runs at once: real processes, since a lock that holds among threads proves nothing.

RUN = """
import sys
from coursework import sources
from coursework.cli import main
name, size, checksum, url, root = sys.argv[1:]
sources.GROUPS["mnist"] = (sources.Source(name, (url,), int(size), checksum),)
sys.exit(main(["fetch", "mnist", "--root", root]))
"""


class Run:
    """A process that fetches one file, and the lines that it prints, as they come."""

    def __init__(self, root):
        source = sources.GROUPS["mnist"][0]
        arguments = [source.name, str(source.size), source.checksum, source.urls[1], str(root)]
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", RUN, *arguments], stdout=subprocess.PIPE, text=True
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split()[0])

    def next_word(self):
        return self.lines.get(timeout=30)

    def end(self):
        return self.process.wait(timeout=30)


@pytest.fixture
def held(server, reply):
    """Let the server stop in the middle of a file until it is told to go on."""
    go_on = threading.Event()
    content = CONTENTS["mnist"]["images.gz"]
    server.offer("/mnist/images.gz", reply(content, hold=go_on), reply(content))
    yield go_on
    go_on.set()


def wait_for_half(root, size):
    part = root / "mnist" / "images.gz.part"
    deadline = time.monotonic() + 30
    while not part.exists() or part.stat().st_size < size // 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return part


def test_of_two_runs_at_once_the_second_waits_and_finds_the_file(server, held, root):
    first = Run(root)
    wait_for_half(root, len(CONTENTS["mnist"]["images.gz"]))
    second = Run(root)
    assert second.next_word() == "waiting"
    held.set()
    assert (first.end(), second.end()) == (0, 0)
    assert (first.next_word(), second.next_word()) == ("fetched", "present")
    assert len(server.asked("/mnist/images.gz")) == 1
    assert (root / "mnist" / "images.gz").read_bytes() == CONTENTS["mnist"]["images.gz"]


def test_a_run_that_was_killed_holds_nobody_up_and_is_continued(server, held, root):
    first = Run(root)
    content = CONTENTS["mnist"]["images.gz"]
    part = wait_for_half(root, len(content))
    second = Run(root)
    assert second.next_word() == "waiting"
    first.process.kill()
    assert second.end() == 0
    assert (root / "mnist" / "images.gz").read_bytes() == content
    ranges = [request.range for request in server.asked("/mnist/images.gz")]
    assert ranges == [None, f"bytes={len(content) // 2}-"]
    assert not part.exists()


# The flowers: the archive and what is unpacked from it.


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


def test_an_archive_with_the_wrong_photographs_leaves_no_folder(server, root, monkeypatch):
    monkeypatch.setattr(sources, "PHOTOGRAPHS", 4)
    with pytest.raises(ValueError, match="holds 3 photographs, expected 4"):
        fetch_flowers(root / "flowers", quietly())
    assert not (root / "flowers" / "jpg").exists()


# The weights, as the networks ask for them.


def test_weights_are_asked_for_by_the_name_of_the_network(root):
    path = weights_file("resnet50", manner=quietly())
    assert path == root / "weights" / "resnet50.pth"
    assert path.read_bytes() == CONTENTS["weights"]["resnet50.pth"]
    assert visible(root) == ["weights/resnet50.pth"]


def write_to_cache_of_torch(content):
    path = Path(torch.hub.get_dir()) / "checkpoints" / "resnet18.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_weights_that_torch_has_already_are_not_fetched_again(server, root):
    with pytest.raises(FetchError):
        weights_file("resnet18", manner=quietly(offline=True))
    cached = write_to_cache_of_torch(CONTENTS["weights"]["resnet18.pth"])
    lines = []
    assert weights_file("resnet18", manner=quietly(lines)) == cached
    assert str(cached) in lines[0]
    fetch(["weights"], root, quietly())
    assert [request.path for request in server.requests] == ["/weights/resnet50.pth"]


def test_damaged_weights_of_torch_are_left_and_good_ones_fetched(root):
    cached = write_to_cache_of_torch(b"damaged")
    assert weights_file("resnet18", manner=quietly()) == root / "weights" / "resnet18.pth"
    assert cached.read_bytes() == b"damaged"


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="'vgg16'; there are those of resnet18, resnet50"):
        weights_file("vgg16")


def test_only_what_is_asked_for_is_fetched(server, root):
    wanted = sources.GROUPS["mnist"][1:]
    assert fetch_files(wanted, root, quietly()) == [root / "labels.gz"]
    assert [request.path for request in server.requests] == ["/mnist/labels.gz"]
