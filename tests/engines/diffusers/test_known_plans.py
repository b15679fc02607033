"""What `auto` would take for known models: what doctor says, and the table on the page."""

from __future__ import annotations

import pytest

from support.paths import ROOT
from vivant.engines.diffusers.known_plans import plan_known_model, write_table
from vivant.engines.diffusers.memory import GIB, Machine, Offload
from vivant.engines.diffusers.weights import known_models
from vivant.errors import Misconfigured


def test_the_page_has_the_table_as_the_program_would_choose() -> None:
    page = (ROOT / "docs/engines/diffusers.md").read_text(encoding="utf-8")
    assert "\n".join(write_table()) in page


@pytest.mark.parametrize("name", list(known_models()))
def test_every_known_model_has_a_plan_on_a_large_card_and_none_on_a_tiny_machine(name: str) -> None:
    model = known_models()[name]
    assert plan_known_model(model, Machine(card=140 * GIB, ram=256 * GIB)).placement is Offload.RESIDENT
    with pytest.raises(Misconfigured, match="does not fit into this machine"):
        plan_known_model(model, Machine(card=2 * GIB, ram=8 * GIB))


def test_a_longer_or_larger_clip_never_takes_less() -> None:
    model, machine = known_models()["wan-2.2-5b"], Machine(card=140 * GIB, ram=256 * GIB)
    small, large = (plan_known_model(model, machine, resolution=r, seconds=s) for r, s in (("480p", 4), ("1080p", 12)))
    assert small.card < large.card
