"""Question 1, killed: the next run goes on, and its file is that of a run in one go."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from hw3.features import Extractor, Preprocessing, extract, feature_stream, load_features
from hw3.features import extraction as features
from hw3.features.shards import ExtractionRunningError
from hw3.mnist import Digits

pytestmark = pytest.mark.hw3_q1

NETWORK = """
import torch
from torch import nn

torch.manual_seed(0)
network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(147, 2048), nn.ReLU())
"""


def small_extractor():
    names = {}
    exec(NETWORK, names)
    return Extractor(names["network"], "resnet50", "untrained")


class Stop(nn.Module):
    """A network that counts its batches and fails at one of them."""

    def __init__(self, at=None):
        super().__init__()
        # What comes before batch 1 is the first images, computed for the recipe.
        self.inside, self.batches, self.at = small_extractor().network, -1, at

    def forward(self, images):
        self.batches += 1
        if self.batches == self.at:
            raise KeyboardInterrupt
        return self.inside(images)

    def __repr__(self):
        return "one and the same network"


def stopping(at=None):
    return Extractor(Stop(at), "resnet50", "x")


@pytest.fixture(scope="module")
def hundred_digits(digits):
    return Digits(digits["train"].images[:100], digits["train"].labels[:100])


@pytest.fixture
def uninterrupted(hundred_digits, tmp_path):
    """The bytes of a run in one go, in batches of 3: eight shards of 12 and one of 4."""
    extract(hundred_digits, tmp_path / "a" / "x.mat", stopping(), **HOW)
    return (tmp_path / "a" / "x.mat").read_bytes()


HOW = {"batch_size": 3, "show_progress": False}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("at", [2, 5, 17, 34])
def test_a_stopped_extraction_goes_on_where_it_was(hundred_digits, uninterrupted, mat_file, at):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, stopping(at), **HOW)
    assert not mat_file.exists()
    second = stopping()
    returned = extract(hundred_digits, mat_file, second, **HOW)
    finished = (at - 1) // 4
    assert second.network.batches == 34 - 4 * finished
    assert mat_file.read_bytes() == uninterrupted
    np.testing.assert_array_equal(returned.features, load_features(mat_file).features)
    assert names(mat_file.parent) == ["a", mat_file.name]


def test_an_array_is_resumed_too(hundred_digits, tmp_path):
    for name, stops in (("one.npy", []), ("two.npy", [9, 20])):
        for at in stops:
            with pytest.raises(KeyboardInterrupt):
                extract(hundred_digits, tmp_path / name, stopping(at), **HOW)
        made = extract(hundred_digits, tmp_path / name, stopping(), **HOW)
        assert isinstance(made.features, np.memmap)
    for kind in ("npy", "labels.mat"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_nothing_is_computed_twice_if_it_stops_while_the_file_is_written(
    hundred_digits, uninterrupted, mat_file, monkeypatch
):
    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(features, "stream_features", stop)
        with pytest.raises(KeyboardInterrupt):
            extract(hundred_digits, mat_file, stopping(), **HOW)
    second = stopping()
    extract(hundred_digits, mat_file, second, **HOW)
    assert second.network.batches == 0
    assert mat_file.read_bytes() == uninterrupted


def test_a_full_disk_leaves_the_finished_shards_alone_and_no_two_runs_write_one_file(
    hundred_digits, uninterrupted, mat_file, monkeypatch
):
    written = set()

    def fill_the_disk(file, *arguments):
        written.add(file.name)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(feature_stream, "write_mat", fill_the_disk)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                extract(hundred_digits, mat_file, stopping(), **HOW)
    assert len(written) == 2
    (folder,) = mat_file.parent.glob(".*.parts/*")
    assert names(folder) == [f"{number:06}.npy" for number in range(9)] + ["recipe.json"]
    extract(hundred_digits, mat_file, stopping(), **HOW)
    assert mat_file.read_bytes() == uninterrupted


def test_progress_begins_where_it_was(hundred_digits, mat_file, capsys):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, stopping(17), batch_size=3)
    capsys.readouterr()
    extract(hundred_digits, mat_file, stopping(), batch_size=3)
    printed = capsys.readouterr().out
    assert " 48/100 " in printed.partition("\r")[2].partition("\r")[0]
    assert "100/100" in printed


class Inverted(Preprocessing):
    """The words for it are inherited."""

    def __call__(self, images):
        return super().__call__(1 - images)


class Doubled(Extractor):
    """Its network and weights are the same."""

    def forward(self, images):
        return 2 * super().forward(images)


def _with_another_weight(network):
    with torch.no_grad():
        network.inside[2].bias[0] += 1


@pytest.mark.parametrize(
    "change",
    [
        "images",
        "labels",
        "network",
        "preprocessing",
        "batch",
        "threads",
        "code of the preprocessing",
        "code of the extractor",
    ],
)
def test_work_on_anything_else_is_not_mixed_in(hundred_digits, mat_file, caplog, change):
    images, labels = hundred_digits.images.copy(), hundred_digits.labels.copy()
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, stopping(17), **HOW)
    other = Stop()
    how, preprocessing, threads = dict(HOW), Preprocessing(), torch.get_num_threads()
    kind = Extractor
    match change:
        case "images":
            images[99, 27, 27] += 1
        case "labels":
            labels[99] += 1
        case "network":
            _with_another_weight(other)
        case "preprocessing":
            preprocessing = Preprocessing(mean=0.4)
        case "batch":
            how["batch_size"] = 6
        case "threads":
            torch.set_num_threads(threads + 1)
        case "code of the preprocessing":
            preprocessing = Inverted()
        case "code of the extractor":
            kind = Doubled
    try:
        extract(
            Digits(images, labels),
            mat_file,
            kind(other, "resnet50", "x"),
            preprocessing,
            **how,
        )
    finally:
        torch.set_num_threads(threads)
    assert other.batches == -(-100 // how["batch_size"])
    assert "is unfinished work with other settings and is not used" in caplog.text
    third = stopping()
    extract(hundred_digits, mat_file, third, **HOW)
    assert third.network.batches == 34 - 16, "the first run's work was lost"


SLOW_RUN = (
    NETWORK
    + """
import sys, time
import numpy as np
from hw3.features import extract
from hw3.features import Extractor

class Slow:
    images, labels = np.load(sys.argv[1]), np.load(sys.argv[2])
    def __len__(self):
        return len(self.labels)
    def __getitem__(self, index):
        time.sleep(0.003)
        return self.images[index], self.labels[index]

torch.set_num_threads(int(sys.argv[4]))
extract(Slow(), sys.argv[3], Extractor(network, "resnet50", "untrained"), batch_size=3)
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_process_holds_nobody_up(hundred_digits, mat_file, tmp_path):
    np.save(tmp_path / "images.npy", hundred_digits.images)
    np.save(tmp_path / "labels.npy", hundred_digits.labels)
    paths = [str(tmp_path / name) for name in ("images.npy", "labels.npy", mat_file.name)]
    command = [sys.executable, "-c", SLOW_RUN, *paths, str(torch.get_num_threads())]
    rng = np.random.default_rng()
    for finished in (1, 4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while len(list(mat_file.parent.glob(".*.parts/*/*.npy"))) < finished:
                assert process.poll() is None
                time.sleep(0.005)
            with pytest.raises(ExtractionRunningError, match="another process is extracting"):
                extract(hundred_digits, mat_file, small_extractor(), **HOW)
            time.sleep(rng.uniform(0, 0.03))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert not mat_file.exists()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    extract(hundred_digits, tmp_path / "alone.mat", small_extractor(), **HOW)
    assert mat_file.read_bytes() == (tmp_path / "alone.mat").read_bytes()
    assert names(tmp_path) == ["alone.mat", mat_file.name, "images.npy", "labels.npy"]


KILLED_WHILE_WRITING = (
    """
import os, signal
from hw3.features import feature_stream

def write_mat(file, *arguments):
    file.write(b"a part")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

feature_stream.write_mat = write_mat
"""
    + SLOW_RUN
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_parts_of_a_file_that_killed_runs_left_do_not_add_up(
    hundred_digits, mat_file, tmp_path, monkeypatch
):
    """Each may be as large as the file, and nothing else ever removes them."""
    np.save(tmp_path / "images.npy", hundred_digits.images)
    np.save(tmp_path / "labels.npy", hundred_digits.labels)
    paths = [str(tmp_path / name) for name in ("images.npy", "labels.npy", mat_file.name)]
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, *paths, str(torch.get_num_threads())]
    for _ in range(2):
        process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.returncode == -signal.SIGKILL
        assert len(list(mat_file.parent.glob(".*.parts/*/whole-*/*.mat"))) == 1
    (folder,) = mat_file.parent.glob(".*.parts/*")
    (folder / ".000003.npy.abcdef").mkdir()

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(features, "stream_features", stop)
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, small_extractor(), **HOW)
    assert names(folder) == [f"{number:06}.npy" for number in range(9)] + ["recipe.json"]
