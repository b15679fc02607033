"""A server that says when it wants to be asked again is believed, within bounds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from support.raw_peer import raw_peer
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused


def asked_for(header: str) -> float:
    """The seconds that are read out of an answer with this header."""
    body = b'{"error": "busy"}'
    lines = ["HTTP/1.1 429 Too Many Requests", f"Content-Length: {len(body)}", *([header] if header else [])]

    def play(connection: object, request: bytes) -> None:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)  # type: ignore[attr-defined]  # a socket

    with raw_peer(play) as peer, pytest.raises(ServerRefused) as caught:
        Server(peer.url).get_json("/x", check=lambda: None)
    return caught.value.retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7),
        ("retry-after:  12 ", 12),
        ("Retry-After: 0", 0),
        ("Retry-After: 999999", 3600),
        ("Retry-After: 99999999999999999999", 0),
        ("Retry-After: -5", 0),
        ("Retry-After: soon", 0),
        ("Retry-After: 1e9", 0),
        ("Retry-After:", 0),
        ("", 0),
    ],
)
def test_seconds_are_read_up_to_an_hour_and_nonsense_is_none(header: str, seconds: float) -> None:
    assert asked_for(header) == seconds


@pytest.mark.parametrize(("ahead", "low", "high"), [(90, 80, 90), (-90, 0, 0), (86_400, 3600, 3600)])
def test_a_date_is_read_as_the_seconds_until_it(ahead: int, low: float, high: float) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    assert low <= asked_for(f"Retry-After: {when}") <= high


def test_reading_it_takes_no_time() -> None:
    started = time.monotonic()
    asked_for("Retry-After: 600")
    assert time.monotonic() - started < 5
