"""From a prompt and the facts of a picture to a storyboard. Read this first; each step is a file of its own."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script import actions, camera, casting, cues, defaults, dialogue, limits, motions, music
from vivant.engines.diorama.script.grammar import Reading, read
from vivant.engines.diorama.script.json_prompts import flatten_json
from vivant.engines.diorama.script.people import Person, find_people
from vivant.engines.diorama.script.shots import make_shots
from vivant.engines.diorama.script.tokens import blank_unreadable, is_han
from vivant.engines.diorama.script.unquoted import find_unquoted_speech, is_wrapped_description
from vivant.engines.diorama.storyboard import (
    Cue,
    Language,
    Line,
    Motion,
    Move,
    Music,
    PictureFacts,
    Shot,
    Speaker,
    Storyboard,
)
from vivant.request import Canvas

_FAINT: Final = 0.34  # cues no louder than this leave room for music nobody asked for
_MOST_NOTES: Final = 12
_LONGEST: Final = 10_000  # characters that are read; the contract advises 500


def write(
    prompt: str, facts: PictureFacts, *, canvas: Canvas, seed: int, audio: bool, camera_fixed: bool, morph: bool
) -> Storyboard:
    """The storyboard for one clip. Pure: equal arguments, equal storyboard. Never raises, whatever the text.

    `audio` False: no cues and no music; quoted lines stay, so that lips still move for a sound laid under later.
    `camera_fixed` wins over every camera word. `morph`: the clip ends on a last picture.
    """
    reading = _read(prompt)
    notes: list[str] = []
    shot_list = _shots(reading, facts, canvas, seed, notes, camera_fixed=camera_fixed, morph=morph)
    motion_list, denied = _motions(reading, facts, seed)
    people = find_people(reading)
    spoken, unspoken = dialogue.find_utterances(reading, people)
    spoken, unfitting = dialogue.fit_to_clip(spoken, canvas.frames / 24)
    notes += unspoken + unfitting
    casting.assign_faces(_in_order([line.person for line in spoken if line.person], people.people), facts.faces)
    lines = _lines(spoken, facts, notes)
    if not lines and dialogue.speaks_without_words(reading):
        notes.append("Someone speaks, but there are no words to say: write them in quotation marks.")
    action_list, faceless = actions.find_actions(reading, people, len(facts.faces))
    notes += faceless
    cue_list, bed = _sound(reading, facts, seed, denied, motion_list, notes, audio=audio, lines=bool(lines))
    notes += limits.note_limits(reading, audio=audio)
    return Storyboard(
        width=canvas.width,
        height=canvas.height,
        frames=canvas.frames,
        seed=seed,
        language=_language(reading.text),
        audio=audio,
        camera_fixed=camera_fixed,
        morph=morph,
        shots=shot_list,
        motions=motion_list,
        lines=lines,
        actions=action_list,
        cues=cue_list,
        music=bed,
        notes=tuple(dict.fromkeys(notes))[:_MOST_NOTES],
    )


def _read(prompt: str) -> Reading:
    text = blank_unreadable(flatten_json(prompt))[:_LONGEST]
    reading = read(text)
    if is_wrapped_description(reading):
        reading = read(text := reading.quotations[0].inner)
    without_marks = find_unquoted_speech(reading)
    return read(text, without_marks) if without_marks else reading


def _shots(
    reading: Reading,
    facts: PictureFacts,
    canvas: Canvas,
    seed: int,
    notes: list[str],
    *,
    camera_fixed: bool,
    morph: bool,
) -> tuple[Shot, ...]:
    asked = camera.find_moves(reading)
    still = Move(kind="static", origin="prompt")
    if camera_fixed:
        if any(move.kind != "static" for step in asked.steps for move in step.moves):
            notes.append("The camera stays still: camera_fixed wins over the camera words of the prompt.")
        return (Shot(start=0, end=canvas.frames, moves=(still,)),)
    if asked.still:
        return (Shot(start=0, end=canvas.frames, moves=(still,)),)
    if not asked.steps:
        move = defaults.camera(facts, canvas, seed, morph=morph)
        return (Shot(start=0, end=canvas.frames, moves=(move,)),)
    notes += asked.notes
    steps = camera.choose_directions(asked.steps, seed)
    laid, unfitting = make_shots(steps, canvas.frames)
    notes += unfitting
    return laid


def _motions(reading: Reading, facts: PictureFacts, seed: int) -> tuple[tuple[Motion, ...], frozenset[str]]:
    asked = motions.find_motions(reading)
    if asked.nothing_else:
        return asked.motions, asked.denied
    named = {motion.kind for motion in asked.motions} | asked.denied
    if "falls" in named:
        named.add("water")  # the prompt says what the water is
    if "rain" in named or "snow" in named:
        named.add("clouds") if "clouds" in asked.denied else None
    seen = tuple(motion for motion in defaults.motions(facts, seed) if motion.kind not in named)
    return asked.motions + seen, asked.denied


def _in_order(speakers: list[Person], people: list[Person]) -> list[Person]:
    """Those who speak first, then the others, each once: faces are few, and who speaks needs one most."""
    return list(dict.fromkeys([*speakers, *people]))


def _lines(spoken: list[dialogue.Utterance], facts: PictureFacts, notes: list[str]) -> tuple[Line, ...]:
    taken: dict[str, Person | None] = {}
    lines = []
    for said in spoken:
        person = said.person
        off = person is not None and person.kind == "voice"
        face = -1
        if facts.faces and not off:
            face = 0 if person is None else (-1 if person.face_index is None else person.face_index)
            if face < 0 and person is not None:
                notes.append(f"{_capital(person.name)} speaks off screen: no face is left in the picture.")
        speaker = Speaker(
            name=person.name if person else "",
            gender=person.gender if person else "",
            age=(person.age or "adult") if person else "adult",
            off_screen=off,
        )
        voice = casting.voice_for(person, said.language, taken)
        lines.append(
            Line(text=said.text, language=said.language, speaker=speaker, tone=said.tone, voice=voice, face_index=face)
        )
    return tuple(lines)


def _sound(
    reading: Reading,
    facts: PictureFacts,
    seed: int,
    denied: frozenset[str],
    moving: tuple[Motion, ...],
    notes: list[str],
    *,
    audio: bool,
    lines: bool,
) -> tuple[tuple[Cue, ...], Music | None]:
    if not audio:
        if lines:
            notes.append("No sound was asked for: the lines are not heard, the lips still move.")
        return (), None
    asked = cues.find_cues(reading)
    tune = music.find_music(reading)
    heard = asked.cues
    if not heard and "effects" not in asked.muted:
        quiet = asked.denied | denied
        heard = tuple(cue for cue in defaults.cues(facts) if cue.kind not in quiet)
    if asked.silent:
        return (), None
    if not heard:
        heard = (defaults.ROOM,)
    if "music" in asked.muted:
        return heard, None
    if tune.music is not None:
        return heard, tune.music
    full = lines or asked.muted or max(cue.strength for cue in heard) > _FAINT
    return heard, None if full else defaults.music(facts, tune.mood, seed)


def _language(text: str) -> Language:
    han = sum(is_han(c) for c in text)
    letters = sum(c.isascii() and c.isalpha() for c in text)
    return "zh" if han * 3 > letters else "en"  # a Chinese character says about as much as three letters


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
