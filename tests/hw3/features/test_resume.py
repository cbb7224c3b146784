"""Question 1, stopped: the next run goes on, and its file is that of a run in one go."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from coursework import runtime
from coursework.storage import BusyError
from hw3.features import Extractor, Preprocessing, compute_features, extract, load_features
from hw3.mnist import Digits

pytestmark = pytest.mark.hw3_q1

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and limits of Unix")

NETWORK = """
import torch
from torch import nn

torch.manual_seed(0)
network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(147, 2048), nn.ReLU())
"""

HOW = {"batch_size": 3, "show_progress": False}


def small_network():
    names = {}
    exec(NETWORK, names)
    return names["network"]


class Counting(nn.Module):
    """A network that counts its batches, and stops like Ctrl-C at one of them."""

    def __init__(self, stop_at=None):
        super().__init__()
        # Before batch 1 come the first images, which are computed to recognise the pipeline.
        self.inside, self.batches, self.stop_at = small_network(), -1, stop_at

    def forward(self, images):
        self.batches += 1
        if self.batches == self.stop_at:
            raise KeyboardInterrupt
        return self.inside(images)

    def __repr__(self):
        return "one and the same network"


def counting(stop_at=None):
    return Extractor(Counting(stop_at), "resnet50", "untrained")


@contextmanager
def disk_for_files_of(size):
    """Let no file grow beyond so many bytes: a disk that is full."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture(scope="module")
def hundred_digits(digits):
    return Digits(digits["train"].images[:100], digits["train"].labels[:100])


@pytest.fixture
def uninterrupted(hundred_digits, tmp_path_factory):
    """The bytes of a run in one go, in batches of 3: eight shards of 12 images and one of 4."""
    path = tmp_path_factory.mktemp("one go") / "x.mat"
    extract(hundred_digits, path, counting(), **HOW)
    return path.read_bytes()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def shards(mat_file):
    return list(mat_file.parent.glob(".*.parts/*/*.npy"))


@pytest.mark.parametrize("at", [2, 5, 17, 34])
def test_a_stopped_extraction_goes_on_where_it_was(hundred_digits, uninterrupted, mat_file, at):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(at), **HOW)
    assert not mat_file.exists()
    second = counting()
    extract(hundred_digits, mat_file, second, **HOW)
    finished = (at - 1) // 4
    assert second.network.batches == 34 - 4 * finished
    assert mat_file.read_bytes() == uninterrupted
    assert names(mat_file.parent) == [mat_file.name]


@pytest.fixture
def trial(monkeypatch):
    """Return a function that says what the next trials of the layouts will find."""
    monkeypatch.setattr("hw3.features.pipeline.TRIAL_FROM", 1)

    def finds(layout):
        monkeypatch.setattr("hw3.features.pipeline.choose_layout", lambda *_: layout)

    return finds


def test_stopped_work_goes_on_in_its_layout(hundred_digits, mat_file, tmp_path, trial):
    trial("contiguous")
    extract(hundred_digits, tmp_path / "in one go.mat", counting(), **HOW)
    # The first images are computed in both layouts, to recognise the pipeline: one batch more.
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(18), **HOW)
    trial("channels_last")
    second = counting()
    extract(hundred_digits, mat_file, second, **HOW)
    assert second.network.batches == 34 - 16 + 1
    assert load_features(mat_file).layout == "contiguous"
    assert mat_file.read_bytes() == (tmp_path / "in one go.mat").read_bytes()


def test_stopped_work_that_names_no_layout_is_in_channels_last(
    hundred_digits, uninterrupted, mat_file, trial
):
    """Versions before 0.2.0 knew no other."""
    trial("channels_last")
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(17), **HOW)
    (note,) = mat_file.parent.glob(".*.parts/*/recipe.json")
    recipe = json.loads(note.read_text())
    assert recipe.pop("layout") == "channels_last"
    note.write_text(json.dumps(recipe))
    # Such a version named the folder by its whole recipe.
    assert note.parent.name == hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]
    trial("contiguous")
    second = counting()
    extract(hundred_digits, mat_file, second, **HOW)
    assert second.network.batches == 34 - 16
    assert mat_file.read_bytes() == uninterrupted


def test_a_stop_before_the_first_piece_leaves_nothing(hundred_digits, mat_file):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(3), **HOW)
    assert names(mat_file.parent) == []


def test_an_array_is_resumed_too_and_its_features_stay_on_disk(hundred_digits, tmp_path):
    for name, stops in (("one.npy", []), ("two.npy", [9, 20])):
        for at in stops:
            with pytest.raises(KeyboardInterrupt):
                extract(hundred_digits, tmp_path / name, counting(at), **HOW)
        extract(hundred_digits, tmp_path / name, counting(), **HOW)
    for kind in ("npy", "labels.mat"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    made = load_features(tmp_path / "two.npy")
    assert isinstance(made.features.base, np.memmap)
    expected = compute_features(hundred_digits, counting(), **HOW)
    np.testing.assert_array_equal(made.features, expected.features)
    np.testing.assert_array_equal(made.labels, expected.labels)


def test_progress_begins_where_it_was(hundred_digits, mat_file, capsys):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(17), batch_size=3)
    capsys.readouterr()
    extract(hundred_digits, mat_file, counting(), batch_size=3)
    printed = capsys.readouterr().out
    assert " 48/100 " in printed.partition("\r")[2].partition("\r")[0]
    assert "100/100" in printed


@pytest.mark.parametrize("damage", [lambda content: content[:-40], lambda content: b"\x93NUMPY"])
def test_a_damaged_shard_is_named_and_computed_anew_once_it_is_deleted(
    hundred_digits, uninterrupted, mat_file, damage
):
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(17), **HOW)
    shard = shards(mat_file)[0]
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(ValueError, match=rf"{shard.name} is not a NumPy array .*; delete it and"):
        extract(hundred_digits, mat_file, counting(), **HOW)
    shard.unlink()
    extract(hundred_digits, mat_file, counting(), **HOW)
    assert mat_file.read_bytes() == uninterrupted


def test_a_damaged_recipe_of_other_work_stops_nothing(hundred_digits, uninterrupted, mat_file):
    left = mat_file.parent / f".{mat_file.name}.parts" / "other" / "recipe.json"
    left.parent.mkdir(parents=True)
    for content in ("", "[1]", "{"):
        left.write_text(content)
        extract(hundred_digits, mat_file, counting(), **HOW)
        assert mat_file.read_bytes() == uninterrupted


@unix
def test_a_disk_that_is_too_full_for_a_piece_leaves_nothing(hundred_digits, mat_file):
    with disk_for_files_of(50_000), pytest.raises(OSError, match="File too large"):
        extract(hundred_digits, mat_file, counting(), **HOW)
    assert names(mat_file.parent) == []


@unix
@pytest.mark.parametrize("name", ["x.mat", "x.npy"])
def test_a_disk_that_is_too_full_for_the_whole_file_costs_no_finished_piece(
    hundred_digits, tmp_path, name
):
    """A shard takes 98 kB, and the whole file 819 kB."""
    (tmp_path / name).write_bytes(b"an older file")
    for _ in range(2):
        with disk_for_files_of(400_000), pytest.raises(OSError, match="File too large"):
            extract(hundred_digits, tmp_path / name, counting(), **HOW)
        assert (tmp_path / name).read_bytes() == b"an older file"
        (folder,) = tmp_path.glob(".*.parts/*")
        assert names(folder) == [f"{number:06}.npy" for number in range(9)] + ["recipe.json"]
    last = counting()
    extract(hundred_digits, tmp_path / name, last, **HOW)
    assert last.network.batches == 0
    assert len(load_features(tmp_path / name).labels) == 100


@pytest.mark.parametrize("last", ["x.labels.mat", "x.npy"])
def test_an_array_never_stands_beside_the_labels_of_another_run(
    hundred_digits, tmp_path, monkeypatch, last
):
    def held_by_another_program(source, destination, replace=os.replace):
        if os.path.basename(destination) == last:
            raise PermissionError("held by another program")
        replace(source, destination)

    few = Digits(hundred_digits.images[:7], hundred_digits.labels[:7])
    extract(few, tmp_path / "x.npy", counting(), **HOW)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", held_by_another_program)
        with pytest.raises(PermissionError):
            extract(hundred_digits, tmp_path / "x.npy", counting(), **HOW)
    with pytest.raises(FileNotFoundError, match=r"no feature file .*x\.npy"):
        load_features(tmp_path / "x.npy")
    extract(hundred_digits, tmp_path / "x.npy", counting(), **HOW)
    assert len(load_features(tmp_path / "x.npy").labels) == 100


class Inverted(Preprocessing):
    """Other code under the same words, which are inherited."""

    def __call__(self, images):
        return super().__call__(1 - images)


class Doubled(Extractor):
    """Other code around the same network and weights."""

    def forward(self, images):
        return 2 * super().forward(images)


@pytest.mark.parametrize(
    "change",
    [
        *("images", "labels", "weights", "preprocessing", "batch size", "precision", "threads"),
        *("code of the preprocessing", "code of the extractor"),
    ],
)
def test_work_with_other_settings_is_neither_mixed_in_nor_lost(
    hundred_digits, mat_file, caplog, monkeypatch, change
):
    monkeypatch.setattr(runtime, "reduced_precision", lambda device: torch.bfloat16)
    with pytest.raises(KeyboardInterrupt):
        extract(hundred_digits, mat_file, counting(17), **HOW)
    images, labels = hundred_digits.images.copy(), hundred_digits.labels.copy()
    other, kind, preprocessing, how = Counting(), Extractor, Preprocessing(), dict(HOW)
    threads = torch.get_num_threads()
    match change:
        case "images":
            images[99, 27, 27] += 1
        case "labels":
            labels[99] += 1
        case "weights":
            other.inside[2].bias.data[0] += 1
        case "preprocessing":
            preprocessing = Preprocessing(mean=0.4)
        case "batch size":
            how["batch_size"] = 6
        case "precision":
            how["precision"] = "bf16"
        case "threads":
            torch.set_num_threads(threads + 1)
        case "code of the preprocessing":
            preprocessing = Inverted()
        case "code of the extractor":
            kind = Doubled
    try:
        extractor = kind(other, "resnet50", "untrained")
        extract(Digits(images, labels), mat_file, extractor, preprocessing, **how)
    finally:
        torch.set_num_threads(threads)
    assert other.batches == -(-100 // how["batch_size"]), "shards of the first run were used"
    assert "is unfinished work with other settings and is not used (there and now: " in caplog.text
    if change in ("preprocessing", "batch size", "precision", "threads"):
        assert f"{change}: " in caplog.text
    third = counting()
    extract(hundred_digits, mat_file, third, **HOW)
    assert third.network.batches == 34 - 16, "the work of the first run was lost"


SLOW_RUN = (
    NETWORK
    + """
import sys, time
import numpy as np
from hw3.features import Extractor, extract

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


@pytest.fixture
def command(hundred_digits, mat_file, tmp_path_factory):
    """What extracts slowly in a process of its own."""
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "images.npy", hundred_digits.images)
    np.save(folder / "labels.npy", hundred_digits.labels)
    paths = [str(folder / "images.npy"), str(folder / "labels.npy"), str(mat_file)]
    return [sys.executable, "-c", SLOW_RUN, *paths, str(torch.get_num_threads())]


def plain_extraction(digits, path):
    extract(digits, path, Extractor(small_network(), "resnet50", "untrained"), **HOW)


@unix
def test_a_killed_process_holds_nobody_up(hundred_digits, mat_file, command, tmp_path):
    rng = np.random.default_rng()
    for finished in (1, 4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while len(shards(mat_file)) < finished:
                assert process.poll() is None
                time.sleep(0.005)
            with pytest.raises(BusyError, match=r"another process is writing .*features\.mat"):
                plain_extraction(hundred_digits, mat_file)
            time.sleep(rng.uniform(0, 0.03))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert not mat_file.exists()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    plain_extraction(hundred_digits, tmp_path / "alone.mat")
    assert mat_file.read_bytes() == (tmp_path / "alone.mat").read_bytes()
    assert names(tmp_path) == ["alone.mat", mat_file.name]


@unix
def test_parts_of_a_file_that_killed_runs_left_do_not_add_up(hundred_digits, mat_file, command):
    """Each may be as large as the file, and nothing else would ever remove them."""
    # At this signal a process ends at once, while it writes beyond the limit.
    deadly = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
    deadly += "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
    command[2] = deadly + command[2]
    for _ in range(2):
        process = subprocess.run(command, stdout=subprocess.DEVNULL)
        assert process.returncode == -signal.SIGXFSZ
        assert len(shards(mat_file)) == 9
        assert len(list(mat_file.parent.glob(".*.parts/*/.whole-*"))) == 1
    plain_extraction(hundred_digits, mat_file)
    assert names(mat_file.parent) == [mat_file.name]


class Untouchable:
    """As many images as there should be, of which none may be read."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        raise AssertionError("the work has begun")


def test_too_many_features_for_matlab_are_refused_before_the_work(mat_file):
    message = r"2\.0 GiB, but .* ends at 2 GiB, .* write to features\.npy instead of features\.mat"
    with pytest.raises(ValueError, match=message):
        extract(Untouchable(262_144), mat_file, counting())


@pytest.mark.parametrize("name", ["build", "build/", "build/..", ".", "", "/", "x.npy"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "x.labels.mat").mkdir()
    with pytest.raises(ValueError, match=r"is a folder, where a file is to be written; name a"):
        extract(Untouchable(10), name, counting())
    assert names(tmp_path) == ["build", "x.labels.mat"]
