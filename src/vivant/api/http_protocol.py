"""Uvicorn's HTTP protocol with the limits it lacks, so that nobody who can connect may take the rest down, even
without a key: bytes that are no content are counted, requests ahead of their answers are few, connections are limited,
and whatever is waited for has a deadline.

    the head             64 KiB and 256 headers; `head_within`
    a body               its framing (chunk sizes, extensions, trailers) 64 KiB between two bytes of content;
                         how fast it must come: `body_deadlines.py`
    between requests     `keep_alive_for`, which blank lines do not prolong
    the answer           `answer_stalls_for` without a byte being taken by the client
    pipelined requests   16 without an answer; then no more are read from this connection
    connections          `connection_places.py`
"""

from __future__ import annotations

import re
from typing import Any, Final

import httptools
from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from vivant.api.connection_places import ConnectionPlaces
from vivant.api.deadline import Deadline
from vivant.api.error_handler import handle_error
from vivant.api.http_errors import HeadTooLarge, MalformedRequest
from vivant.api.request_ids import choose_request_id, complete_headers
from vivant.errors import Busy, UnknownKey, VivantError
from vivant.shares import Holding
from vivant.timings import Timings

FRAMING_BYTES: Final = (
    64 * 1024
)  # of a head, or of a body between two bytes of content; usual servers allow 8 to 64 KiB
_BAD_KEY: Final = re.compile(rb"^authorization:[^\r\n]*[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", re.IGNORECASE | re.MULTILINE)
HEADERS: Final = 256  # of a request; 64 KiB of the shortest ones would take 3 MiB
CHUNK_BYTES: Final = 8  # that a byte of content may cost: a chunk of one byte takes six (`1`, line end, it, line end)
PIPELINED: Final = 16  # requests of one connection without an answer
_SLICE: Final = 16 * 1024  # bytes parsed at a time, so that the limits are looked at in between


class LimitedHttp(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, timings: Timings, places: ConnectionPlaces, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timings = timings
        self._places = places
        self._place: Holding | None = None
        self._in_head = False  # a request's first byte has come, and its head is not complete
        self._in_body = False  # a request's head has come, and its end has not
        self._framing = 0  # bytes since the last byte of content, or since a head or a body was complete
        self._overhead = 0  # bytes of this body that are no content, less what its content allows
        self._moved_on = False  # in the slice that is parsed there was content, or a head or a body was complete
        self._head_to_read_again = b""
        self._closed_for_requests = False  # what comes is read and forgotten
        self._awaited = Deadline(self.loop, self._on_nothing_came)
        self._answer_taken = Deadline(self.loop, self._on_answer_not_taken)

    # -- the connection ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._awaited.set(self._timings.head_within)
        try:
            self._place = self._places.take(
                self.client[0] if self.client else "", transport.get_extra_info("socket").fileno()
            )
        except Busy as error:
            self._answer_and_close(error)
        else:
            self._places.remember_in_head(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._awaited.clear()
        self._answer_taken.clear()
        self._leave()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own signature: whether to keep the transport
        """A client may close its side when it has sent its request, and wait for the answer."""
        if self._in_body or not self._answers_due():
            return False
        self._read_no_more()
        return True

    def make_room(self) -> None:
        """Close the connection, which waits for a request or the rest of its head, so that another has its place."""
        self._closed_for_requests = True
        self.transport.close()
        self._expect_rest_taken()
        self._leave()

    def _leave(self) -> None:
        self._places.forget(self)
        if self._place is not None:
            self._place.release()

    # -- what comes -------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), _SLICE):
            if self._closed_for_requests or self.transport.is_closing():
                return
            self._parse(data if len(data) <= _SLICE else data[at : at + _SLICE])

    def _parse(self, piece: bytes) -> None:
        self._moved_on = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_again(piece[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            own = error.__context__  # what a method below raised
            self._refuse(own if isinstance(own, VivantError) else _describe(error, piece))
            return
        self._framing = 0 if self._moved_on else self._framing + len(piece)
        self._overhead += len(piece)
        if max(self._framing, self._overhead if self._in_body else 0) > FRAMING_BYTES:
            if self._in_head:
                self._refuse(HeadTooLarge(f"The head of a request may have at most {FRAMING_BYTES} bytes."))
            else:
                self._refuse(
                    MalformedRequest(f"More than {FRAMING_BYTES} bytes of chunk sizes, extensions, trailers or lines.")
                )

    def _read_again(self, rest: bytes) -> None:
        """Read the request once more without its wish for another protocol, which a server may ignore (RFC 9110, 7.8).
        The parser takes everything after such a head for the other protocol; but Java's client asks for h2c in each
        request, and sends its body all the same.
        """
        head, self._head_to_read_again = self._head_to_read_again, b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
        for piece in (head, rest):
            if piece and not self._closed_for_requests:
                self._parse(piece)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if not self._answers_due():
            self._places.remember_in_head(self)
        self._awaited.set(self._timings.head_within)
        if len(self.pipeline) >= PIPELINED:
            raise MalformedRequest(f"At most {PIPELINED} requests may wait for their answers on one connection.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            return  # a trailer: it may not change what the head said, and nobody here needs one (RFC 9110, 6.5.1)
        if len(self.headers) >= HEADERS:
            raise HeadTooLarge(f"A request may have at most {HEADERS} headers.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > FRAMING_BYTES:
            raise HeadTooLarge(f"The head of a request may have at most {FRAMING_BYTES} bytes.")
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # it has no such answer (RFC 9110, 10.1.1)
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._head_to_read_again = self._write_head_without_upgrade()
            return
        self._take_host_from_target()
        super().on_headers_complete()
        self._places.forget(self)
        self._awaited.clear()
        self._in_head, self._in_body = False, True
        self._moved_on = True
        self._overhead = 0

    def on_body(self, body: bytes) -> None:
        self._moved_on = True
        self._overhead -= len(body) * CHUNK_BYTES
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._head_to_read_again:
            return
        self._in_body = False
        self._moved_on = True
        super().on_message_complete()

    def _write_head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"".join(lines) + b"\r\n"

    def _take_host_from_target(self) -> None:
        """The authority in an absolute target counts, and not the Host header (RFC 9112, 3.2.2)."""
        if b"://" not in self.url[:8]:
            return
        target = httptools.parse_url(self.url)
        authority = target.host + (b":%d" % target.port if target.port else b"")
        self.headers[:] = [(name, value) for name, value in self.headers if name != b"host"]
        self.headers.append((b"host", authority))

    # -- what goes --------------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # ours is not prolonged by blank lines
        self._expect_rest_taken()
        if self.transport.is_closing() or self._answers_due():
            return
        if self._in_head:
            self._places.remember_in_head(self)
            return
        if self._in_body:
            self._awaited.set(self._timings.linger_idle_for)
        else:
            self._awaited.set(self._timings.keep_alive_for)
            self._places.remember_idle(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answer_taken.set(self._timings.answer_stalls_for)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._answer_taken.clear()

    def _expect_rest_taken(self) -> None:
        """The rest of an answer, which is short: less than what makes the transport pause."""
        if not self.flow.write_paused:
            self._answer_taken.set(self._timings.answer_stalls_for)

    def _on_answer_not_taken(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    # -- the end ----------------------------------------------------------------------------------------------------

    def _on_nothing_came(self) -> None:
        if self._answers_due():
            self._read_no_more()
        else:
            self.transport.close()
            self._expect_rest_taken()

    def _answers_due(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _read_no_more(self) -> None:
        """Close the connection after the answers that are due."""
        self._closed_for_requests = True
        self.cycle.keep_alive = False

    def _refuse(self, error: VivantError) -> None:
        """End what cannot be read on: with an answer of ours unless another one has begun, or must come before it."""
        if self._in_body:
            if self.pipeline:
                self.transport.abort()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                self._expect_rest_taken()
                return
        elif self._answers_due():
            self._read_no_more()
            return
        self._answer_and_close(error)

    def _answer_and_close(self, error: VivantError) -> None:
        self._closed_for_requests = True
        head: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}  # before any byte came
        if self.headers is not None:
            head |= {"path": _readable_path(self.url)} | dict(self.scope)
        request_id = choose_request_id(head)
        response = handle_error(Request(head | {"state": {"request_id": request_id}}), error)
        complete_headers(response.headers, request_id)
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body))
        self.transport.close()
        self._expect_rest_taken()


def _readable_path(target: bytes) -> str:
    """The path in what has come of a target, for the form of the answer."""
    path = target.partition(b"?")[0].decode("latin-1")
    return "/" + path.lstrip("/")


def _describe(error: httptools.HttpParserError, piece: bytes) -> VivantError:
    """What to say of a request that the parser does not take."""
    if _BAD_KEY.search(piece):
        return UnknownKey()
    if isinstance(error, httptools.HttpParserCallbackError):  # says nothing of what a method above could not read
        return MalformedRequest("This is no valid HTTP/1.1: its target or one of its headers cannot be read.")
    return MalformedRequest(f"This is no valid HTTP/1.1: {str(error)[:200].rstrip('.') or type(error).__name__}.")
