"""Errors that only HTTP has. They belong to the tree in vivant/errors.py."""

from __future__ import annotations

from vivant.errors import InvalidRequest, NotAuthorized, NotFound


class BodyTooLarge(InvalidRequest):
    """The body is larger than the largest pictures need."""

    code = "BODY_TOO_LARGE"


class BodyTooSlow(InvalidRequest):
    """The rest of the body did not arrive in time."""

    code = "BODY_TOO_SLOW"


class MalformedRequest(InvalidRequest):
    """The request is not valid HTTP."""

    code = "MALFORMED_REQUEST"


class HeadTooLarge(InvalidRequest):
    """The request line and the headers are too long."""

    code = "HEAD_TOO_LARGE"


class UnknownExpectation(InvalidRequest):
    """Expect may only be 100-continue."""

    code = "UNKNOWN_EXPECTATION"


class WrongMethod(NotFound):
    """This address does not take this method."""

    code = "WRONG_METHOD"


class RangeNotSatisfiable(InvalidRequest):
    """The file does not have the requested bytes."""

    code = "RANGE_NOT_SATISFIABLE"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class NotThisMachine(NotAuthorized):
    """No API key exists yet, so only this machine may call."""

    code = "NOT_THIS_MACHINE"
