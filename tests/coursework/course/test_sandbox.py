"""Code of strangers runs in bounds, and behind whatever walls the system has."""

import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest

from coursework.course.sandbox import Bounds, Place, find_walls, open_box, run
from coursework.profiles import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")


def run_code(code, bounds=None, hidden=(), told=b"", hear=lambda line: None):
    with open_box() as box:
        (box.project / "course.txt").write_text("the copy")
        command = [sys.executable, "-I", "-S", "-c", code, "{channel}"]
        place = Place(box.project, tuple(hidden))
        ended = run(command, box, place, bounds or Bounds(seconds=30), told=told, hear=hear)
    assert not box.folder.exists()
    return ended


def test_a_command_is_told_and_heard():
    heard = []
    code = "import os, sys; os.write(int(sys.argv[1]), sys.stdin.buffer.read()); print('said')"
    ended = run_code(code, told=b"one\ntwo\n", hear=heard.append)
    assert (ended.reason, ended.code, ended.output) == ("", 0, "said\n")
    assert heard == [b"one", b"two"]


FOREVER = "import time\nwhile True: time.sleep(1)"


@pytest.mark.parametrize(
    ("code", "bounds", "reason"),
    [
        (FOREVER, Bounds(seconds=1), "took too long"),
        (
            "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n" + FOREVER,
            Bounds(seconds=1),
            "took too long",
        ),
        ("while True: print('x' * 10000)", Bounds(output_bytes=10**5), "printed more than 100,000"),
        (
            "import os\nos.chdir(os.environ['HOME'])\n"
            "for n in range(200): open(str(n), 'w').write('x' * 10**6)\n" + FOREVER,
            Bounds(disk_bytes=10**7),
            "wrote more than 10,000,000 bytes of files",
        ),
        (
            "import os\nfor _ in range(3): os.fork()\nhoard = b'x' * 10**8\n" + FOREVER,
            Bounds(memory=3 * 10**8),
            "used more than 300,000,000 bytes of memory",
        ),
    ],
    ids=["time", "signals", "output", "disk", "memory"],
)
def test_what_exceeds_a_bound_is_ended(code, bounds, reason):
    began = time.monotonic()
    assert run_code(code, bounds).reason.startswith(reason)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("hoard = b'x' * 10**9", "MemoryError"),
        ("import os; open(os.environ['HOME'] + '/f', 'wb').write(b'x' * 10**7)", "File too large"),
    ],
)
def test_one_process_that_exceeds_a_bound_gets_an_error(code, error):
    if error == "MemoryError" and sys.platform != "linux":
        pytest.skip("only Linux bounds the memory of a process")
    ended = run_code(code, Bounds(memory=5 * 10**8, file_bytes=10**6))
    assert error in ended.output


def test_forks_without_end_stay_within_their_bound():
    code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    began = time.monotonic()
    assert run_code(code, Bounds(seconds=2, processes=40)).reason
    assert time.monotonic() - began < 15


def test_what_a_command_leaves_behind_ends_with_it(tmp_path):
    """Also in a session of its own, with the pipes still open."""
    mark = f"left-{os.getpid()}"
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', '{mark}'],"
        " start_new_session=True)"
    )
    assert run_code(code).code == 0
    deadline = time.monotonic() + 15
    while any(
        mark in (process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nothing_of_the_teachers_environment_is_seen(monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    ended = run_code("import os; print(sorted(os.environ)); print(os.environ['HOME'])")
    assert "TOKEN" not in ended.output
    assert os.environ.get("HOME", "") not in ended.output.splitlines()[1:]


def test_the_walls_say_what_is_in_force_and_hold():
    walls = find_walls()
    assert "bounds for time, memory, processes, files and output" in str(walls)
    assert ("NOT in force" in str(walls)) is not (walls.network and walls.files and walls.processes)
    if walls.files:
        said = run_code("open('/tmp/coursework-wall', 'w')").output
        assert "Read-only file system" in said or "denied" in said
        assert "rror" in run_code("open('course.txt', 'a')").output
    if walls.network:
        code = "import socket; socket.create_connection(('127.0.0.1', 1), 1)"
        assert "rror" in run_code(code).output


def test_the_root_of_a_container_without_other_users_has_walls_too():
    alone = ("unshare", "--user", "--map-root-user")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"]).returncode:
        pytest.skip("needs Linux that lets a process be the root of a namespace")
    say = "from coursework.course.sandbox import find_walls; print(find_walls().kind)"
    ask = [*alone, sys.executable, "-c", say]
    done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("user\n", "")


def test_hand_ins_of_others_are_not_seen(tmp_path):
    if find_walls().kind == "none":
        pytest.skip("no namespaces on this system")
    (tmp_path / "a.zip").write_text("of another student")
    tmp_path.chmod(0o755)
    ended = run_code(f"import os; print(os.listdir({str(tmp_path)!r}))", hidden=[tmp_path])
    assert "a.zip" not in ended.output
    assert ended.output == "[]\n" or "Permission denied" in ended.output
