"""Question 1, the file written from shards: MATLAB's and SciPy's own, without holding it whole."""

import os
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from hw3.features import Features, feature_stream, load_features, save_features
from hw3.features.feature_stream import check_target, labels_beside, open_array, stream_features
from hw3.features.shards import Shards

pytestmark = pytest.mark.hw3_q1

TEXTS = {"backbone": "a net", "weights": "none", "preprocessing": "x / 2", "precision": "fp32"}


def finished(folder, whole, size):
    shards = Shards(folder, *whole.shape, size)
    for number in range(len(shards)):
        rows = shards.rows(number)
        shards.write(number, whole[rows.start : rows.stop])
    return shards


@pytest.fixture
def whole():
    return np.random.default_rng(0).normal(size=(23, 5)).astype(np.float32)


@pytest.fixture
def shards(tmp_path, whole):
    return finished(tmp_path / "parts", whole, 8)


@given(
    rows=st.integers(1, 9),
    width=st.integers(1, 9),
    size=st.integers(1, 5),
    block=st.integers(1, 99),
)
def test_scipy_reads_what_went_in(tmp_path_factory, rows, width, size, block):
    folder = tmp_path_factory.mktemp("stream")
    whole = np.arange(rows * width, dtype=np.float32).reshape(rows, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_stream, "BLOCK_BYTES", block)
        stream_features(folder / "x.mat", finished(folder, whole, size), np.arange(rows), TEXTS)
    content = scipy.io.loadmat(folder / "x.mat")
    np.testing.assert_array_equal(content["features"], whole)
    np.testing.assert_array_equal(content["labels"], np.arange(rows)[:, None])
    assert content["features"].dtype == np.float32


def test_it_reads_like_a_file_of_save_features(mat_file, shards, whole, tmp_path):
    stream_features(mat_file, shards, np.arange(23), TEXTS)
    save_features(tmp_path / "saved.mat", Features(whole, np.arange(23), **TEXTS))
    assert scipy.io.whosmat(mat_file) == scipy.io.whosmat(tmp_path / "saved.mat")
    streamed, saved = load_features(mat_file), load_features(tmp_path / "saved.mat")
    np.testing.assert_array_equal(streamed.features, saved.features)
    np.testing.assert_array_equal(streamed.labels, saved.labels)
    assert {name: getattr(streamed, name) for name in TEXTS} == TEXTS


def test_equal_features_are_equal_bytes(shards, tmp_path, monkeypatch):
    for name, now in (("a.mat", 0.0), ("b.mat", 1e9)):
        # A date in the header would be that of the clock.
        monkeypatch.setattr("time.time", lambda now=now: now)
        monkeypatch.setattr("time.asctime", lambda now=now: str(now))
        stream_features(tmp_path / name, shards, np.arange(23), TEXTS)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()


def test_an_array_of_any_size_has_its_labels_beside_it(shards, whole, tmp_path):
    target = tmp_path / "train.npy"
    stream_features(target, shards, np.arange(23), TEXTS)
    features = open_array(target)
    assert isinstance(features, np.memmap)
    np.testing.assert_array_equal(features, whole)
    content = scipy.io.loadmat(labels_beside(target))
    assert labels_beside(target).name == "train.labels.mat"
    assert content["labels"].ravel().tolist() == list(range(23))
    assert {name: content[name].item() for name in TEXTS} == TEXTS


@pytest.mark.parametrize("name", ["x.mat", "x.npy"])
def test_memory_holds_a_block_and_not_the_features(tmp_path, monkeypatch, name):
    whole = np.ones((4000, 500), np.float32)
    shards = finished(tmp_path / "parts", whole, 100)
    monkeypatch.setattr(feature_stream, "BLOCK_BYTES", whole.nbytes // 10)
    tracemalloc.start()
    stream_features(tmp_path / name, shards, np.arange(4000), TEXTS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < whole.nbytes / 4


@pytest.fixture
def old_pair(tmp_path, whole):
    """Features of another run, with their labels, and what the two hold."""
    old = finished(tmp_path / "old parts", whole[:7] + 1, 8)
    stream_features(tmp_path / "x.npy", old, np.arange(7), TEXTS)
    return {path: path.read_bytes() for path in (tmp_path / "x.npy", tmp_path / "x.labels.mat")}


def test_an_old_pair_stays_if_the_new_labels_cannot_be_written(old_pair, shards, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    target = next(iter(old_pair))
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            stream_features(target, shards, np.arange(23), TEXTS)
    assert {path: path.read_bytes() for path in old_pair} == old_pair
    assert len(load_features(target).labels) == 7


@pytest.mark.parametrize("last", ["x.labels.mat", "x.npy"])
def test_a_file_never_stands_beside_one_of_another_run(old_pair, shards, whole, monkeypatch, last):
    def stop(source, destination, replace=os.replace):
        if Path(destination).name == last:
            raise PermissionError("held by another program")
        replace(source, destination)

    target, beside = old_pair
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", stop)
        with pytest.raises(PermissionError):
            stream_features(target, shards, np.arange(23), TEXTS)
    assert not target.exists()
    assert beside.exists()
    stream_features(target, shards, np.arange(23), TEXTS)
    np.testing.assert_array_equal(load_features(target).features, whole)


@pytest.mark.parametrize("name", ["x.mat", "x.npy"])
def test_what_a_killed_process_leaves_of_the_file_goes_with_the_shards(
    tmp_path, shards, monkeypatch, name
):
    def stop(*arguments):
        raise SystemExit

    (tmp_path / name).write_bytes(b"an older file")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", stop)
        with pytest.raises(SystemExit):
            stream_features(tmp_path / name, shards, np.arange(23), TEXTS)
    assert (tmp_path / name).read_bytes() == b"an older file"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", name]


def test_too_many_features_for_matlab_are_refused_before_the_work(tmp_path):
    check_target(tmp_path / "x.mat", 262_143, 2048)
    check_target(tmp_path / "x.npy", 10**9, 2048)
    with pytest.raises(ValueError, match=r"2\.0 GiB, but .* ends at 2 GiB; write to x\.npy"):
        check_target(tmp_path / "x.mat", 262_144, 2048)


@pytest.mark.parametrize("name", ["build", "build/", "build/..", ".", "", "/"])
def test_a_folder_is_refused_before_the_work(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    with pytest.raises(ValueError, match=r"is a folder; name a file in it, .*features\.mat"):
        check_target(name, 10, 10)


def test_a_folder_in_the_place_of_the_labels_is_refused_before_the_work(tmp_path):
    (tmp_path / "x.labels.mat").mkdir()
    with pytest.raises(ValueError, match=r"x\.labels\.mat is a folder, where.*choose another"):
        check_target(tmp_path / "x.npy", 10, 10)


def test_a_file_in_the_place_of_its_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "build").write_text("a file")
    for name in ("build/x.mat", "build/deeper/x.mat"):
        with pytest.raises(ValueError, match=r"x\.mat cannot be written \(.*\); name a file"):
            check_target(tmp_path / name, 10, 10)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the permissions of Unix")
def test_a_folder_that_may_not_be_written_to_is_refused_before_the_work(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:  # nothing is forbidden to the superuser
        monkeypatch.setattr("tempfile.TemporaryFile", forbidden)
    for name in ("x.mat", "deeper/x.mat"):
        with pytest.raises(ValueError, match=r"x\.mat cannot be written .*ermission.*; name a"):
            check_target(closed / name, 10, 10)


def forbidden(*, dir):
    raise PermissionError(13, "Permission denied", str(dir))


def test_a_check_leaves_nothing_behind(tmp_path):
    (tmp_path / "old.mat").write_bytes(b"an older file")
    for name in ("old.mat", "x.mat", "x.npy", "deep/er/x.mat"):
        check_target(tmp_path / name, 10, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mat"]


@pytest.mark.skipif(shutil.which("octave") is None, reason="needs GNU Octave")
def test_octave_reads_the_file(mat_file, shards, whole):
    stream_features(mat_file, shards, np.arange(23), TEXTS)
    code = (
        f"s = load('{mat_file}'); "
        "printf('%s %d %d %.6f %d %s', class(s.features), size(s.features), s.features(23, 5), "
        "s.labels(23), s.backbone)"
    )
    result = subprocess.run(["octave", "--no-gui", "--eval", code], capture_output=True, text=True)
    assert result.stdout == f"single 23 5 {whole[22, 4]:.6f} 22 a net"
