"""What a server will not make is told apart from what it could not make."""

from __future__ import annotations

import pytest

from vivant.engines.generated.refusals import name_refusal, says_refused
from vivant.errors import EngineFailed, RefusedByBackend


@pytest.mark.parametrize(
    "words",
    [
        "the input image may contain a real person (InputImageSensitiveContentDetected.PrivacyInformation)",
        "OutputVideoSensitiveContentDetected.PolicyViolation",
        "InputTextRiskDetection",
        "ILLEGAL_PROMPT: the prompt may contain sensitive content",
        "Your request was blocked by our moderation system.",
        "blocked by the content filter",
        "NSFW content",
    ],
)
def test_words_of_moderation_are_a_refusal(words: str) -> None:
    assert says_refused(words)
    found = name_refusal(EngineFailed(words))
    assert isinstance(found, RefusedByBackend) and str(found) == words and not found.retryable


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory",
        "shapes cannot be multiplied",
        "the account has an overdue balance",
        "BILLING_BALANCE_NOT_ENOUGH",
        "Internal server error",
        "the model is not activated",
        "no reason given",
        "invalid api key",
        "a sensitive tensor",
    ],
)
def test_other_words_are_none(words: str) -> None:
    error = EngineFailed(words)
    assert name_refusal(error) is error
