"""Everything faces do in a frame: redrawn pieces of the picture for mouths and eyes, and one displacement for the rest.

Reads the timeline's curves, which are made elsewhere. Pure functions of the frame number, callable from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.motion.faces import eyes, mouth, rbf, strip
from vivant.engines.diorama.motion.faces.eyes import Eye
from vivant.engines.diorama.motion.faces.head import STEP, Bearing, Head
from vivant.engines.diorama.motion.faces.mouth import Lips, Mouth
from vivant.engines.diorama.motion.faces.piece import Box, Piece
from vivant.engines.diorama.motion.faces.pose import CHIN, CORNERS, Pose, pose_of
from vivant.engines.diorama.motion.fields import Field, Patch
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.timeline import Timeline

APART: Final = 24  # pixels: pieces nearer than this are drawn as one
SMALLEST: Final = 24.0  # pixels of face height under which a face is left alone
SMALL: Final = 60.0  # under which it does less
TURNED, PROFILE = np.radians(25), np.radians(60)  # a face does all up to the first, nothing from the second
TRUSTED: Final = 0.5  # of the matte, from which shoulders are told from background


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mouth or an eye of face `face`, and how much of its curves it follows, 0..1."""

    face: int
    what: Mouth | Eye
    share: float

    @property
    def box(self) -> Box:
        return self.what.box


class FaceMotion:
    """The faces of a scene in motion. Set up once per clip."""

    def __init__(self, scene: Scene, storyboard: Storyboard, timeline: Timeline) -> None:
        self._source = scene.source
        if len(scene.faces) != len(timeline.faces):
            raise ValueError(f"The timeline has {len(timeline.faces)} faces, the scene {len(scene.faces)}.")
        self._curves = timeline.faces
        self._shape = tuple(-(-side // STEP) for side in scene.source.planes.y.shape)
        h, w = scene.source.planes.y.shape
        body = scene.matte.mask if scene.matte.trust >= TRUSTED else None
        self._heads: list[tuple[int, Head, float]] = []
        parts: list[Part] = []
        for i, face in enumerate(scene.faces):
            if face.size < SMALLEST:
                continue
            pose = pose_of(face)
            # Small faces have no pixels for it; turned ones no room, and in profile nothing is known of the far half.
            share = float(np.clip((face.size - SMALLEST) / (SMALL - SMALLEST), 0.35, 1))
            share *= float(np.clip((PROFILE - pose.turned) / (PROFILE - TURNED), 0, 1))
            if share == 0:
                continue
            self._heads.append((i, Head(pose, (w, h), body=body), share))
            if _inside(pose, (*CORNERS, CHIN), (w, h)):
                parts.append(Part(i, Mouth(scene.source, pose, chance=rng(storyboard.seed, f"mouth/{i}")), share))
            parts += [
                Part(i, Eye(scene.source, pose, which), 1.0)
                for which, (corners, *_) in enumerate(eyes.EYES)
                if _inside(pose, corners, (w, h))
            ]
        self._groups = _grouped(parts)

    def patches(self, n: int) -> tuple[Patch, ...]:
        """The pieces of the source that are not as in the picture at frame n; none overlap."""
        drawn = []
        for box, parts in self._groups:
            active = [part for part in parts if not self._rests(part, n)]
            if not active:
                continue
            piece = Piece(self._source, box)
            for part in active:
                if isinstance(part.what, Mouth):
                    part.what.draw(piece, self._lips(part, n))
                else:
                    part.what.draw(piece, self._lids(part, n))
            drawn.append(piece.patch())
        return tuple(drawn)

    def field(self, n: int) -> Field | None:
        """The displacement of all heads at frame n, or None when all rest."""
        bearings = [(head, self._bearing(i, share, n)) for i, head, share in self._heads]
        moving = [(head, bearing) for head, bearing in bearings if bearing != Bearing()]
        if not moving:
            return None
        dx, dy = np.zeros(self._shape, np.float32), np.zeros(self._shape, np.float32)
        for head, bearing in moving:
            head.add(dx, dy, bearing)
        return Field(dx, dy)

    def _rests(self, part: Part, n: int) -> bool:
        if isinstance(part.what, Mouth):
            return part.what.rests(self._lips(part, n))
        return self._lids(part, n) <= 0

    def _lids(self, part: Part, n: int) -> float:
        curves = self._curves[part.face]
        wink = float(curves.wink[n]) if isinstance(part.what, Eye) and part.what.which == 1 else 0.0
        return max(float(curves.lids[n]), wink)

    def _lips(self, part: Part, n: int) -> Lips:
        curves = self._curves[part.face]
        return Lips(
            jaw=float(curves.jaw[n]) * part.share,
            wide=float(curves.wide[n]),
            round=float(curves.round[n]),
            close=float(curves.close[n]),
            teeth=float(curves.teeth[n]),
        )

    def _bearing(self, i: int, share: float, n: int) -> Bearing:
        curves = self._curves[i]
        smile = float(curves.smile[n])
        return Bearing(
            jaw=float(curves.jaw[n]) * share,
            wide=float(curves.wide[n]) * share,
            round=float(curves.round[n]) * share,
            smile=max(0.0, smile),
            frown=max(0.0, -smile),
            brow=float(curves.brow[n]),
            yaw=float(curves.yaw[n]),
            pitch=float(curves.pitch[n]),
            roll=float(curves.roll[n]),
            breath=float(curves.breath[n]),
        )


def _inside(pose: Pose, landmarks: tuple[int, ...], canvas: tuple[int, int]) -> bool:
    points = pose.landmarks[list(landmarks), :2]
    return bool((points >= 2).all() and (points <= np.array(canvas) - 3).all())


def _grouped(parts: list[Part]) -> list[tuple[Box, list[Part]]]:
    """Parts whose boxes touch or nearly touch share one piece, so that no piece overwrites another."""
    groups: list[tuple[Box, list[Part]]] = []
    for part in parts:
        box, members = part.box, [part]
        while True:
            near = next((group for group in groups if group[0].near(box, APART)), None)
            if near is None:
                break
            groups.remove(near)
            box, members = box.union(near[0]), near[1] + members
        groups.append((box, members))
    return groups


def warm_up_faces() -> None:
    """Compile (or load from the cache) every kernel that faces use, so that the first job does not wait for it."""
    for module in (rbf, strip, mouth, eyes):
        module.warm_up()
