"""Pictures in PQ and HLG, brought to the range of an ordinary screen as Chromium does it.

All are brought to PQ with the primaries of BT.2020 first. There the brightest of the three is brought down by a
curve and the other two in proportion, so that hues stay: the reference white tone mapping of SMPTE ST 2094-50 for a
display without headroom. What becomes of a sample then depends on itself and on the brightest, which is one exact
table of 256 by 256.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from vivant.intake.decoding.colour_spaces import HLG, PQ, PRIMARIES, ColourSpace, inverse, product

WHITE: Final = 203.0  # cd/m² of diffuse white (ITU-R BT.2408-7, 2.2)
HLG_PEAK: Final = 1000.0  # cd/m² of the display that HLG is shown on (ITU-R BT.2100-2, table 5: gamma 1.2)
NODES: Final = 33  # per axis of the lookup table to PQ
ORDINARY: Final = ColourSpace(*PRIMARIES[9], 13)  # of the result: BT.2020 with sRGB's curve
_PQ: Final = ColourSpace(*PRIMARIES[9], PQ)


def to_ordinary_range(rgb: Image.Image, space: ColourSpace) -> Image.Image:
    """The picture in ORDINARY, 8-bit RGB, from 8-bit RGB of a PQ or HLG space."""
    if space.transfer != PQ or space.to_pcs() != _PQ.to_pcs():
        rgb = rgb.filter(_table_to_pq(space))
    channels = rgb.split()
    brightest = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    table = _tone_mapping(space.peak / WHITE)
    mapped = []
    for channel in channels:
        pairs = Image.merge("LA", (channel, brightest)).tobytes()  # as numbers of 16 bits: 256 · brightest + sample
        mapped.append(Image.frombytes("I;16", rgb.size, pairs).convert("I").point(table, "L"))
    return Image.merge("RGB", mapped)


@lru_cache(maxsize=4)
def _tone_mapping(peak: float) -> list[int]:
    """The sample of ORDINARY for 256 · the brightest of a pixel's PQ samples + one of them; peak in parts of WHITE."""
    lights = [_from_pq(sample / 255) for sample in range(256)]
    table = [0] * 65_536
    for brightest in range(1, 256):
        gain = _bring_down(lights[brightest], peak) / lights[brightest]
        for sample in range(brightest + 1):
            table[256 * brightest + sample] = round(255 * _encode(min(1.0, gain * lights[sample])))
    return table


@lru_cache(maxsize=4)
def _table_to_pq(space: ColourSpace) -> ImageFilter.Color3DLUT:
    """A lookup table from samples of a PQ or HLG space to samples of PQ in BT.2020. HLG is shown on HLG_PEAK."""
    matrix = product(inverse(_PQ.to_pcs()), space.to_pcs())
    weights = space.to_pcs()[1]  # luminance of each primary, in parts of white's
    is_hlg = space.transfer == HLG
    axis = [(_from_hlg if is_hlg else _from_pq)(node / (NODES - 1)) for node in range(NODES)]
    table: list[float] = []
    for blue in axis:
        for green in axis:
            for red in axis:
                gain = 1.0
                if is_hlg:  # the display's own curve works on luminance (BT.2100-2, table 5, OOTF)
                    luminance = weights[0] * red + weights[1] * green + weights[2] * blue
                    gain = HLG_PEAK / WHITE * luminance**0.2
                table += [_to_pq(gain * (row[0] * red + row[1] * green + row[2] * blue)) for row in matrix]
    return ImageFilter.Color3DLUT(NODES, table)


def _from_pq(sample: float) -> float:
    """Light in parts of diffuse white (ITU-R BT.2100-2, table 4, EOTF)."""
    power = sample ** (32 / 2523)
    linear = max(power - 3424 / 4096, 0.0) / (2413 / 128 - 2392 / 128 * power)
    return 10_000 / WHITE * float(linear ** (16_384 / 2610))


def _to_pq(light: float) -> float:
    """The inverse of _from_pq."""
    power = max(0.0, light * WHITE / 10_000) ** (2610 / 16_384)
    return float(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def _from_hlg(sample: float) -> float:
    """Light of the scene in 0..1 (BT.2100-2, table 5, inverse OETF)."""
    if sample <= 0.5:
        return sample * sample / 3
    return (math.exp((sample - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _bring_down(light: float, peak: float) -> float:
    """Light brought into 0..1, both in parts of diffuse white; `peak` is the brightest of the picture.

    Diffuse white becomes 0.5 when the peak is 1000 cd/m² or more, more when it is less; below it the curve is
    straight, above it a quadratic Bézier curve whose middle point lies 0.65 of the way along the straight part's
    continuation (ST 2094-50, reference white tone mapping). A peak below diffuse white needs nothing.
    """
    if peak <= 1:
        return light
    white = 1 - 0.5 * min(math.log(peak) / math.log(1000 / WHITE), 1.0)
    if light <= 1:
        return white * light
    if light >= peak:
        return 1.0
    middle_x, middle_y = 0.35 + 0.65 / white, 0.35 * white + 0.65
    a, b, c = 1 - 2 * middle_x + peak, 2 * middle_x - 2, 1 - light
    t = -c / b if abs(a) < 1e-9 else (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
    return (1 - t) ** 2 * white + 2 * t * (1 - t) * middle_y + t * t


def _encode(light: float) -> float:
    """Light to an sRGB sample, both in 0..1 (IEC 61966-2-1)."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
