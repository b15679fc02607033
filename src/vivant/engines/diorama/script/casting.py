"""Who speaks with which voice, and who has which face of the picture. Voices are chosen here and nowhere else."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.people import Person
from vivant.engines.diorama.storyboard import FaceFact, Language

# Names of voices in `sound/speech/voices.py`, best first, by language and gender. Gender unknown: as a woman.
VOICES_BY_GENDER: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("en", "woman"): ("af_heart", "af_bella", "bf_emma"),
    ("en", "man"): ("am_michael", "am_fenrir", "bm_george"),
    ("zh", "woman"): ("zf_xiaoxiao", "zf_xiaobei", "zf_xiaoyi"),
    ("zh", "man"): ("zm_yunxi", "zm_yunjian", "zh_man"),
}

# Traits that have a voice of their own, preferred to those above: (language, gender, trait) -> voice.
VOICES_BY_TRAIT: Final[dict[tuple[str, str, str], str]] = {
    ("en", "woman", "british"): "bf_emma",
    ("en", "man", "british"): "bm_george",
    ("en", "woman", "old"): "en_grandmother",
    ("en", "man", "old"): "en_grandfather",
    ("en", "man", "young"): "am_fenrir",
    ("en", "woman", "child"): "en_girl",
    ("en", "man", "child"): "en_boy",
    ("en", "", "child"): "en_girl",
    ("en", "man", "deep"): "am_michael",
    ("en", "man", "voice"): "bm_george",
    ("en", "", "voice"): "bm_george",
    ("en", "woman", "voice"): "bf_emma",
    ("zh", "woman", "old"): "zh_grandmother",
    ("zh", "man", "old"): "zh_grandfather",
    ("zh", "woman", "child"): "zh_girl",
    ("zh", "man", "child"): "zm_yunxia",
    ("zh", "", "child"): "zh_girl",
    ("zh", "man", "deep"): "zm_yunjian",
    ("zh", "man", "voice"): "zm_yunjian",
    ("zh", "", "voice"): "zm_yunjian",
    ("zh", "woman", "voice"): "zf_xiaobei",
}
_TRAITS: Final = ("british", "child", "old", "deep", "voice", "young")  # the first that applies decides


def choose_voice(person: Person | None, language: Language, taken: dict[str, Person | None]) -> str:
    """The voice of `person` for lines in that language; None is somebody the prompt does not describe.

    taken: voices and who already speaks with them. The choice is added; a voice of somebody else is chosen only when
    no other that suits is left, and then the best is shared.
    """
    gender = person.heard_as if person else ""
    wishes = []
    if person:
        traits = {*person.accents, person.age, person.kind}
        wishes = [
            VOICES_BY_TRAIT[language, gender, trait]
            for trait in _TRAITS
            if trait in traits and (language, gender, trait) in VOICES_BY_TRAIT
        ]
    wishes += VOICES_BY_GENDER[language, gender or "woman"]
    free = [voice for voice in wishes if voice not in taken or taken[voice] is person]
    voice = (free or wishes)[0]
    taken.setdefault(voice, person)
    return voice


def assign_faces(people: list[Person], faces: tuple[FaceFact, ...]) -> None:
    """Give each of the people who speak or act a face, as far as there are any.

    One face: the first of them has it. Several: by the place the words name; someone alone the largest; others from
    left to right in the order of the prompt. Voices have none.
    """
    seen = [person for person in people if person.kind != "voice"]
    order = sorted(range(len(faces)), key=lambda index: faces[index].x)
    if len(seen) == 1 and not seen[0].place:
        order.sort(key=lambda index: -faces[index].height)
    free = list(order)
    for person in seen:
        if person.place and len(order) > 1:
            wanted = {"left": order[0], "right": order[-1]}.get(person.place, order[len(order) // 2])
            if wanted in free:
                person.face_index = wanted
                free.remove(wanted)
    for person in seen:
        if person.face_index is None and free:
            person.face_index = free.pop(0)
