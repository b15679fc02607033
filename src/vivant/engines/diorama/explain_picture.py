"""One sheet that shows what was seen in a picture: subject, depth, regions, faces, each with its trust. It is how one
finds out why something does not move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.motion.ambient.places import Places
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, TRUSTED
from vivant.media import F32, U8

COLUMNS: Final = 3
PANEL: Final = 520  # pixels, the long side of each panel's picture
_CAPTION: Final = 46  # pixels, under each panel
_GAP: Final = 8  # pixels
_TINTS: Final = {
    "sky": (90, 170, 255), "water": (0, 220, 230), "plants": (90, 230, 80), "fire": (255, 120, 0),
    "falls": (255, 80, 220), "sand": (255, 220, 90),
}  # fmt: skip


class _Panel(NamedTuple):
    """picture: uint8 (h, w, 3), the same size for all panels of a sheet. caption: one or two lines, ASCII."""

    picture: U8
    caption: tuple[str, ...]


def draw_sheet(scene: Scene) -> U8:
    """The sheet, RGB uint8 (h, w, 3): panels of at most 520 pixels in three columns, each with its caption."""
    panels = list(_panels(scene))
    height, width = panels[0].picture.shape[:2]
    rows = -(-len(panels) // COLUMNS)
    sheet = np.full((rows * (height + _CAPTION + _GAP) + _GAP, COLUMNS * (width + _GAP) + _GAP, 3), 24, np.uint8)
    for number, panel in enumerate(panels):
        top = _GAP + number // COLUMNS * (height + _CAPTION + _GAP)
        left = _GAP + number % COLUMNS * (width + _GAP)
        sheet[top : top + height, left : left + width] = panel.picture
        for line, text in enumerate(panel.caption):
            _write(sheet, text, left, top + height + 18 + 20 * line)
    return sheet


def _panels(scene: Scene) -> Iterator[_Panel]:
    facts, places = scene.facts, Places(scene)
    yield _Panel(_lined(scene), (
        f"{scene.rgb.shape[1]}x{scene.rgb.shape[0]}, {len(scene.faces)} face(s), {facts.cut_faces} cut by the crop",
        f"white: horizon; blue: waterline; drawn {facts.drawn:.2f}, {'grey' if facts.grey else 'colour'}",
    ))  # fmt: skip
    yield _Panel(_cut_out(scene), (
        _told("subject", scene.matte, SUBJECT_TRUSTED),
        "dark: background; red: outline",
    ))  # fmt: skip
    yield _Panel(_depth(scene), (
        "depth, measured by the model" if scene.depth_measured else "depth, guessed from ground, sky and subject",
        "bright: near; dark: far",
    ))  # fmt: skip
    clouds = "clouds whose drift is seen" if places.shows_clouds else "no clouds whose drift would be seen"
    yield _Panel(_tinted(scene, sky=scene.sky.mask), (_told("sky", scene.sky, TRUSTED), clouds))
    yield _Panel(_tinted(scene, water=places.water, sand=places.sand, falls=places.falling), (
        _told("water", scene.water, TRUSTED),
        f"roughness {places.roughness:.2f}; pink: falls; yellow: beach; rocks are left out",
    ))  # fmt: skip
    yield _Panel(_tinted(scene, plants=scene.plants.mask), (_told("plants", scene.plants, TRUSTED),))
    yield _Panel(_tinted(scene, fire=scene.fire.mask), (_told("fire and lights", scene.fire, TRUSTED),))


def _told(name: str, region: Region, trusted: float) -> str:
    if region.share == 0 or region.trust == 0:
        return f"{name}: not found"
    used = "moves unasked" if trusted == TRUSTED else "is used"
    rule = used if region.trust >= trusted else ("only if named" if trusted == TRUSTED else "is not used")
    return f"{name}: {region.share:.0%} of the picture, trust {region.trust:.2f}, {rule}"


def _reduce(values: Any, scene: Scene) -> Any:
    """An array at the size of the canvas, at the size of a panel."""
    h, w = scene.depth.shape
    scale = PANEL / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _lined(scene: Scene) -> U8:
    picture = np.ascontiguousarray(_reduce(scene.rgb, scene), np.uint8)
    scale = picture.shape[0] / scene.depth.shape[0]
    for row, colour in ((scene.horizon, (255, 255, 255)), (scene.waterline, (60, 140, 255))):
        at = min(picture.shape[0] - 1, round(row * scale))
        cv2.line(picture, (0, at), (picture.shape[1], at), colour, 1)
    for face in scene.faces:
        for x, y in face.landmarks[:, :2] * scale:
            cv2.circle(picture, (round(float(x)), round(float(y))), 1, (0, 255, 120), -1)
    return picture


def _cut_out(scene: Scene) -> U8:
    picture, mask = (
        _reduce(scene.rgb, scene).astype(np.float32),
        np.asarray(_reduce(scene.matte.mask, scene), np.float32),
    )
    shown = np.ascontiguousarray(picture * (0.25 + 0.75 * mask[..., None]), np.uint8)
    if scene.matte.trust == 0:
        return shown
    outlines, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, (255, 60, 60), 1)
    return shown


def _depth(scene: Scene) -> U8:
    grey = np.asarray(255 * _reduce(scene.depth, scene), np.uint8)
    shown: U8 = np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8)
    return shown


def _tinted(scene: Scene, **masks: F32) -> U8:
    """The picture in grey, each mask in its colour over it."""
    grey = cv2.cvtColor(np.asarray(_reduce(scene.rgb, scene), np.uint8), cv2.COLOR_RGB2GRAY)
    shown = np.repeat(0.7 * grey[..., None].astype(np.float32), 3, axis=2)
    for name, mask in masks.items():
        share = 0.55 * np.asarray(_reduce(mask, scene), np.float32)[..., None]
        shown = shown * (1 - share) + np.array(_TINTS[name], np.float32) * share
    return np.asarray(np.rint(shown), np.uint8)


def _write(sheet: U8, text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
