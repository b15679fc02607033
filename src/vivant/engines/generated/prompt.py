"""The words that a model is given: the caller's own, written out at length only if the operator wants that."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from vivant.engines.chat import Endpoint, PlannerFailed, ask
from vivant.engines.generated.settings import option
from vivant.request import VideoRequest

# The hosted service documents that camera_fixed appends such a sentence to the prompt.
CAMERA_FIXED: Final = {"zh": "镜头固定不动。", "en": "The camera is fixed and does not move."}
LONGEST: Final = 4000  # characters of an expanded prompt

_INSTRUCTION: Final = (
    "You write prompts for a model that turns a picture and a text into a short video with sound. Rewrite the user's "
    "prompt as one paragraph in its own language, at most 150 words: what moves and how, in order of time, the camera, "
    "the light, the sounds. Keep every quoted line of speech word for word and in its quotes, and everything that is "
    'asked for; add no new people, things or cuts. Answer with a JSON object {"prompt": "…"}.'
)
_SCHEMA: Final = {
    "type": "object",
    "properties": {"prompt": {"type": "string"}},
    "required": ["prompt"],
    "additionalProperties": False,
}

_log = logging.getLogger(__name__)


def write_prompt(
    request: VideoRequest, options: Mapping[str, Any], check: Callable[[], None], *, fix_camera: bool
) -> tuple[str, tuple[str, ...]]:
    """The prompt for the model, and notes on what was changed. fix_camera: say `camera_fixed` in words.

    A planner that gives nothing usable costs nothing but its time: the caller's words are used, and a note says so.
    """
    prompt, notes = request.prompt, []
    if option(options, "expand_prompt"):
        if not options.get("planner_url"):
            notes.append("The prompt was to be expanded, but there is no planner (VIVANT_PLANNER_URL).")
        else:
            try:
                prompt = _expand(request, options, check)
                notes.append("The prompt was expanded by the planner.")
            except PlannerFailed as error:
                _log.warning("The prompt is used as it came: %s.", error)
                notes.append("The planner could not expand the prompt; it was used as it came.")
    if request.camera_fixed and fix_camera:
        language = "zh" if any("\u4e00" <= sign <= "\u9fff" for sign in prompt) else "en"
        prompt = f"{prompt.rstrip()} {CAMERA_FIXED[language]}".lstrip()
        notes.append("camera_fixed: a sentence that asks for a fixed camera was appended to the prompt.")
    return prompt, tuple(notes)


def _expand(request: VideoRequest, options: Mapping[str, Any], check: Callable[[], None]) -> str:
    """Raises PlannerFailed."""
    endpoint = Endpoint(
        base=options["planner_url"],
        model=options.get("planner_model", ""),
        key=options.get("planner_api_key", ""),
        seconds=float(options.get("planner_seconds", 20.0)),
    )
    messages = [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": request.prompt}]
    answer = ask(endpoint, messages, _SCHEMA, request.seed, check)
    try:
        written = json.loads(answer)["prompt"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise PlannerFailed("the planner's answer is no prompt") from None
    if not isinstance(written, str) or not written.strip() or len(written) > LONGEST or "\0" in written:
        raise PlannerFailed("the planner's answer is no prompt")
    return written.strip()
