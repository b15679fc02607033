"""Calls to the server behind an engine: JSON, forms and files, each bounded in time and bytes and ended at once when
the work is no longer wanted. The operator names the server, so it may be on this machine; what the *server* names, the
link to a film, may be on the server itself or at a public address, and nowhere else.

Redirects are not followed: a key would travel along. Proxies of the environment are not used. Compression is asked off,
and an answer that comes compressed all the same is refused.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore2
import httpx2

from vivant.engines.generated.answers import clean, words_of
from vivant.engines.generated.connections import Call, Check, Resolve, WatchedConnections, look_up, tls_context
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.errors import Misconfigured, ScratchFailed

__all__ = ["FilePart", "Patience", "Server", "ServerRefused", "ServerUnreachable", "UnusableAnswer"]

MOST_JSON: Final = 4 * 2**20  # bytes of an answer in JSON
MOST_FILM: Final = 512 * 2**20  # bytes of a film: 12 s of 1080p as intra frames of good quality
_TOO_LITTLE: Final = 1  # byte: an empty file is no film


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that things may take: connecting, a call as a whole, silence within a call, a film as a whole."""

    connect: float = 5.0
    call: float = 30.0
    quiet: float = 30.0
    film: float = 900.0

    def __post_init__(self) -> None:
        if not all(0 < value < 86_400 for value in (self.connect, self.call, self.quiet, self.film)):
            raise ValueError(f"Each time must be more than 0 s and less than a day; got {self}.")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a form: its field's name, file name, bytes and media type."""

    field: str
    name: str
    data: bytes
    media_type: str


class Server:
    """A server behind an engine. url: http or https, with or without a path, under which the paths of the calls lie.
    headers are sent with every call to the server, and the key as a bearer token; neither appears in any message.

    Every call asks `check` at least twice a second, whatever the peer does, and passes on what it raises. Calls raise
    ServerUnreachable (`sent` tells whether the request may have arrived), ServerRefused for every status that is no
    success, and UnusableAnswer. A server may be used from one thread at a time.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: str = "",
        patience: Patience = Patience(),
        resolve: Resolve = look_up,
    ) -> None:
        """Raises Misconfigured for a URL, headers or a key that cannot be sent."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise Misconfigured(f"{url!r:.200} is not the http or https address of a server.")
        if parts.username is not None or parts.password is not None:
            raise Misconfigured("The address of a server holds no user name or password: put them into its headers.")
        given = {**(headers or {}), **({"Authorization": f"Bearer {key}"} if key else {})}
        for name, value in given.items():
            if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable() and name):
                raise Misconfigured("Headers and keys for a server must be printable ASCII.")  # without repeating them
        self.url = url.rstrip("/")
        self.patience = patience
        self._headers = given
        self._resolve = resolve
        self._secrets = tuple(
            secret for value in (*given.values(), key) for secret in (value, value.partition(" ")[2]) if len(secret) > 3
        )

    def get_json(
        self, path: str, *, check: Check, params: Mapping[str, str] | None = None, most_bytes: int = MOST_JSON,
        seconds: float | None = None,
    ) -> Any:  # fmt: skip
        """The JSON that a GET of this path answers; None for an empty answer."""
        return self._ask("GET", path, check, seconds, most_bytes, params=params)

    def post_json(
        self, path: str, body: Any, *, check: Check, most_bytes: int = MOST_JSON, seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """The JSON that the server answers to a POST of this JSON; None for an empty answer. headers: further ones."""
        return self._ask("POST", path, check, seconds, most_bytes, json=body, headers=headers)

    def post_form(
        self, path: str, fields: Mapping[str, str], files: Sequence[FilePart], *, check: Check,
        most_bytes: int = MOST_JSON, seconds: float | None = None,
    ) -> Any:  # fmt: skip
        """The JSON that the server answers to a multipart form; None for an empty answer. Several files may have one
        field's name; they keep their order."""
        parts: list[tuple[str, Any]] = [(name, (None, value.encode())) for name, value in fields.items()]
        parts += [(file.field, (file.name, file.data, file.media_type)) for file in files]
        return self._ask("POST", path, check, seconds, most_bytes, files=parts)

    def delete(self, path: str, *, check: Check, seconds: float | None = None) -> Any:
        """The JSON that the server answers to a DELETE; None for an empty answer."""
        return self._ask("DELETE", path, check, seconds, MOST_JSON)

    def download(
        self, where: str, target: Path, *, check: Check, most_bytes: int = MOST_FILM,
        params: Mapping[str, str] | None = None, seconds: float | None = None,
    ) -> None:  # fmt: skip
        """Fetch a path of the server, or an absolute URL that it named, into the file `target`, which appears under its
        name when it is complete. Raises also ScratchFailed when the file cannot be written."""
        part = target.with_name(f".{target.name}.part")
        call = self._call(check, self.patience.film if seconds is None else seconds, most_bytes)
        try:
            with self._answer(call, "GET", where, params=params) as response:
                announced = response.headers.get("Content-Length", "")
                if announced.isascii() and announced.isdigit() and len(announced) < 20 and int(announced) > most_bytes:
                    raise UnusableAnswer(f"The film has {int(announced):,} bytes; at most {most_bytes:,} are taken.")
                if _save(response.iter_raw(), part, most_bytes) < _TOO_LITTLE:
                    raise UnusableAnswer("The server sent an empty file instead of a film.")
            try:
                part.replace(target)
            except OSError as error:
                raise ScratchFailed(f"The film could not be stored: {error.strerror}.") from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _call(self, check: Check, seconds: float, most_bytes: int) -> Call:
        patience = self.patience
        return Call(check, seconds=seconds, quiet=patience.quiet, connect=patience.connect, most_bytes=most_bytes)

    def _ask(self, method: str, path: str, check: Check, seconds: float | None, most_bytes: int, **content: Any) -> Any:
        call = self._call(check, self.patience.call if seconds is None else seconds, most_bytes)
        with self._answer(call, method, path, **content) as response:
            body = _read(response, most_bytes)
        if not body.strip():
            return None
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise UnusableAnswer("The server's answer is not JSON.") from None

    @contextlib.contextmanager
    def _answer(self, call: Call, method: str, where: str, **content: Any) -> Iterator[httpx2.Response]:
        """The response to a request, whose status is a success and whose body has yet to be read."""
        url, own = self._locate(where)
        more = content.pop("headers", None) or {}
        headers = {**self._headers, **more} if own else {}
        connections = WatchedConnections(call, guarded=not own, resolve=self._resolve)
        usual = {"User-Agent": "vivant", "Accept-Encoding": "identity", "Connection": "close"}
        client = httpx2.Client(
            transport=_Transport(connections), headers=usual, trust_env=False, follow_redirects=False
        )
        call.ask()
        try:
            with (
                client,
                client.stream(method, url, headers=headers, **content) as response,
            ):
                if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
                    raise UnusableAnswer("The server sent a compressed answer although it was asked not to.")
                if response.status_code != HTTPStatus.OK and response.status_code not in (201, 202, 204):
                    raise self._refusal(response)
                yield response
        except httpcore2.ProtocolError as error:
            raise ServerUnreachable(f"The server broke off its answer: {clean(str(error))}", sent=call.sent) from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise ServerUnreachable(
                f"The connection to the server broke: {clean(str(error))}", sent=call.sent
            ) from error

    def _locate(self, where: str) -> tuple[httpx2.URL, bool]:
        """The URL of a path or of an absolute URL, and whether it is the server's own."""
        absolute = not where.startswith("/")
        try:
            url = httpx2.URL(where if absolute else self.url + where)
            own = httpx2.URL(self.url)
        except (httpx2.InvalidURL, ValueError):
            raise UnusableAnswer("The server names an address for the film that is none.") from None
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise UnusableAnswer("The server names an address for the film that is no http or https address.")
        return url, _origin(url) == _origin(own)

    def _refusal(self, response: httpx2.Response) -> ServerRefused:
        status = response.status_code
        if 300 <= status < 400:
            return ServerRefused(status, "it redirects, which is not followed; give the address that it leads to.")
        body = _read(response, MOST_JSON)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        said = words_of(answer) if answer is not None else clean(body[:4096].decode(errors="replace"))
        for secret in self._secrets:
            said = said.replace(secret, "…")
        if not said or said.startswith("<"):  # a page for people
            with contextlib.suppress(ValueError):
                said = HTTPStatus(status).phrase
        hint = {401: " (is the key right?)", 403: " (may the key do this?)"}.get(status, "")
        later = _read_retry_after(response.headers.get("Retry-After", ""))
        return ServerRefused(status, (said or "no reason given") + hint, answer, retry_after=later)


class _Transport(httpx2.BaseTransport):
    """httpx2's client over connections of ours, by the public interface of both; one request, one connection."""

    def __init__(self, connections: httpcore2.NetworkBackend) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls_context(), max_connections=1, max_keepalive_connections=0, network_backend=connections
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response), request=request)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.lower().rstrip("."), url.port or (443 if url.scheme == "https" else 80)


def _read_retry_after(value: str) -> float:
    """Seconds, of the header's two forms: a number or a date; at most an hour, and 0 for anything else."""
    try:
        if value.isascii() and value.strip().isdigit() and len(value) < 10:
            seconds = float(value)
        else:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), 3600.0)


def _read(response: httpx2.Response, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for block in response.iter_raw():
        size += len(block)
        if size > most_bytes:
            raise UnusableAnswer(f"The server's answer has more than the {most_bytes:,} bytes that are taken.")
        parts.append(block)
    return b"".join(parts)


def _save(blocks: Iterator[bytes], part: Path, most_bytes: int) -> int:
    """Write the blocks into a new file; their number of bytes."""
    size = 0
    try:
        with part.open("wb") as file:
            for block in blocks:
                size += len(block)
                if size > most_bytes:
                    raise UnusableAnswer(f"The film has more than the {most_bytes:,} bytes that are taken.")
                file.write(block)
    except OSError as error:
        raise ScratchFailed(f"The film could not be written: {error.strerror or type(error).__name__}.") from error
    return size


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
