"""Photos without a face: who stands upright is somebody, what stands upright is not."""

from __future__ import annotations

import pytest

from support.photo_scenes import see_photo


@pytest.mark.parametrize(("name", "upright"), [("cocktail_beach", False), ("cameraman", True)])
def test_a_glass_on_its_foot_is_nobody_and_a_man_without_a_face_is_somebody(name: str, *, upright: bool) -> None:
    body = see_photo(name).facts.body
    assert body is not None
    assert body.upright is upright
