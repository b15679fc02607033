"""LTX-2's last picture lies on the last frame: on the coordinates that the model is given, for every length."""

from __future__ import annotations

from typing import Any

import pytest

from support.small_orders import generator_of, make_order
from vivant.engines.base import NullWatch
from vivant.media import U8


def coordinates(generator: Any, order: Any) -> Any:
    """What the transformer is told of place and time: seconds [begin, end) of each token, a list in the order of the
    tokens."""
    seen: list[Any] = []

    def record(module: Any, inputs: Any, named: Any) -> None:
        seen.append(named["video_coords"][0, 0].tolist())

    hook = generator._pipeline.transformer.register_forward_pre_hook(record, with_kwargs=True)
    try:
        generator.generate(order, NullWatch())
    finally:
        hook.remove()
    assert all(coords == seen[0] for coords in seen)
    return seen[0]


@pytest.mark.parametrize("seconds", range(4, 13))
def test_the_tokens_of_the_last_picture_lie_on_the_last_frame(
    load_tiny: Any, lake: U8, falls: U8, seconds: int
) -> None:
    coords = coordinates(generator_of(load_tiny("ltx2")), make_order(lake, falls, seconds=seconds))
    in_space = 2 * 2  # tokens of a picture of 64x64
    of_picture = coords[-in_space:]
    last = 24 * seconds
    assert of_picture == [pytest.approx([last / 24, (last + 1) / 24])] * in_space
    # It is the frame that is made last, too: the last latent ends where the picture's tokens do.
    assert coords[-in_space - 1][1] == pytest.approx((last + 1) / 24)


def test_upstream_alone_would_put_it_seven_frames_earlier(load_tiny: Any, lake: U8, falls: U8) -> None:
    """If this fails, diffusers does it right by itself, and last_frame.py can go."""
    from diffusers import LTX2ConditionPipeline

    generator = generator_of(load_tiny("ltx2"))
    ours = generator._pipeline
    generator._pipeline = LTX2ConditionPipeline(**ours.components)
    generator._pipeline.set_progress_bar_config(disable=True)
    generator._pipeline.video_processor = ours.video_processor
    try:
        coords = coordinates(generator, make_order(lake, falls, seconds=5))
    finally:
        generator._pipeline = ours
    assert coords[-1] == pytest.approx([113 / 24, 114 / 24])


def test_the_first_picture_stays_where_it_is(load_tiny: Any, lake: U8) -> None:
    coords = coordinates(generator_of(load_tiny("ltx2")), make_order(lake, seconds=4))
    assert len(coords) == 13 * 4 and coords[0] == pytest.approx([0, 1 / 24])
