"""`vivant bench gpu`: a row of figures from a real clip, and how sharpness is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from vivant.cli import app
from vivant.cli.bench_gpu import COLUMNS, compare_sharpness, describe_row
from vivant.media import U8, Planes, to_planes


def test_a_row_has_the_seconds_memory_and_sharpness_of_a_real_clip(
    tiny_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in tiny_options("ltx2", max_pixels=8192).items():
        if value != "":
            monkeypatch.setenv(f"VIVANT_DIFFUSERS_{name.upper()}", str(value))
    command = ["bench", "gpu", "--resolution", "480p", "--duration", "4", "--runs", "1"]
    answer = CliRunner().invoke(app, [*command, "--json"])
    assert answer.exit_code == 0, answer.output
    measured = json.loads(answer.stdout)
    assert measured["clip"] == "4 s 480p" and measured["device"] == "CPU" and measured["steps"] == 8
    assert measured["clip_seconds"] > 0 and measured["setup_seconds"] > 0 and measured["peak_memory_gib"] > 0
    row = describe_row(measured)
    assert len(row) == len(COLUMNS) and all(row)


def test_sharpness_is_one_for_frames_as_sharp_as_the_picture_and_less_for_blurred_ones(lake: U8) -> None:
    blurred = cv2.GaussianBlur(lake, (0, 0), 2).astype(np.uint8)

    def frames(later: U8) -> Iterator[Planes]:
        return (to_planes(lake if number == 0 else later) for number in range(30))

    assert compare_sharpness(frames(lake)) == 1
    assert 0 < compare_sharpness(frames(blurred)) < 0.5
    assert compare_sharpness(frames(np.full_like(lake, 90))) == 0
