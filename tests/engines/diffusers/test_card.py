"""What the card says of a model without loading it, and which settings it refuses. No torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.model_folders import write_model
from vivant.engines.card import Card, Sound
from vivant.engines.diffusers.card import SETTINGS
from vivant.engines.diffusers.weights import Receipt, write_receipt
from vivant.engines.registry import make_card
from vivant.errors import Misconfigured


def card_of(folder: Path, **options: Any) -> Card:
    return make_card("diffusers", {"model": str(folder), **options})


@pytest.mark.parametrize(
    ("kind", "last", "sound", "silent"),
    [
        ("ltx2", True, Sound.JOINT, Sound.JOINT),
        ("wan-a14b", True, Sound.ADDED, Sound.NONE),
        ("wan-5b", False, Sound.ADDED, Sound.NONE),
    ],
)
def test_a_card_says_what_the_family_can_do(tmp_path: Path, kind: str, last: bool, sound: Sound, silent: Sound) -> None:
    card = card_of(write_model(tmp_path / "mine", kind))
    assert (card.last_frame, card.sound, card.model, card.workers) == (last, sound, "mine", 1)
    assert card_of(tmp_path / "mine", sound_if_missing="silence").sound is silent
    assert card_of(tmp_path / "mine", cards=4).workers == 4


def test_without_a_model_the_setting_is_named_with_those_that_are_known() -> None:
    with pytest.raises(Misconfigured, match=r"VIVANT_DIFFUSERS_MODEL is not set: .*ltx-2.5.*wan-2.2-a14b"):
        make_card("diffusers", {})


def test_a_known_model_is_looked_for_in_the_folder_of_models(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"there is no folder .*wan-2.2-5b"):
        make_card("diffusers", {"model": "wan-2.2-5b", "models": str(tmp_path)})
    write_model(tmp_path / "wan-2.2-5b", "wan-5b")
    card = make_card("diffusers", {"model": "wan-2.2-5b", "models": str(tmp_path)})
    assert (card.model, card.licence, card.accepted) == ("wan-2.2-5b", "Apache-2.0", True)


def test_a_licence_counts_as_accepted_only_when_the_receipt_says_so(tmp_path: Path) -> None:
    write_model(tmp_path / "ltx-2.5")
    options = {"model": "ltx-2.5", "models": str(tmp_path)}
    assert not make_card("diffusers", options).accepted
    receipt = Receipt(
        name="ltx-2.5", repo="Lightricks/LTX-2.5-Diffusers", revision="0" * 40, licence="LTX-2.x", accepted=True
    )
    write_receipt(tmp_path / "ltx-2.5", receipt)
    card = make_card("diffusers", options)
    assert (card.accepted, card.revision, card.licence) == (True, "0" * 40, "LTX-2.x")


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("ltx2", {"steps": 4}, "VIVANT_DIFFUSERS_STEPS"),
        ("ltx2", {"guidance": 3.0}, "VIVANT_DIFFUSERS_GUIDANCE"),
        ("ltx2", {"gguf": __file__, "quantise": "fp8"}, "VIVANT_DIFFUSERS_QUANTISE"),
        ("ltx2", {"gguf_2": __file__}, "VIVANT_DIFFUSERS_GGUF_2"),
        ("wan-5b", {"gguf_2": __file__}, "VIVANT_DIFFUSERS_GGUF_2"),
        ("ltx2", {"grid": 48}, "VIVANT_DIFFUSERS_GRID"),
    ],
)
def test_settings_that_cannot_work_together_are_refused_by_name(
    tmp_path: Path, kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        card_of(write_model(tmp_path, kind), **options)


def test_steps_and_guidance_are_the_operator_s_where_the_recipe_leaves_them(tmp_path: Path) -> None:
    card_of(write_model(tmp_path / "ltx"), recipe="full", steps=20, guidance=4.0)
    card_of(write_model(tmp_path / "wan", "wan-a14b"), steps=20, guidance=1.0)


def test_reading_a_card_loads_nothing_heavy(tmp_path: Path) -> None:
    write_model(tmp_path)
    code = f"""
import sys
from vivant.engines.registry import make_card
make_card("diffusers", {{"model": {str(tmp_path)!r}}})
print(*(name for name in ("torch", "diffusers", "transformers", "numpy", "av", "cv2") if name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_without_torch_the_engine_says_what_to_install(tmp_path: Path) -> None:
    write_model(tmp_path)
    code = f"""
import sys
sys.modules["torch"] = None  # as if it were not installed
from vivant.engines.registry import load_engine
from vivant.errors import Misconfigured
try:
    load_engine("diffusers", {{"model": {str(tmp_path)!r}}})
except Misconfigured as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "not installed" in told and "docs/engines/diffusers.md" in told


def test_every_setting_has_one_line_of_help() -> None:
    assert all(setting.help.endswith(".") and "\n" not in setting.help for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
