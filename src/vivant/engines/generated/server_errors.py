"""What can go wrong with a server behind an engine. The texts are told to callers: they hold no address and no key."""

from __future__ import annotations

from typing import Any

from vivant.errors import EngineFailed


class ServerUnreachable(EngineFailed):
    """The server behind the engine cannot be reached, or does not answer."""

    def __init__(self, message: str = "", *, sent: bool = False) -> None:
        """sent: whether the server may have seen the request, so that what it asks for may have been done."""
        super().__init__(message)
        self.sent = sent


class ServerRefused(EngineFailed):
    """The server behind the engine answered with an HTTP status other than success."""

    def __init__(self, status: int, message: str, answer: Any = None, *, retry_after: float = 0.0) -> None:
        """message: the server's own words, shortened. answer: the whole answer, if it was JSON, else None.
        retry_after: seconds after which the server wants to be asked again; 0 if it does not say."""
        super().__init__(f"The server answered HTTP {status}: {message}")
        self.status = status
        self.message = message
        self.answer = answer
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.status in (408, 425, 429, 502, 503, 504)


class UnusableAnswer(EngineFailed):
    """The server behind the engine answered something that cannot be used."""
