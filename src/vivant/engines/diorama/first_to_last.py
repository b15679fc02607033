"""Wires a clip from a first picture to a last one. The two are registered before anything else is done with the last:
if one camera move leads from one to the other, of the last only its pixels are used, and it is never analysed. Else it
is analysed while frames of the first are rendered already.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final, NamedTuple

from vivant.engines.diorama.checkpoints import Checkpoint
from vivant.engines.diorama.motion.ambient.compose import compose, compose_arriving_sky
from vivant.engines.diorama.motion.faces.face import FaceMotion
from vivant.engines.diorama.motion.fields import Ambient, ArrivingSky, Illumination
from vivant.engines.diorama.motion.frame.morph import Alignment, Morph, align, is_same_view
from vivant.engines.diorama.motion.frame.segments import Frames
from vivant.engines.diorama.motion.frame.transition import Arrival, Transition
from vivant.engines.diorama.motion.light.compose import compose_light
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.scene.scene import Scene, Source
from vivant.engines.diorama.script.notes import ScriptNote, tell
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import U8, fit, to_planes
from vivant.request import Canvas

_NAME: Final = "vivant-last"


class _Fitted(NamedTuple):
    """The last picture on the canvas, and how it fits the first; None where they show different places."""

    rgb: U8  # (h, w, 3)
    source: Source
    aligned: Alignment | None


class LastPicture:
    """Looks at the last picture of one clip on a thread of its own, which begins at once: beside the look at the
    first."""

    def __init__(self, first: U8, last: U8, canvas: Canvas, analyser: SceneAnalyser) -> None:
        """first, last: RGB uint8 (h, w, 3) of any size."""
        self._first, self._picture, self._canvas = first, last, canvas
        self._analyser, self._used = analyser, False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=_NAME)
        self._fitted = self._thread.submit(self._fit)
        self.ahead: Future[None] | None = None  # what is still done beside the frames; holds nothing when it is done

    def is_for(self, first: U8, last: U8, canvas: Canvas) -> bool:
        """Whether it looks at these very arrays, RGB uint8 (h, w, 3), for a clip that is not rendered yet."""
        return self._first is first and self._picture is last and self._canvas == canvas and not self._used

    def tell_seen(self, board: Storyboard) -> Storyboard:
        """The storyboard with what is seen of it: while the camera travels from one picture to the other, no sky and
        no light drifts."""
        drifting = [motion for motion in board.motions if motion.kind in ("clouds", "drifting_light")]
        if not drifting or not self._travels():
            return board
        kept = tuple(motion for motion in board.motions if motion not in drifting)
        asked = any(motion.origin == "prompt" for motion in drifting)
        notes = tell([ScriptNote("clouds_on_the_way")], board.language) if asked else ()
        return replace(board, motions=kept, notes=(*board.notes, *notes))

    def render_from(
        self, scene: Scene, board: Storyboard, timeline: Timeline, found: FoundThings, checkpoint: Checkpoint
    ) -> Frames:
        """The frames of the clip. scene, found: of the first picture. checkpoint: raises what stops the work."""
        self._used = True
        try:
            return self._render_from(scene, board, timeline, found, checkpoint)
        finally:
            self._thread.shutdown(wait=False)  # what it has begun goes on

    def wait(self) -> None:
        """Until nothing is done any more beside the caller; what failed there is raised where it is asked for."""
        self._fitted.exception()
        if self.ahead is not None:
            self.ahead.exception()

    def _travels(self) -> bool:
        """Whether one camera move, and not the light alone, leads from the first picture to the last."""
        aligned = self._fitted.result().aligned
        return aligned is not None and not is_same_view(aligned)

    def _render_from(
        self, scene: Scene, board: Storyboard, timeline: Timeline, found: FoundThings, checkpoint: Checkpoint
    ) -> Frames:
        board = self.tell_seen(board)
        faces = FaceMotion(scene, board, timeline) if scene.faces else None
        patches, face_field = (faces.patches, faces.field) if faces else (None, None)
        ambient = compose(scene, board, timeline, found.find)
        illumination = illuminate(scene, board, timeline, ambient)
        _, source, aligned = self._fitted.result()
        if aligned is not None:
            return Morph(
                scene, source, timeline, board, aligned, ambient=ambient, patches=patches, face_field=face_field,
                illumination=illumination, last_sky=self._find_sky(scene, board, timeline, ambient, checkpoint),
            )  # fmt: skip

        def look() -> Arrival:
            last = FoundThings(self._analyse(checkpoint), self._analyser.find)
            moves = compose(last.scene, board, timeline, last.find)
            return Arrival(last.scene, moves, illuminate(last.scene, board, timeline, moves))

        made = Transition(
            scene, source.planes, look, timeline, board, ambient=ambient, patches=patches, face_field=face_field,
            illumination=illumination,
        )  # fmt: skip
        self.ahead = self._thread.submit(_prepare, made)
        return made

    def _fit(self) -> _Fitted:
        size = self._canvas.width, self._canvas.height
        first, rgb = (fit(picture, *size) for picture in (self._first, self._picture))
        source = make_source(rgb)
        return _Fitted(rgb, source, align(to_planes(first), source.planes))

    def _find_sky(
        self, scene: Scene, board: Storyboard, timeline: Timeline, ambient: Ambient, checkpoint: Checkpoint
    ) -> ArrivingSky | None:
        rgb, source, aligned = self._fitted.result()
        if aligned is None or ambient.backdrop is None or not is_same_view(aligned):
            return None
        # The same view has its sky where the first picture has it, but for what stands elsewhere before it.
        last = self._analyse(checkpoint) if aligned.travellers else replace(scene, rgb=rgb, source=source)
        return compose_arriving_sky(last, board, timeline, ambient.backdrop)

    def _analyse(self, checkpoint: Checkpoint) -> Scene:
        return self._analyser.analyse(self._picture, self._canvas, checkpoint=checkpoint)


def _prepare(made: Transition) -> None:
    made.prepare()


def illuminate(scene: Scene, board: Storyboard, timeline: Timeline, ambient: Ambient) -> Illumination | None:
    """The light of a clip; the sky that drifts tells where the sky is."""
    backdrop = ambient.backdrop
    return compose_light(scene, board, timeline, None if backdrop is None else backdrop.sky)
