"""A storyboard in plain English, one line each: what was understood, what was chosen, what is not done."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.storyboard import Cue, Line, Motion, Move, Shot, Storyboard
from vivant.request import FPS

_WHY: Final = {"prompt": "asked", "picture": "seen in the picture", "default": "our choice"}
_LANGUAGE: Final = {"en": "English", "zh": "Chinese"}
_MOTION: Final = {
    "falls": "waterfall",
    "leaves": "falling leaves",
    "petals": "drifting petals",
    "clouds": "drifting clouds",
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
    lines.append("Camera: " + ", then ".join(_shot(shot) for shot in board.shots))
    if board.motions:
        lines.append("Moving: " + ", ".join(_motion(motion) for motion in board.motions))
    lines += [_line(line, heard=board.audio) for line in board.lines]
    if board.actions:
        lines.append(
            "Acting: " + ", ".join(f"{a.kind.replace('_', ' ')} (face {a.face_index + 1})" for a in board.actions)
        )
    lines.append("Sound: " + _sound(board))
    lines += [f"Note: {note}" for note in board.notes]
    return lines


def _shot(shot: Shot) -> str:
    return " with ".join(_move(move) for move in shot.moves) or "still"


def _move(move: Move) -> str:
    if move.kind == "static":
        return "still"
    words: list[str] = [] if move.speed == "normal" else [move.speed]
    words += [move.kind, *([move.direction] if move.direction else [])]
    why = f"asked: “{move.words}”" if move.words else _WHY[move.origin]
    return f"{' '.join(words)} ({why})"


def _amount(strength: float) -> str:
    return "a little " if strength < 0.3 else "strong " if strength > 0.75 else ""


def _motion(motion: Motion) -> str:
    where = f" to the {motion.direction}" if motion.direction in ("left", "right") else ""
    return f"{_amount(motion.strength)}{_MOTION.get(motion.kind, motion.kind)}{where} ({_WHY[motion.origin]})"


def _line(line: Line, *, heard: bool) -> str:
    who = line.speaker.name or "someone"
    how = f" {_TONE[line.tone]}" if line.tone in _TONE else ""
    lips = f"lips of face {line.face_index + 1} move" if line.face_index >= 0 else "no lips move"
    voice = f"voice {line.voice}" if heard else "not heard"
    return f"Speech: {who} says{how} “{line.text}” in {_LANGUAGE[line.language]}, {voice}, {lips}"


def _cue(cue: Cue) -> str:
    name = "room tone" if cue.kind == "room" else cue.kind
    return f"{_amount(cue.strength)}{name} ({_WHY[cue.origin]})"


def _sound(board: Storyboard) -> str:
    if not board.audio:
        return "none (generate_audio is off)"
    heard = ", ".join(_cue(cue) for cue in board.cues) or ("no ambience" if board.lines or board.music else "silence")
    if board.music is None:
        return f"{heard}; no music"
    style = f" {board.music.style}" if board.music.style else ""
    return f"{heard}; music: {board.music.mood}{style} at {board.music.tempo} bpm ({_WHY[board.music.origin]})"
