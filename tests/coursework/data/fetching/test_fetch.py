"""`coursework fetch`, from a server on this machine: verified, never twice, clear when it fails."""

import dataclasses
import hashlib
import time

import pytest

from coursework.cli import main
from coursework.data import fetch, fetch_files, sources
from tests.coursework.data.fetching.conftest import (
    CONTENTS,
    FILES,
    PHOTOGRAPHS,
    put_by_hand,
    quietly,
    visible,
)


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
    put_by_hand(root, *CONTENTS)
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


def test_a_damaged_copy_does_not_hide_an_intact_one(no_network, root, monkeypatch, capsys):
    images = dataclasses.replace(sources.GROUPS["mnist"][0], also_at=("MNIST/raw/images.gz",))
    monkeypatch.setitem(sources.GROUPS, "mnist", (images,))
    intact = root / "mnist" / "MNIST" / "raw" / "images.gz"
    intact.parent.mkdir(parents=True)
    intact.write_bytes(CONTENTS["mnist"]["images.gz"])
    (root / "mnist" / "images.gz").write_bytes(b"damaged")
    assert main(["fetch", "mnist"]) == 0
    present, damaged = capsys.readouterr().out.splitlines()
    assert present.endswith(f"verified, at {intact}")
    assert f"delete {root / 'mnist' / 'images.gz'}" in damaged


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

    monkeypatch.setattr("coursework.data.mirror.Mirror._blocks", interrupted)
    assert main(["fetch", "mnist"]) == 130
    assert capsys.readouterr().err == "coursework: interrupted\n"
    assert visible(root) == ["mnist/images.gz.part"]


def test_only_what_is_asked_for_is_fetched(server, root):
    wanted = sources.GROUPS["mnist"][1:]
    assert fetch_files(wanted, root, quietly()) == [root / "labels.gz"]
    assert [request.path for request in server.requests] == ["/mnist/labels.gz"]
