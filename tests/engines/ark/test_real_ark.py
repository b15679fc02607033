"""The real Ark, for who has a key: `VIVANT_TEST_ARK_API_KEY=… pytest tests/engines/ark/test_real_ark.py`. It orders the
cheapest clip there is, which costs money, and looks whether Ark's list shows by what an order is recognised."""

from __future__ import annotations

import os
from typing import Any

import pytest

from support.watches import RecordingWatch
from vivant.engines.ark.tasks import make_tasks
from vivant.engines.generated.contract_orders import cheapest_order
from vivant.engines.generated.paid import Mark, PaidGenerator
from vivant.engines.registry import complete_options

KEY = os.environ.get("VIVANT_TEST_ARK_API_KEY", "")


@pytest.mark.skipif(not KEY, reason="needs a key for Ark, and costs money")
def test_the_real_ark_makes_a_clip_and_shows_its_mark() -> None:
    given: dict[str, Any] = {"api_key": KEY}
    for name in ("url", "model"):
        if value := os.environ.get(f"VIVANT_TEST_ARK_{name.upper()}"):
            given[name] = value
    options = complete_options("ark", given)
    tasks = make_tasks(options)
    generator = PaidGenerator("ark", "1", tasks, options, again="VIVANT_ARK_RESUBMIT_UNKNOWN")
    generator.setup()
    order, watch = cheapest_order(), RecordingWatch()
    footage = generator.generate(order, watch)
    assert sum(1 for _ in footage.frames) == order.frames
    assert footage.facts["tokens"] == order.canvas.contract.tokens
    known = watch.remembered["remote"]
    mark = Mark(reference=known["reference"], since=known["since"], same=True)
    assert tasks.seek(order, mark, lambda: None) == footage.facts["remote_id"]
