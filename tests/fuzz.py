"""Bad inputs by the thousand: each is read right, or refused in words.

``python -m tests.fuzz`` makes the inputs of `tests.bad_inputs` with a fixed seed, reads each in a
child process, and prints how many of each kind were tried and how many were right. Right is a value
that is what it should be, or an error of the documented types whose message names the file. Wrong
is any other error, the end of the interpreter, more than ten seconds of work (or a minute on the
clock, since a shared machine may have other work), or more than two gigabytes.
"""

import argparse
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SECONDS, MEGABYTES = 10, 2000
PATIENCE = 60
"""Seconds on the clock after which a child that does not answer is ended."""


def judge(write, read, rng, folder):
    """Write and read one input; return in words what is wrong, or an empty text."""
    from coursework.handin import BundleError

    made = write(rng, folder)
    name = str(made) if isinstance(made, Path) else ""
    try:
        read(made)
    except (ValueError, FileNotFoundError, BundleError) as error:
        text = str(error)
        if not text or name not in text or "\x1b" in text or isinstance(error, UnicodeError):
            return f"{type(error).__name__} that does not help: {text[:200]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]!r}"
    return ""


def work():
    """In a child: judge the inputs that the standard input names, a line each."""
    import resource

    from tests.bad_inputs import KINDS

    if sys.platform == "linux":  # an input that asks for more fails, and the machine goes on
        resource.setrlimit(resource.RLIMIT_DATA, (2 * MEGABYTES * 2**20,) * 2)
    megabyte = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes
    print(json.dumps({kind: count for kind, (count, *_) in KINDS.items()}), flush=True)
    # Linux counts the memory of the process that started this one, too.
    least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // megabyte
    for line in sys.stdin:
        kind, seed = json.loads(line)
        began = time.process_time()
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            verdict = judge(*KINDS[kind][1:], random.Random(f"{kind} {seed}"), Path(folder))
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // megabyte
        seconds = time.process_time() - began
        if used > max(MEGABYTES, least) or seconds > SECONDS:
            verdict = f"took {used} MB and {seconds:.0f} s"
        print(json.dumps(verdict), flush=True)


class Child:
    """A process that judges; another one takes its place when it ends, or takes too much."""

    def __init__(self):
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.fuzz", "--work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.counts = json.loads(self.process.stdout.readline())

    def judge(self, kind, seed):
        print(json.dumps([kind, seed]), file=self.process.stdin, flush=True)
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            verdict = f"took more than {PATIENCE} s"
        elif line := self.process.stdout.readline():
            verdict = json.loads(line)
        else:
            verdict = f"ended the interpreter, exit code {self.process.wait()}"
        if verdict.startswith(("took", "ended")):
            self.end()
            self.start()
        return verdict

    def end(self):
        self.process.kill()
        self.process.communicate()


def main(arguments=None):
    """Try all inputs; print what is wrong, and the table; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=5700, help="in all; at least one of a kind")
    parser.add_argument("--kind", help="one kind alone")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--children", type=int, default=os.cpu_count())
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work:
        return work()
    began = time.monotonic()
    children = [Child() for _ in range(options.children)]
    counts = {k: n for k, n in children[0].counts.items() if options.kind in (None, k)}
    scale = options.inputs / sum(counts.values())
    counts = {kind: max(1, round(scale * count)) for kind, count in counts.items()}
    inputs = [(k, f"{options.seed} {i}") for k, n in counts.items() for i in range(n)]
    waiting, right = iter(inputs), Counter()

    def judge_all(child):
        for kind, seed in waiting:  # a list's iterator gives each input to one thread
            if verdict := child.judge(kind, seed):
                print(f"{kind}, {seed!r}: {verdict}", flush=True)
            else:
                right[kind] += 1
        child.end()

    with ThreadPoolExecutor(len(children)) as threads:
        list(threads.map(judge_all, children))
    print(f"\n{'kind':<26} tried right")
    for kind, count in counts.items():
        print(f"{kind:<26} {count:5} {right[kind]:5}")
    print(f"{'all':<26} {len(inputs):5} {right.total():5}  in {time.monotonic() - began:.0f} s")
    return int(right.total() < len(inputs))


if __name__ == "__main__":
    sys.exit(main())
