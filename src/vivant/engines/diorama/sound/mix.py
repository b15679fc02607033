"""From stems to the soundtrack: who is heard over whom, the room around them, and the final level.

Speech, music, beds and events are stems on one scale of loudness. The mix makes room for speech before it is spoken,
brings the whole to its target and keeps every peak, between the samples too, under the ceiling. It makes no sound.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from scipy import signal

from vivant.engines.diorama.sound import fades, levels, limiter, stems
from vivant.engines.diorama.timing.timeline import PlacedLine, Timeline
from vivant.media import F32, SAMPLE_RATE, Soundtrack

Programme = Literal["speech or music", "effects", "ambience"]
TARGETS: Final[dict[Programme, float]] = {"speech or music": -16.0, "effects": -18.0, "ambience": -24.0}  # LUFS
CEILING: Final = -1.5  # dBTP of the finished soundtrack
_HEADROOM: Final = 1.2  # dB more under the ceiling: on clicks AAC at 192 kb/s overshoots by 1 dB and more

_UNDER: Final = 7.5  # LU that beds stay under speech where nobody speaks; ducked that makes 17.5
_MUSIC_ALONE: Final = -18.0  # LUFS of music on the common scale
_MUSIC_UNDER: Final = -25.0  # LUFS of music in a clip with speech
_DUCK: Final = 10.0  # dB
_EVENT_UNDER: Final = 9.0  # LU that the loudest 400 ms of an event stay under the speech they fall into
_LOOK_AHEAD: Final = 0.30  # s in which beds sink before a line
_RETURN: Final = 0.70  # s in which they come back
_BREATH: Final = 0.9  # s: a shorter gap between lines keeps them down, or they would pump
_FADE_IN: Final = 0.008  # s
_FADE_OUT: Final = 0.40  # s
_LOUD_ENOUGH: Final = 0.5  # strength from which an asked bed makes a clip one of effects, not of ambience


def soundtrack(timeline: Timeline, *, music: F32 | None = None) -> Soundtrack:
    """The finished sound of a clip: exactly 2000 samples per frame.

    music: float32 (2, n) of any level, cut or padded to the clip; None where there is none.
    """
    parts = {"speech": stems.speech(timeline), "beds": stems.beds(timeline), "events": stems.events(timeline)}
    if music is not None:
        parts["music"] = _fit_length(music, timeline.samples)
    return mix(parts, timeline)


def programme(parts: dict[str, F32], timeline: Timeline) -> Programme:
    """What kind of clip it is to the ear, which sets its loudness."""
    if any(name in parts and np.any(parts[name]) for name in ("speech", "music")):
        return "speech or music"
    heard = any(event.kind in ("thunder", "step") for event in timeline.events)
    asked = any(bed.asked and bed.strength >= _LOUD_ENOUGH and bed.kind != "room" for bed in timeline.beds)
    return "effects" if heard or asked else "ambience"


def mix(parts: dict[str, F32], timeline: Timeline) -> Soundtrack:
    """parts: any of speech, beds, events, music, each float32 (2, timeline.samples) -> the finished soundtrack."""
    unknown = parts.keys() - {"speech", "beds", "events", "music"}
    if unknown:
        raise ValueError(f"Unknown stems {sorted(unknown)}; known are speech, beds, events and music.")
    n = timeline.samples
    for name, stem in parts.items():
        if stem.shape != (2, n):
            raise ValueError(f"The stem {name!r} must be (2, {n}), got {stem.shape}.")
    target = TARGETS[programme(parts, timeline)]
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
    """All four stems, float32 (2, n), at their levels against each other, ducked, their end faded."""
    n = timeline.samples
    silence = np.zeros((2, n), np.float32)
    voice, bed = parts.get("speech", silence), parts.get("beds", silence)
    event, music = parts.get("events", silence), parts.get("music", silence)
    spoken, sung = bool(np.any(voice)), bool(np.any(music))

    if spoken or sung:
        loudest = (levels.integrated(voice) if spoken else _MUSIC_ALONE) - _UNDER
        over = levels.integrated(bed) - loudest
        if over > 0:
            bed = bed * np.float32(levels.to_gain(-over))
    if sung:
        wanted = _MUSIC_UNDER if spoken else _MUSIC_ALONE
        music = music * np.float32(levels.to_gain(wanted - levels.integrated(music)))
    if spoken:
        down = duck(timeline.lines, n)
        bed, music = bed * down, music * down
        # An event may stand out, but no thunder takes a word away: it sinks as far as it must, at least as a bed does.
        loudest = float(levels.momentary(event * (down < 0.5)).max())
        event = event * duck(timeline.lines, n, max(_DUCK, loudest - (levels.integrated(voice) - _EVENT_UNDER)))

    fade = _ends(n)
    return {"speech": voice, "beds": bed * fade, "events": event * fade, "music": music}


def duck(lines: tuple[PlacedLine, ...], n: int, depth: float = _DUCK) -> F32:
    """The gain of what is not speech: float32 (n,), 1 down to `depth` dB less from just before each line's first sample
    to its last; smooth both ways, and down through gaps shorter than a breath."""
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
    """The graceful end of beds and events: a cosine over the last 0.4 s."""
    fade = np.ones(n, np.float32)
    m = min(int(_FADE_OUT * SAMPLE_RATE), n)
    fade[n - m :] = fades.fade_out(m)
    return fade


def _soft_edges(n: int) -> F32:
    """No click at the very ends, whatever sounds there."""
    m = min(int(_FADE_IN * SAMPLE_RATE), n // 2)
    ramp = fades.fade_in(m)
    shape = np.ones(n, np.float32)
    shape[:m], shape[n - m :] = ramp, ramp[::-1]
    return shape


def _master(balanced: dict[str, F32], target: float) -> F32:
    """To the target loudness under the ceiling. Limiting costs loudness, so the gain is found again, up to four times;
    where peaks stand so high that more gain would only flatten them, the clip stays softer than its target."""
    total = np.sum(list(balanced.values()), axis=0)
    loudness = levels.integrated(total)
    if not np.isfinite(loudness):
        return np.asarray(np.clip(total, -1, 1), np.float32)
    gain = target - loudness
    most = CEILING + _MOST_LIMITING - levels.true_peak(total)
    result = total
    for _ in range(5):
        gain = min(gain, most)
        result = _under_the_ceiling(balanced, np.float32(levels.to_gain(gain)))
        missing = target - levels.integrated(result)
        if missing < 0.1 or gain >= most:
            break
        gain += 1.5 * missing  # the limiter eats a part of every step
    return np.asarray(np.clip(result, -1, 1), np.float32)


def _under_the_ceiling(balanced: dict[str, F32], gain: np.float32) -> F32:
    """The sum of the stems under the ceiling. Each first sees to its own peaks, or every step would dim the rain and
    every crackle its fire: events by a limiter, beds (whose peaks are clicks) by rounding them off."""
    top = CEILING - _HEADROOM
    loud = {name: part * gain for name, part in balanced.items()}
    if "events" in loud:
        loud["events"] = limiter.limit(loud["events"], top - 1.5)
    if "beds" in loud:
        loud["beds"] = limiter.soft_clip(loud["beds"], top - 1.5)
    return limiter.limit(np.sum(list(loud.values()), axis=0), top)


_MOST_LIMITING: Final = 14.0  # dB that the very highest peak may be pressed


def _fit_length(sound: F32, n: int) -> F32:
    """Cut or padded with silence to n samples."""
    kept = sound[:, :n].astype(np.float32)
    return np.pad(kept, ((0, 0), (0, n - kept.shape[1])))
