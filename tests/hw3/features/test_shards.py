"""Question 1, long runs: what was computed is kept, never mixed, and never made twice at once."""

import contextlib
import logging
import sys

import filelock
import numpy as np
import pytest

from hw3.features.shards import (
    ExtractionRunningError,
    Shards,
    locate_shards,
    only_one,
    open_shards,
    remove_shards,
)

pytestmark = pytest.mark.hw3_q1

RECIPE = {"backbone": "a small network", "precision": "fp32"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def shards(tmp_path):
    """23 rows in batches of 2: two shards of 8 and one of 7."""
    return Shards(tmp_path, images=23, width=3, size=8)


def test_every_row_belongs_to_one_shard(shards):
    rows = [row for number in range(len(shards)) for row in shards.rows(number)]
    assert rows == list(range(23))
    assert [len(shards.rows(number)) for number in range(len(shards))] == [8, 8, 7]


def test_shards_are_missing_until_they_are_written(shards):
    whole = np.arange(69, dtype=np.float32).reshape(23, 3)
    shards.write(1, whole[8:16])
    assert shards.missing() == [0, 2]
    shards.write(2, whole[16:])
    shards.write(0, whole[:8])
    assert shards.missing() == []
    np.testing.assert_array_equal(shards.gather(), whole)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", np.zeros((7, 3), np.float32), np.zeros((8, 3))]
)
def test_a_damaged_shard_is_made_again(shards, caplog, content):
    if isinstance(content, bytes):
        shards.path(0).write_bytes(content)
    else:
        np.save(shards.path(0), content)
    assert shards.missing() == [0, 1, 2]
    assert "000000.npy is damaged and is made again" in caplog.text


def test_a_shard_cut_short_is_made_again(shards):
    shards.write(0, np.zeros((8, 3), np.float32))
    shards.path(0).write_bytes(shards.path(0).read_bytes()[:-1])
    assert shards.missing() == [0, 1, 2]


def test_work_is_found_again_by_its_recipe_alone(mat_file):
    with open_shards(mat_file, RECIPE, 23, 3, 2) as first:
        first.write(0, np.ones((8, 3), np.float32))
    with open_shards(mat_file, RECIPE, 23, 3, 2) as second:
        assert second.missing() == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        ({**RECIPE, "precision": "bf16"}, 23, 3, 2),
        (RECIPE, 24, 3, 2),
        (RECIPE, 23, 4, 2),
        (RECIPE, 23, 3, 4),
    ],
)
def test_work_of_another_recipe_is_neither_used_nor_removed(mat_file, caplog, other):
    with open_shards(mat_file, RECIPE, 23, 3, 2) as first:
        first.write(0, np.ones((8, 3), np.float32))
    with caplog.at_level(logging.WARNING), open_shards(mat_file, *other) as second:
        assert len(second.missing()) == len(second)
        remove_shards(second)
    assert first.missing() == [1, 2]
    assert "is unfinished work with other settings and is not used" in caplog.text


def test_the_warning_says_what_differs(mat_file, caplog):
    with open_shards(mat_file, RECIPE, 23, 3, 2):
        pass
    with open_shards(mat_file, {**RECIPE, "precision": "bf16"}, 23, 3, 2):
        pass
    assert "precision was 'fp32', now 'bf16'. Delete the folder" in caplog.text
    assert "backbone" not in caplog.text


def test_a_failure_before_the_first_shard_leaves_nothing(mat_file):
    with pytest.raises(KeyboardInterrupt), open_shards(mat_file, RECIPE, 23, 3, 2):
        raise KeyboardInterrupt
    assert list(mat_file.parent.iterdir()) == []


def test_a_failure_after_it_leaves_the_finished_shards(mat_file):
    def stop_after_one():
        with open_shards(mat_file, RECIPE, 23, 3, 2) as shards:
            shards.write(2, np.ones((7, 3), np.float32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_one()
    assert locate_shards(mat_file, RECIPE, 23, 3, 2).missing() == [0, 1]


def test_only_one_at_a_time_makes_a_file(mat_file):
    with only_one(mat_file):
        with (
            pytest.raises(
                ExtractionRunningError,
                match=r"extracting to .*features\.mat; wait .* delete .*\.features\.mat\.lock",
            ),
            only_one(mat_file),
        ):
            pass
        with only_one(mat_file.with_name("other.mat")):
            pass
    with only_one(mat_file):
        pass
    assert list(mat_file.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_lock_that_its_holder_deletes_in_passing_holds_nothing(mat_file, monkeypatch):
    import fcntl

    lock, calls = mat_file.with_name(".features.mat.lock"), []
    take = fcntl.flock

    def flock(descriptor, operation):
        # Another run ends just now, between our opening of the file and our lock on it.
        if not calls:
            lock.unlink()
        calls.append(operation)
        return take(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    # To refuse is as good as to try again.
    with contextlib.suppress(ExtractionRunningError), only_one(mat_file):
        assert lock.exists()
    assert calls


@pytest.mark.skipif(sys.platform == "win32", reason="the lock file is deleted otherwise there")
def test_the_lock_of_the_next_run_is_left_alone(mat_file, monkeypatch):
    release = filelock.FileLock.release

    def begin_the_next_run(lock, *arguments, **options):
        next_one.touch()
        release(lock, *arguments, **options)

    next_one = mat_file.with_name(".features.mat.lock")
    monkeypatch.setattr(filelock.FileLock, "release", begin_the_next_run)
    with only_one(mat_file):
        pass
    assert next_one.exists()


@pytest.mark.parametrize("name", ["", "folder"])
def test_what_is_no_file_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match=r"is not a file; name one"), only_one(name):
        pass
    assert names(tmp_path) == ["folder"]
