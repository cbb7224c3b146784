"""Files are whole or not there, and one process writes them at a time."""

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import filelock
import pytest

from coursework.storage import BusyError, atomic_path, locked, scratch_folder, sha256

HOLD = """
import sys, time
from coursework.storage import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path):
    final = tmp_path / "deep" / "result.txt"
    with atomic_path(final) as temporary:
        temporary.write_text("whole")
        assert not final.exists()
        assert temporary.suffix == final.suffix
    assert final.read_text() == "whole"
    assert names(final.parent) == ["result.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    final = tmp_path / "result.txt"
    final.write_text("old")

    def interrupted():
        with atomic_path(final) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert final.read_text() == "old"
    assert names(tmp_path) == ["result.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "result.txt"):
        pass
    assert names(tmp_path) == []


KILLED = """
import os, signal, sys
from coursework.storage import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_what_a_killed_process_leaves_is_hidden_and_removed_by_the_next_one(tmp_path):
    final = tmp_path / "result.txt"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, final])
    assert all(name.startswith(".") for name in names(tmp_path))
    # One folder, with its lock: the second process has removed that of the first.
    assert len(names(tmp_path)) == 2
    with scratch_folder("result.tx", tmp_path), atomic_path(tmp_path / "result") as other:
        other.touch()
    assert len(names(tmp_path)) == 3, "they belong to other files"
    with atomic_path(final) as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["result", "result.txt"]


def test_a_scratch_folder_is_nobody_elses_and_gone_at_the_end(tmp_path):
    with scratch_folder("draft", tmp_path) as one, scratch_folder("draft", tmp_path) as other:
        (one / "part").touch()
        assert list(other.iterdir()) == []
        assert one.is_dir()
    assert names(tmp_path) == []


def test_scratch_folders_that_are_made_at_the_same_moment_do_not_meet(tmp_path):
    def make(_):
        with scratch_folder("work", tmp_path) as folder:
            assert list(folder.iterdir()) == []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(150)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of Unix")
def test_a_full_disk_names_the_file(tmp_path):
    import resource

    final = tmp_path / "result.txt"
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with (
            pytest.raises(OSError, match=r"too large: .*result\.txt'$"),
            atomic_path(final) as path,
        ):
            path.write_bytes(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert names(tmp_path) == []


def test_a_folder_or_a_device_is_not_replaced_by_a_file(tmp_path):
    for place in (tmp_path, os.devnull):
        with pytest.raises(ValueError, match="is no plain file"), atomic_path(place):
            pass


def test_two_writers_do_not_meet(tmp_path):
    final = tmp_path / "result.txt"
    with atomic_path(final) as one, atomic_path(final) as other:
        one.write_text("one")
        other.write_text("other")
    assert final.read_text() == "one"
    assert names(tmp_path) == ["result.txt"]


def test_sha256_is_the_standard_sum(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(b"abc" * 100_000)
    assert sha256(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()


@pytest.fixture
def other_process(tmp_path):
    """A process that holds ``result.txt``."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "result.txt"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().strip() == b"held"
        yield process
        process.kill()


def test_what_another_process_holds_is_refused_until_it_ends_even_by_a_kill(
    tmp_path, other_process
):
    final = tmp_path / "result.txt"
    message = r"another process is writing .*result\.txt; wait"
    with pytest.raises(BusyError, match=message), locked(final):
        pass
    with locked(tmp_path / "other.txt"):
        pass
    other_process.kill()
    other_process.wait()
    with locked(final):
        pass
    assert names(tmp_path) == []


def test_who_wants_to_wait_is_told_once_and_gets_it(tmp_path, other_process):
    told = []

    def waiting():
        told.append("waiting")
        threading.Timer(0.2, other_process.kill).start()

    with locked(tmp_path / "result.txt", waiting):
        assert told == ["waiting"]
        assert other_process.wait() != 0


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_lock_that_its_holder_deletes_in_passing_holds_nothing(tmp_path, monkeypatch):
    import fcntl

    lock, calls = tmp_path / ".result.txt.lock", []
    take = fcntl.flock

    def flock(descriptor, operation):
        # Another run ends just now, between our opening of the file and our lock on it.
        if not calls:
            lock.unlink()
        calls.append(operation)
        return take(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    # To refuse is as good as to try again.
    with contextlib.suppress(BusyError), locked(tmp_path / "result.txt"):
        assert lock.exists()
    assert calls


@pytest.mark.skipif(sys.platform == "win32", reason="the lock file is deleted otherwise there")
def test_the_lock_of_the_next_run_is_left_alone(tmp_path, monkeypatch):
    release = filelock.FileLock.release

    def begin_the_next_run(lock, *arguments, **options):
        next_one.touch()
        release(lock, *arguments, **options)

    next_one = tmp_path / ".result.txt.lock"
    monkeypatch.setattr(filelock.FileLock, "release", begin_the_next_run)
    with locked(tmp_path / "result.txt"):
        pass
    assert next_one.exists()
