"""From the samples of a decoded picture to sRGB."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageCms

from vivant.intake.decoding.formats import BAD_METADATA

BACKGROUND: Final = (255, 255, 255)  # white, laid under transparent pixels
ICC_BYTES: Final = 4 * 2**20  # the largest printer profiles in use have about 3 MB
_EIGHT_BITS: Final = [(value + 128) // 257 for value in range(65_536)]  # 65535 is 255 · 257


def to_srgb(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The decoded picture as sRGB at `size`, not yet turned upright."""
    picture = _to_plain_mode(picture)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I").point(_EIGHT_BITS, "L")
    colour, alpha = (picture, None)
    if picture.mode in ("LA", "RGBA"):
        colour, alpha = picture.convert(picture.mode[:-1]), picture.getchannel("A")
    rgb = _apply_profile(colour)
    return rgb if alpha is None else Image.composite(rgb, Image.new("RGB", rgb.size, BACKGROUND), alpha)


def _to_plain_mode(picture: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized: L, LA, RGB, RGBA, CMYK, LAB or 16-bit grey."""
    transparent = "transparency" in picture.info
    match picture.mode:
        case "1" | "L" | "RGB" if transparent:
            try:
                return picture.convert("RGBA")
            except BAD_METADATA:  # the transparent colour is 16-bit, the decoded picture 8-bit
                return picture
        case "L" | "LA" | "RGB" | "RGBA" | "CMYK" | "LAB":
            return picture
        case "P":
            return picture.convert("RGBA" if transparent else "RGB")
        case "PA" | "RGBa":
            return picture.convert("RGBA")
        case "La":
            return picture.convert("LA")
        case "1":
            return picture.convert("L")
        case mode if mode.startswith("I;16"):
            return picture
        case _:
            return picture.convert("RGB")


def _apply_profile(colour: Image.Image) -> Image.Image:
    """The picture in sRGB, converted by its embedded ICC profile; by its mode alone if it has none that fits."""
    profile = colour.info.get("icc_profile")
    if colour.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif isinstance(profile, bytes) and 0 < len(profile) <= ICC_BYTES:
        try:
            source = ImageCms.getOpenProfile(io.BytesIO(profile)).profile
        except BAD_METADATA:
            return colour.convert("RGB")
        if colour.mode == "RGB" and (source.profile_description or "").startswith("sRGB"):
            return colour
    else:
        return colour.convert("RGB")
    try:
        managed = ImageCms.profileToProfile(
            colour,
            ImageCms.ImageCmsProfile(source),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except BAD_METADATA:
        return colour.convert("RGB")
    return managed or colour
