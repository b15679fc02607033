"""How the light changes because the prompt says so: day and night, lamps, rays, shadows of clouds, grading; and which
of it the picture allows. What it does not allow is told and not listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.times import NO_TIME, Times, When, join
from vivant.engines.diorama.storyboard import DAY, TRUSTED, Lighting, LightKind, PictureFacts

_TOWN: Final = 40  # windows from which on some can be lit
_SKY: Final = (0.03, 0.35)  # share and trust of a sky that has a light of its own
_CHANGES: Final[frozenset[LightKind]] = frozenset({"night", "dusk", "dawn", "lamps", "dark", "bright"})
_SHINE: Final[frozenset[LightKind]] = frozenset({"neon", "lamps", "moon", "flare"})  # need something that shines
_SUNNY: Final = 0.5  # see PictureFacts.sunny; from here on clouds throw shadows
_TINTED: Final = 0.18  # of `PictureFacts.warm` or `cold`, from which the picture's own light is so
_GENTLE: Final = 0.22
_FACE: Final = 0.12  # a face at least this high makes a portrait
_OPEN: Final = 0.10  # share of the sky over a landscape
_GREEN: Final = 0.06  # share of plants in it: over snow, sand and towns brightness says little of the sun

# The facts with what shines in the picture, where those at hand lack it. To look for lamps, windows and signs takes
# time and few prompts depend on it, so it is called only where one does. None: the facts at hand have it.
LookForLights = Callable[[], PictureFacts] | None


@dataclass(frozen=True, slots=True)
class LightRequest:
    """The light that the prompt asks for, and the kinds that it forbids."""

    lights: tuple[Lighting, ...]
    denied: frozenset[LightKind]
    described: frozenset[LightKind] = frozenset()  # kinds of which all words may only say how the light is


def find_lights(reading: Reading, times: Times) -> Found[LightRequest]:
    """Each kind once, as strong as it was said at its strongest."""
    strengths: dict[LightKind, float] = {}
    words: dict[LightKind, str] = {}
    moments: dict[LightKind, list[When]] = {}
    denied: set[LightKind] = set()
    asked: set[LightKind] = set()
    spans: list[Span] = []
    for hit in reading.hits:
        if not hit.entry.light:
            continue
        if hit.denied:
            denied |= set(hit.entry.light)
        if not hit.meant or hit.heard:
            continue
        spans.append((hit.first, hit.last))
        for kind, strength in hit.entry.light.items():
            said = round(min(1.0, max(0.1, strength * hit.amount)), 3)
            strengths[kind] = max(said, strengths.get(kind, 0.0))
            if not hit.entry.describes:
                asked.add(kind)
            words.setdefault(kind, reading.written(hit))
            moments.setdefault(kind, []).append(times.begins(hit.first))
    lights = []
    for kind, strength in strengths.items():
        when = join(moments.get(kind, [NO_TIME]))
        lights.append(Lighting(kind=kind, strength=strength, start=when.start, end=when.end, words=words[kind]))
    described = frozenset(strengths) - asked
    return Found(LightRequest(tuple(lights), frozenset(denied - set(strengths)), described), spans=tuple(spans))


def fit_lights(
    asked: LightRequest, facts: PictureFacts, *, morph: bool, still: bool, cloudy: bool, shining: LookForLights = None
) -> Found[tuple[Lighting, ...]]:
    """What of it the picture allows, and what it has by itself. morph: the clip ends on a last picture; still: nothing
    moves that is not named; cloudy: clouds drift. shining: see LookForLights."""
    kinds = {light.kind for light in asked.lights}
    if shining is not None and kinds & _SHINE:
        facts, shining = shining(), None
    if shining is not None and "night" in kinds and not _is_outdoors(facts):
        facts, shining = shining(), None
    notes: list[ScriptNote] = []
    kept: list[Lighting] = []
    for light in asked.lights:
        if light.kind == "night" and "lamps" not in kinds and not _is_outdoors(facts):
            if "dark" in kinds:
                continue
            # A room or a still life only loses its light; lamps need the night that they light up.
            light = replace(light, kind="dark")
            notes.append(ScriptNote("night_indoors", (light.words,)))
        described = light.kind in asked.described and _find_light_shown(light.kind, facts)
        reason = described or _find_hindrance(light.kind, kinds, facts, morph=morph)
        if reason:
            notes.append(ScriptNote(reason, (light.words,)))
            continue
        kept.append(light)
        if light.kind == "dawn" and facts.brightness >= DAY:
            notes.append(ScriptNote("dawn_by_day", (light.words,)))
    if not kept and not still and not morph and cloudy and "shadows" not in asked.denied:
        kept += _choose_shadows(facts, shining)
    return Found(tuple(kept), tuple(notes))


def _find_hindrance(kind: LightKind, kinds: set[LightKind], facts: PictureFacts, *, morph: bool) -> str:
    """The reason, a name in notes.toml, why the picture cannot have this light; "" if it can."""
    share, trust = _SKY
    sky = facts.sky >= share and facts.sky_trust >= trust
    night = "night" in kinds
    if morph and kind in _CHANGES:
        return "light_of_last"
    if kind == "shadows" and not sky:
        return "no_open_ground"
    if kind == "neon" and not facts.signs:
        return "no_signs"
    if kind == "lamps" and sky and not facts.lamps and facts.windows < _TOWN:
        return "no_lamps"
    if kind == "stars" and not (sky and (night or facts.brightness < DAY)):
        return "no_dark_sky"
    if kind == "moon" and not (facts.sun and facts.brightness < DAY):
        return "no_moon"
    if kind == "flare" and not facts.sun:
        return "no_sun"
    return ""


def _find_light_shown(kind: LightKind, facts: PictureFacts) -> str:
    """The reason, a name in notes.toml, why words that only say how the light is change nothing; "" if they do."""
    if facts.grey:
        return "light_without_colour"
    return "light_as_shown" if (facts.cold if kind == "cold" else facts.warm) >= _TINTED else ""


def _is_outdoors(facts: PictureFacts) -> bool:
    """Something is seen that stands under the sky: the sky itself, plants, a water or the windows of a town."""
    share, trust = _SKY
    sky = facts.sky >= share and facts.sky_trust >= trust
    green = facts.plants >= _GREEN and facts.plants_trust >= TRUSTED
    water = facts.water >= _OPEN and facts.water_trust >= TRUSTED
    return sky or green or water or facts.windows >= _TOWN or facts.lamps > 0


def _choose_shadows(facts: PictureFacts, shining: LookForLights) -> tuple[Lighting, ...]:
    """Faint shadows of clouds over a landscape in the sun."""
    sky = facts.sky >= _OPEN and facts.sky_trust >= TRUSTED
    green = facts.plants >= _GREEN and facts.plants_trust >= TRUSTED
    portrait = any(face.height >= _FACE for face in facts.faces)
    if not (sky and green) or portrait or facts.drawn > 0 or facts.grey:
        return ()
    if shining is not None:
        facts = shining()
    if facts.windows >= _TOWN or facts.signs or facts.lamps or facts.sunny < _SUNNY:
        return ()
    return (Lighting(kind="shadows", strength=_GENTLE, origin="picture"),)
