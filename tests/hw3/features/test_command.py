"""Question 1, from the command line: one process or many, one file, the same bytes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from coursework.profiles import ROOT
from coursework.storage import locked
from hw3.features import Preprocessing, build_extractor, extract, load_features, save_features
from hw3.features.__main__ import main
from tests.hw3.conftest import idx

pytestmark = pytest.mark.hw3_q1

NETWORK = ("--backbone=efficientnet_lite0", "--weights=none", "--image-size=32", "--batch-size=3")


@pytest.fixture
def arguments(some_digits, mat_file):
    """The test split of a small MNIST: 23 images, in batches of 3 a shard of 12 and one of 11."""
    folder = mat_file.parent / "idx"
    folder.mkdir()
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(some_digits.images))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(some_digits.labels))
    return [f"--root={folder}", "--split=test", f"--output={mat_file}", *NETWORK]


def test_the_command_writes_what_extract_writes(some_digits, arguments, mat_file, capsys):
    main(arguments)
    assert "23/23" in capsys.readouterr().out
    alone = mat_file.parent / "alone.mat"
    extractor = build_extractor("efficientnet_lite0", None)
    extract(some_digits, alone, extractor, Preprocessing(image_size=32), batch_size=3)
    assert mat_file.read_bytes() == alone.read_bytes()


def test_the_command_takes_a_checkpoint_and_an_array(arguments, tmp_path):
    torch.save(build_extractor("efficientnet_lite0", None).network.state_dict(), tmp_path / "w.pt")
    main([*arguments, f"--weights={tmp_path / 'w.pt'}", f"--output={tmp_path / 'x.npy'}"])
    assert load_features(tmp_path / "x.npy").features.shape == (23, 1280)
    content = scipy.io.loadmat(tmp_path / "x.labels.mat")
    assert content["weights"].item() == "checkpoint w.pt"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            "--root=nowhere", "error: .*nowhere.* is missing", marks=pytest.mark.handed_out
        ),
        ("--precision=half", "error: no precision 'half'"),
        ("--weights=nothing.pt", "error: no checkpoint nothing.pt"),
        ("--batch-size=0", "error: batch_size is 0"),
        pytest.param(
            "--device=cuda:99",
            "error: device 'cuda:99' is not usable here",
            marks=pytest.mark.handed_out,
        ),
        ("--output=.", r"error: \. is a folder"),
        ("--output=occupied/x.mat", r"error: occupied/x\.mat was not made: .*occupied.* goes on"),
        pytest.param(
            "--output=closed/x.mat",
            r"error: closed/x\.mat was not made: .*Permission denied.*closed.* goes on",
            marks=pytest.mark.skipif(
                sys.platform == "win32" or os.geteuid() == 0, reason="may write everywhere"
            ),
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_a_failure(arguments, tmp_path, monkeypatch, wrong, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "occupied").write_text("a file, and no folder")
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(SystemExit, match=message) as caught:
        main([*arguments, wrong])
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["closed", "idx", "occupied"]


def test_a_file_that_is_being_made_is_one_line_and_a_failure(arguments, mat_file):
    with locked(mat_file), pytest.raises(SystemExit, match="error: another process is writing"):
        main(arguments)


def two_machines(*runs):
    """Start a process on each of two machines, where nobody ends one because the other ended.

    Returns what each printed as errors, and its exit code. A run is its arguments and threads.
    """
    patient = "from hw3.features import shards; shards.VISIBLE_WITHIN = 1\n"
    patient += "from hw3.features.__main__ import main; main()"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", patient, *arguments],
            env={
                **os.environ,
                "OMP_NUM_THREADS": str(threads),
                "PYTHONPATH": str(ROOT),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "WORLD_SIZE": "2",
                "RANK": str(rank),
                "LOCAL_RANK": "0",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, (arguments, threads) in enumerate(runs)
    ]
    try:
        return [(machine.communicate(timeout=120)[1], machine.returncode) for machine in machines]
    finally:
        for machine in machines:
            machine.kill()


def test_a_machine_that_fails_before_the_work_holds_nobody_up(arguments, mat_file):
    (first, first_code), (second, second_code) = two_machines(
        (arguments, 1), ([*arguments, "--root=nowhere"], 1)
    )
    assert re.search(r"^error: another process of this run has ended", first, re.MULTILINE)
    assert re.search(r"^error: nowhere.* is missing", second, re.MULTILINE)
    assert first_code == second_code == 1
    assert not mat_file.exists()


def test_machines_that_do_not_share_a_folder_are_told_before_the_work(arguments, mat_file):
    elsewhere = mat_file.parent / "elsewhere" / "x.mat"
    ends = two_machines((arguments, 1), ([*arguments, f"--output={elsewhere}"], 1))
    message = (
        rf"^error: process 1 writes to {re.escape(str(elsewhere))} on .*, and does not see what "
        rf"process 0 writes to {re.escape(str(mat_file))} on "
    )
    for errors, code in ends:
        assert re.search(message, errors, re.MULTILINE)
        assert code == 1, errors
    assert not elsewhere.parent.exists()
    assert not list(mat_file.parent.glob(".*"))


def test_machines_that_would_not_round_alike_are_told_before_the_work(arguments, mat_file):
    ends = two_machines((arguments, 1), ([*arguments, "--batch-size=4"], 2))
    message = r"^error: processes 0 and 1 would not compute the same: threads: 1 and 2; .*batch "
    message += "size: 3 and 4$"
    for errors, code in ends:
        assert re.search(message, errors, re.MULTILINE)
        assert code == 1, errors
    assert not list(mat_file.parent.glob(".*"))


def torchrun(arguments):
    """Start two processes of one thread each."""
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    return subprocess.Popen(
        [*launcher, "-m", "hw3.features", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the workers in /proc")
def test_a_dead_worker_ends_the_run_and_the_next_run_makes_the_file_of_one_process(
    arguments, mat_file
):
    one_by_one = [*arguments, "--batch-size=1"]
    run, deadline = torchrun(one_by_one), time.monotonic() + 120
    try:
        while not (kept := set(mat_file.parent.glob(".*.parts/*/*.npy"))):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(children(run.pid)[-1], signal.SIGKILL)
        _, errors = run.communicate(timeout=120)
    finally:
        # It ends its workers, which would outlive a harder stop.
        run.terminate()
        run.wait(timeout=120)
    assert run.returncode != 0
    assert re.search(r"exitcode *: -9", errors)
    assert not mat_file.exists()
    assert all(path.exists() for path in kept)

    # Marked, so that the shard is recognised in the file if the next run uses it.
    marked = min(kept)
    marks = np.full_like(np.load(marked), 7)
    np.save(marked, marks)
    run = torchrun(one_by_one)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert not list(mat_file.parent.glob(".*"))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        main([*one_by_one, f"--output={mat_file.parent / 'alone.mat'}"])
    finally:
        torch.set_num_threads(threads)
    expected = load_features(mat_file.parent / "alone.mat")
    first = 4 * int(marked.stem)
    expected.features[first : first + len(marks)] = marks
    save_features(mat_file.parent / "expected.mat", expected)
    assert mat_file.read_bytes() == (mat_file.parent / "expected.mat").read_bytes()
