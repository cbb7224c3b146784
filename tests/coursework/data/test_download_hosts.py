"""Hosts that cannot be reached: which are asked again, and what is remembered of them."""

import errno
import socket
import ssl
import time

import pytest

from coursework.data import Patience
from coursework.data.download import DownloadError
from tests.coursework.conftest import CALM, CONTENT, HASTY, NOWHERE, get, names, source

ASLEEP = [
    socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),  # without a network, on a Mac
    TimeoutError("timed out"),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    OSError(errno.ENETUNREACH, "Network is unreachable"),
]
FINAL = [
    ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    ssl.SSLCertVerificationError("self-signed certificate"),
]


class Network:
    """Connections of which the first ones fail, those to ``port`` or all."""

    def __init__(self, monkeypatch):
        self.connect = socket.create_connection
        self.errors, self.port, self.attempts, self.sleeps, self.seconds = [], None, 0, [], 0.0
        monkeypatch.setattr(socket, "create_connection", self.create_connection)
        self.sleep = time.sleep
        monkeypatch.setattr(time, "sleep", lambda seconds: seconds and self.sleeps.append(seconds))

    def create_connection(self, address, *arguments, **options):
        if self.errors and self.port in (None, address[1]):
            self.attempts += 1
            self.sleep(self.seconds)
            raise self.errors.pop()
        return self.connect(address, *arguments, **options)


@pytest.fixture
def network(monkeypatch):
    return Network(monkeypatch)


def host(url):
    return url.split("/")[2]


@pytest.mark.parametrize("error", ASLEEP, ids=str)
def test_a_network_that_comes_back_is_waited_for(server, reply, network, target, error):
    network.errors = [error] * 2
    url, hosts = server.offer("/file.bin", reply(CONTENT)), {}
    assert get(source(url), target, hosts=hosts, patience=Patience()) == url
    assert network.sleeps == [1.0, 2.0]
    assert hosts == {host(url): ""}


@pytest.mark.parametrize("error", ASLEEP, ids=str)
def test_the_rounds_are_paid_once_for_a_host(server, network, target, error):
    network.errors, hosts = [error] * 99, {}
    for _ in range(3):
        with pytest.raises(DownloadError, match="no connection"):
            get(source(f"{server.url}/file.bin"), target, hosts=hosts, patience=Patience())
    assert network.attempts == Patience().rounds
    assert network.sleeps == [1.0, 2.0]
    assert "no connection" in hosts[host(server.url)]


@pytest.mark.parametrize("error", FINAL, ids=str)
def test_a_host_that_says_no_is_asked_once(server, network, target, error):
    network.errors, hosts = [error] * 99, {}
    with pytest.raises(DownloadError, match="no connection"):
        get(source(f"{server.url}/file.bin"), target, hosts=hosts)
    assert (network.attempts, network.sleeps) == (1, [])
    assert "no connection" in hosts[host(server.url)]


def test_hosts_that_let_one_wait_do_not_add_up_where_nobody_answers(network, target):
    network.errors, network.seconds = [TimeoutError("timed out")] * 99, HASTY.stall_seconds
    urls = [f"http://127.0.0.{number}/file.bin" for number in (1, 2, 3)]
    with pytest.raises(DownloadError):
        get(source(*urls), target, patience=HASTY)
    assert network.attempts == len(urls)


@pytest.mark.parametrize(("error", "attempts"), [(ASLEEP[2], 1), (ASLEEP[0], 2)], ids=str)
def test_only_a_host_that_lets_one_wait_is_left_out_for_one_failure(
    server, reply, network, target, error, attempts
):
    network.errors, network.port, hosts = [error] * 99, 9, {}
    url = server.offer("/file.bin", reply(CONTENT))
    for _ in range(2):
        get(source(NOWHERE, url), target, hosts=hosts)
    assert network.attempts == attempts
    assert (host(NOWHERE) in hosts) == (attempts == 1)


@pytest.mark.parametrize("error", [ASLEEP[0], FINAL[0]], ids=str)
def test_a_redirection_is_not_blamed_on_the_host_that_redirects(
    server, reply, network, target, error
):
    network.errors, network.port, hosts = [error] * 99, 9, {}
    moved = server.offer("/moved", reply(status=302, location=NOWHERE))
    good = server.offer("/good", reply(CONTENT))
    with pytest.raises(DownloadError, match=r"/moved: no connection to 127\.0\.0\.1:9: "):
        get(source(moved), target, hosts=hosts)
    assert hosts[host(moved)] == ""
    assert "no connection" in hosts[host(NOWHERE)]
    assert get(source(moved, good), target, hosts=hosts) == good


def test_a_redirection_is_followed_without_its_body(server, reply, target):
    moved = server.offer("/moved", reply(CONTENT, status=302, location="/new", stall_after=9))
    server.offer("/new", reply(CONTENT))
    began = time.monotonic()
    get(source(moved), target, patience=CALM)
    assert time.monotonic() - began < CALM.stall_seconds
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/bad", "redirected more than 10 times"),
        ("http://.foo/x", "'http://.foo/x' cannot be asked"),
        ("http://[/x", "cannot be asked"),
        ("http://host:port/x", "cannot be asked"),
        ("http://host:99999/x", "cannot be asked"),
        ("http://a b/x", "cannot be asked"),
        (f"http://{'a' * 64}/x", "cannot be asked"),
        ("file:///etc/passwd", "expected http or https"),
        ("ftp://127.0.0.1/x", "expected http or https"),
        (None, "HTTP 302"),
    ],
)
def test_a_redirection_to_nowhere_is_left_for_the_next_mirror(
    server, reply, target, location, message
):
    bad = server.offer("/bad", reply(status=302, location=location))
    good = server.offer("/good", reply(CONTENT))
    with pytest.raises(DownloadError, match=message.replace(".", r"\.")):
        get(source(bad), target)
    assert get(source(bad, good), target) == good
    assert names(target) == [target.name]


@pytest.mark.parametrize("url", ["http://[/x", "http://.foo/x", "http://h:port/x", "file:///x"])
def test_a_url_that_is_none_is_left_for_the_next_mirror(server, reply, target, url):
    good = server.offer("/good", reply(CONTENT))
    assert get(source(url, good), target) == good


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/größe", "/gr%C3%B6%C3%9Fe"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/a%20b?c=%2F", "/a%20b?c=%2F"),
    ],
)
def test_what_no_url_may_hold_is_encoded(server, reply, target, written, sent):
    server.offer(sent, reply(CONTENT))
    get(source(f"{server.url}{written}"), target)
    assert target.read_bytes() == CONTENT


def test_a_redirection_is_followed_byte_by_byte(server, reply, target):
    moved = server.offer("/moved", reply(status=302, location="/größe"))  # sent as Latin-1
    server.offer("/gr%F6%DFe", reply(CONTENT))
    get(source(moved), target)
    assert target.read_bytes() == CONTENT


def test_headers_that_trickle_are_left_for_the_next_mirror(server, reply, target):
    slow = server.offer("/slow", reply(header_pause=0.02))  # never silent, and 20 seconds in all
    good = server.offer("/good", reply(CONTENT))
    began = time.monotonic()
    assert get(source(slow, good), target, patience=HASTY) == good
    assert time.monotonic() - began < 5
    with pytest.raises(DownloadError, match=r"no answer for 0\.3 s"):
        get(source(slow), target, patience=HASTY)
