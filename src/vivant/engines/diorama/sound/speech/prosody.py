"""How the tone of a line and the age of its speaker change a voice: numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.checks import check_number
from vivant.engines.diorama.storyboard import Age, Line, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Prosody:
    """speed: 1 is the voice's own pace. semitones: change of pitch and formants. tilt: dB of a high shelf. level: dB
    against neutral speech. effort: 0..1, saturation of a pressed voice. breath: 0..1, share of breath noise. tremor:
    0..1, unsteadiness of an old voice. Two are added by combining their effects. Raises ValueError for others."""

    speed: float = 1.0
    semitones: float = 0.0
    tilt: float = 0.0
    level: float = 0.0
    effort: float = 0.0
    breath: float = 0.0
    tremor: float = 0.0

    def __post_init__(self) -> None:
        check_number("Prosody.speed", self.speed, 0.1, 10)
        for name in ("semitones", "tilt", "level"):
            check_number(f"Prosody.{name}", getattr(self, name))
        for name in ("effort", "breath", "tremor"):
            check_number(f"Prosody.{name}", getattr(self, name), 0, 1)

    def __add__(self, other: Prosody) -> Prosody:
        return Prosody(
            speed=self.speed * other.speed,
            semitones=self.semitones + other.semitones,
            tilt=self.tilt + other.tilt,
            level=self.level + other.level,
            effort=max(self.effort, other.effort),
            breath=max(self.breath, other.breath),
            tremor=max(self.tremor, other.tremor),
        )


_TONES: Final[dict[Tone, Prosody]] = {
    "neutral": Prosody(),
    "happy": Prosody(speed=1.04, semitones=0.7, tilt=1.0, level=0.5),
    "excited": Prosody(speed=1.08, semitones=1.2, tilt=1.5, level=1.5, effort=0.15),
    "sad": Prosody(speed=0.86, semitones=-0.8, tilt=-3.0, level=-2.0, breath=0.12),
    "angry": Prosody(speed=1.05, semitones=-0.3, tilt=2.0, level=2.0, effort=0.5),
    # Not 1.0: without any voice the tones of Chinese are lost (one line in three was misheard).
    "whisper": Prosody(speed=0.92, level=-7.0, breath=0.97),
    "shout": Prosody(speed=0.97, semitones=1.8, tilt=3.0, level=3.5, effort=0.8),
    "gentle": Prosody(speed=0.93, semitones=-0.2, tilt=-1.5, level=-1.5, breath=0.08),
}

_AGES: Final[dict[Age, Prosody]] = {
    "child": Prosody(speed=0.97),
    "young": Prosody(),
    "adult": Prosody(),
    "old": Prosody(speed=0.88, tilt=-2.0, breath=0.1, tremor=0.6),
}


def prosody_of(line: Line) -> Prosody:
    """The prosody of a line: that of its speaker's age plus that of its tone."""
    return _AGES[line.speaker.age] + _TONES[line.tone]
