"""A real HTTP server on this machine that fails as a test asks, and a small world of its files."""

import contextlib
import gzip
import hashlib
import http.server
import io
import re
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass, field

import pytest

from coursework.data import FetchOptions, sources
from coursework.data.sources import Source

NOWHERE = "http://127.0.0.1:9"  # the port "discard", where nothing listens


@dataclass(frozen=True)
class Reply:
    """How one request is answered; the defaults are those of a good server."""

    content: bytes = b""
    status: int = 200
    ranges: bool = True
    length: int | str | None = None  # what Content-Length says, "" for nothing; None: the truth
    content_range: str | None = None  # what Content-Range says; None: the truth
    location: str | None = None  # where a redirection leads
    kind: str = "application/octet-stream"
    encoding: str | None = None  # what Content-Encoding says
    chunked: bool = False  # HTTP/1.1, a length before each block in place of one for all
    cut_after: int | None = None  # the connection ends after so many bytes of the body
    stall_after: int | None = None  # the same, but it stays open and silent
    silent: bool = False  # not even a status line
    hold: threading.Event | None = None  # the second half of the body waits for this


@dataclass
class Request:
    path: str
    range: str | None
    sent: int = 0


@dataclass
class Server:
    """``replies[path]`` is what is answered, one after the other; the last one is repeated."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def offer(self, path, *replies):
        self.replies[path] = list(replies)
        return f"{self.url}{path}"

    def ranges(self, path):
        return [request.range for request in self.requests if request.path == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Keep the test's output clean."""

    def do_GET(self):
        server = self.server.owner
        replies = server.replies.get(self.path, [Reply(status=404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        request = Request(self.path, self.headers["Range"])
        server.requests.append(request)
        if reply.silent:
            server.closing.wait(20)
            return
        start, status, size = 0, reply.status, len(reply.content)
        if status == 200 and reply.ranges and request.range:
            start = int(re.fullmatch(r"bytes=(\d+)-", request.range)[1])
            status = 206 if start < size else 416
        body = reply.content[start:] if status in (200, 206) else b""
        if self.headers["Accept-Encoding"] != "identity":
            body = gzip.compress(body)
        self.protocol_version = "HTTP/1.1" if reply.chunked else "HTTP/1.0"
        self.close_connection = True
        headers = {
            "Content-Length": len(body) if reply.length is None else reply.length,
            "Content-Range": reply.content_range or f"bytes {start}-{size - 1}/{size}",
            "Content-Type": reply.kind,
            "Content-Encoding": reply.encoding,
            "Location": reply.location,
        }
        if reply.chunked:
            headers |= {"Content-Length": "", "Transfer-Encoding": "chunked"}
        if status != 206:
            del headers["Content-Range"]
        self.send_response(status)
        for name, value in headers.items():
            if value not in (None, ""):
                self.send_header(name, str(value))
        self.end_headers()
        ends = [end for end in (reply.cut_after, reply.stall_after) if end is not None]
        body = body[: min(ends, default=len(body))]
        half = len(body) // 2 if reply.hold else len(body)
        with contextlib.suppress(ConnectionError):
            self.send_body(request, body[:half], reply)
            if reply.hold:
                reply.hold.wait(20)
                self.send_body(request, body[half:], reply)
            if reply.chunked and not ends:
                self.wfile.write(b"0\r\n\r\n")
        if reply.stall_after is not None:
            server.closing.wait(20)

    def send_body(self, request, body, reply):
        for start in range(0, len(body), 2**16):
            block = body[start : start + 2**16]
            # Before it is written: whoever has read it all may look at once.
            request.sent += len(block)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if reply.chunked else block)


@contextlib.contextmanager
def serving(context=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        if context:
            http_server.socket = context.wrap_socket(http_server.socket, server_side=True)
        scheme = "https" if context else "http"
        http_server.owner = server = Server(f"{scheme}://127.0.0.1:{http_server.server_port}")
        http_server.handle_error = lambda *arguments: None
        threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.closing.set()
        http_server.shutdown()


@pytest.fixture(scope="module")
def running_server():
    with serving() as server:
        yield server


@pytest.fixture
def server(running_server):
    running_server.replies.clear()
    running_server.requests.clear()
    return running_server


@pytest.fixture(autouse=True)
def no_pauses_and_no_proxy(monkeypatch):
    monkeypatch.setattr("coursework.data.download.PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "*")


def quiet(lines=None, **options):
    """Return options without a progress bar; a shared machine stalls at random, so be patient."""
    if lines is not None:
        options["report"] = lines.append
    return FetchOptions(**{"timeout": 10, "show_progress": False, **options})


def visible(folder):
    """Return the names of the files below a folder."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths)


PHOTOGRAPHS = {
    f"image_{number:05d}.jpg": b"\xff\xd8\xff" + bytes([number]) * 999 for number in range(1, 4)
}


def entry(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def archive_of(photographs, *more_entries):
    """Return the bytes of an archive like that of the flowers."""
    entries = [entry(f"jpg/{name}", content) for name, content in photographs.items()]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, content in [entry("jpg", kind=tarfile.DIRTYPE), *entries, *more_entries]:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


CONTENTS = {
    "mnist": {"images.gz": b"images" * 20_000, "labels.gz": b"labels" * 100},
    "flowers": {
        "imagelabels.mat": b"labels of flowers",
        "setid.mat": b"splits of flowers",
        "102flowers.tgz": archive_of(PHOTOGRAPHS),
    },
    "weights": {"resnet18.pth": b"eighteen" * 9, "resnet50.pth": b"fifty" * 9},
}
FILES = [f"{group}/{name}" for group, files in CONTENTS.items() for name in files]


def source_of(name, content, *urls):
    return Source(name, urls, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


def install(monkeypatch, *urls):
    """Put small files, served by mirrors, into the table in place of the real ones."""
    groups = {
        group: tuple(
            source_of(name, content, *(f"{url}/{group}/{name}" for url in urls))
            for name, content in files.items()
        )
        for group, files in CONTENTS.items()
    }
    for group, files in groups.items():
        monkeypatch.setitem(sources.GROUPS, group, files)
    monkeypatch.setattr(sources, "FLOWERS", groups["flowers"])
    monkeypatch.setattr(sources, "PHOTOGRAPHS", len(PHOTOGRAPHS))
    for network, source in zip(("resnet18", "resnet50"), groups["weights"], strict=True):
        monkeypatch.setitem(sources.WEIGHTS, network, source)


@pytest.fixture
def world(server, root, tmp_path, monkeypatch):
    """Small files in place of the real ones, each offered by the server and by a dead mirror."""
    for group, files in CONTENTS.items():
        for name, content in files.items():
            server.offer(f"/{group}/{name}", Reply(content))
    install(monkeypatch, NOWHERE, server.url)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("COURSEWORK_DATA", str(root))
    return server


@pytest.fixture
def no_network(world, monkeypatch):
    install(monkeypatch, NOWHERE)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def put_by_hand(root, *groups):
    """Put all files of groups into their places and return the folder of the last one."""
    for group in groups:
        (root / group).mkdir(parents=True)
        for name, content in CONTENTS[group].items():
            (root / group / name).write_bytes(content)
    return root / groups[-1]


RUN = """
import sys
from coursework.cli import main
from coursework.data import sources
name, size, checksum, url, root = sys.argv[1:]
sources.GROUPS["mnist"] = (sources.Source(name, (url,), int(size), checksum),)
sys.exit(main(["fetch", "mnist", "--root", root]))
"""


def start_run(source, root):
    """Start a process that fetches one file from its last mirror."""
    facts = [source.name, str(source.size), source.checksum, source.urls[-1], str(root)]
    command = [sys.executable, "-u", "-c", RUN, *facts]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_half(part, content):
    deadline = time.monotonic() + 60
    while not part.exists() or part.stat().st_size < len(content) // 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
