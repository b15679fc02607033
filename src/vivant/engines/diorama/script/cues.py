"""The sounds of the scene, and what the prompt wants silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.motions import cut, find_end, has_fitting_doer, raise_strength
from vivant.engines.diorama.script.times import NO_TIME, Times, When, join
from vivant.engines.diorama.storyboard import Cue, CueKind

Topic = Literal["music", "effects", "speech"]  # what the prompt may want silent
_TOPICS: Final[dict[str, frozenset[Topic]]] = {
    "music": frozenset({"music"}),
    "effects": frozenset({"effects"}),
    "speech": frozenset({"speech"}),
    "beds": frozenset({"music", "effects"}),
    "all": frozenset({"music", "effects"}),
}
_NEAR: Final = 6  # tokens between a place and a word for what is heard of it


@dataclass(frozen=True, slots=True)
class SoundRequest:
    cues: tuple[Cue, ...]
    denied: frozenset[CueKind]  # kinds of cue that must not be heard
    muted: frozenset[Topic]
    silent: bool  # no sound at all


def find_cues(reading: Reading, times: Times) -> Found[SoundRequest]:
    """The cues of the prompt, each kind once at its loudest: named, or brought by weather; or
    by places, which is our choice."""
    levels: dict[CueKind, dict[int, float]] = {}  # kind -> clause -> level
    moments: dict[CueKind, list[When]] = {}
    named: set[CueKind] = set()
    ends: dict[CueKind, int] = {}
    spans: list[Span] = []
    denied: set[CueKind] = set()
    muted: set[Topic] = set()
    silent = False
    for hit in reading.hits:
        entry = hit.entry
        if entry.mute and hit.meant:
            muted |= _TOPICS.get(entry.mute, frozenset())
            silent = silent or entry.mute == "all"
        if entry.topic and hit.denied:
            muted |= _TOPICS.get(entry.topic, frozenset())
            silent = silent or entry.topic == "all"
        if not entry.sound or not has_fitting_doer(reading, hit):
            continue
        if end := find_end(reading, hit, times):
            for kind, level in entry.sound.items():
                ends[kind] = end
                named.add(kind)
                if kind not in levels:
                    moments.setdefault(kind, []).append(NO_TIME)
                    levels[kind] = {reading.clause[hit.first]: level}
        if hit.denied:
            denied |= set(entry.sound)
        elif hit.meant:
            spans.append((hit.first, hit.last))
            named |= set() if entry.place and not _is_asked(reading, hit) else set(entry.sound)
            for kind, level in entry.sound.items():
                moments.setdefault(kind, []).append(times.begins(hit.first))
                raise_strength(levels.setdefault(kind, {}), reading.clause[hit.first], level * hit.amount)
    cues = tuple(
        Cue(
            kind=kind,
            strength=max(told.values()),
            origin="prompt" if kind in named else "default",
            start=(time := join(moments[kind])).start,
            end=cut(time, ends.get(kind)),
        )
        for kind, told in levels.items()
    )
    if "effects" in muted:
        cues = ()
    return Found(SoundRequest(cues, frozenset(denied - set(levels)), frozenset(muted), silent), spans=tuple(spans))


def _is_asked(reading: Reading, hit: Hit) -> bool:
    """The sound of a place is asked for: "café ambience", "ambient noise of a busy café", 咖啡馆环境音."""
    near = range(max(0, hit.first - _NEAR), min(len(reading.tokens), hit.last + _NEAR))
    return any(
        reading.sentence[at] == reading.sentence[hit.first]
        and ("hear" in reading.roles(at) or any(other.entry.topic == "effects" for other in reading.at.get(at, ())))
        for at in near
    )
