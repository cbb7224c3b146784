"""One server that may have a file: asked for what is missing, believed as far as it was checked."""

import http.client
import os
import re
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from coursework.data.request import InterruptionError, RefusalError, StallError, ask, interruption
from coursework.data.sources import Source
from coursework.progress import progress

BLOCK = 2**18
"""The most bytes that are read at once."""


@dataclass(frozen=True)
class Patience:
    """How long to put up with a server.

    Attributes
    ----------
    stall_seconds
        A connection is given up after this long without a byte, without the end of its headers, or
        when it brought fewer than ``slowest_rate`` bytes a second for this long.
    slowest_rate
        In bytes a second.
    rounds
        How often all mirrors are gone through. Where no host answers at all, a further round is
        begun only within the time that one silent host could take for all of them.
    pause_seconds
        Before the second round; it doubles before each further one.
    """

    stall_seconds: float = 15.0
    slowest_rate: float = 1000.0
    rounds: int = 3
    pause_seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.stall_seconds < 1e6 or self.rounds < 1:
            raise ValueError(f"expected seconds above zero and one round or more, found {self}")


class RangeRefusalError(RefusalError):
    """The mirror does not give a range of the file: it may yet give the whole."""


class Mirror:
    """One URL, and what is known of the file behind it.

    Parameters
    ----------
    url, source
        Where it is, and what it should be.
    part
        The path that collects what arrives.
    patience, hosts, show_progress
        As `coursework.data.download.download` takes them.
    """

    def __init__(
        self,
        url: str,
        source: Source,
        part: Path,
        patience: Patience,
        hosts: MutableMapping[str, str],
        show_progress: bool,
    ) -> None:
        self.url = url
        self.source = source
        self.part = part
        self.patience = patience
        self.hosts = hosts
        self.show_progress = show_progress
        self.validator: str | None = None
        self.pieced = False
        self.ranges = True

    def complete(self) -> None:
        """Bring the part to its full length and verify it, or raise and say why not."""
        self.pieced = received_bytes(self.part) > 0
        for may_repeat in (True, False):
            self._receive_all()
            if self.source.is_intact(self.part):
                return
            found = self.source.checksum_of(self.part)
            self.part.unlink()
            # Perhaps only the beginning, from another mirror or another day, was wrong.
            if not (self.pieced and may_repeat):
                raise RefusalError(f"wrong bytes: {found}, expected {self.source.checksum}")

    def _receive_all(self) -> None:
        """Ask for what is missing, again and again while each answer brings a fair share."""
        longest = received_bytes(self.part)
        while received_bytes(self.part) < self.source.size:
            try:
                self._receive()
            except RangeRefusalError:
                # The same without a range is another question, and asked once.
                self.ranges = False
            except StallError:
                raise
            except InterruptionError:
                # A server that starts from zero each time, only to be cut again, brings nothing.
                if received_bytes(self.part) - longest < max(1, self.source.size // 100):
                    raise
                longest = received_bytes(self.part)

    def _receive(self) -> None:
        """Make one request and keep what it brings; raise if that is not all."""
        begun = received_bytes(self.part)
        asked = begun if self.ranges else 0
        try:
            with self._ask(asked) as response:
                start, validator = self._check_answer(response, asked)
                # All from the first byte on may be cut sooner than what is here already.
                path = beside(self.part) if begun and not start else self.part
                try:
                    self._write(path, response, start)
                finally:
                    if path == self.part or settle(self.part):
                        self.validator, self.pieced = validator, start > 0
        except OSError as error:
            # Those of the network have become exceptions of this module: this one is of the disk.
            raise OSError(error.errno, error.strerror, str(self.part)) from error

    def _ask(self, start: int) -> http.client.HTTPResponse:
        """Send one request for the bytes from ``start`` on."""
        headers = {"User-Agent": "deep-learning-coursework", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.validator:
                # If the file has changed since, the answer is all of the new one.
                headers["If-Range"] = self.validator
        return ask(self.url, headers, self.patience.stall_seconds, self.hosts)

    def _check_answer(
        self, response: http.client.HTTPResponse, asked: int
    ) -> tuple[int, str | None]:
        """Return at which byte the answer starts and what its version is, if it is the right file.

        ``asked`` is the byte from which on it was asked for.
        """
        status, headers = response.status, response.headers
        reason = f"HTTP {status} {response.reason}"
        if status >= 500 or status in (408, 429):
            raise InterruptionError(reason)
        if asked and status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise RangeRefusalError(reason)
        start, total = 0, headers.get("Content-Length")
        if asked and status == HTTPStatus.PARTIAL_CONTENT:
            start, given = asked, headers.get("Content-Range", "")
            parts = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", given)
            if parts is None or int(parts[1]) != start:
                given = given or "no range"
                raise RangeRefusalError(f"asked from byte {start}, it gives {given!r}")
            total = parts[2]
        elif status != HTTPStatus.OK:
            raise RefusalError(reason)
        elif total is None and headers.get_content_type() == "text/html":
            raise RefusalError("gives a page of HTML")
        if total not in (None, "*", str(self.source.size)):
            raise RefusalError(f"offers {total} bytes, expected {self.source.size}")
        etag = headers.get("ETag", "")
        return start, etag if etag.startswith('"') else headers.get("Last-Modified")

    def _write(self, path: Path, response: http.client.HTTPResponse, start: int) -> None:
        """Append an answer to a file, or let it begin one; drop it if it is of another file."""
        try:
            with (
                open(path, "ab" if start else "wb") as file,
                progress(
                    description=self.source.name,
                    unit="B",
                    unit_scale=True,
                    initial=start,
                    total=self.source.size,
                    show=self.show_progress,
                ) as bar,
            ):
                for block in self._blocks(response, start):
                    file.write(block)
                    bar.update(len(block))
                file.flush()
                os.fsync(file.fileno())
        except RefusalError:
            path.unlink()
            raise

    def _blocks(self, response: http.client.HTTPResponse, start: int) -> Iterator[bytes]:
        """Yield what arrives until nothing is missing; raise if it ends early or dawdles."""
        missing = self.source.size - start
        since, received = time.monotonic(), 0
        while missing:
            try:
                block = response.read1(min(BLOCK, missing))
            except (OSError, http.client.HTTPException) as error:
                raise interruption(error, self.patience.stall_seconds) from error
            if not block:
                if response.chunked and not start:
                    # Chunks tell their end from a cut: this is all of something else.
                    found = self.source.size - missing
                    raise RefusalError(f"gives {found} bytes, expected {self.source.size}")
                raise InterruptionError(f"connection cut {missing:,} bytes before the end")
            yield block
            missing -= len(block)
            received += len(block)
            seconds = time.monotonic() - since
            if seconds >= self.patience.stall_seconds:
                if received < self.patience.slowest_rate * seconds:
                    raise StallError(f"too slow: {received:,} bytes in {seconds:.0f} s")
                since, received = time.monotonic(), 0


def part_of(target: Path) -> Path:
    """Return the path that collects what arrives of a file."""
    return target.with_name(f"{target.name}.part")


def received_bytes(path: Path) -> int:
    """Return the length of a part, 0 if nothing has come yet."""
    return path.stat().st_size if path.exists() else 0


def beside(part: Path) -> Path:
    """Return the path that collects a file from its first byte while a part of it is there."""
    return part.with_name(f"{part.name}.new")


def settle(part: Path) -> bool:
    """Let what was collected beside a part take its place if it is longer, and drop it if not."""
    new = beside(part)
    if received_bytes(new) > received_bytes(part):
        os.replace(new, part)
        return True
    new.unlink(missing_ok=True)
    return False
