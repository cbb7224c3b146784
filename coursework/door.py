"""The door of every command: Ctrl-C and SIGTERM end it with one line, whatever it is doing."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

GRACE = 10.0
"""Seconds that a command has to tidy up after a signal. A second signal cuts them short."""

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def run_command(name: str, command: Callable[[], int | None]) -> int:
    """Run a command as the work of this process, and return its exit code.

    After Ctrl-C or SIGTERM the process ends with the line ``NAME: interrupted`` or ``NAME:
    terminated`` and the exit code 130 or 143. The signal raises `KeyboardInterrupt` in the command,
    which tidies up. Python cannot raise it everywhere: libraries drop it, turn it into other
    errors, or are busy outside of Python. So nothing else is printed from then on, and a thread
    ends the process if the command does not. While a module is imported the process ends at once:
    PyTorch calls Python from C++ then, where an exception aborts the process.

    The command imports what is slow to import by itself, so that the door is open by then.
    """
    signals: list[int] = []
    working = False
    code: int | None = None
    lock = threading.Lock()
    errors = os.dup(2)

    def leave() -> None:
        lock.acquire()  # never released: the line is printed once
        with suppress(OSError):
            os.write(errors, f"{name}: {_WORDS[signal.Signals(signals[0])]}\n".encode())
        os._exit(128 + signals[0])

    def stop(number: int, frame: FrameType | None) -> None:
        if signals:
            return  # the thread below ends the process
        signals.append(number)
        if not working or _importing(frame):
            leave()
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        raise KeyboardInterrupt

    def watch() -> None:
        # The system writes the number of each signal here, also while no Python code can run.
        while (number := listening.recv(1)[0]) not in _WORDS:
            pass
        listening.settimeout(GRACE)
        with suppress(TimeoutError):
            listening.recv(1)
        if not signals:
            signals.append(number)
        leave()

    def finish() -> None:
        if code is not None:
            with suppress(OSError):
                sys.stdout.flush()
            os._exit(code)

    for number in _WORDS:
        signal.signal(number, stop)
    # What is registered first is called last. Python takes its time to end, and lets a signal end
    # it in another way meanwhile.
    atexit.register(finish)
    import socket  # slow, so it comes after the first lines of defence

    listening, ringing = socket.socketpair()
    ringing.setblocking(False)
    signal.set_wakeup_fd(ringing.detach(), warn_on_full_buffer=False)  # open for ever
    threading.Thread(target=watch, daemon=True).start()
    try:
        working = True
        result = command() or 0
        working = False
    except SystemExit as end:
        working = False
        if end.code is None or isinstance(end.code, int):
            result = end.code or 0
        else:  # what Python does with an error in words
            print(end.code, file=sys.stderr)
            result = 1
    except BaseException:
        working = False
        if not signals:
            raise
    try:
        sys.stdout.flush()
    except OSError as error:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)  # Python would fail again at its end
        if not (signals or result):
            result = 1
            print(f"{name}: standard output: {error.strerror}", file=sys.stderr)
    if signals:
        leave()
    code = result
    return code


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported in a frame or in one of its callers."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
