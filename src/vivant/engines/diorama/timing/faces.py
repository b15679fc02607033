"""All that faces do beside speaking: their idle life and what they are told, within the limits of a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.storyboard import FaceFact
from vivant.engines.diorama.timing.acting import PlacedAction
from vivant.engines.diorama.timing.curves import FaceCurves, face_range
from vivant.engines.diorama.timing.head_limit import TURNS, hold_within
from vivant.engines.diorama.timing.idle import make_idle_life, measure_speaking
from vivant.engines.diorama.timing.lulls import fill_lulls, find_inside
from vivant.engines.diorama.timing.performing import perform
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.media import F64
from vivant.request import FPS

CLOSE: Final = 0.42  # of the canvas's height: a face that high moves as it is; smaller ones move more, to be seen to
MOST_LIVELY: Final = 1.6
CALMER: Final = 0.5  # by how much less a head sways by itself
CALMER_FROM: Final = 5.0  # degrees of a pose, from which it does so
SETTLE: Final = 1.0  # s in which everything returns to rest when the clip ends on a last picture
HEAD: Final = (*TURNS, "lean")


def make_faces(
    frames: int,
    seed: int,
    faces: Sequence[FaceFact],
    lines: Sequence[PlacedLine],
    actions: Sequence[PlacedAction],
    *,
    settle: bool = False,
) -> tuple[FaceCurves, ...]:
    """What each face does, in the order of `faces`; speech is added later (visemes.py).

    All curves are 0 at frame 0, and at the last frame if `settle`. Yaw, pitch and roll together stay within LIMIT.
    """
    return tuple(
        _make_face(
            frames,
            seed,
            index,
            lines,
            [placed for placed in actions if placed.action.face_index == index],
            settle=settle,
            height=face.height,
        )
        for index, face in enumerate(faces)
    )


def _make_face(
    frames: int,
    seed: int,
    index: int,
    lines: Sequence[PlacedLine],
    own: Sequence[PlacedAction],
    *,
    settle: bool,
    height: float,
) -> FaceCurves:
    kinds = {placed.action.kind for placed in own}
    lively = float(np.clip((CLOSE / max(height, 0.01)) ** 0.5, 1, MOST_LIVELY))
    restless = 1.8 if "sway" in kinds else 0.5 if "look_camera" in kinds else 1.0
    face = make_idle_life(frames, seed, index, lines, restless=restless * lively, deep="breathe" in kinds)
    circles = restless >= 1  # not who looks at the viewer
    if circles:
        face |= fill_lulls({name: face[name] for name in HEAD}, seed, index, height)
    quiet = 1 - measure_speaking(frames, [line for line in lines if line.line.face_index == index])
    acted = perform(frames, seed, index, own, quiet)
    told = sum((np.abs(acted[name]) for name in TURNS if name in acted), np.zeros(frames))
    for name in TURNS:  # who looks somewhere on purpose holds the head stiller
        face[name] = face[name] * (1 - CALMER * np.minimum(1, told / CALMER_FROM))
    for name, curve in acted.items():
        # Lids that are down cannot blink; everything else adds up.
        face[name] = np.maximum(face[name], curve) if name == "lids" else face.get(name, 0) + curve
    head = {name: face[name] for name in HEAD}
    # What is told may take back what a head does by itself.
    face |= fill_lulls(head, seed, index, height, where=find_inside(told)) if circles else hold_within(head)
    for name in face:
        face[name] = np.clip(face[name], *face_range(name))
    if settle:
        at_end = smoothstep(np.arange(frames)[::-1] / (SETTLE * FPS))
        face = {name: _settle(name, curve, at_end) for name, curve in face.items()}
    at_rest = FaceCurves.at_rest(frames)
    known = {field.name for field in fields(FaceCurves)}
    return replace(at_rest, **{name: curve.astype(np.float32) for name, curve in face.items() if name in known})


def _settle(name: str, curve: F64, at_end: F64) -> F64:
    """Blinks end by themselves and must not be cut short; lids that stay down open."""
    return curve if name in ("lids", "wink") and curve[-1] == 0 else curve * at_end
