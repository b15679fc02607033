"""Analyses a picture once: its subject, regions, depth and faces become a Scene. Knows no prompt and no time."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.scene import colour, depth, drawing, features, lights, mirrors, regions
from vivant.engines.diorama.scene.backdrop import are_clouds_seen
from vivant.engines.diorama.scene.being import find_being, find_others, recognise
from vivant.engines.diorama.scene.cloth import find_cloth
from vivant.engines.diorama.scene.cut_faces import count_cut_faces
from vivant.engines.diorama.scene.depth_model import DepthModel
from vivant.engines.diorama.scene.detection import ObjectDetector
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.scene.floating import tell_floating
from vivant.engines.diorama.scene.hair import find_hair
from vivant.engines.diorama.scene.kinds import is_lifeless
from vivant.engines.diorama.scene.matte import Matting
from vivant.engines.diorama.scene.named import find_thing
from vivant.engines.diorama.scene.open_sky import detect_lines
from vivant.engines.diorama.scene.plants import find_plants, look_for_plants
from vivant.engines.diorama.scene.scene import Face, Region, Scene
from vivant.engines.diorama.scene.surroundings import cut_outside
from vivant.engines.diorama.storyboard import CLOTHS, SUBJECT_TRUSTED, TRUSTED, PictureFacts, Thing
from vivant.media import F32, U8, crop_box, fit
from vivant.request import Canvas

COLOURFUL: Final = 50.0  # of b* in CIELAB, yellow or blue, that makes a picture as warm or cold as can be
# Height of the largest face, from the brows to the chin, in heights of the picture: from here on it may be a portrait,
# and from here on it is one.
NEAR_FACE: Final = (0.10, 0.16)

_log = logging.getLogger(__name__)


class SceneAnalyser:
    """Holds the models that it takes; made once per process (about 0.15 s)."""

    def __init__(self, depth_model: DepthModel | None = None, face_finder: FaceFinder | None = None) -> None:
        """depth_model: measures depth, which is guessed without one. face_finder: finds the faces where they are not
        given; without one there are none."""
        self._matting = Matting()
        self._depth_model = depth_model
        self._detector = ObjectDetector()
        self._face_finder = face_finder

    def analyse(
        self,
        picture: U8,
        canvas: Canvas,
        *,
        faces: tuple[Face, ...] | None = None,
        shining: bool = True,
        checkpoint: Checkpoint = never_stop,
    ) -> Scene:
        """The scene of RGB uint8 (h, w, 3), cropped and resized to the canvas. `faces` are in canvas pixels. shining:
        also look for what shines; without it the facts say nothing of it until `add_light` is asked, which few clips
        need. Three threads work on it: the net needs half of the time, and none of it holds the GIL."""
        checkpoint()
        with ThreadPoolExecutor(2, thread_name_prefix="vivant-look") as helper:
            scene = self._analyse(picture, canvas, faces, checkpoint, helper)
        checkpoint()
        return replace(scene, facts=add_light(scene)) if shining else scene

    def _analyse(
        self,
        picture: U8,
        canvas: Canvas,
        faces: tuple[Face, ...] | None,
        checkpoint: Checkpoint,
        helper: ThreadPoolExecutor,
    ) -> Scene:
        rgb = fit(picture, canvas.width, canvas.height)
        h = rgb.shape[0]
        # 1. Beside the net: all that needs no subject.
        looking = helper.submit(self._matting.look, rgb)
        cut_faces = 0
        if faces is None:
            faces = self._face_finder.find(rgb) if self._face_finder else ()
            cut_faces = count_cut_faces(picture, canvas, self._face_finder) if self._face_finder else 0
        checkpoint()
        source = colour.make_source(rgb)
        drawn = drawing.score_drawing(source.planes.y)
        lines = detect_lines(rgb)
        straight = depth.measure_straightness(lines, rgb.shape[:2])
        told = tuple(describe_face(face, canvas) for face in faces)
        checkpoint()
        # 2. The parts of the subject beside the regions.
        raw = looking.result()
        box = crop_box(picture.shape[1], picture.shape[0], canvas.width, canvas.height)
        outside = helper.submit(cut_outside, picture, box, rgb)
        matte = self._matting.matte(rgb, faces, raw)
        moving = any(not face.still for face in told)
        seen = features.extract_features(rgb, matte.mask * np.float32(matte.trust > SUBJECT_TRUSTED), drawn=drawn)
        grey = bool(np.percentile(np.abs(seen.lab[..., 1:]), 95) < 6)
        # The parts of a being take longest; the water and then the plants wait for what is asked next.
        living = None if moving else helper.submit(find_being, matte, rgb)
        mirroring = helper.submit(mirrors.measure_mirrors, seen)
        growing = None if grey else helper.submit(look_for_plants, rgb, straight)
        hairy = helper.submit(find_hair, rgb, matte, faces)
        largest = max((face.size for face in faces), default=0.0) / h
        portrait = largest > 0.22
        indoors = 0.85 if portrait else (0.3 if grey else 0.0)
        near = float(np.clip((largest - NEAR_FACE[0]) / (NEAR_FACE[1] - NEAR_FACE[0]), 0, 1))
        sky, rim = regions.find_sky(seen, rgb, indoors=indoors, portrait=near, lines=lines)
        clouds = None
        if drawn == 0 and sky.trust >= TRUSTED:
            clouds = helper.submit(are_clouds_seen, source.planes.y, _before(sky, matte))
        water, waterline = regions.find_water(
            seen, rgb, rim=rim, sky_mask=sky.mask, indoors=max(indoors, 0.6 * straight), open_air=sky.trust,
            mirror=mirroring.result(),
        )  # fmt: skip
        plants = find_plants(
            rgb, sky=sky, water=water, subject=matte, grey=grey, straight=straight,
            seen=None if growing is None else growing.result(),
        )  # fmt: skip
        fire = regions.find_fire(seen, rgb, sky_mask=sky.mask, grey=grey)
        checkpoint()
        # The water of a drawing is trusted less, but it has a waterline.
        line = waterline if water.trust > 0.35 * (1 - 0.6 * drawn) else 1.0
        shape = depth.guess_depth(rgb, matte, sky, line, straight=straight, portrait=portrait)
        measured = self._depth_model.estimate(rgb) if self._depth_model else None
        if measured is not None:
            shape = depth.follow_measured(shape, measured, rgb, matte, sky)
        elif self._depth_model:
            _log.warning("The depth model says nothing of a picture; its depth is guessed.")
        light, yellow = seen.lab[..., 0], seen.lab[..., 2]
        body, being = (None, None) if living is None else living.result()
        if body is not None and being is not None and (not being.being or (being.upright and not faces)):
            detected = self._detector.detect(rgb)
            if not being.being:
                body, being = recognise(body, being, matte, rgb, detected, drawn=drawn)
            # A glass on its foot has a head above a trunk, too.
            if being.upright and not faces and is_lifeless(matte.mask, detected):
                being = replace(being, upright=False)
        hair = hairy.result()
        checkpoint()
        middle = _middle(matte)
        facts = PictureFacts(
            faces=told,
            cut_faces=cut_faces,
            subject=matte.share,
            subject_trust=matte.trust,
            subject_x=middle[0],
            subject_y=middle[1],
            body=being,
            sky=sky.share,
            sky_trust=sky.trust,
            bare=clouds is not None and not clouds.result(),
            water=water.share,
            water_trust=water.trust,
            plants=plants.share,
            plants_trust=plants.trust,
            fire=fire.share,
            fire_trust=fire.trust,
            hair=hair.share,
            hair_trust=hair.trust,
            brightness=float(light.mean()) / 100,
            grey=grey,
            warm=float(np.clip(np.percentile(yellow, 75) / COLOURFUL, 0, 1)),
            cold=float(np.clip(-np.percentile(yellow, 25) / COLOURFUL, 0, 1)),
            drawn=drawn,
            horizon=float(np.clip(shape.horizon / h, 0, 1)),
            detail=measure_detail(picture, canvas),
        )
        return Scene(
            rgb=rgb,
            source=source,
            depth=shape.depth,
            matte=matte,
            sky=sky,
            water=water,
            plants=plants,
            fire=fire,
            horizon=shape.horizon,
            waterline=waterline * h,
            facts=facts,
            faces=faces,
            depth_measured=measured is not None,
            body=body,
            others=find_others(matte, rgb, body) if body else (),
            hair=hair,
            outside=outside.result(),
        )

    def find(self, scene: Scene, thing: Thing) -> Region:
        """Where a thing that was named is in a scene, by a second look; see `named.find_thing`."""
        find = find_cloth if thing.kind in CLOTHS else find_thing
        return find(scene, thing, self._matting.look, self._detector.detect)

    def find_floating(self, scene: Scene) -> tuple[Thing, ...]:
        """What floats in a scene without having been named: its subject, if that may be a boat or a bird."""
        kind = tell_floating(scene, self._detector.detect)
        return (Thing(kind=kind),) if kind else ()


def _before(sky: Region, matte: Region) -> F32:
    """The sky without the subject before it, which is fainter where its outline is less trusted: float32 (h, w)."""
    return np.asarray(sky.mask * (1 - matte.mask * min(1.0, 1.5 * matte.trust)), np.float32)


def add_light(scene: Scene) -> PictureFacts:
    """The facts of a scene with what shines in it."""
    shining = lights.find_shining(scene)
    return replace(
        scene.facts,
        sun=0.0 if shining.sun is None else 1.0,
        sunny=lights.measure_sunshine(scene),
        lamps=len(shining.lamps),
        windows=int(shining.windows.max()),
        signs=int(shining.signs.max()),
    )


def measure_detail(picture: U8, canvas: Canvas) -> float:
    """Pixels of the picture, uint8 (h, w, 3), for each pixel of the canvas, along a side."""
    left, _, right, _ = crop_box(picture.shape[1], picture.shape[0], canvas.width, canvas.height)
    return (right - left) / canvas.width


def _middle(matte: Region) -> tuple[float, float]:
    """Centre of mass of a trusted subject as shares of the canvas; the middle of the canvas where it is not trusted."""
    total = float(matte.mask.sum())
    if matte.trust <= SUBJECT_TRUSTED or total < 1:
        return 0.5, 0.5
    moments = cv2.moments(matte.mask)
    h, w = matte.mask.shape
    return moments["m10"] / moments["m00"] / w, moments["m01"] / moments["m00"] / h
