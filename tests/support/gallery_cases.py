"""What the gallery shows: the cases of gallery_cases.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from support.clips import photo
from support.liveliness import Box
from vivant.media import U8, Pictures
from vivant.request import Brief

CASES: Final = Path(__file__).with_name("gallery_cases.toml")
WHOLE: Final[Box] = (0, 0, 1, 1)
Kind = Literal[
    "plants", "clouds", "water", "falls", "surf", "mist", "weather", "air", "fire", "light", "camera", "animal",
    "travel", "face", "cloth", "first to last",
]  # fmt: skip
KINDS: Final[tuple[str, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One clip of the gallery; gallery_cases.toml explains the fields."""

    name: str
    picture: str
    prompt: str
    must_move: str
    kind: str = ""  # one of KINDS; "" only in tables of an earlier form
    where: Box = WHOLE
    at_least: float = 0.5
    changed: float = 0.0
    camera: float = 0.0
    seconds: int = 4
    last: str = ""
    last_part: Box = WHOLE
    last_light: tuple[float, float, float] = (1, 1, 1)
    camera_fixed: bool = False
    still: Box | None = None  # what has to keep still, under a camera that stands
    shows: tuple[str, ...] = ()  # what the storyboard has to list for it, as "motion.rain"

    @property
    def brief(self) -> Brief:
        return Brief(
            prompt=self.prompt, resolution="480p", seconds=self.seconds, seed=8, camera_fixed=self.camera_fixed
        )

    def pictures(self) -> Pictures:
        return Pictures(photo(self.picture), self._last_picture() if self.last else None)

    def _last_picture(self) -> U8:
        lit = photo(self.last) * np.array(self.last_light, np.float32)
        return _cut(np.asarray(np.clip(lit, 0, 255), np.uint8), self.last_part)


def load_cases(path: Path = CASES) -> list[Case]:
    """The cases of a file. Raises ValueError for two of one name and for a kind that there is not, TypeError for a
    field that no case has."""
    cases = [_case(fields) for fields in tomllib.loads(path.read_text(encoding="utf-8"))["case"]]
    unknown = {case.kind for case in cases} - set(KINDS)
    if unknown:
        raise ValueError(f"There is no kind {', '.join(map(repr, sorted(unknown)))}; it is one of {', '.join(KINDS)}.")
    if len({case.name for case in cases}) < len(cases):
        raise ValueError(f"Two cases of {path.name} have the same name.")
    return cases


def _case(fields: dict[str, Any]) -> Case:
    hashable: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
    return Case(**hashable)


def _cut(picture: U8, part: Box) -> U8:
    height, width = picture.shape[:2]
    left, top, right, bottom = part
    return picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
