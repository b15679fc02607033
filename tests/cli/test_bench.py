"""`vivant bench`: that it measures; how much it measures is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from vivant.cli.bench_cases import CASES, Case, UnknownCase, find_cases
from vivant.cli.measure_peers import _has, _row
from vivant.request import check_picture_size

OURS = {"wall": 1.0, "cpu": 1.0}


def bench(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "vivant", "bench", *words, "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_are_typical_clips_of_many_kinds() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 8
    for name in ("landscape", "sea", "portrait", "animal", "rain", "food", "drawing", "nearer"):
        assert name in names


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_pictures_of_a_typical_clip_ship_and_may_be_submitted(case: Case) -> None:
    pictures = case.load()
    for picture in (pictures.first, pictures.last):
        if picture is not None:
            check_picture_size(picture.shape[1], picture.shape[0])
    assert (pictures.last is not None) == bool(case.last)
    assert case.load().first is not pictures.first  # nothing of a last run can be used


def test_some_typical_clips_can_be_chosen_by_name() -> None:
    assert [case.name for case in find_cases(["sea", "camera"])] == ["camera", "sea"]
    assert find_cases([]) == CASES
    with pytest.raises(UnknownCase, match="landscape"):
        find_cases(["lake"])


def test_a_clip_and_its_limits_are_measured_in_one_run() -> None:
    report = bench(
        "clip", "--only", "camera", "--engine", "testcard", "--resolution", "480p", "--duration", "4", "--runs", "1"
    )
    (clip,) = report["clips"]
    assert clip["name"] == "camera"
    assert clip["clip"] == "864x496, 97 frames, engine testcard"
    wall = {name: row["wall"] for name, row in clip["rows"].items()}
    assert set(wall) == {"clip", "encode only", "encode + warp"}
    assert clip["ratio"] == pytest.approx(wall["clip"] / wall["encode + warp"], abs=0.01)
    assert set(clip["phases"]) == {"plan", "prepare", "wait for frames", "wait for sound", "encode"}
    assert sum(clip["phases"].values()) == pytest.approx(wall["clip"], rel=0.2, abs=0.1)
    assert clip["loaded_mib"] > 20


@pytest.mark.skipif(sys.platform != "linux", reason="memory of other processes is read from /proc")
def test_a_worker_is_measured_over_clips_that_differ() -> None:
    report = bench("memory", "--clips", "3", "--engine", "testcard")
    assert [clip["outcome"] for clip in report["clips"]] == ["Finished"] * 3
    assert len({clip["what"] for clip in report["clips"]}) == 3
    assert report["kept_ratio"] == pytest.approx(report["clips"][-1]["resident_mib"] / report["loaded_mib"], abs=0.01)


def test_a_peer_that_is_not_there_or_fails_is_told_in_words() -> None:
    assert not _has(sys.executable, "no_such_module_anywhere")
    assert _has(sys.executable, "json")
    missing = _row("X", ["unused"], OURS, 1, "not installed", {})
    assert (missing["wall"], missing["told"]) == (None, "not installed")
    failing = _row("X", [sys.executable, "-c", "raise SystemExit('no GL context')"], OURS, 2, "", {})
    assert (failing["cpu"], failing["told"]) == (None, "no GL context")


def test_a_peer_is_timed_by_what_it_prints_or_as_a_whole() -> None:
    printing = _row("X", [sys.executable, "-c", "print('{\"wall\": 7.5}')"], OURS, 1, "", {})
    assert (printing["wall"], printing["times"], printing["told"]) == (7.5, 7.5, "")
    silent = _row("X", [sys.executable, "-c", ""], OURS, 1, "", {})
    assert 0 < silent["wall"] < 60
