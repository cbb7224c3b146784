"""A plugin of pytest that reports on tests of code that cannot be trusted.

``-p coursework.course.witness --witness N`` writes to the open file N: a line when a test begins,
when it has an outcome, and when it ends, each signed. The key comes on the standard input, before
any code of the student is imported, and stands in no variable of a module. Functions that the code
changes in the libraries that it is tested with are put back before a test begins; a test during
which they change fails.

It stops what a student may try in an evening. Code that searches the memory of its own process
finds the key: whoever expects that has to test in two processes.
"""

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursework.course.guard import Guard, libraries_of
from coursework.course.outcomes import Outcome
from coursework.course.plugin import Reporter, Send


def signer(key: bytes) -> Callable[[int, bytes], bytes]:
    """Return a function that signs the line with a number, counted from 0."""
    blake2b = hashlib.blake2b  # taken now: whoever replaces it in its module later learns no key

    def sign(number: int, text: bytes) -> bytes:
        return blake2b(b"%d " % number + text, key=key).hexdigest().encode()

    return sign


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the open file."""
    parser.addoption("--witness", type=int, required=True)


def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: Sequence[str]
) -> None:
    """Take the key and note the libraries, before a ``conftest.py`` imports any other code."""
    told = json.loads(sys.stdin.readline())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    files = [Path(name) for name in args if name.endswith(".py")]
    for name in (modules := libraries_of(files, told["strange"])):
        # Some names are functions of a module, and a library may be missing.
        with suppress(ImportError):
            importlib.import_module(name)
    send = _sender(early_config.known_args_namespace.witness, bytes.fromhex(told["key"]))
    # The course's own answers change nothing; what changes with them, the libraries change.
    trusted = told["free"] is None
    guard = Guard(modules, told["free"] or ())
    witness = _Witness(send, guard, told["done"], trusted)
    early_config.pluginmanager.register(witness, "witness")


def _sender(channel: int, key: bytes) -> Send:
    """Return a function that writes signed lines."""
    number, write, encode, sign = 0, os.write, json.JSONEncoder().encode, signer(key)

    def send(message: dict[str, Any]) -> None:
        nonlocal number
        text = encode(message).encode()
        write(channel, sign(number, text) + b" " + text + b"\n")
        number += 1

    return send


def _steady_hypothesis() -> None:
    """Let Hypothesis draw the same examples for everybody, and not search for the smallest.

    A ``conftest.py`` may have chosen other settings, and tests take those of their import.
    """
    if "hypothesis" not in sys.modules:
        return
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    steady = settings(settings(), derandomize=True, database=None, phases=phases)
    settings.register_profile("graded", steady)
    settings.load_profile("graded")


class _Witness(Reporter):
    def __init__(self, send: Send, guard: Guard, done: list[str], trusted: bool) -> None:
        super().__init__(send)
        self.guard, self.done, self.trusted = guard, frozenset(done), trusted
        self.changed: list[str] = []

    def mend(self) -> None:
        changed = self.guard.changed() if self.trusted else self.guard.mend()
        if changed:
            self.send({"changed": changed})

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        _steady_hypothesis()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.mend()
        items[:] = [item for item in items if item.nodeid not in self.done]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.mend()
        self.changed = []
        self.send({"begin": item.nodeid})
        result = yield
        self.send({"end": item.nodeid})
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Item) -> Generator[None, object, object]:
        by_fixtures = self.guard.changed()
        try:
            return (yield)
        finally:
            changed = [name for name in self.guard.changed() if name not in by_fixtures]
            if changed:
                self.mend()
            self.changed = [] if self.trusted else changed

    def judge(self, outcome: Outcome, call: pytest.CallInfo[None]) -> Outcome:
        if self.changed:
            reason = f"changes {', '.join(self.changed[:3])}"
            return replace(outcome, passed=False, reason=reason)
        if call.excinfo is not None:  # whatever the report says
            return replace(outcome, passed=False)
        return outcome

    def pytest_sessionfinish(self) -> None:
        self.send({"finished": True})
