"""`make demo-neural`: the whole path through the running service, and a film that nobody takes for a model's work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np

from support.paths import ROOT
from vivant.encode.probe import probe


def test_the_demo_leaves_a_labelled_film(tiny_models: Any, tmp_path: Path) -> None:
    tiny_models("ltx2")  # skips without torch
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
    answer = subprocess.run(
        [sys.executable, "-m", "support.demo_neural"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "noise from untrained weights" in answer.stdout and "drawn into every frame" in answer.stdout
    facts = probe(tmp_path / "demo-neural.mp4")
    assert (facts.width, facts.height, facts.frames, facts.sample_rate) == (864, 496, 121, 48_000)
    with av.open(str(tmp_path / "demo-neural.mp4")) as movie:
        for frame in movie.decode(video=0):
            band = frame.to_ndarray(format="gray")[204:292]
            assert np.median(band) < 30 and band.max() > 200, "a frame has no words"
