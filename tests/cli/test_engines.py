"""`vivant engines`, `vivant make --engine`, and the model of a key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.paths import PHOTOS
from vivant.engines.registry import ENGINES

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def vivant(tmp_path: Path) -> Run:
    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("VIVANT_")}
        surroundings |= {"HOME": str(tmp_path), "VIVANT_DATA": str(tmp_path / "data"), "COLUMNS": "250", **environment}
        return subprocess.run(
            [sys.executable, "-m", "vivant", *words], capture_output=True, text=True, timeout=120, check=False,
            env=surroundings,
        )  # fmt: skip

    return run


def test_the_list_has_every_engine_with_what_it_lacks(vivant: Run) -> None:
    found = json.loads(vivant("engines", "list", "--json").stdout)
    assert [engine["engine"] for engine in found] == list(ENGINES)
    by_name = {engine["engine"]: engine for engine in found}
    assert by_name["diorama"]["used"] is True and by_name["diorama"]["capabilities"]["last_frame"] is True
    assert "VIVANT_DIFFUSERS_MODEL is not set" in by_name["diffusers"]["problem"]
    table = vivant("engines", "list").stdout
    assert all(name in table for name in ENGINES)


def test_an_engine_is_checked_and_generates_for_real(vivant: Run) -> None:
    ended = vivant("engines", "check", "testcard", "--generate")
    assert ended.returncode == 0 and "it generates" in ended.stdout
    ended = vivant("engines", "check", "diffusers")
    assert ended.returncode == 1 and "VIVANT_DIFFUSERS_MODEL" in ended.stdout and "1 fault(s) found." in ended.stdout
    ended = vivant("engines", "check", "testcard", "--workflow", "a.json")
    assert ended.returncode == 2 and "has no setting workflow" in ended.stderr
    ended = vivant("engines", "check", "sora")
    assert ended.returncode == 1 and "There is no engine 'sora'" in ended.stderr


def test_make_takes_an_engine(vivant: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    words = (
        "make",
        str(PHOTOS / "mountain_lake.jpg"),
        "-p",
        "a lake",
        "--resolution",
        "480p",
        "--duration",
        "4",
        "-o",
        str(out),
    )
    assert vivant(*words, "--engine", "testcard").returncode == 0 and out.exists()
    ended = vivant(*words, "--engine", "sora")
    assert ended.returncode == 1 and "There is no engine 'sora'" in ended.stderr


def test_settings_of_engines_are_printed_and_wrong_ones_refused(vivant: Run) -> None:
    assert "`VIVANT_DIORAMA_DEPTH_MODEL`" in vivant("engines", "settings", "diorama").stdout
    ended = vivant("engines", "list", VIVANT_DIORAMA_DEPTH="x")
    assert "did you mean VIVANT_DIORAMA_DEPTH_MODEL?" in ended.stderr


@pytest.mark.parametrize(("mib", "model"), [(24564, "wan-2.2-5b"), (143771, "ltx-2.5")])
def test_the_doctor_says_how_a_model_would_fit_the_card(vivant: Run, tmp_path: Path, mib: int, model: str) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho 'NVIDIA card of a test, {mib}, {mib - 500}'\n")
    program.chmod(0o755)
    told = vivant("doctor", PATH=f"{tmp_path}:{os.environ['PATH']}").stdout
    if "diffusers with" in told:  # less than 100 GB of free disk: the smaller model
        assert "NVIDIA card of a test" in told
        assert re.search(
            rf"Memory for (wan-2.2-5b|{model}): (5 s of 720p: .*GiB of the card|it does not fit: )", told
        ), told


def test_a_key_may_have_a_model(vivant: Run) -> None:
    made = vivant("keys", "create", "ann", "--model", "fast")
    text = made.stdout.strip()
    assert "fast" in vivant("keys", "list").stdout
    assert "get slow from now on" in vivant("keys", "set", text, "--model", "slow").stdout
    assert "slow" in vivant("keys", "list").stdout
    assert vivant("keys", "set", "nobody", "--model", "slow").returncode == 1
    assert vivant("keys", "create", "bob", "--model", "a\nb").returncode == 1


def test_the_doctor_says_what_fits_and_what_an_engine_lacks(vivant: Run) -> None:
    told = vivant("doctor", VIVANT_ENGINES="testcard,diffusers")
    assert "Cards:" in told.stdout and "Fits:" in told.stdout
    assert "Engine diffusers: VIVANT_DIFFUSERS_MODEL is not set" in told.stdout and told.returncode == 1
