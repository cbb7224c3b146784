"""The door of every command: Ctrl-C and SIGTERM end it with one line, whatever it is doing."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

GRACE = 10.0
"""Seconds that a command has to tidy up after a signal. A second signal cuts them short."""

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def run_command(name: str, command: Callable[[], int | None]) -> int:
    """Run a command as the work of this process, and return its exit code.

    After Ctrl-C or SIGTERM the process ends with the line ``NAME: interrupted`` or ``NAME:
    terminated`` and the exit code 130 or 143. The signal raises `KeyboardInterrupt` in the command,
    which tidies up. Python cannot raise it everywhere: libraries drop it, turn it into other
    errors, or are busy outside of Python. So nothing else is printed from then on, and a thread
    ends the process if the command does not.

    The command imports what is slow to import by itself, so that the door is open by then.
    """
    signals: list[int] = []
    working = False
    lock = threading.Lock()
    errors = os.dup(2)
    listening, ringing = socket.socketpair()
    ringing.setblocking(False)

    def leave() -> NoReturn:
        lock.acquire()  # never released: the line is printed once
        os.write(errors, f"{name}: {_WORDS[signal.Signals(signals[0])]}\n".encode())
        os._exit(128 + signals[0])

    def stop(number: int, frame: object) -> None:
        if signals:
            return  # the thread below ends the process
        signals.append(number)
        if not working:
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

    signal.set_wakeup_fd(ringing.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    for number in _WORDS:
        signal.signal(number, stop)
    try:
        working = True
        code = command() or 0
        working = False
    except BaseException:
        working = False
        if not signals:
            raise
    if signals:
        with suppress(Exception):
            sys.stdout.flush()
        leave()
    return code
