"""Which engine makes a task: by the model that the caller, the key or the dialect names; and which one takes over when
it cannot. Knows the engines by their cards only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vivant.engines.card import Card
from vivant.errors import EngineCannot, InvalidRequest
from vivant.request import VideoRequest


class EngineChoice:
    """The engines of one service.

    engines: names, the first is the default. cards: of those engines that have one. models: names that callers, keys
    and dialects use -> engines; each engine also goes by its own name. fallback: engines in the order in which they
    take over; empty: none does.
    """

    def __init__(
        self,
        engines: Sequence[str],
        *,
        cards: Mapping[str, Card],
        models: Mapping[str, str],
        fallback: Sequence[str] = (),
    ) -> None:
        if not engines:
            raise ValueError("A service has at least one engine.")
        self.engines = tuple(engines)
        self.cards = dict(cards)
        self.models = {**{engine: engine for engine in engines}, **models}
        self.fallback = tuple(fallback)

    def choose(self, *, wanted: str = "", of_key: str = "", of_dialect: str = "") -> str:
        """The engine for a model that is wanted for this request, else for the key's, else for the dialect's, else the
        default. A dialect's name counts only where the operator maps it. Raises InvalidRequest for a model that the
        request or the key names and that there is not."""
        for name in (wanted, of_key):
            if name:
                if name not in self.models:
                    known = ", ".join(sorted(self.models))
                    raise InvalidRequest(f"there is no model {name[:100]!r}; there are {known}.", field="model")
                return self.models[name]
        return self.models.get(of_dialect, self.engines[0])

    def refuse(self, engine: str, request: VideoRequest) -> None:
        """Raise EngineCannot, naming the field, for what this engine cannot do."""
        if engine in self.cards:
            self.cards[engine].refuse(request)

    def find_next(self, engine: str, request: VideoRequest) -> str:
        """The engine that takes over from this one: the next in the order of the fallback that can do the request.
        Empty: none."""
        if engine not in self.fallback:
            return ""
        for candidate in self.fallback[self.fallback.index(engine) + 1 :]:
            try:
                self.refuse(candidate, request)
            except EngineCannot:
                continue
            return candidate
        return ""

    def names_of(self, engine: str) -> list[str]:
        """The names of models that lead to this engine, its own first."""
        return [engine, *sorted(name for name, to in self.models.items() if to == engine and name != engine)]
