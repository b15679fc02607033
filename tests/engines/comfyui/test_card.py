"""What the service knows of the engine before a server is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.comfyui import WORKFLOWS
from vivant.engines.card import Card, Sound
from vivant.engines.comfyui.card import SETTINGS
from vivant.engines.registry import make_card
from vivant.errors import InvalidRequest, Misconfigured
from vivant.request import Brief, VideoRequest


def card(name: str = "wan-2.2-5b-first", **options: Any) -> Card:
    return make_card("comfyui", {"workflow": str(WORKFLOWS / f"{name}.json"), **options})


def request(*, last: bool) -> VideoRequest:
    return Brief(prompt="Waves.").resolve(640, 480, has_last_frame=last)


def setting(name: str) -> Any:
    return next(setting for setting in SETTINGS if setting.name == name)


def test_a_last_picture_is_refused_with_the_setting_that_would_allow_it() -> None:
    card().refuse(request(last=False))
    with pytest.raises(InvalidRequest, match="VIVANT_COMFYUI_WORKFLOW_LAST") as refused:
        card().refuse(request(last=True))
    assert refused.value.field == "last_frame"
    both = {"workflow_last": str(WORKFLOWS / "wan-2.2-a14b-first-and-last.json")}
    card(**both).refuse(request(last=True))


def test_the_card_tells_the_models_whose_sound_it_is_and_a_worker_for_each_server() -> None:
    silent = card(url=["http://a:1", "http://b:1"])
    assert (silent.model, silent.sound, silent.workers) == ("wan2.2_ti2v_5B_fp16", Sound.ADDED, 2)
    assert card(sound_if_missing="silence").sound is Sound.NONE
    assert card("ltx-2.5-first").sound is Sound.JOINT
    assert len(silent.revision) == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workflow": ""}, "VIVANT_COMFYUI_WORKFLOW"),
        ({"url": []}, "VIVANT_COMFYUI_URL"),
        ({"slots": {"prompt": "nowhere.text"}}, "VIVANT_COMFYUI_WORKFLOW: wan-2.2-5b-first.json: slots.prompt"),
        ({"workflow": str(WORKFLOWS.parent / "test_card.py")}, "VIVANT_COMFYUI_WORKFLOW: test_card.py is no JSON"),
        ({"workflow_last": str(WORKFLOWS / "wan-2.2-5b-first.json")}, "VIVANT_COMFYUI_WORKFLOW_LAST"),
    ],
)
def test_options_that_cannot_work_are_refused_with_the_settings_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        card(**options)
    assert said in str(refused.value)


def test_slots_are_a_json_object_or_a_file_with_one(tmp_path: Path) -> None:
    parse = setting("slots").parse
    given = {"prompt": "6.text", "seconds": None}
    file = tmp_path / "slots.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    assert parse(json.dumps(given)) == parse(given) == parse(str(file)) == given
    assert parse("") == {}
    for wrong in ("[]", "{", str(tmp_path / "none.json"), 5):
        with pytest.raises(ValueError, match="must be a JSON object"):
            parse(wrong)


def test_headers_are_never_repeated() -> None:
    assert setting("headers").secret


def test_reading_the_card_imports_nothing_heavy() -> None:
    code = f"""
import sys
from vivant.engines.registry import make_card
make_card("comfyui", {{"workflow": {str(WORKFLOWS / "wan-2.2-5b-first.json")!r}}})
print(*sorted(sys.modules.keys() & {{"numpy", "av", "cv2", "PIL", "httpx2", "websockets", "torch"}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
