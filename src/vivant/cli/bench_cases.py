"""The typical clips of `vivant bench`: which picture, which words, and what such a clip may cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from vivant.assets import asset
from vivant.errors import VivantError
from vivant.media import U8, Pictures, fit

# Of the clip's time to that of encoding it and warping every frame once.
CAMERA_ALONE: Final = 1.5
USUAL_LIFE: Final = 2.5
COSTLY: Final = 4.0  # fire, mist, surf or a falling night is drawn
MEMORY_MIB: Final = 512  # above the loaded worker


class UnknownCase(VivantError):
    """There is no typical clip of that name."""

    code = "UNKNOWN_CASE"


@dataclass(frozen=True, slots=True)
class Case:
    """first: the stem of a photo in assets/photos, or the path of a file. last: another photo, or "closer" for the
    middle of the first, as if the camera had gone nearer; "" for none. budget: see above."""

    name: str
    first: str | Path
    prompt: str
    budget: float
    last: str = ""

    def load(self) -> Pictures:
        """New arrays at each call."""
        first = _photo(self.first)
        if self.last == "closer":
            return Pictures(first, _middle(first))
        return Pictures(first, _photo(self.last) if self.last else None)


CASES: Final = (
    Case("camera", "city_night", "The camera pans slowly to the right. No clouds, no wind, no water.", CAMERA_ALONE),
    Case("landscape", "mountain_lake", "The camera pans slowly to the right across the lake.", USUAL_LIFE),
    Case("sea", "waves_sunset", "Waves roll in and break on the rocks. Handheld camera, wind.", COSTLY),
    Case(
        "portrait", "portrait_barkla",
        'The camera slowly pushes in. The man says warmly: "Every picture has a story." Calm piano music.', USUAL_LIFE,
    ),
    Case("animal", "dragonfly", "The dragonfly rests as the leaves sway in the wind. Slow dolly in.", USUAL_LIFE),
    Case("rain", "city_night", "Night in the city, heavy rain falls. The camera tilts up slowly.", USUAL_LIFE),
    Case("food", "fig_bowl", "Half a fig in a red bowl. The camera orbits slowly to the left.", USUAL_LIFE),
    Case("drawing", "drawing_cat", "The cat looks at the sea, the boat rocks on gentle waves. Zoom in.", USUAL_LIFE),
    Case("nearer", "mountain_lake", "The camera moves from the first picture to the last.", USUAL_LIFE, "closer"),
    Case("other", "mountain_lake", "From the lake to the sea.", USUAL_LIFE, "waves_sunset"),
    Case("mist", "mountain_lake", "Thick mist drifts over the lake. The camera pushes in slowly.", COSTLY),
    Case("nightfall", "mountain_lake", "Night falls over the lake. The camera is still.", COSTLY),
)  # fmt: skip


def find_cases(names: list[str]) -> tuple[Case, ...]:
    """Those of these names, in the order of CASES; all where no name is given. Raises UnknownCase."""
    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            raise UnknownCase(f"There is no typical clip {name!r}. There are: {', '.join(known)}.")
    return tuple(case for case in CASES if case.name in names or not names)


def _photo(name: str | Path) -> U8:
    with name.open("rb") if isinstance(name, Path) else asset(f"photos/{name}.jpg").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGB"))


def _middle(picture: U8) -> U8:
    """The middle 70 % of each side, at the size of the whole."""
    h, w = picture.shape[:2]
    top, left = round(0.15 * h), round(0.15 * w)
    return fit(np.ascontiguousarray(picture[top : h - top, left : w - left]), w, h)
