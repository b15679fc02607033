"""After warming up, no frame of any motion waits for the compiler."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import get_args

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.kernels import compiled_signatures
from vivant.engines.diorama.motion.ambient import blades, capsules, gusts, haze, rain, rings, snow, stream, sway, water
from vivant.engines.diorama.motion.warm_up import warm_up_ambient
from vivant.engines.diorama.scene import backdrop, complete
from vivant.engines.diorama.storyboard import Motion, MotionKind
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import U8, to_planes

KERNELS: tuple[Callable[..., object], ...] = (
    blades._draw, capsules._draw, haze.blend_toward, rain._fall, rings._draw, snow._fall, stream._two_phases,
    gusts._answer, sway._bend, water._add_waves, backdrop._project, backdrop._steepest, complete._copy_patches,
    complete._search,
)  # fmt: skip


def test_after_warming_up_no_motion_waits_for_a_compiler(texture: U8, play: Play) -> None:
    warm_up_ambient()
    before = [len(compiled_signatures(kernel)) for kernel in KERNELS]
    assert all(before)
    scene = scene_of(
        texture, water=region(rows_between(WATERLINE, HEIGHT)), sky=region(rows_between(0, 60)),
        plants=region(rows_between(60, 120)), fire=region(rows_between(120, WATERLINE)),
    )  # fmt: skip
    motions = [Motion(kind=kind) for kind in get_args(MotionKind)]
    strike = Event(id="strike0", kind="strike", time=Fraction(1, 24))
    ambient = play(scene, *motions, events=(strike,))
    frame = to_planes(scene.rgb)
    assert frame.y.shape == (HEIGHT, WIDTH)
    for n in (1, 20):
        ambient.field(n)
        ambient.flow(n)
        ambient.overlay(n, frame)
    assert [len(compiled_signatures(kernel)) for kernel in KERNELS] == before
