"""How far the view zooms in, frame by frame, to win the room that a move needs: spread over the whole move, in
proportion to how far it has gone, so that a pan begins as a pan. Knows no scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.media import F64
from vivant.request import FPS

_SMOOTH: Final = 4.0  # frames, over which a change of the zoom's speed is spread
_SETTLES: Final = 0.6  # seconds in which a camera that must come home gives up the zoom
# What a move of one unit on each axis counts as, in widths.
_UNITS: Final[Mapping[str, float]] = {"z": 0.3, "roll": 0.3}


def win_room(
    poses: Mapping[str, F64], need: F64, segments: tuple[tuple[int, int], ...], width: int, *, returns: bool
) -> F64:
    """float64 (frames,), at least `need` (the zoom without which a border is seen): 1 at the first frame of every
    segment and never less than before in it. poses: the camera's axes, float64 (frames,), lengths in pixels of a
    canvas of that width; returns: whether the zoom must be given up at the end of the last segment."""
    extra = np.ones(len(need))
    for start, end in segments:
        lead = np.maximum.accumulate(need[start:end])
        home = returns and end == len(need)
        if home:
            lead = np.minimum(lead, np.maximum.accumulate(need[start:end][::-1])[::-1])
        gone = _progress({name: values[start:end] for name, values in poses.items()}, width)
        won = lead - 1 if home or gone[-1] <= 0 else _spread(gone, lead) - 1
        won = _smooth(won)
        if home:
            won = won * smootherstep(np.arange(end - start)[::-1] / (_SETTLES * FPS))
            won = won * smootherstep(np.arange(end - start) / (_SETTLES * FPS))
        extra[start:end] = 1 + won
    return extra


def _progress(poses: Mapping[str, F64], width: int) -> F64:
    """float64 (frames,): how long the camera's way is up to each frame, widths."""
    way = np.zeros(len(poses["x"]))
    for name in ("x", "y", "pan", "tilt"):
        way[1:] += np.abs(np.diff(poses[name])) / width
    for name in ("yaw", "pitch"):
        way[1:] += np.abs(np.diff(poses[name])) * width
    for name, unit in _UNITS.items():
        way[1:] += unit * np.abs(np.diff(poses[name]))
    way[1:] += 0.3 * np.abs(np.diff(np.log(poses["zoom"])))
    return np.cumsum(way)


def _spread(gone: F64, lead: F64) -> F64:
    """The lowest curve over `lead`, from 1 at the start, whose slope along the way only falls: it rises evenly, and no
    later than it must."""
    # Plain numbers: to read one of an array takes ten times as long.
    way, values = gone.tolist(), lead.tolist()
    hull = [0]
    values[0] = 1.0
    for n in range(1, len(way)):
        if way[n] <= way[hull[-1]]:
            values[hull[-1]] = max(values[hull[-1]], values[n]) if len(hull) > 1 else values[hull[-1]]
            continue
        while len(hull) > 1 and _is_under(way, values, hull[-2], hull[-1], n):
            hull.pop()
        hull.append(n)
    return np.asarray(np.interp(gone, [way[n] for n in hull], [values[n] for n in hull]), np.float64)


def _is_under(way: list[float], values: list[float], a: int, b: int, c: int) -> bool:
    """Whether point b lies on or under the line from a to c."""
    return (values[b] - values[a]) * (way[c] - way[a]) <= (values[c] - values[a]) * (way[b] - way[a])


def _smooth(won: F64) -> F64:
    """Blurred in time, and 0 at the first frame as before: beyond it the curve goes on mirrored about that point."""
    reach = min(len(won) - 1, round(3 * _SMOOTH))
    if reach < 1:
        return won
    before = -won[reach:0:-1]
    longer = np.concatenate([before, won, np.full(reach, won[-1])])
    blurred = cv2.GaussianBlur(longer[None], (0, 0), _SMOOTH, borderType=cv2.BORDER_REPLICATE)[0]
    smooth = np.asarray(blurred[reach : reach + len(won)], np.float64)
    smooth[0] = 0.0
    return np.maximum(smooth, 0.0)
