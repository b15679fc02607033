"""The sky by itself, continued behind everything that stands before it, and how much of it each pixel of the picture
shows. Clouds can then drift behind ridges, trees and masts, which stay as they are. Knows no motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_type
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.scene.colour import double_luma
from vivant.engines.diorama.scene.complete import complete, pull_push
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8, Planes

Mask = NDArray[np.bool_]

BAND: Final = 0.016  # of the canvas's short side: how far from the mask's border its pixels are told apart by colour
# RGB distance of sky and ground, 0..255, between which an outline is trusted not at all and wholly.
CONTRAST: Final = (22.0, 55.0)
STEPS: Final = (0.0025, 0.014)  # of the short side: blurs at which outlines are told from ramps
RAMP: Final = (0.52, 0.78)  # ratio of the gradients there below which an edge is a ramp, and from which it is a step
FADES: Final = 0.04  # widths over which the light of the sky beside an outline fades out behind it
SEAM: Final = 0.007  # widths, standard deviation, over which patches of the sky that is filled in run into each other
HAZE: Final = 0.09  # of the short side: where the outline is not trusted the sky comes to rest this far before it
FAINT: Final = 0.2  # luma per pixel of 496: what the clearest tenth of a sky must exceed for clouds to be seen in it
OPEN: Final = 0.1  # of the canvas: in a smaller sky clouds must be clearer in the same ratio
RIM: Final = 0.009  # of the short side: so near an outline no pixel is taken for pure sky
ROWS: Final = 360  # height of the copy on which masts and roofs before the sky are looked for
GLOW: Final = (0.09, 6.0)  # reach of the glow about a lamp in widths, and how soon it is full
COMMON: Final = 0.004  # share of the sky from which on a colour is one of the sky's
SKYLINE: Final = 0.08  # heights above the ground up to which a skyline is looked for
GAP: Final = 0.03  # heights: what is bright in less is no cloud below a gap
# Luma by which the cloud below a gap is brighter than the sky above it, not at all and surely; dusk is less steep.
GAP_LIT: Final = (6.0, 24.0)
STRAIGHT: Final = 0.16  # of the height: the shortest line that is taken for a wire
MISSED: Final = 0.12  # of a line, at each end
MAST: Final = (0.007, 0.022)  # of the short side: the widest mast before the sky, and the lowest
FAINTEST: Final = 5.0  # luma by which a mast is darker than the sky on both sides
LAMP: Final = 229.0  # luma, 16..235, from which light is burnt out
BURNT: Final = 0.9  # share of the sky's motion that is not seen before a lamp and its halo
UNEVEN: Final = 16.0  # luma: standard deviation around a lamp from which on it is a cloud
LARGEST_LAMP: Final = 0.02  # share of the canvas: what is burnt out and larger is cloud


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """source: the sky alone. alpha: uint8 (h, w), the sky's share of each pixel, in 1/255. picture = alpha · home + the
    rest; the rest (ridges, trees, the sun, birds) stays when the sky moves. home: what the picture itself shows of the
    sky: the same but for the bright or dark rims that outlines have in a photograph, which belong to neither and
    must vanish when the sky behind them changes.

    tone: float32 (3, h/16, w/16) of Y, Cb, Cr: the gradual change of the sky's light over the picture, which stays when
    its clouds move. sky: as alpha, but the sun, and what stays still only because the sky's border is not told there,
    is sky, too: what light tells apart. None where it is not known."""

    source: Source
    home: Source
    alpha: U8
    tone: F32
    sky: U8 | None = None

    def __post_init__(self) -> None:
        check_type("Backdrop.source", self.source, Source)
        check_type("Backdrop.home", self.home, Source)
        check_array("Backdrop.alpha", self.alpha, np.uint8, self.source.planes.y.shape)
        check_array("Backdrop.tone", self.tone, np.float32, (3, None, None))
        if self.sky is not None:
            check_array("Backdrop.sky", self.sky, np.uint8, self.alpha.shape)


def make_backdrop(source: Source, rgb: U8, sky: F32, reach: float, fixed: F32 | None = None) -> Backdrop | None:
    """The backdrop of a picture, RGB uint8 (h, w, 3), and its source; None where hardly any sky is left.

    sky: float32 (h, w), 0..1, without the subject. reach: how far behind an outline the sky will be seen, pixels.
    fixed: float32 (h, w), 0..1, what stands before the sky of a drawing; None for a photograph, in which that is
    looked for."""
    h, w = sky.shape
    short = min(h, w)
    luma = source.planes.y
    if fixed is None:
        small_dark = find_specks(luma, sky, short / 720)
        foreign = find_foreign_colours(rgb, sky * (1 - small_dark))
        standing = find_standing(luma, sky) * np.maximum(foreign, find_shaded(luma, sky))
        open_ = (sky * (1 - standing)).astype(np.float32)
        lamps = find_lamps(luma, sky, short / 720)
        fixed = np.max(
            [lamps, small_dark * (foreign > 0.5), find_lines(luma, sky, foreign), find_masts(luma, sky)], axis=0
        )
    else:
        open_, lamps = sky, np.zeros_like(sky)
    pure, alpha = _tell_apart(rgb, sky, open_, max(3.0, BAND * short))
    seen: Mask = (pure > 0.97) & (fixed < 0.02)
    margin = 2 * round(RIM * short) + 1
    known = cv2.erode(seen.astype(np.uint8), np.ones((margin, margin), np.uint8), borderValue=1) > 0
    if float(known.mean()) < 0.02:
        return None
    filled = complete(source, rgb, (~known).astype(np.float32), reach=reach, soft=SEAM * w)
    filled = _even_out(filled, source, known, FADES * w)
    # What is nearly all sky is mixed with the moved sky as it is: what a fill differs from it would stay as a stain.
    home = _choose(source, filled, (pure > 0.7) & (fixed < 0.02))
    shows = 1 - _find_opaque(luma, filled.planes.y, fixed * (lamps < 0.02))
    moves, shown = (np.rint(255 * share * shows).astype(np.uint8) for share in (alpha * (1 - BURNT * lamps), pure))
    return Backdrop(filled, home, moves, _measure_tone(filled, known, lamps), shown)


def are_clouds_seen(luma: U8, sky: F32) -> bool:
    """Whether the sky shows clouds distinct enough for their drift to be seen: a bare or hazy one does not, and its
    border is the hardest to find. A shade that runs evenly through the sky, to the sun or to a corner of the lens, is
    no cloud: what it adds to every slope is taken away. In a patch between leaves, only clearer clouds are seen. luma:
    uint8 (h, w); sky: float32 (h, w), 0..1."""
    scale: float = min(sky.shape) / 496
    size = 2 * round(15 * scale) + 1
    core = cv2.erode((sky > 0.9).astype(np.uint8), np.ones((size, size), np.uint8), borderValue=1) > 0
    if not core.any():
        return False
    soft = filters.blur(luma.astype(np.float32), 2 * scale)
    across: Any = cv2.Sobel(soft, cv2.CV_32F, 1, 0)
    slopes = across[core]
    clearest = float(np.percentile(np.abs(slopes - np.median(slopes)), 90)) * scale / 8
    return clearest > FAINT * max(1.0, OPEN / float(core.mean()))


def continue_behind(backdrop: Backdrop, background: Source, subject: F32) -> tuple[Backdrop, Source]:
    """(the backdrop, the completed background) with the sky continued where the subject hid it, so that it moves there
    too when the camera looks past the subject. background: without the subject; subject: float32 (h, w), 0..1."""
    h, w = subject.shape
    hidden = cv2.dilate((subject > 0.02).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    size = (max(w // 4, 1), max(h // 4, 1))
    known = filters.resize(~hidden, *size)
    share = filters.resize(np.where(hidden, 0, backdrop.alpha / 255), *size) / np.maximum(known, 1e-6)
    guess = smoothstep((filters.resize(pull_push(share.astype(np.float32), known), w, h) - 0.3) / 0.4)
    alpha = np.where(hidden, guess, backdrop.alpha / 255).astype(np.float32)
    there = np.where(hidden, guess, 0).astype(np.float32)

    def mix(one: U8, other: U8) -> U8:
        part = filters.resize(there, one.shape[1], one.shape[0])
        return np.rint(one + part * (other.astype(np.float32) - one)).astype(np.uint8)

    planes = [mix(getattr(background.planes, k), getattr(backdrop.source.planes, k)) for k in ("y", "u", "v")]
    shown = Source(Planes(*planes), mix(background.y2, backdrop.source.y2))
    home = _choose(backdrop.source, backdrop.home, hidden)
    return Backdrop(backdrop.source, home, np.rint(255 * alpha).astype(np.uint8), backdrop.tone), shown


def _find_opaque(luma: U8, sky: U8, fixed: F32) -> F32:
    """How much of the sky the things before it hide, float32 (h, w), 0..1: as much as they differ from it, against
    where they differ most. luma: of the picture; sky: of the sky behind, uint8 (h, w); fixed: where they are."""
    away = np.abs(luma.astype(np.float32) - sky) * (fixed > 0.02)
    most = cv2.dilate(away, np.ones((9, 9), np.uint8))
    return np.asarray(smoothstep(away / np.maximum(most, 12.0) / 0.8), np.float32)


def _choose(one: Source, other: Source, where: Mask) -> Source:
    """Pixels of one source where `where`, (h, w), else of the other."""
    h, w = where.shape
    double = cv2.resize(where.astype(np.uint8), (2 * w, 2 * h), interpolation=cv2.INTER_NEAREST) > 0
    half = cv2.resize(where.astype(np.uint8), (w // 2, h // 2), interpolation=cv2.INTER_AREA) > 0
    y, u, v = (
        np.where(part, getattr(one.planes, name), getattr(other.planes, name))
        for part, name in ((where, "y"), (half, "u"), (half, "v"))
    )
    return Source(Planes(y, u, v), np.where(double, one.y2, other.y2))


def _tell_apart(rgb: U8, mask: F32, sky: F32, band: float) -> tuple[F32, F32]:
    """The sky's share of each pixel, and the share of it that may move, float32 (h, w), 0..1. Near the mask's border it
    is solved from the colours of sky and ground farther in; where those are too alike to tell, the share that may move
    fades out well inside the sky. mask: the sky as it was found; sky: without what stands in it."""
    h, w = sky.shape
    size = 2 * round(band) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    solid = (sky > 0.5).astype(np.uint8)
    core = cv2.erode(solid, kernel, borderValue=1)
    ground = 1 - cv2.dilate((mask > 0.5).astype(np.uint8), kernel, borderValue=0)
    picture = rgb.astype(np.float32)
    behind, before = _spread(picture, core), _spread(picture, ground)
    share, distance = _project(picture, before, behind)
    # Well inside the mask a pixel is sky unless it clearly has the colour of the ground: skies are not even.
    inside = cv2.distanceTransform(np.pad(solid, 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    solved = smoothstep((share + 0.3 * np.clip(inside / band, 0, 1) - 0.20) / 0.70)
    in_band = (core == 0) & (ground == 0)
    sure = smoothstep((distance - CONTRAST[0]) / (CONTRAST[1] - CONTRAST[0]))
    sure = sure * _find_sharp(picture, min(h, w))
    pure = np.where(in_band, sure * solved + (1 - sure) * np.minimum(sky, 0.9), core).astype(np.float32)
    alpha = pure
    # Where the outline cannot be told, the still sky before it hides that the moving one ends there.
    border = (cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8), borderValue=0) > 0) & in_band
    near, all_ = filters.blur_widely(sure * border, band), filters.blur_widely(border, band)
    doubtful = border & (near < 0.5 * (all_ + 1e-4))
    if doubtful.any():
        far = cv2.distanceTransform((~doubtful).astype(np.uint8), cv2.DIST_L2, 5)
        alpha = alpha * smoothstep((far - 0.5 * band) / (HAZE * min(h, w)))
    return pure, np.clip(alpha, 0, 1).astype(np.float32)


@kernel
def _project(colour: F32, before: F32, behind: F32) -> tuple[F32, F32]:
    """Where each colour lies on the way from the ground's to the sky's, 0..1 and beyond, and how far these are apart:
    float32 (h, w), of float32 (h, w, 3)."""
    h, w = colour.shape[:2]
    share, distance = np.empty((h, w), np.float32), np.empty((h, w), np.float32)
    for i in range(h):
        for j in range(w):
            square, along = np.float32(0), np.float32(0)
            for k in range(3):
                away = behind[i, j, k] - before[i, j, k]
                square += away * away
                along += (colour[i, j, k] - before[i, j, k]) * away
            far = np.sqrt(square)
            distance[i, j] = far
            share[i, j] = along / max(far * far, np.float32(1))
    return share, distance


def _find_sharp(picture: F32, short: int) -> F32:
    """Where an edge is a step, float32 (h, w), 0..1: an outline is one, mist before a slope is a ramp. The gradient of
    a step falls as one over the blur; that of a ramp hardly falls. picture: float32 (h, w, 3)."""
    fine, coarse = (size * short for size in STEPS)
    h, w = picture.shape[:2]
    sharp = np.multiply(fine, _steepest(_blur_colours(picture, fine)), dtype=np.float32)
    # What is blurred so much is as exact on every second pixel.
    small = np.asarray(cv2.resize(picture, (max(w // 2, 1), max(h // 2, 1)), interpolation=cv2.INTER_AREA), np.float32)
    scale = small.shape[0] / h
    soft = filters.resize(coarse * scale * _steepest(_blur_colours(small, coarse * scale)), w, h)
    near = 2 * round(coarse) + 1
    widest = cv2.dilate(sharp, np.ones((near, near), np.uint8))
    edges = filters.blur_widely(widest / (soft + np.float32(2)), coarse)
    return np.asarray(smoothstep((edges - RAMP[0]) / (RAMP[1] - RAMP[0])), np.float32)


def _blur_colours(picture: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


@kernel
def _steepest(picture: F32) -> F32:
    """The largest of the gradients of the three channels of float32 (h, w, 3), per pixel: float32 (h, w)."""
    h, w = picture.shape[:2]
    out = np.empty((h, w), np.float32)
    for i in range(h):
        above, below = max(i - 1, 0), min(i + 1, h - 1)
        for j in range(w):
            left, right = max(j - 1, 0), min(j + 1, w - 1)
            down, across = np.float32(1.0 / max(below - above, 1)), np.float32(1.0 / max(right - left, 1))
            most = np.float32(0)
            for k in range(3):
                dy = (picture[below, j, k] - picture[above, j, k]) * down
                dx = (picture[i, right, k] - picture[i, left, k]) * across
                most = max(most, dx * dx + dy * dy)
            out[i, j] = np.sqrt(most)
    return out


def _even_out(filled: Source, source: Source, known: Mask, reach: float) -> Source:
    """The filled sky in the light of the known sky beside it: patches come from elsewhere, where it may be darker. The
    correction fades out over `reach` pixels."""
    far = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    share = (np.exp(-far / reach) * ~known).astype(np.float32)

    def even(plane: U8, original: U8) -> U8:
        h, w = plane.shape
        size = (max(w // 8, 1), max(h // 8, 1))
        seen = filters.resize(known, *size)
        light = filters.resize(filters.resize(known, w, h) * original, *size) / np.maximum(seen, 1e-6)
        wanted = filters.blur(pull_push(light.astype(np.float32), seen), 1.5)
        change = filters.resize(wanted - filters.blur(filters.resize(plane, *size), 1.5), w, h)
        return np.clip(np.rint(plane + change * filters.resize(share, w, h)), 16, 240).astype(np.uint8)

    y = even(filled.planes.y, source.planes.y)
    u, v = even(filled.planes.u, source.planes.u), even(filled.planes.v, source.planes.v)
    y2 = np.where(cv2.resize(share, (2 * y.shape[1], 2 * y.shape[0])) > 0, double_luma(y), source.y2)
    return Source(Planes(y, u, v), y2)


def _spread(picture: F32, known: NDArray[Any]) -> F32:
    """The colours of known pixels (0 or 1, (h, w)) continued smoothly over the others: float32 (h, w, 3)."""
    h, w = known.shape
    small = (max(w // 4, 1), max(h // 4, 1))
    weight = filters.resize(known, *small)
    colour = cv2.resize(picture * known[..., None], small, interpolation=cv2.INTER_AREA)
    mean = colour / np.maximum(weight, 1e-6)[..., None]
    filled = pull_push(mean.astype(np.float32), weight)
    return np.asarray(cv2.resize(filled, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def find_standing(luma: U8, sky: F32) -> F32:
    """What a coarse sky mask took in by mistake: float32 (h, w), 0..1. luma: uint8 (h, w); sky: float32 (h, w), 0..1.

    Masts, far roofs and slopes have fine detail, which clouds seldom have, and are connected to the ground."""
    height, width = luma.shape
    columns = max(2, round(width * ROWS / height))
    small, open_ = filters.resize(luma, columns, ROWS), filters.resize(sky, columns, ROWS) > 0.5
    detail = (filters.blur(np.abs(small - filters.blur(small, 1.5)), 2.5) > 3.5) & open_
    _, labels = cv2.connectedComponents(detail.astype(np.uint8))
    rim = cv2.dilate((~open_).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rooted = np.isin(labels, np.setdiff1d(np.unique(labels[rim & detail]), 0))
    grown = cv2.dilate(rooted.astype(np.float32), np.ones((5, 5), np.uint8))
    return filters.resize(grown, width, height)


def find_foreign_colours(rgb: U8, sky: F32) -> F32:
    """Where the colour is none that the sky has far from the ground: float32 (h, w), 0..1. Arguments as those of
    `make_backdrop`. Edges of clouds have the sky's colours; masts, birds and slopes seldom do."""
    h, w = sky.shape
    size = (max(w // 2, 1), max(h // 2, 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    lab: Any = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    cell = (lab[..., 0] // 12, lab[..., 1] // 8, lab[..., 2] // 8)
    core = cv2.erode((sky > 0.9).astype(np.uint8), np.ones((15, 15), np.uint8), borderValue=1)
    weight = cv2.resize(core, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    usual = np.zeros((22, 32, 32), np.float32)
    np.add.at(usual, cell, weight)
    near: Any = sum(np.roll(usual, step, axis) for axis in range(3) for step in (-1, 0, 1))
    near = near / max(float(weight.sum()), 1.0)
    foreign = np.clip(1.5 - near[cell] / COMMON, 0, 1)
    return filters.resize(foreign, w, h)


def find_shaded(luma: U8, sky: F32) -> F32:
    """Where it is darker than the sky above, near the ground: float32 (h, w), 0..1. A far skyline has the colours of
    its haze, but unlike a cloud it is never brighter; nor is what is close below it, where a gap in a cloud has the
    cloud. luma: uint8 (h, w); sky: float32 (h, w), 0..1."""
    h, w = sky.shape
    size = (max(w // 2, 1), max(h // 2, 1))
    small, open_ = filters.resize(luma, *size), (filters.resize(sky, *size) > 0.5).astype(np.float32)
    reach = max(2, round(SKYLINE * size[1]))
    above = np.zeros((2 * reach + 1, 17), np.float32)
    above[:reach] = 1
    count = cv2.filter2D(open_, cv2.CV_32F, above, borderType=cv2.BORDER_REPLICATE)
    usual = cv2.filter2D(small * open_, cv2.CV_32F, above, borderType=cv2.BORDER_REPLICATE) / np.maximum(count, 1e-3)
    solid = np.pad(open_.astype(np.uint8), 1, mode="edge")  # the picture's border is no ground
    distance = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)
    low = 1 - smoothstep((distance / size[1] - SKYLINE) / np.float32(0.4 * SKYLINE))
    # Lit windows of a skyline are bright, too, but small.
    large = max(3, round(GAP * size[1]))
    broad = cv2.morphologyEx(small * open_, cv2.MORPH_OPEN, np.ones((large, large), np.uint8))
    below = cv2.dilate(broad, np.ones((reach + 1, 1), np.uint8), anchor=(0, 0))
    gap = smoothstep((below - usual - GAP_LIT[0]) / np.float32(GAP_LIT[1] - GAP_LIT[0]))
    return filters.resize(np.clip((usual - small - 3) / 5, 0, 1) * (1 - gap) * low, w, h)


def find_lines(luma: U8, sky: F32, foreign: F32) -> F32:
    """Wires, masts and spars, which are straight as no cloud is: float32 (h, w), 0 or 1, a little grown. luma: uint8
    (h, w); sky, foreign: float32 (h, w), 0..1."""
    h, w = sky.shape
    scale = ROWS / h
    small = filters.resize(luma, max(2, round(w * scale)), ROWS).astype(np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(small)[0]
    drawn = np.zeros(small.shape, np.uint8)
    strange = filters.resize(filters.blur(foreign, 2.0), small.shape[1], ROWS)
    core = cv2.erode((filters.resize(sky, small.shape[1], ROWS) > 0.5).astype(np.uint8), np.ones((13, 13), np.uint8))
    for left, top, right, bottom in () if found is None else found.reshape(-1, 4):
        if np.hypot(right - left, bottom - top) > STRAIGHT * ROWS:
            way = np.linspace(0, 1, 16)
            x, y = (left + way * (right - left)).astype(int), (top + way * (bottom - top)).astype(int)
            here = np.clip(y, 0, ROWS - 1), np.clip(x, 0, core.shape[1] - 1)
            if core[here].mean() < 0.7 or strange[here].mean() < 0.1:
                continue  # an outline of the ground, or the straight edge of a cloud
            # A little longer than it was found: its ends are often missed.
            x, y = ((1 + MISSED) * a - MISSED * b for a, b in ((left, right), (top, bottom)))
            right, bottom = ((1 + MISSED) * b - MISSED * a for a, b in ((left, right), (top, bottom)))
            ends = (round(float(x)), round(float(y))), (round(float(right)), round(float(bottom)))
            cv2.line(drawn, *ends, 1, 5)
    return np.asarray(cv2.resize(drawn, (w, h), interpolation=cv2.INTER_NEAREST) * (sky > 0.3), np.float32)


def find_masts(luma: U8, sky: F32) -> F32:
    """Aerials, masts and poles that stand up into the sky, too thin and too short for `find_lines`: float32 (h, w), 0
    or 1, a little grown. luma: uint8 (h, w); sky: float32 (h, w), 0..1.

    Each is darker than what is a few pixels beside it on both sides, over its whole height, and stands on the ground;
    clouds have no upright lines."""
    h, w = sky.shape
    short = min(h, w)
    wide, tall = 2 * max(2, round(0.5 * MAST[0] * short)) + 1, max(6, round(MAST[1] * short))
    closed = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, np.ones((1, wide), np.uint8))
    depth = (closed.astype(np.float32) - luma) * (sky > 0.3)
    along = np.asarray(cv2.blur(depth, (1, tall | 1), borderType=cv2.BORDER_REPLICATE), np.float32)
    dark = ((along > FAINTEST) & (depth > 0.5 * FAINTEST)).astype(np.uint8)
    dark = np.asarray(cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    high, across = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    upright = (high >= tall) & (across <= np.maximum(wide, 0.3 * high))
    near = cv2.dilate((sky < 0.3).astype(np.uint8), np.ones((wide, wide), np.uint8)) > 0
    rooted = np.zeros(count, np.bool_)
    rooted[np.unique(labels[near & (dark > 0)])] = True
    rooted[0] = False
    found = (upright & rooted)[labels].astype(np.uint8)
    return np.asarray(cv2.dilate(found, np.ones((5, 3), np.uint8)), np.float32)


def find_lamps(luma: U8, sky: F32, scale: float) -> F32:
    """The sun and the moon with their halos: float32 (h, w), 0..1. They are burnt out and compact; a cloud that is
    burnt out is large or long. luma: uint8 (h, w); sky: float32 (h, w), 0..1; scale: short side over 720."""
    height, width = luma.shape
    small = filters.resize(luma, max(width // 4, 1), max(height // 4, 1))
    open_ = filters.resize(sky, small.shape[1], small.shape[0]) > 0.3
    bright = ((filters.blur(small, max(0.6, 2.0 * scale)) > LAMP) & open_).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    lamps = np.zeros(small.shape, np.float32)
    for k in range(1, count):
        across, down, area = (int(stats[k, s]) for s in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
        compact = area > 0.5 * across * down and max(across, down) < 2.2 * min(across, down) + 2
        if compact and area < LARGEST_LAMP * small.size and _glows_evenly(small, open_, labels == k):
            lamps[labels == k] = 1
    lamps = np.asarray(cv2.dilate(lamps, np.ones((3, 3), np.uint8)), np.float32)
    halo = np.clip(3 * filters.blur(lamps, 9.0 * scale), 0, 1)
    return filters.resize(np.maximum(lamps, halo), width, height)


def _glows_evenly(luma: F32, sky: Mask, lamp: Mask) -> bool:
    """Whether the sky around a burnt-out part is equally bright on all sides, as it is around the sun, not about a
    cloud. All (h, w)."""
    y, x = np.nonzero(lamp)
    rows, columns = np.mgrid[: luma.shape[0], : luma.shape[1]]
    away_x, away_y = columns - x.mean(), rows - y.mean()
    radius = np.hypot(away_x, away_y) / (np.sqrt(lamp.sum() / np.pi) + 1)
    ring = (radius > 2.0) & (radius < 3.0) & sky
    side = np.floor((np.arctan2(away_y, away_x) / (2 * np.pi) + 0.5) * 8).astype(int) % 8
    means = [float(luma[ring & (side == k)].mean()) for k in range(8) if (ring & (side == k)).sum() >= 2]
    return len(means) >= 3 and float(np.std(means)) < UNEVEN


def find_specks(luma: U8, sky: F32, scale: float) -> F32:
    """Birds, wires and other small dark things before the sky: float32 (h, w), 0 or 1, a little grown. Arguments as
    those of `find_lamps`."""
    size = 2 * round(max(4.0, 9 * scale)) + 1
    kernel = np.ones((size, size), np.uint8)
    closed = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel)
    depth = closed.astype(np.float32) - luma
    dark = (depth > np.maximum(30, 0.4 * closed.astype(np.float32))) & (sky > 0.5)
    grown = cv2.dilate(dark.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(grown, np.float32)


def _measure_tone(sky: Source, known: Mask, lamps: F32) -> F32:
    """float32 (3, h/16, w/16): the quadratic surface through each plane of the known sky, and about lamps, float32
    (h, w), 0..1, also their glow."""
    h, w = known.shape
    rows, columns = max(h // 16, 2), max(w // 16, 2)
    weight = np.sqrt(filters.resize(known, columns, rows)).ravel()
    near = np.clip(GLOW[1] * filters.blur(filters.resize(lamps, columns, rows), GLOW[0] * columns), 0, 1)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    planes = []
    for plane in (sky.planes.y, sky.planes.u, sky.planes.v):
        values = filters.resize(plane, columns, rows)
        factors, *_ = np.linalg.lstsq(terms * weight[:, None], values.ravel() * weight, rcond=None)
        seen = terms[weight > 0.3] @ factors
        surface = np.clip(terms @ factors, seen.min(), seen.max())  # below the horizon it may run away
        surface = surface.reshape(rows, columns)
        planes.append(surface + near * filters.blur(values - surface, 0.02 * columns))
    return np.stack(planes).astype(np.float32)
