"""Packets wait in a file, not in memory."""

from __future__ import annotations

import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet

from vivant.encode.spool import PacketSpool


def facts(packet: Packet[Any]) -> tuple[object, ...]:
    return packet.pts, packet.dts, packet.duration, packet.time_base, packet.is_keyframe, packet.stream, bytes(packet)


def test_packets_come_back_as_they_were_in_their_order(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as movie:
        stream = movie.add_stream("libx264", rate=24, options={"x264-params": "bframes=3:keyint=8"})
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, 24)
        chance = np.random.default_rng(0)
        packets: list[Packet[Any]] = []
        for n in range(20):
            frame = av.VideoFrame.from_ndarray(chance.integers(0, 255, (96, 64), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        spool = PacketSpool(io.BytesIO())
        for packet in packets:
            spool.add(packet)
        assert [facts(packet) for packet in spool.packets()] == [facts(packet) for packet in packets]
        assert {packet.is_keyframe for packet in packets} == {True, False}


# Noise, which no encoder makes small: 55 kB for each frame.
ENCODE_NOISE = """
import sys
from pathlib import Path
import numpy as np
from vivant.encode.mp4 import write_mp4
from vivant.media import Clip, Planes
from vivant.memory import peak_bytes
from vivant.request import Canvas

frames = int(sys.argv[1])
chance = np.random.default_rng(0)
grey = np.full((160, 240), 128, np.uint8)
noise = (Planes(chance.integers(16, 235, (320, 480), np.uint8), grey, grey) for _ in range(frames))
write_mp4(Clip(Canvas(480, 320, frames), noise, None), Path(sys.argv[2]))
print(peak_bytes(), Path(sys.argv[2]).stat().st_size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the figures come from /proc")
def test_a_long_clip_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    def measure(frames: int) -> tuple[int, int]:
        command = [sys.executable, "-c", ENCODE_NOISE, str(frames), str(tmp_path / "clip.mp4")]
        peak, size = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return int(peak), int(size)

    (short, small), (long, large) = measure(40), measure(480)
    assert large - small > 20 * 2**20  # so much would be held
    assert long - short < 5 * 2**20
