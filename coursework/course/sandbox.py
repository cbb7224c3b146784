"""Run code of strangers: in bounds, and shut in as far as the system allows."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from coursework.storage import scratch_folder

_TICK = 0.25  # seconds between two looks at the processes


@dataclass(frozen=True)
class Bounds:
    """What a command may use; one that uses more is ended."""

    seconds: float = 900
    memory: int = 4 * 2**30  # bytes, of each process and of all of them together
    processes: int = 200  # and threads, at a time
    file_bytes: int = 2**28  # of each file that it writes
    disk_bytes: int = 2**30  # of all files in its box; an empty file counts as 4,096
    output_bytes: int = 2**22


@dataclass(frozen=True)
class Walls:
    """What shuts a command in on this machine.

    Attributes
    ----------
    kind
        ``"bwrap"``, ``"unshare"`` (by root), ``"user"`` (``unshare`` by anybody else) or
        ``"none"``.
    network, files, processes
        Whether a command is kept from the network, from writing outside of its box, and from
        starting more processes than its bounds say.
    """

    kind: str
    network: bool
    files: bool
    processes: bool

    def __str__(self) -> str:
        """Say what is in force, and what is not."""
        by = {"bwrap": "bwrap", "unshare": "unshare", "user": "unshare, in a user namespace"}
        held = {
            "no network": self.network,
            "no file written outside of its folder": self.files,
            "the system counts its processes": self.processes,
        }
        walls = ", ".join(name for name, holds in held.items() if holds)
        missing = ", ".join(name for name, holds in held.items() if not holds)
        text = "each submission runs with bounds for time, memory, processes, files and output"
        if walls:
            text += f"; by {by[self.kind]}: {walls}"
        if missing:
            text += f"; NOT in force on this system: {missing}"
        return text


@dataclass(frozen=True)
class Box:
    """A folder for one command."""

    folder: Path  # it goes when the command has ended
    project: Path  # the copy of the course, in the place of the checkout; to be read only
    home: Path  # the only place where the command may write


@dataclass(frozen=True)
class Place:
    """What a command sees of the machine."""

    root: Path  # the checkout of the course, which the project of the box covers
    hidden: tuple[Path, ...] = ()  # folders that it does not see: the hand-ins of others


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    reason: str  # why it was ended; empty if it ended by itself
    code: int
    output: str  # the end of what it printed


@contextmanager
def open_box() -> Iterator[Box]:
    """Make a box, and remove it; boxes of processes that were killed are removed too."""
    with scratch_folder("coursework-box") as made:
        folder = made.resolve()
        box = Box(folder, folder / "project", folder / "home")
        box.home.mkdir()
        box.project.mkdir()
        yield box


def remove_left_boxes() -> None:
    """Remove the boxes of processes that were killed, which whoever opens the next box does."""
    with open_box():
        pass


@dataclass
class _Watch:
    """The bounds of a running command, and what it has used so far."""

    process: psutil.Process
    box: Box
    bounds: Bounds
    ends: float
    printed: int = 0
    looked_at_disk: float = field(default_factory=time.monotonic)

    def exceeded(self) -> str:
        """Return in words which bound is exceeded; empty if none is."""
        now = time.monotonic()
        if now > self.ends:
            return "took too long"
        if self.printed > self.bounds.output_bytes:
            return f"printed more than {self.bounds.output_bytes:,} bytes"
        count, memory = _usage(self.process)
        if count > self.bounds.processes + 10:  # some are those of the walls
            return f"started more than {self.bounds.processes} processes"
        if memory > self.bounds.memory:
            return f"used more than {self.bounds.memory:,} bytes of memory"
        if now > self.looked_at_disk + 1:
            self.looked_at_disk = now
            if _disk_usage(self.box.home) > self.bounds.disk_bytes:
                return f"wrote more than {self.bounds.disk_bytes:,} bytes of files"
        return ""


def run(
    command: Sequence[str],
    box: Box,
    place: Place,
    bounds: Bounds,
    *,
    told: bytes = b"",
    hear: Callable[[bytes], float | None] = lambda line: None,
    walls: Walls | None = None,
) -> Ended:
    """Run a command in a box, and end it and all that it started.

    Parameters
    ----------
    command
        Its first word is a program. ``{channel}`` within the others becomes the number of an open
        file; the lines that are written to it are given to ``hear``.
    box, place, bounds
        Where it runs, what it sees, and what it may use.
    told
        What it reads on its standard input.
    hear
        Called with each line; it may return the seconds that the command has from now on.
    walls
        By default, those that `find_walls` finds.
    """
    walls = walls or find_walls()
    channel, write_end = os.pipe()
    words = [word.replace("{channel}", str(write_end)) for word in command]
    process = subprocess.Popen(
        _shut_in(walls, words, write_end, box, place, bounds),
        cwd=box.project,
        env=_environment(box, place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[write_end],
        start_new_session=True,
    )
    os.close(write_end)
    assert process.stdin is not None
    assert process.stdout is not None
    watch = _Watch(psutil.Process(process.pid), box, bounds, time.monotonic() + bounds.seconds)
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(told)
            process.stdin.close()
        reason, output = _listen(process.stdout.fileno(), channel, process, watch, hear)
    finally:
        _end(process)
        os.close(channel)
        process.stdout.close()
    return Ended(reason, process.returncode, output.decode(errors="replace"))


def _listen(
    stdout: int,
    channel: int,
    process: subprocess.Popen[bytes],
    watch: _Watch,
    hear: Callable[[bytes], float | None],
) -> tuple[str, bytes]:
    """Read both until the command ends or exceeds a bound; return why, and what it printed."""
    output, heard = b"", b""
    latest = watch.ends
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        selector.register(channel, selectors.EVENT_READ)
        looked = 0.0
        while process.poll() is None or selector.get_map():
            # A process that was left behind may hold the pipes open after the command.
            over = process.poll() is not None
            events = selector.select(0 if over else _TICK)
            if over and not events:
                break
            for key, _ in events:
                data = os.read(key.fd, 2**16)
                watch.printed += len(data)
                if not data:
                    selector.unregister(key.fd)
                elif key.fd == stdout:
                    output = (output + data)[-4000:]
                else:
                    *lines, heard = (heard + data).split(b"\n")
                    for line in lines:
                        allowed = hear(line)
                        if allowed is not None:
                            watch.ends = min(latest, time.monotonic() + allowed)
            if not selector.get_map() and not over:
                time.sleep(_TICK / 10)
            if time.monotonic() > looked + _TICK or watch.printed > watch.bounds.output_bytes:
                looked = time.monotonic()
                if reason := watch.exceeded():
                    return reason, output
    return "", output


def _usage(process: psutil.Process) -> tuple[int, int]:
    """Return the number of processes that a process started, and the memory of their own."""
    count = memory = 0
    with suppress(psutil.Error):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                information = one.memory_info()
                memory += information.rss - getattr(information, "shared", 0)
                count += 1
    return count, memory


def _disk_usage(folder: Path) -> int:
    total, waiting = 0, [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += max(4096, entry.stat(follow_symlinks=False).st_blocks * 512)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and what it started.

    With namespaces the death of their first process is that of all others. Without, those that
    are found are killed until none is left.
    """
    for _ in range(20):
        try:
            started = psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            started = []
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, 9)
        process.kill()
        for one in started:
            with suppress(psutil.Error):
                one.kill()
        if not started:
            break
    process.wait()


def _environment(box: Box, place: Place) -> dict[str, str]:
    """Return the environment of a command, in which nothing of the teacher's is left."""
    home = str(box.home)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath, "/usr/sbin"]),
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "MPLCONFIGDIR": home,
        "HYPOTHESIS_STORAGE_DIRECTORY": home,
        "COURSEWORK_SHARED": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _shut_in(
    walls: Walls, command: Sequence[str], channel: int, box: Box, place: Place, bounds: Bounds
) -> list[str]:
    """Return a command that starts another one within walls and bounds."""
    by_root = walls.kind == "unshare"
    user = 1_000_000_000 + os.getpid() if by_root else None
    if user is not None:
        os.chown(box.folder, user, user)
        os.chown(box.home, user, user)
    kept = Path(sys.prefix).resolve()
    covers = kept.is_relative_to(place.root)
    (box.folder / "stage").mkdir()
    if covers:
        (box.project / kept.relative_to(place.root)).mkdir(parents=True, exist_ok=True)
    covered, needed = _covers(place.root, box.folder)
    plan: dict[str, Any] = {
        "command": list(command),
        "channel": channel,
        "limits": {
            "RLIMIT_CPU": int(bounds.seconds) + 1,
            "RLIMIT_DATA": bounds.memory,
            "RLIMIT_FSIZE": bounds.file_bytes,
            "RLIMIT_CORE": 0,
            # Without a user of its own, all processes of the teacher would count.
            **({} if walls.kind == "none" else {"RLIMIT_NPROC": bounds.processes}),
        },
        "user": user,
        "mounts": walls.kind in ("unshare", "user"),
        "root": str(place.root),
        "project": str(box.project),
        "home": str(box.home),
        "kept": str(kept) if covers else None,
        "covered": list(map(str, covered)),
        "needed": list(map(str, needed)),
        "stage": str(box.folder / "stage"),
        "hidden": [
            str(folder)
            for folder in place.hidden
            if folder.is_dir() and not box.folder.is_relative_to(folder)
        ],
    }
    program = Path(__file__).with_name("jail.py")
    jail = [sys.executable, "-I", "-S", str(program), json.dumps(plan)]
    if walls.kind == "none":
        return jail
    if walls.kind == "bwrap":
        return [*_bwrap(plan), *jail]
    mapped = [] if by_root else ["--user", "--map-root-user"]
    spaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--ipc"]
    return ["unshare", *mapped, *spaces, *jail]


def _covers(root: Path, box: Path) -> tuple[list[Path], list[Path]]:
    """Return folders to hide, and those within them that a command needs.

    Hidden are the home of the teacher, and folders that nobody else may enter but that a library
    or the checkout lies in.
    """
    libraries = {Path(path).resolve() for path in (sys.prefix, sys.base_prefix, *sys.path) if path}
    needed = [path for path in libraries if path.is_dir() and not path.is_relative_to(root)]
    ways = {folder for path in (*needed, root) for folder in (path, *path.parents)}
    closed = {Path.home().resolve()} | {folder for folder in ways if not folder.stat().st_mode & 1}
    covered = [folder for folder in closed if folder.is_dir() and not box.is_relative_to(folder)]
    covered = _outermost([folder for folder in covered if folder not in (root, *needed)])
    inside = [path for path in needed if any(path.is_relative_to(folder) for folder in covered)]
    return covered, _outermost(inside)


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """Return the folders that lie in no other of them."""
    return [
        folder
        for folder in sorted(folders)
        if not any(folder != other and folder.is_relative_to(other) for other in folders)
    ]


def _bwrap(plan: Mapping[str, Any]) -> list[str]:
    words = [shutil.which("bwrap") or "bwrap", "--die-with-parent", "--new-session"]
    words += ["--unshare-all", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev"]
    words += ["--proc", "/proc", "--tmpfs", "/dev/shm"]
    for folder in (*plan["covered"], *plan["hidden"]):
        words += ["--tmpfs", folder]
    for folder in plan["needed"]:
        words += ["--ro-bind", folder, folder]
    words += ["--ro-bind", plan["project"], plan["root"]]
    if plan["kept"]:
        words += ["--ro-bind", plan["kept"], plan["kept"]]
    return [*words, "--bind", plan["home"], plan["home"], "--chdir", plan["root"], "--"]


_PROBE = """
import json, os, signal, socket, sys
def refused(action):
    try:
        action()
    except OSError:
        return True
    return False
def write(folder):
    path = os.path.join(folder, f"coursework-probe-{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)
def fork():
    for _ in range(int(sys.argv[1]) + 1):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
children = []
outside = [folder for folder in sys.argv[4:] if os.path.isdir(folder)]
facts = {
    "files": all(refused(lambda: write(folder)) for folder in outside),
    "network": {name for _, name in socket.if_nameindex()} <= {"lo"},
    "processes": refused(fork),
}
for child in children:
    os.kill(child, 9)
write(os.environ["HOME"])
if sys.base_prefix == sys.argv[2]:  # and not a Python that was found in its place
    os.write(int(sys.argv[3]), json.dumps(facts).encode() + b"\\n")
"""


@cache
def find_walls() -> Walls:
    """Try what this system has to shut a command in, and return the first that works."""
    if sys.platform == "win32":
        raise RuntimeError("grading needs the bounds of Linux or macOS; run it there, or in WSL")
    by_root = ("unshare",) if os.geteuid() == 0 else ()
    for kind in (*by_root, "user", "bwrap"):
        if not shutil.which("bwrap" if kind == "bwrap" else "unshare"):
            continue
        facts = _probe(Walls(kind, True, True, True))
        if facts is not None:
            return Walls(kind, **facts)
    return Walls("none", False, False, False)


def _probe(walls: Walls) -> dict[str, bool] | None:
    """Try to leave the box in every way that the walls are to bar; ``None`` if it has none."""
    with open_box() as box, tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o777)
        bounds = Bounds(seconds=20, processes=50)
        places = [outside, tempfile.gettempdir(), "/var/tmp", "/tmp"]
        words = [str(bounds.processes), sys.base_prefix, "{channel}", *places]
        command = [sys.executable, "-I", "-S", "-c", _PROBE, *words]
        heard: list[bytes] = []
        with suppress(OSError):  # the root of a container that has no other users
            run(command, box, Place(box.project), bounds, hear=heard.append, walls=walls)
    return json.loads(heard[0]) if heard else None
