"""A sea of clouds under an open sky rolls where clouds are asked for, and only there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion, Origin, Shot, Storyboard
from vivant.media import F32

FRAMES = 73
FAR = int(0.4 * HEIGHT)
USUAL = 0.5 * WIDTH / 640  # px per frame: what is seen at 640 px as half a pixel


@pytest.fixture(scope="module")
def above_clouds() -> Scene:
    noise = cv2.GaussianBlur(np.random.default_rng(5).normal(size=(HEIGHT, WIDTH)), (0, 0), 7, sigmaY=4)
    billows = 172 + 24 * noise / noise.std()
    picture = np.empty((HEIGHT, WIDTH, 3))
    picture[:FAR] = (215, 225, 235)
    picture[FAR:] = billows[FAR:, :, None] + np.array([-6, 0, 8])
    rgb = np.clip(picture, 0, 255).astype(np.uint8)
    cover = replace(region(rows_between(FAR, HEIGHT)), trust=0.4)
    scene = scene_of(rgb, sky=region(rows_between(0, FAR)), water=cover)
    return replace(scene, source=make_source(rgb), waterline=float(FAR))


def film(scene: Scene, play: Play, origin: Origin) -> Renderer:
    motion = Motion(kind="clouds", direction="right", origin=origin)
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=()),), motions=(motion,),
    )  # fmt: skip
    return Renderer(scene, still(FRAMES, 7), storyboard, play(scene, motion, frames=FRAMES))


def flow(renderer: Renderer, n: int, gap: int = 3) -> F32:
    """Pixels per frame to the right, (h, w)."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    one, two = (renderer.frame(k).y for k in (n, n + gap))
    return np.asarray(search.calc(one, two, np.zeros((*one.shape, 2), np.float32))[..., 0] / gap, np.float32)


def test_a_sea_of_clouds_rolls_nearer_the_viewer_the_faster(above_clouds: Scene, play: Play) -> None:
    clip = film(above_clouds, play, "prompt")
    near, far = slice(int(0.75 * HEIGHT), int(0.93 * HEIGHT)), slice(int(0.48 * HEIGHT), int(0.58 * HEIGHT))
    for n in (6, 25, 45, 66):
        right = flow(clip, n)[:, 50:-50]
        assert float(np.median(right[near])) > USUAL
        assert 0.1 * USUAL < float(np.median(right[far])) < float(np.median(right[near]))


def test_it_rests_where_no_clouds_are_asked_for(above_clouds: Scene, play: Play) -> None:
    clip = film(above_clouds, play, "default")
    first = clip.frame(0).y[FAR + 8 :]
    assert np.array_equal(clip.frame(50).y[FAR + 8 :], first)
