"""Whether a server's words mean that it will not make this content, rather than that it could not.

Such a task ends for good: another engine that is asked instead would go round the answer.
"""

from __future__ import annotations

import re
from typing import Final

from vivant.errors import EngineFailed, RefusedByBackend

# Ark: InputTextSensitiveContentDetected, OutputVideoSensitiveContentDetected.PolicyViolation, …RiskDetection; Novita:
# ILLEGAL_PROMPT, ILLEGAL_IMAGE_CONTENT; the others are words of moderation in general.
_REFUSAL: Final = re.compile(
    r"sensitive.?content|policy.?violation|risk.?detection|illegal_(?:prompt|image)|"
    r"content.?(?:policy|filter|moderation|safety)|moderat(?:ed|ion)|safety (?:system|filter|polic)|\bnsfw\b|"
    r"copyright|privacy.?information|\bdeepfake\b",
    re.IGNORECASE,
)


def says_refused(text: str) -> bool:
    """Whether these words mean that the content is refused."""
    return _REFUSAL.search(text[:4096]) is not None


def name_refusal(error: EngineFailed) -> EngineFailed:
    """The error as it is, or RefusedByBackend with the same words if they mean that the content is refused."""
    return RefusedByBackend(str(error)) if says_refused(str(error)) else error
