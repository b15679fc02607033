"""From what a caller names as a picture (an address or a data URI) to a clean one that an engine may see.

The way: fetch or take apart, then decode in a process of its own. This module knows the order of the steps; fetch.py,
datauri.py and sandbox.py know how each is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import chain
from typing import Final

from vivant.errors import InvalidPicture, UnreadablePicture
from vivant.intake.budget import ByteBudget
from vivant.intake.datauri import decode, is_data_uri
from vivant.intake.fetch import URL_LENGTH, AllowList, Fetcher, Resolve
from vivant.intake.sandbox import CleanPicture, Decoders
from vivant.request import ADAPTIVE
from vivant.settings import Settings

__all__ = ["CleanPicture", "Intake"]

_PIECE: Final = 2**20  # characters of a data URI handled at a time: a few ms of holding the interpreter

Source = str | Iterable[bytes]


class Intake:
    """Everything between a stranger's picture and a clean one. `start` before, `stop` after."""

    def __init__(
        self, settings: Settings, *, budget: ByteBudget | None = None, decoders: Decoders | None = None,
        resolve: Resolve | None = None,
    ) -> None:  # fmt: skip
        self.budget = budget or ByteBudget()
        self.decoders = decoders or Decoders()
        self._fetcher = Fetcher(AllowList.parse(settings.egress_allowed), self.budget, resolve)

    async def start(self) -> None:
        """Start the decoder processes; returns before they are ready."""
        await self.decoders.start()

    async def stop(self) -> None:
        await self.decoders.stop()

    async def receive(self, source: Source, *, field: str, ratio: str = ADAPTIVE) -> CleanPicture:
        """The picture at an http(s) URL or in a data URI: as text, or (long ones) as pieces of its ASCII text.

        Pieces must be iterable twice. `field` is named in errors. `ratio` says which canvas the stored picture must
        fill: one of RATIOS, or adaptive for the nearest. Raises InvalidPicture or Busy.
        """
        if isinstance(source, str):
            if not is_data_uri(source[:5].encode(errors="replace")):
                async with AsyncExitStack() as held:
                    body = await self._fetcher.fetch(source, field=field, held=held)
                    return await self.clean(body, field=field, ratio=ratio)
            if not source.isascii():
                raise UnreadablePicture(f"{field}: a data URI holds ASCII characters only.", field=field)
            source = _TextChunks(source)
        elif not is_data_uri(next(iter(source), b"")):
            raise InvalidPicture(
                f"{field}: must be an http(s) URL of at most {URL_LENGTH} characters or a data URI "
                "(data:image/<format>;base64,…).",
                field=field,
            )
        return await self.decoders.clean(_DataUriChunks(source, field), field=field, ratio=ratio)

    async def clean(
        self, data: bytes | bytearray | memoryview, *, field: str, ratio: str = ADAPTIVE
    ) -> CleanPicture:  # fmt: skip
        """The same for a picture file's own bytes. Raises InvalidPicture or Busy."""
        return await self.decoders.clean(_ByteChunks(data), field=field, ratio=ratio)


class _TextChunks:
    """A string as pieces of ASCII."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[bytes]:
        return (self._text[at : at + _PIECE].encode() for at in range(0, len(self._text), _PIECE))


class _ByteChunks:
    """Bytes as views."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    def __iter__(self) -> Iterator[memoryview]:
        return (self._data[at : at + _PIECE] for at in range(0, len(self._data), _PIECE))


class _DataUriChunks:
    """A data URI's content; decoded anew at each iteration."""

    def __init__(self, pieces: Iterable[bytes], field: str) -> None:
        self._pieces = pieces
        self._field = field

    def __iter__(self) -> Iterator[bytes]:
        return decode(chain(self._pieces), field=self._field)
