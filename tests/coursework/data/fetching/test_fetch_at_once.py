"""Two runs at once: real processes, since a lock that holds among threads proves nothing."""

import queue
import subprocess
import sys
import threading
import time

import pytest

from coursework.data import fetch_flowers, sources
from coursework.data.archive import unpack
from tests.coursework.data.fetching.conftest import CONTENTS, PHOTOGRAPHS, put_by_hand, quietly

RUN = """
import sys
from coursework.data import sources
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


HOLD = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_of_two_runs_that_unpack_the_second_waits_and_finds_the_photographs(root):
    folder = put_by_hand(root, "flowers")
    lines = queue.Queue()
    second = threading.Thread(
        target=fetch_flowers, args=(folder, quietly(report=lines.put)), daemon=True
    )
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, folder / ".jpg.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout.readline() == "held\n"
        second.start()
        while not (line := lines.get(timeout=30)).startswith("waiting"):
            assert line.startswith("present")
        assert "flowers/jpg" in line
        assert not (folder / "jpg").exists()
        unpack(folder / "102flowers.tgz", folder / "jpg", len(PHOTOGRAPHS))
        first.stdin.close()
    second.join(timeout=30)
    assert lines.get(timeout=30).startswith("present   flowers/jpg")
