"""From a prompt and the facts of a picture to a storyboard. Read this first; each step is a file of its own."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.script import (
    actions,
    camera,
    casting,
    cues,
    defaults,
    dialogue,
    limits,
    motion_regions,
    motions,
    music,
)
from vivant.engines.diorama.script.grammar import Reading, read
from vivant.engines.diorama.script.json_prompts import flatten_json
from vivant.engines.diorama.script.people import Cast, Person, find_people
from vivant.engines.diorama.script.shots import make_shots
from vivant.engines.diorama.script.tokens import blank_unreadable, is_han
from vivant.engines.diorama.script.unquoted import find_unquoted_speech, is_wrapped_description
from vivant.engines.diorama.storyboard import (
    Cue,
    Language,
    Line,
    Motion,
    MotionKind,
    Move,
    Music,
    PictureFacts,
    Shot,
    Speaker,
    Storyboard,
)
from vivant.request import FPS, Canvas

_FAINT: Final = 0.34  # cues no louder than this leave room for music nobody asked for
_MOST_NOTES: Final = 12
_STILL: Final = Move(kind="static")
_LONGEST: Final = 10_000  # characters that are read; the contract advises 500


def write(
    prompt: str,
    facts: PictureFacts,
    *,
    canvas: Canvas,
    seed: int,
    audio: bool,
    camera_fixed: bool,
    morph: bool,
    checkpoint: Checkpoint = never_stop,
) -> Storyboard:
    """The storyboard for one clip. Pure: equal arguments, equal storyboard. Whatever the text, it takes less than a
    second and raises nothing of its own; `checkpoint` is called between its steps.

    `audio` False: no cues and no music; quoted lines stay, so that lips still move for a sound laid under later.
    `camera_fixed` wins over every camera word. `morph`: the clip ends on a last picture.
    """
    checkpoint()
    reading = read_prompt(prompt)
    checkpoint()
    notes: list[str] = []  # each step adds what it could not do
    if camera_fixed:
        shots = _hold_still(reading, canvas, notes)
    else:
        shots = _write_shots(reading, facts, canvas, seed, notes, morph=morph)
    asked = motions.find_motions(reading)
    moving = _write_motions(asked, facts, seed, notes)
    checkpoint()
    cast = find_people(reading)
    spoken = _write_dialogue(reading, cast, canvas, notes)
    checkpoint()
    casting.assign_faces(_speakers_first(spoken, cast), facts.faces)
    lines = _write_lines(spoken, facts, notes)
    if facts.cut_faces:
        notes.append(_note_cut_faces(facts.cut_faces, lines))
    if not lines and dialogue.speaks_without_words(reading):
        notes.append("Someone speaks, but there are no words to say: write them in quotation marks.")
    acting, faceless = actions.find_actions(reading, cast, len(facts.faces))
    notes += faceless
    heard: tuple[Cue, ...] = ()
    tune: Music | None = None
    if audio:
        heard, tune = _write_sound(reading, facts, seed, asked.denied, with_speech=bool(lines))
    elif lines:
        notes.append("No sound was asked for: the lines are not heard, the lips still move.")
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
        shots=shots,
        motions=moving,
        lines=lines,
        actions=acting,
        cues=heard,
        music=tune,
        notes=_shorten_notes(notes),
    )


def _shorten_notes(notes: list[str]) -> tuple[str, ...]:
    """Each note once, in order; of very many the first, and how many are left out."""
    different = tuple(dict.fromkeys(notes))
    if len(different) <= _MOST_NOTES:
        return different
    left = len(different) - _MOST_NOTES + 1
    return (*different[: _MOST_NOTES - 1], f"There are {left} more notes of this kind; the prompt asks for too much.")


def read_prompt(prompt: str) -> Reading:
    """The prompt read, be it JSON, wrapped in quotation marks or with speech that has none."""
    text = blank_unreadable(flatten_json(prompt))[:_LONGEST]
    reading = read(text)
    if is_wrapped_description(reading):
        reading = read(text := reading.quotations[0].inner)
    speech = find_unquoted_speech(reading)
    return read(text, speech) if speech else reading


def _hold_still(reading: Reading, canvas: Canvas, notes: list[str]) -> tuple[Shot, ...]:
    asked = camera.find_moves(reading)
    if any(move.kind != "static" for step in asked.steps for move in step.moves):
        notes.append("The camera stays still: camera_fixed wins over the camera words of the prompt.")
    return (Shot(start=0, end=canvas.frames, moves=(_STILL,)),)


def _write_shots(
    reading: Reading, facts: PictureFacts, canvas: Canvas, seed: int, notes: list[str], *, morph: bool
) -> tuple[Shot, ...]:
    asked = camera.find_moves(reading)
    if not asked.steps:
        move = _STILL if asked.still else defaults.choose_camera(facts, canvas, seed, morph=morph)
        return (Shot(start=0, end=canvas.frames, moves=(move,)),)
    notes += asked.notes
    shots, unfitting = make_shots(camera.choose_directions(asked.steps, seed), canvas.frames)
    notes += unfitting
    return shots


def _write_motions(
    asked: motions.MotionRequest, facts: PictureFacts, seed: int, notes: list[str]
) -> tuple[Motion, ...]:
    """What the prompt asks for, and what is seen in the picture unless the prompt names or denies it."""
    wanted = motion_regions.find_regions(asked.motions, facts)
    notes += motion_regions.note_missing_regions(wanted, asked.words)
    if asked.nothing_else:
        return wanted
    named = {motion.kind for motion in asked.motions} | asked.denied
    if "falls" in named:
        named.add("water")  # the prompt says what the water is
    seen = tuple(motion for motion in defaults.choose_motions(facts, seed) if motion.kind not in named)
    return wanted + motion_regions.find_regions(seen, facts)


def _write_dialogue(reading: Reading, cast: Cast, canvas: Canvas, notes: list[str]) -> list[dialogue.DraftLine]:
    spoken, unspoken = dialogue.find_utterances(reading, cast)
    spoken, unfitting = dialogue.fit_to_clip(spoken, canvas.frames / FPS)
    notes += unspoken + unfitting
    return spoken


def _speakers_first(spoken: list[dialogue.DraftLine], cast: Cast) -> list[Person]:
    """Those who speak, then the others, each once: faces are few, and who speaks needs one most."""
    return list(dict.fromkeys([*(line.person for line in spoken if line.person), *cast.people]))


def _write_lines(spoken: list[dialogue.DraftLine], facts: PictureFacts, notes: list[str]) -> tuple[Line, ...]:
    """The lines with their speakers, faces and voices. A line of nobody in particular goes to the first face."""
    taken: dict[str, Person | None] = {}
    lines = []
    for utterance in spoken:
        person = utterance.person
        speaker = _speaker(person)
        face_index = -1
        if facts.faces and not speaker.off_screen:
            if person is None:
                face_index = 0
            elif person.face_index is not None:
                face_index = person.face_index
            else:
                notes.append(f"{_capitalise(person.name)} speaks off screen: no face is left in the picture.")
        lines.append(
            Line(
                text=utterance.text,
                language=utterance.language,
                speaker=speaker,
                tone=utterance.tone,
                voice=casting.choose_voice(person, utterance.language, taken),
                face_index=face_index,
            )
        )
    return tuple(lines)


def _note_cut_faces(faces: int, lines: tuple[Line, ...]) -> str:
    silent = any(line.face_index < 0 and not line.speaker.off_screen for line in lines)
    what = "a face" if faces == 1 else f"{faces} faces"
    return (
        f"The picture is cropped to the shape of the clip, which cuts off all or part of {what}"
        f"{': no lips move' if silent else ''}. A ratio nearer to the picture's keeps more of it."
    )


def _speaker(person: Person | None) -> Speaker:
    if person is None:
        return Speaker()
    return Speaker(name=person.name, gender=person.gender, age=person.age or "adult", off_screen=person.kind == "voice")


def _write_sound(
    reading: Reading, facts: PictureFacts, seed: int, unseen: frozenset[MotionKind], *, with_speech: bool
) -> tuple[tuple[Cue, ...], Music | None]:
    """Cues and music. What the prompt leaves open is fitted to the picture; `unseen` motions are not heard either."""
    asked = cues.find_cues(reading)
    tune = music.find_music(reading)
    if asked.silent:
        return (), None
    heard = asked.cues
    if not heard and "effects" not in asked.muted:
        heard = tuple(cue for cue in defaults.choose_cues(facts) if cue.kind not in asked.denied | unseen)
    if not heard:
        heard = (defaults.ROOM,)
    if "music" in asked.muted:
        return heard, None
    if tune.music is not None:
        return heard, tune.music
    full = with_speech or asked.muted or max(cue.strength for cue in heard) > _FAINT
    return heard, None if full else defaults.choose_music(facts, tune.mood, seed)


def _language(text: str) -> Language:
    han = sum(is_han(c) for c in text)
    letters = sum(c.isascii() and c.isalpha() for c in text)
    return "zh" if han * 3 > letters else "en"  # a Chinese character says about as much as three letters


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
