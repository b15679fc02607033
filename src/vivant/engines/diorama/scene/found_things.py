"""Where the things are that a prompt names, in one scene. Each is looked for once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.scene.named import describe_thing
from vivant.engines.diorama.scene.part import cut_region
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Thing

Find = Callable[[Thing], Region]  # where a thing is in a scene, and how sure that is


class FoundThings:
    """Made once per scene, and used for one job at a time."""

    def __init__(self, scene: Scene, look: Callable[[Scene, Thing], Region]) -> None:
        """look: the second look into a scene; see `analysis.SceneAnalyser.find`."""
        self.scene = scene
        self._look = look
        self._regions: dict[Thing, Region] = {}

    def find(self, thing: Thing) -> Region:
        """The mask is empty and its trust 0 where the thing is not found."""
        if thing not in self._regions:
            self._regions[thing] = self._look(self.scene, thing)
        return self._regions[thing]

    def describe(self, things: Sequence[Thing], checkpoint: Checkpoint = never_stop) -> Scene:
        """The scene with the facts of these things."""
        facts = []
        for thing in things:
            checkpoint()
            facts.append(describe_thing(self.scene, thing, self.find(thing)))
        if not facts:
            return self.scene
        return replace(self.scene, facts=replace(self.scene.facts, things=tuple(facts)))

    def find_in_part(self, *, left: float, top: float, size: float) -> Find:
        """Where things are in a part of the scene, enlarged as `part.cut_part` does: found in the whole scene, which
        shows more of them."""
        return lambda thing: cut_region(self.find(thing), left=left, top=top, size=size)
