from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from support.spoken import SENTENCE, spoken_line
from vivant.engines.diorama.timing import visemes
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.engines.diorama.timing.visemes import CLOSE_SPEED, GLIDING, JAW_SPEED, LIP_SPEED, MOUTH, SHAPES

FRAMES = 97


def mouth(lines: list[PlacedLine], seed: int = 1) -> FaceCurves:
    """The curves of a single face that speaks these lines and does nothing else."""
    (face,) = visemes.add_speech([FaceCurves.at_rest(FRAMES)], lines, seed=seed)
    return face


def middles(line_start: float, symbols: str) -> list[int]:
    """The frames on screen at the middle of each of these phonemes of SENTENCE."""
    frames, at = [], line_start
    for symbol, seconds in SENTENCE:
        if symbol in symbols:
            frames.append(int((at + seconds / 2) * 24))
        at += seconds
    return frames


def test_lips_are_shut_in_the_middle_of_every_p_b_and_m() -> None:
    for offset in np.linspace(0.4, 0.5, 13):  # however the phonemes fall between frames
        curves = mouth([spoken_line(SENTENCE, start=float(offset))])
        for frame in middles(float(offset), "pbm"):
            assert curves.close[frame] == 1.0


def test_the_lower_lip_meets_the_teeth_for_f_and_v_unless_lips_are_shut() -> None:
    curves = mouth([spoken_line(SENTENCE)])
    for frame in middles(0.5, "fv"):
        assert curves.teeth[frame] == pytest.approx(1 - curves.close[frame])
        assert curves.teeth[frame] >= 0.5


def test_vowels_open_the_mouth_and_open_vowels_open_it_more() -> None:
    curves = mouth([spoken_line(SENTENCE)])
    apart = curves.jaw * (1 - curves.close)
    (open_vowel,), (close_vowel,) = middles(0.5, "ɑ"), middles(0.5, "u")
    assert apart[open_vowel] > 0.3
    assert apart[open_vowel] > apart[close_vowel] > 0.03
    assert curves.round[close_vowel - 2 : close_vowel + 1].max() > 0.5  # rounding comes early
    assert curves.wide[middles(0.5, "i")[0]] > 0.3


def test_every_curve_is_within_bounds_and_speed_limits() -> None:
    line = spoken_line(SENTENCE, tone="shout")
    curves = mouth([line], seed=3)
    limits = {"jaw": JAW_SPEED, "wide": LIP_SPEED, "round": LIP_SPEED, "close": CLOSE_SPEED, "teeth": CLOSE_SPEED}
    assert set(limits) == set(MOUTH)
    for name, limit in limits.items():
        curve = getattr(curves, name)
        assert curve.dtype == np.float32
        assert curve.shape == (FRAMES,)
        assert curve.min() >= 0
        assert curve.max() <= 1
        assert np.abs(np.diff(curve)).max() <= limit + 1e-6


def test_nothing_opens_for_a_single_frame() -> None:
    quick = [("m", 0.09), ("a", 0.04), ("m", 0.09), ("a", 0.04), ("p", 0.09), ("a", 0.2)]
    curves = mouth([spoken_line(quick)])
    apart = curves.jaw * (1 - curves.close)
    alone = np.minimum(apart[1:-1] - apart[:-2], apart[1:-1] - apart[2:])
    assert alone.max() < 0.35


def test_the_mouth_is_at_rest_before_after_and_in_the_pause() -> None:
    curves = mouth([spoken_line(SENTENCE)])
    comma = 0.5 + sum(seconds for _, seconds in SENTENCE[:10])
    for name in MOUTH:
        curve = getattr(curves, name)
        assert curve[0] == curve[-1] == 0
        assert curve[: int(0.35 * 24)].max() < 0.02
        assert curve[int((comma + 0.18) * 24)] < 0.06


def test_the_mouth_rests_at_the_clips_last_frame_even_if_speech_is_cut() -> None:
    curves = mouth([spoken_line([("a", 3.0)], start=2.0)])
    assert curves.jaw[60:80].min() > 0.2
    assert curves.jaw[-1] == 0


def test_loud_speech_opens_wider_than_faint_speech_in_the_same_line() -> None:
    loud, faint = spoken_line([("a", 0.4)]), spoken_line([("a", 0.4)], loudness=0.01)
    samples = np.concatenate([loud.spoken.samples, faint.spoken.samples])
    line = spoken_line([("a", 0.4), ("ɑ", 0.4)])
    line.spoken.samples[:] = samples
    jaw = mouth([line]).jaw
    assert jaw[int(0.7 * 24)] > 1.5 * jaw[int(1.1 * 24)]


def test_only_the_mouths_of_faces_that_speak_on_screen_move() -> None:
    lines = [spoken_line(SENTENCE, face=1), spoken_line(SENTENCE, off_screen=True), spoken_line(SENTENCE, face=-1)]
    at_rest = FaceCurves.at_rest(FRAMES)
    silent, speaks = visemes.add_speech([at_rest, at_rest], lines, seed=1)
    assert silent is at_rest
    assert speaks.jaw.max() > 0.2


def test_two_lines_of_one_face_share_its_curves() -> None:
    early, late = spoken_line(SENTENCE[:5], start=0.3), spoken_line(SENTENCE[:5], start=2.0)
    jaw = mouth([early, late]).jaw
    assert jaw[:24].max() > 0.2
    assert jaw[30:44].max() < 0.02
    assert jaw[44:].max() > 0.2


def test_the_same_seed_gives_the_same_curves_and_another_seed_others() -> None:
    first, again, other = (mouth([spoken_line(SENTENCE)], seed=seed) for seed in (5, 5, 6))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in MOUTH)
    assert any(not np.array_equal(getattr(first, name), getattr(other, name)) for name in MOUTH)


def test_every_sound_the_voices_can_make_has_a_shape() -> None:
    vocabulary = json.loads((files("vivant.assets") / "voices" / "kokoro_vocab.json").read_text())["vocab"]
    marks = set(';:,.!?—…"()“” ̃ᵝˈˌːʰʲ↓→↗↘S')  # S is Kokoro's mark of a language no voice here speaks
    assert set(vocabulary) - set(SHAPES) - set(GLIDING) == marks
