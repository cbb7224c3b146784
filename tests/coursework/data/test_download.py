"""Downloads over a network that fails in every usual way, from a real server on this machine."""

import hashlib
import http.client
import shutil
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursework.data import Patience
from coursework.data.download import DownloadError
from tests.coursework.conftest import CALM, CONTENT, HASTY, NOWHERE, OTHER, get, names, source


def test_a_file_arrives_whole_and_alone(server, reply, target):
    url = server.offer("/file.bin", reply(CONTENT))
    assert get(source(url), target) == url
    assert target.read_bytes() == CONTENT
    assert names(target) == ["file.bin"]
    assert [request.range for request in server.requests] == [None]


def test_after_a_cut_only_the_rest_is_asked_for(server, reply, target):
    url = server.offer(
        "/file.bin",
        reply(CONTENT, cut_after=40_000),
        reply(CONTENT, cut_after=25_000),
        reply(CONTENT),
    )
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    ranges = [request.range for request in server.requests]
    assert ranges == [None, "bytes=40000-", "bytes=65000-"]
    assert sum(request.sent for request in server.requests) == len(CONTENT)


def test_a_cut_file_is_continued_by_the_next_mirror(server, reply, target):
    server.offer("/b", reply(CONTENT))
    server.offer("/a", reply(CONTENT, cut_after=40_000), reply(status=404))
    get(source(f"{server.url}/a", f"{server.url}/b"), target)
    assert target.read_bytes() == CONTENT
    assert server.asked("/b")[0].range == "bytes=40000-"


def test_a_redirection_is_followed_and_still_asked_for_the_rest_alone(server, reply, target):
    url = server.offer("/old", reply(status=302, location="/new"))
    server.offer("/new", reply(CONTENT, cut_after=40_000), reply(CONTENT))
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.asked("/new")] == [None, "bytes=40000-"]


def test_a_server_that_knows_no_ranges_starts_again(server, reply, target):
    url = server.offer(
        "/file.bin", reply(CONTENT, ranges=False, cut_after=40_000), reply(CONTENT, ranges=False)
    )
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    assert [request.sent for request in server.requests] == [40_000, 100_000]


def test_a_server_that_always_cuts_at_the_same_place_is_given_up(server, reply, target):
    url = server.offer("/file.bin", reply(CONTENT, ranges=False, cut_after=40_000))
    with pytest.raises(DownloadError, match="connection cut 60,000 bytes before the end"):
        get(source(url), target)
    assert 3 <= len(server.requests) <= 2 * CALM.rounds
    assert names(target) == ["file.bin.part"]


def test_a_server_that_tells_no_length_is_held_against_the_table(server, reply, target):
    silent = {"announced": "", "ranges": False}
    url = server.offer("/file.bin", reply(CONTENT, cut_after=9, **silent), reply(CONTENT, **silent))
    get(source(url), target)
    assert target.read_bytes() == CONTENT


def test_a_server_that_sends_on_and_on_is_cut_short(server, reply, target):
    endless = reply(CONTENT + bytes(300_000), announced="", ranges=False)
    get(source(server.offer("/file.bin", endless)), target)
    assert target.read_bytes() == CONTENT


def test_wrong_bytes_are_thrown_away_and_the_next_mirror_is_asked(server, reply, target):
    server.offer("/bad", reply(OTHER))
    server.offer("/good", reply(CONTENT))
    url = f"{server.url}/good"
    assert get(source(f"{server.url}/bad", url), target) == url
    assert target.read_bytes() == CONTENT
    asked = [(request.path, request.range) for request in server.requests]
    assert asked == [("/bad", None), ("/good", None)]


def test_wrong_bytes_everywhere_are_an_error_that_shows_both_sums(server, reply, target):
    url = server.offer("/file.bin", reply(OTHER))
    with pytest.raises(DownloadError) as error:
        get(source(url), target)
    for content in (OTHER, CONTENT):
        assert f"md5:{hashlib.md5(content).hexdigest()}" in error.value.reasons[url]
    assert len(server.requests) == 1
    assert names(target) == []


def test_a_mirror_without_the_file_is_asked_once(server, reply, target):
    server.offer("/b", reply(CONTENT, cut_after=0), reply(CONTENT))
    get(source(f"{server.url}/gone", f"{server.url}/b"), target)
    assert target.read_bytes() == CONTENT
    assert [request.path for request in server.requests] == ["/gone", "/b", "/b"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(server, reply, target, status):
    url = server.offer("/file.bin", reply(status=status), reply(CONTENT))
    get(source(url), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("bad", [{"stall_after": 30_000}, {"stall_after": 0}, {"silent": True}])
def test_a_server_that_falls_silent_is_left_for_the_next(server, reply, target, bad):
    server.offer("/slow", reply(CONTENT, **bad))
    server.offer("/good", reply(CONTENT))
    began = time.monotonic()
    get(source(f"{server.url}/slow", f"{server.url}/good"), target, patience=HASTY)
    assert target.read_bytes() == CONTENT
    assert HASTY.stall_seconds <= time.monotonic() - began < 5
    received = bad.get("stall_after", 0)
    assert server.asked("/good")[0].range == (f"bytes={received}-" if received else None)


def test_a_server_that_trickles_is_left_for_the_next(server, reply, target):
    server.offer("/slow", reply(CONTENT, pause=0.01))  # never silent, and 17 minutes in all
    server.offer("/good", reply(CONTENT))
    get(source(f"{server.url}/slow", f"{server.url}/good"), target, patience=HASTY)
    assert target.read_bytes() == CONTENT
    assert len(server.asked("/slow")) == 1


def test_a_single_slow_server_is_an_error_that_keeps_what_came(server, reply, target):
    url = server.offer("/file.bin", reply(CONTENT, stall_after=30_000), reply(CONTENT, silent=True))
    with pytest.raises(DownloadError, match=r"no answer for 0\.3 s"):
        get(source(url), target, patience=HASTY)
    assert target.with_name("file.bin.part").read_bytes() == CONTENT[:30_000]
    assert names(target) == ["file.bin.part"]


@pytest.mark.parametrize("announced", [10, 99_999, 100_001, 10**12])
def test_a_page_in_place_of_the_file_is_known_by_its_length(server, reply, target, announced):
    server.offer("/login", reply(CONTENT, announced=announced))
    server.offer("/good", reply(CONTENT))
    with pytest.raises(DownloadError, match=f"offers {announced} bytes, expected 100000"):
        get(source(f"{server.url}/login"), target)
    assert names(target) == []
    get(source(f"{server.url}/login", f"{server.url}/good"), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content_range", "message"),
    [
        ("bytes 0-99999/100000", "HTTP 404"),
        ("lines 40000-99999/100000", "HTTP 404"),
        ("bytes 40000-99999/100001", "offers 100001 bytes, expected 100000"),
    ],
)
def test_an_answer_about_another_range_is_not_appended(
    server, reply, target, part, content_range, message
):
    part.write_bytes(CONTENT[:40_000])
    wrong = reply(CONTENT, content_range=content_range)
    url = server.offer("/file.bin", wrong, reply(status=404))
    with pytest.raises(DownloadError, match=message):
        get(source(url), target)
    assert part.read_bytes() == CONTENT[:40_000]


MONDAY, TUESDAY = "Mon, 01 Jun 2026 08:00:00 GMT", "Tue, 02 Jun 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"etag": '"1"'}, {"etag": '"2"'}),
        ({"modified": MONDAY}, {"modified": TUESDAY}),
        ({"etag": 'W/"1"'}, {"etag": 'W/"2"'}),  # a weak one is no promise about bytes
        ({}, {}),
    ],
)
def test_a_file_that_changes_on_the_way_is_fetched_from_its_start(server, reply, target, old, new):
    url = server.offer("/file.bin", reply(OTHER, cut_after=40_000, **old), reply(CONTENT, **new))
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    strong = old.get("modified") or (old.get("etag") if old.get("etag") == '"1"' else None)
    assert server.requests[1].if_range == strong
    # Where nothing tells that it changed, the checksum does, after one request more.
    assert len(server.requests) == (2 if strong else 3)


def test_a_part_of_an_earlier_day_is_continued(server, reply, target, part):
    part.write_bytes(CONTENT[:40_000])
    get(source(server.offer("/file.bin", reply(CONTENT))), target)
    assert target.read_bytes() == CONTENT
    assert [(r.range, r.sent) for r in server.requests] == [("bytes=40000-", 60_000)]


def test_a_mirror_whose_file_is_too_short_leaves_the_part_alone(server, reply, target, part):
    part.write_bytes(CONTENT[:40_000])
    server.offer("/short", reply(CONTENT[:100]))
    server.offer("/good", reply(CONTENT))
    get(source(f"{server.url}/short", f"{server.url}/good"), target)
    assert [r.range for r in server.requests] == ["bytes=40000-", None, "bytes=40000-"]


def test_a_part_of_something_else_costs_one_more_request(server, reply, target, part):
    part.write_bytes(OTHER[:40_000])
    get(source(server.offer("/file.bin", reply(CONTENT))), target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.requests] == ["bytes=40000-", None]


def test_a_part_that_is_too_long_is_dropped(server, reply, target, part):
    part.write_bytes(CONTENT + b"x")
    get(source(server.offer("/file.bin", reply(CONTENT))), target)
    assert target.read_bytes() == CONTENT
    assert names(target) == ["file.bin"]


def test_a_part_that_is_complete_and_wrong_is_fetched_anew(server, reply, target, part):
    part.write_bytes(OTHER)
    get(source(server.offer("/file.bin", reply(CONTENT))), target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_complete_needs_no_network(target, part):
    part.write_bytes(CONTENT)
    get(source(NOWHERE), target)
    assert target.read_bytes() == CONTENT


def test_ctrl_c_keeps_what_came_for_the_next_run(server, reply, target, monkeypatch):
    url = server.offer("/file.bin", reply(CONTENT))
    read, calls = http.client.HTTPResponse.read1, []

    def read_once(response, size):
        if calls:
            raise KeyboardInterrupt
        calls.append(size)
        return read(response, 40_000)

    with monkeypatch.context() as patch:
        patch.setattr(http.client.HTTPResponse, "read1", read_once)
        with pytest.raises(KeyboardInterrupt):
            get(source(url), target)
    kept = target.with_name("file.bin.part").read_bytes()
    assert kept
    assert kept == CONTENT[: len(kept)]
    assert names(target) == ["file.bin.part"]
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    assert server.requests[-1].range == f"bytes={len(kept)}-"


def test_a_damaged_file_stays_until_the_good_one_is_complete(server, reply, target):
    target.parent.mkdir()
    target.write_bytes(b"damaged")
    url = server.offer("/file.bin", reply(status=404), reply(CONTENT))
    with pytest.raises(DownloadError, match="HTTP 404"):
        get(source(url), target)
    assert target.read_bytes() == b"damaged"
    get(source(url), target)
    assert target.read_bytes() == CONTENT


def test_a_host_that_cannot_be_reached_is_not_tried_for_the_next_file(server, reply, target):
    hosts = {}
    url = server.offer("/file.bin", reply(CONTENT))
    get(source(NOWHERE, url), target, hosts=hosts)
    assert "no connection" in hosts["127.0.0.1:9"]
    hosts["127.0.0.1:9"] = "down since this morning"
    with pytest.raises(DownloadError, match="down since this morning"):
        get(source(NOWHERE), target, hosts=hosts)


def test_a_network_that_fails_after_it_worked_is_waited_for(target):
    hosts = {"127.0.0.1:9": ""}
    began = time.monotonic()
    with pytest.raises(DownloadError, match="no connection"):
        get(source(NOWHERE), target, hosts=hosts, patience=Patience(rounds=3, pause_seconds=0.05))
    assert time.monotonic() - began >= 0.05 + 0.1
    assert hosts == {"127.0.0.1:9": ""}


@pytest.mark.skipif(sys.platform != "linux", reason="needs the full device of Linux")
def test_a_full_disk_is_an_error_of_the_disk_and_not_of_a_mirror(server, reply, target, part):
    part.symlink_to("/dev/full")
    url = server.offer("/file.bin", reply(CONTENT))
    with pytest.raises(OSError, match=r"No space left on device.*file\.bin\.part"):
        get(source(url), target)
    assert len(server.requests) == 1
    assert not target.exists()


def test_a_disk_without_room_is_found_out_before_the_download(server, target, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"room for 50,000 bytes, but file\.bin needs 100,000"):
        get(source(f"{server.url}/file.bin"), target)
    assert server.requests == []


def test_progress_is_shown_on_standard_output(server, reply, target, capsys):
    url = server.offer("/file.bin", reply(CONTENT, cut_after=40_000), reply(CONTENT))
    get(source(url), target, show_progress=True)
    assert "file.bin" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [{"stall_seconds": 0}, {"stall_seconds": float("inf")}, {"rounds": 0}]
)
def test_impossible_patience_is_refused(options):
    with pytest.raises(ValueError, match="expected seconds above zero and one round or more"):
        Patience(**options)


FAULTS = st.one_of(
    st.fixed_dictionaries({"status": st.sampled_from([404, 416, 500])}),
    st.fixed_dictionaries(
        {
            "content": st.sampled_from([CONTENT, OTHER, CONTENT[:-1], b""]),
            "ranges": st.booleans(),
            "cut_after": st.none() | st.integers(0, len(CONTENT)),
            "etag": st.sampled_from([None, '"1"', '"2"']),
        }
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mirrors=st.lists(st.lists(FAULTS, min_size=1, max_size=4), min_size=1, max_size=3),
    begun=st.sampled_from([None, OTHER[:9], CONTENT[:50_000], OTHER[:50_000], CONTENT + b"x"]),
)
def test_whatever_happens_the_file_is_right_or_not_there(
    server, reply, tmp_path_factory, mirrors, begun
):
    target = tmp_path_factory.mktemp("any") / "file.bin"
    if begun is not None:
        target.with_name("file.bin.part").write_bytes(begun)
    urls = [
        server.offer(f"/{number}", *(reply(**{"content": CONTENT, **fault}) for fault in faults))
        for number, faults in enumerate(mirrors)
    ]
    reasons = {}
    try:
        get(source(*urls), target)
    except DownloadError as error:
        reasons = error.reasons
    if reasons:
        assert set(reasons) == set(urls)
        assert set(names(target)) <= {"file.bin.part"}
    else:
        assert target.read_bytes() == CONTENT
        assert names(target) == ["file.bin"]
