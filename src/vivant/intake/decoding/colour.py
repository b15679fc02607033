"""From the samples of a decoded picture to sRGB."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageCms

from vivant.intake.decoding.colour_spaces import ColourSpace, DeclaredColour, icc_profile
from vivant.intake.decoding.formats import BAD_METADATA
from vivant.intake.decoding.high_dynamic_range import ORDINARY, to_ordinary_range

BACKGROUND: Final = (255, 255, 255)  # white, laid under transparent pixels
ICC_BYTES: Final = 4 * 2**20  # the largest printer profiles in use have about 3 MB
_EIGHT_BITS: Final = [(value + 128) // 257 for value in range(65_536)]  # 65535 is 255 · 257
_LEVELS: Final = (0, 20, 64, 128, 200, 255)  # of the colours on which a profile is tried


def to_srgb(picture: Image.Image, size: tuple[int, int], declared: DeclaredColour) -> Image.Image:
    """The decoded picture as sRGB at `size`, not yet turned upright."""
    picture = to_plain_mode(picture)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if picture.mode.startswith("I;16"):
        picture = _to_eight_bits(picture)
    colour, alpha = (picture, None)
    if picture.mode in ("LA", "RGBA"):
        colour, alpha = picture.convert(picture.mode[:-1]), picture.getchannel("A")
    rgb = _convert(colour, declared)
    return rgb if alpha is None else Image.composite(rgb, Image.new("RGB", rgb.size, BACKGROUND), alpha)


def to_plain_mode(picture: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized: L, LA, RGB, RGBA, CMYK, LAB or 16-bit grey."""
    transparent = picture.info.get("transparency")
    match picture.mode:
        case "1" | "L" | "RGB" if transparent is not None:
            try:
                return picture.convert("RGBA")
            except BAD_METADATA:  # the transparent colour is 16-bit, the decoded picture 8-bit
                return picture
        case "L" | "LA" | "RGB" | "RGBA" | "CMYK" | "LAB":
            return picture
        case "P":
            return picture.convert("RGB" if transparent is None else "RGBA")
        case "PA" | "RGBa":
            return picture.convert("RGBA")
        case "La":
            return picture.convert("LA")
        case "1":
            return picture.convert("L")
        case mode if mode.startswith("I;16"):
            if mode != "I;16":  # Pillow resizes the other byte order wrongly
                picture = picture.convert("I").convert("I;16")
            if not isinstance(transparent, int):
                return picture
            opaque = [255 * (value != transparent) for value in range(65_536)]
            return _with_info(picture, Image.merge("LA", (_to_eight_bits(picture), _look_up(picture, opaque))))
        case _:
            return picture.convert("RGB")


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit grey in 8 bits. In a TIFF, zero may be white (TIFF 6.0, PhotometricInterpretation 0)."""
    white_is_zero = picture.info.get("white is zero", False)
    return _with_info(picture, _look_up(picture, _EIGHT_BITS[::-1] if white_is_zero else _EIGHT_BITS))


def _look_up(picture: Image.Image, table: list[int]) -> Image.Image:
    return picture.convert("I").point(table, "L")


def _with_info(source: Image.Image, made: Image.Image) -> Image.Image:
    """The picture made of another, with its colour profile."""
    made.info.update({key: value for key, value in source.info.items() if key == "icc_profile"})
    return made


def _convert(colour: Image.Image, declared: DeclaredColour) -> Image.Image:
    """The picture in sRGB by the first of what the file says: cICP, ICC profile, sRGB chunk, gAMA with cHRM; by its
    mode alone if it says nothing that fits."""
    if declared.coded is not None:
        return _from_space(colour, declared.coded)
    by_profile = _from_profile(colour)
    if by_profile is not None:
        return by_profile
    if declared.calibrated is not None and not declared.is_srgb:
        return _from_space(colour, declared.calibrated)
    return colour.convert("RGB")


def _from_space(colour: Image.Image, space: ColourSpace) -> Image.Image:
    rgb = colour.convert("RGB")
    if space.high_dynamic_range:
        rgb, space = to_ordinary_range(rgb, space), ORDINARY
    made = ImageCms.getOpenProfile(io.BytesIO(icc_profile(space)))
    return _through(rgb, made) or rgb


def _from_profile(colour: Image.Image) -> Image.Image | None:
    """The picture converted by its embedded ICC profile; None when it has none that fits."""
    profile = colour.info.get("icc_profile")
    if colour.mode == "LAB":
        return _through(colour, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if not isinstance(profile, bytes) or not 0 < len(profile) <= ICC_BYTES:
        return None
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "RGB" and colour.mode == "L":
            colour = colour.convert("RGB")
        if colour.mode == "RGB" and _changes_nothing(source):
            return colour
        return _through(colour, source)
    except BAD_METADATA:
        return None


def _through(colour: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """The picture in sRGB through a profile: relative colorimetric without black point compensation, as in browsers."""
    try:
        return ImageCms.profileToProfile(
            colour,
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except BAD_METADATA:
        return None


def _changes_nothing(source: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile is that of sRGB: no colour of a coarse grid moves by more than one level."""
    grid = bytes(level for r in _LEVELS for g in _LEVELS for b in _LEVELS for level in (r, g, b))
    tile = Image.frombytes("RGB", (len(grid) // 3, 1), grid)
    moved = _through(tile, source)
    return moved is not None and all(abs(a - b) <= 1 for a, b in zip(grid, moved.tobytes(), strict=True))
