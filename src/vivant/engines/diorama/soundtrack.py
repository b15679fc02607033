"""The sound of a clip whose pictures somebody else made: speech, effects and music by the prompt and the first picture,
on this engine's own timeline. Nothing is rendered. The one module of this engine that other engines may import.
"""

from __future__ import annotations

from functools import partial

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.scene.analysis import SceneAnalyser, add_light
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.script import script
from vivant.engines.diorama.sound import mix
from vivant.engines.diorama.sound.music import score
from vivant.engines.diorama.sound.speech.speech import Speech
from vivant.engines.diorama.timing.lines import room_for_speech
from vivant.engines.diorama.timing.resolve import resolve
from vivant.media import Pictures, Soundtrack
from vivant.request import VideoRequest


class SoundtrackMaker:
    """Holds the models that speak and look; made once per process, about a second. One soundtrack at a time."""

    def __init__(self) -> None:
        self._analyser = SceneAnalyser(None, FaceFinder())
        self._speech = Speech()

    def make(self, request: VideoRequest, pictures: Pictures, checkpoint: Checkpoint = never_stop) -> Soundtrack:
        """The sound that this engine would give its own clip of the request: float32 (2, n) at 48 kHz, exactly 2000
        samples for each frame, also when the request asks for no sound. `checkpoint` is called between the steps, the
        longest of which takes less than a second, and may raise."""
        canvas = request.canvas
        scene = self._analyser.analyse(pictures.first, canvas, shining=False, checkpoint=checkpoint)
        found = FoundThings(scene, self._analyser.find)
        morph = pictures.last is not None
        if not morph:
            named = script.name_things(request.prompt)
            floating = () if any(thing.kind == "boat" for thing in named) else self._analyser.find_floating(scene)
            scene = found.describe((*named, *floating), checkpoint)
        board = script.write(
            request.prompt,
            scene.facts,
            canvas=canvas,
            seed=request.seed,
            audio=True,
            camera_fixed=request.camera_fixed,
            morph=morph,
            find=lambda thing: found.find(thing).trust,
            shining=partial(add_light, scene),
            checkpoint=checkpoint,
        )
        spoken = []
        if board.lines:
            spoken = self._speech.say_all(
                board.lines, seed=board.seed, seconds=room_for_speech(board.frames), checkpoint=checkpoint
            )
        timeline = resolve(board, scene.facts, spoken)
        checkpoint()
        music = None if timeline.music is None else score.make_music(timeline)
        return mix.make_soundtrack(timeline, music=music, checkpoint=checkpoint)
