"""Stems -> soundtrack: balance between speech, music, beds and events, ducking under speech, and the final level.

The stems come on one scale of loudness. The mix lowers everything else shortly before and during speech, brings the sum
to the target loudness of its kind and keeps true peaks under the ceiling.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from scipy import signal

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.sound import fades, levels, limiter, stems
from vivant.engines.diorama.timing.timeline import PlacedLine, Timeline
from vivant.media import F32, SAMPLE_RATE, Soundtrack

Programme = Literal["speech or music", "effects", "ambience"]
TARGETS: Final[dict[Programme, float]] = {"speech or music": -16.0, "effects": -18.0, "ambience": -24.0}  # LUFS
CEILING: Final = -1.5  # dBTP of the finished soundtrack
_MOST_LIMITING: Final = 14.0  # dB by which the highest peak may be limited
_HEADROOM: Final = 1.2  # dB under the ceiling, because AAC at 192 kb/s overshoots clicks by 1 dB and more

_UNDER: Final = 7.5  # LU by which beds are under speech before ducking; with it 17.5
_MUSIC_ALONE: Final = -18.0  # LUFS of music on the common scale
_MUSIC_UNDER: Final = -25.0  # LUFS of music in a clip with speech
_DUCK: Final = 10.0  # dB
_EVENT_UNDER: Final = 9.0  # LU by which the loudest 400 ms of events are under the speech they fall into
_LOOK_AHEAD: Final = 0.30  # s over which ducking begins before a line
_RETURN: Final = 0.70  # s over which it ends after a line
_BREATH: Final = 0.9  # s: ducking lasts through shorter gaps between lines, or the level would pump
_FADE_IN: Final = 0.008  # s
_FADE_OUT: Final = 0.40  # s
_LOUD_ENOUGH: Final = 0.5  # strength from which a bed that was asked for makes a clip one of "effects"


def make_soundtrack(timeline: Timeline, *, music: F32 | None = None, checkpoint: Checkpoint = never_stop) -> Soundtrack:
    """The finished sound of a clip: float32 (2, n) at 48 kHz, exactly 2000 samples per frame.

    music: float32 (2, n) at any level, cut or padded with silence to the clip; None where there is none.
    """
    parts = {}
    for name, make in (("speech", stems.make_speech), ("beds", stems.make_beds), ("events", stems.make_events)):
        checkpoint()
        parts[name] = make(timeline)
    checkpoint()
    if music is not None:
        parts["music"] = _fit_length(music, timeline.samples)
    return mix(parts, timeline)


def classify(parts: dict[str, F32], timeline: Timeline) -> Programme:
    """The kind of clip, which decides its target loudness. parts: float32 (2, n) each, as `mix` takes them."""
    if any(name in parts and np.any(parts[name]) for name in ("speech", "music")):
        return "speech or music"
    heard = any(event.kind in ("thunder", "step") for event in timeline.events)
    asked = any(bed.asked and bed.strength >= _LOUD_ENOUGH and bed.kind != "room" for bed in timeline.beds)
    return "effects" if heard or asked else "ambience"


def mix(parts: dict[str, F32], timeline: Timeline) -> Soundtrack:
    """The finished soundtrack of stems. parts: any of speech, beds, events, music, each float32 (2, timeline.samples).

    Raises ValueError for a stem of another name or shape.
    """
    unknown = parts.keys() - {"speech", "beds", "events", "music"}
    if unknown:
        raise ValueError(f"Unknown stems {sorted(unknown)}; known are speech, beds, events and music.")
    n = timeline.samples
    for name, stem in parts.items():
        if stem.shape != (2, n):
            raise ValueError(f"The stem {name!r} must be (2, {n}), got {stem.shape}.")
    target = TARGETS[classify(parts, timeline)]
    rumble = signal.butter(2, 22, "highpass", fs=SAMPLE_RATE, output="sos")
    balanced = {
        name: np.asarray(signal.sosfilt(rumble, part, axis=1), np.float32)
        for name, part in balance(parts, timeline).items()
        if np.any(part)
    }
    if not balanced:
        return Soundtrack(np.zeros((2, n), np.float32))
    return Soundtrack(_master(balanced, target) * _soft_edges(n))


def balance(parts: dict[str, F32], timeline: Timeline) -> dict[str, F32]:
    """All four stems, float32 (2, n), at their levels relative to each other and ducked; beds and events end in a fade.

    parts: as `mix` takes them; a stem that is not there is silence.
    """
    n = timeline.samples
    silence = np.zeros((2, n), np.float32)
    voice, bed = parts.get("speech", silence), parts.get("beds", silence)
    event, music = parts.get("events", silence), parts.get("music", silence)
    spoken, sung = bool(np.any(voice)), bool(np.any(music))

    if spoken or sung:
        loudest = (levels.measure_loudness(voice) if spoken else _MUSIC_ALONE) - _UNDER
        over = levels.measure_loudness(bed) - loudest
        if over > 0:
            bed = bed * np.float32(levels.to_gain(-over))
    if sung:
        wanted = _MUSIC_UNDER if spoken else _MUSIC_ALONE
        music = music * np.float32(levels.to_gain(wanted - levels.measure_loudness(music)))
    if spoken:
        down = duck(timeline.lines, n)
        bed, music = bed * down, music * down
        # Events may be louder than beds, but must not mask a word: ducked by as much as that takes, at least as beds.
        loudest = float(levels.measure_momentary_loudness(event * (down < 0.5)).max())
        event = event * duck(timeline.lines, n, max(_DUCK, loudest - (levels.measure_loudness(voice) - _EVENT_UNDER)))

    fade = _ends(n)
    return {"speech": voice, "beds": bed * fade, "events": event * fade, "music": music}


def duck(lines: tuple[PlacedLine, ...], n: int, depth: float = _DUCK) -> F32:
    """The gain of all that is not speech: float32 (n,), 1, and `depth` dB less from the first sample of a line to its
    last, with smooth transitions before and after; it stays down through gaps shorter than 0.9 s."""
    gain = np.zeros(n, np.float32)  # dB
    spans: list[list[int]] = []
    for line in sorted(lines, key=lambda line: line.start):
        if spans and line.start - spans[-1][1] < _BREATH * SAMPLE_RATE:
            spans[-1][1] = max(spans[-1][1], line.end)
        else:
            spans.append([line.start, line.end])
    at = np.arange(n, dtype=np.float32)
    for start, end in spans:
        down = np.clip((at - start) / (_LOOK_AHEAD * SAMPLE_RATE) + 1, 0, 1)
        up = np.clip(1 - (at - end) / (_RETURN * SAMPLE_RATE), 0, 1)
        gain = np.maximum(gain, 0.5 - 0.5 * np.cos(np.pi * np.minimum(down, up)))
    return np.asarray(np.power(10, gain * np.float32(-depth / 20)), np.float32)


def _ends(n: int) -> F32:
    """The fade at the end of beds and events: half a cosine over the last 0.4 s. float32 (n,)."""
    fade = np.ones(n, np.float32)
    m = min(int(_FADE_OUT * SAMPLE_RATE), n)
    fade[n - m :] = fades.fade_out(m)
    return fade


def _soft_edges(n: int) -> F32:
    """Fades of 8 ms at both ends, against clicks. float32 (n,)."""
    m = min(int(_FADE_IN * SAMPLE_RATE), n // 2)
    ramp = fades.fade_in(m)
    shape = np.ones(n, np.float32)
    shape[:m], shape[n - m :] = ramp, ramp[::-1]
    return shape


def _master(balanced: dict[str, F32], target: float) -> F32:
    """The sum of the stems at the target loudness (LUFS) and under the ceiling: float32 (2, n).

    Limiting lowers the loudness, so the gain is corrected up to four times. It is never so high that the highest peak
    would be limited by more than 14 dB; such a clip stays softer than its target.
    """
    total = np.sum(list(balanced.values()), axis=0)
    loudness = levels.measure_loudness(total)
    if not np.isfinite(loudness):
        return np.asarray(np.clip(total, -1, 1), np.float32)
    gain = target - loudness
    most = CEILING + _MOST_LIMITING - levels.measure_true_peak(total)
    result = total
    for _ in range(5):
        gain = min(gain, most)
        result = _under_the_ceiling(balanced, np.float32(levels.to_gain(gain)))
        missing = target - levels.measure_loudness(result)
        if missing < 0.1 or gain >= most:
            break
        gain += 1.5 * missing  # a part of each step is limited away again
    return np.asarray(np.clip(result, -1, 1), np.float32)


def _under_the_ceiling(balanced: dict[str, F32], gain: np.float32) -> F32:
    """The sum of the stems under the ceiling: float32 (2, n).

    Events are limited and beds soft-clipped (their peaks are clicks) before they are added; otherwise the limiter of
    the sum would lower the rain at every step and the fire at every crackle.
    """
    top = CEILING - _HEADROOM
    loud = {name: part * gain for name, part in balanced.items()}
    if "events" in loud:
        loud["events"] = limiter.limit(loud["events"], top - 1.5)
    if "beds" in loud:
        loud["beds"] = limiter.soft_clip(loud["beds"], top - 1.5)
    return limiter.limit(np.sum(list(loud.values()), axis=0), top)


def _fit_length(sound: F32, n: int) -> F32:
    """Cut or padded with silence to n samples."""
    kept = sound[:, :n].astype(np.float32)
    return np.pad(kept, ((0, 0), (0, n - kept.shape[1])))
