"""From a prompt and the facts of a picture to a storyboard. Read this first: a chain of steps, each a file of its own.

Each step returns what it made, what it has to tell, and the words that it used (found.py). The chain alone collects
them; what no step used is looked at last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.script import (
    actions,
    beings,
    camera,
    casting,
    cloth,
    cues,
    defaults,
    dialogue,
    leftovers,
    lights,
    limits,
    motion_regions,
    motions,
    music,
    travel,
)
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading, read
from vivant.engines.diorama.script.json_prompts import flatten_json
from vivant.engines.diorama.script.notes import ScriptNote, tell
from vivant.engines.diorama.script.people import Cast, Person, find_people
from vivant.engines.diorama.script.shot_words import find_boundaries
from vivant.engines.diorama.script.shots import Cutting, make_shots
from vivant.engines.diorama.script.times import Times, read_times
from vivant.engines.diorama.script.tokens import blank_unreadable, is_han
from vivant.engines.diorama.script.unquoted import find_unquoted_speech, is_wrapped_description
from vivant.engines.diorama.storyboard import (
    Action,
    Cue,
    Gender,
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
    Thing,
)
from vivant.request import FPS, Canvas

_FAINT: Final = 0.34  # cues no louder than this leave room for music nobody asked for
_OWNERS: Final[dict[str, Gender]] = {"his": "man", "her": "woman", "他": "man", "她": "woman"}
_STILL: Final = Move(kind="static")
_LONGEST: Final = 10_000  # characters that are read; the contract advises 500

T = TypeVar("T")


class _Chain:
    """Collects what the steps tell and which words they used."""

    def __init__(self) -> None:
        self.notes: list[ScriptNote] = []
        self.spans: list[Span] = []

    def take(self, found: Found[T]) -> T:
        self.notes += found.notes
        self.spans += found.spans
        return found.value


def write(
    prompt: str,
    facts: PictureFacts,
    *,
    canvas: Canvas,
    seed: int,
    audio: bool,
    camera_fixed: bool,
    morph: bool,
    find: motion_regions.Find | None = None,
    shining: lights.LookForLights = None,
    checkpoint: Checkpoint = never_stop,
) -> Storyboard:
    """The storyboard for one clip. Pure: equal arguments, equal storyboard. Whatever the text, it takes less than a
    second and raises nothing of its own; `checkpoint` is called between its steps.

    `audio` False: no cues and no music; quoted lines stay, so that lips still move for a sound laid under later.
    `camera_fixed` wins over every camera word. `morph`: the clip ends on a last picture.
    `find`: how surely a thing that the prompt names is found in the picture. `shining`: see lights.LookForLights.
    """
    checkpoint()
    chain = _Chain()
    reading = read_prompt(prompt)
    checkpoint()
    times = chain.take(read_times(reading, canvas.frames))
    cast = find_people(reading)
    spoken = chain.take(dialogue.find_utterances(reading, cast))
    spoken = chain.take(dialogue.fit_to_clip(spoken, canvas.frames / FPS))
    checkpoint()
    casting.assign_faces(_speakers_first(spoken, cast), facts.faces)
    asked = chain.take(camera.find_moves(reading, times))
    if camera_fixed:
        shots = chain.take(_hold_still(reading, asked, canvas))
    else:
        cutting = chain.take(_write_shots(reading, times, asked, cast, facts, canvas, seed, morph=morph))
        shots, times = cutting.shots, times.within(cutting.stretches)
    checkpoint()
    wanted = chain.take(motions.find_motions(reading, times))
    moving = chain.take(_write_motions(wanted, facts, seed, find, morph=morph))
    shone = chain.take(lights.find_lights(reading, times))
    cloudy = any(motion.kind == "clouds" for motion in moving)
    moving = defaults.leave_out_unseen(moving, facts, morph=morph)
    still = wanted.nothing_else
    lit = chain.take(lights.fit_lights(shone, facts, morph=morph, still=still, cloudy=cloudy, shining=shining))
    travels = chain.take(travel.find_travels(reading, times, facts))
    if not wanted.nothing_else and not morph:
        travels += travel.choose_floating(travels, facts)
    moving += chain.take(travel.find_far_birds(reading, times, facts))
    checkpoint()
    lines = chain.take(_write_lines(spoken, times, facts))
    # On the way to a last picture the subject is no layer of its own.
    alone = replace(facts, body=None) if morph else facts
    moved = beings.find_body_actions(reading, cast, times, alone, nothing_else=wanted.nothing_else)
    living = chain.take(moved)
    if not wanted.nothing_else:
        lives = bool(living or travels)
        moving = (*moving, *defaults.choose_light(shots, moving, facts, lives=lives, morph=morph))
    acting = chain.take(actions.find_actions(reading, cast, times, facts.faces, lines, moved.spans))
    wordless = chain.take(dialogue.find_wordless_speech(reading, cast, spoken))
    chain.take(tell_silence(wordless, lines, acting, facts, audio=audio))
    heard: tuple[Cue, ...] = ()
    tune: Music | None = None
    if audio:
        heard, tune = chain.take(_write_sound(reading, times, facts, seed, wanted.denied, with_speech=bool(lines)))
    chain.take(limits.find_limits(reading))
    checkpoint()
    missing = travel.find_missing(reading, facts)
    unmoved = beings.find_unmoved(reading, cast)
    chain.take(leftovers.find_leftovers(reading, chain.spans, audio=audio, missing=missing, unmoved=unmoved))
    language = language_of_prompt(reading.text)
    return Storyboard(
        width=canvas.width,
        height=canvas.height,
        frames=canvas.frames,
        seed=seed,
        language=language,
        audio=audio,
        camera_fixed=camera_fixed,
        morph=morph,
        shots=shots,
        motions=moving,
        lights=lit,
        lines=lines,
        actions=acting,
        body_actions=living,
        cues=heard,
        music=tune,
        travels=travels,
        notes=tell(chain.notes, language),
    )


def name_things(prompt: str) -> tuple[Thing, ...]:
    """The things of the picture that the prompt sends somewhere, and the cloth that the wind is to move, for looking to
    find them before `write`."""
    reading = read_prompt(prompt)
    return tuple(dict.fromkeys((*travel.name_things(reading), *cloth.name_cloths(reading))))


def read_prompt(prompt: str) -> Reading:
    """The prompt read, be it JSON, wrapped in quotation marks or with speech that has none."""
    text = blank_unreadable(flatten_json(prompt))[:_LONGEST]
    reading = read(text)
    if is_wrapped_description(reading):
        reading = read(text := reading.quotations[0].inner)
    speech = find_unquoted_speech(reading)
    return read(text, speech) if speech else reading


def _hold_still(reading: Reading, asked: camera.CameraRequest, canvas: Canvas) -> Found[tuple[Shot, ...]]:
    moves = [move.words for step in asked.steps for move in step.moves if move.kind != "static"]
    moves += [boundary.words for boundary in find_boundaries(reading)]
    notes = (ScriptNote("camera_fixed", tuple(moves)),) if moves else ()
    return Found((Shot(start=0, end=canvas.frames, moves=(_STILL,)),), notes)


def _write_shots(
    reading: Reading,
    times: Times,
    asked: camera.CameraRequest,
    cast: Cast,
    facts: PictureFacts,
    canvas: Canvas,
    seed: int,
    *,
    morph: bool,
) -> Found[Cutting]:
    def face_of(first: int, last: int) -> int:
        named = [mention.person.face_index for mention in cast.between(first, last)]
        # "his eyes": the last man before.
        owners = {_OWNERS[token.text] for token in reading.tokens[first:last] if token.text in _OWNERS}
        before = [mention.person for mention in cast.between(0, first)]
        named += [person.face_index for person in reversed(before) if person.gender in owners]
        return next((face for face in named if face is not None), -1)

    otherwise = _STILL if asked.still else defaults.choose_camera(facts, canvas, seed, morph=morph)
    steps = camera.choose_directions(asked.steps, seed)
    return make_shots(reading, times, steps, otherwise, face_of, may_cut=not morph)


def _write_motions(
    asked: motions.MotionRequest, facts: PictureFacts, seed: int, find: motion_regions.Find | None, *, morph: bool
) -> Found[tuple[Motion, ...]]:
    """What the prompt asks for and the picture allows, and what is seen in the picture unless the prompt names or
    denies it. What the picture does not allow is told and not listed."""
    wanted = motion_regions.find_regions(asked.motions, facts)
    things = motion_regions.note_missing_things(asked.blown, facts)
    named_things = {word for note in things for word in note.words} | {asked.blown.get("cloth", "")}
    told = {kind: word for kind, word in asked.words.items() if kind != "wind" or word not in named_things}
    notes = motion_regions.note_missing_regions(wanted, told, facts, find)
    notes += things
    wanted = motion_regions.keep_seen(wanted)
    if asked.nothing_else:
        return Found(wanted, notes)
    named = {motion.kind for motion in asked.motions} | asked.denied
    if "falls" in named and facts.water < defaults.LARGE_WATER:
        named.add("water")  # the prompt says what the water is; a sea goes on beside a fall
    seen = tuple(motion for motion in defaults.choose_motions(facts, seed, morph=morph) if motion.kind not in named)
    return Found(wanted + motion_regions.find_regions(seen, facts), notes)


def _speakers_first(spoken: tuple[dialogue.DraftLine, ...], cast: Cast) -> list[Person]:
    """Those who speak, then the others, each once: faces are few, and who speaks needs one most."""
    return list(dict.fromkeys([*(line.person for line in spoken if line.person), *cast.people]))


def _write_lines(spoken: tuple[dialogue.DraftLine, ...], times: Times, facts: PictureFacts) -> Found[tuple[Line, ...]]:
    """The lines with their speakers, faces and voices. A line of nobody in particular goes to the first face."""
    taken: dict[str, Person | None] = {}
    lines: list[Line] = []
    notes: list[ScriptNote] = []
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
                notes.append(ScriptNote("off_screen", (person.name,)))
        when = times.when(utterance.token)
        lines.append(
            Line(
                text=utterance.text,
                language=utterance.language,
                speaker=speaker,
                tone=utterance.tone,
                voice=casting.choose_voice(person, utterance.language, taken),
                face_index=face_index,
                start=when.start,
                end=when.end,
                order=times.order(utterance.token),
            )
        )
    return Found(tuple(lines), tuple(notes))


def tell_silence(
    wordless: tuple[str, ...], lines: tuple[Line, ...], acting: tuple[Action, ...], facts: PictureFacts, *, audio: bool
) -> Found[None]:
    """What keeps lips still or lines from being heard. wordless: the words of speech for which no line is given."""
    notes: list[ScriptNote] = []
    if facts.cut_faces:
        silent = any(line.face_index < 0 and not line.speaker.off_screen for line in lines)
        notes.append(ScriptNote("cut_faces_silent" if silent else "cut_faces"))
    if wordless:
        moving = any(action.kind in ("talk", "sing") for action in acting)
        notes.append(ScriptNote("quiet_lips" if moving else "no_words_to_say", wordless))
    if lines and not audio:
        notes.append(ScriptNote("silent_lips"))
    return Found(None, tuple(notes))


def _speaker(person: Person | None) -> Speaker:
    if person is None:
        return Speaker()
    return Speaker(
        name=person.name, gender=person.heard_as, age=person.age or "adult", off_screen=person.kind == "voice"
    )


def _write_sound(
    reading: Reading,
    times: Times,
    facts: PictureFacts,
    seed: int,
    unseen: frozenset[MotionKind],
    *,
    with_speech: bool,
) -> Found[tuple[tuple[Cue, ...], Music | None]]:
    """Cues and music. What the prompt leaves open is fitted to the picture; `unseen` motions are not heard either."""
    found, told = cues.find_cues(reading, times), music.find_music(reading, times)
    asked, tune = found.value, told.value
    notes, spans = (*found.notes, *told.notes), (*found.spans, *told.spans)
    if asked.silent:
        return Found(((), None), notes, spans)
    heard = asked.cues
    if not heard and "effects" not in asked.muted:
        heard = tuple(cue for cue in defaults.choose_cues(facts) if cue.kind not in asked.denied | unseen)
    # Never dead silence: before a rain that comes later, too, the place itself is heard.
    if all(cue.start or cue.end is not None for cue in heard) and all(cue.kind != "room" for cue in heard):
        heard = (*heard, defaults.ROOM)
    if "music" in asked.muted:
        return Found((heard, None), notes, spans)
    if tune.music is not None:
        return Found((heard, tune.music), notes, spans)
    full = with_speech or asked.muted or max(cue.strength for cue in heard) > _FAINT
    return Found((heard, None if full else defaults.choose_music(facts, tune.mood, seed)), notes, spans)


def language_of_prompt(text: str) -> Language:
    """The language that most of a prompt is written in."""
    han = sum(is_han(c) for c in text)
    letters = sum(c.isascii() and c.isalpha() for c in text)
    return "zh" if han * 3 > letters else "en"  # a Chinese character says about as much as three letters
