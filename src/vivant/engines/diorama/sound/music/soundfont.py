"""A sampler for SoundFonts: notes -> stereo sound.

It reads SoundFont 2.04 (the section numbers below are that specification's) with samples kept as Ogg Vorbis (SF3).
Only the samples that are played are decoded, and those of the last pieces are kept. Not supported: modulators other
than velocity, effect sends, and moving filters: the filter stays where its envelope ends.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import lfilter

from vivant.assets import asset
from vivant.engines.diorama.checks import check_number, check_whole
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.sound import levels
from vivant.errors import Misconfigured
from vivant.media import F32, SAMPLE_RATE

DRUMS: Final = 128  # the bank of drum kits
SAMPLES_KEPT: Final = 16 * 2**20  # bytes of decoded samples between two pieces; all of the font are 106 MiB

# Generators (8.1.2): operator -> number.
_START, _END, _LOOP_START, _LOOP_END = 0, 1, 2, 3
_VIBRATO_PITCH, _CUTOFF, _RESONANCE, _ENVELOPE_CUTOFF, _PAN = 6, 8, 9, 11, 17
_VIBRATO_DELAY, _VIBRATO_RATE, _FILTER_SUSTAIN = 23, 24, 29
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 33, 34, 35, 36, 37, 38
_INSTRUMENT, _KEYS, _VELOCITIES, _ATTENUATION, _COARSE, _FINE, _SAMPLE, _MODES = 41, 43, 44, 48, 51, 52, 53, 54
_SCALE, _EXCLUSIVE, _ROOT = 56, 57, 58
_DEFAULTS: Final = {
    _CUTOFF: 13500, _VIBRATO_DELAY: -12000, _DELAY: -12000, _ATTACK: -12000, _HOLD: -12000, _DECAY: -12000,
    _RELEASE: -12000, _SCALE: 100, _ROOT: -1,
}  # fmt: skip
# Preset zones may not carry these (8.5); the rest of a preset zone is added to the instrument zone's.
_INSTRUMENT_ONLY: Final = frozenset({_START, _END, _LOOP_START, _LOOP_END, _KEYS, _VELOCITIES, _SAMPLE, _MODES, _ROOT})

_ATTENUATION_SCALE: Final = 0.4  # as the E-mu hardware did, for which SoundFonts are made
_SILENCE: Final = -90.0  # dB at which a note ends
_CHOKE: Final = 0.012  # s over which a note fades that another of its class cuts off (open and closed hi-hat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note as played. start, length: seconds; after `length` the key is released. key: MIDI, 69 is 440 Hz. velocity:
    1..127. program, bank: of the SoundFont. pan: -1 left .. 1 right, added to the instrument's own. gain: dB. swell: dB
    by which it grows (or, if negative, falls) evenly over its length. Raises ValueError for others."""

    start: float
    length: float
    key: int
    velocity: int
    program: int
    bank: int = 0
    pan: float = 0.0
    gain: float = 0.0
    swell: float = 0.0

    def __post_init__(self) -> None:
        check_number("Note.start", self.start, 0)
        check_number("Note.length", self.length, 0)
        check_whole("Note.key", self.key, 0, 127)
        check_whole("Note.velocity", self.velocity, 1, 127)
        check_whole("Note.program", self.program, 0, 127)
        check_whole("Note.bank", self.bank, 0)
        check_number("Note.pan", self.pan, -1, 1)
        check_number("Note.gain", self.gain)
        check_number("Note.swell", self.swell)


@dataclass(frozen=True, slots=True)
class _Zone:
    """Generators of preset and instrument for a range of keys and velocities, both ends included."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: dict[int, int]

    def matches(self, key: int, velocity: int) -> bool:
        """Whether a note of that key and velocity sounds in this zone."""
        return self.keys[0] <= key <= self.keys[1] and self.velocities[0] <= velocity <= self.velocities[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """samples: float32 (n,). rate: Hz. root: MIDI key. loop: its first sample and the one after its last."""

    samples: F32
    rate: int
    root: int
    correction: int  # cents
    loop: tuple[int, int]


class SoundFont:
    """A SoundFont in memory. Raises Misconfigured if `data` is not one."""

    def __init__(self, data: bytes) -> None:
        self._chunks = _chunks(data)
        self._headers = _records(self._chunks[b"shdr"], "20s5IBbHH")
        self._presets = {(bank, preset): i for i, (_, preset, bank, *_) in enumerate(self._preset_rows()[:-1])}
        self._zones: dict[tuple[int, int], list[_Zone]] = {}
        self._samples: dict[int, _Sample] = {}

    def programs(self, bank: int = 0) -> list[int]:
        """The numbers of the programs in a bank, ascending."""
        return sorted(program for b, program in self._presets if b == bank)

    def play(self, notes: Iterable[Note], seconds: float) -> F32:
        """The sound of notes: float32 (2, n), `seconds` long at 48 kHz; what is later is cut.

        The same notes give the same samples, in whatever order. Raises KeyError for a program that is not in the font.
        """
        out = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
        ordered = sorted(notes, key=lambda n: (n.start, n.bank, n.program, n.key, n.velocity, n.pan))
        ends = self._cut_offs(ordered)
        for note, end in zip(ordered, ends, strict=True):
            for zone in self._matching_zones(note):
                self._sound(out, note, zone, end)
        self._forget_oldest()
        return out

    def _matching_zones(self, note: Note) -> Iterator[_Zone]:
        return (z for z in self._zones_of(note.bank, note.program) if z.matches(note.key, note.velocity))

    def _cut_offs(self, notes: list[Note]) -> list[float]:
        """The second at which a later note of its exclusive class (8.1.2, generator 57) ends each note, or infinity."""
        ends = [float("inf")] * len(notes)
        sounding: dict[tuple[int, int, int], int] = {}
        for i, note in enumerate(notes):
            for group in {z.generators.get(_EXCLUSIVE, 0) for z in self._matching_zones(note)} - {0}:
                before = sounding.get((note.bank, note.program, group))
                if before is not None and notes[before].start < note.start:
                    ends[before] = note.start
                sounding[note.bank, note.program, group] = i
        return ends

    def _sound(self, out: F32, note: Note, zone: _Zone, choked: float) -> None:
        g = {**_DEFAULTS, **zone.generators}
        sample = self._sample(g[_SAMPLE])
        root = g[_ROOT] if g[_ROOT] >= 0 else sample.root
        cents = (note.key - root) * g[_SCALE] + g.get(_COARSE, 0) * 100 + g.get(_FINE, 0) + sample.correction
        step = 2 ** (cents / 1200) * sample.rate / SAMPLE_RATE
        first = round(note.start * SAMPLE_RATE)
        room = out.shape[1] - first
        looped = g.get(_MODES, 0) in (1, 3) and sample.loop[1] > sample.loop[0] + 4
        begin = g.get(_START, 0)
        if not looped:
            room = min(room, int((len(sample.samples) - begin - 1) / step))
        if room <= 0 or first < 0:
            return
        loudness = _envelope(g, note, room, choked - note.start)
        voice = np.empty(len(loudness), np.float32)
        depth, rate = g.get(_VIBRATO_PITCH, 0), 8.176 * 2 ** (g.get(_VIBRATO_RATE, 0) / 1200)
        loop = (sample.loop[0] + g.get(_LOOP_START, 0), sample.loop[1] + g.get(_LOOP_END, 0)) if looped else (0, 0)
        _resample(voice, sample.samples, float(begin), step, *loop, float(depth), rate, _seconds(g[_VIBRATO_DELAY]))
        voice = _filter(voice * loudness, g)
        # Concave velocity curve (8.4.1): 40 log10(127 / v) dB.
        decibels = -g.get(_ATTENUATION, 0) / 10 * _ATTENUATION_SCALE + 40 * np.log10(note.velocity / 127) + note.gain
        voice *= np.float32(levels.to_gain(decibels))
        place = float(np.clip(g.get(_PAN, 0) / 500 + note.pan, -1, 1))
        angle = (place + 1) * np.pi / 4
        out[0, first : first + len(voice)] += voice * np.float32(np.cos(angle))
        out[1, first : first + len(voice)] += voice * np.float32(np.sin(angle))

    def _zones_of(self, bank: int, program: int) -> list[_Zone]:
        if (bank, program) not in self._zones:
            if (bank, program) not in self._presets:
                raise KeyError(f"The SoundFont has no program {program} in bank {bank}; it has {self.programs(bank)}.")
            self._zones[bank, program] = list(self._read_zones(self._presets[bank, program]))
        return self._zones[bank, program]

    def _read_zones(self, preset: int) -> Iterator[_Zone]:
        rows = self._preset_rows()
        instruments = _records(self._chunks[b"inst"], "20sH")
        for outer in self._bags(b"pbag", b"pgen", rows[preset][3], rows[preset + 1][3], _INSTRUMENT):
            index = outer[_INSTRUMENT]
            for inner in self._bags(b"ibag", b"igen", instruments[index][1], instruments[index + 1][1], _SAMPLE):
                generators = {**_DEFAULTS, **inner}
                for operator, amount in outer.items():
                    if operator not in _INSTRUMENT_ONLY and operator != _INSTRUMENT:
                        generators[operator] = generators.get(operator, 0) + amount
                keys = _overlap(outer.get(_KEYS), inner.get(_KEYS))
                velocities = _overlap(outer.get(_VELOCITIES), inner.get(_VELOCITIES))
                if keys and velocities:
                    yield _Zone(keys, velocities, generators)

    def _bags(self, bag: bytes, gen: bytes, first: int, last: int, closing: int) -> Iterator[dict[int, int]]:
        """The zones first..last-1 as {operator: amount}, each on top of the global zone if there is one (7.3, 7.7)."""
        bags, gens = _records(self._chunks[bag], "HH"), _records(self._chunks[gen], "Hh")
        common: dict[int, int] = {}
        for i in range(first, last):
            zone = dict(gens[bags[i][0] : bags[i + 1][0]])
            if closing in zone:
                yield {**common, **zone}
            elif i == first:
                common = zone

    def _preset_rows(self) -> list[tuple[Any, ...]]:
        return _records(self._chunks[b"phdr"], "20sHHHIII")

    def _sample(self, index: int) -> _Sample:
        found = self._samples.pop(index, None) or self._decode(index)
        self._samples[index] = found  # the last one used stands last
        return found

    def _forget_oldest(self) -> None:
        """Drop what was not used for longest, beyond what is kept for the next piece."""
        kept = sum(sample.samples.nbytes for sample in self._samples.values())
        while kept > SAMPLES_KEPT:
            kept -= self._samples.pop(next(iter(self._samples))).samples.nbytes

    def _decode(self, index: int) -> _Sample:
        _, start, end, loop_start, loop_end, rate, root, correction, _, _ = self._headers[index]
        samples, _ = soundfile.read(io.BytesIO(self._chunks[b"smpl"][start:end]), dtype="float32")
        loop = (loop_start, min(loop_end, len(samples)))
        return _Sample(np.ascontiguousarray(samples), rate, root, correction, loop)


@cache
def load_soundfont() -> SoundFont:
    """The SoundFont that comes with Vivant: FluidR3 (MIT), 65 programs and 4 drum kits."""
    return SoundFont(asset("sound/FluidR3Mono_trim.sf3").read_bytes())


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The data chunks of the RIFF tree, by name (section 4)."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise Misconfigured("The SoundFont is damaged: it does not begin as one.")
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        inner, end = at + 12, at + 8 + size  # after LIST, its size and its kind
        while inner + 8 <= end:
            name, length = struct.unpack_from("<4sI", data, inner)
            found[name] = data[inner + 8 : inner + 8 + length]
            inner += 8 + length + (length & 1)
        at = end + (size & 1)
    missing = {b"smpl", b"phdr", b"pbag", b"pgen", b"inst", b"ibag", b"igen", b"shdr"} - found.keys()
    if missing:
        raise Misconfigured(f"The SoundFont is damaged: it lacks {sorted(m.decode() for m in missing)}.")
    return found


def _records(chunk: bytes, layout: str) -> list[tuple[Any, ...]]:
    return list(struct.Struct("<" + layout).iter_unpack(chunk))


def _overlap(outer: int | None, inner: int | None) -> tuple[int, int] | None:
    """The intersection of two ranges, each packed as low byte .. high byte; None is the whole range 0..127."""
    ranges = [(r & 0xFF, r >> 8 & 0xFF) for r in (outer, inner) if r is not None]
    low, high = max((r[0] for r in ranges), default=0), min((r[1] for r in ranges), default=127)
    return (low, high) if low <= high else None


def _seconds(timecents: int) -> float:
    return float(2 ** (timecents / 1200)) if timecents > -11999 else 0.0


def _envelope(g: dict[int, int], note: Note, room: int, choked: float) -> F32:
    """The volume envelope (8.1.3): delay, linear attack, hold, decay in dB to the sustain level, release in dB.

    float32 gains, one per sample, until it falls under -90 dB, at most `room` samples. choked: when the note is cut
    off, in s after its start.
    """
    delay, attack, hold, decay, release = (_seconds(g[k]) for k in (_DELAY, _ATTACK, _HOLD, _DECAY, _RELEASE))
    sustain = -min(max(g.get(_SUSTAIN, 0), 0), 1000) / 10
    peak = delay + attack
    let_go = min(note.length, choked)
    length = min(room / SAMPLE_RATE, let_go + max(release, _CHOKE) + 0.01)
    # Decay and release times are for a fall of 100 dB.
    levels_of = (
        float(let_go), peak + hold, peak + hold + max(decay, 1e-3) * -sustain / 100, float(sustain),
        100 / max(release, 0.008), float(choked), 100 / _CHOKE if choked < note.length else 0.0, float(note.swell),
        float(max(note.length, 1e-3)),
    )  # fmt: skip
    return _draw_envelope(int(length * SAMPLE_RATE), delay, attack, levels_of)


@kernel
def _level_at(time: float, of: tuple[float, ...]) -> float:
    """The level of a note in dB, `time` seconds after its start. of: when it is let go, when its decay begins and ends
    (s), its sustain level (dB), how fast it falls then (dB/s), when it is choked (s), how fast it falls then (dB/s, 0
    if never), its swell (dB) and over how long (s)."""
    let_go, begin, end, sustain, falls, choked, choking, swell, length = of
    at = min(time, let_go)
    held = 0.0
    if at >= end:
        held = sustain
    elif at >= begin:
        held = sustain / (end - begin) * (at - begin)
    fall = max(time - let_go, 0.0) * falls
    if choking > 0.0:
        fall = max(fall, max(time - choked, 0.0) * choking)
    return held - fall + swell * min(time / length, 1.0)


@kernel
def _draw_envelope(n: int, delay: float, attack: float, of: tuple[float, ...]) -> NDArray[np.float32]:
    """Gains of up to n samples, without what is silent at their end. One pass: the arrays that it would take else cost
    as much as the powers do. delay, attack: seconds; of: as `_level_at` takes it."""
    end = n
    while end > 0 and (end - 1) / SAMPLE_RATE >= delay + attack and _level_at((end - 1) / SAMPLE_RATE, of) <= _SILENCE:
        end -= 1
    tail = min(96, end)  # 2 ms against a click where the clip or the sample ends first
    fade = np.linspace(1.0, 0.0, tail)
    out = np.empty(end, np.float32)
    for i in range(end):
        time = i / SAMPLE_RATE
        gain = 10.0 ** (_level_at(time, of) / 20.0)
        if attack > 0.0:
            gain *= min(max((time - delay) / attack, 0.0), 1.0)
        if i >= end - tail:
            gain *= fade[i - end + tail]
        out[i] = gain
    return out


@kernel
def _resample(
    out: NDArray[np.float32],
    sample: NDArray[np.float32],
    position: float,
    step: float,
    loop_start: int,
    loop_end: int,
    depth: float,
    rate: float,
    delay: float,
) -> None:
    """Fill `out` with `sample` read at `step` per output sample, by cubic (Catmull-Rom) interpolation; around the
    loop if loop_end > 0. depth: of the vibrato in cents, rate in Hz, delay in seconds."""
    last = sample.shape[0] - 1
    length = loop_end - loop_start
    for i in range(out.shape[0]):
        k = int(position)
        f = position - k
        if length > 0:
            a, b, c, d = k - 1, k, k + 1, k + 2
            if b >= loop_end:
                b -= length
            if c >= loop_end:
                c -= length
            if d >= loop_end:
                d -= length
            if a < 0:
                a = 0
        else:
            a, b, c, d = max(k - 1, 0), min(k, last), min(k + 1, last), min(k + 2, last)
        p, q, r, s = sample[a], sample[b], sample[c], sample[d]
        out[i] = q + 0.5 * f * (r - p + f * (2 * p - 5 * q + 4 * r - s + f * (3 * (q - r) + s - p)))
        time = i / SAMPLE_RATE - delay
        if depth != 0.0 and time > 0.0:
            position += step * 2.0 ** (depth * np.sin(2 * np.pi * rate * time) / 1200.0)
        else:
            position += step
        if length > 0:
            while position >= loop_end:
                position -= length


def _filter(voice: F32, g: dict[int, int]) -> F32:
    """Resonant low-pass (8.1.2, generators 8 and 9) at the sustain level of its envelope: RBJ cookbook biquad."""
    cents = g[_CUTOFF] + g.get(_ENVELOPE_CUTOFF, 0) * (1 - min(max(g.get(_FILTER_SUSTAIN, 0), 0), 1000) / 1000)
    if cents >= 13400:
        return voice
    corner = min(8.176 * 2 ** (max(cents, 1500) / 1200), 0.45 * SAMPLE_RATE)
    omega = 2 * np.pi * corner / SAMPLE_RATE
    alpha = np.sin(omega) / (2 * levels.to_gain(g.get(_RESONANCE, 0) / 10 - 3.01))
    c = np.cos(omega)
    b, a = [(1 - c) / 2, 1 - c, (1 - c) / 2], [1 + alpha, -2 * c, 1 - alpha]
    return np.asarray(lfilter(b, a, voice), np.float32)
