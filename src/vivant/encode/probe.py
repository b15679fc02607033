"""Reads the facts of a finished file from the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a player finds in the file. Durations in seconds; audio values are 0 or empty for a silent file."""

    width: int
    height: int
    frames: int
    fps: Fraction
    video_seconds: Fraction
    video_codec: str
    pixel_format: str
    has_audio: bool
    audio_codec: str
    audio_seconds: Fraction
    sample_rate: int
    channels: int
    size: int  # bytes


def probe(path: Path) -> Facts:
    """The facts of the file at `path`; frames are counted by demuxing. Raises av.error.FFmpegError if unreadable."""
    with av.open(str(path)) as movie:
        video = movie.streams.video[0]
        audio = movie.streams.audio[0] if movie.streams.audio else None
        frames = sum(1 for packet in movie.demux(video) if packet.size)
        context = video.codec_context
        return Facts(
            width=context.width,
            height=context.height,
            frames=frames,
            fps=video.average_rate or Fraction(0),
            video_seconds=_seconds(video.duration, video.time_base),
            video_codec=context.name,
            pixel_format=context.pix_fmt or "",
            has_audio=audio is not None,
            audio_codec=audio.codec_context.name if audio else "",
            audio_seconds=_seconds(audio.duration, audio.time_base) if audio else Fraction(0),
            sample_rate=audio.codec_context.sample_rate if audio else 0,
            channels=audio.codec_context.channels if audio else 0,
            size=path.stat().st_size,
        )


def _seconds(duration: int | None, time_base: Fraction | None) -> Fraction:
    return Fraction(0) if duration is None or time_base is None else duration * time_base
