"""What a caller asks for. `Brief` is the request as it arrives, before any picture was seen; `VideoRequest` is the
brief resolved against the first picture: canvas, seed and all. Both check themselves when they are built.

Sizes, ratio rule, frame count, picture bounds and token formula are those of Seedance 1.5 Pro; docs/api.md names the
sources. This module knows numbers only: no pixels, no HTTP, and no provider's names for fields.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from vivant.errors import InvalidRequest, PictureOutOfBounds, PictureTooLarge

FPS: Final = 24
SEED_MAX: Final = 2**32 - 1
SECONDS: Final = range(4, 13)
EXPIRES_AFTER: Final = range(3600, 259_201)  # seconds
REQUEST_VERSION: Final = 1

RESOLUTIONS: Final = ("480p", "720p", "1080p")
RATIOS: Final = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

# (resolution, ratio) -> (width, height) in pixels, of Seedance 1.5 Pro. All even; several no multiples of 4 or 8.
SIZES: Final[dict[tuple[str, str], tuple[int, int]]] = {
    ("480p", "16:9"): (864, 496),
    ("480p", "4:3"): (752, 560),
    ("480p", "1:1"): (640, 640),
    ("480p", "3:4"): (560, 752),
    ("480p", "9:16"): (496, 864),
    ("480p", "21:9"): (992, 432),
    ("720p", "16:9"): (1280, 720),
    ("720p", "4:3"): (1112, 834),
    ("720p", "1:1"): (960, 960),
    ("720p", "3:4"): (834, 1112),
    ("720p", "9:16"): (720, 1280),
    ("720p", "21:9"): (1470, 630),
    ("1080p", "16:9"): (1920, 1080),
    ("1080p", "4:3"): (1664, 1248),
    ("1080p", "1:1"): (1440, 1440),
    ("1080p", "3:4"): (1248, 1664),
    ("1080p", "9:16"): (1080, 1920),
    ("1080p", "21:9"): (2206, 946),
}

# Bounds of a picture, both ends excluded, measured after EXIF orientation is applied.
PICTURE_SIDE: Final = (300, 6000)  # pixels
PICTURE_ASPECT: Final = (Fraction(2, 5), Fraction(5, 2))  # width / height
PICTURE_BYTES: Final = 30 * 2**20


class Tier(StrEnum):
    """`default` is online; `flex` is offline at half the price."""

    DEFAULT = "default"
    FLEX = "flex"


@dataclass(frozen=True, slots=True)
class Canvas:
    """Width x height in pixels (both even) x `frames` at 24 fps. Raises ValueError for anything else."""

    width: int
    height: int
    frames: int

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            if type(value) is not int or value < 2 or value % 2:
                raise ValueError(f"A canvas's {name} is an even number of pixels, at least 2; got {value!r}.")
        if type(self.frames) is not int or self.frames < 1:
            raise ValueError(f"A canvas has a whole number of frames, at least 1; got {self.frames!r}.")

    @classmethod
    def of(cls, resolution: str, ratio: str, seconds: int) -> Canvas:
        """The canvas of the size table; 24·seconds + 1 frames, as the hosted model delivers (5 s is 121).

        Raises ValueError for a resolution, ratio or length that the table does not have.
        """
        if (resolution, ratio) not in SIZES or seconds not in SECONDS:
            raise ValueError(
                f"A canvas is chosen by one of {', '.join(RESOLUTIONS)}, one of {', '.join(RATIOS)} and "
                f"{SECONDS[0]} to {SECONDS[-1]} seconds; got {resolution!r}, {ratio!r} and {seconds!r}."
            )
        width, height = SIZES[resolution, ratio]
        return cls(width, height, FPS * seconds + 1)

    @property
    def tokens(self) -> int:
        """Billing tokens: floor(width · height · frames / 1024); equals the usage that the hosted model reports."""
        return self.width * self.height * self.frames // 1024


def nearest_ratio(width: int, height: int) -> str:
    """The ratio closest to width / height, by absolute difference; of two equally close, the earlier in RATIOS."""

    def distance(ratio: str) -> Fraction:
        a, b = ratio.split(":")
        return abs(Fraction(width, height) - Fraction(int(a), int(b)))

    return min(RATIOS, key=distance)


def check_picture_size(width: int, height: int) -> None:
    """Raise PictureOutOfBounds unless both sides (pixels) and the aspect lie strictly inside their bounds."""
    low, high = PICTURE_SIDE
    if not (low < width < high and low < height < high):
        kind = PictureTooLarge if max(width, height) >= high else PictureOutOfBounds
        raise kind(f"each side must be more than {low} and less than {high} px; this picture is {width}x{height}.")
    narrow, wide = PICTURE_ASPECT
    if not narrow < Fraction(width, height) < wide:
        raise PictureOutOfBounds(
            f"width / height must be more than {float(narrow)} and less than {float(wide)}; "
            f"this picture is {width}x{height}, which is {width / height:.3f}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The request as it arrives, before any picture was seen.

    Raises InvalidRequest, naming the field and what is allowed, when built with any other value.
    """

    prompt: str  # any text without U+0000 and unpaired surrogates, which databases cannot store
    resolution: str = "720p"  # one of RESOLUTIONS
    ratio: str | None = None  # one of RATIOS; None: the one nearest to the first picture's
    seconds: int = 5  # in SECONDS
    seed: int = -1  # 0..SEED_MAX; -1: choose one at submit
    camera_fixed: bool = False
    watermark: bool = False
    generate_audio: bool = True
    tier: Tier = Tier.DEFAULT
    expires_after: int = 172_800  # seconds from creation, in EXPIRES_AFTER

    def __post_init__(self) -> None:
        for field, problem in _problems(self, ratios=(*RATIOS, None), lowest_seed=-1):
            raise InvalidRequest(problem, field=field)

    def ratio_for(self, width: int, height: int) -> str:
        """The canvas's ratio when the first picture has this size; the last picture is cropped to it as well."""
        return self.ratio or nearest_ratio(width, height)

    def resolve(self, width: int, height: int, *, has_last_frame: bool) -> VideoRequest:
        """The request for a first picture of this size (pixels, upright). Seed -1 becomes a random seed."""
        return VideoRequest(
            prompt=self.prompt,
            resolution=self.resolution,
            ratio=self.ratio_for(width, height),
            seconds=self.seconds,
            seed=secrets.randbelow(SEED_MAX + 1) if self.seed == -1 else self.seed,
            camera_fixed=self.camera_fixed,
            watermark=self.watermark,
            generate_audio=self.generate_audio,
            tier=self.tier,
            expires_after=self.expires_after,
            has_last_frame=has_last_frame,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A resolved brief: nothing left to choose. The pictures themselves lie in storage beside the task.

    Raises ValueError when built with a value outside the bounds of `Brief`, an open ratio or an open seed.
    """

    prompt: str
    resolution: str
    ratio: str
    seconds: int
    seed: int
    camera_fixed: bool
    watermark: bool
    generate_audio: bool
    tier: Tier
    expires_after: int
    has_last_frame: bool

    def __post_init__(self) -> None:
        for field, problem in _problems(self, ratios=RATIOS, lowest_seed=0):
            raise ValueError(f"{field}: {problem}")
        if type(self.has_last_frame) is not bool:
            raise ValueError(f"has_last_frame: must be true or false, got {self.has_last_frame!r}.")

    @property
    def canvas(self) -> Canvas:
        return Canvas.of(self.resolution, self.ratio, self.seconds)

    def to_data(self) -> dict[str, Any]:
        """Plain data for the record; `from_data` reads it back."""
        return {"version": REQUEST_VERSION, **asdict(self), "tier": self.tier.value}

    @classmethod
    def from_data(cls, data: Any) -> VideoRequest:
        """Read what `to_data` wrote. Raises ValueError for anything else, also for unknown versions."""
        if not isinstance(data, dict):
            raise ValueError(f"A stored request is a JSON object, not {data!r:.80}.")
        fields = dict(data)
        version = fields.pop("version", None)
        if version != REQUEST_VERSION:
            raise ValueError(f"A stored request of version {version!r} cannot be read; known: {REQUEST_VERSION}.")
        try:
            return cls(**{**fields, "tier": Tier(fields["tier"])})
        except (KeyError, TypeError) as error:  # a field is missing or unknown
            raise ValueError(f"A stored request cannot be read: {error}.") from None


_NOT_STORED: Final = re.compile("[\0\ud800-\udfff]")


def _problems(
    request: Brief | VideoRequest, *, ratios: tuple[str | None, ...], lowest_seed: int
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """(field, what is allowed and what was given) for each wrong field."""
    given: Any = request  # whatever the annotations say
    if type(given.prompt) is not str or _NOT_STORED.search(given.prompt):
        yield "prompt", "must be a text without U+0000 and unpaired surrogates."
    for field, choice, choices in (("resolution", given.resolution, RESOLUTIONS), ("ratio", given.ratio, ratios)):
        if choice not in choices:
            yield field, f"must be one of {', '.join(map(str, choices))}; got {choice!r}."
    for field, number, low, high in (
        ("seconds", given.seconds, SECONDS[0], SECONDS[-1]),
        ("seed", given.seed, lowest_seed, SEED_MAX),
        ("expires_after", given.expires_after, EXPIRES_AFTER[0], EXPIRES_AFTER[-1]),
    ):
        if type(number) is not int or not low <= number <= high:
            yield field, f"must be an integer from {low} to {high}, got {number!r}."
    for field, switch in (
        ("camera_fixed", given.camera_fixed),
        ("watermark", given.watermark),
        ("generate_audio", given.generate_audio),
    ):
        if type(switch) is not bool:
            yield field, f"must be true or false, got {switch!r}."
    if not isinstance(given.tier, Tier):
        yield "tier", f"must be a Tier ({', '.join(Tier)}), got {given.tier!r}."
