"""The music of the prompt: whether there is any, its mood, its instrument, its tempo."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.times import Times, join
from vivant.engines.diorama.storyboard import TEMPOS, Mood, Music, Style

# Beats per minute that suit a mood.
TEMPO: Final[dict[Mood, int]] = {
    "calm": 72,
    "happy": 112,
    "sad": 66,
    "tense": 96,
    "epic": 100,
    "mysterious": 80,
    "romantic": 76,
    "playful": 120,
}
_SLOWER, _FASTER = 0.85, 1.2
_BPM: Final = re.compile(r"(?<!\d)(\d{2,3})\s{0,3}(?:bpm|beats per minute|拍)", re.IGNORECASE)
_NEAR: Final = 10  # tokens between music and the mood that is its own


@dataclass(frozen=True, slots=True)
class MusicRequest:
    music: Music | None
    mood: Mood | None  # of the prompt as a whole, for music by default


def find_music(reading: Reading, times: Times) -> Found[MusicRequest]:
    """The music asked for, or None; and the mood of all the words, or None."""
    moods = [hit for hit in reading.hits if hit.entry.mood and not hit.denied]
    overall = _most(moods)
    asks = [hit for hit in reading.hits if hit.entry.music and hit.meant]
    if not asks:
        return Found(MusicRequest(None, overall))
    styles: list[Style] = [hit.entry.music for hit in asks if hit.entry.music != "ask"]
    near = [mood for mood in moods if any(_belongs(reading, mood, ask) for ask in asks)]
    mood = _most(near) or overall or "calm"
    tempo = _tempo(reading, asks, mood)
    when = join(times.begins_to_play(ask.first) for ask in asks)
    tune = Music(mood=mood, tempo=tempo, style=styles[0] if styles else "", start=when.start, end=when.end)
    return Found(MusicRequest(tune, overall), spans=tuple((ask.first, ask.last) for ask in (*asks, *near)))


def _belongs(reading: Reading, mood: Hit, ask: Hit) -> bool:
    if reading.sentence[mood.first] != reading.sentence[ask.first]:
        return False
    return -_NEAR <= mood.first - ask.first <= _NEAR


def _most(moods: list[Hit]) -> Mood | None:
    """The mood most words have; between equals, the one said first. A mere "soft" or "gentle" counts last."""
    plain = [hit for hit in moods if not hit.entry.speed] or moods
    if not plain:
        return None
    counted = Counter(hit.entry.mood for hit in plain if hit.entry.mood)
    return max(counted, key=lambda mood: counted[mood])


def _tempo(reading: Reading, asks: list[Hit], mood: Mood) -> int:
    if said := _BPM.search(reading.text):
        return min(TEMPOS[-1], max(TEMPOS[0], int(said[1])))
    speeds = {ask.speed for ask in asks}
    factor = _FASTER if "fast" in speeds else _SLOWER if "slow" in speeds and mood not in ("calm", "sad") else 1.0
    return round(TEMPO[mood] * factor)
