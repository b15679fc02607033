"""Limits on request bodies, checked by the declared length first and counted while the bytes arrive.

One body may not be larger than the largest pictures need. All bodies together, and those of one key, may take so much
memory; it is counted as bytes arrive, so that announcing a large body keeps nobody out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request

from vivant.api.http_errors import BodyTooLarge, BodyTooSlow
from vivant.errors import InvalidRequest
from vivant.shares import Holding, Shares

MAX_BODY_BYTES: Final = 88 * 2**20  # two pictures of 30·2²⁰ bytes in base64 are 80 MiB, plus a margin


@asynccontextmanager
async def receive_body(
    request: Request, picture_bytes: Shares, *, owner: str, max_bytes: int, idle_for: float
) -> AsyncIterator[tuple[bytearray, Holding]]:
    """The whole body and what holds it of the owner's share until the block ends.

    A sender may pause for `idle_for` seconds: one that sleeps must not keep its share.
    Raises BodyTooLarge, BodyTooSlow, Busy, or InvalidRequest for a compressed body.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise InvalidRequest("The body may not be compressed: send it without Content-Encoding.")
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if length is not None and length > max_bytes:
        raise _too_large(max_bytes)
    with picture_bytes.hold(owner) as held:
        body = bytearray()
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(idle_for):
                    chunk = await anext(stream, None)
            except TimeoutError:
                raise BodyTooSlow(f"No byte of the body arrived for {idle_for:g} s.") from None
            if chunk is None:
                break
            if len(body) + len(chunk) > max_bytes:
                raise _too_large(max_bytes)
            held.grow(len(chunk))
            body += chunk
        yield body, held


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body may have at most {max_bytes} bytes ({max_bytes // 2**20} MiB).")
