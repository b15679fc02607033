"""Where in a picture each motion may happen: the scene's regions without what does not belong to them. Knows nothing of
motion.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient import falloff, falls, river
from vivant.engines.diorama.motion.ambient.capsules import Occluder
from vivant.engines.diorama.motion.ambient.drawn_clouds import find_shapes
from vivant.engines.diorama.motion.ambient.lens import FOCAL
from vivant.engines.diorama.motion.fields import STEP, average_quarter, quarter_shape
from vivant.engines.diorama.scene import sea
from vivant.engines.diorama.scene.backdrop import Backdrop, are_clouds_seen, make_backdrop
from vivant.engines.diorama.scene.cloud_cover import find_cloud_cover
from vivant.engines.diorama.scene.depth import NEAR
from vivant.engines.diorama.scene.distance import measure_distance, measure_standing
from vivant.engines.diorama.scene.posts import find_posts
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.scene.seed_head import is_head_on_stem
from vivant.engines.diorama.storyboard import FOUND, MOVABLE, TRUSTED, Thing
from vivant.media import F32, U8

BEHIND: Final = 0.1  # widths: how far behind outlines the sky is seen when it drifts
GROUND_WIDE: Final = 0.3  # width of a stretch of open ground, of the picture's: what is narrower may be a wall
BLOSSOM: Final = 30.0  # mean distance of chroma from grey: petals are above, fur, cloth and skin below


def is_there(region: Region) -> bool:
    """Whether any pixel is more likely of the region than not."""
    return float(region.mask.max()) > 0.5


class Plants(NamedTuple):
    """float32 on the quarter grid, 0..1. weight: what moves, the plain surroundings with it. firm: how much that moves
    as one body. inside: the plants themselves."""

    weight: F32
    firm: F32
    inside: F32


class Places:
    """One per clip; each mask is computed at first use. Masks are float32 (h, w), 0..1, unless said otherwise."""

    def __init__(
        self,
        scene: Scene,
        *,
        find: Callable[[Thing], Region] | None = None,
        falls_named: bool = False,
        whole: U8 | None = None,
    ) -> None:
        """find: where a thing is that the prompt names; None: nowhere. falls_named: whether falling water was asked
        for, so that it may also be found beside a mirror. whole: the picture with what was cut out of the scene, RGB
        uint8 (h, w, 3), in which poles are seen whole; None: the scene's own."""
        self._whole = scene.rgb if whole is None else whole
        self.scene, self._falls_named = scene, falls_named
        self._find = find or (lambda thing: Region(np.zeros(scene.depth.shape, np.float32), 0.0))
        self.height, self.width = scene.depth.shape
        self._scale = min(self.height, self.width) / 720

    @cached_property
    def subject(self) -> F32:
        """The subject, fainter where its outline is less trusted."""
        return np.asarray(self.scene.matte.mask * min(1.0, 1.5 * self.scene.matte.trust), np.float32)

    @cached_property
    def sky(self) -> F32:
        return np.asarray(self.scene.sky.mask * (1 - self.subject), np.float32)

    @cached_property
    def backdrop(self) -> Backdrop | None:
        """The sky continued behind all that stands before it; None where hardly any is seen."""
        fixed = None
        if self.is_drawn:
            _, others = find_shapes(self.scene.source.planes, self.sky)
            fixed = filters.resize(others, self.width, self.height)
        return make_backdrop(self.scene.source, self.scene.rgb, self.sky, BEHIND * self.width, fixed)

    @cached_property
    def shows_clouds(self) -> bool:
        """Whether the sky has clouds whose drift would be seen."""
        return self.is_drawn or are_clouds_seen(self.scene.source.planes.y, self.sky)

    @cached_property
    def cloud_cover(self) -> F32:
        """Weights of a sea of clouds seen from above: float32 on the quarter grid, 0..1, all 0 where there is none."""
        scene = self.scene
        cover = find_cloud_cover(scene.rgb, water=scene.water, sky=scene.sky, waterline=scene.waterline)
        rows, columns = quarter_shape(self.height, self.width)
        if cover is None or self.is_drawn:
            return np.zeros((rows, columns), np.float32)
        ramp = np.full((rows, columns), 14 * self._scale, np.float32)
        return falloff.weigh(np.asarray(cover * (1 - self.subject), np.float32), ramp)

    @cached_property
    def is_drawn(self) -> bool:
        """Whether the picture is a drawing of flat colours."""
        return self.scene.facts.drawn > 0

    @cached_property
    def roughness(self) -> float:
        """Of the water: 0 like a mirror .. 1 surf."""
        return sea.measure_roughness(self.scene.source.planes.y, self.scene.water.mask)

    @cached_property
    def _wet(self) -> F32:
        """The water mask without the subject before it."""
        water = self.scene.water.mask
        # A lake that stands out is itself the subject; else the subject covers a part of the water only.
        if float((water * self.subject).sum()) > 0.6 * float(water.sum()):
            return water
        return np.asarray(water * (1 - self.subject), np.float32)

    @cached_property
    def water(self) -> F32:
        """Water without the subject before it, without rocks and without the beach."""
        rocks = sea.find_rocks(self.scene.rgb, self.scene.source.planes.y, self._wet, self.roughness)
        # The dark gaps between the streaks inside a fall are no rocks.
        size = 2 * round(24 * self._scale) + 1
        inside = np.clip(cv2.erode(self.falling, np.ones((size, size), np.uint8)) / 0.3 - 2, 0, 1)
        return np.asarray(self._wet * (1 - rocks * (1 - inside)) * (1 - self.sand), np.float32)

    @cached_property
    def sand(self) -> F32:
        """The beach, nowhere in a drawing."""
        scene = self.scene
        if self.is_drawn or not is_there(scene.water):
            return np.zeros_like(scene.depth)
        sand = sea.find_sand(scene.rgb, scene.water.mask, scene.sky.mask, scene.waterline)
        return np.asarray(sand * (1 - self.subject) * (1 - scene.plants.mask), np.float32)

    @cached_property
    def runs(self) -> bool:
        """Whether the water is long and narrow and leads down the picture, as rivers and brooks do."""
        return river.is_running(self.scene.water.mask)

    @cached_property
    def falling(self) -> F32:
        """Falling water. What stands upright in a mirror is a reflection, unless falls were asked for."""
        if self.roughness <= sea.ROUGH and not self._falls_named:
            return np.zeros_like(self._wet)
        return falls.find_falling(self.scene.source.planes.y, self._wet, self._scale)

    @cached_property
    def lying(self) -> F32:
        """Weights of level water: float32 on the quarter grid, 0..1. Far waves are small, so the falloff is shorter."""
        rows, columns = quarter_shape(self.height, self.width)
        y = float(STEP) * np.arange(rows)[:, None]
        below = np.clip((y - self.scene.waterline) / max(1.0, self.height - self.scene.waterline), 0, 1)
        ramp = (5 + 26 * below**0.7) * self._scale * np.ones((1, columns))
        return falloff.weigh(self.water * (1 - self.falling), ramp.astype(np.float32))

    @cached_property
    def ground(self) -> F32:
        """Open ground low in the picture, where rain may splash; none in a portrait."""
        scene = self.scene
        if scene.faces and max(face.size for face in scene.faces) > 0.12 * self.height:
            return np.zeros_like(scene.depth)
        taken = np.max([scene.sky.mask, scene.water.mask, scene.matte.mask, scene.plants.mask], axis=0)
        top = max(scene.horizon + 0.06 * self.height, 0.62 * self.height)
        low = np.clip((np.arange(self.height) - top) / (0.1 * self.height), 0, 1)[:, None]
        return np.asarray((1 - taken) * low, np.float32)

    @cached_property
    def even_ground(self) -> F32:
        """The part of the open ground that is even: roads, squares, snow, meadows from afar; no walls and windows."""
        luma = self.scene.source.planes.y.astype(np.float32)
        rough = filters.blur_widely(np.abs(luma - filters.blur(luma, 2.5)), 14 * self._scale)
        return _lying_parts(self.ground * np.clip(1.6 - rough / 5, 0, 1))

    @cached_property
    def ledges(self) -> F32:
        """Where snow settles: open ground, and what stands out against the sky from above; none in a portrait."""
        scene = self.scene
        deep = max(2, round(0.014 * self.height))
        out = 0.8 * self.even_ground
        if scene.sky.trust >= TRUSTED and not scene.faces:
            lowered = np.zeros_like(self.sky)
            lowered[deep:] = self.sky[:-deep]
            taken = np.maximum(scene.sky.mask, scene.water.mask * scene.water.trust)
            out = np.maximum(out, filters.blur(np.clip(lowered - self.sky, 0, 1), 0.3 * deep) * (1 - taken))
        return np.asarray(np.clip(out, 0, 1), np.float32)

    @cached_property
    def blossom(self) -> NDArray[np.float64] | None:
        """RGB, 0..255, of a subject that is a flower (as colourful as petals are, and without a face); else None."""
        scene = self.scene
        inside = scene.matte.mask[::2, ::2] > 0.5
        if scene.matte.trust < 0.6 or scene.faces or not inside.any():
            return None
        planes = scene.source.planes
        colour = np.hypot(planes.u[inside].astype(np.float32) - 128, planes.v[inside].astype(np.float32) - 128)
        if float(colour.mean()) < BLOSSOM:
            return None
        return np.asarray(np.median(scene.rgb[::2, ::2][inside], axis=0), np.float64)

    @cached_property
    def is_flower(self) -> bool:
        """Whether the subject is a flower that sways on its stem: a blossom, or a head gone to seed."""
        scene = self.scene
        if self.blossom is not None:
            return True
        lives = scene.facts.body is not None and bool(scene.facts.body.being)
        stands_out = scene.matte.trust >= 0.6 and not scene.faces and not lives and scene.plants.trust >= FOUND
        return stands_out and is_head_on_stem(scene.matte.mask, scene.rgb)

    @cached_property
    def _coloured(self) -> F32:
        """How far from grey each pixel is, float32 (h, w), 0..1."""
        planes = self.scene.source.planes
        chroma = np.hypot(planes.u.astype(np.float32) - 128, planes.v.astype(np.float32) - 128)
        return np.clip((filters.resize(chroma.astype(np.float32), self.width, self.height) - 9) / 5, 0, 1)

    @cached_property
    def _other_blossoms(self) -> F32:
        """What has the colour of the subject, a flower, amid the plants: others of its kind, float32 (h, w), 0..1."""
        scene = self.scene
        inside = scene.matte.mask > 0.6
        amid = np.clip((filters.blur_widely(scene.plants.mask, 34 * self._scale) - 0.2) / 0.15, 0, 1)
        if not inside.any() or not (amid > 0.5).any():
            return np.zeros_like(self.subject)
        lab = np.asarray(cv2.cvtColor(scene.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
        lab = np.dstack([filters.blur(np.ascontiguousarray(lab[..., k]), 2.5 * self._scale) for k in range(3)])
        middle, spread = np.median(lab[inside], axis=0), np.maximum(lab[inside].std(axis=0), 5)
        unlike = np.sqrt((((lab - middle) / spread) ** 2).sum(axis=-1))
        alike = np.clip((3.2 - unlike) / 0.8, 0, 1) * amid * (1 - scene.sky.mask * scene.sky.trust)
        return np.asarray(filters.blur(alike.astype(np.float32), 2 * self._scale), np.float32)

    @cached_property
    def nearness(self) -> F32:
        """float32 on the quarter grid, 0.2 at the horizon .. 1 in the foreground: how large things look."""
        return np.asarray(np.clip(average_quarter(self.scene.depth) / NEAR, 0.2, 1), np.float32)

    def plants(self, *, with_blossom: bool) -> Plants:
        """What sways, with the subject if that is a blossom."""
        scene, scale = self.scene, self._scale
        fixed = find_posts(self._whole, scene.plants.mask)  # what is rigid stands in grass that sways
        if with_blossom:
            mask = np.max([scene.plants.mask, self.subject, self._other_blossoms], axis=0)
            # Small gaps between blossoms and leaves are plants that were not told from what is behind them.
            size = 2 * round(20 * scale) + 1
            mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
            # A stem is no post; a pole has no colour, and a flag on it may be taken for a blossom.
            stem = np.clip(2 * filters.blur(self.subject, 12 * scale), 0, 1) * self._coloured
            fixed = np.asarray(fixed * (1 - stem), np.float32)
        else:
            mask = scene.plants.mask * (1 - self.subject)
            fixed = np.maximum(self.subject, fixed)
        mask = np.asarray(mask, np.float32)
        # Sky and water may move along behind an outline: nobody knows where they were.
        vague = np.clip(scene.sky.mask * scene.sky.trust + scene.water.mask * scene.water.trust, 0, 1)
        vague = np.maximum(vague, falloff.find_beside_slender(mask, scale))
        weight = falloff.weigh_with_rim(mask, scene.source.planes.y, fixed, vague, reach=44 * scale, ramp=10 * scale)
        inside = average_quarter(mask)
        if not with_blossom:
            return Plants(weight, np.zeros_like(weight), inside)
        firm = np.clip(2.2 * filters.blur(average_quarter(self.subject), 6 * scale), 0, 1)
        return Plants(weight, firm.astype(np.float32), inside)

    @cached_property
    def distance(self) -> F32:
        """0 near .. 1 far. Who lives is near; other things that stand out are as far as the ground at their feet."""
        scene = self.scene
        far = measure_distance(scene.rgb, scene.depth, self.sky, scene.water.mask * min(1.0, 2 * scene.water.trust))
        lives = bool(scene.faces) or (scene.facts.body is not None and bool(scene.facts.body.being))
        stands = np.zeros_like(far) if lives else measure_standing(self.subject, scene.depth)
        return np.asarray(far + self.subject * (stands - far), np.float32)

    @cached_property
    def low(self) -> F32:
        """How much mist may lie: all of it from the horizon down, less the higher it is, and little near the viewer."""
        rows = np.linspace(0, 1, self.height, dtype=np.float32)[:, None]
        over = np.clip((self.scene.horizon / self.height - rows) / 0.6, 0, 1)
        return np.asarray((1 - 0.6 * over) * np.ones((1, self.width), np.float32), np.float32)

    def smoke(self, *, over_fire: bool) -> F32:
        """Greatest density of smoke, which rises from a fire if there is one."""
        rows = np.linspace(0, 1, self.height, dtype=np.float32)[:, None]
        where = (0.55 + 0.3 * rows) * np.ones((1, self.width), np.float32)
        if over_fire:
            flames = np.clip(2 * filters.blur(self.scene.fire.mask, 4.0), 0, 1)
            where = where * _above(self.scene.fire.mask) * (1 - flames)
        before = filters.blur(self.scene.matte.mask * self.scene.matte.trust, 10 * self._scale)
        return np.asarray(where * (1 - 0.6 * before), np.float32)

    def find_thing(self, thing: Thing | None) -> F32 | None:
        """The thing that the prompt names; what fills the picture or stands out in it may be that, too. None where it
        names none, or where nothing will do."""
        if thing is None:
            return None
        scene, found = self.scene, self._find(thing)
        stands_out = scene.matte.trust >= TRUSTED and not scene.faces
        stands_out = stands_out and not (thing.kind == "candle" and scene.body is not None)  # an animal is none
        if found.trust >= FOUND:
            # A cup is what the picture is about, if that is so much larger than what was taken for one.
            # And so are pancakes, of which one crumb was found.
            whole = thing.kind == "cup" or thing.several
            crumb = whole and not thing.place and found.share < 0.2 * scene.matte.share
            return self.subject if crumb and stands_out else found.mask
        if thing.kind == "plant" and scene.plants.trust >= FOUND:
            return scene.plants.mask
        return self.subject if stands_out else None

    def find_cloth(self, thing: Thing | None) -> Region | None:
        """The cloth that the prompt names; None where nothing looks like it."""
        found = None if thing is None else self._find(thing)
        return found if found is not None and found.trust >= MOVABLE else None

    def occluder(self) -> Occluder:
        """Hides drops and flakes behind the subject; its distance follows from the size of its face, or from its
        own."""
        matte = self.scene.matte
        cover = np.clip(average_quarter(matte.mask) * matte.trust, 0, 1) * 255
        if self.scene.faces:
            # Brow to chin is about 0.14 m.
            largest = max(face.size for face in self.scene.faces)
            distance = FOCAL * min(self.width, self.height) * 0.14 / max(largest, 1.0)
        else:
            distance = 1.4 / max(0.03, float(matte.mask.mean())) ** 0.5
        return Occluder(np.rint(cover).astype(np.uint8), float(np.clip(distance, 1.2, 8.0)))


def _lying_parts(even: F32) -> F32:
    """Without the parts that stand rather than lie: ground is wide, the plain face of a house is not. Float32 (h, w),
    0..1."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((even > 0.25).astype(np.uint8))
    wide = np.zeros(count, np.float32)
    for part in range(1, count):
        across, high = float(stats[part, cv2.CC_STAT_WIDTH]), float(stats[part, cv2.CC_STAT_HEIGHT])
        wide[part] = across >= GROUND_WIDE * even.shape[1] and across >= 1.2 * high
    return np.asarray(even * filters.blur(wide[labels], 2.0), np.float32)


def _above(fire: F32) -> F32:
    """The column of air over a fire, widening upward: float32 (h, w), 0..1."""
    height, width = fire.shape
    rows = np.linspace(0, 1, height)[:, None]
    weight = float(fire.sum()) + 1e-6
    x = float((fire.sum(axis=0) * np.arange(width)).sum()) / weight
    y = float((fire.sum(axis=1) * np.arange(height)).sum()) / weight
    spread = (0.10 + 0.35 * np.clip(y / height - rows, 0, 1)) * height
    across = np.exp(-(((np.arange(width)[None, :] - x) / spread) ** 2))
    return np.asarray(across * np.clip((y / height + 0.03 - rows) / 0.06, 0, 1), np.float32)
