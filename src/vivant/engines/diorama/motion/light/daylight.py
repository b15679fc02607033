"""From day over gold, sunset and the blue hour into night: what lights the ground, and the sky's own gradient, which
takes the place of its colours while its clouds stay.

The gains, tints and gradients were set by eye on photographs, at five moments from day (0) to night (1).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import CB, COLOUR, CR, GAIN, LIFT
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import Colour, colour_of, follow, lit_by, neutral, towards
from vivant.engines.diorama.storyboard import DAY
from vivant.media import F32, F64

GOLD, SUNSET, BLUE, NIGHT = 0.35, 0.55, 0.75, 1.0
_STOPS: Final = np.array([0.0, GOLD, SUNSET, BLUE, NIGHT])
_GAIN: Final = np.array([1.0, 0.76, 0.46, 0.24, 0.145])
_TINT: Final = np.array([[1, 1, 1], [1.12, 0.9, 0.66], [0.92, 0.64, 0.55], [0.46, 0.55, 0.82], [0.36, 0.54, 1.05]])
_SATURATION: Final = np.array([1.0, 1.08, 1.0, 0.75, 0.4])
_TOP: Final = np.array(
    [[0.20, 0.34, 0.62], [0.18, 0.27, 0.47], [0.115, 0.15, 0.30], [0.030, 0.058, 0.17], [0.0038, 0.011, 0.040]]
)
_MIDDLE: Final = np.array(
    [[0.42, 0.55, 0.75], [0.55, 0.47, 0.42], [0.42, 0.235, 0.26], [0.072, 0.098, 0.225], [0.0085, 0.022, 0.062]]
)
_HORIZON: Final = np.array(
    [[0.70, 0.78, 0.85], [1.0, 0.68, 0.36], [0.95, 0.37, 0.11], [0.30, 0.15, 0.115], [0.024, 0.040, 0.085]]
)
_OWN_GONE: Final = (0.05, 0.46)  # moments between which the sky's own colours give way
_CLOUDS: Final = (1.0, 0.62)  # share of its contrast that the sky keeps by day, by night
_HAZE: Final = 0.16  # share of the horizon's light on what is far
_FIRST_LIGHT: Final = 0.74  # the moment to which a picture that shows day sinks before its sun rises
_SINKS_BY, _RISES_FROM = 0.24, 0.30  # shares of the time of a dawn: until it has sunk, and from which it rises
_FACE: Final = 0.55  # of the way that faces go along: somebody holds a lamp


class Daylight:
    """Ground and sky at any moment."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sky_rows = _sky_rows(stage.y, stage)
        self._mirrored_rows = _sky_rows(np.clip(2 * stage.horizon - stage.y, 0, stage.horizon), stage)
        self._calm = np.maximum(filters.blur(stage.luma, 0.05 * stage.shape[0]), 12)  # luma without its waves
        across = stage.x - stage.brightest_side
        self._bright = np.exp(-((across / 0.34) ** 2)).astype(np.float32)
        # The sun itself goes with the day.
        self._sun = np.zeros(stage.shape, np.float32)
        sun = stage.shining.sun
        if sun is not None:
            far = np.hypot((stage.x * stage.width - sun.x), (stage.y * stage.height - sun.y))
            self._sun = np.exp(-((far / (2.2 * sun.radius + 0.02 * stage.height)) ** 2)).astype(np.float32)
        # A picture that is dark already has less of the way before it.
        self._day = float(np.clip((stage.scene.facts.brightness - 0.12) / 0.33, 0.25, 1))
        keep = np.maximum(_FACE * stage.faces, stage.fire)
        self._go = (1 - keep).astype(np.float32)

    def ground(self, moment: float) -> F32:
        """float32 (7, rows, columns)."""
        light, saturation = _light_at(moment)
        stage = self._stage
        tone = lit_by(light**self._day, saturation)
        # Water mirrors the sky: it takes half of its light and colour.
        wet = stage.water * np.float32(0.55 * smoothstep(np.array(moment / 0.5)))
        if wet.max() > 0:
            mirrored = self._target(moment, self._mirrored_rows)
            reflected = neutral(*stage.shape)
            reflected[GAIN] = np.minimum(0.8 * mirrored.luma / self._calm, 1.0)
            reflected[COLOUR] = 0.3 * reflected[GAIN]
            reflected[CB], reflected[CR] = 0.8 * mirrored.cb, 0.8 * mirrored.cr
            tone = tone + wet * (reflected - tone)
        tone = np.broadcast_to(tone, (7, *stage.shape))
        low, high = _OWN_GONE
        burnt = stage.burnt * np.float32(smoothstep(np.array((moment - low) / (high - low))))
        if burnt.max() > 0:
            # The ridge that the sun burnt out is as dark as beside it.
            shown = np.array(tone)
            shown[LIFT] += burnt * tone[GAIN] * stage.ground.luma
            shown[CB] += burnt * tone[COLOUR] * stage.ground.cb
            shown[CR] += burnt * tone[COLOUR] * stage.ground.cr
            shown[GAIN] *= 1 - burnt
            shown[COLOUR] *= 1 - burnt
            tone = shown
        glow = colour_of(_at(moment, _HORIZON))
        close = np.exp(-(((stage.y - stage.horizon) / 0.13) ** 2)).astype(np.float32)
        haze = _HAZE * np.sin(np.pi * min(1.0, moment / 0.95)) * close * stage.far * (0.4 + 0.6 * self._bright)
        hazy = np.array(tone)
        hazy[GAIN] *= 1 - haze
        hazy[LIFT] += haze * 0.8 * glow.luma
        hazy[CB] += haze * glow.cb
        hazy[CR] += haze * glow.cr
        return self._stage.keep_skin(towards(hazy, self._go))

    def sky(self, moment: float) -> F32:
        """float32 (7, rows, columns)."""
        light, saturation = _light_at(moment)
        low, high = _OWN_GONE
        gone = float(smoothstep(np.array((moment - low) / (high - low))))
        own = lit_by(light ** (0.6 * self._day), saturation)
        target = self._target(moment, self._sky_rows)
        kept = _CLOUDS[0] + (_CLOUDS[1] - _CLOUDS[0]) * moment
        clouds = kept * (1 - self._sun * np.float32(gone))
        new = np.zeros((7, *self._stage.shape), np.float32)
        # luma' = target · (1 + clouds · (luma / soft - 1)); the soft luma is that of the sky without its clouds.
        # Under the sun itself the sky is as bright as around it.
        soft = self._stage.sky_tone
        new[GAIN] = target.luma * clouds / soft
        new[LIFT] = target.luma * (1 - clouds)
        new[COLOUR] = 0.22 * (1 - 0.5 * moment)
        new[CB], new[CR] = target.cb, target.cr
        return np.asarray(own + np.float32(gone) * (new - own), np.float32)

    def _target(self, moment: float, rows: tuple[F32, F32]) -> Colour:
        """The sky's own colour at a moment, in rows of `_sky_rows`; never brighter than the picture's sky."""
        stage = self._stage
        high, low = rows
        top, middle, horizon = (_at(moment, table).astype(np.float32) for table in (_TOP, _MIDDLE, _HORIZON))
        # By the side of the sun the horizon's light reaches higher and is stronger.
        low = low * (0.62 + 0.38 * self._bright)
        mixed = middle + high[..., None] * (top - middle)
        mixed = mixed + low[..., None] * (horizon * (0.8 + 0.3 * self._bright[..., None]) - mixed)
        colour = colour_of(np.asarray(mixed, np.float32))
        limit = np.minimum(1.0, (0.98 if moment < SUNSET else 0.9) * stage.sky_tone / np.maximum(colour.luma, 1))
        if stage.scene.facts.brightness > 0.45:
            limit = np.maximum(limit, 0.75)
        return Colour(*(np.asarray(part * limit, np.float32) for part in colour))


def _sky_rows(y: F32, stage: Stage) -> tuple[F32, F32]:
    """How much rows y, 0..1 of the picture, show of the sky overhead, and of that close to the horizon: 0..1."""
    elevation = np.clip(1 - y / stage.horizon, 0, 1)
    return smoothstep(((elevation - 0.42) / 0.58).astype(np.float32)), 1 - smoothstep(
        (elevation / 0.5).astype(np.float32)
    )


class Dawn:
    """The sun rises. A dark picture grows warm and bright, and a glow climbs over its horizon. A picture that shows day
    sinks to first light in the first part of the time, for it can hardly grow brighter, and comes back through sunset's
    colours and gold with the sun."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        brightness = stage.scene.facts.brightness
        self._dark = float(np.clip(1.25 - 2.2 * brightness, 0, 1))
        self._daylight = Daylight(stage) if brightness >= DAY else None
        self._go = (1 - 0.6 * stage.faces).astype(np.float32)

    def tones(self, share: float) -> tuple[F32, F32]:
        """(ground, sky), float32 (7, rows, columns). share: 0..1 of the way."""
        if self._daylight is None:
            return self._rise(share)
        down, up = _SINKS_BY, _RISES_FROM
        sunk = smoothstep(np.array(share / down)) * (1 - smoothstep(np.array((share - up) / (1 - up))))
        moment = _FIRST_LIGHT * float(sunk)
        rise = float(np.clip((share - down) / (1 - down), 0, 1))
        ground, sky = self._rise(rise)
        return follow(self._daylight.ground(moment), ground), follow(self._daylight.sky(moment), sky)

    def _rise(self, share: float) -> tuple[F32, F32]:
        stage = self._stage
        bright = 1 + (0.42 + 1.3 * self._dark) * share
        warm = np.array([1.16, 1.0, 0.78]) ** share
        ground = towards(lit_by(bright * warm, 1 + 0.1 * share), self._go)
        sky = np.broadcast_to(
            lit_by((1 + 1.1 * self._dark * share) * np.array([1.06, 1.0, 0.9]) ** share), ground.shape
        )
        centre = stage.horizon + 0.12 - 0.26 * share
        ratio = stage.width / stage.height
        far = np.hypot((stage.x - stage.brightest_side) * ratio, 0.8 * (stage.y - centre))
        glow = (np.exp(-((far / 0.2) ** 2)) * 0.42 + np.exp(-far / 0.32) * 0.3) * smoothstep(np.array(share / 0.8))
        glow = glow * (0.45 + 0.55 * stage.far) * (1 - 0.7 * stage.faces)
        light = colour_of(np.array([1.0, 0.72, 0.36]))
        glow = np.clip(glow, 0, 0.85).astype(np.float32)
        from_glow = neutral(*stage.shape)
        from_glow[GAIN] = 1 - glow
        from_glow[LIFT] = glow * light.luma
        from_glow[COLOUR] = 1 - 0.5 * glow
        from_glow[CB], from_glow[CR] = glow * light.cb, glow * light.cr
        return follow(ground, towards(from_glow, 0.55)), follow(np.asarray(sky, np.float32), from_glow)


def _light_at(moment: float) -> tuple[F64, float]:
    """What lights the ground, linear RGB float64 (3,), and how much colour is seen."""
    gain, saturation = (float(np.interp(moment, _STOPS, table)) for table in (_GAIN, _SATURATION))
    return np.asarray(gain * _at(moment, _TINT), np.float64), saturation


def _at(moment: float, table: F64) -> F64:
    """A colour between stops; in the logarithm, as the eye sees dusk."""
    logs = np.log(table)
    return np.asarray(np.exp([np.interp(moment, _STOPS, logs[:, k]) for k in range(3)]), np.float64)
