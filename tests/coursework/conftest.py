"""A real HTTP server on this machine, which fails in whatever way a test asks for."""

import http.server
import re
import threading
import time
from dataclasses import dataclass, field

import pytest


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
        start, status = 0, reply.status
        unchanged = request.if_range in (None, reply.etag, reply.modified)
        if status == 200 and reply.ranges and request.range and unchanged:
            start, status = int(re.fullmatch(r"bytes=(\d+)-", request.range)[1]), 206
        if start > len(reply.content):
            status = 416
        body = reply.content[start:] if status in (200, 206) else b""
        self.send_response(status)
        size = len(reply.content)
        announced = len(body) if reply.announced is None else reply.announced
        if announced != "":
            self.send_header("Content-Length", str(announced))
        if status == 206:
            whole = f"bytes {start}-{size - 1}/{size}"
            self.send_header("Content-Range", reply.content_range or whole)
        facts = {"ETag": reply.etag, "Last-Modified": reply.modified, "Location": reply.location}
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
        except ConnectionError:
            return
        if reply.stall_after is not None:
            server.closing.wait(20)

    def send_body(self, request, body, reply):
        step = 1 if reply.pause else 2**16
        for start in range(0, len(body), step):
            time.sleep(reply.pause)
            block = body[start : start + step]
            self.wfile.write(block)
            request.sent += len(block)


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
