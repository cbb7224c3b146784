"""Downloads over a network that fails in every usual way, from a real server on this machine."""

import shutil
import ssl
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursework.data import FetchError, FetchOptions, fetch_files
from tests.coursework.data.conftest import NOWHERE, Reply, quiet, serving, source_of, visible

CONTENT = bytes(i * i % 251 for i in range(100_000))
OTHER = CONTENT[::-1]
PAGE = b"<html>Please log in</html>"
HTML = "text/html; charset=utf-8"
GOOD = Reply(CONTENT)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "mnist"


def get(folder, *urls, **options):
    """Download a file to a folder and check that it arrived, alone."""
    fetch_files([source_of("file.bin", CONTENT, *urls)], folder, quiet(**options))
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert visible(folder) == ["file.bin"]


def begin(folder, content):
    folder.mkdir(parents=True)
    (folder / "file.bin.part").write_bytes(content)
    return folder / "file.bin.part"


def test_a_file_arrives_whole_and_alone(server, folder):
    get(folder, server.offer("/file.bin", GOOD))
    assert server.ranges("/file.bin") == [None]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Reply(status=404), "HTTP 404 Not Found"),
        (Reply(status=503), "HTTP 503 Service Unavailable"),
        (Reply(status=302, location="/bad"), "HTTP 302 .*infinite loop"),
        (Reply(status=302, location="file:///etc/passwd"), "HTTP 302 .*not allowed"),
        (Reply(status=302, location=f"{NOWHERE}/x"), "no connection: .*refused"),
        (Reply(status=302, location="http://[/x"), "cannot be asked"),
        (Reply(OTHER), "wrong bytes: sha256:.*, expected sha256:"),
        (Reply(PAGE), "offers 26 bytes, expected 100000"),
        (Reply(PAGE, length="", kind=HTML), "gives a page of HTML"),
        (Reply(PAGE, chunked=True, kind=HTML), "gives a page of HTML"),
        (Reply(CONTENT[:-1], chunked=True, ranges=False), "cut 1 bytes before the end"),
        (Reply(CONTENT, length=10**12), "offers 1000000000000 bytes"),
        (Reply(CONTENT, ranges=False, cut_after=40_000), "cut 60,000 bytes before the end"),
        (Reply(silent=True), "connection lost: timed out"),
        (Reply(CONTENT, stall_after=0), "connection lost: timed out"),
        (Reply(CONTENT, ranges=False, stall_after=30_000), "connection lost: timed out"),
    ],
)
def test_a_bad_mirror_is_left_for_the_next(server, folder, bad, message):
    is_slow = bad.silent or bad.stall_after is not None
    options = {"timeout": 0.3} if is_slow else {}
    url = server.offer("/bad", bad)
    get(folder, url, server.offer("/good", GOOD), **options)
    (folder / "file.bin").unlink()
    began = time.monotonic()
    with pytest.raises(FetchError, match=message):
        get(folder, url, **options)
    assert time.monotonic() - began < 10
    assert "file.bin" not in visible(folder)


@pytest.mark.parametrize(
    "url", [f"{NOWHERE}/x", "http://.foo/x", "http://h:port/x", "http://a b/x"]
)
def test_a_url_that_leads_nowhere_is_left_for_the_next(server, folder, url):
    with pytest.raises(FetchError, match=r"no connection|cannot be asked"):
        get(folder, url)
    get(folder, url, server.offer("/good", GOOD))


def test_a_mirror_that_has_another_file_is_asked_once_and_one_in_trouble_again(server, folder):
    urls = [server.offer("/gone", Reply(status=404)), server.offer("/other", Reply(OTHER))]
    busy = server.offer("/busy", Reply(status=503), Reply(CONTENT, cut_after=0), GOOD)
    get(folder, *urls, busy)
    paths = [request.path for request in server.requests]
    assert paths == ["/gone", "/other", "/busy", "/busy", "/busy"]


def test_a_host_that_cannot_be_reached_is_left_out_for_the_next_file(server, folder):
    options, url = quiet(), server.offer("/file.bin", GOOD)
    fetch_files([source_of("file.bin", CONTENT, f"{NOWHERE}/x", url)], folder, options)
    assert list(options.unreachable) == [NOWHERE.removeprefix("http://")]
    options.unreachable[server.url.removeprefix("http://")] = "down since this morning"
    with pytest.raises(FetchError, match="down since this morning"):
        fetch_files([source_of("other.bin", OTHER, url)], folder, options)
    assert len(server.requests) == 1


def test_after_a_cut_only_the_rest_is_asked_for(server, folder):
    replies = [Reply(CONTENT, cut_after=15_000) for _ in range(6)]
    get(folder, server.offer("/file.bin", *replies, GOOD))
    starts = [None, *(f"bytes={15_000 * number}-" for number in range(1, 7))]
    assert server.ranges("/file.bin") == starts
    assert sum(request.sent for request in server.requests) == len(CONTENT)


@pytest.mark.parametrize("fault", [{"cut_after": 40_000}, {"chunked": True, "cut_after": 40_000}])
def test_a_cut_file_is_continued_by_the_next_mirror(server, folder, fault):
    cut = server.offer("/cut", Reply(CONTENT, **fault))
    get(folder, cut, server.offer("/good", GOOD))
    assert server.ranges("/good") == ["bytes=40000-"]


def test_a_redirection_is_followed_and_still_asked_for_the_rest_alone(server, folder):
    with serving() as other:
        new = other.offer("/new", Reply(CONTENT, cut_after=40_000), GOOD)
        get(folder, server.offer("/old", Reply(status=302, location=new)))
        assert other.ranges("/new") == [None, "bytes=40000-"]


def test_a_server_without_ranges_starts_again_from_zero(server, folder):
    cut = Reply(CONTENT, ranges=False, cut_after=40_000)
    get(folder, server.offer("/file.bin", cut, Reply(CONTENT, ranges=False)))
    assert [request.sent for request in server.requests] == [40_000, 100_000]


def test_a_server_without_ranges_that_is_always_cut_is_given_up(server, folder):
    url = server.offer("/file.bin", Reply(CONTENT, ranges=False, cut_after=40_000))
    with pytest.raises(FetchError, match="received   40,000 bytes so far, kept for the next run"):
        get(folder, url)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("begun", "ranges"),
    [
        (CONTENT[:40_000], ["bytes=40000-"]),
        (OTHER[:40_000], ["bytes=40000-", None]),
        (CONTENT, []),
        (OTHER, [None]),
        (CONTENT + b"x", [None]),
    ],
)
def test_a_part_of_an_earlier_run_is_used_if_it_fits(server, folder, begun, ranges):
    begin(folder, begun)
    get(folder, server.offer("/file.bin", GOOD))
    assert server.ranges("/file.bin") == ranges


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Reply(CONTENT, content_range="bytes 0-99999/100000"), "gives 'bytes 0-99999/100000'"),
        (Reply(CONTENT, content_range="bytes 40001-99999/100000"), "asked from byte 40000 on"),
        (Reply(CONTENT, status=416), "HTTP 416"),
        (Reply(CONTENT[:100]), "HTTP 416"),
        (Reply(CONTENT[:-1]), "offers 59999 bytes, expected 60000"),
        (Reply(PAGE, ranges=False), "offers 26 bytes, expected 100000"),
        (Reply(PAGE, ranges=False, chunked=True, kind=HTML), "gives a page of HTML"),
    ],
)
def test_an_answer_that_cannot_be_the_rest_leaves_the_part_alone(server, folder, bad, message):
    part = begin(folder, CONTENT[:40_000])
    url = server.offer("/bad", bad)
    with pytest.raises(FetchError, match=message):
        get(folder, url)
    assert part.read_bytes() == CONTENT[:40_000]
    get(folder, url, server.offer("/good", GOOD))
    assert server.ranges("/good") == ["bytes=40000-"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(CONTENT, length="", ranges=False),
        Reply(CONTENT, chunked=True),
        Reply(CONTENT + bytes(300_000), length="", ranges=False),  # it sends on and on
        Reply(CONTENT, kind=HTML),  # it is wrong, but the length is right
        Reply(CONTENT, encoding="gzip"),  # Apache says so of every .gz, and sends it as it is
    ],
)
def test_strange_headers_do_no_harm(server, folder, reply):
    get(folder, server.offer("/file.bin", reply))


@pytest.mark.skipif(sys.platform != "linux", reason="needs the full device of Linux")
def test_a_full_disk_is_an_error_of_the_disk_and_not_of_a_mirror(server, folder):
    begin(folder, b"").unlink()
    (folder / "file.bin.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"cannot write here: .*No space left on device"):
        get(folder, server.offer("/file.bin", GOOD))
    assert len(server.requests) == 1


def test_a_disk_without_room_is_found_out_before_the_download(server, folder, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FetchError, match=r"room for 50,000 bytes, but file\.bin needs 100,000"):
        get(folder, server.offer("/file.bin", GOOD))
    assert server.requests == []
    (folder / "file.bin.part").write_bytes(CONTENT[:50_000])
    get(folder, server.offer("/file.bin", GOOD))


def test_progress_is_shown_on_standard_output(server, folder, capsys):
    get(folder, server.offer("/file.bin", GOOD), show_progress=True)
    assert "file.bin" in capsys.readouterr().out


WRONG = [{"timeout": 0}, {"timeout": float("inf")}, {"mirrors": ("file:///class", "no.scheme")}]


@pytest.mark.parametrize("options", WRONG)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=r"is .*, expected"):
        FetchOptions(**options)


@pytest.fixture
def proxy(monkeypatch):
    def use(url):
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("http_proxy", url)

    return use


def test_the_proxy_of_the_environment_is_used(server, folder, proxy):
    proxy(server.url)
    server.offer("http://files.example/file.bin", GOOD)
    get(folder, "http://files.example/file.bin")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://me:secret@127.0.0.1:9", "no connection through the proxy http:127.0.0.1:9: "),
        ("me:secret@127.0.0.1:9", "no connection through the proxy 127.0.0.1:9: "),
        ("socks5://me:secret@127.0.0.1:9", "the proxy is socks5:127.0.0.1:9, expected an http://"),
    ],
)
def test_a_proxy_that_fails_is_named_without_its_password(folder, proxy, address, message):
    proxy(address)
    with pytest.raises(FetchError) as error:
        get(folder, "http://files.example/file.bin")
    assert message.replace("//", "") in str(error.value).replace("//", "")
    assert "secret" not in str(error.value)


@pytest.fixture
def secure_server(tmp_path):
    """A server whose certificate nobody knows, and the file of that certificate."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    options = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command.split(), *options], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as server:
        yield server, certificate


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_of_ones_own_network_can_be_named(
    secure_server, folder, monkeypatch, variable
):
    server, certificate = secure_server
    url = server.offer("/file.bin", GOOD)
    with pytest.raises(FetchError, match=f"CERTIFICATE_VERIFY_FAILED(.|\n)*{variable}"):
        get(folder, url)
    monkeypatch.setenv(variable, str(certificate))
    get(folder, url)


FAULTS = st.one_of(
    st.builds(Reply, status=st.sampled_from([404, 416, 500])),
    st.builds(
        Reply,
        content=st.sampled_from([CONTENT, OTHER, CONTENT[:-1], b""]),
        ranges=st.booleans(),
        chunked=st.booleans(),
        cut_after=st.none() | st.integers(0, len(CONTENT)),
    ),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mirrors=st.lists(st.lists(FAULTS, min_size=1, max_size=4), min_size=1, max_size=3),
    begun=st.sampled_from([b"", OTHER[:9], CONTENT[:50_000], OTHER[:50_000], CONTENT + b"x"]),
)
def test_whatever_happens_the_file_is_right_or_not_there(server, tmp_path_factory, mirrors, begun):
    folder = tmp_path_factory.mktemp("any") / "mnist"
    begin(folder, begun)
    urls = [server.offer(f"/{number}", *replies) for number, replies in enumerate(mirrors)]
    try:
        get(folder, *urls)
    except FetchError:
        assert set(visible(folder)) <= {"file.bin.part"}
