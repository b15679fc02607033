"""What a clip has when the prompt leaves it open, fitted to the picture: a gentle camera move, motion of what was found
in it, the sounds of the place, quiet music. Where several choices suit, the seed chooses.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.script.music import TEMPO
from vivant.engines.diorama.storyboard import (
    TRUSTED,
    Cue,
    Direction,
    Drift,
    Mood,
    Motion,
    Move,
    MoveKind,
    Music,
    PictureFacts,
    Shot,
    Style,
)
from vivant.request import FPS, Canvas

_CLEARLY_TALL: Final = 1.2  # height / width
_FACE: Final = 0.12  # a face at least this high (share of the canvas) makes a portrait

# A region must fill this share of the canvas before it moves or is heard by itself.
_SHARE: Final = {"water": 0.04, "sky": 0.10, "plants": 0.06, "fire": 0.005}
LARGE_WATER: Final = 0.18  # from here on it is a lake or the sea and has waves, below a stream
_SHORT_REST: Final = 0.4  # seconds for which a picture may stand still
_ON_THE_WAY: Final = 0.4  # strength of the light that drifts over two pictures
_COMES: Final = 0.6  # seconds in which a motion that has a time comes and goes
# The camera stands still for most of such a shot: a whip takes half a second, and a change of focus moves nothing.
_RESTS: Final = frozenset({"static", "whip", "rack_focus"})
_DIM: Final = 0.22  # mean luma under which a place with plants sounds of night

ROOM: Final = Cue(kind="room", strength=0.2, origin="default")


def choose_camera(facts: PictureFacts, canvas: Canvas, seed: int, *, morph: bool) -> Move:
    """A slow move that suits the picture, never a large one.

    A portrait is approached; a group a little less; a tall picture is tilted over; a wide view is panned or
    approached. On the way to a last picture the camera hardly moves, so that the two pictures stay aligned.
    """
    chance = rng(seed, "camera")

    def gentle(kind: MoveKind, directions: tuple[Direction, ...], strength: float) -> Move:
        direction = directions[int(chance.integers(len(directions)))]
        return Move(kind=kind, direction=direction, speed="slow", strength=strength, origin="default")

    faces = [face for face in facts.faces if face.height >= _FACE]
    if morph:
        return gentle("dolly", ("in",), 0.15)
    if len(faces) == 1:
        return gentle("dolly", ("in",), 0.35)
    if len(facts.faces) > 1:
        return gentle("dolly", ("in", "in", "out"), 0.25)
    if canvas.height >= _CLEARLY_TALL * canvas.width:
        if facts.subject >= 0.15 and facts.subject_trust >= TRUSTED:
            return gentle("dolly", ("in",), 0.35)
        return gentle("pedestal", ("up", "down"), 0.35)
    if facts.subject >= 0.08 and facts.subject_trust >= TRUSTED:
        return (
            gentle("dolly", ("in", "in", "out"), 0.4)
            if chance.random() < 0.7
            else gentle("truck", ("left", "right"), 0.35)
        )
    if chance.random() < 0.5:
        return gentle("pan", ("left", "right"), 0.35)
    return gentle("dolly", ("in", "in", "out"), 0.4)


def choose_motions(facts: PictureFacts, seed: int, *, morph: bool = False) -> tuple[Motion, ...]:
    """The motions of water, clouds, plants and fire that were found in the picture with enough trust. On the way to a
    last picture they are livelier: they may be all that moves, and evening light hides some of it."""
    chance = rng(seed, "drift")
    drift: Drift = "left" if chance.random() < 0.5 else "right"
    found = []
    if _seen(facts, "water"):
        found.append(Motion(kind="water", strength=0.35, origin="picture"))
    if _seen(facts, "sky"):
        # What may be a wall drifts less: 0.4 px per frame in place of 0.5.
        sure = min(1.0, 0.6 + 2 * (facts.sky_trust - TRUSTED))
        found.append(
            Motion(
                kind="clouds", strength=round((0.35 if morph else 0.25) * sure, 3), direction=drift, origin="picture"
            )
        )
    if _seen(facts, "plants"):
        found.append(Motion(kind="wind", strength=0.45 if morph else 0.25, origin="picture"))
    if _seen(facts, "fire"):
        found.append(Motion(kind="fire", strength=0.45, origin="picture"))
    return tuple(found)


def leave_out_unseen(motions: tuple[Motion, ...], facts: PictureFacts, *, morph: bool) -> tuple[Motion, ...]:
    """Without what the picture would have by itself but does not show: clouds in a bare sky. What was asked for stays,
    for it is shown in another way; so does all on the way to a last picture, whose sky may have clouds."""
    if morph or not facts.bare:
        return motions
    return tuple(motion for motion in motions if motion.kind != "clouds" or motion.origin != "picture")


def choose_light(
    shots: tuple[Shot, ...], motions: tuple[Motion, ...], facts: PictureFacts, *, lives: bool, morph: bool
) -> tuple[Motion, ...]:
    """Light that drifts over a picture while neither the camera nor anything else is sure to move: before a move that
    comes late, after one that ends early, or all along. lives: a living subject moves, or something travels. Clouds
    may turn out to be too faint to be seen to drift, and what is drawn hardly moves. Between two strokes of lightning
    only a sky of some size lives. On the way to a last picture the camera moves all along, and yet both pictures would
    stand still, but for a sky."""
    if lives or any(not face.still for face in facts.faces):
        return ()
    if morph:
        alone = all(motion.kind == "clouds" for motion in motions)
        return (Motion(kind="drifting_light", strength=_ON_THE_WAY, origin="default"),) if alone else ()
    frames = shots[-1].end
    faint = {"clouds", "water", "wind"} if facts.drawn else {"clouds"}
    if facts.sky < _SHARE["sky"] or any(motion.kind == "lightning" and not motion.has_region for motion in motions):
        faint |= {"lightning"}
    still = np.zeros(frames, np.bool_)
    for shot in shots:
        still[shot.start : shot.end] = all(move.kind in _RESTS for move in shot.moves)
    for motion in motions:
        if motion.kind not in faint:
            still[motion.start : motion.end] = False
    at = np.flatnonzero(still)
    if len(at) < _SHORT_REST * FPS:
        return ()
    # It comes and goes while something still moves.
    start, end = int(at[0]) - round(_COMES * FPS), int(at[-1]) + 1 + round(_COMES * FPS)
    return (
        Motion(
            kind="drifting_light", origin="default", start=start if start > 0 else None,
            end=end if end < frames else None,
        ),
    )  # fmt: skip


def choose_cues(facts: PictureFacts) -> tuple[Cue, ...]:
    """The sounds of the place in the picture."""
    found: list[Cue] = []
    if _seen(facts, "water"):
        large = facts.water >= LARGE_WATER
        found.append(Cue(kind="waves" if large else "stream", strength=0.35 if large else 0.3, origin="picture"))
    if _seen(facts, "fire"):
        found.append(Cue(kind="fire", strength=0.4, origin="picture"))
    if _seen(facts, "plants"):
        night = facts.brightness < _DIM
        found.append(Cue(kind="crickets" if night else "birds", strength=0.25, origin="picture"))
    if _seen(facts, "sky") and len(found) < 2:
        found.append(Cue(kind="wind", strength=0.2, origin="picture"))
    return tuple(found)


def choose_music(facts: PictureFacts, mood: Mood | None, seed: int) -> Music:
    """Quiet music for a clip that would otherwise have hardly any sound."""
    fitting: Mood = mood or ("sad" if facts.grey and facts.brightness < 0.3 else "calm")
    quiet = fitting in ("calm", "romantic", "sad", "happy")
    styles: tuple[Style, ...] = ("piano", "strings", "guitar") if quiet else ("",)
    style = styles[int(rng(seed, "music.style").integers(len(styles)))]
    return Music(mood=fitting, tempo=TEMPO[fitting], style=style, origin="default")


def _seen(facts: PictureFacts, region: str) -> bool:
    share: float = getattr(facts, region)
    trust: float = getattr(facts, f"{region}_trust")
    return trust >= TRUSTED and share >= _SHARE[region]
