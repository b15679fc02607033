"""Wan 2.2 with random weights: A14B with its two experts and a last picture, TI2V-5B with a first one only."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from support.fingerprints import fingerprint
from support.small_orders import generator_of, make_order, make_request
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.registry import make_card
from vivant.errors import InvalidRequest
from vivant.media import U8, Pictures, fit, to_planes


def psnr(planes: Any, picture: U8) -> float:
    height, width = planes.y.shape
    return float(cv2.PSNR(planes.y, to_planes(fit(picture, width, height)).y))


def test_a14b_begins_on_the_first_picture_and_ends_on_the_last(load_tiny: Any, lake: U8, falls: U8) -> None:
    engine, pictures = load_tiny("wan-a14b"), Pictures(lake, falls)
    board = engine.plan(make_request(lake, last=True, generate_audio=False), pictures, NullWatch())
    clip = engine.render(board, pictures, NullWatch())
    frames = list(clip.frames)
    assert len(frames) == 97 and clip.soundtrack is None
    assert psnr(frames[0], lake) >= 40 and psnr(frames[-1], falls) >= 36


@pytest.mark.parametrize("seconds", [4, 5, 12])
def test_a14b_makes_16_frames_a_second_and_24_come_out(load_tiny: Any, lake: U8, seconds: int) -> None:
    footage = generator_of(load_tiny("wan-a14b")).generate(make_order(lake, seconds=seconds), NullWatch())
    assert footage.facts["frames_made"] == 16 * seconds + 1 and footage.facts["fps_made"] == 16
    frames = list(footage.frames)
    assert len(frames) == 24 * seconds + 1 and footage.sound is None
    assert {frame.shape for frame in frames} == {(64, 64, 3)}


def test_a14b_s_first_and_last_frames_come_through_the_change_of_speed_untouched(
    load_tiny: Any, lake: U8, falls: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vivant.engines.diffusers import wan

    films: list[Any] = []
    real = wan.make_film

    def record(*args: Any, **named: Any) -> Any:
        films.append(real(*args, **named))
        return films[-1]

    monkeypatch.setattr(wan, "make_film", record)
    footage = generator_of(load_tiny("wan-a14b")).generate(make_order(lake, falls, seconds=4), NullWatch())
    frames, made = list(footage.frames), films[0].numpy()
    assert len(made) == 65 and len(frames) == 97
    assert np.array_equal(frames[0], made[0]) and np.array_equal(frames[-1], made[-1])
    assert np.array_equal(frames[3], made[2])  # 1/8 s is a frame of both
    between = (made[0].astype(float) / 3) + (made[1].astype(float) * 2 / 3)  # 1/24 s: two thirds of the way
    assert np.abs(frames[1] - between).max() <= 0.51


def test_a14b_is_given_the_last_picture_and_told_which_frames_are_given(load_tiny: Any, lake: U8, falls: U8) -> None:
    generator = generator_of(load_tiny("wan-a14b"))
    inputs: list[Any] = []
    hook = generator._pipeline.transformer.register_forward_pre_hook(
        lambda module, args, named: inputs.append(named["hidden_states"]), with_kwargs=True
    )
    try:
        generator.generate(make_order(lake, falls), NullWatch())
        generator.generate(make_order(lake), NullWatch())
    finally:
        hook.remove()
    both, only_first = inputs[0][0, 16:20, :, 0, 0], inputs[-1][0, 16:20, :, 0, 0]  # the four channels of the mask
    assert both[:, 0].tolist() == [1, 1, 1, 1] and both[:, -1].tolist() == [0, 0, 0, 1]
    assert only_first[:, 0].tolist() == [1, 1, 1, 1] and only_first[:, -1].tolist() == [0, 0, 0, 0]


def test_both_experts_work_on_a_clip(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("wan-a14b", steps=12))
    worked: list[str] = []
    hooks = [
        getattr(generator._pipeline, name).register_forward_pre_hook(lambda module, args, n=name: worked.append(n))
        for name in ("transformer", "transformer_2")
    ]
    try:
        generator.generate(make_order(lake), NullWatch())
    finally:
        for hook in hooks:
            hook.remove()
    assert len(worked) == 12 * 2  # with guidance, two passes a step
    assert worked == sorted(worked) and len(set(worked)) == 2  # first the one for strong noise


def test_without_guidance_there_is_one_pass_a_step(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("wan-a14b", recipe="distilled", steps=0))
    passes: list[int] = []
    hooks = [
        part.register_forward_pre_hook(lambda module, args: passes.append(1))
        for part in (generator._pipeline.transformer, generator._pipeline.transformer_2)
    ]
    try:
        generator.generate(make_order(lake), NullWatch())
    finally:
        for hook in hooks:
            hook.remove()
    assert len(passes) == 4


@pytest.mark.parametrize("kind", ["wan-a14b", "wan-5b"])
def test_equal_seeds_give_equal_clips_and_another_seed_another(load_tiny: Any, lake: U8, kind: str) -> None:
    engine, pictures = load_tiny(kind), Pictures(lake)

    def take(seed: int) -> str:
        board = engine.plan(make_request(lake, seed=seed, generate_audio=False), pictures, NullWatch())
        return fingerprint(engine.render(board, pictures, NullWatch()))[0]

    first, other = take(7), take(8)
    assert take(7) == first and other != first


@pytest.mark.parametrize("kind", ["wan-a14b", "wan-5b"])
def test_progress_is_told_at_every_step(load_tiny: Any, lake: U8, kind: str) -> None:
    watch = RecordingWatch()
    generator_of(load_tiny(kind)).generate(make_order(lake), watch)
    assert len(watch.fractions) == 1 + 3 + 1
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 0.9


def test_5b_begins_on_the_picture_at_24_frames_a_second(load_tiny: Any, lake: U8) -> None:
    footage = generator_of(load_tiny("wan-5b")).generate(make_order(lake, seconds=4), NullWatch())
    assert footage.facts["frames_made"] == 97 == len(list(footage.frames)) and footage.sound is None
    engine, pictures = load_tiny("wan-5b"), Pictures(lake)
    board = engine.plan(make_request(lake, generate_audio=False), pictures, NullWatch())
    assert psnr(next(engine.render(board, pictures, NullWatch()).frames), lake) >= 40


def test_5b_s_card_refuses_a_last_picture_with_the_reason(tiny_options: Any, lake: U8) -> None:
    card = make_card("diffusers", tiny_options("wan-5b"))
    card.refuse(make_request(lake))
    with pytest.raises(InvalidRequest, match="A14B and LTX-2 end on one") as refused:
        card.refuse(make_request(lake, last=True))
    assert refused.value.field == "last_frame"
    for kind in ("wan-a14b", "ltx2"):
        make_card("diffusers", tiny_options(kind)).refuse(make_request(lake, last=True))


def test_a_clip_with_sound_is_told_that_lips_cannot_follow_it(load_tiny: Any, lake: U8) -> None:
    engine = load_tiny("wan-a14b")
    board = engine.plan(make_request(lake), Pictures(lake), NullWatch())
    assert any("lips cannot follow" in line for line in engine.explain(board))


def test_wan_s_film_is_decoded_in_float32_whatever_the_dtype(load_tiny: Any) -> None:
    import torch

    pipeline = generator_of(load_tiny("wan-a14b", dtype="bfloat16"))._pipeline
    assert pipeline.vae.dtype == torch.float32 and pipeline.transformer.dtype == torch.bfloat16
