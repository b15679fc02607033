"""One question to an OpenAI-compatible endpoint, and its answer: POST {base}/chat/completions.

Every byte that comes back is hostile: the whole exchange has one deadline, the answer a greatest size, and
redirects are not followed. The operator names the endpoint, so it may be on this machine or a private network; the
proxies of the environment are not used. Sources: https://platform.openai.com/docs/api-reference/chat and the
servers of vLLM, llama.cpp and Ollama, which accept less: who refuses a form of `response_format` is asked again
with a simpler one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

MOST_BYTES: Final = 512 * 1024  # of an answer
_REFUSED: Final = frozenset({400, 404, 415, 422, 500, 501})  # a form of the question, perhaps
_MEANING: Final = {
    401: ": the key is wrong",
    403: ": the key may not",
    404: ": no such model or address",
    429: ": busy",
}
_CHUNK: Final = 64 * 1024
_WAIT: Final = 0.1  # s between two looks at whether the job is to stop


class PlannerFailed(Exception):
    """The planner gave nothing that could be used. Its text says why, and never holds the key."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the planner is. base: the URL before /chat/completions. key: empty, or sent as a bearer token. seconds: for
    a whole answer."""

    base: str
    model: str = ""
    key: str = field(default="", repr=False)
    seconds: float = 20.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"Endpoint.base must be an http or https URL; it is {self.base!r}.")
        if not (self.key.isascii() and self.key.isprintable()) or " " in self.key:
            raise ValueError("Endpoint.key must be printable ASCII without blanks.")  # without repeating it


def ask(
    endpoint: Endpoint, messages: list[dict[str, str]], schema: Mapping[str, Any], seed: int, check: Callable[[], None]
) -> str:
    """The content of the first choice. `check` is called ten times a second and may raise, which ends the exchange.
    Raises PlannerFailed."""
    deadline = time.monotonic() + endpoint.seconds
    forms: tuple[dict[str, Any] | None, ...] = (
        {"type": "json_schema", "json_schema": {"name": "storyboard", "schema": schema}},
        {"type": "json_object"},
        None,
    )
    fixed: dict[str, Any] = {"temperature": 0, "seed": seed}  # some models have no such settings, and refuse them
    status = 0
    for options, form in [(fixed, forms[0]), *(({}, form) for form in forms)]:
        body: dict[str, Any] = {"messages": messages, "stream": False, **options}
        if endpoint.model:
            body["model"] = endpoint.model
        if form is not None:
            body["response_format"] = form
        status, answer = _Exchange(endpoint, json.dumps(body).encode(), deadline).run(check)
        if status == 200:
            return _content(answer)
        if status not in _REFUSED:
            break
    raise PlannerFailed(f"the planner answered with HTTP {status}{_MEANING.get(status, '')}")


def _content(answer: bytes) -> str:
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise PlannerFailed("the planner's answer is no chat completion") from None
    if not isinstance(content, str):
        raise PlannerFailed("the planner's answer has no content")
    return content


class _Exchange:
    """One request and its answer, on a thread of its own, so that a peer that stalls holds nobody."""

    def __init__(self, endpoint: Endpoint, body: bytes, deadline: float) -> None:
        self._endpoint, self._body, self._deadline = endpoint, body, deadline
        self._connection = _connect(endpoint, max(0.05, deadline - time.monotonic()))
        self._result: tuple[int, bytes] | None = None
        self._error = ""
        self._over = False  # nobody waits any more; a thread that connects only now closes what it opened
        self._late = f"the planner gave no answer within {endpoint.seconds:g} s"
        self._socket: socket.socket | None = None  # the response takes it over from the connection
        self._thread = threading.Thread(target=self._work, name="vivant-planner", daemon=True)

    def run(self, check: Callable[[], None]) -> tuple[int, bytes]:
        self._thread.start()
        try:
            while self._thread.is_alive():
                check()
                if time.monotonic() > self._deadline:
                    raise PlannerFailed(self._late)
                self._thread.join(_WAIT)
        finally:
            self._close()
        if self._result is None:
            raise PlannerFailed(self._error)
        return self._result

    def _close(self) -> None:
        self._over = True
        if (connected := self._connection.sock or self._socket) is not None:
            with contextlib.suppress(OSError):  # it may be closed already
                connected.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _work(self) -> None:
        try:
            self._result = self._send()
        except TimeoutError:
            self._error = self._late
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._error = f"the planner could not be reached: {type(error).__name__}"
        finally:
            if self._over:
                self._connection.close()

    def _send(self) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        path = f"{urlsplit(self._endpoint.base).path.rstrip('/')}/chat/completions"
        self._connection.request("POST", path, self._body, headers)
        self._socket = self._connection.sock
        response = self._connection.getresponse()
        parts: list[bytes] = []
        size = 0
        while part := response.read1(_CHUNK):
            if time.monotonic() > self._deadline:
                raise TimeoutError
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise ValueError("too long")
        return response.status, b"".join(parts)


def _connect(endpoint: Endpoint, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(endpoint.base)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=seconds)
