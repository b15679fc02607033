"""The embedded engine. `plan` analyses the picture and reads the prompt. `render` analyses the scene while speech is
synthesised, resolves the timeline, then renders frames and sound at the same time. Read this first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2

from vivant.engines.base import Watch
from vivant.engines.chat import Endpoint, PlannerFailed
from vivant.engines.diorama import explain, explain_picture, words_chinese, words_english
from vivant.engines.diorama.first_to_last import LastPicture, illuminate
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.faces.face import FaceMotion, warm_up_faces
from vivant.engines.diorama.motion.frame.reach import find_short_moves
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.frame.segments import Frames, Segments
from vivant.engines.diorama.motion.frame.travelling import Travelling
from vivant.engines.diorama.motion.subject.motion import BodyMotion
from vivant.engines.diorama.motion.warm_up import warm_up_ambient, warm_up_frames
from vivant.engines.diorama.planner import plan as planner
from vivant.engines.diorama.scene.analysis import SceneAnalyser, add_light
from vivant.engines.diorama.scene.depth_model import DepthModel
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.found_things import Find, FoundThings
from vivant.engines.diorama.scene.matte import CUT_OUT_FROM
from vivant.engines.diorama.scene.part import cut_part
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.warm_up import warm_up_looking
from vivant.engines.diorama.script import script
from vivant.engines.diorama.script.notes import ScriptNote, tell
from vivant.engines.diorama.script.words import load_lexicon
from vivant.engines.diorama.sound import mix
from vivant.engines.diorama.sound.music import score
from vivant.engines.diorama.sound.speech.speech import Speech
from vivant.engines.diorama.sound.warm_up import warm_up_sound
from vivant.engines.diorama.storyboard import ENGINE, VERSION, Storyboard
from vivant.engines.diorama.timing.lines import room_for_speech
from vivant.engines.diorama.timing.resolve import resolve
from vivant.engines.diorama.timing.timeline import Spoken, Timeline
from vivant.engines.diorama.timing.views import WHOLE, View
from vivant.media import U8, Clip, Pictures, Planes, Soundtrack
from vivant.request import Canvas, VideoRequest

RENDER_THREADS: Final = 2  # each renders whole frames; the kernels release the GIL, so two fill two cores
FRAMES_AHEAD: Final = RENDER_THREADS + 3  # rendered or begun before the encoder takes them; keeps the threads busy
SOUND_TIMEOUT: Final = 300.0  # seconds that speech or sound may take

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Diorama:
    """Implements `engines.base.Engine`; one job at a time."""

    name = ENGINE
    version = VERSION

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        """options: `depth_model` (see card.py), and `planner_url`, `planner_model`, `planner_api_key` and
        `planner_seconds`, as the settings name them."""
        self._planner = _find_planner(options or {})
        self._depth_file = (options or {}).get("depth_model", "")
        self._last_scene: tuple[U8, Canvas, Scene, FoundThings] | None = None
        self._last_picture: LastPicture | None = None
        self._ahead: Future[None] | None = None

    def setup(self) -> None:
        cv2.setNumThreads(1)  # parallel by frame, not inside one
        with ThreadPoolExecutor(1, thread_name_prefix="vivant-setup") as helper:
            speech = helper.submit(Speech)  # half of the whole setup, most of it without the GIL
            depth = DepthModel(Path(self._depth_file)) if self._depth_file else None
            self._analyser = SceneAnalyser(depth, FaceFinder())
            # What is compiled or read at first use is used once now, so that no job waits for it.
            load_lexicon()
            words_english.load_tagger()
            words_chinese.tag("人")
            warm_up_looking()
            warm_up_frames()
            warm_up_faces()
            warm_up_ambient()
            warm_up_sound()
            self._speech = speech.result()

    def probe(self, watch: Watch) -> None:
        """Nothing stands behind it that could be down."""

    def plan(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> Storyboard:
        last = self._last_of(pictures, request.canvas)
        scene, found = self._scene_of(pictures.first, request.canvas, watch)
        morph = pictures.last is not None
        if not morph:  # on the way to a last picture everything follows that picture
            named = script.name_things(request.prompt)
            floating = () if any(thing.kind == "boat" for thing in named) else self._analyser.find_floating(scene)
            scene = found.describe((*named, *floating), watch.raise_if_stopping)
        failed = False
        if self._planner is not None:
            try:
                planned = planner.plan(
                    self._planner,
                    request,
                    add_light(scene),
                    morph=morph,
                    check=watch.raise_if_stopping,
                    find=lambda thing: found.find(thing).trust,
                )
                planned = _tell_short_moves(planned, scene, pictures.first)
                return last.tell_seen(planned) if last else planned
            except PlannerFailed as error:
                failed = True
                _log.warning("The built-in reader reads the prompt: %s.", error)
        board = script.write(
            request.prompt,
            scene.facts,
            canvas=request.canvas,
            seed=request.seed,
            audio=request.generate_audio,
            camera_fixed=request.camera_fixed,
            morph=morph,
            find=lambda thing: found.find(thing).trust,
            shining=partial(add_light, scene),
            checkpoint=watch.raise_if_stopping,
        )
        board = _tell_short_moves(board, scene, pictures.first)
        board = last.tell_seen(board) if last else board
        if not failed:
            return board
        return replace(board, notes=(*tell([ScriptNote("planner_failed")], board.language), *board.notes))

    def explain(self, storyboard: Storyboard) -> list[str]:
        return explain.explain(storyboard)

    def draw_seen(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> U8:
        return explain_picture.draw_sheet(self._scene_of(pictures.first, request.canvas, watch)[0])

    def render(self, storyboard: Storyboard, pictures: Pictures, watch: Watch) -> Clip:
        last = self._last_of(pictures, storyboard.canvas)
        helpers = ThreadPoolExecutor(2, thread_name_prefix="vivant-sound")
        try:
            # 1. The scene and the speech at the same time: neither needs the other.
            speaking = helpers.submit(self._speak, storyboard, watch)
            scene, found = self._scene_of(pictures.first, storyboard.canvas, watch)
            scene = found.describe([travel.thing for travel in storyboard.travels], watch.raise_if_stopping)
            self._last_scene = None  # the clip holds it as long as it needs it
            watch.raise_if_stopping()
            watch.report(0.02)
            # 2. The timeline, which picture and sound both read.
            spoken = _result_of(speaking, watch)
            timeline = resolve(storyboard, scene.facts, spoken)
            watch.report(0.05)
            # 3. Sound and frames at the same time.
            soundtrack: Callable[[], Soundtrack] | None = None
            if storyboard.audio:
                soundtrack = partial(_result_of, helpers.submit(_compose_sound, timeline, watch), watch)
        finally:
            helpers.shutdown(wait=False)  # what was submitted ends by itself, or at its next checkpoint
        made = _renderer(storyboard, scene, pictures.first, timeline, last, found, watch)
        self._last_picture, self._ahead = None, last.ahead if last else None
        return Clip(
            canvas=storyboard.canvas,
            frames=_render_frames(made, timeline.frames, watch),
            soundtrack=soundtrack,
            cuts=timeline.cuts,
        )

    def _last_of(self, pictures: Pictures, canvas: Canvas) -> LastPicture | None:
        """The look at the last picture, which plan and render of one job share. Whoever gave up a clip early may have
        left one; models are used by one job at a time."""
        kept, last = self._last_picture, pictures.last
        if kept is not None and last is not None and kept.is_for(pictures.first, last, canvas):
            return kept
        if kept is not None:
            kept.wait()
        if self._ahead is not None:
            self._ahead.exception()
        self._last_picture = None if last is None else LastPicture(pictures.first, last, canvas, self._analyser)
        return self._last_picture

    def _scene_of(self, picture: U8, canvas: Canvas, watch: Watch) -> tuple[Scene, FoundThings]:
        """The scene of the first picture and what was found in it; plan and render of one job share them."""
        if self._last_scene is None or self._last_scene[0] is not picture or self._last_scene[1] != canvas:
            scene = self._analyse(picture, canvas, watch)
            self._last_scene = (picture, canvas, scene, FoundThings(scene, self._analyser.find))
        return self._last_scene[2:]

    def _analyse(self, picture: U8, canvas: Canvas, watch: Watch) -> Scene:
        return self._analyser.analyse(picture, canvas, shining=False, checkpoint=watch.raise_if_stopping)

    def _speak(self, board: Storyboard, watch: Watch) -> list[Spoken]:
        if not board.lines:
            return []
        return self._speech.say_all(
            board.lines,
            seed=board.seed,
            seconds=room_for_speech(board.frames),
            checkpoint=watch.raise_if_stopping,
        )


def _find_planner(options: Mapping[str, Any]) -> Endpoint | None:
    url = options.get("planner_url", "")
    if not url:
        return None
    return Endpoint(
        base=url,
        model=options.get("planner_model", ""),
        key=options.get("planner_api_key", ""),
        seconds=float(options.get("planner_seconds", "20")),
    )


def _tell_short_moves(board: Storyboard, scene: Scene, picture: U8) -> Storyboard:
    """With a note on the camera moves for which the picture has too little room."""

    def part_of(view: View) -> Scene:
        return cut_part(scene, picture, board.canvas, left=view.left, top=view.top, size=view.size)[0]

    found = find_short_moves(board, scene, part_of)
    short = [ScriptNote("camera_room", (move.words or move.kind,)) for move in found]
    return replace(board, notes=(*board.notes, *tell(short, board.language))) if short else board


def _result_of(work: Future[T], watch: Watch) -> T:
    """Wait for a result. Raises Stopped within a tenth of a second if the job is to stop meanwhile."""
    for _ in range(round(SOUND_TIMEOUT / 0.1)):
        watch.raise_if_stopping()
        if not wait((work,), timeout=0.1).not_done:
            break
    return work.result()  # later than that it blocks without reports, and the dispatcher replaces a silent worker


def _renderer(
    board: Storyboard, scene: Scene, picture: U8, timeline: Timeline, last: LastPicture | None, found: FoundThings,
    watch: Watch,
) -> Frames:  # fmt: skip
    if last is not None:  # such a clip has no cuts
        return last.render_from(scene, board, timeline, found, watch.raise_if_stopping)
    if not timeline.cuts:
        return render_segment(board, scene, timeline, found.find)

    def make(segment: int) -> Frames:
        view = timeline.views[segment]
        if view == WHOLE:
            return render_segment(board, scene, timeline.of_segment(segment, range(len(scene.faces))), found.find)
        box = {"left": view.left, "top": view.top, "size": view.size}
        part, faces = cut_part(scene, picture, board.canvas, **box)
        return render_segment(board, part, timeline.of_segment(segment, faces), found.find_in_part(**box))

    return Segments([start for start, _ in timeline.segments], make)


def render_segment(board: Storyboard, scene: Scene, timeline: Timeline, find: Find) -> Renderer:
    """The frames of one segment: a clip without cuts, or what lies between two."""
    ways = [(region, way) for way in timeline.travels if ((region := find(way.thing)).mask > 0.5).any()]
    travelling = Travelling(scene, ways, seed=board.seed) if ways else None
    if travelling:
        scene = travelling.scene
    actor: FaceMotion | BodyMotion | None = None
    if timeline.body is not None and scene.body is not None:
        cut_out, being = scene.matte.trust >= CUT_OUT_FROM, board.body_actions[0].being
        actor = BodyMotion(scene, scene.body, timeline.body, cut_out=cut_out, being=being)
    elif scene.faces:
        actor = FaceMotion(scene, board, timeline)
    ambient = compose(scene, board, timeline, find)
    return Renderer(
        scene,
        timeline,
        board,
        ambient=ambient,
        patches=actor.patches if actor else None,
        face_field=actor.field if actor else None,
        illumination=illuminate(scene, board, timeline, ambient),
        subject_moves=isinstance(actor, BodyMotion),
        beside=actor.beside if isinstance(actor, BodyMotion) else None,
        travelling=travelling,
    )


def _render_frames(renderer: Frames, frames: int, watch: Watch) -> Iterator[Planes]:
    """Frames in order; a few threads render them a little before they are taken."""
    threads = ThreadPoolExecutor(RENDER_THREADS, thread_name_prefix="vivant-frames")
    window: deque[Future[Planes]] = deque()
    try:
        for n in range(frames):
            watch.raise_if_stopping()
            window.append(threads.submit(renderer.frame, n))
            if len(window) == FRAMES_AHEAD:
                yield window.popleft().result()
        while window:
            watch.raise_if_stopping()
            yield window.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def _compose_sound(timeline: Timeline, watch: Watch) -> Soundtrack:
    music = None if timeline.music is None else score.make_music(timeline)
    return mix.make_soundtrack(timeline, music=music, checkpoint=watch.raise_if_stopping)
