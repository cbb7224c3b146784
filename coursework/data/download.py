"""Downloads over a bad network: resumed, verified, and under their name only when whole."""

import os
import shutil
import time
from collections.abc import Iterable, MutableMapping
from pathlib import Path

from coursework.data.mirror import Mirror, Patience, part_of, received_bytes, settle
from coursework.data.request import InterruptionError, RefusalError, UnreachableError
from coursework.data.sources import Source


class DownloadError(OSError):
    """No mirror gave the file.

    Attributes
    ----------
    reasons
        For each URL, what went wrong there last.
    """

    def __init__(self, source: Source, reasons: dict[str, str]) -> None:
        self.reasons = reasons
        listed = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
        super().__init__(f"{source.name} could not be downloaded ({listed})")


def download(
    source: Source,
    target: Path,
    *,
    patience: Patience | None = None,
    hosts: MutableMapping[str, str] | None = None,
    show_progress: bool = True,
) -> str:
    """Download a file; it gets its name once its checksum is right, and replaces what had it.

    What arrives is collected in ``NAME.part``, next to the target. The part outlives a cut
    connection, a change of mirror, Ctrl-C and the end of the process, and only what it lacks is
    asked for (HTTP ``Range``). Nothing records where its bytes are from: since the checksum of the
    whole file is known, a part that does not fit the rest is found out at the end, and the file is
    then fetched again from its first byte. An answer that starts there although there is a part, as
    those of a server without ranges do, is collected in ``NAME.part.new`` and takes the place of
    the part once it ends, if it is longer.

    Parameters
    ----------
    source
        What to download. Mirrors are tried in order. One that lacks the file, or has another one,
        is not asked again; one that fails on the way is, in the next round.
    target
        The path of the file. Its folder is made. Two processes must not download to one target at
        the same time: `fetch_files` sees to that.
    patience
        When to give up.
    hosts
        What is known of each host: ``""`` if it could be reached once, otherwise why not, and then
        it is left out. One is left out when it refuses a connection, when it could not be reached
        in any round, or when it was waited for in vain and another mirror gave the file. It is
        updated, so that a caller with many files and no network waits once for each host.
    show_progress
        Whether to show a progress bar.

    Returns
    -------
    str
        The URL of the mirror that gave the last byte.

    Raises
    ------
    DownloadError
        If no mirror gave the file. What was received is kept.
    OSError
        If the disk is full or the folder cannot be written. What was received is kept.

    References
    ----------
    RFC 9110, *HTTP Semantics*, section 14, range requests.
    """
    patience = patience or Patience()
    hosts = {} if hosts is None else hosts
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    settle(part)  # an earlier process may have been killed before it did
    _require_space(source, part)
    candidates = [Mirror(url, source, part, patience, hosts, show_progress) for url in source.urls]
    reasons: dict[str, str] = {}
    unreachable: dict[str, UnreachableError] = {}
    began = time.monotonic()
    for round_ in range(patience.rounds):
        if round_ and candidates:
            # Where nobody answers, several hosts that let one wait cost little more than one.
            waited = time.monotonic() - began
            if "" not in hosts.values() and waited >= patience.rounds * patience.stall_seconds:
                break
            time.sleep(patience.pause_seconds * 2 ** (round_ - 1))
        for mirror in tuple(candidates):
            try:
                mirror.complete()
            except (RefusalError, InterruptionError) as error:
                reasons[mirror.url] = str(error)
                if isinstance(error, RefusalError):
                    candidates.remove(mirror)
                elif isinstance(error, UnreachableError):
                    unreachable[error.host] = error
            else:
                os.replace(part, target)
                _remember(hosts, (error for error in unreachable.values() if error.waited))
                return mirror.url
    _remember(hosts, unreachable.values())
    raise DownloadError(source, reasons)


def _remember(hosts: MutableMapping[str, str], failures: Iterable[UnreachableError]) -> None:
    """Leave hosts out from now on, unless they have answered after all."""
    for failure in failures:
        hosts.setdefault(failure.host, str(failure))


def _require_space(source: Source, part: Path) -> None:
    needed = source.size + source.unpacked_size - received_bytes(part)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        purpose = " to be received and unpacked" if source.unpacked_size else ""
        raise OSError(
            f"{part.parent} has room for {free:,} bytes, but {source.name} needs {needed:,} more"
            f"{purpose}; make room or choose another folder"
        )
