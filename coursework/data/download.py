"""Download one file from its mirrors: resumed, verified, and under its name only when whole."""

import http.client
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from coursework.data.sources import Source
from coursework.progress import progress

ROUNDS = 3  # without progress through all mirrors, after which a file is given up
PAUSE = 1.0  # seconds before the next round, if the last one brought no progress


@dataclass(frozen=True)
class FetchOptions:
    """How files are fetched.

    Attributes
    ----------
    offline
        Whether to verify only: nothing is downloaded, and nothing is written.
    mirrors
        URLs of servers that hold each file as ``GROUP/NAME``. They are asked before all others.
    timeout
        Seconds without a byte after which a server is left for the next one.
    show_progress
        Whether downloads show a progress bar.
    report
        Called with a line about each file.
    unreachable
        Hosts that a download could not reach, and why. The downloads of other files leave them out,
        so that a machine without a network waits once for each host and not for each file.
    """

    offline: bool = False
    mirrors: tuple[str, ...] = ()
    timeout: float = 15.0
    show_progress: bool = True
    report: Callable[[str], object] = lambda line: None
    unreachable: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.timeout < 1e6:
            raise ValueError(f"timeout is {self.timeout}, expected seconds above zero")
        for mirror in self.mirrors:
            if urlsplit(mirror).scheme not in ("http", "https"):
                raise ValueError(f"the mirror is {mirror!r}, expected an http or https URL")


class DownloadError(OSError):
    """No mirror gave the file; ``reasons`` says for each URL what went wrong there last."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


class _MirrorError(Exception):
    """What went wrong at one mirror, whether it was reached, and whether it may be asked again."""

    def __init__(self, reason: str, *, again: bool, reached: bool = True) -> None:
        super().__init__(reason)
        self.again, self.reached = again, reached


def download(source: Source, target: Path, options: FetchOptions) -> str:
    """Download a file to a path, and return the URL of the mirror that gave it.

    Bytes are collected in ``NAME.part``, beside the target. This part outlives a cut connection, a
    change of mirror and the end of the process, and only the bytes that it lacks are asked for. No
    record says where its bytes came from: the checksum of the whole shows whether they fit, and if
    they do not, the file is fetched again from its first byte. Two processes must not download to
    one target at the same time.

    If no mirror gives the file, a `DownloadError` says why; if the disk is full or the folder
    cannot be written, any other `OSError`. The bytes that came are kept.

    References
    ----------
    RFC 9110, *HTTP Semantics*, section 14, range requests.
    """
    part, unreachable = part_of(target), options.unreachable
    _require_space(source, part)
    hosts = {url: urlsplit(url).netloc for url in source.urls}
    reasons = {url: unreachable[host] for url, host in hosts.items() if host in unreachable}
    candidates = [url for url in source.urls if url not in reasons]
    longest, idle_rounds = received_bytes(part), 0
    while candidates and idle_rounds < ROUNDS:
        if idle_rounds:
            time.sleep(PAUSE)
        for url in tuple(candidates):
            try:
                _complete(source, part, url, options)
            except _MirrorError as error:
                reasons[url] = str(error)
                if not error.again:
                    candidates.remove(url)
                if not error.reached:
                    unreachable[hosts[url]] = str(error)
            else:
                unreachable.pop(hosts[url], None)
                os.replace(part, target)
                return url
        # Only a part that is longer than ever before is progress: a server without ranges may be
        # cut at the same byte each time.
        idle_rounds += 1
        if received_bytes(part) - longest > source.size // 100:
            longest, idle_rounds = received_bytes(part), 0
    raise DownloadError(reasons)


def part_of(target: Path) -> Path:
    """Return the path that collects the bytes of a file while it is downloaded."""
    return target.with_name(f"{target.name}.part")


def received_bytes(part: Path) -> int:
    """Return the length of a part, 0 if there is none."""
    return part.stat().st_size if part.exists() else 0


def _require_space(source: Source, part: Path) -> None:
    needed = source.size + source.unpacked_size - received_bytes(part)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise OSError(
            f"{part.parent} has room for {free:,} bytes, but {source.name} needs {needed:,} more, "
            "unpacked content included; make room or choose another folder"
        )


def _complete(source: Source, part: Path, url: str, options: FetchOptions) -> None:
    """Let a mirror bring the part to its full length, and verify it, or raise `_MirrorError`."""
    begun = received_bytes(part)
    if begun < source.size:
        _receive(source, part, url, options)
    if source.is_intact(part):
        return
    found = source.checksum_of(part)
    part.unlink()
    if not begun:
        raise _MirrorError(f"wrong bytes: {found}, expected {source.checksum}", again=False)
    # The bytes that were there before may have been the wrong ones.
    _complete(source, part, url, options)


def _receive(source: Source, part: Path, url: str, options: FetchOptions) -> None:
    """Ask a mirror for the bytes that the part lacks, and append what comes."""
    start = received_bytes(part)
    with _open(url, start, options.timeout) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0  # a server without ranges sends the whole file
        _check_headers(response.headers, start, source.size)
        with (
            open(part, "ab" if start else "wb") as file,
            progress(
                description=source.name,
                unit="B",
                unit_scale=True,
                initial=start,
                total=source.size,
                show=options.show_progress,
            ) as bar,
        ):
            for block in _blocks(response, source.size - start):
                file.write(block)
                bar.update(len(block))


def _check_headers(headers: http.client.HTTPMessage, start: int, size: int) -> None:
    """Raise `_MirrorError` if an answer cannot be the bytes of the file from ``start`` on."""
    given, length = headers.get("Content-Range", "no range"), headers.get("Content-Length")
    if start and not given.startswith(f"bytes {start}-"):
        raise _MirrorError(f"gives {given!r}, asked from byte {start} on", again=False)
    if length not in (None, str(size - start)):
        raise _MirrorError(f"offers {length} bytes, expected {size - start}", again=False)
    if length is None and headers.get_content_type() == "text/html":
        raise _MirrorError("gives a page of HTML, as networks do before a login", again=False)


def _blocks(response: http.client.HTTPResponse, missing: int) -> Iterator[bytes]:
    """Yield what comes until nothing is missing; raise `_MirrorError` if it ends early."""
    while missing:
        try:
            block = response.read1(min(2**18, missing))
        except (OSError, http.client.HTTPException) as error:
            raise _MirrorError(f"connection lost: {error}", again=True) from error
        if not block:
            raise _MirrorError(f"connection cut {missing:,} bytes before the end", again=True)
        yield block
        missing -= len(block)


def _open(url: str, start: int, timeout: float) -> http.client.HTTPResponse:
    """Ask for the bytes of a file from ``start`` on; return the answer or raise `_MirrorError`."""
    # Without "identity", a server may pack the file once more.
    headers = {"User-Agent": "deep-learning-coursework", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    proxy = _proxy_for(url)
    if proxy.startswith("socks"):
        raise _MirrorError(f"the proxy is {proxy}, expected an http:// proxy", again=False)
    try:
        context = ssl.create_default_context()  # this reads SSL_CERT_FILE
        if os.path.isfile(bundle := os.environ.get("REQUESTS_CA_BUNDLE", "")):
            context.load_verify_locations(bundle)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        request = urllib.request.Request(url, headers=headers)
        response: http.client.HTTPResponse = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _MirrorError(f"HTTP {error.code} {error.reason}", again=error.code >= 500) from error
    except urllib.error.URLError as error:
        # Asking again within seconds helps neither where nobody answers nor with certificates.
        final = isinstance(error.reason, TimeoutError | ssl.SSLCertVerificationError)
        through = f" through the proxy {proxy}" if proxy else ""
        reason = f"no connection{through}: {error.reason}"
        raise _MirrorError(reason, again=not final, reached=False) from error
    except (ValueError, http.client.InvalidURL) as error:
        raise _MirrorError(f"cannot be asked: {error}", again=False) from error
    except (OSError, http.client.HTTPException) as error:
        raise _MirrorError(f"connection lost: {error}", again=True) from error
    return response


def _proxy_for(url: str) -> str:
    """Return the proxy that the environment names for a URL, without its password, or nothing."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return ""
    return re.sub("[^/]*@", "", urllib.request.getproxies().get(parts.scheme, ""))
