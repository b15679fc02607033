"""No telemetry is prepared, and nothing is written to the home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN_A_MODEL = """
from vivant.assets import asset
from vivant.engines.diorama.inference import load_model
load_model(asset("models/selfie.onnx").read_bytes())
"""
READ_PROMPTS = """
from vivant.engines.diorama.sound.speech import g2p
g2p.phonemize("Good evening.", "en")
g2p.phonemize("晚上好。", "zh")
"""


@pytest.mark.parametrize("program", [RUN_A_MODEL, READ_PROMPTS], ids=["a model", "the dictionaries"])
def test_nothing_is_written_to_the_home_folder(program: str, tmp_path: Path) -> None:
    # onnxruntime keeps a device id and the reports it is going to send under the home folder. The environment is bare,
    # because it sends nothing where its variables look like continuous integration.
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    surroundings = {"HOME": str(home), "TMPDIR": str(temporary), "PATH": os.defpath}
    subprocess.run([sys.executable, "-c", program], check=True, env=surroundings, timeout=120)
    assert [*home.rglob("*"), *temporary.rglob("*")] == []
