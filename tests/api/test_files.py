"""Finished clips over HTTP: ranges, etags, damaged links."""

from __future__ import annotations

import random

import pytest

from support.browser_tab import browser_tab, find_browser
from support.live_server import HttpResponse, LiveServer, picture_uri
from vivant.api.files import parse_range
from vivant.api.http_errors import RangeNotSatisfiable


class FinishedClip:
    """One finished clip: where it is, and its bytes."""

    def __init__(self, server: LiveServer) -> None:
        sent = server.submit({"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}).json()
        (video,) = server.finished(sent["id"])["videos"]
        self.server = server
        self.task_id = sent["id"]
        self.path = video["video_url"].removeprefix(server.url)
        whole = self.get()
        assert whole.status == 200
        self.bytes, self.etag = whole.body, whole.headers["ETag"]

    def get(self, **headers: str) -> HttpResponse:
        return self.server.get(self.path, **headers)


@pytest.fixture(scope="module")
def clip(server: LiveServer) -> FinishedClip:
    return FinishedClip(server)


def test_the_whole_file_has_the_headers_that_players_need(clip: FinishedClip) -> None:
    response = clip.get()
    headers = response.headers
    assert response.body[4:8] == b"ftyp"
    assert headers["Content-Type"] == "video/mp4" and headers["Accept-Ranges"] == "bytes"
    assert int(headers["Content-Length"]) == len(response.body)
    assert headers["ETag"].startswith('"') and headers["Cache-Control"].startswith("private")
    assert headers["Content-Disposition"] == f'inline; filename="vivant-{clip.task_id}.mp4"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Set-Cookie"] is None and headers["Access-Control-Allow-Origin"] is None


def test_two_hundred_random_ranges_are_exact(clip: FinishedClip) -> None:
    chance, size = random.Random(1), len(clip.bytes)
    for _ in range(200):
        start = chance.randrange(size)
        last = chance.randrange(start, size + size // 4)
        text, end = chance.choice(((f"bytes={start}-{last}", min(last + 1, size)), (f"bytes={start}-", size)))
        response = clip.get(Range=text)
        assert response.status == 206 and response.body == clip.bytes[start:end]
        assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert int(response.headers["Content-Length"]) == end - start
    for tail in (1, 2, 1000, size, size + 5):
        response = clip.get(Range=f"bytes=-{tail}")
        assert response.status == 206 and response.body == clip.bytes[-min(tail, size) :]


@pytest.mark.parametrize("beyond", ["bytes={}-", "bytes={}-9999999999", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_is_416(clip: FinishedClip, beyond: str) -> None:
    response = clip.get(Range=beyond.format(len(clip.bytes)))
    assert response.status == 416 and response.headers["Content-Range"] == f"bytes */{len(clip.bytes)}"


@pytest.mark.parametrize(
    "odd",
    [
        "bytes=5-2",
        "bytes=0-1,4-5",
        "items=0-5",
        "bytes=a-b",
        "bytes",
        "bytes=-",
        "",
        "bytes=--5",
        "bytes=0-" + "9" * 30,
    ],
)
def test_other_ranges_mean_the_whole_file(clip: FinishedClip, odd: str) -> None:
    response = clip.get(Range=odd)
    assert response.status == 200 and len(response.body) == len(clip.bytes)


def test_if_range_decides_between_part_and_whole(clip: FinishedClip) -> None:
    for tag, status in (
        (clip.etag, 206),
        ('"other"', 200),
        (f"W/{clip.etag}", 200),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 200),
    ):
        assert clip.get(Range="bytes=0-9", If_Range=tag).status == status


def test_an_unchanged_file_is_304(clip: FinishedClip) -> None:
    for tags, status in (
        (clip.etag, 304), (f'"x", {clip.etag}', 304), (f"W/{clip.etag}", 304), ("*", 304), ('"x"', 200),
        (clip.etag[:-2] + '"', 200),
    ):  # fmt: skip
        response = clip.get(If_None_Match=tags)
        assert response.status == status
        if status == 304:
            assert (
                response.body == b""
                and response.headers["ETag"] == clip.etag
                and "private" in response.headers["Cache-Control"]
            )


def test_head_says_the_same_without_the_file(clip: FinishedClip) -> None:
    got = clip.get()
    for headers in ({}, {"Range": "bytes=10-19"}, {"Range": "bytes=999999999-"}):  # a range belongs to GET alone
        head = clip.server.send("HEAD", clip.path, headers=headers)
        assert head.status == 200 and head.body == b""
        for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Range"):
            assert head.headers[name] == got.headers[name]


def test_a_link_opened_in_a_browser_tab_plays(clip: FinishedClip) -> None:
    if find_browser() is None:
        pytest.skip("needs Chromium")
    with browser_tab() as tab:
        tab.open(clip.server.url + clip.path)
        assert tab.wait_for("document.querySelector('video')?.readyState === 4")
        assert tab.evaluate("document.querySelector('video').duration") == pytest.approx(97 / 24, abs=0.01)


def test_no_script_of_a_file_would_run(clip: FinishedClip) -> None:
    headers = clip.get().headers
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert "default-src 'none'" in policy and not any(part.startswith("script-src") for part in policy)
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_damaged_link_is_refused(clip: FinishedClip) -> None:
    path, _, query = clip.path.partition("?")
    damaged = [
        path, f"{path}?{query[:-1]}", f"{path}?{query}0", f"{path}?{query.replace('expires=', 'expires=9')}",
        f"{path}?{query.replace('expires=1', 'expires=2')}", f"{path.replace('/1/', '/2/')}?{query}",
        f"{path.replace('/1/', '/./1/')}?{query}", f"{path}/../clip.mp4?{query}", f"/files/../../etc/passwd?{query}",
        f"/files//etc/passwd?{query}", f"/files/%2e%2e/%2e%2e/vivant.db?{query}", f"/files/%00?{query}",
        f"/files/?{query}",
        f"{path}?expires=&signature=", f"{path}?expires=1&signature=%ff%00", f"{path}?{query}".replace("es=", "es=-"),
        f"{path}?{query.split('signature=')[0]}signature={'%C3%A9' * 64}",
    ]  # fmt: skip
    for link in damaged:
        assert clip.server.get(link).status in (403, 404), link


def test_a_link_is_for_reading_only(clip: FinishedClip) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert clip.server.send(method, clip.path).status == 405


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-0", 1, (0, 1)), ("bytes=0-", 1, (0, 1)), ("bytes=-1", 1, (0, 1)), ("bytes=0-99", 10, (0, 10)),
        ("bytes = 1 - 3", 10, (1, 4)), (None, 10, None), ("bytes=3-1", 10, None),
    ],
)  # fmt: skip
def test_a_range_header_is_parsed(header: str | None, size: int, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, size) == expected


def test_an_empty_file_has_no_ranges() -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range("bytes=0-", 0)
