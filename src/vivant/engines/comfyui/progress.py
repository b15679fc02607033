"""How far a job is, from the messages that ComfyUI sends on its websocket. They are hints: any may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

DENOISED: Final = 0.95  # of the whole, when the last sampler has ended: decoding and saving remain
DECODING: Final = 0.97
SAVED: Final = 1.0
MOST_STEPS: Final = 10**9  # of a node; a larger number is no number of steps


class ProgressMeter:
    """Progress of one job, 0..1, never falling. samplers: ids of the nodes that denoise, in equal shares."""

    def __init__(self, job: str, samplers: Sequence[str], output: str) -> None:
        self._job, self._output = job, output
        self._shares = dict.fromkeys(samplers, 0.0)
        self._whole = 0.0

    @property
    def fraction(self) -> float:
        return self._whole

    def see(self, message: Any) -> None:
        """Take note of a message; what is not about this job, or is no message, changes nothing."""
        data = message.get("data") if isinstance(message, dict) else None
        if not isinstance(data, dict) or data.get("prompt_id") != self._job:
            return
        match message.get("type"):
            case "progress":
                self._step(data.get("node"), data.get("value"), data.get("max"))
            case "progress_state":
                nodes = data.get("nodes")
                for key, state in (nodes if isinstance(nodes, dict) else {}).items():
                    if isinstance(state, dict):
                        finished = state.get("state") == "finished"
                        value, most = (1, 1) if finished else (state.get("value"), state.get("max"))
                        self._step(key, value, most)
            case "execution_cached":
                nodes = data.get("nodes")
                for key in nodes if isinstance(nodes, list) else []:
                    self._step(key, 1, 1)
            case "executed":
                if data.get("node") == self._output:
                    self._raise_to(SAVED)

    def _step(self, node: Any, value: Any, most: Any) -> None:
        if not isinstance(node, str) or node not in self._shares:
            return
        if any(type(number) not in (int, float) for number in (value, most)):
            return
        if not 0 < most <= MOST_STEPS or not 0 <= value <= most:  # so it is for what is not finite, too
            return
        self._shares[node] = max(self._shares[node], value / most)
        done = sum(self._shares.values()) / len(self._shares)
        self._raise_to(DECODING if done >= 1 else DENOISED * done)

    def _raise_to(self, fraction: float) -> None:
        self._whole = max(self._whole, fraction)
