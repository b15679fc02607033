"""Limits on request bodies, checked by the declared length first and counted while the bytes arrive.

One body may not be larger than the largest pictures need. All bodies together, and those of one key, may take so much
memory; it is counted as bytes arrive, so that announcing a large body keeps nobody out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from starlette.requests import Request

from vivant.api.http_errors import BodyTooLarge
from vivant.errors import InvalidRequest
from vivant.shares import Holding, Shares

MAX_BODY_BYTES: Final = 88 * 2**20  # two pictures of 30·2²⁰ bytes in base64 are 80 MiB, plus a margin


@asynccontextmanager
async def receive_body(
    request: Request, picture_bytes: Shares, *, owner: str, max_bytes: int
) -> AsyncIterator[tuple[bytearray, Holding]]:
    """The whole body and what holds it of the owner's share until the block ends.

    Raises BodyTooLarge, BodyTooSlow (see body_deadlines.py), Busy, or InvalidRequest for a compressed body.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise InvalidRequest("The body may not be compressed: send it without Content-Encoding.")
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if length is not None and length > max_bytes:
        raise _too_large(max_bytes)
    with picture_bytes.hold(owner) as held, _emptied_on_error() as body:
        async for chunk in request.stream():
            if len(body) + len(chunk) > max_bytes:
                raise _too_large(max_bytes)
            held.grow(len(chunk))
            body += chunk
        yield body, held


@contextmanager
def _emptied_on_error() -> Iterator[bytearray]:
    """A buffer for a body. An error keeps the buffer's frame, and with it bytes that no share counts, until the
    rest of a refused body has been discarded, which may take a minute.
    """
    body = bytearray()
    try:
        yield body
    except BaseException:
        with suppress(BufferError):  # views of it exist: the body was read to its end
            body.clear()
        raise


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body may have at most {max_bytes} bytes ({max_bytes // 2**20} MiB).")
