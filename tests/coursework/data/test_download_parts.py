"""What was received of a file outlives every answer that brings less, and leaves no litter."""

import http.client

import pytest

from coursework.data.download import DownloadError
from tests.coursework.conftest import CALM, CONTENT, HASTY, OTHER, get, names, source

PAGE = b"<html>Please log in</html>"
BEGUN = CONTENT[:60_000]


@pytest.mark.parametrize(
    ("content", "fault", "patience"),
    [
        (CONTENT, {"cut_after": 0}, CALM),
        (CONTENT, {"cut_after": 59_999}, CALM),
        (CONTENT, {"cut_after": 30_000, "chunked": True}, CALM),
        (CONTENT, {"stall_after": 0}, HASTY),
        (CONTENT, {"stall_after": 30_000}, HASTY),
        (PAGE, {"announced": ""}, CALM),
        (PAGE, {"chunked": True}, CALM),
        (CONTENT[:-1], {"chunked": True}, CALM),  # longer than the part, but all there is
    ],
)
def test_a_part_survives_an_answer_from_the_start_that_brings_less(
    server, reply, target, part, content, fault, patience
):
    part.write_bytes(BEGUN)
    bad = server.offer("/bad", reply(content, ranges=False, **fault))
    good = server.offer("/good", reply(CONTENT))
    with pytest.raises(DownloadError):
        get(source(bad), target, patience=patience)
    assert part.read_bytes() == BEGUN
    assert names(target) == [part.name]
    assert get(source(bad, good), target, patience=patience) == good
    assert target.read_bytes() == CONTENT
    assert server.asked("/good")[0].range == "bytes=60000-"
    assert names(target) == [target.name]


@pytest.mark.parametrize("fault", [{"cut_after": 60_000}, {"stall_after": 60_000}])
def test_an_answer_from_the_start_that_brings_more_takes_the_place_of_the_part(
    server, reply, target, part, fault
):
    part.write_bytes(OTHER[:40_000])
    bad = server.offer("/bad", reply(CONTENT, ranges=False, **fault))
    with pytest.raises(DownloadError):
        get(source(bad), target, patience=HASTY)
    assert part.read_bytes() == CONTENT[:60_000]
    assert names(target) == [part.name]
    get(source(server.offer("/good", reply(CONTENT))), target)
    assert [request.range for request in server.asked("/good")] == ["bytes=60000-"]


def test_a_whole_answer_takes_the_place_of_a_part_that_was_nearly_there(
    server, reply, target, part
):
    part.write_bytes(OTHER[:99_999])
    get(source(server.offer("/file.bin", reply(CONTENT, ranges=False))), target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert names(target) == [target.name]


def test_machines_that_name_one_file_differently_do_not_undo_each_other(server, reply, target):
    one, other = {"etag": '"1"'}, {"etag": '"2"'}
    url = server.offer(
        "/file.bin",
        reply(CONTENT, cut_after=40_000, **one),
        reply(CONTENT, cut_after=10_000, **other),
        reply(CONTENT, **one),
    )
    get(source(url), target)
    assert target.read_bytes() == CONTENT
    # The name belongs to the bytes that were kept.
    assert [request.if_range for request in server.requests] == [None, '"1"', '"1"']
    assert [request.sent for request in server.requests] == [40_000, 10_000, 60_000]


@pytest.mark.parametrize(("length", "kept"), [(30_000, 60_000), (70_000, 70_000)])
def test_what_a_killed_run_left_beside_a_part_is_used_or_removed(
    server, reply, target, part, length, kept
):
    part.write_bytes(BEGUN)
    part.with_name("file.bin.part.new").write_bytes(CONTENT[:length])
    get(source(server.offer("/file.bin", reply(CONTENT))), target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [f"bytes={kept}-"]
    assert names(target) == [target.name]


@pytest.mark.parametrize("received", [20_000, 80_000])
def test_ctrl_c_keeps_the_longer_one(server, reply, target, part, monkeypatch, received):
    def read_once(response, size, read=http.client.HTTPResponse.read1):
        if seen:
            raise KeyboardInterrupt
        while len(seen) < received:
            seen.extend(read(response, received - len(seen)))
        return bytes(seen)

    seen = bytearray()
    part.write_bytes(BEGUN)
    url = server.offer("/file.bin", reply(CONTENT, ranges=False))
    monkeypatch.setattr(http.client.HTTPResponse, "read1", read_once)
    with pytest.raises(KeyboardInterrupt):
        get(source(url), target)
    assert part.read_bytes() == CONTENT[: max(received, len(BEGUN))]
    assert names(target) == [part.name]


@pytest.mark.parametrize(
    "fault",
    [
        {"no_range": True},
        {"content_range": "bytes 0-99999/100000"},
        {"content_range": "bytes 40000-99999"},
        {"content_range": "bytes 40001-99999/100000"},
        {"content_range": "bytes */100000"},
    ],
)
@pytest.mark.parametrize("begun", [CONTENT[:40_000], OTHER[:40_000]])
def test_a_server_that_fails_with_ranges_is_asked_once_without(
    server, reply, target, part, fault, begun
):
    part.write_bytes(begun)
    get(source(server.offer("/file.bin", reply(CONTENT, **fault))), target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.requests] == ["bytes=40000-", None]
    assert names(target) == [target.name]


def test_a_server_that_fails_with_ranges_and_without_is_left(server, reply, target, part):
    part.write_bytes(BEGUN)
    url = server.offer("/file.bin", reply(CONTENT, no_range=True), reply(CONTENT, status=416))
    with pytest.raises(DownloadError, match="HTTP 416"):
        get(source(url), target)
    assert [request.range for request in server.requests] == ["bytes=60000-", None]
    assert part.read_bytes() == BEGUN


def test_a_body_in_chunks_arrives_whole(server, reply, target):
    get(source(server.offer("/file.bin", reply(CONTENT, chunked=True))), target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1


@pytest.mark.parametrize("rest", [{}, {"chunked": True}])
def test_a_body_in_chunks_that_is_cut_is_continued(server, reply, target, rest):
    cut = reply(CONTENT, chunked=True, cut_after=70_000)
    get(source(server.offer("/file.bin", cut, reply(CONTENT, **rest))), target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [None, "bytes=70000-"]


@pytest.mark.parametrize("page", [{"announced": ""}, {"chunked": True}])
def test_a_page_of_no_length_is_no_beginning_of_a_file(server, reply, target, page):
    login = server.offer("/login", reply(PAGE, kind="text/html; charset=utf-8", **page))
    good = server.offer("/good", reply(CONTENT, kind="text/html"))  # wrong, but it has the length
    with pytest.raises(DownloadError, match="gives a page of HTML"):
        get(source(login), target)
    assert names(target) == []
    get(source(login, good), target)
    assert [request.range for request in server.asked("/good")] == [None]


def test_chunks_that_end_too_soon_are_another_file(server, reply, target):
    page = server.offer("/login", reply(PAGE, chunked=True))
    good = server.offer("/good", reply(CONTENT))
    with pytest.raises(DownloadError, match=f"gives {len(PAGE)} bytes, expected 100000"):
        get(source(page), target)
    assert names(target) == []
    get(source(page, good), target)
    assert [request.range for request in server.asked("/good")] == [None]
