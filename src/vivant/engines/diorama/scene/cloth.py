"""Finds cloth and coats that a prompt names: each kind has a look of its own. Knows no prompt and no motion."""

from __future__ import annotations

from dataclasses import replace

from vivant.engines.diorama.scene.clothes import find_clothes
from vivant.engines.diorama.scene.coat import find_fur
from vivant.engines.diorama.scene.curtains import find_curtains
from vivant.engines.diorama.scene.kinds import Detect
from vivant.engines.diorama.scene.named import find_thing
from vivant.engines.diorama.scene.proposal_cuts import Look
from vivant.engines.diorama.scene.sails import find_sails
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Thing


def find_cloth(scene: Scene, thing: Thing, look: Look, detect: Detect) -> Region:
    """Where it is, float32 (h, w), 0..1, and how sure that is. thing: of one of the kinds of CLOTHS. look, detect: see
    `named.find_thing`."""
    match thing.kind:
        case "curtain":
            return find_curtains(scene)
        case "clothes" | "scarf" | "skirt":
            return find_clothes(scene, thing.kind)
        case "fur":
            return find_fur(scene)
        case "sail":
            return find_sails(find_thing(scene, replace(thing, kind="boat", colour=""), look, detect))
        case _:
            return find_thing(scene, thing, look, detect)
