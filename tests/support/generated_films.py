"""Films as other programs write them, good and bad ones, for tests of what reads them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from vivant.media import F32, U8

FAST = {"preset": "ultrafast", "crf": "12"}  # of x264


def write_film(
    path: Path,
    frames: Iterable[U8],
    *,
    fps: int | Fraction = 24,
    times: Iterable[Fraction] | None = None,
    container: str = "mp4",
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    colours: tuple[Colorspace, ColorRange] | None = None,
    sound: tuple[F32, int] | None = None,
    sound_codec: str = "aac",
    sound_layout: str = "stereo",
    sound_format: str = "fltp",
) -> None:
    """frames: RGB uint8 (h, w, 3). times: seconds of each; fps if None. colours: what is written and tagged; None: as
    FFmpeg converts by itself, untagged. sound: float32 (channels, n) and its rate in Hz."""
    rate = Fraction(fps)
    base = Fraction(1, 60_000) if times is not None else 1 / rate
    stamps = None if times is None else iter(times)
    with av.open(str(path), "w", format=container) as movie:
        video: Any = None
        audio: Any = None
        for n, picture in enumerate(frames):
            if video is None:
                video = movie.add_stream(codec, rate=rate, options=dict(options if options is not None else FAST))
                video.height, video.width, video.pix_fmt = *picture.shape[:2], pixels
                video.codec_context.time_base = base
                if colours:
                    video.codec_context.colorspace, video.codec_context.color_range = int(colours[0]), colours[1]
                if sound is not None:
                    audio = movie.add_stream(sound_codec, rate=sound[1], layout=sound_layout)
            frame = VideoFrame.from_ndarray(picture, "rgb24")
            if colours:
                frame = frame.reformat(format=pixels, dst_colorspace=colours[0], dst_color_range=colours[1])
            else:
                frame = frame.reformat(format=pixels)
                frame.colorspace, frame.color_range = 2, 0  # not specified
            frame.time_base = base
            frame.pts = n if stamps is None else round(next(stamps) / base)
            movie.mux(video.encode(frame))
        movie.mux(video.encode(None))
        if sound is not None and audio is not None:
            samples, hertz = sound
            packed = sound_format in ("flt", "s16")
            values = samples.T.reshape(1, -1) if packed else samples
            if sound_format == "s16":
                values = np.rint(values * 32767).astype(np.int16)
            block = AudioFrame.from_ndarray(np.ascontiguousarray(values), format=sound_format, layout=sound_layout)
            block.sample_rate, block.pts, block.time_base = hertz, 0, Fraction(1, hertz)
            resampler = av.AudioResampler(format=audio.format.name, layout=sound_layout, rate=hertz, frame_size=1024)
            for piece in [*resampler.resample(block), *resampler.resample(None)]:
                movie.mux(audio.encode(piece))
            movie.mux(audio.encode(None))


def numbered(count: int, width: int, height: int, *, levels: int = 8) -> Iterator[U8]:
    """Frames that tell their number: twelve fields, each black or white, are its bits."""
    for n in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        for bit in range(12):
            left, right = bit * width // 12, (bit + 1) * width // 12
            frame[:, left:right] = 230 if n >> bit & 1 else 20
        yield frame


def number_of(frame: U8) -> int:
    """The number of a frame of `numbered`, after encoding and scaling."""
    height, width = frame.shape[:2]
    return sum(1 << bit for bit in range(12) if frame[height // 2, (2 * bit + 1) * width // 24].mean() > 125)


def patches(width: int, height: int) -> U8:
    """Twenty-four fields of different colours."""
    colours = np.random.default_rng(5).integers(10, 246, (4, 6, 3), np.uint8)
    return np.asarray(cv2.resize(colours, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def tone(seconds: float, rate: int, *, channels: int = 2, hertz: float = 440.0, level: float = 0.25) -> F32:
    """float32 (channels, n): a sine."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


def refer_to(film: bytes, other: str) -> bytes:
    """A QuickTime film of one track whose frames lie in the file `other`, at the places where they lie in `film`."""
    old = struct.pack(">I4sI", 12, b"url ", 1)  # a data reference; 1: "in this file"
    name = other.encode()
    # An alias, as FFmpeg's reader takes it: volume and short name, levels up and down, then the path as record 2.
    head = bytes(50) + bytes([min(63, len(name))]) + name[:63].ljust(63, b"\0") + bytes(16) + b"\0\1\0\1" + bytes(16)
    path = struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + b"\xff\xff\0\0"
    body = bytes(4) + (head + path).ljust(156, b"\0")
    new = struct.pack(">I4s", 8 + len(body), b"alis") + body
    data = bytearray(film)
    at = data.find(old)
    for atom in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        size = data.rfind(atom, 0, at) - 4
        data[size : size + 4] = struct.pack(">I", int.from_bytes(data[size : size + 4], "big") + len(new) - len(old))
    data[at : at + len(old)] = new
    return bytes(data)
