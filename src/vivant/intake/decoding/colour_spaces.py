"""Colour spaces by their numbers: primaries, white and transfer function, and ICC profiles made of them.

Numbers are those of PNG's cICP chunk, which are those of ITU-T H.273 (07/2024), tables 2 and 3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Chromaticity = tuple[float, float]  # CIE 1931 x, y
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Vector = tuple[float, float, float]
Curve = Callable[[float], float]  # from a sample in 0..1 to light, 1 being white

D65: Final = (0.3127, 0.3290)
# H.273 table 2: red, green, blue, white.
PRIMARIES: Final[dict[int, tuple[Chromaticity, Chromaticity, Chromaticity, Chromaticity]]] = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), (0.310, 0.316)),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), (0.310, 0.316)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    10: ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}
PQ: Final = 16
HLG: Final = 18


def _smpte240(v: float) -> float:
    return v / 4 if v < 0.0912 else ((v + 0.1115) / 1.1115) ** (1 / 0.45)


def _srgb(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def _bt1886(v: float) -> float:
    return float(v**2.4)  # what a display makes of BT.709's signal (ITU-R BT.1886), and what browsers do


# H.273 table 3, inverted. Logarithmic ones (9, 10) are used by no picture and are not known to browsers.
_CURVES: Final[dict[int, Curve]] = {
    1: _bt1886, 6: _bt1886, 11: _bt1886, 14: _bt1886, 15: _bt1886, 7: _smpte240, 13: _srgb,
    4: lambda v: v**2.2, 5: lambda v: v**2.8, 8: lambda v: v, 17: lambda v: 52.37 / 48 * v**2.6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """red, green, blue, white: CIE xy. transfer: a code of H.273, or the exponent of a power function as a float.

    peak: cd/m² of the brightest light in the picture; means something for PQ and HLG only. Raises ValueError for
    primaries that span no space and for transfer functions that are not known.
    """

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity
    transfer: int | float
    peak: float = 1000.0

    def __post_init__(self) -> None:
        if isinstance(self.transfer, int) and self.transfer not in (*_CURVES, PQ, HLG):
            raise ValueError(f"Transfer function {self.transfer} is not known.")
        if not (isinstance(self.transfer, int) or 0 < self.transfer < 1e6):
            raise ValueError(f"An exponent of {self.transfer} makes no sense.")
        if min(*self.red, *self.green, *self.blue) < 0 or not (self.white[0] > 0 < self.white[1]):
            raise ValueError("Chromaticities must not be negative.")
        self.to_pcs()  # raises ValueError when it does not exist

    @property
    def high_dynamic_range(self) -> bool:
        return self.transfer in (PQ, HLG)

    def to_pcs(self) -> Matrix:
        """From linear RGB to CIE XYZ with a white of D50, as in ICC profiles (ICC.1:2022, annex E: Bradford)."""
        columns = [(x, y, 1 - x - y) for x, y in (self.red, self.green, self.blue)]
        unscaled = _transpose((columns[0], columns[1], columns[2]))
        x, y = self.white
        white = (x / y, 1.0, (1 - x - y) / y)
        gains = apply(inverse(unscaled), white)
        to_xyz = _transpose(_scale(_transpose(unscaled), gains))
        source, target = apply(_BRADFORD, white), apply(_BRADFORD, D50)
        ratios = (target[0] / source[0], target[1] / source[1], target[2] / source[2])
        return product(product(inverse(_BRADFORD), _scale(_BRADFORD, ratios)), to_xyz)

    def linear(self, sample: float) -> float:
        """The light of a sample in 0..1. Not for PQ and HLG, see high_dynamic_range.py."""
        if isinstance(self.transfer, float):
            return float(sample**self.transfer)
        return _CURVES[self.transfer](sample)


@dataclass(frozen=True, slots=True)
class DeclaredColour:
    """What a PNG says of its colours besides an ICC profile: the space of cICP, whether there is an sRGB chunk, and
    the space of gAMA and cHRM. The first of cICP, ICC profile, sRGB, gAMA counts (PNG 3rd edition, 4.3)."""

    coded: ColourSpace | None = None
    is_srgb: bool = False
    calibrated: ColourSpace | None = None


def coded_space(primaries: int, transfer: int, peak: float) -> ColourSpace | None:
    """The space of these codes of H.273; None when one of them is not known."""
    if primaries not in PRIMARIES or transfer not in (*_CURVES, PQ, HLG):
        return None
    return ColourSpace(*PRIMARIES[primaries], transfer, peak)


def icc_profile(space: ColourSpace) -> bytes:
    """An ICC profile of the space: version 2, three primaries and curves (ICC.1:2001-04, 6.3.2.2)."""
    matrix = space.to_pcs()
    table = [round(65_535 * min(1.0, max(0.0, space.linear(sample / 255)))) for sample in range(256)]
    curve = b"curv\0\0\0\0" + struct.pack(">I256H", 256, *table)
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 1) + bytes(79), b"wtpt": _xyz(D50)}
    for channel, letter in enumerate((b"r", b"g", b"b")):
        tags[letter + b"XYZ"] = _xyz((matrix[0][channel], matrix[1][channel], matrix[2][channel]))
        tags[letter + b"TRC"] = curve
    index, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags.items():
        index += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I", start + len(body)) + b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp"
    return head.ljust(68, b"\0") + _xyz(D50)[8:] + bytes(48) + index + body


def _xyz(values: Vector) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(max(-(2**31), min(2**31 - 1, round(v * 65_536))) for v in values))


D50: Final = (0.9642, 1.0, 0.8249)  # XYZ, as ICC.1 rounds it
_BRADFORD: Final = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def apply(matrix: Matrix, vector: Vector) -> Vector:
    """The product of a matrix and a column."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    x, y, z = vector
    return a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z


def product(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices."""
    columns = _transpose(right)
    return _transpose((apply(left, columns[0]), apply(left, columns[1]), apply(left, columns[2])))


def inverse(matrix: Matrix) -> Matrix:
    """The inverse. Raises ValueError when there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if abs(determinant) < 1e-9:
        raise ValueError("The matrix has no inverse.")
    return (
        ((e * i - f * h) / determinant, (c * h - b * i) / determinant, (b * f - c * e) / determinant),
        ((f * g - d * i) / determinant, (a * i - c * g) / determinant, (c * d - a * f) / determinant),
        ((d * h - e * g) / determinant, (b * g - a * h) / determinant, (a * e - b * d) / determinant),
    )


def _transpose(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    return (a, d, g), (b, e, h), (c, f, i)


def _scale(rows: Matrix, by: Vector) -> Matrix:
    """The matrix with each row multiplied."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    p, q, r = by
    return (a * p, b * p, c * p), (d * q, e * q, f * q), (g * r, h * r, i * r)
