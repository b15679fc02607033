"""Unusual pictures and prompts: each still becomes a complete clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.signal import resample_poly

from support.clips import Made, photo
from support.film import luma, psnr, sound
from vivant.engines.base import NullWatch
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.storyboard import LONGEST_LINE, Language, Line, Speaker, Storyboard
from vivant.media import SAMPLE_RATE, SAMPLES_PER_FRAME, U8, Pictures, fit, to_planes
from vivant.request import SIZES, Brief, VideoRequest

EVERYTHING = (
    "Heavy rain, snow, fog, lightning and thunder, fire, falling leaves, embers, bubbles, waves, a waterfall, drifting "
    "clouds, grass in strong wind, birds, a crowd, traffic, footsteps, crickets. Loud drums. Fast orbit left, then "
    'zoom in, pan right, tilt up, handheld. The woman says happily: "Hello there!" The man whispers: "Good evening." '
    "老人说：“你好。”"
)


def solid(level: int) -> U8:
    return np.full((400, 600, 3), level, np.uint8)


def resized(name: str, width: int, height: int) -> U8:
    return np.asarray(Image.fromarray(photo(name)).resize((width, height)))


def request(picture: U8, prompt: str, **fields: Any) -> VideoRequest:
    brief = Brief(prompt=prompt, **{"resolution": "480p", "seconds": 4, "seed": 5, **fields})
    return brief.resolve(picture.shape[1], picture.shape[0], has_last_frame=False)


def plan_and_render(engine: Diorama, picture: U8, prompt: str, **fields: Any) -> Storyboard:
    """Plan, then take some frames and all of the sound, as a worker would, and check both."""
    asked = request(picture, prompt, **fields)
    pictures = Pictures(picture)
    board = engine.plan(asked, pictures, NullWatch())
    clip = engine.render(board, pictures, NullWatch())
    frames = [planes for planes, _ in zip(clip.frames, range(4), strict=False)]
    clip.frames.close()  # type: ignore[attr-defined]  # a generator
    assert {planes.y.shape for planes in frames} == {(asked.canvas.height, asked.canvas.width)}
    assert np.array_equal(frames[0].y, to_planes(fit(picture, asked.canvas.width, asked.canvas.height)).y)
    assert (clip.soundtrack is not None) == asked.generate_audio
    if clip.soundtrack is not None:
        samples = clip.soundtrack().samples
        assert samples.shape == (2, SAMPLES_PER_FRAME * asked.canvas.frames)
        assert np.isfinite(samples).all()
    return board


@pytest.mark.parametrize(("resolution", "ratio"), SIZES)
def test_every_canvas_can_be_filled(engine: Diorama, resolution: str, ratio: str) -> None:
    plan_and_render(
        engine, photo("sea_falls"), "Rain, fog, zoom in.", resolution=resolution, ratio=ratio, generate_audio=False
    )


ODD_PICTURES = {
    "black": solid(0),
    "noise": np.random.default_rng(0).integers(0, 256, (301, 301, 3), np.uint8),
    "narrowest": resized("sea_falls", 301, 749),
    "largest": resized("mountain_lake", 5999, 2401),
    "many faces": np.tile(resized("portrait_barkla", 150, 180), (5, 6, 1)),
    "upside down": np.ascontiguousarray(photo("portrait_curie")[::-1]),
    "all water": np.ascontiguousarray(photo("waves_sunset")[-320:]),
}


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_everything_can_be_asked_of_any_picture(engine: Diorama, name: str) -> None:
    plan_and_render(engine, ODD_PICTURES[name], EVERYTHING, generate_audio=name in ("black", "many faces"))


@pytest.mark.parametrize(
    "prompt",
    [
        "   ",
        "😀🎉🔥🌊" * 20,
        ("The camera pans left and it rains, says the man. " * 220)[:10_000],
        "rain\x01\x02\x1b[31m\r\n\t\x7f\u200b\u202e, wind",
        '"""""“”「」「「「',
        "<script>alert(1)</script> [bold]x[/bold] %s {} \\",
    ],
    ids=["blank", "emoji", "long", "control characters", "quotation marks", "markup"],
)
def test_no_prompt_is_too_odd(engine: Diorama, prompt: str) -> None:
    board = plan_and_render(engine, solid(90), prompt)
    assert board.lines == ()
    assert all(line.isprintable() for line in explain(board))


@pytest.mark.parametrize(
    "words", ["مرحبا بالعالم", "สวัสดีครับ", "Привет, мир!", "안녕하세요", "こんにちは、元気ですか", "नमस्ते"]
)
def test_a_language_without_a_voice_is_named_and_not_spoken(engine: Diorama, words: str) -> None:
    board = engine.plan(request(solid(90), f'The man says: "{words}"'), Pictures(solid(90)), NullWatch())
    assert board.lines == ()
    assert any("cannot be spoken" in note for note in board.notes)


@pytest.mark.parametrize(
    ("text", "language", "voice"), [("7" * LONGEST_LINE, "en", "af_heart"), ("你好世界" * 200, "zh", "zf_xiaoxiao")]
)
def test_a_novel_costs_no_more_speech_than_is_heard(engine: Diorama, text: str, language: Language, voice: str) -> None:
    line = Line(text=text, language=language, speaker=Speaker(), voice=voice)
    spoken = engine._speech.say_all([line] * 3, seconds=1.5)
    assert 1.5 < len(spoken[0].samples) / SAMPLE_RATE < 15
    assert [len(one.samples) for one in spoken[1:]] == [0, 0]


def test_the_loudest_clip_stays_under_the_ceiling_when_it_is_a_file(engine: Diorama, tmp_path: Path) -> None:
    face = resized("portrait_barkla", 480, 600)
    made = Made(engine, Pictures(face), request(face, EVERYTHING), tmp_path / "clip.mp4")
    samples = sound(made.path)
    assert samples.shape[1] >= SAMPLES_PER_FRAME * made.request.canvas.frames
    peak = np.abs(resample_poly(samples.astype(np.float64), 8, 1, axis=1)).max()
    assert 20 * np.log10(peak) <= -1.0
    frames = list(luma(made.path))
    assert len(frames) == made.request.canvas.frames
    assert psnr(frames[0], to_planes(fit(face, frames[0].shape[1], frames[0].shape[0])).y) >= 40
