"""Kill the long commands at random moments: ``python -m tests.kills [NAME ...] [--times N]``.

After each kill the same command runs to its end. It must succeed, make what a run makes that nobody
stopped, and leave nothing else behind: no part of a file, no temporary folder, no process.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
import psutil

from coursework.profiles import ROOT
from tests.coursework.data.conftest import RUN, Reply, serving, source_of
from tests.hw3.conftest import idx

NETWORK = ("--backbone=efficientnet_lite0", "--image-size=32")
TRAINING = (
    *("hw4.training", f"--root={ROOT / 'data' / 'flowers'}", "--mode=last_layers", "--device=cpu"),
    *(*NETWORK, "--precision=fp32", "--batch-size=64", "--epochs=4"),
    *("--checkpoint=run.pt", "--output=best.pt"),
)
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@dataclass(frozen=True)
class Case:
    """A command, which runs in a folder of its own, and the files that are the same in each run."""

    command: Sequence[str]
    same: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def fetching() -> Iterator[Case]:
    content = random.Random(0).randbytes(30_000_000)
    with serving() as server:
        source = source_of("images.gz", content, server.offer("/images.gz", Reply(content)))
        facts = (source.name, str(source.size), source.checksum, source.urls[0], "data")
        yield Case(("-c", RUN, *facts), ["data/mnist/images.gz"], {"no_proxy": "*"})


@contextlib.contextmanager
def extracting(*launcher: str, **environment: str) -> Iterator[Case]:
    images = np.random.default_rng(0).integers(0, 256, (200, 28, 28), np.uint8)
    labels = np.arange(200, dtype=np.uint8) % 10
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "t10k-images-idx3-ubyte").write_bytes(idx(images))
        Path(folder, "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
        command = (*launcher, "-m", "hw3.features", f"--root={folder}", "--split=test", *NETWORK)
        options = ("--weights=none", "--batch-size=5", "--output=x.mat")
        yield Case((*command, *options), ["x.mat"], environment)


@contextlib.contextmanager
def exporting(command: str, option: str, same: str) -> Iterator[Case]:
    # Without parameters: the folder of the results would be one, and be shown.
    cells = [
        nbformat.v4.new_markdown_cell("# A homework\n\n$$\\frac{1}{2} \\sum_i x_i^2$$", id="a"),
        nbformat.v4.new_code_cell("for number in range(100):\n    print(number)", id="b"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder, "hw9_small.ipynb")
        nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
        yield Case(("-m", "coursework", command, str(notebook), option), [same])


CASES: dict[str, Callable[[], contextlib.AbstractContextManager[Case]]] = {
    "fetch": fetching,
    "pdf": lambda: exporting("pdf", "x.pdf", "x.pdf"),
    "submit": lambda: exporting("submit", "--build=build", "build/hw9_small.pdf"),
    "extraction": extracting,
    "training": lambda: contextlib.nullcontext(Case(("-m", *TRAINING), ["best.pt"])),
    "torchrun": lambda: extracting(*TORCHRUN, OMP_NUM_THREADS="1"),
}


def kill(name: str, times: int, seed: int | None = None) -> None:
    """Kill a command so many times; raise AssertionError if a run after a kill is not right."""
    rng = random.Random(seed)
    with CASES[name]() as case, tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        files, content = finish(case, Path(folder, "whole"))
        seconds = time.monotonic() - began
        for number in range(times):
            moment, place = rng.uniform(0, seconds), Path(folder, str(number))
            stop(case, place, moment, rng)
            told = f"{name}, killed after {moment:.3f} s"
            for path in place.rglob("*"):
                # Whatever has the name of a result is one.
                shown = path.relative_to(place).as_posix()
                if shown in case.same:
                    assert path.read_bytes() == content[shown], f"{told}: {shown} is not whole"
            files_then, content_then = finish(case, place)
            assert not files_then ^ files, f"{told}: other files, {files_then ^ files}"
            assert content_then == content, f"{told}: other bytes"


def start(case: Case, place: Path) -> "subprocess.Popen[str]":
    temporary = place / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, *case.command],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), **case.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(case: Case, place: Path) -> tuple[set[str], dict[str, bytes]]:
    """Run a command to its end; return the names of all files, and the content of some."""
    process = start(case, place)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    names = (path.relative_to(place).as_posix() for path in place.rglob("*"))
    # PyTorch's launcher leaves its own folder of logs, when it is killed.
    files = {name for name in names if "/torchelastic_" not in name}
    return files, {name: (place / name).read_bytes() for name in case.same}


def stop(case: Case, place: Path, moment: float, rng: random.Random) -> None:
    """Kill a command, or any process that it started, and see that all of them end."""
    process = start(case, place)
    first = psutil.Process(process.pid)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=moment)
    everyone = [first]
    with contextlib.suppress(psutil.NoSuchProcess):
        everyone += first.children(recursive=True)
    victims = [rng.choice(everyone)]
    # A launcher that is killed cannot end its workers: they are killed with it.
    if "torch.distributed.run" in case.command and (victims == [first] or rng.random() < 0.5):
        victims = everyone
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while alive := [one for one in everyone if runs(one)]:
        assert time.monotonic() < deadline, f"{alive} go on"
        time.sleep(0.1)


def runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def main() -> None:
    """Kill the commands that are named, or all."""
    parser = argparse.ArgumentParser("python -m tests.kills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    parser.add_argument("--times", type=int, default=20, help="kills of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    chosen = parser.parse_args()
    for name in chosen.names or CASES:
        began = time.monotonic()
        kill(name, chosen.times, chosen.seed)
        print(f"{name}: {chosen.times} kills, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
