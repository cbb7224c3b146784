"""A real HTTP server on this machine, which fails in whatever way a test asks for."""

import contextlib
import hashlib
import http.server
import re
import threading
import time
from dataclasses import dataclass, field

import pytest

from coursework.data import Patience
from coursework.data.download import download
from coursework.data.sources import Source

CONTENT = bytes(i * i % 251 for i in range(100_000))
OTHER = CONTENT[::-1]
NOWHERE = "http://127.0.0.1:9/file.bin"  # the port "discard", where nothing listens
CALM = Patience(stall_seconds=10, pause_seconds=0.0)  # a shared machine stalls at random
HASTY = Patience(stall_seconds=0.3, pause_seconds=0.0)


def source(*urls, content=CONTENT):
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    return Source("file.bin", urls, size=len(content), checksum=checksum)


def get(wanted, target, **options):
    return download(wanted, target, **{"patience": CALM, "show_progress": False, **options})


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


@dataclass(frozen=True)
class Reply:
    """How one request is answered; the defaults are those of a good server."""

    content: bytes = b""
    status: int = 200
    ranges: bool = True
    etag: str | None = None
    modified: str | None = None
    announced: int | str | None = None  # what Content-Length says, "" for nothing; None: the truth
    content_range: str | None = None  # what Content-Range says; None: the truth
    location: str | None = None  # where a redirection leads
    cut_after: int | None = None  # the connection ends after so many bytes of the body
    stall_after: int | None = None  # the same, but it stays open and silent
    silent: bool = False  # not even a status line
    header_pause: float = 0.0  # seconds before each byte of headers that do not end
    chunked: bool = False  # HTTP/1.1, a length before each block in place of one for all
    no_range: bool = False  # any range is answered with 416
    kind: str | None = None  # what Content-Type says
    pause: float = 0.0  # seconds before each byte
    hold: threading.Event | None = None  # the second half of the body waits for this


@dataclass
class Request:
    path: str
    range: str | None
    if_range: str | None
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

    def asked(self, path):
        return [request for request in self.requests if request.path == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Keep the test's output clean."""

    def do_GET(self):
        server = self.server.owner
        replies = server.replies.get(self.path, [Reply(status=404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        request = Request(self.path, self.headers["Range"], self.headers["If-Range"])
        server.requests.append(request)
        if reply.silent:
            server.closing.wait(20)
            return
        if reply.header_pause:
            self.drip_headers(reply.header_pause)
            return
        start, status = 0, reply.status
        unchanged = request.if_range in (None, reply.etag, reply.modified)
        if status == 200 and reply.ranges and request.range and unchanged:
            start, status = int(re.fullmatch(r"bytes=(\d+)-", request.range)[1]), 206
        size = len(reply.content)
        if start > size or (reply.no_range and request.range):
            status = 416
        body = reply.content[start:] if status in (200, 206, 302) else b""
        self.protocol_version = "HTTP/1.1" if reply.chunked else "HTTP/1.0"
        self.send_response(status)
        self.close_connection = True
        announced = len(body) if reply.announced is None else reply.announced
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif announced != "":
            self.send_header("Content-Length", str(announced))
        if status == 206:
            whole = f"bytes {start}-{size - 1}/{size}"
            self.send_header("Content-Range", reply.content_range or whole)
        facts = {
            "ETag": reply.etag,
            "Last-Modified": reply.modified,
            "Location": reply.location,
            "Content-Type": reply.kind,
        }
        for name, value in facts.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        ends = [end for end in (reply.cut_after, reply.stall_after) if end is not None]
        try:
            body = body[: min(ends, default=len(body))]
            if reply.hold:
                half = len(body) // 2
                self.send_body(request, body[:half], reply)
                reply.hold.wait(20)
                body = body[half:]
            self.send_body(request, body, reply)
            if reply.chunked and not ends:
                self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            return
        if reply.stall_after is not None:
            server.closing.wait(20)

    def send_body(self, request, body, reply):
        step = 1 if reply.pause else 2**16
        for start in range(0, len(body), step):
            time.sleep(reply.pause)
            block = body[start : start + step]
            # Before it is written: whoever has read it all may look at once.
            request.sent += len(block)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if reply.chunked else block)

    def drip_headers(self, pause):
        with contextlib.suppress(ConnectionError):
            for byte in b"HTTP/1.0 200 OK\r\nX-Slow: " + b"x" * 1000:
                time.sleep(pause)
                self.wfile.write(bytes([byte]))


@pytest.fixture(scope="module")
def running_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        http_server.owner = server = Server(f"http://127.0.0.1:{http_server.server_port}")
        thread = threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.closing.set()
        http_server.shutdown()


@pytest.fixture
def server(running_server):
    running_server.replies.clear()
    running_server.requests.clear()
    return running_server


@pytest.fixture
def reply():
    return Reply


@pytest.fixture
def target(tmp_path):
    return tmp_path / "deep" / "file.bin"


@pytest.fixture
def part(target):
    target.parent.mkdir()
    return target.with_name("file.bin.part")
