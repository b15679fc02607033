"""Keeps the packets of an encoded stream in a file until they can be muxed, so that a long clip takes no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any

from av.packet import Packet
from av.stream import Stream


@dataclass(frozen=True, slots=True)
class _Entry:
    """One packet without its data."""

    stream: Stream
    size: int  # bytes
    pts: int | None
    dts: int | None
    duration: int | None
    time_base: Fraction
    is_keyframe: bool


class PacketSpool:
    """First all packets are added, then they are read once, in the same order.

    Not kept: x264's statistics, for which MP4 has no place, and the mark of frames that no other frame refers to, which
    PyAV cannot set and no player needs.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """file: empty, open for writing and reading; the caller closes it."""
        self._file = file
        self._entries: list[_Entry] = []

    def add(self, packet: Packet[Any]) -> None:
        self._file.write(bytes(packet))
        p = packet
        self._entries.append(_Entry(p.stream, p.size, p.pts, p.dts, p.duration, p.time_base, p.is_keyframe))

    def packets(self) -> Iterator[Packet[Any]]:
        """All packets that were added; each is read from the file when it is asked for."""
        self._file.seek(0)
        for entry in self._entries:
            packet: Packet[Any] = Packet(self._file.read(entry.size))
            packet.stream = entry.stream
            packet.pts, packet.dts, packet.duration = entry.pts, entry.dts, entry.duration
            packet.time_base = entry.time_base
            packet.is_keyframe = entry.is_keyframe
            yield packet
