"""All that faces do in a frame: patches for mouths and eyes, and one displacement for the rest.

Follows the timeline's curves. Pure functions of the frame number, callable from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.motion.faces import eyes, local_frame, mouth, rbf
from vivant.engines.diorama.motion.faces.canvas_patch import CanvasPatch
from vivant.engines.diorama.motion.faces.eyes import Eye
from vivant.engines.diorama.motion.faces.face_pose import CORNERS, FacePose, measure_pose
from vivant.engines.diorama.motion.faces.head import LAG, Head, HeadState
from vivant.engines.diorama.motion.faces.mouth import LipShape, Mouth
from vivant.engines.diorama.motion.fields import Field, Patch, Rect, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.faces import CHIN, PROFILE, SMALLEST
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.engines.diorama.timing.timeline import Timeline

APART: Final = 24  # pixels: features nearer to each other share a patch
SMALL: Final = 60.0  # pixels of face height under which a face moves less
TURNED: Final = np.radians(25)  # from the viewer, up to which a face moves fully
BODY_FROM: Final = 0.5  # of the matte, from which it tells shoulders from background


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A mouth or an eye of face `face`, and how much of its curves it follows, 0..1."""

    face: int
    what: Mouth | Eye
    share: float

    @property
    def rect(self) -> Rect:
        return self.what.rect


class FaceMotion:
    """The faces of a scene, and how they move. Made once per clip."""

    def __init__(self, scene: Scene, storyboard: Storyboard, timeline: Timeline) -> None:
        self._source = scene.source
        if len(scene.faces) != len(timeline.faces):
            raise ValueError(f"The timeline has {len(timeline.faces)} faces, the scene {len(scene.faces)}.")
        self._curves = timeline.faces
        self._shape = quarter_shape(*scene.rgb.shape[:2])
        h, w = scene.source.planes.y.shape
        body = scene.matte.mask if scene.matte.trust >= BODY_FROM else None
        self._heads: list[tuple[int, Head, float, float]] = []
        poses = [measure_pose(face) for face in scene.faces]
        features: list[Feature] = []
        for i, face in enumerate(scene.faces):
            if face.size < SMALLEST:
                continue
            pose = poses[i]
            # Small faces have too few pixels; of turned ones too little is seen, and in profile only half.
            facing = float(np.clip((PROFILE - pose.turned) / (PROFILE - TURNED), 0, 1))
            share = facing * float(np.clip((face.size - SMALLEST) / (SMALL - SMALLEST), 0.35, 1))
            if share == 0:
                continue
            others = [other for other in poses if other is not pose]
            head = Head(pose, (w, h), body=body, others=others, acted=_acted(timeline.faces[i]))
            self._heads.append((i, head, share, facing))
            if _inside(pose, (*CORNERS, CHIN), (w, h)):
                features.append(Feature(i, Mouth(scene.source, pose, chance=rng(storyboard.seed, f"mouth/{i}")), share))
            features += [
                Feature(i, Eye(scene.source, pose, which), 1.0)
                for which, (corners, *_) in enumerate(eyes.EYES)
                if _inside(pose, corners, (w, h))
            ]
        self._groups = _group(features)

    def patches(self, n: int) -> tuple[Patch, ...]:
        """What differs from the picture at frame n: mouths and eyes; none overlap."""
        drawn = []
        for rect, features in self._groups:
            active = [feature for feature in features if not self._rests(feature, n)]
            if not active:
                continue
            patch = CanvasPatch(self._source, rect)
            for feature in active:
                if isinstance(feature.what, Mouth):
                    feature.what.draw(patch, self._lips(feature, n))
                else:
                    feature.what.draw(patch, self._lids(feature, n), gaze=float(self._curves[feature.face].gaze[n]))
            drawn.append(patch.finish())
        return tuple(drawn)

    def field(self, n: int) -> Field | None:
        """The displacement of all heads at frame n, None if all are at rest."""
        states = [
            (head, self._head_state(i, share, facing, n), self._head_state(i, share, facing, max(0, n - LAG)))
            for i, head, share, facing in self._heads
        ]
        moving = [(head, state, before) for head, state, before in states if state != HeadState()]
        if not moving:
            return None
        dx, dy = np.zeros(self._shape, np.float32), np.zeros(self._shape, np.float32)
        for head, state, before in moving:
            head.add(dx, dy, state, before)
        return Field(dx, dy)

    def _rests(self, feature: Feature, n: int) -> bool:
        if isinstance(feature.what, Mouth):
            return feature.what.rests(self._lips(feature, n))
        return self._lids(feature, n) <= 0 and self._curves[feature.face].gaze[n] == 0

    def _lids(self, feature: Feature, n: int) -> float:
        curves = self._curves[feature.face]
        wink = float(curves.wink[n]) if isinstance(feature.what, Eye) and feature.what.which == 1 else 0.0
        return max(float(curves.lids[n]), wink)

    def _lips(self, feature: Feature, n: int) -> LipShape:
        curves = self._curves[feature.face]
        return LipShape(
            jaw=float(curves.jaw[n]) * feature.share,
            wide=float(curves.wide[n]),
            round=float(curves.round[n]),
            close=float(curves.close[n]),
            teeth=float(curves.teeth[n]),
        )

    def _head_state(self, i: int, share: float, facing: float, n: int) -> HeadState:
        curves = self._curves[i]
        smile, widen = float(curves.smile[n]), float(curves.widen[n])
        return HeadState(
            jaw=float(curves.jaw[n]) * share,
            wide=float(curves.wide[n]) * share,
            round=float(curves.round[n]) * share,
            smile=max(0.0, smile),
            frown=max(0.0, -smile),
            brow=float(curves.brow[n]),
            smirk=float(curves.smirk[n]),
            knit=float(curves.knit[n]),
            inner=float(curves.inner[n]),
            widen=max(0.0, widen),
            squint=max(0.0, -widen),
            sneer=float(curves.sneer[n]),
            pout=float(curves.pout[n]),
            chew=float(curves.chew[n]),
            yaw=float(curves.yaw[n]) * facing,
            pitch=float(curves.pitch[n]),
            roll=float(curves.roll[n]),
            breath=float(curves.breath[n]),
            lean=float(curves.lean[n]),
        )


def _acted(curves: FaceCurves) -> frozenset[str]:
    """The expressions beyond those of speech and idle life that these curves need."""
    used = {name for name in ("smirk", "knit", "inner", "sneer", "pout", "chew") if getattr(curves, name).any()}
    used |= {name for name, sign in (("widen", 1), ("squint", -1)) if (sign * curves.widen > 0).any()}
    return frozenset(used)


def _inside(pose: FacePose, landmarks: tuple[int, ...], canvas: tuple[int, int]) -> bool:
    points = pose.landmarks[list(landmarks), :2]
    return bool((points >= 2).all() and (points <= np.array(canvas) - 3).all())


def _group(features: list[Feature]) -> list[tuple[Rect, list[Feature]]]:
    """Features whose rects are nearer than APART share one patch, so that no patch overwrites another."""
    groups: list[tuple[Rect, list[Feature]]] = []
    for feature in features:
        rect, members = feature.rect, [feature]
        while True:
            near = next((group for group in groups if group[0].is_near(rect, APART)), None)
            if near is None:
                break
            groups.remove(near)
            rect, members = rect.union(near[0]), near[1] + members
        groups.append((rect, members))
    return groups


def warm_up_faces() -> None:
    """Compile (or load from the cache) every kernel that faces use, so that the first job does not wait for it."""
    for module in (rbf, local_frame, mouth, eyes):
        module.warm_up()
