"""What a caller asks for. `Brief` is the ask as it arrives, before any picture was seen; `VideoRequest` is the ask
resolved against the first frame: canvas, seed and all. Both are frozen and cannot be wrong once built.

The size table, the ratio rule, the frame count and the token formula are the contract of Seedance 1.5 Pro; the
sources are named in docs/api.md. This module knows numbers only: no pixels, no HTTP.
"""

from __future__ import annotations

import secrets
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
ADAPTIVE: Final = "adaptive"

# Seedance 1.5 Pro pixel sizes, (width, height). All even; several are not multiples of 4 or 8.
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

# Bounds of a picture, both ends excluded, judged after EXIF orientation.
PICTURE_SIDE: Final = (300, 6000)  # pixels
PICTURE_ASPECT: Final = (Fraction(2, 5), Fraction(5, 2))  # width / height
PICTURE_BYTES: Final = 30 * 2**20


class Tier(StrEnum):
    """`default` is online; `flex` is offline at half the price."""

    DEFAULT = "default"
    FLEX = "flex"


@dataclass(frozen=True, slots=True)
class Canvas:
    """Width x height in pixels (both even) x `frames` at 24 fps."""

    width: int
    height: int
    frames: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.width % 2 or self.height % 2 or self.frames < 1:
            raise ValueError(f"A canvas has even positive sides and at least one frame, got {self}.")

    @classmethod
    def of(cls, resolution: str, ratio: str, seconds: int) -> Canvas:
        """The canvas of the size table; 24·seconds + 1 frames, as the hosted model delivers (5 s is 121)."""
        width, height = SIZES[resolution, ratio]
        return cls(width, height, FPS * seconds + 1)

    @property
    def tokens(self) -> int:
        """Billing tokens: floor(W·H·frames / 1024); agrees with live usage numbers of the hosted model."""
        return self.width * self.height * self.frames // 1024


def nearest_ratio(width: int, height: int) -> str:
    """The contract's ratio closest to width / height, by absolute difference; a tie goes to the earlier in RATIOS."""

    def distance(ratio: str) -> Fraction:
        a, b = ratio.split(":")
        return abs(Fraction(width, height) - Fraction(int(a), int(b)))

    return min(RATIOS, key=distance)


def check_picture_size(width: int, height: int, *, field: str) -> None:
    """Raise PictureOutOfBounds unless both sides and the aspect lie strictly inside the contract's intervals."""
    low, high = PICTURE_SIDE
    if not (low < width < high and low < height < high):
        kind = PictureTooLarge if max(width, height) >= high else PictureOutOfBounds
        raise kind(
            f"{field}: each side must be more than {low} and less than {high} px; this picture is {width}x{height}.",
            field=field,
        )
    narrow, wide = PICTURE_ASPECT
    if not narrow < Fraction(width, height) < wide:
        raise PictureOutOfBounds(
            f"{field}: width / height must be more than {float(narrow)} and less than {float(wide)}; "
            f"this picture is {width}x{height}, which is {width / height:.3f}.",
            field=field,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The ask as it arrives, before any picture was seen.

    Raises InvalidRequest, naming the field, when built with a value outside the contract.
    """

    prompt: str
    resolution: str = "720p"
    ratio: str = ADAPTIVE
    seconds: int = 5
    seed: int = -1  # -1: choose one at submit
    camera_fixed: bool = False
    watermark: bool = False
    generate_audio: bool = True
    tier: Tier = Tier.DEFAULT
    expires_after: int = 172_800  # seconds from creation

    def __post_init__(self) -> None:
        if self.resolution not in RESOLUTIONS:
            raise InvalidRequest(_one_of("resolution", self.resolution, RESOLUTIONS), field="resolution")
        if self.ratio not in (*RATIOS, ADAPTIVE):
            raise InvalidRequest(_one_of("ratio", self.ratio, (*RATIOS, ADAPTIVE)), field="ratio")
        for field, value, low, high in (
            ("duration", self.seconds, SECONDS[0], SECONDS[-1]),
            ("seed", self.seed, -1, SEED_MAX),
            ("execution_expires_after", self.expires_after, EXPIRES_AFTER[0], EXPIRES_AFTER[-1]),
        ):
            if not low <= value <= high:
                raise InvalidRequest(f"{field}: must be an integer from {low} to {high}, got {value}.", field=field)

    def resolve(self, width: int, height: int, *, has_last_frame: bool) -> VideoRequest:
        """The request for a first frame of this size (pixels, after EXIF orientation). Seed -1 becomes a real seed."""
        ratio = nearest_ratio(width, height) if self.ratio == ADAPTIVE else self.ratio
        return VideoRequest(
            prompt=self.prompt,
            resolution=self.resolution,
            ratio=ratio,
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
    """A resolved ask: nothing left to choose. The pictures themselves live in storage beside the task."""

    prompt: str
    resolution: str
    ratio: str  # never "adaptive"
    seconds: int
    seed: int  # 0..4294967295
    camera_fixed: bool
    watermark: bool
    generate_audio: bool
    tier: Tier
    expires_after: int
    has_last_frame: bool

    @property
    def canvas(self) -> Canvas:
        return Canvas.of(self.resolution, self.ratio, self.seconds)

    def to_data(self) -> dict[str, Any]:
        """Plain data for the record; `from_data` reads it back."""
        return {"version": REQUEST_VERSION, **asdict(self), "tier": self.tier.value}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> VideoRequest:
        """Read what `to_data` wrote. Raises ValueError for a version this program does not know."""
        fields = dict(data)
        version = fields.pop("version", None)
        if version != REQUEST_VERSION:
            raise ValueError(f"A stored request of version {version!r} cannot be read; known: {REQUEST_VERSION}.")
        return cls(**{**fields, "tier": Tier(fields["tier"])})


def _one_of(field: str, value: object, allowed: tuple[str, ...]) -> str:
    return f"{field}: must be one of {', '.join(allowed)}; got {value!r}."
