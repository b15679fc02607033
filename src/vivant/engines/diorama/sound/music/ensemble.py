"""The instruments of each style: what each plays, how loud and where. Tables only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vivant.engines.diorama.checks import check_choice, check_number, check_whole
from vivant.engines.diorama.sound.music.soundfont import DRUMS
from vivant.engines.diorama.storyboard import Mood

Role = Literal["melody", "chords", "bass", "drums", "deep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument of an ensemble.

    program, bank: of the SoundFont. pattern: what it plays over a chord (`accompaniment.CHORD_PATTERNS`, for drums
    `DRUM_PATTERNS` and `DEEP_DRUM_PATTERNS`); lively: the pattern where the mood has energy. velocity: MIDI, of an
    ordinary note. gain: dB. pan: -1 left .. 1 right. octave: octaves by which it is transposed. low, high: the range
    of a melody, MIDI keys. rings: plucked or struck, so that a note decays by itself. from_energy: it plays only in
    moods of at least this energy. key: MIDI key of a deep drum. Raises ValueError for others.
    """

    role: Role
    program: int
    pattern: str = ""
    lively: str = ""
    bank: int = 0
    velocity: int = 72
    gain: float = 0.0
    pan: float = 0.0
    octave: int = 0
    low: int = 64
    high: int = 83
    rings: bool = False
    from_energy: float = 0.0
    key: int = 36

    def __post_init__(self) -> None:
        check_choice("Instrument.role", self.role, Role)
        check_whole("Instrument.program", self.program, 0, 127)
        check_whole("Instrument.bank", self.bank, 0)
        check_whole("Instrument.velocity", self.velocity, 1, 127)
        check_number("Instrument.gain", self.gain)
        check_number("Instrument.pan", self.pan, -1, 1)
        check_whole("Instrument.low", self.low, 0, 127)
        check_whole("Instrument.high", self.high, self.low, 127)
        check_number("Instrument.from_energy", self.from_energy, 0, 1)
        check_whole("Instrument.key", self.key, 0, 127)

    def pattern_in(self, mood: Mood) -> str:
        """The name of the pattern that it plays in a mood."""
        return self.lively if self.lively and ENERGY[mood] >= LIVELY else self.pattern


# 0..1: how dense, loud and quick the music of a mood is.
ENERGY: Final[dict[Mood, float]] = {
    "calm": 0.3, "happy": 0.7, "sad": 0.25, "tense": 0.6, "epic": 0.95, "mysterious": 0.35, "romantic": 0.45,
    "playful": 0.65,
}  # fmt: skip

LIVELY: Final = 0.55  # energy from which instruments play their lively patterns

# The style of a mood where the prompt names none.
DEFAULT_STYLES: Final[dict[Mood, str]] = {
    "calm": "piano", "happy": "guitar", "sad": "piano", "tense": "dark", "epic": "orchestra", "mysterious": "bells",
    "romantic": "romance", "playful": "whimsy",
}  # fmt: skip

# Gains are from measurements: in each ensemble chords are 4 to 7 LU under the melody, a bass 4 to 6, a pad 8 to 10.
_PIANO: Final = Instrument(role="melody", program=0, velocity=84, low=67, high=86, gain=4, rings=True, pan=0.1)
_STRING_PAD: Final = Instrument(role="chords", program=49, pattern="held", velocity=58, gain=-14, pan=-0.15)
_CELLO: Final = Instrument(role="bass", program=42, pattern="low held", velocity=66, gain=-4, pan=0.25)
_UPRIGHT: Final = Instrument(role="bass", program=32, pattern="low rooted", velocity=78, gain=-8, rings=True)

ENSEMBLES: Final[dict[str, tuple[Instrument, ...]]] = {
    "piano": (
        _PIANO,
        Instrument(role="chords", program=0, pattern="flowing", velocity=60, gain=-2, rings=True, pan=-0.12),
        Instrument(role="chords", program=49, pattern="held", velocity=58, gain=-17, pan=-0.15),
    ),
    "romance": (
        Instrument(role="melody", program=40, velocity=80, low=67, high=86, gain=-3, pan=0.15),
        Instrument(role="chords", program=0, pattern="flowing", velocity=62, rings=True, pan=-0.12),
        _STRING_PAD,
        _CELLO,
    ),
    "strings": (
        Instrument(role="melody", program=40, velocity=82, low=67, high=86, gain=-2, pan=0.2),
        Instrument(role="chords", program=48, pattern="held", velocity=66, gain=-8, pan=-0.15),
        Instrument(
            role="chords", program=45, pattern="offbeat", velocity=66, gain=-9, rings=True, pan=-0.3, from_energy=0.6
        ),
        _CELLO,
        Instrument(role="bass", program=45, pattern="low rooted", velocity=74, gain=-7, rings=True, from_energy=0.5),
    ),
    "guitar": (
        Instrument(role="melody", program=24, velocity=88, low=64, high=81, gain=1, rings=True, pan=0.2),
        Instrument(
            role="chords", program=25, pattern="picked", lively="strummed", velocity=66, gain=-5, rings=True, pan=-0.2
        ),
        _UPRIGHT,
        Instrument(role="melody", program=9, velocity=50, octave=1, gain=-2, rings=True, pan=0.35, from_energy=0.65),
        Instrument(role="drums", program=0, bank=DRUMS, pattern="soft", velocity=62, gain=-3, from_energy=0.55),
    ),
    "electronic": (
        Instrument(role="melody", program=80, velocity=70, low=64, high=81, gain=-3, pan=0.1),
        Instrument(role="chords", program=89, pattern="held", velocity=70, gain=-6),
        Instrument(
            role="chords", program=88, pattern="flowing", lively="sixteenths", velocity=62, gain=-6, rings=True, pan=0.3
        ),
        Instrument(role="bass", program=39, pattern="low held", lively="low synced", velocity=76, gain=-8),
        Instrument(role="drums", program=25, bank=DRUMS, pattern="electro", velocity=74, gain=-10, from_energy=0.4),
    ),
    "orchestra": (
        Instrument(role="melody", program=60, velocity=92, low=55, high=72, gain=0, pan=0.15),
        Instrument(
            role="melody", program=56, velocity=78, low=60, high=79, octave=1, gain=-5, pan=0.3, from_energy=0.9
        ),
        Instrument(role="drums", program=48, bank=DRUMS, pattern="martial", velocity=96, gain=0, from_energy=0.8),
        Instrument(role="chords", program=48, pattern="held", velocity=80, gain=-6, pan=-0.2),
        Instrument(role="chords", program=48, pattern="ostinato", velocity=84, gain=0, pan=-0.35, from_energy=0.5),
        Instrument(role="chords", program=61, pattern="stabbing", velocity=82, gain=-8, pan=0.1, from_energy=0.8),
        Instrument(role="chords", program=52, pattern="held", velocity=70, gain=-8, from_energy=0.8),
        Instrument(role="bass", program=42, pattern="low held", velocity=86, gain=-2, pan=0.25),
        Instrument(role="deep", program=116, pattern="march", velocity=96, gain=1, key=43, from_energy=0.6),
        Instrument(
            role="deep", program=47, pattern="downbeat", velocity=88, gain=-2, pan=-0.1, key=40, from_energy=0.4
        ),
    ),
    "dark": (
        Instrument(role="melody", program=71, velocity=70, low=60, high=77, gain=2, pan=0.25),
        Instrument(role="chords", program=44, pattern="held", velocity=62, gain=-11, pan=-0.2),
        Instrument(role="chords", program=45, pattern="ostinato", velocity=74, gain=-8, rings=True, pan=0.15),
        Instrument(role="bass", program=42, pattern="low held", velocity=66, gain=-7, pan=0.25),
        Instrument(role="deep", program=116, pattern="heartbeat", velocity=80, gain=-4, key=38),
    ),
    "bells": (
        Instrument(role="melody", program=8, velocity=80, low=72, high=91, gain=2, rings=True, pan=0.2),
        Instrument(role="chords", program=46, pattern="harped", velocity=62, gain=-4, rings=True, pan=-0.25),
        Instrument(role="chords", program=91, pattern="held", velocity=60, gain=-15),
        _CELLO,
    ),
    "whimsy": (
        Instrument(role="melody", program=71, velocity=80, low=65, high=84, pan=0.15),
        Instrument(role="melody", program=12, velocity=64, gain=-6, rings=True, pan=0.35),
        Instrument(role="chords", program=45, pattern="offbeat", velocity=76, gain=-5, rings=True, pan=-0.2),
        Instrument(role="bass", program=45, pattern="low oompah", velocity=84, gain=-2, rings=True, pan=-0.05),
        Instrument(role="drums", program=0, bank=DRUMS, pattern="trifles", velocity=60, gain=4),
    ),
    "jazz": (
        Instrument(role="melody", program=65, velocity=78, low=60, high=77, gain=-3, pan=0.15),
        Instrument(role="chords", program=4, pattern="comping", velocity=62, gain=-9, rings=True, pan=-0.2),
        Instrument(role="bass", program=32, pattern="low walking", velocity=80, gain=-9, rings=True),
        Instrument(role="drums", program=40, bank=DRUMS, pattern="brushes", velocity=68, gain=-5),
    ),
    "flute": (
        Instrument(role="melody", program=73, velocity=80, low=69, high=88, gain=-4, pan=0.1),
        Instrument(role="chords", program=46, pattern="flowing", lively="harped", velocity=62, rings=True, pan=-0.2),
        _STRING_PAD,
        _CELLO,
    ),
    "choir": (
        Instrument(role="melody", program=52, velocity=80, low=64, high=79, gain=-2, pan=0.1),
        Instrument(role="chords", program=53, pattern="held", velocity=64, gain=-8, pan=-0.15),
        Instrument(role="bass", program=42, pattern="low held", velocity=66, gain=-6, pan=0.25),
        Instrument(
            role="deep", program=47, pattern="downbeat", velocity=84, gain=-4, pan=-0.1, key=40, from_energy=0.8
        ),
    ),
    "organ": (
        Instrument(role="melody", program=19, velocity=76, low=64, high=83, gain=-4, pan=0.1),
        Instrument(role="chords", program=19, pattern="held", velocity=60, gain=-12, pan=-0.1),
        Instrument(role="bass", program=19, pattern="low held", velocity=64, gain=-6),
    ),
    "harp": (
        Instrument(role="melody", program=46, velocity=86, low=67, high=88, gain=2, rings=True, pan=0.15),
        Instrument(
            role="chords", program=46, pattern="flowing", lively="harped", velocity=60, gain=-6, rings=True, pan=-0.2
        ),
        Instrument(role="chords", program=49, pattern="held", velocity=54, gain=-19, pan=-0.15),
    ),
    "violin": (
        Instrument(role="melody", program=40, velocity=84, low=64, high=86, gain=-3, pan=0.15),
        Instrument(role="chords", program=0, pattern="flowing", velocity=58, gain=1, rings=True, pan=-0.15),
        _CELLO,
    ),
    "cello": (
        Instrument(role="melody", program=42, velocity=84, low=48, high=67, gain=-3, pan=0.15),
        Instrument(role="chords", program=0, pattern="flowing", velocity=56, gain=0, rings=True, pan=-0.15),
        Instrument(role="chords", program=49, pattern="held", velocity=54, gain=-14, pan=-0.2),
    ),
    "music box": (
        Instrument(role="melody", program=10, velocity=84, low=72, high=93, gain=2, rings=True, pan=0.1),
        Instrument(role="chords", program=10, pattern="flowing", velocity=58, gain=1, rings=True, pan=-0.15),
    ),
    "rock": (
        Instrument(role="melody", program=30, velocity=80, low=60, high=79, gain=-7, pan=0.2),
        Instrument(role="chords", program=30, pattern="powered", velocity=78, gain=-10, pan=-0.35),
        Instrument(role="chords", program=27, pattern="strummed", velocity=66, gain=-14, rings=True, pan=0.35),
        Instrument(role="bass", program=33, pattern="low pulsing", velocity=86, gain=-10, rings=True),
        Instrument(role="drums", program=0, bank=DRUMS, pattern="pop", lively="rock", velocity=84, gain=-5),
    ),
}


def instruments_for(style: str, mood: Mood) -> tuple[Instrument, ...]:
    """The instruments that play a style in a mood. "" is the mood's own."""
    instruments = ENSEMBLES.get(style) or ENSEMBLES[DEFAULT_STYLES[mood]]
    return tuple(p for p in instruments if p.from_energy <= ENERGY[mood])
