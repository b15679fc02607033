"""Storyboard -> Timeline: when everything happens, never how it looks or sounds. Motion and sound read the timeline and
nothing else, so that picture and sound stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from vivant.engines.diorama.storyboard import TRUSTED, Cue, Motion, PictureFacts, Storyboard
from vivant.engines.diorama.timing import camera, events, light, lights, visemes, wind
from vivant.engines.diorama.timing.acting import place_acting
from vivant.engines.diorama.timing.body import make_body
from vivant.engines.diorama.timing.envelope import make_envelope
from vivant.engines.diorama.timing.faces import make_faces
from vivant.engines.diorama.timing.framing import make_views
from vivant.engines.diorama.timing.lines import place_lines
from vivant.engines.diorama.timing.timeline import Bed, Spoken, Timeline
from vivant.engines.diorama.timing.travel import make_travels
from vivant.media import F64, SAMPLE_RATE

_WINDY: Final = frozenset({"rain", "snow", "leaves", "petals"})
_CALM: Final = 0.15  # strength of the wind where nothing says more


def resolve(board: Storyboard, facts: PictureFacts, spoken: Sequence[Spoken]) -> Timeline:
    """The timeline of a storyboard. `spoken` are board.lines as sound, in the same order; what does not fit is cut."""
    acting = place_acting(board, [len(one.samples) / SAMPLE_RATE for one in spoken])
    cuts = tuple(shot.start for shot in board.shots if shot.cut)
    views = make_views(board, facts)
    lines = place_lines(board, facts, spoken, acting.lines, tuple(zip((0, *cuts), views, strict=True)))
    frames = board.frames
    strikes = events.make_strikes(board)
    all_events = (
        *strikes,
        *events.make_thunder(board, strikes),
        *events.make_steps(board, facts),
        *events.make_waves(board),
        *events.make_passes(board),
    )
    faces = make_faces(frames, board.seed, facts.faces, lines, acting.actions, settle=board.morph)
    return Timeline(
        frames=frames,
        seed=board.seed,
        cuts=cuts,
        views=views,
        wind=wind.make_wind(board.seed, frames, _wind_strength(board, cuts)),
        flicker=light.make_flicker(board),
        light=light.make_light(frames, strikes, facts.brightness),
        camera=camera.make_camera(board, facts, views),
        lights=lights.make_lights(board),
        faces=visemes.add_speech(faces, lines, seed=board.seed),
        body=make_body(frames, board.seed, board.body_actions, settle=board.morph),
        events=tuple(sorted(all_events, key=lambda event: (event.time, event.id))),
        beds=_beds(board, facts),
        lines=lines,
        music=board.music,
        travels=make_travels(board, facts),
        room=_room(facts),
    )


def _wind_strength(board: Storyboard, cuts: tuple[int, ...]) -> F64:
    """float64 (frames,), 0..1: of the strongest wind among motions and cues; rain, snow and falling leaves bring half
    of theirs."""
    strongest = np.zeros(board.frames)
    asked = timed = False
    sources: tuple[Motion | Cue, ...] = (*board.motions, *board.cues)
    for one in sources:
        share = 1.0 if one.kind == "wind" else 0.5 if one.kind in _WINDY and isinstance(one, Motion) else 0.0
        asked = asked or share > 0
        timed = timed or (share > 0 and (one.start, one.end) != (None, None))
        there = make_envelope(one, board.frames, cuts).astype(np.float64)
        strongest = np.maximum(strongest, share * one.strength * there)
    return np.maximum(strongest, 0.0 if asked and not timed else _CALM)


def _beds(board: Storyboard, facts: PictureFacts) -> tuple[Bed, ...]:
    """Every sound that lasts. Thunder and footsteps are events, never beds."""
    return tuple(
        Bed(
            kind=cue.kind,
            strength=cue.strength,
            depth=_bed_depth(cue, facts),
            asked=cue.origin == "prompt",
            start=cue.start or 0,
            end=cue.end,
        )
        for cue in board.cues
        if cue.kind != "thunder" and cue.kind != "footsteps"
    )


def _bed_depth(cue: Cue, facts: PictureFacts) -> float:
    if cue.kind in ("waves", "stream", "waterfall"):
        return float(np.clip(0.75 - facts.water, 0.2, 0.75))  # the more of the picture is water, the nearer it is
    return {"rain": 0.3, "fire": 0.25, "wind": 0.4, "room": 0.3}.get(cue.kind, 0.6)


def _room(facts: PictureFacts) -> float:
    """Reverberation, 0..1: little under the open sky, more where there may be walls."""
    return 0.06 if facts.sky > 0.12 and facts.sky_trust >= TRUSTED else 0.22
