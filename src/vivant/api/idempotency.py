"""The header `Idempotency-Key`, by which a submit can be repeated without making a second task."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from vivant.errors import InvalidRequest

HEADER: Final = "Idempotency-Key"


def parse_idempotency_key(request: Request) -> str | None:
    """The key, or None without the header. Raises InvalidRequest for several; its form is checked where it is used."""
    sent = request.headers.getlist(HEADER)
    if len(sent) > 1:
        raise InvalidRequest("may be sent once.", field=HEADER)
    return sent[0] if sent else None
