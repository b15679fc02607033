"""The numbers of the contract: sizes, ratios, bounds, tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivant.errors import InvalidRequest, PictureOutOfBounds
from vivant.request import (
    RATIOS,
    RESOLUTIONS,
    SIZES,
    Brief,
    Canvas,
    Tier,
    VideoRequest,
    check_picture_size,
    nearest_ratio,
)


def test_the_size_table_is_complete_and_even() -> None:
    assert set(SIZES) == {(resolution, ratio) for resolution in RESOLUTIONS for ratio in RATIOS}
    assert all(side % 2 == 0 for size in SIZES.values() for side in size)


@pytest.mark.parametrize(("seconds", "frames"), [(4, 97), (5, 121), (12, 289)])
def test_a_clip_has_one_frame_more_than_its_seconds(seconds: int, frames: int) -> None:
    assert Canvas.of("720p", "16:9", seconds).frames == frames


@pytest.mark.parametrize(
    ("resolution", "ratio", "tokens"),
    [
        ("480p", "16:9", 50638),
        ("480p", "4:3", 49761),
        ("720p", "1:1", 108900),
        ("720p", "21:9", 109431),
        ("1080p", "16:9", 245025),
    ],
)
def test_tokens_agree_with_live_usage_of_the_hosted_model(resolution: str, ratio: str, tokens: int) -> None:
    assert Canvas.of(resolution, ratio, 5).tokens == tokens


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [
        (3380, 1072, "21:9"),
        (936, 1664, "9:16"),
        (1000, 1000, "1:1"),
        (1200, 800, "4:3"),
        (720, 360, "16:9"),
        (900, 1600, "9:16"),
        (2056, 1000, "21:9"),
        (2055, 1000, "16:9"),
    ],
)
def test_the_nearest_ratio_is_taken(width: int, height: int, ratio: str) -> None:
    assert nearest_ratio(width, height) == ratio


@pytest.mark.parametrize(
    ("width", "height"), [(301, 301), (5999, 5999), (749, 301), (401, 999), (5999, 2400), (301, 752)]
)
def test_pictures_just_inside_the_bounds_pass(width: int, height: int) -> None:
    check_picture_size(width, height)


@pytest.mark.parametrize(
    ("width", "height"),
    [(300, 400), (400, 300), (6000, 4000), (4000, 6000), (1000, 400), (400, 1000), (1001, 400), (400, 1001)],
)
def test_pictures_on_or_over_the_bounds_do_not(width: int, height: int) -> None:
    with pytest.raises(PictureOutOfBounds, match=f"{width}x{height}"):
        check_picture_size(width, height)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("resolution", "4k"),
        ("ratio", "2:1"),
        ("ratio", "adaptive"),
        ("seconds", 3),
        ("seconds", 13),
        ("seed", -2),
        ("seed", 2**32),
        ("expires_after", 3599),
        ("expires_after", 259_201),
    ],
)
def test_a_brief_outside_the_contract_names_the_field(field: str, wrong: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Brief(prompt="x", **{field: wrong})
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert repr(wrong) in str(caught.value) or str(wrong) in str(caught.value)


def test_seed_minus_one_becomes_a_real_seed_and_another_each_time() -> None:
    seeds = {Brief(prompt="x").resolve(400, 400, has_last_frame=False).seed for _ in range(8)}
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert len(seeds) > 1


def test_a_request_survives_the_record() -> None:
    request = Brief(prompt="推镜头 “你好”", ratio="21:9", tier=Tier.FLEX, seed=5).resolve(400, 400, has_last_frame=True)
    assert VideoRequest.from_data(json.loads(json.dumps(request.to_data()))) == request


def test_a_request_of_an_unknown_version_is_refused() -> None:
    data = Brief(prompt="x").resolve(400, 400, has_last_frame=False).to_data() | {"version": 99}
    with pytest.raises(ValueError, match="99"):
        VideoRequest.from_data(data)
