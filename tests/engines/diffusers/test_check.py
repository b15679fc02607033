"""`vivant engines check diffusers`: what is there, what is missing, and whether the model fits."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from support.model_folders import write_model
from vivant.engines.diffusers import check as looks
from vivant.engines.diffusers.check import check
from vivant.engines.registry import complete_options, find_check


def options_of(**given: Any) -> dict[str, Any]:
    return complete_options("diffusers", given)


def test_the_registry_leads_to_it() -> None:
    assert find_check("diffusers") is check


def test_without_a_model_it_says_what_to_set() -> None:
    ((passed, what, more),) = check(options_of())
    assert not passed and what == "Model" and "VIVANT_DIFFUSERS_MODEL is not set" in more


def test_missing_packages_and_a_licence_that_was_not_accepted_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(package: str) -> str:
        if package == "gguf":
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(looks, "version", version)
    write_model(tmp_path / "ltx-2.5")
    rows = list(check(options_of(model="ltx-2.5", models=str(tmp_path))))
    assert [row[0] for row in rows] == [True, False, False]
    assert "vivant models pull ltx-2.5" in rows[1][2] and "torch 1.0" in rows[2][1] and "gguf missing" in rows[2][1]


def test_it_says_where_weights_would_wait(tiny_options: Any) -> None:
    rows = list(check(tiny_options("ltx2")))
    assert all(row[0] for row in rows), rows
    assert "Device: CPU" in rows[-2][1] and "Memory for 5 s of 720p: resident, weights full" in rows[-1][1]


def test_it_says_when_the_model_does_not_fit(tiny_options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    options = tiny_options("ltx2")
    from vivant.engines.diffusers import device

    monkeypatch.setattr(device, "free_ram", lambda: 2**30)
    passed, what, more = list(check(options))[-1]
    assert not passed and what == "Memory" and "does not fit into this machine" in more


@pytest.mark.parametrize("device", ["cuda", "xpu"])
def test_it_says_when_the_card_is_not_there(tiny_options: Any, device: str) -> None:
    import torch

    if torch.cuda.is_available() or torch.xpu.is_available():
        pytest.skip("this machine has a card")
    passed, _, more = list(check(tiny_options("ltx2", device=device)))[-1]
    assert not passed and f"finds no {device}" in more
