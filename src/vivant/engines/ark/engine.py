"""The engine `ark`: clips by Seedance at BytePlus ModelArk or Volcengine Ark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.ark.card import make_card
from vivant.engines.ark.tasks import make_tasks
from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.paid import PaidGenerator

VERSION: Final = "1"


class Ark(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured without a key."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        generator = PaidGenerator("ark", VERSION, make_tasks(options), options, again="VIVANT_ARK_RESUBMIT_UNKNOWN")
        super().__init__(generator, options, card, fixes_camera_in_words=False)
