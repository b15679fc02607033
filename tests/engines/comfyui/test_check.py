"""`vivant engines check comfyui`: which slots were found where, what is missing, and what the server lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from support.comfyui import DOCUMENTED, WORKFLOWS
from support.doubles.comfyui import ComfyUIDouble, comfyui_double
from vivant.cli import app
from vivant.engines.comfyui.check import Finding, check
from vivant.engines.registry import complete_options


def findings(url: str, name: str = "wan-2.2-5b-first", **options: Any) -> list[Finding]:
    given = {"url": [url], "workflow": str(WORKFLOWS / f"{name}.json"), **options}
    return list(check(complete_options("comfyui", given)))


def told(found: list[Finding], *, passed: bool) -> str:
    return "\n".join(f"{what} {more}" for good, what, more in found if good is passed)


def test_every_slot_is_told_with_its_node_title_input_and_rule(double: ComfyUIDouble) -> None:
    found = findings(double.url, "ltx-2.5-first")
    good = told(found, passed=True)
    assert "prompt: value of node 398:376 “Prompt” (found by template title)" in good
    assert "seed: noise_seed of node 398:339 RandomNoise (found by shape)" in good
    assert "output: filename_prefix of node 75 SaveVideo (found by shape)" in good
    assert told(found, passed=False) == ""


def test_what_surprises_later_is_said(double: ComfyUIDouble) -> None:
    good = told(findings(double.url, "ltx-2.5-first"), passed=True)
    assert "Boolean (Enable Prompt Enhance)” is on: the graph rewrites the caller's prompt" in good
    assert "VIVANT_COMFYUI_GRID=64" in good
    assert "VIVANT_COMFYUI_WORKFLOW_LAST" in good
    wan = told(findings(double.url, "wan-2.2-a14b-first"), passed=True)
    assert "exported with 16 frames per second, and will be given 24" in wan and "VIVANT_COMFYUI_FPS" in wan
    assert "the graph makes no sound" in wan
    right = told(findings(double.url, "wan-2.2-a14b-first", fps=16.0), passed=True)
    assert "will be given" not in right


def test_what_is_missing_is_told_with_how_to_mend_it(double: ComfyUIDouble) -> None:
    bad = told(findings(double.url, "built-in-nodes"), passed=False)
    assert "There is no place for prompt" in bad and "“vivant: prompt”" in bad


def test_a_workflow_in_the_ui_format_is_told(double: ComfyUIDouble, tmp_path: Path) -> None:
    file = tmp_path / "ui.json"
    file.write_text(json.dumps({"nodes": [], "links": []}), encoding="utf-8")
    bad = told(findings(double.url, workflow=str(file)), passed=False)
    assert "ui.json is in ComfyUI's UI format" in bad and "Export (API)" in bad


def test_nodes_and_files_that_the_server_lacks_are_named() -> None:
    def poor(manners: Any) -> None:
        manners.lacks = frozenset({"Wan22ImageToVideoLatent"})
        manners.models = frozenset({"wan2.2_vae.safetensors"})

    with comfyui_double(poor) as double:
        bad = told(findings(double.url), passed=False)
    assert "the server has no node Wan22ImageToVideoLatent (55 Wan22ImageToVideoLatent)" in bad
    assert "does not have 'wan2.2_ti2v_5B_fp16.safetensors' for unet_name of node 37 UNETLoader" in bad
    assert "clip_name of node 38" in bad and "vae_name" not in bad


def test_a_server_that_has_everything_is_told_with_its_version_and_device(double: ComfyUIDouble) -> None:
    good = told(findings(double.url), passed=True)
    assert "ComfyUI 0.3.64 on cuda:0 NVIDIA Double with 8.0 GiB" in good
    assert "the server has every node and every file that the workflow names" in good


def test_a_version_that_cannot_stop_one_job_is_told(double: ComfyUIDouble) -> None:
    double.manners.version = "0.3.56"
    assert "Update ComfyUI to 0.3.57 or later" in told(findings(double.url), passed=True)


def test_without_a_server_the_workflow_is_checked_and_the_server_told() -> None:
    with comfyui_double() as double:
        url = double.url
    found = findings(url)
    assert "prompt: text of node 6" in told(found, passed=True)
    assert f"no ComfyUI answers at {url}" in told(found, passed=False)


def test_answers_of_the_server_that_cannot_be_used_are_told(double: ComfyUIDouble) -> None:
    double.manners.answers["/object_info/SaveVideo"] = (200, b"nonsense")
    assert "did not tell which nodes it has" in told(findings(double.url), passed=False)
    double.manners.answers["/object_info/SaveVideo"] = (200, b'{"SaveVideo": {"input": {"required": [5]}}}')
    assert told(findings(double.url), passed=False) == ""


def test_without_a_workflow_that_is_told() -> None:
    assert "VIVANT_COMFYUI_WORKFLOW" in told(findings("http://127.0.0.1:9", workflow=""), passed=False)


def test_the_command_prints_it_and_exits_with_1_when_something_is_missing(double: ComfyUIDouble) -> None:
    good = DOCUMENTED / "ltx-2.5-first.json"
    command = ["engines", "check", "comfyui", "--url", double.url, "--workflow"]
    done = CliRunner().invoke(app, [*command, str(good)])
    assert done.exit_code == 0, done.output
    assert "vivant: prompt" in done.output
    done = CliRunner().invoke(app, [*command, str(WORKFLOWS / "built-in-nodes.json")])
    assert done.exit_code == 1 and "no place for prompt" in " ".join(done.output.split())
