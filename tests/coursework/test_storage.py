"""Files are whole or not there."""

import hashlib

import pytest

from coursework.storage import atomic_path, sha256


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
