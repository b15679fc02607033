"""A clip's first frame is the caller's picture, and its last frame the last picture, whatever a model made of them.

Models begin near the picture, not on it: colours are a little off, everything may be shifted by some pixels, and some
models draw anew what they saw. So the picture replaces the frame, and what the two differ by fades over the frames
beside it (docs/decisions/0078-ends-are-pinned-by-a-fade.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from vivant.errors import EngineFailed
from vivant.media import F32, U8

FADE: Final = 6  # frames over which the difference fades, the pinned one not counted: a quarter of a second
_BLUR: Final = 1 / 40  # of the shorter side: what differs over more than this is a difference of colour
_AGREE: Final = 0.9  # correlation of details from which two pictures show the same thing at the same place
_MOST_SHIFT: Final = 1 / 32  # of the shorter side that the model may have shifted the picture by


def pin_ends(frames: Iterator[U8], *, first: U8, last: U8 | None, count: int) -> Iterator[U8]:
    """`frames` with the first one exactly `first` and the last one exactly `last`, where there is one, each with a fade
    of a quarter of a second beside it.

    frames: uint8 (h, w, 3), `count` of them; first, last: the same size. The frames beside the ends are computed,
    the others pass as they are. Raises EngineFailed when the frames are not as many as `count`, or of another size.
    """
    taken = 0
    fade: _Fade | None = None
    held: deque[U8] = deque()  # the frames beside the end, whose fade is known when the last one is there
    wait = FADE if last is not None else 0
    for n, frame in enumerate(frames):
        taken = n + 1
        if taken > count or frame.shape != first.shape:
            raise EngineFailed(
                f"The model promised {count} frames of {first.shape[1]}x{first.shape[0]}; "
                f"frame {n} is {frame.shape[1]}x{frame.shape[0]}."
            )
        if n == 0:
            fade, made = _Fade(frame, first), first
        else:
            made = frame if fade is None or n > FADE else fade.apply(frame, n)
        held.append(made)
        if len(held) > wait:
            yield held.popleft()
    if taken != count:
        raise EngineFailed(f"The model promised {count} frames and delivered {taken}.")
    if last is None or not held:
        return
    fade = _Fade(held.pop(), last)
    for distance in range(len(held), 0, -1):
        made = held.popleft()
        yield made if distance == count - 1 else fade.apply(made, distance)  # frame 0 stays the picture
    yield last


class _Fade:
    """What a frame lacks of the picture that replaces it, laid over the frames beside it and fading.

    Where both show the same at the same place, the whole difference is added to the frames beside: what moves in them
    goes on moving, in the colours and details of the picture. A frame that is shifted is brought to its place first,
    and the frames beside it slide back. Where they show different things, only the difference of colour is added, and
    details cross-fade: adding the picture's details and taking away the frame's own would leave a relief of each.
    """

    def __init__(self, frame: U8, picture: U8) -> None:
        """frame, picture: uint8 (h, w, 3)."""
        self._picture = picture
        self._shift = (0.0, 0.0)
        agree = _correlate(frame, picture) >= _AGREE
        if not agree:
            shift = _find_shift(frame, picture)
            agree = _correlate(_move(frame, *shift), picture) >= _AGREE
            self._shift = shift if agree else (0.0, 0.0)
        difference = picture.astype(np.float32) - _move(frame, *self._shift).astype(np.float32)
        self._agree = agree
        self._difference: F32 = difference if agree else _blur(difference)

    def apply(self, frame: U8, distance: int) -> U8:
        """The frame so many frames beside the pinned one. uint8 (h, w, 3); so is what is returned."""
        share = _share(distance)
        moved = _move(frame, self._shift[0] * share, self._shift[1] * share)
        made = moved.astype(np.float32) + self._difference * np.float32(share)
        if not self._agree:
            made = made * np.float32(1 - share) + self._picture.astype(np.float32) * np.float32(share)
        result: U8 = np.clip(np.rint(made), 0, 255).astype(np.uint8)
        return result


def _share(distance: int) -> float:
    """How much of the difference is left so many frames beside the pinned one: 1 at it, 0 behind the fade, smooth."""
    x = min(distance / (FADE + 1), 1.0)
    return 1 - x * x * (3 - 2 * x)


def _correlate(frame: U8, picture: U8) -> float:
    """How well the details of two pictures agree, -1..1; 1 where neither has any."""
    a, b = (_details(each) for each in (frame, picture))
    energy = float(np.sqrt(np.mean(a * a) * np.mean(b * b)))
    return float(np.mean(a * b)) / energy if energy > 1e-3 else 1.0


def _find_shift(frame: U8, picture: U8) -> tuple[float, float]:
    """(right, down) in pixels by which the frame is to be moved to lie on the picture; (0, 0) if it is none or far."""
    a, b = (_details(each) for each in (frame, picture))
    height, width = a.shape
    (right, down), _ = cv2.phaseCorrelate(a, b, cv2.createHanningWindow((width, height), cv2.CV_32F))
    return (right, down) if np.hypot(right, down) <= min(height, width) * _MOST_SHIFT else (0.0, 0.0)


def _move(frame: U8, right: float, down: float) -> U8:
    """Moved by so many pixels; what comes in at the edges repeats them. uint8 (h, w, 3)."""
    if not (right or down):
        return frame
    height, width = frame.shape[:2]
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _details(picture: U8) -> F32:
    """Luma without what differs over wide distances only. uint8 (h, w, 3) -> float32 (h, w)."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    return grey - _blur(grey)


def _blur(values: F32) -> F32:
    """float32 (h, w) or (h, w, 3), without details."""
    sigma = min(values.shape[:2]) * _BLUR
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
