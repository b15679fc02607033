"""What a face in the picture is asked to do: smile, nod, look left…"""

from __future__ import annotations

from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.people import Cast
from vivant.engines.diorama.script.times import Times
from vivant.engines.diorama.storyboard import Action


def find_actions(reading: Reading, cast: Cast, times: Times, faces: int) -> Found[tuple[Action, ...]]:
    """The actions of the prompt in order, each once per face and time; a note where there is no face to do them.
    `order` is the place of their words."""
    actions: dict[tuple[str, int, int | None], Action] = {}
    spans: list[Span] = []
    words: list[str] = []
    for hit in reading.hits:
        if not hit.entry.action or not hit.meant:
            continue
        spans.append((hit.first, hit.last))
        words.append(reading.written(hit))
        when = times.when(hit.first)
        action = Action(
            kind=hit.entry.action,
            face_index=_actor(hit, cast, faces),
            start=when.start,
            end=when.end,
            order=times.order(hit.first),
        )
        actions.setdefault((action.kind, action.face_index, action.start), action)
    if actions and not faces:
        return Found((), (ScriptNote("no_face", tuple(words)),), tuple(spans))
    return Found(tuple(actions.values()), spans=tuple(spans))


def _actor(hit: Hit, cast: Cast, faces: int) -> int:
    """The face of the person named last before the verb; the first face when nobody was."""
    person = cast.doer(hit.first)
    if person is None or person.face_index is None or person.face_index >= faces:
        return 0
    return max(0, person.face_index)
