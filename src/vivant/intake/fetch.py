"""Fetches a picture from a URL that a caller gave, through redirects, as far as its key's share allows.

Returns bytes and checks their number only. What was reached, or why not, goes to the log and not to the caller: error
texts that differ would let a caller map the internal network.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import h11
import structlog

from vivant.errors import InvalidPicture, PictureTooManyBytes, PictureUnreachable
from vivant.intake.egress import Egress, FetchRefused
from vivant.intake.http_get import Answer, get
from vivant.intake.urls import Url, join_url, parse_url
from vivant.request import PICTURE_BYTES
from vivant.shares import Shares
from vivant.timings import Timings

log = structlog.get_logger(__name__)

URL_LENGTH: Final = 8192  # characters; presigned links of the large object stores stay below 2500
REDIRECTS: Final = 3
AT_ONCE: Final = 64  # fetches in flight; slow servers must not use up our sockets
AT_ONCE_EACH: Final = 16  # of one key
_HEADERS: Final = {"User-Agent": "vivant", "Accept": "image/*", "Accept-Encoding": "identity"}


class Fetcher:
    """Fetches pictures of at most `max_bytes` bytes, which count against the owner's share of `picture_bytes`."""

    def __init__(
        self, egress: Egress, picture_bytes: Shares, *, timings: Timings, max_bytes: int = PICTURE_BYTES
    ) -> None:
        self._egress = egress
        self._picture_bytes = picture_bytes
        self._timings = timings
        self._max_bytes = max_bytes
        self._places = Shares(
            AT_ONCE,
            each=AT_ONCE_EACH,
            full="Too many pictures are being fetched; send this request again shortly.",
            share_full="Too many pictures of this key are being fetched; send this request again shortly.",
        )

    async def fetch(self, text: str, *, owner: str, reservations: AsyncExitStack) -> bytearray:
        """The body at an http(s) URL; its bytes count against the owner's share until `reservations` closes.

        Raises InvalidPicture for text that is no such URL, PictureUnreachable, PictureTooManyBytes or Busy.
        """
        url = _parse(text)
        with self._places.hold(owner, 1):
            try:
                async with asyncio.timeout(self._timings.fetch_within):
                    return await self._follow(url, owner, reservations)
            except (FetchRefused, PictureUnreachable, h11.ProtocolError, OSError, ValueError, TimeoutError) as error:
                log.info("picture not fetched", why=f"{type(error).__name__}: {error}"[:300])
                raise PictureUnreachable(
                    "the picture could not be fetched. Its address must be public, on port 80 or 443, and "
                    f"answer 200 with the picture within {self._timings.fetch_within:g} s, over at most {REDIRECTS} "
                    "redirects that never lead from https to http."
                ) from None

    async def _follow(self, url: Url, owner: str, reservations: AsyncExitStack) -> bytearray:
        for _ in range(REDIRECTS + 1):
            outcome = await self._hop(url, owner, reservations)
            if not isinstance(outcome, Url):
                return outcome
            url = outcome
        raise FetchRefused("too many redirects")

    async def _hop(self, url: Url, owner: str, reservations: AsyncExitStack) -> bytearray | Url:
        """One request: the body, or the URL of the redirect."""
        reader, writer = await self._egress.connect(url, owner=owner)
        async with get(url, reader, writer, _HEADERS) as answer:
            if answer.status in (301, 302, 303, 307, 308):
                return resolve_redirect(url, answer.header(b"location"))
            if answer.status != 200:
                raise FetchRefused(f"answered {answer.status}")
            if (answer.header(b"content-encoding") or b"identity").strip().lower() not in (b"", b"identity"):
                raise FetchRefused("sent an encoded body although identity was asked for")
            return await self._read(answer, owner, reservations)

    async def _read(self, answer: Answer, owner: str, reservations: AsyncExitStack) -> bytearray:
        declared = answer.header(b"content-length") or b"0"
        if declared.isdigit() and int(declared[:20]) > self._max_bytes:
            raise too_many_bytes(self._max_bytes)
        held = reservations.enter_context(self._picture_bytes.hold(owner))
        body = bytearray()
        async for piece in answer.body:
            if len(body) + len(piece) > self._max_bytes:
                raise too_many_bytes(self._max_bytes)
            held.grow(len(piece))
            body += piece
        return body


def resolve_redirect(here: Url, location: bytes | None) -> Url:
    """The URL a redirect leads to. Raises FetchRefused or ValueError when it may not be followed."""
    if not location:
        raise FetchRefused("a redirect without an address")
    there = join_url(here, location)
    if here.scheme == "https" and there.scheme != "https":
        raise FetchRefused("a redirect from https to http")
    return there


def too_many_bytes(max_bytes: int = PICTURE_BYTES) -> PictureTooManyBytes:
    return PictureTooManyBytes(f"the picture may have at most {max_bytes} bytes ({max_bytes // 2**20} MiB).")


def _parse(text: str) -> Url:
    """The caller's URL. Raises InvalidPicture; what is wrong with the caller's own text is no secret to the caller."""
    rule = "must be an http(s) URL or a data URI (data:image/<format>;base64,…)"
    if len(text) > URL_LENGTH:
        raise InvalidPicture(f"{rule}; a URL may have at most {URL_LENGTH} characters.")
    try:
        return parse_url(text)
    except ValueError as error:  # surrogates, too, which cannot be encoded
        why = "it holds characters that cannot be encoded" if isinstance(error, UnicodeError) else error
        raise InvalidPicture(f"{rule}, with a host and without a user name: {why}.") from None
