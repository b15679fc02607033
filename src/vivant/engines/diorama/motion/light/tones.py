"""What light does to luma and chroma, as tones (see fields.GAIN …): how one is made of a colour of light, and how two
follow each other. Knows no place and no time.

Luma is 0..219 above black, chroma in the same 1/255 of video levels about grey. Colours of light are linear RGB.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from vivant.engines.diorama.motion.fields import CB, CB_BY_LUMA, COLOUR, CR, CR_BY_LUMA, GAIN, LIFT
from vivant.media import F32, F64

_GAMMA: Final = 1 / 2.2
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722])  # BT.709
_BLUE, _RED = 224 / 1.8556, 224 / 1.5748  # levels of chroma for a difference of 1 between B' or R' and Y'
FULL: Final = 219.0  # luma of white above black


class Colour(NamedTuple):
    """Luma above black, and chroma about grey, of a colour; floats or float32 arrays of one shape."""

    luma: F32
    cb: F32
    cr: F32


def neutral(rows: int, columns: int) -> F32:
    """float32 (7, rows, columns): light as it is."""
    tone = np.zeros((7, rows, columns), np.float32)
    tone[GAIN] = tone[COLOUR] = 1
    return tone


def colour_of(linear: F64 | F32) -> Colour:
    """Of linear RGB (..., 3), 0..1; of many colours float32 is precise enough, and takes a third of the time."""
    rgb = np.power(np.maximum(linear, 0), linear.dtype.type(_GAMMA))
    luma = rgb @ _LUMA.astype(linear.dtype)
    return Colour(
        np.asarray(FULL * luma, np.float32),
        np.asarray(_BLUE * (rgb[..., 2] - luma), np.float32),
        np.asarray(_RED * (rgb[..., 0] - luma), np.float32),
    )


def lit_by(linear: F64, saturation: float = 1.0) -> F32:
    """float32 (7, 1, 1): the tone of things that are lit by this light where they were lit by white of 1. linear:
    float64 (3,), RGB."""
    tone = np.zeros((7, 1, 1), np.float32)
    rgb = np.power(np.maximum(linear, 0), _GAMMA)
    luma = float(rgb @ _LUMA)
    tone[GAIN] = luma
    tone[COLOUR] = luma * saturation
    tone[CB_BY_LUMA] = _BLUE / FULL * (rgb[2] - luma)
    tone[CR_BY_LUMA] = _RED / FULL * (rgb[0] - luma)
    return tone


def towards(tone: F32, share: F32 | float) -> F32:
    """The tone as far as `share`, 0..1, float32 (rows, columns) or a number; the rest stays as it is. Tone: float32
    (7, rows or 1, columns or 1)."""
    same = neutral(1, 1)
    return np.asarray(same + np.float32(1) * share * (tone - same), np.float32)


def follow(first: F32, second: F32) -> F32:
    """float32 (7, rows, columns): `second` done to what `first` gives; either may be (7, 1, 1)."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    tone = np.empty(shape, np.float32)
    tone[GAIN] = second[GAIN] * first[GAIN]
    tone[LIFT] = second[GAIN] * first[LIFT] + second[LIFT]
    tone[COLOUR] = second[COLOUR] * first[COLOUR]
    for by_luma, added in ((CB_BY_LUMA, CB), (CR_BY_LUMA, CR)):
        tone[by_luma] = second[COLOUR] * first[by_luma] + second[by_luma] * first[GAIN]
        tone[added] = second[COLOUR] * first[added] + second[by_luma] * first[LIFT] + second[added]
    return tone


def screen(light: F32, colour: Colour) -> F32:
    """float32 (7, rows, columns): light that is seen before the picture, as mist is: it covers as much as it adds.
    light: float32 (rows, columns), 0..1; colour: of the light, numbers."""
    tone = np.zeros((7, *light.shape), np.float32)
    tone[GAIN] = tone[COLOUR] = 1 - light
    tone[LIFT] = light * colour.luma
    tone[CB] = light * colour.cb
    tone[CR] = light * colour.cr
    return tone
