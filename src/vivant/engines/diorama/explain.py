"""A storyboard in plain English, one line each: what was understood, what was chosen, what is not done."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.storyboard import (
    Action,
    BodyAction,
    Cue,
    Framing,
    Lighting,
    Line,
    Motion,
    Move,
    Music,
    Storyboard,
    Travel,
)
from vivant.request import FPS

_WHY: Final = {"prompt": "asked", "picture": "seen in the picture", "default": "our choice"}
_LANGUAGE: Final = {"en": "English", "zh": "Chinese"}
_MOTION: Final = {
    "falls": "waterfall",
    "leaves": "falling leaves",
    "petals": "drifting petals",
    "flag": "a waving flag",
    "sail": "sails in the wind",
    "curtain": "billowing curtains",
    "clothes": "clothes in the wind",
    "fur": "fur in the wind",
    "clouds": "drifting clouds",
    "birds": "birds far off",
    "heat": "air that shimmers with heat",
    "drifting_light": "light that drifts over the picture",
}
_LIGHT: Final = {
    "night": "night falls",
    "dusk": "the sun sets",
    "dawn": "the sun rises",
    "lamps": "lamps come on",
    "dark": "it grows dark",
    "bright": "it grows bright",
    "sweep": "sunlight moves across",
    "neon": "neon flickers",
    "flicker": "light flickers",
    "shadows": "shadows of clouds",
    "rays": "rays of light",
    "flare": "lens flare",
    "stars": "stars twinkle",
    "moon": "the moon glows",
    "golden": "golden hour",
    "teal": "teal and orange",
}
_TONE: Final = {
    "happy": "happily",
    "sad": "sadly",
    "angry": "angrily",
    "whisper": "in a whisper",
    "shout": "loudly",
    "excited": "excitedly",
    "gentle": "gently",
}


def explain(board: Storyboard) -> list[str]:
    """What the engine understood, for `--explain`, the demo and the page."""
    seconds = (board.frames - 1) / FPS
    lines = [f"Clip: {board.width}x{board.height}, {seconds:g} s ({board.frames} frames at 24 fps), seed {board.seed}"]
    if board.morph:
        lines.append("Picture: changes from the first picture to the last")
    lines.append("Camera: " + _camera(board))
    if board.motions:
        lines.append("Moving: " + ", ".join(_motion(motion, board.frames) for motion in board.motions))
    if board.lights:
        lines.append("Light: " + ", ".join(_light(light, board.frames) for light in board.lights))
    if board.travels:
        lines.append("Travelling: " + ", ".join(_travel(travel, board.frames) for travel in board.travels))
    lines += [_line(line, board.frames, heard=board.audio) for line in board.lines]
    acting = [_action(action, board.frames) for action in board.actions]
    acting += [_body_action(action, board.frames) for action in board.body_actions]
    if acting:
        lines.append("Acting: " + ", ".join(acting))
    lines.append("Sound: " + _sound(board))
    lines += [f"Note: {note}" for note in board.notes]
    return lines


def _camera(board: Storyboard) -> str:
    """One shot: its moves. Several: each with its time, and where the view cuts, to what."""
    told = ""
    for shot in board.shots:
        moves = " with ".join(_move(move) for move in shot.moves) or "still"
        span = "" if len(board.shots) == 1 else f"{_seconds(shot.start)}–{_seconds(shot.end, board.frames)} s "
        if shot.cut:
            told += f"; cut at {_seconds(shot.start)} s{_framing(shot.framing)}, {moves}"
        else:
            told += f"{', then ' if told else ''}{span}{moves}"
    return told


def _framing(framing: Framing | None) -> str:
    if framing is None:
        return " to another part of the picture"
    size = framing.size or "closer view"
    angle = f" from a {framing.angle} angle" if framing.angle else ""
    what = framing.target if framing.target != "face" or framing.face_index < 0 else ""
    whole = f"face {framing.face_index + 1}" if framing.face_index >= 0 else ""
    of = " of ".join(part for part in (what and f"the {what}", whole) if part)
    return f" to a {size}{f' of {of}' if of else ''}{angle}"


def _seconds(frame: int, frames: int = 0) -> str:
    """Seconds of a frame, rounded to hundredths; the end of the clip is its length."""
    return f"{round((frame - (frame == frames > 0)) / FPS, 2):g}"


def _time(one: Action | BodyAction | Cue | Lighting | Line | Motion | Music | Travel, frames: int) -> str:
    if one.start is None and one.end is None:
        return ""
    if one.end is None or (one.start and one.end == frames and not isinstance(one, Action | Line)):
        return f" from {_seconds(one.start or 0)} s"
    return f" at {_seconds(one.start or 0)}–{_seconds(one.end, frames)} s"


def _action(action: Action, frames: int) -> str:
    return f"{action.kind.replace('_', ' ')} (face {action.face_index + 1}){_time(action, frames)}"


def _body_action(action: BodyAction, frames: int) -> str:
    why = "" if action.origin == "prompt" else f", {_WHY[action.origin]}"
    return f"{_amount(action.strength)}{action.kind.replace('_', ' ')} ({action.being}{why}){_time(action, frames)}"


def _move(move: Move) -> str:
    if move.kind == "static":
        return "still"
    words: list[str] = [] if move.speed == "normal" else [move.speed]
    words += [move.kind.replace("_", " "), *([move.direction] if move.direction else [])]
    why = f"asked: “{move.words}”" if move.words else _WHY[move.origin]
    return f"{' '.join(words)} ({why})"


def _amount(strength: float) -> str:
    return "a little " if strength < 0.3 else "strong " if strength > 0.75 else ""


def _motion(motion: Motion, frames: int) -> str:
    where = f" to the {motion.direction}" if motion.direction in ("left", "right") else ""
    what = f"{_amount(motion.strength)}{_MOTION.get(motion.kind, motion.kind)}{where}"
    return f"{what} ({_WHY[motion.origin]}){_time(motion, frames)}"


def _light(light: Lighting, frames: int) -> str:
    why = f"asked: “{light.words}”" if light.words else _WHY[light.origin]
    return f"{_LIGHT.get(light.kind, light.kind)} ({why}){_time(light, frames)}"


def _travel(travel: Travel, frames: int) -> str:
    what = travel.thing.words or travel.thing.kind
    how = {"go": "goes", "take_off": "takes off"}.get(travel.kind, _third_person(travel.kind))
    where = f" to the {travel.direction}" if travel.direction in ("left", "right") else ""
    speed = "" if travel.speed == "normal" else {"slow": " slowly", "fast": " fast"}[travel.speed]
    return f"{what} {how}{where}{speed} ({_WHY[travel.origin]}){_time(travel, frames)}"


def _third_person(verb: str) -> str:
    return verb + ("es" if verb.endswith("ch") else "s")


def _line(line: Line, frames: int, *, heard: bool) -> str:
    who = line.speaker.name or "someone"
    how = f" {_TONE[line.tone]}" if line.tone in _TONE else ""
    lips = f"lips of face {line.face_index + 1} move" if line.face_index >= 0 else "no lips move"
    voice = f"voice {line.voice}" if heard else "not heard"
    return f"Speech: {who} says{how} “{line.text}” in {_LANGUAGE[line.language]}, {voice}, {lips}{_time(line, frames)}"


def _cue(cue: Cue, frames: int) -> str:
    name = "room tone" if cue.kind == "room" else cue.kind
    return f"{_amount(cue.strength)}{name} ({_WHY[cue.origin]}){_time(cue, frames)}"


def _sound(board: Storyboard) -> str:
    if not board.audio:
        return "none (generate_audio is off)"
    heard = ", ".join(_cue(cue, board.frames) for cue in board.cues) or (
        "no ambience" if board.lines or board.music else "silence"
    )
    if board.music is None:
        return f"{heard}; no music"
    music = board.music
    style = f" {music.style}" if music.style else ""
    when = _time(music, board.frames)
    return f"{heard}; music: {music.mood}{style} at {music.tempo} bpm ({_WHY[music.origin]}){when}"
