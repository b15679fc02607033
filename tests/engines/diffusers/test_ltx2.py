"""LTX-2 with random weights: pictures, sound, seeds, progress; loaded from a folder as a real one is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from support.fingerprints import fingerprint
from support.small_orders import generator_of, make_order, make_request
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.errors import EngineFailed
from vivant.media import U8, Pictures, fit, to_planes


def psnr(planes: Any, picture: U8) -> float:
    height, width = planes.y.shape
    return float(cv2.PSNR(planes.y, to_planes(fit(picture, width, height)).y))


def test_a_clip_begins_on_the_first_picture_and_ends_on_the_last(load_tiny: Any, lake: U8, falls: U8) -> None:
    engine, pictures = load_tiny("ltx2"), Pictures(lake, falls)
    board = engine.plan(make_request(lake, last=True), pictures, NullWatch())
    frames = list(engine.render(board, pictures, NullWatch()).frames)
    assert len(frames) == 97
    assert psnr(frames[0], lake) >= 40 and psnr(frames[-1], falls) >= 36


@pytest.mark.parametrize("seconds", [4, 5, 12])
def test_the_model_is_asked_for_exactly_the_frames_of_the_contract(load_tiny: Any, lake: U8, seconds: int) -> None:
    generator = generator_of(load_tiny("ltx2"))
    footage = generator.generate(make_order(lake, seconds=seconds), NullWatch())
    assert footage.facts["frames_made"] == 24 * seconds + 1
    frames = list(footage.frames)
    assert len(frames) == 24 * seconds + 1
    assert {(frame.shape, frame.dtype) for frame in frames} == {((64, 64, 3), np.dtype(np.uint8))}


@pytest.mark.parametrize("seconds", [4, 12])
def test_the_sound_is_as_long_as_the_film_at_48_khz(load_tiny: Any, lake: U8, seconds: int) -> None:
    sound = generator_of(load_tiny("ltx2")).generate(make_order(lake, seconds=seconds), NullWatch()).sound
    assert sound.dtype == np.float32 and sound.shape[0] == 2
    # The tiny vocoder speaks 16 kHz and rounds to latents of 40 ms: within two of them of the film's length.
    assert abs(sound.shape[1] / 48_000 - (24 * seconds + 1) / 24) < 0.08
    assert np.isfinite(sound).all() and 0 < np.abs(sound).max() <= 1


def test_a_tone_keeps_its_pitch_when_it_is_brought_to_48_khz(load_tiny: Any) -> None:
    import torch

    from vivant.engines.diffusers.ltx2 import _at_48_khz

    load_tiny("ltx2")
    for rate in (16_000, 24_000, 48_000):
        tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
        made = _at_48_khz(torch.from_numpy(np.stack([tone, tone])), rate)
        spectrum = np.abs(np.fft.rfft(made[0][:48_000]))
        assert made.shape == (2, 48_000) and abs(int(spectrum.argmax()) - 440) <= 1


def test_one_channel_of_sound_is_heard_on_both_sides_and_none_is_refused(load_tiny: Any) -> None:
    import torch

    from vivant.engines.diffusers.ltx2 import _at_48_khz

    load_tiny("ltx2")
    made = _at_48_khz(torch.full((1, 100), 0.5), 48_000)
    assert made.shape == (2, 100) and (made == 0.5).all()
    for wrong in (torch.full((2, 10), float("nan")), torch.zeros((2, 0))):
        with pytest.raises(EngineFailed, match="sound"):
            _at_48_khz(wrong, 48_000)


def test_an_order_without_sound_gets_none(load_tiny: Any, lake: U8) -> None:
    assert generator_of(load_tiny("ltx2")).generate(make_order(lake, audio=False), NullWatch()).sound is None


def test_equal_seeds_give_equal_clips_and_another_seed_another(load_tiny: Any, lake: U8) -> None:
    engine, pictures = load_tiny("ltx2"), Pictures(lake)

    def take(seed: int) -> tuple[str, str]:
        board = engine.plan(make_request(lake, seed=seed), pictures, NullWatch())
        return fingerprint(engine.render(board, pictures, NullWatch()))

    first, other = take(7), take(2**32 - 1)
    assert take(7) == first and other[0] != first[0] and other[1] != first[1]


def test_progress_is_told_at_every_step(load_tiny: Any, lake: U8) -> None:
    watch = RecordingWatch()
    generator_of(load_tiny("ltx2")).generate(make_order(lake), watch)
    assert len(watch.fractions) == 1 + 8 + 1  # before, eight steps, decoded
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 0.9


def test_distilled_weights_are_asked_with_one_pass_a_step(load_tiny: Any, lake: U8) -> None:
    """Else the class's own defaults, which are for full weights, would make up to four."""
    generator = generator_of(load_tiny("ltx2"))
    passes = count_passes(generator, lambda: generator.generate(make_order(lake), NullWatch()))
    assert passes == 8


def test_the_full_recipe_guides_with_all_that_the_makers_use(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("ltx2", recipe="full", steps=2))
    passes = count_passes(generator, lambda: generator.generate(make_order(lake), NullWatch()))
    assert passes == 2 * 3  # both prompts in one, without some attention, without the other modality
    assert generator.facts()["recipe"] == "full" and generator.facts()["steps"] == 2


def count_passes(generator: Any, work: Any) -> int:
    passes = []
    hook = generator._pipeline.transformer.register_forward_pre_hook(lambda module, inputs: passes.append(1))
    try:
        work()
    finally:
        hook.remove()
    return len(passes)


def test_the_pictures_reach_the_model_uncompressed(load_tiny: Any, lake: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.pipelines.ltx2 import pipeline_ltx2_condition as upstream

    asked: list[int] = []
    real = upstream.apply_image_conditioning_crf

    def record(image: Any, crf: int) -> Any:
        asked.append(crf)
        return real(image, crf)

    monkeypatch.setattr(upstream, "apply_image_conditioning_crf", record)
    generator_of(load_tiny("ltx2")).generate(make_order(lake, lake), NullWatch())
    assert asked == [0, 0]
    generator_of(load_tiny("ltx2", picture_crf=-1)).generate(make_order(lake), NullWatch())
    assert asked[2:] == [33]  # what this text encoder's makers trained with


def test_what_an_answer_tells_names_model_device_and_memory(load_tiny: Any, lake: U8) -> None:
    engine = load_tiny("ltx2")
    facts = engine._generator.facts()
    assert facts["device"] == "CPU" and facts["dtype"] == "float32" and facts["memory"] == "resident"
    made = engine._generator.generate(make_order(lake), NullWatch()).facts
    assert made["seconds"] > 0 and made["peak_memory_gib"] > 0


def test_a_probe_really_generates(load_tiny: Any) -> None:
    generator = generator_of(load_tiny("ltx2"))
    assert count_passes(generator, lambda: generator.probe(NullWatch())) == 8


def test_values_that_are_no_numbers_fail_with_the_dtype_that_may_be_the_reason(load_tiny: Any, lake: U8) -> None:
    import torch

    generator = generator_of(load_tiny("ltx2"))
    decoder = generator._pipeline.vae.decoder
    hook = decoder.register_forward_hook(lambda module, inputs, output: output * torch.tensor(float("nan")))
    try:
        with pytest.raises(EngineFailed, match="VIVANT_DIFFUSERS_DTYPE"):
            generator.generate(make_order(lake), NullWatch())
    finally:
        hook.remove()
    generator.generate(make_order(lake), NullWatch())


def test_a_prompt_without_words_is_no_reason_to_fail(load_tiny: Any, lake: U8) -> None:
    for prompt in ("", " ", "\u202e\u200b", "🌊" * 50, "a " * 3000):
        generator_of(load_tiny("ltx2")).generate(make_order(lake, prompt=prompt), NullWatch())


def test_facts_are_plain_data(load_tiny: Any) -> None:
    facts = generator_of(load_tiny("ltx2")).facts()
    assert {type(value) for value in facts.values()} <= {str, int, bool}
