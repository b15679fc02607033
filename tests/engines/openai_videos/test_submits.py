"""What each server is sent: the fields that it knows, as it reads them. Where a server's own models are at hand (see
support/published_models.py) the requests are validated by them, too."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from support.doubles.films import read_picture
from support.orders import make_order
from support.published_models import published_models
from vivant.engines.generated.order import Order
from vivant.engines.openai_videos.submits import Served, Submit, h3_seconds, h3_size, write_submit


def submit(order: Order, server: str, family: str, **more: Any) -> Submit:
    return write_submit(order, Served(server=server, family=family, **more))


@pytest.mark.parametrize(("family", "fps", "frames"), [("ltx", 24, 97), ("wan", 16, 65)])
def test_sglang_gets_a_form_with_size_frames_rate_and_seed(family: str, fps: int, frames: int) -> None:
    order = make_order()
    made = submit(order, "sglang", family, fps=fps)
    assert made.body is None
    known = {"prompt": "Waves on the lake.", "width": "320", "height": "192", "seed": "7", "fps": str(fps)}
    assert {**known, "num_frames": str(frames)}.items() <= made.fields.items()
    [file] = made.files
    assert file.field == "input_reference"
    assert np.array_equal(read_picture(file.data), order.first)


def test_ltx_is_told_not_to_choose_a_length_of_its_own() -> None:
    assert json.loads(submit(make_order(), "sglang", "ltx").fields["extra_body"]) == {"auto_duration": False}
    assert "extra_body" not in submit(make_order(), "sglang", "wan").fields


@pytest.mark.parametrize("last", [False, True])
def test_minimax_h3_at_sglang_gets_json_with_keyframes_and_no_rate(last: bool) -> None:
    order = make_order(last=last)
    body = submit(order, "sglang", "h3").body
    assert body is not None
    assert body["task"] == "fl2va"
    assert body["target"]["short_edge"] == 768 and body["target"]["aspect_ratio"] == "auto"
    assert not {"fps", "num_frames", "negative_prompt", "width", "height"} & body.keys()
    wanted = [(order.first, 0), *([(order.last, -1)] if last else [])]
    assert [one["frame_index"] for one in body["conditions"]] == [index for _, index in wanted]
    for one, (picture, _) in zip(body["conditions"], wanted, strict=True):
        assert (one["type"], one["role"]) == ("image", "keyframe")
        assert picture is not None
        assert np.array_equal(read_picture(base64.b64decode(one["uri"].partition("base64,")[2])), picture)


@pytest.mark.parametrize("seconds", range(4, 13))
def test_minimax_h3_is_asked_for_enough_frames_and_with_a_last_picture_for_the_fewest(seconds: int) -> None:
    def frames(order: Order) -> int:
        count = round(h3_seconds(order) * 24)
        return count + (5 - count) % 17

    without, ending = make_order(seconds=seconds), make_order(seconds=seconds, last=True)
    assert frames(without) >= 24 * seconds + 1
    assert 1 / 1.15 < (frames(ending) - 1) / (24 * seconds) < 1.15
    assert frames(ending) <= frames(without)


def test_vllm_omni_gets_one_picture_or_for_minimax_h3_two_in_order() -> None:
    one = submit(make_order(), "vllm-omni", "ltx")
    assert [file.field for file in one.files] == ["input_reference"]
    assert {"width", "height", "num_frames", "fps"} <= one.fields.keys()
    order = make_order(last=True)
    two = submit(order, "vllm-omni", "h3")
    assert [(file.field, file.name) for file in two.files] == [
        ("input_references", "first.png"),
        ("input_references", "last.png"),
    ]
    assert order.last is not None
    assert np.array_equal(read_picture(two.files[1].data), order.last)
    assert json.loads(two.fields["extra_params"]) == {"task": "fl2va", "duration": 4.0}
    assert not {"width", "height", "num_frames", "fps", "short_edge"} & two.fields.keys()


def test_vllm_omni_takes_another_short_edge_of_minimax_h3_as_a_size_only() -> None:
    fields = submit(make_order(), "vllm-omni", "h3", short_edge=512).fields
    assert (fields["width"], fields["height"]) == ("864", "512") and "short_edge" not in fields
    upright = submit(make_order(width=192, height=320), "vllm-omni", "h3", short_edge=512).fields
    assert (upright["width"], upright["height"]) == ("512", "864")


@pytest.mark.parametrize(
    ("shape", "size"), [((1344, 768), (1344, 768)), ((1920, 1088), (1344, 768)), ((960, 960), (768, 768)),
                        ((2208, 960), (1536, 672)), ((496, 864), (768, 1344))],
)  # fmt: skip
def test_the_size_of_minimax_h3_is_that_of_the_servers(shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert h3_size(*shape, 768) == size


def test_rapid_mlx_gets_seconds_as_text_a_size_and_frames() -> None:
    made = submit(make_order(grid=64), "rapid-mlx", "ltx", model="org/model")
    assert dict(made.fields) == {
        "prompt": "Waves on the lake.", "seconds": "4", "size": "320x192", "frames": "97", "fps": "24", "seed": "7",
        "model": "org/model",
    }  # fmt: skip


@pytest.mark.parametrize("server", ["sglang", "vllm-omni", "rapid-mlx"])
@pytest.mark.parametrize("prompt", ["", "  ", "\n"])
def test_an_empty_prompt_becomes_words_for_servers_that_refuse_none(server: str, prompt: str) -> None:
    assert submit(make_order(prompt=prompt), server, "ltx").fields["prompt"] == "Natural motion."


def test_a_prompt_passes_as_it_is_and_at_rapid_mlx_up_to_its_longest() -> None:
    prompt = '  "你好" \n' + "a" * 5000
    assert submit(make_order(prompt=prompt), "sglang", "ltx").fields["prompt"] == prompt
    assert submit(make_order(prompt=prompt), "rapid-mlx", "ltx").fields["prompt"] == prompt[:4096]


def test_the_operator_s_fields_are_added_and_may_replace_others() -> None:
    more = {"num_inference_steps": 8, "guidance_scale": 1.0, "fps": "25"}
    fields = submit(make_order(), "sglang", "ltx", more=more).fields
    assert (fields["num_inference_steps"], fields["guidance_scale"], fields["fps"]) == ("8", "1.0", "25")
    body = submit(make_order(), "sglang", "h3", more={"num_inference_steps": 8}).body
    assert body is not None and body["num_inference_steps"] == 8


def test_a_submit_is_a_form_or_json() -> None:
    for wrong in ({}, {"fields": {"a": "b"}, "body": {}}):
        with pytest.raises(ValueError, match="form or JSON"):
            Submit(**wrong)  # type: ignore[arg-type]


# -- by the servers' own models ---------------------------------------------------------------------------------------


def test_sglang_s_own_model_takes_the_requests() -> None:
    file = "multimodal_gen/runtime/entrypoints/openai/protocol.py"
    with published_models("sglang", file, {}) as protocol:
        known = protocol.VideoGenerationsRequest
        for family in ("ltx", "wan"):
            fields = dict(submit(make_order(), "sglang", family).fields)
            fields.pop("extra_body", None)  # the route reads it by itself
            assert fields.keys() <= known.model_fields.keys()
            read = known(**{name: json.loads(value) if name != "prompt" else value for name, value in fields.items()})
            assert (read.width, read.height, read.num_frames) == (320, 192, 97)
        body = submit(make_order(last=True), "sglang", "h3").body
        assert body is not None
        read = known(**body)
        assert read.model_extra.keys() == {"task", "conditions", "target"}
        assert read.seconds == 4 and read.fps is None and read.num_frames is None


def test_vllm_omni_s_own_model_takes_the_requests() -> None:
    stand_ins: dict[str, dict[str, Any]] = {
        "vllm_omni.entrypoints.openai.image_api_utils": {"parse_size": lambda size: tuple(map(int, size.split("x")))},
        "vllm_omni.inputs.data": {"DIFFUSION_QUALITY_LEVELS": ("lossless", "high")},
    }
    with published_models("vllm_omni", "entrypoints/openai/protocol/videos.py", stand_ins) as protocol:
        known = protocol.VideoGenerationRequest
        for family, order in (("ltx", make_order()), ("wan", make_order()), ("h3", make_order(last=True))):
            fields = dict(submit(order, "vllm-omni", family).fields)
            assert fields.keys() <= known.model_fields.keys()
            numbers = {"width", "height", "num_frames", "fps", "seed", "short_edge", "extra_params"}
            read = known(**{name: json.loads(v) if name in numbers else v for name, v in fields.items()})
            assert read.seed == 7
