"""From what a caller sends as a picture (a URL, a data URI or a file) to a clean picture that an engine may see.

Fetch it or decode the data URI, then decode the picture in a process of its own. This module holds the order of the
steps; fetch.py, datauri.py and sandbox.py do them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import chain
from typing import Final

from vivant.errors import InvalidPicture, UnreadablePicture
from vivant.intake.datauri import decode, is_data_uri
from vivant.intake.egress import AllowList, Egress, Resolve
from vivant.intake.fetch import URL_LENGTH, Fetcher
from vivant.intake.sandbox import CleanPicture, Decoders
from vivant.shares import Shares
from vivant.timings import DEFAULT_TIMINGS, Timings

__all__ = ["AllowList", "CleanPicture", "Intake"]

NOTHING_ALLOWED: Final = AllowList()
PICTURE_BYTES_HELD: Final = 256 * 2**20  # of all callers in memory, about three of the largest bodies
PICTURE_BYTES_EACH: Final = 176 * 2**20  # of one key: two of the largest bodies

_CHUNK: Final = 2**20  # bytes handled at a time, which holds the interpreter lock for a few ms

Source = str | Iterable[bytes]


class Intake:
    """Fetches and decodes pictures. `start` before the first, `stop` after the last.

    `allow`: what may be fetched from although it is not public.
    """

    def __init__(
        self, allow: AllowList = NOTHING_ALLOWED, *, picture_bytes: Shares | None = None,
        decoders: Decoders | None = None, resolve: Resolve | None = None, timings: Timings = DEFAULT_TIMINGS,
    ) -> None:  # fmt: skip
        self.picture_bytes = picture_bytes or share_picture_bytes()
        self.decoders = decoders or Decoders(timings=timings)
        self._egress = Egress(allow, resolve, timings=timings)
        self._fetcher = Fetcher(self._egress, self.picture_bytes, timings=timings)

    async def start(self) -> None:
        """Start the decoder processes; returns before they are ready."""
        await self.decoders.start()

    async def stop(self) -> None:
        self._egress.close()
        await self.decoders.stop()

    async def receive(self, source: Source, *, owner: str, field: str, ratio: str | None = None) -> CleanPicture:
        """The picture at an http(s) URL or in a data URI, given as a string or (long ones) as pieces of ASCII text.

        Pieces must be iterable twice. `owner` is the caller's key, whose shares are used. `ratio` is that of the canvas
        which the stored picture must cover; None is the one nearest to the picture's own. Raises InvalidPicture naming
        `field`, or Busy.
        """
        with _naming(field):
            if isinstance(source, str):
                if not is_data_uri(source[:5].encode(errors="replace")):
                    async with AsyncExitStack() as reservations:
                        body = await self._fetcher.fetch(source, owner=owner, reservations=reservations)
                        return await self.decoders.clean(_ByteChunks(body), ratio=ratio, owner=owner)
                if not source.isascii():
                    raise UnreadablePicture("a data URI holds ASCII characters only.")
                source = _TextChunks(source)
            elif not is_data_uri(next(iter(source), b"")):
                raise InvalidPicture(
                    f"must be an http(s) URL of at most {URL_LENGTH} characters or a data URI "
                    "(data:image/<format>;base64,…)."
                )
            return await self.decoders.clean(_DataUriChunks(source), ratio=ratio, owner=owner)

    async def clean(
        self, data: bytes | bytearray | memoryview, *, field: str, ratio: str | None = None, owner: str = ""
    ) -> CleanPicture:
        """The same for the bytes of a picture file. Raises InvalidPicture naming `field`, or Busy."""
        with _naming(field):
            return await self.decoders.clean(_ByteChunks(data), ratio=ratio, owner=owner)


def share_picture_bytes(total: int = PICTURE_BYTES_HELD, *, each: int = PICTURE_BYTES_EACH) -> Shares:
    """Shares of the memory that callers' pictures and request bodies may take, in bytes."""
    return Shares(
        total,
        each=each,
        full="The service holds all the picture bytes it can; send this request again shortly.",
        share_full="The service holds as many picture bytes of this key as it may; send this request again shortly.",
    )


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Errors about the picture name the field it came in."""
    try:
        yield
    except InvalidPicture as error:
        error.field = field
        raise


class _TextChunks:
    """A string as chunks of ASCII bytes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[bytes]:
        return (self._text[at : at + _CHUNK].encode() for at in range(0, len(self._text), _CHUNK))


class _ByteChunks:
    """Bytes as chunks, without copying them."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    def __iter__(self) -> Iterator[memoryview]:
        return (self._data[at : at + _CHUNK] for at in range(0, len(self._data), _CHUNK))


class _DataUriChunks:
    """The content of a data URI, decoded anew at each iteration."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return decode(chain(self._pieces))
