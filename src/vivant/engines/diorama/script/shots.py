"""Turns the steps of the camera, the cuts and the framings of a prompt into shots that follow each other and fill the
clip. `Shot.cut` is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from vivant.engines.diorama.script.camera import Step
from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.shot_words import Boundary, Described, count_shots, find_boundaries, find_view
from vivant.engines.diorama.script.times import NO_TIME, Stretch, Times, When
from vivant.engines.diorama.storyboard import Framing, Move, Shot
from vivant.request import FPS

_SHORTEST_MOVE: Final = 1.25  # seconds that a move needs to be noticed
_SHORTEST_SHOT: Final = 0.8  # seconds that a view needs to be seen
_LABEL: Final = 14  # tokens after the start of a shot in which its time may stand
_LASTING: Final = frozenset({"static", "handheld"})
_STILL: Final = Move(kind="static", origin="default")
_QUIET: Final = Move(kind="dolly", direction="in", speed="slow", strength=0.2, origin="default")
# What a montage shows by turns.
_TURNS: Final = (
    Framing(size="close-up", target="face"),
    Framing(size="medium"),
    Framing(size="detail", target="eyes"),
    Framing(size="wide"),
)


@dataclass(frozen=True, slots=True)
class Cutting:
    """The shots of a clip, and, where there are cuts, which words of the prompt stand in which of them."""

    shots: tuple[Shot, ...]
    stretches: tuple[Stretch, ...] = ()


FaceOf = Callable[[int, int], int]  # tokens first..last-1 -> the face of who is named there; -1: nobody's


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the prompt says between two cuts: tokens first..last-1."""

    first: int
    last: int
    words: str = ""  # of its cut
    when: When = NO_TIME
    framing: Framing | None = None


def make_shots(
    reading: Reading, times: Times, steps: Sequence[Step], otherwise: Move, face_of: FaceOf, *, may_cut: bool
) -> Found[Cutting]:
    """The shots of the clip. otherwise: the move where the prompt asks for none and does not cut. may_cut: False where
    one take is asked for by other means; the words for cuts then become a note."""
    frames = times.frames
    boundaries = find_boundaries(reading)
    spans = tuple((b.token, b.token + 1 if b.hit is None else max(b.token + 1, b.hit.last)) for b in boundaries)
    notes: list[ScriptNote] = []
    if may_cut:
        found = _find_scenes(reading, times, boundaries, face_of)
        scenes = found.value
        notes += found.notes
    else:
        scenes = [_Scene(0, len(reading.tokens))]
        notes += [ScriptNote("no_cuts_between_pictures", (boundary.words,)) for boundary in boundaries]
    room = max(1, int(frames / FPS / _SHORTEST_SHOT))
    if len(scenes) > room:
        dropped = tuple(scene.words for scene in scenes[room:])
        values = (("asked", len(scenes)), ("seconds", frames // FPS), ("room", room))
        notes.append(ScriptNote("too_many_shots", dropped, values))
        scenes = scenes[:room]
    lasting = _lasting_moves(times, steps, boundaries)
    steps = [step for step in steps if not set(step.moves) <= set(lasting)]
    if lasting:
        otherwise = lasting[0]
        shaking = tuple(move for move in lasting if move.kind == "handheld")
        steps = [replace(step, moves=(*step.moves, *shaking)) for step in steps]
    elif len(scenes) > 1:
        otherwise = otherwise if otherwise.kind == "static" else _QUIET
    shortest = round(_SHORTEST_SHOT * FPS)
    starts = _spread(_not_before_what_precedes(times, scenes, shortest), frames, shortest)
    shots: list[Shot] = []
    stretches: list[Stretch] = []
    for number, (scene, start, end) in enumerate(zip(scenes, starts, [*starts[1:], frames], strict=True)):
        own = [step for step in steps if scene.first <= step.token < scene.last]
        made = _fill(scene, When(start, end), own, otherwise, cut=number > 0)
        shots += made.value
        notes += made.notes
        if len(scenes) > 1:
            stretches.append(Stretch(scene.first, scene.last, When(start, end), lasting=True))
    return Found(Cutting(tuple(shots), tuple(stretches)), tuple(notes), spans)


def _find_scenes(
    reading: Reading, times: Times, boundaries: Sequence[Boundary], face_of: FaceOf
) -> Found[list[_Scene]]:
    """The prompt between its cuts. The first numbered shot begins the clip, and so does a cut that opens the prompt."""
    notes: list[ScriptNote] = []
    opening = bool(boundaries) and (boundaries[0].heading or not _has_content(reading, 0, boundaries[0].token))
    cuts = boundaries[1:] if opening else boundaries
    labels = [_label_before(reading, times, boundary) for boundary in cuts]
    firsts = [b.token if label is None else label.first for b, label in zip(cuts, labels, strict=True)]
    ends = [*firsts, len(reading.tokens)]
    scenes = [_Scene(0, ends[0])]
    last_face = -1
    for boundary, label, first, last in zip(cuts, labels, firsts, ends[1:], strict=True):
        view = find_view(reading, boundary.token, last, boundary.hit)
        face = _face_of_view(reading, view, boundary.token, last, face_of)
        framing = _frame(view, boundary, face, last_face)
        if framing is not None:
            last_face = framing.face_index
            if framing.target == "hands":
                notes.append(ScriptNote("hands_not_found", (framing.words,)))
        if boundary.is_soft:
            notes.append(ScriptNote("hard_cut", (boundary.words,)))
        when = _time_of(times, boundary, last) if label is None else label.when
        scenes.append(_Scene(first, last, boundary.words, when, framing))
    if len(scenes) == 1 and not any(one.heading for one in times.stretches):
        scenes += _count_scenes(reading)
    return Found(scenes, tuple(notes))


def _has_content(reading: Reading, first: int, last: int) -> bool:
    return any(token.kind in ("word", "han", "quote") for token in reading.tokens[first:last])


def _label_before(reading: Reading, times: Times, boundary: Boundary) -> Stretch | None:
    """The time that heads a shot although it stands before its start: "[2-5s] Cut to a low angle"."""
    before = [one for one in times.stretches if one.heading and one.first < boundary.token < one.last]
    return None if not before or _has_content(reading, before[-1].told, boundary.token) else before[-1]


def _time_of(times: Times, boundary: Boundary, last: int) -> When:
    """The time of a heading right behind the start of a shot: "Shot 2 (3-6s):"."""
    behind = range(boundary.token, min(last, boundary.token + (_LABEL if boundary.heading else 1)))
    return next((one.when for one in times.stretches if one.heading and one.first in behind), NO_TIME)


def _face_of_view(reading: Reading, view: Described | None, first: int, last: int, face_of: FaceOf) -> int:
    """The face of who is named nearest to the words for the framing, else of the first who is named in the shot."""
    if view is None:
        return face_of(first, last)
    start, stop = reading.sentence_bounds(view.token)
    near = face_of(view.token, min(last, stop))
    if near < 0:
        near = face_of(max(first, start), view.token)
    return near if near >= 0 else face_of(first, last)


def _frame(view: Described | None, boundary: Boundary, face: int, last_face: int) -> Framing | None:
    if boundary.is_reverse:
        other = face if face not in (-1, last_face) else int(last_face <= 0)
        size = view.size if view and view.size else "close-up"
        return Framing(size=size, target="face", face_index=other, words=boundary.words)
    if view is not None:
        return Framing(size=view.size, target=view.target, angle=view.angle, face_index=face, words=view.words)
    return None if face < 0 else Framing(target="face", face_index=face, words=boundary.words)


def _count_scenes(reading: Reading) -> list[_Scene]:
    """The shots after the first of "6 shots" or "a montage", of which nothing more is said."""
    number, words = count_shots(reading)
    end = len(reading.tokens)
    return [
        _Scene(end, end, words, framing=replace(_TURNS[turn % len(_TURNS)], words=words)) for turn in range(number - 1)
    ]


def _lasting_moves(times: Times, steps: Sequence[Step], boundaries: Sequence[Boundary]) -> tuple[Move, ...]:
    """A still or handheld camera asked for before the first numbered shot or time lasts through all of them."""
    headings = [boundary.token for boundary in boundaries if boundary.heading]
    headings += [stretch.first for stretch in times.stretches if stretch.heading]
    before = [step for step in steps if step.token < min(headings, default=0)]
    return tuple(move for step in before for move in step.moves if move.kind in _LASTING)


def _not_before_what_precedes(times: Times, scenes: Sequence[_Scene], shortest: int) -> list[int | None]:
    """The starts that the prompt tells. A shot for which it tells none, but a moment in the words before it ("At 4 s
    lightning strikes. Cut to her face."), begins after that, half way to the end of the clip."""
    starts = [scene.when.start for scene in scenes]
    _halve_headings(times, scenes, starts)
    for number, (scene, start) in enumerate(zip(scenes, starts, strict=True)):
        if number and start is None:
            moments = [one.when.start or 0 for one in times.stretches if not one.heading and one.first < scene.first]
            even = round(number * times.frames / len(scenes))
            if moments and max(moments) + shortest > even:
                starts[number] = round((max(moments) + times.frames) / 2)
    return starts


def _halve_headings(times: Times, scenes: Sequence[_Scene], starts: list[int | None]) -> None:
    """A cut without a time of its own, in the middle of what a time heads ("6-8s: tilt down, cut to the street"), lies
    in the middle of that time."""
    for one in times.stretches:
        inside = [n for n, scene in enumerate(scenes) if n and starts[n] is None and one.first < scene.first < one.last]
        if not one.heading or one.when.end is None:
            continue
        low, high = one.when.start or 0, one.when.end
        for place, number in enumerate(inside, start=1):
            starts[number] = low + round((high - low) * place / (len(inside) + 1))


def _spread(starts: Sequence[int | None], frames: int, shortest: int) -> list[int]:
    """A start for each shot: those given, the others in equal parts between them; each shot at least `shortest` long
    as far as there is room."""
    known = [0, *starts[1:], frames]
    rising = [0]  # a start that does not rise is none
    for at, start in enumerate(known[1:-1], start=1):
        least = (known[rising[-1]] or 0) + shortest * (at - rising[-1])
        if start is not None and least <= start <= frames - shortest * (len(starts) - at):
            rising.append(at)
    rising.append(len(starts))
    spread: list[int] = []
    for a, b in pairwise(rising):
        low, high = known[a] or 0, known[b] or 0
        spread += [low + round((high - low) * step / (b - a)) for step in range(b - a)]
    return spread


def _fill(scene: _Scene, window: When, steps: Sequence[Step], otherwise: Move, *, cut: bool) -> Found[tuple[Shot, ...]]:
    """The shots of one scene over its frames: its steps one after the other, only the first after a cut. Steps with
    times get their times; the others share what is left evenly. A note on those that did not fit."""
    start, end = window.start or 0, window.end or 0
    room = max(1, int((end - start) / FPS / _SHORTEST_MOVE))
    notes: tuple[ScriptNote, ...] = ()
    if len(steps) > room:
        dropped = tuple(move.words for step in steps[room:] for move in step.moves)
        values = (("asked", len(steps)), ("seconds", round((end - start) / FPS)), ("room", room))
        notes = (ScriptNote("too_many_moves", dropped, values),)
        steps = steps[:room]
    if not steps:
        return Found((Shot(start=start, end=end, moves=(otherwise,), cut=cut, framing=scene.framing if cut else None),))
    begins = [step.when.start for step in steps]
    for number in range(1, len(steps)):
        if begins[number] is None:  # "static for 2 seconds, then zoom in": it follows at once
            begins[number] = steps[number - 1].when.end
    timed = [None if begin is None else begin - start for begin in begins]
    late = timed[0] is not None and timed[0] >= FPS // 2  # the first move begins later: until then the camera rests
    given = [0, *timed] if late else [0, *timed[1:]]
    moves = [(_STILL,), *(step.moves for step in steps)] if late else [step.moves for step in steps]
    stops = [None, *(step.when.end for step in steps)] if late else [step.when.end for step in steps]
    starts = [start + at for at in _spread(given, end - start, FPS // 2)]
    shots: list[Shot] = []
    for first, last, made, stop in zip(starts, [*starts[1:], end], moves, stops, strict=True):
        until = stop if stop is not None and first + FPS // 2 < stop < last - FPS // 2 else last
        framing = scene.framing if cut and not shots else None
        shots.append(Shot(start=first, end=until, moves=made, cut=cut and not shots, framing=framing))
        if until < last:  # it ends before the next one begins
            shots.append(Shot(start=until, end=last, moves=(_STILL,)))
    return Found(tuple(shots), notes)
