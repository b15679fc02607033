"""The engine `novita`: clips by Seedance 1.5 Pro at Novita, or by another Vivant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.paid import PaidGenerator
from vivant.engines.novita.card import make_card
from vivant.engines.novita.tasks import make_tasks

VERSION: Final = "1"


class Novita(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured without a key for Novita."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        generator = PaidGenerator(
            "novita", VERSION, make_tasks(options), options, again="VIVANT_NOVITA_RESUBMIT_UNKNOWN"
        )
        super().__init__(generator, options, card, fixes_camera_in_words=False)
