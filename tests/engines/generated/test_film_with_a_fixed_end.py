"""A film that ends on the last picture is played a little faster or slower, so that its last frame is the clip's."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from support.generated_films import number_of, numbered, tone, write_film
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.film import read_film
from vivant.engines.generated.footage import Footage
from vivant.media import F32, SAMPLE_RATE
from vivant.request import Canvas

SMALL: Final = GenerationCanvas.of(Canvas(192, 112, 97), grid=16, max_pixels=0)


def read(folder: Path, count: int, *, fps: int = 24, sound: tuple[F32, int] | None = None) -> Footage:
    path = folder / "film.mp4"
    write_film(path, numbered(count, 192, 112), fps=fps, sound=sound)
    return read_film(path, canvas=SMALL, seconds=4, check=lambda: None, exact_end=True)


def hertz(samples: F32) -> float:
    part = samples[0, SAMPLE_RATE : 3 * SAMPLE_RATE]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(part.size)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / part.size)


@pytest.mark.parametrize(("count", "fps"), [(107, 24), (90, 24), (97, 24), (65, 16), (71, 16), (110, 25)])
def test_the_last_frame_of_the_film_is_the_last_frame_of_the_clip(count: int, fps: int, tmp_path: Path) -> None:
    footage = read(tmp_path, count, fps=fps)
    numbers = [number_of(frame) for frame in footage.frames]
    assert len(numbers) == 97
    assert (numbers[0], numbers[-1]) == (0, count - 1)
    tempo = Fraction(count - 1, fps) / 4
    due = [n / 24 * float(tempo) * fps for n in range(97)]
    assert all(abs(number - moment) <= 0.51 for number, moment in zip(numbers, due, strict=True))
    assert footage.facts.get("tempo", 1.0) == pytest.approx(float(tempo), abs=1e-3)


@pytest.mark.parametrize("count", [92, 107])
def test_its_sound_is_as_long_and_at_its_own_pitch(count: int, tmp_path: Path) -> None:
    seconds = count / 24
    footage = read(tmp_path, count, sound=(tone(seconds, 48_000), 48_000))
    assert footage.sound is not None
    assert footage.sound.shape[1] / SAMPLE_RATE == pytest.approx(seconds / ((count - 1) / 96), abs=0.08)
    assert hertz(footage.sound) == pytest.approx(440, abs=2)
    assert np.abs(footage.sound[:, SAMPLE_RATE : 3 * SAMPLE_RATE]).max() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("count", [121, 240])
def test_a_film_that_is_much_too_long_is_cut_as_usual(count: int, tmp_path: Path) -> None:
    footage = read(tmp_path, count)
    assert "tempo" not in footage.facts
    assert [number_of(frame) for frame in footage.frames] == list(range(97))
