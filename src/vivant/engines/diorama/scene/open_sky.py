"""Whether what looks like a sky is one: a white wall, a studio's backdrop and the water of a tank are as smooth and as
bright. Walls are built of parallel lines, a room behind something near is dim and ends in no skyline, and water around
something near goes on below as smooth as above. Works on the small copy; knows no motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features
from vivant.media import F32

Mask = NDArray[np.bool_]

# Ramps are (none from here, all from there), set by looking at 59 photographs and checked on 150 others.
LINED: Final = 480  # long side of the copy in which straight segments are found
LINE: Final = 0.13  # of the long side: shorter lines are not counted; edges of clouds are seldom straight for so long
BOARDS: Final = (0.65, 1.2)  # long sides: see `measure_boards`; clouds have up to 0.4
BESIDE: Final = 0.02  # long sides from one line to the next
ONE_WAY: Final = 6.0  # degrees about the commonest direction
GREY: Final = (-20.0, -12.0)  # b of Lab: what is bluer is sky between cables
RIM: Final = (0.35, 0.85)  # strength of the edge that three quarters of a skyline have at least
SKYLINE: Final = (0.9, 1.3)  # the same of one that is sure
DARKER: Final = (5.0, 18.0)  # L by which the ground is darker than its sky
TEXTURED: Final = (1.4, 2.2)  # fine detail of the ground against that of the sky
DIM: Final = (60.0, 45.0)  # L
BLURRED: Final = 0.35  # share of the trust that is lost where what stands out is near and all behind it is smooth
LOST: Final = 0.85  # share of the trust that each of these takes at most


def measure_openness(seen: Features, above: Mask, edge: F32, *, close: float) -> float:
    """0..1: how surely `above`, (h, w), lies over open country: it ends in a skyline, under which is textured ground,
    and nothing stands near. Arguments as those of `doubt_sky`."""
    if close == 1 or not above.any():
        return 0.0
    skyline = _ramp(_measure_rim(above, edge, seen.subject), *SKYLINE)
    return (1 - close) * skyline * _measure_ground(seen, above, ~above & (seen.subject < 0.3)) if skyline else 0.0


def doubt_sky(seen: Features, lines: F32, above: Mask, edge: F32, *, close: float) -> float:
    """0..1: how much speaks against `above`, (h, w), being a sky. lines: see `detect_lines`. edge: float32 (h, w), how
    much each pixel looks like the lower rim of a sky, 0..1.5. close: 0..1, whether the subject is seen from near."""
    light = seen.lab[..., 0]
    ground = ~above & (seen.subject < 0.3)
    if not above.any():
        return 1.0
    sky_light = float(np.median(light[above]))
    blue = float(np.median(seen.lab[..., 2][above]))
    # Boards are seldom blue; cables before a blue sky are as straight.
    boards = _ramp(measure_boards(lines, above), *BOARDS) * _ramp(blue, *GREY)
    # A room that is out of focus: dim, not blue, as bright as what stands before it, and without a skyline.
    darker = sky_light - float(np.median(light[~above])) if (~above).any() else 0.0
    dull = _ramp(sky_light, 78, 66) * _ramp(blue, -12, -4)
    room = dull * (1 - _ramp(_measure_rim(above, edge, seen.subject), *RIM)) * (1 - _ramp(darker, *DARKER))
    # Wood and lamplight: dim, warm, and darker than what is before it. An evening sky is the brightest of all.
    warm = _ramp(sky_light, *DIM) * _ramp(blue, 4, 14) * (1 - _ramp(darker, 0, 8))
    room = max(room, warm)
    # Water about a fish is dim, and what lies below is as smooth; what is bright may be a sky out of focus, or a wall.
    smooth = close * (1 - _measure_ground(seen, above, ground)) if close > 0 else 0.0
    return max(LOST * max(boards, room, smooth * _ramp(sky_light, *DIM)), BLURRED * smooth)


def detect_lines(rgb: NDArray[np.uint8]) -> F32:
    """Straight segments of RGB uint8 (h, w, 3): float32 (n, 4), x and y of both ends, shares of the long side."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    long = max(grey.shape)
    grey = cv2.resize(grey, None, fx=LINED / long, fy=LINED / long, interpolation=cv2.INTER_AREA)
    lines: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if lines is None:  # OpenCV's answer when it finds none, which its stubs do not say
        return np.zeros((0, 4), np.float32)
    return np.asarray(lines.reshape(-1, 4) / LINED, np.float32)


def measure_boards(lines: F32, above: Mask) -> float:
    """Length of the long lines inside `above`, (h, w), that point the commonest way and lie beside each other, in long
    sides. The two edges of one line, and its parts, count once."""
    h, w = above.shape
    along = lines[:, 2:] - lines[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    inside = cv2.erode(above.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1)
    share = np.linspace(0, 1, 12, dtype=np.float32)
    points = (lines[:, None, :2] + share[None, :, None] * along[:, None]) * max(h, w)
    x, y = np.clip(points[..., 0].astype(int), 0, w - 1), np.clip(points[..., 1].astype(int), 0, h - 1)
    counted = (length > LINE) & (inside[y, x].mean(axis=1) > 0.8)
    if not counted.any():
        return 0.0
    angle, length = np.degrees(np.arctan2(along[counted, 1], along[counted, 0])) % 180, length[counted]
    middle = lines[counted].reshape(-1, 2, 2).mean(axis=1)
    apart = np.abs(angle[:, None] - angle[None])
    alike = np.minimum(apart, 180 - apart) < ONE_WAY
    commonest = int((alike * length[None]).sum(axis=1).argmax())
    way = np.radians(angle[commonest])
    total, taken = 0.0, np.zeros(0)
    for k in sorted(np.flatnonzero(alike[commonest]), key=lambda k: -float(length[k])):
        offset = float(middle[k, 1] * np.cos(way) - middle[k, 0] * np.sin(way))
        if not (np.abs(taken - offset) < BESIDE).any():
            taken, total = np.append(taken, offset), total + float(length[k])
    return total


def _measure_rim(above: Mask, edge: F32, subject: F32) -> float:
    """The edge that three quarters of the skyline have, 0..1.5; where the subject hides it nothing is counted."""
    h, _ = above.shape
    foot = h - 1 - np.argmax(above[::-1], axis=0)
    columns = np.flatnonzero(above.any(axis=0) & (foot < h - 2))
    columns = columns[subject[np.minimum(foot[columns] + 2, h - 1), columns] < 0.3]
    if len(columns) == 0:
        return 1.5
    near = [edge[max(0, foot[x] - 1) : foot[x] + 3, x].max() for x in columns]
    return float(np.percentile(near, 25))


def _measure_ground(seen: Features, above: Mask, ground: Mask) -> float:
    """0..1: how surely the rest of the picture has the texture of ground. Where hardly any is seen, nobody knows."""
    if float(ground.mean()) < 0.05:
        return 0.5
    fine = cv2.GaussianBlur(np.abs(cv2.Laplacian(seen.lab[..., 0], cv2.CV_32F)), (0, 0), 1.5)
    return _ramp(float(np.median(fine[ground])) / max(float(np.median(fine[above])), 0.1), *TEXTURED)


def _ramp(value: float, none: float, all_from: float) -> float:
    return float(np.clip((value - none) / (all_from - none), 0, 1))
