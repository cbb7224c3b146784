"""Question 1, from the command line: one process or many, one file, the same bytes."""

import errno
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from torch import distributed

from coursework.profiles import ROOT
from hw3.features import (
    Pipeline,
    Preprocessing,
    build_extractor,
    build_pipeline,
    extract,
    extract_together,
    load_features,
    save_features,
)
from hw3.features import sharing as extraction_job
from hw3.features.processes import ProcessLostError
from hw3.features.shards import Shards, only_one
from hw3.features.sharing import main

pytestmark = pytest.mark.hw3_q1

NETWORK = ("--backbone=efficientnet_lite0", "--weights=none", "--image-size=32", "--batch-size=3")


@pytest.fixture
def idx_folder(some_digits, tmp_path):
    """The test split of a small MNIST: 23 images, in batches of 3 one shard of 12 and one of 11."""
    images, labels = some_digits.images, some_digits.labels
    folder = tmp_path / "idx"
    folder.mkdir()
    header = struct.pack(">IIII", 0x803, *images.shape)
    (folder / "t10k-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = struct.pack(">II", 0x801, len(labels))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return folder


@pytest.fixture
def arguments(idx_folder, mat_file):
    return [f"--root={idx_folder}", "--split=test", f"--output={mat_file}", *NETWORK]


@pytest.fixture
def alone(some_digits, tmp_path):
    """What one process writes in one go."""
    path = tmp_path / "alone" / "x.mat"
    extract(some_digits, path, *network(), batch_size=3, show_progress=False)
    return path.read_bytes()


def network():
    return build_extractor("efficientnet_lite0", None), Preprocessing(image_size=32)


def test_the_command_writes_what_extract_writes(arguments, mat_file, alone, capsys):
    main(arguments)
    assert mat_file.read_bytes() == alone
    assert "23/23" in capsys.readouterr().out


def test_the_command_takes_a_checkpoint_and_an_array(arguments, mat_file, tmp_path):
    extractor, _ = network()
    torch.save(extractor.network.state_dict(), tmp_path / "w.pt")
    main([*arguments, f"--weights={tmp_path / 'w.pt'}", f"--output={mat_file.with_suffix('.npy')}"])
    content = scipy.io.loadmat(mat_file.with_suffix(".labels.mat"))
    assert content["weights"].item() == "checkpoint w.pt"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("--root=nowhere", "error: .*nowhere.* is missing"),
        ("--precision=half", "error: no precision 'half'"),
        ("--weights=nothing.pt", "error: no checkpoint nothing.pt"),
        ("--batch-size=0", "error: batch_size is 0"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_failure(arguments, mat_file, wrong, message):
    with pytest.raises(SystemExit, match=message):
        main([*arguments, wrong])
    assert not mat_file.exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (".", r"error: \S+ is a folder; name a file in it"),
        ("occupied/x.mat", r"error: \S+occupied/x\.mat cannot be written .*occupied"),
    ],
)
def test_an_output_that_cannot_be_is_one_line_and_a_failure(
    arguments, tmp_path, monkeypatch, output, message
):
    monkeypatch.setattr(Pipeline, "__call__", None)
    (tmp_path / "occupied").write_text("a file, and no folder")
    with pytest.raises(SystemExit, match=message) as caught:
        main([*arguments, f"--output={tmp_path / output}"])
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line_and_a_failure(arguments, mat_file, monkeypatch):
    def fill_the_disk(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", fill_the_disk)
    with pytest.raises(SystemExit, match=r"features\.mat was not made: .*No space left") as caught:
        main(arguments)
    assert "\n" not in str(caught.value)
    assert list(mat_file.parent.glob(".*")) == []


def test_a_file_that_is_being_made_is_one_line_and_a_failure(arguments, mat_file):
    with only_one(mat_file), pytest.raises(SystemExit, match="error: another process is extr"):
        main(arguments)


@pytest.fixture
def a_group_of_one():
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield lambda run: store.add(run, 1)
    distributed.destroy_process_group()


def test_a_group_of_one_writes_the_same(some_digits, mat_file, alone, a_group_of_one, capsys):
    pipeline = build_pipeline(*network())
    extract_together(some_digits, mat_file, pipeline, a_group_of_one, batch_size=3)
    assert mat_file.read_bytes() == alone
    assert "23/23" in capsys.readouterr().out
    assert not list(mat_file.parent.glob(".*"))


@pytest.mark.parametrize("what", ["threads", "batch size"])
def test_processes_that_would_not_compute_the_same_are_named(
    some_digits, mat_file, a_group_of_one, monkeypatch, what
):
    def gather(recipes, recipe):
        recipes[:] = [recipe, {**recipe, what: "99"}]

    monkeypatch.setattr(distributed, "all_gather_object", gather)
    with pytest.raises(ValueError, match=rf"would not compute the same: {what}: \d+ and 99$"):
        extract_together(some_digits, mat_file, build_pipeline(*network()), a_group_of_one)


def test_a_process_that_is_gone_is_named(some_digits, mat_file, a_group_of_one, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("Connection closed by peer\nand more")

    monkeypatch.setattr(distributed, "barrier", fail)
    with pytest.raises(ProcessLostError, match=r"has ended.* \(Connection closed by peer\)"):
        extract_together(some_digits, mat_file, build_pipeline(*network()), a_group_of_one)
    assert len(list(mat_file.parent.glob(".*.parts/*/*.npy"))) == 1


def test_a_machine_with_the_tickets_that_is_gone_is_named(some_digits, mat_file, a_group_of_one):
    def fail(run):
        raise distributed.DistNetworkError("failed to recv, got 0 bytes")

    with pytest.raises(ProcessLostError, match=r"has ended.* \(failed to recv, got 0 bytes\)"):
        extract_together(some_digits, mat_file, build_pipeline(*network()), fail)


def test_tickets_of_an_earlier_attempt_are_not_counted(
    some_digits, mat_file, alone, a_group_of_one
):
    runs = []

    def fail(run):
        runs.append(run)
        a_group_of_one(run)
        raise RuntimeError("the machine with the tickets is gone")

    pipeline = build_pipeline(*network())
    with pytest.raises(ProcessLostError):
        extract_together(some_digits, mat_file, pipeline, fail, batch_size=3)

    def count(run):
        runs.append(run)
        return a_group_of_one(run)

    extract_together(some_digits, mat_file, pipeline, count, batch_size=3)
    assert mat_file.read_bytes() == alone
    assert len(set(runs)) == 2


def test_a_process_that_does_not_see_the_folder_is_named_before_the_work(
    some_digits, mat_file, a_group_of_one, monkeypatch
):
    gather = distributed.all_gather_object

    def gather_two(values, value):
        gather(values, value)
        values.append(values[0] if isinstance(value, dict) else ("/other/x.mat on b", False))

    monkeypatch.setattr(distributed, "all_gather_object", gather_two)
    message = rf"1 writes to /other/x.mat on b, .* 0 writes to {re.escape(str(mat_file))} on"
    with pytest.raises(FileNotFoundError, match=message):
        extract_together(some_digits, mat_file, build_pipeline(*network()), a_group_of_one)
    assert list(mat_file.parent.iterdir()) == []


def test_shards_that_another_machine_wrote_elsewhere_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction_job, "VISIBLE_WITHIN", 0)
    shards = Shards(tmp_path, 23, 5, 12)
    shards.write(0, np.zeros((12, 5), np.float32))
    with pytest.raises(FileNotFoundError, match=r"000001\.npy .* do all machines share"):
        extraction_job._require_all_shards(shards)


def two_machines(*arguments):
    """Start a process on each of two machines, where nobody ends one because the other ended.

    What they print to the screen as errors, and their codes.
    """
    patient = "from hw3.features import sharing as job; job.VISIBLE_WITHIN = 1; job.main()"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", patient, *own],
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(ROOT),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "TORCHELASTIC_RUN_ID": "a test",
                "WORLD_SIZE": "2",
                "RANK": str(rank),
                "LOCAL_RANK": "0",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, own in enumerate(arguments)
    ]
    try:
        return [(machine.communicate(timeout=60)[1], machine.returncode) for machine in machines]
    finally:
        for machine in machines:
            machine.kill()


def test_a_machine_that_fails_before_the_work_holds_nobody_up(arguments, mat_file):
    (first, first_code), (second, second_code) = two_machines(
        arguments, [*arguments, "--root=nowhere"]
    )
    assert re.search(r"^error: another process of this run has ended", first, re.MULTILINE)
    assert re.search(r"^error: nowhere.* is missing", second, re.MULTILINE)
    assert first_code != 0
    assert second_code == 1
    assert not mat_file.exists()


def test_machines_that_do_not_share_a_folder_are_told_before_the_work(arguments, mat_file):
    elsewhere = mat_file.parent / "elsewhere" / "x.mat"
    ends = two_machines(arguments, [*arguments, f"--output={elsewhere}"])
    message = (
        rf"^error: process 1 writes to {re.escape(str(elsewhere))} on .*, and does not see what "
        rf"process 0 writes to {re.escape(str(mat_file))} on "
    )
    for errors, code in ends:
        assert re.search(message, errors, re.MULTILINE)
        assert code == 1, errors
    assert not elsewhere.parent.exists()
    assert not list(mat_file.parent.glob(".*"))


TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def torchrun(arguments):
    """Start two processes of one thread each."""
    return subprocess.Popen(
        [*TORCHRUN, "-m", "hw3.features", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the workers in /proc")
def test_a_dead_worker_ends_the_run_and_its_work_is_kept(idx_folder, arguments, mat_file):
    one_by_one = [*arguments, "--batch-size=1"]
    run, deadline = torchrun(one_by_one), time.monotonic() + 60
    try:
        while not (kept := set(mat_file.parent.glob(".*.parts/*/*.npy"))):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(children(run.pid)[-1], signal.SIGKILL)
        _, errors = run.communicate(timeout=60)
    finally:
        # It ends its workers, which would outlive a harder stop.
        run.terminate()
        run.wait(timeout=60)
    assert run.returncode != 0
    assert re.search(r"exitcode *: -9", errors)
    assert not mat_file.exists()
    assert all(path.exists() for path in kept)

    # Marked, so that it is found in the file if the next run uses it.
    marked = min(kept)
    first = 4 * int(marked.stem)
    marks = np.full_like(np.load(marked), 7)
    np.save(marked, marks)
    run = torchrun(one_by_one)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 0, errors
    assert not list(mat_file.parent.glob(".*"))
    rows = slice(first, first + len(marks))
    made = load_features(mat_file)
    np.testing.assert_array_equal(
        made.features[rows], marks, "the work of the first run was not used"
    )

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        main([*one_by_one, f"--output={mat_file.parent / 'alone.mat'}"])
    finally:
        torch.set_num_threads(threads)
    expected = load_features(mat_file.parent / "alone.mat")
    expected.features[rows] = marks
    save_features(mat_file.parent / "expected.mat", expected)
    assert mat_file.read_bytes() == (mat_file.parent / "expected.mat").read_bytes()
