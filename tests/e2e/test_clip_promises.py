"""What the contract promises of a clip, measured in the finished file, on real photographs."""

from __future__ import annotations

import json
from itertools import pairwise

import cv2
import numpy as np
import pytest

from support.clips import Make
from support.film import luma, psnr, sound
from support.speech_recognition import characters, edit_distance, transcribe, words
from vivant.encode.probe import probe
from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.storyboard import Storyboard
from vivant.media import U8, fit, to_planes

MOVES = (
    ("mountain_lake", "The camera pans left."),
    ("dahlia", "Slow zoom in."),
    ("portrait_curie", "Fast dolly out."),
    ("antelope", "The camera orbits around it."),
    ("city_day", "Handheld camera."),
    ("sea_falls", "镜头向上摇"),
    ("drawing_cat", "A gentle scene."),
)


def fit_luma(picture: U8, shape: tuple[int, ...]) -> U8:
    return to_planes(fit(picture, shape[1], shape[0])).y


@pytest.mark.parametrize(("name", "prompt"), MOVES)
def test_frame_0_is_the_picture_whatever_the_camera_does(make: Make, name: str, prompt: str) -> None:
    made = make(name, prompt + " Heavy rain.", generate_audio=False)
    first = next(luma(made.path))
    assert psnr(first, fit_luma(made.pictures.first, first.shape)) >= 40


@pytest.mark.parametrize(
    ("first", "last", "prompt"),
    [
        ("mountain_lake", "sea_falls", "Snow falls as one place becomes another."),
        ("portrait_barkla", "portrait_curie", "One scientist turns into another, slow push in. 他说：“你好。”"),
    ],
)
def test_a_clip_with_a_last_picture_begins_and_ends_on_the_pictures(
    make: Make, first: str, last: str, prompt: str
) -> None:
    made = make(first, prompt, last=last)
    assert made.pictures.last is not None
    frames = list(luma(made.path))
    assert psnr(frames[0], fit_luma(made.pictures.first, frames[0].shape)) >= 40
    assert psnr(frames[-1], fit_luma(made.pictures.last, frames[0].shape)) >= 36
    middle = frames[len(frames) // 2]
    assert psnr(middle, frames[0]) < 30
    assert psnr(middle, frames[-1]) < 30


def test_a_fixed_camera_holds_the_background_while_the_face_lives(make: Make) -> None:
    made = make(
        "portrait_barkla", 'Fast zoom in. The man says: "Hello, my friend, how are you today?"', camera_fixed=True
    )
    frames = [frame.astype(np.int16) for frame in luma(made.path)]
    h, w = frames[0].shape
    corners = [frame[: h // 10, -w // 16 :] for frame in frames]
    # Beside the head the background's own gradient is drawn along softly; the rest is the encoder's noise.
    assert max(float(np.abs(corner - corners[0]).mean()) for corner in corners) < 3.0
    face = [frame[int(0.5 * h) : int(0.8 * h), int(0.3 * w) : int(0.8 * w)] for frame in frames]
    assert max(float(np.abs(part - face[0]).max()) for part in face) > 40


def test_a_still_scene_without_wishes_moves_gently_by_itself(make: Make) -> None:
    made = make("dahlia", "A flower.", generate_audio=False)
    frames = list(luma(made.path))
    before, after = (frame[50:300, 50:300].astype(np.float64) for frame in (frames[0], frames[-1]))
    shift = cv2.phaseCorrelate(before, after)[0]
    assert psnr(frames[0], frames[-1]) < 35
    assert float(np.hypot(shift[0], shift[1])) < 60


def test_picture_and_sound_end_together(make: Make) -> None:
    facts = probe(make("waves_sunset", "Waves roll in. Birds.", seconds=5).path)
    assert facts.frames == 121
    assert abs(facts.video_seconds - facts.audio_seconds) <= 1 / facts.fps
    assert (facts.sample_rate, facts.channels) == (48_000, 2)


def test_without_audio_there_is_no_audio_stream(make: Make) -> None:
    made = make("portrait_curie", 'She says "Hello." Rain and music.', generate_audio=False)
    assert not probe(made.path).has_audio


def test_the_same_request_gives_the_same_bits_and_another_seed_another_take(make: Make) -> None:
    def bits(file: str, seed: int) -> tuple[bytes, bytes]:
        made = make("portrait_barkla", 'Snow, handheld. He says "Well." Piano music.', file=file, seed=seed)
        return b"".join(frame.tobytes() for frame in luma(made.path)), sound(made.path).tobytes()

    one, same, other = bits("one.mp4", 1), bits("same.mp4", 1), bits("other.mp4", 2)
    assert one == same
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_english_is_heard_word_for_word_through_rain_and_music(make: Make) -> None:
    said = "Every picture has a story. Let me tell you mine."
    made = make("portrait_barkla", f'Heavy rain, sad piano music. The old man says: "{said}"', seconds=6)
    heard = transcribe(sound(made.path), "en")
    assert edit_distance(words(said), words(heard)) <= 1, heard


def test_chinese_is_heard_character_for_character(make: Make) -> None:
    said = "你好，今天的天气真好，我们一起去海边散步吧。"
    made = make("portrait_curie", f"海浪声，女人微笑着说：「{said}」", seconds=7)
    heard = transcribe(sound(made.path), "zh")
    assert edit_distance(characters(said), characters(heard)) <= 1, heard


def test_lips_move_while_a_line_is_spoken_and_rest_after_it(make: Make) -> None:
    made = make("portrait_barkla", 'Static shot. The man says: "Good morning, everybody."', seconds=6)
    frames = [frame.astype(float) for frame in luma(made.path)]
    h, w = frames[0].shape
    mouth = [f[int(0.56 * h) : int(0.68 * h), int(0.42 * w) : int(0.72 * w)] for f in frames]
    change = np.array([np.abs(b - a).mean() for a, b in pairwise(mouth)])
    speaking = np.abs(sound(made.path)).max(axis=0)[: 2000 * 144].reshape(144, 2000).max(axis=1) > 0.06
    assert speaking.sum() > 15
    assert change[speaking].mean() > 2.0 * change[int(np.flatnonzero(speaking)[-1]) + 12 :].mean()


def test_the_mark_is_drawn_when_asked_for(make: Make) -> None:
    plain, marked = (
        next(luma(make("city_day", "static", file=f"{mark}.mp4", watermark=mark, generate_audio=False).path))
        for mark in (False, True)
    )
    changed = np.abs(plain.astype(int) - marked) > 40
    assert changed[-70:, -260:].sum() > 150
    assert not changed[:-70].any()


def test_a_storyboard_survives_json_and_explains_itself(make: Make) -> None:
    made = make("mountain_lake", "The camera pans right. Gentle rain.", generate_audio=False)
    assert Storyboard.from_data(json.loads(json.dumps(made.board.to_data()))) == made.board
    told = " ".join(explain(made.board))
    assert "pan right" in told
    assert "rain" in told
