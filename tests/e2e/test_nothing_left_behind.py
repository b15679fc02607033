"""A worker makes one clip after another: nothing of the last one stays."""

from __future__ import annotations

import gc
from collections import Counter

from support.clips import Make
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.frame.warp import Texels
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.engines.diorama.scene.scene import Scene, Source
from vivant.media import Planes
from vivant.memory import return_free_memory

LARGE = (Backdrop, Planes, Renderer, Scene, Source, Texels)


def count_large_things() -> Counter[str]:
    return_free_memory()
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, LARGE))


def test_a_clip_leaves_nothing_of_its_picture_behind(make: Make, engine: Diorama) -> None:
    del engine  # set up: what it keeps is counted before
    before = count_large_things()
    made = make("mountain_lake", "Clouds drift over the lake, the camera pans right.", generate_audio=False)
    assert made.path.exists()
    del made
    assert count_large_things() <= before
