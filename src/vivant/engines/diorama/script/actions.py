"""What a face in the picture is asked to do: smile, nod, look left…"""

from __future__ import annotations

from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.people import Cast
from vivant.engines.diorama.storyboard import Action


def find_actions(reading: Reading, cast: Cast, faces: int) -> tuple[tuple[Action, ...], list[str]]:
    """The actions of the prompt in order, each once per face, and a note when there is no face to do them."""
    actions: list[Action] = []
    words: list[str] = []
    for hit in reading.hits:
        if not hit.entry.action or not hit.meant:
            continue
        action = Action(kind=hit.entry.action, face_index=_actor(hit, cast, faces))
        if action not in actions:
            actions.append(action)
            words.append(reading.written(hit))
    if actions and not faces:
        named = ", ".join(f"“{word}”" for word in dict.fromkeys(words))
        return (), [f"{named}: no face was found in the picture that could do it."]
    return tuple(actions), []


def _actor(hit: Hit, cast: Cast, faces: int) -> int:
    """The face of the person named last before the verb; the first face when nobody was."""
    person = cast.doer(hit.first)
    if person is None or person.face_index is None or person.face_index >= faces:
        return 0
    return max(0, person.face_index)
