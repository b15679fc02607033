"""Writes a clip as MP4: H.264 yuv420p tagged BT.709 at constant 24 fps, AAC 48 kHz stereo, index at the start.

The file gets its name only when it is complete. The encoded pictures wait for their sound in a file of their own, not
in memory (spool.py). Encoder settings and thread counts are fixed, so the same clip gives the same decoded frames and
samples on one machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from vivant.encode.mark import VisibleMark
from vivant.encode.spool import PacketSpool
from vivant.engines.base import Watch
from vivant.errors import EngineFailed
from vivant.media import SAMPLE_RATE, SAMPLES_PER_FRAME, Clip, Planes, Soundtrack
from vivant.request import FPS, Canvas

VIDEO_TIME_BASE: Final = Fraction(1, FPS)
AUDIO_BIT_RATE: Final = 192_000  # bit/s
AUDIO_BLOCK: Final = 1024  # samples an AAC frame holds

# Measured on moving stills (docs/decisions/0042). veryfast is the knee of the speed/size curve: the next slower preset
# takes 2.4 times the CPU. mbtree=0, because mb-tree gives frame 0 too few bits, and frame 0 must be the picture.
# aq-mode 3 keeps dark gradients (night, studio backgrounds) from banding. Slow camera moves need no finer motion search
# than a diamond, no adaptive B-frames and no inter partitions: without them encoding takes 0.5-0.6 of the CPU at -18 to
# +5 % of the size and at most 0.3 dB less. One thread: with a second one for lookahead the same frames sometimes gave
# different files, and rendering uses the other cores anyway.
X264: Final = {
    "preset": "veryfast",
    "crf": "18",
    "x264-params": "aq-mode=3:mbtree=0:b-adapt=0:me=dia:partitions=i4x4,i8x8"
    ":keyint=96:min-keyint=1:scenecut=0:threads=1:lookahead-threads=1",
}


def write_mp4(clip: Clip, path: Path, *, mark: bool = False, watch: Watch | None = None) -> None:
    """Encode the clip to `path`, with the visible mark if `mark`. Reports the fraction done to `watch`, from 0.05
    (an engine may have reported that before its first frame) over all frames and the sound to 0.98.

    Raises Stopped when the watch says so, and EngineFailed when frames or samples are not as many or as large as the
    clip said; then no file is left behind.
    """
    with (
        _write_atomically(path) as partial,
        TemporaryFile(dir=path.parent) as file,  # has no name: nothing is left of it, whatever happens
        av.open(str(partial), "w", format="mp4", options=_MUXER) as movie,
    ):
        # The stream of the sound is added after that of the frames, so that the frames come first in the file.
        pictures = _video_stream(movie, clip.canvas)
        hearing = _begin_sound(movie, clip)
        video = PacketSpool(file)
        try:
            for packet in _encode_video(pictures, clip, mark=mark, watch=watch):
                video.add(packet)
            # An engine may still be at work on the sound, and be slow at it.
            sound = hearing.packets() if hearing else []
        finally:
            if hearing:
                hearing.end()
        if watch is not None:
            watch.raise_if_stopping()
            watch.report(_ENCODED)
        # Interleaved by time, so that a player can start before it has read the whole file.
        for ready in heapq.merge(video.packets(), sound, key=_decoding_time):
            movie.mux(ready)


def _decoding_time(packet: Packet[Any]) -> float:
    """Seconds from the start; packets of one stream follow each other in its order."""
    return float((packet.dts or 0) * packet.time_base)


# Fractions of a job: what an engine does before its first frame, all frames, all that is encoded.
_BEGUN, _FRAMES_DONE, _ENCODED = 0.05, 0.9, 0.98
_MUXER: Final = {"movflags": "+faststart"}


@contextmanager
def _write_atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; renamed to it when the block succeeds, deleted when it fails."""
    partial = path.with_name(path.name + ".part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _encode_video(stream: VideoStream, clip: Clip, *, mark: bool, watch: Watch | None) -> Iterator[Packet[VideoStream]]:
    canvas = clip.canvas
    visible = VisibleMark(canvas.width, canvas.height) if mark else None
    key_frames = {0, *clip.cuts}
    count = 0
    for count, planes in enumerate(clip.frames, start=1):
        if watch is not None:
            watch.raise_if_stopping()
        if count > canvas.frames or planes.y.shape != (canvas.height, canvas.width):
            raise EngineFailed(
                f"The engine promised {canvas.frames} frames of {canvas.width}x{canvas.height}; "
                f"frame {count - 1} is {planes.y.shape[1]}x{planes.y.shape[0]}."
            )
        frame = _video_frame(visible.draw(planes) if visible else planes)
        frame.pts, frame.time_base = count - 1, VIDEO_TIME_BASE
        frame.pict_type = PictureType.I if count - 1 in key_frames else PictureType.NONE
        yield from stream.encode(frame)
        if watch is not None:
            watch.report(_BEGUN + (_FRAMES_DONE - _BEGUN) * count / canvas.frames)
    if count != canvas.frames:
        raise EngineFailed(f"The engine promised {canvas.frames} frames and delivered {count}.")
    yield from stream.encode(None)


def _video_stream(movie: OutputContainer, canvas: Canvas) -> VideoStream:
    stream = movie.add_stream("libx264", rate=FPS, options=X264)
    stream.width, stream.height, stream.pix_fmt = canvas.width, canvas.height, "yuv420p"
    context = stream.codec_context
    context.time_base = VIDEO_TIME_BASE
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    return stream


def _video_frame(planes: Planes) -> VideoFrame:
    # Plane by plane: PyAV's conversion from one array corrupts heights not divisible by 4 (834, 630, 946).
    h, w = planes.y.shape
    frame = VideoFrame(w, h, "yuv420p")
    for plane, values in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]  # a buffer
        rows[:, : plane.width] = values
    frame.color_range, frame.colorspace = ColorRange.MPEG, Colorspace.ITU709
    return frame


class _SoundEncoder:
    """Encodes the sound on a thread of its own beside the frames: alone behind them it would leave a core idle."""

    def __init__(self, stream: AudioStream, make: Callable[[], Soundtrack], frames: int) -> None:
        self._stream, self._make, self._frames = stream, make, frames
        self._given_up = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vivant-aac")
        self._encoded = self._thread.submit(self._encode)

    def packets(self) -> list[Packet[AudioStream]]:
        """All packets, when they are ready. Raises what the engine raises, and EngineFailed."""
        return self._encoded.result()

    def end(self) -> None:
        """Wait for the thread, which leaves out what it has not begun."""
        self._given_up = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _encode(self) -> list[Packet[AudioStream]]:
        samples, wanted = self._make().samples, self._frames * SAMPLES_PER_FRAME
        if samples.shape[1] != wanted:
            raise EngineFailed(f"The engine promised {wanted} samples and delivered {samples.shape[1]}.")
        packets: list[Packet[AudioStream]] = []
        for start in range(0, wanted, AUDIO_BLOCK):
            if self._given_up:
                return []
            block = AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + AUDIO_BLOCK]), format="fltp", layout="stereo"
            )
            block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            packets += self._stream.encode(block)
        packets += self._stream.encode(None)
        return packets


def _begin_sound(movie: OutputContainer, clip: Clip) -> _SoundEncoder | None:
    if clip.soundtrack is None:
        return None
    stream = movie.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    stream.codec_context.bit_rate = AUDIO_BIT_RATE
    return _SoundEncoder(stream, clip.soundtrack, clip.canvas.frames)
