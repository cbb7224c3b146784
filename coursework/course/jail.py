"""A program that shuts itself in and starts a command; `coursework.course.sandbox` starts it.

It imports the standard library alone, so that it starts at once. Its argument is a plan as JSON.
Within a namespace of process numbers it is the first process: when it ends, all others end.
"""

import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> int:
    """Shut in, run the command, and return its exit code."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    command = plan["command"]
    if plan["mounts"]:
        _mount(plan)
        _loopback()
        os.chdir(plan["root"])
        rights = ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        if plan["user"] is not None:
            number = str(plan["user"])
            rights += ["--reuid", number, "--regid", number, "--clear-groups"]
        command = ["setpriv", *rights, "--", *command]
    process = subprocess.Popen(command, close_fds=False, preexec_fn=_limited(plan["limits"]))
    threading.Thread(target=_end_with_reader, args=(plan["channel"],), daemon=True).start()
    return abs(process.wait())


def _end_with_reader(channel: int) -> None:
    """End everything once nobody reads the channel: the grader is gone, however it ended."""
    watched = select.poll()
    watched.register(channel, 0)
    watched.poll()
    os.killpg(0, signal.SIGKILL)
    os._exit(1)  # the first process of a namespace is not killed by a signal of its own


def _limited(limits: dict[str, int]) -> Callable[[], None]:
    """Return a function that sets the limits of a process, which all it starts inherit."""

    def limit() -> None:
        for name, value in limits.items():
            kind = getattr(resource, name, None)
            if kind is not None:
                hard = resource.getrlimit(kind)[1]
                most = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(kind, (most, most))

    return limit


def _mount(plan: dict[str, Any]) -> None:
    """Cover the checkout by the copy, hide folders, and make everything read-only but one."""
    if plan["kept"]:
        # The environment with the libraries lies within the checkout and stays.
        inside = Path(plan["project"]) / Path(plan["kept"]).relative_to(plan["root"])
        _call("mount", "--bind", plan["kept"], str(inside))
    _cover_folders(plan)
    _call("mount", "--rbind", plan["project"], plan["root"])
    for folder in filter(os.path.isdir, plan["hidden"]):  # the copy may cover it already
        _call("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder)
    if os.path.isdir("/dev/shm"):
        _call("mount", "-t", "tmpfs", "-o", "size=256m,mode=1777", "tmpfs", "/dev/shm")
    _call("mount", "--bind", plan["home"], plan["home"])
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, options = line.split()[4:6]
        path = place.encode().decode("unicode_escape").encode("latin-1").decode()
        if path in (plan["home"], "/dev/shm") or path.startswith("/proc"):
            continue
        # In a user namespace, the options that a mount has may not be taken off it.
        kept = [word for word in options.split(",") if word in ("nosuid", "nodev", "noexec")]
        words = ",".join(["remount", "bind", "ro", *kept])
        subprocess.run(["mount", "-o", words, path], capture_output=True, check=False)


def _loopback() -> None:
    """Bring up the network within this machine, by which processes of one test talk."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        set_flags, up = 0x8914, 0x1
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def _cover_folders(plan: dict[str, Any]) -> None:
    """Hide folders of the teacher, but for those within them that the command needs."""
    stages = []
    for number, needed in enumerate(plan["needed"]):
        stages.append(Path(plan["stage"]) / str(number))
        stages[-1].mkdir()
        _call("mount", "--rbind", needed, str(stages[-1]))
    for folder in plan["covered"]:
        _call("mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", folder)
        if Path(plan["root"]).is_relative_to(folder):
            Path(plan["root"]).mkdir(parents=True, exist_ok=True)
    for needed, stage in zip(plan["needed"], stages, strict=True):
        Path(needed).mkdir(parents=True, exist_ok=True)
        _call("mount", "--rbind", str(stage), needed)


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
