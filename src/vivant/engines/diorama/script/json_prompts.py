"""Turns a prompt written as JSON, as some tools do, into plain lines `name: value`, and a list of shots into numbered
shots."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_LONGEST: Final = 20_000  # characters; a longer text is read as it stands
_MOST: Final = 20_000  # characters of all lines together: a long name is repeated for every value of its list
# Names of a list of shots, and of what tells the number, the time and the length of one.
_SHOTS: Final = frozenset(
    ["shots", "scenes", "segments", "timeline", "beats", "shot list", "shotlist", "sequence", "clips", "storyboard",
     "镜头", "分镜", "镜头列表", "分镜列表", "分镜头", "场景列表"]
)  # fmt: skip
_NUMBERS: Final = frozenset(
    ["shot", "id", "shot number", "shot id", "scene number", "scene id", "index", "number", "序号", "镜号"]
)
_TIMES: Final = ("time", "timestamp", "timing", "time range", "timecode", "时间")
_LENGTHS: Final = ("duration", "duration seconds", "duration sec", "length", "时长")
# Names of who speaks, and of what is said.
_SPEAKERS: Final = ("speaker", "character", "who", "说话人", "角色", "人物")
_LINES: Final = ("line", "dialogue", "dialog", "text", "speech", "says", "台词", "对白")
_TONES: Final = ("delivery", "tone", "emotion", "voice tone", "mood", "语气", "情绪", "声音")
_LONGEST_NAME: Final = 80  # characters
_PAIR: Final = re.compile(r'"([^"\n]{1,80})"\s{0,9}[:：]\s{0,9}(?:"((?:[^"\\]|\\.)*)"|(?=[\[{]|null|true|false|-?\d))')
_FEWEST_PAIRS: Final = 3


def flatten_json(prompt: str) -> str:
    """The prompt, unless it is one JSON object: then its leaves in order, one line each, at most 20,000 characters."""
    text = prompt.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _LONGEST:
        return prompt
    try:
        data = json.loads(text, strict=False)  # line breaks inside strings are common
    except (ValueError, RecursionError):  # no JSON, an integer of thousands of digits, or nested thousandfold
        return _flatten_broken(text) or prompt
    return "\n".join(_leaves(data)) or prompt


def _flatten_broken(text: str) -> str:
    """The pairs of a name and a text in what was meant as JSON and is none (a comma is missing), one line each; ""
    where there are hardly any."""
    pairs = [(match[1].replace("_", " "), match[2] or "") for match in _PAIR.finditer(text)]
    lines = [f"{name}: {value}" for name, value in pairs if value.strip()]
    return "\n".join(lines) if len(pairs) >= _FEWEST_PAIRS else ""


def _leaves(data: Any) -> list[str]:
    lines: list[str] = []
    room = _MOST
    waiting: list[tuple[str, Any]] = [("", data)]  # a list and not a recursion, however deep the data are nested
    while waiting and room > 0:
        name, value = waiting.pop()
        if isinstance(value, dict):
            value = _with_speaker(value)
            named = [(str(key).replace("_", " ")[:_LONGEST_NAME], inner) for key, inner in value.items()]
            waiting += reversed(named)
        elif isinstance(value, list):
            if name.lower() in _SHOTS and all(isinstance(inner, dict) for inner in value):
                value = [_with_heading(number, shot) for number, shot in enumerate(value, start=1)]
                name = ""
            waiting += [(name, inner) for inner in reversed(value)]
        elif isinstance(value, str):
            lines.append((f"{name}: {value}" if name.strip() else value)[:room])
            room -= len(lines[-1])
    return lines


def _with_speaker(data: dict[str, Any]) -> dict[str, Any]:
    """The object with its speaker and its words joined as a label and a quotation, where it has one of each."""
    names = {key.lower().replace("_", " "): key for key in data}
    speaker = next((names[name] for name in _SPEAKERS if name in names), None)
    words = next((names[name] for name in _LINES if name in names), None)
    if speaker is None or words is None or not isinstance(data[speaker], str) or not isinstance(data[words], str):
        return data
    said = data[words].strip().strip('"“”')
    tone = next((names[name] for name in _TONES if name in names and isinstance(data[names[name]], str)), None)
    rest = {key: value for key, value in data.items() if key not in (speaker, words, tone)}
    how = f" ({data[tone]})" if tone else ""
    return {**rest, " ": f"{data[speaker]}{how}: “{said}”"} if said else rest  # another blank name than a heading has


def _with_heading(number: int, shot: dict[str, Any]) -> dict[str, Any]:
    """The shot without its number and times, after a line that tells them as a numbered shot of a prompt does."""
    told = {key.lower().replace("_", " "): value for key, value in shot.items() if not isinstance(value, dict | list)}
    times = [str(told[key]) for key in _TIMES if key in told]
    if not times and "start" in told and "end" in told:
        times = [f"{told['start']}-{told['end']}"]
    if not times:
        times = [str(told[key]) for key in _LENGTHS if key in told]
    time = times[0].strip()[:_LONGEST_NAME] if times else ""
    if time and time[-1].isdigit() and ":" not in time:
        time += "s"
    unused = {*_NUMBERS, *_TIMES, *_LENGTHS, "start", "end"}
    rest = {key: value for key, value in shot.items() if key.lower().replace("_", " ") not in unused}
    return {"": f"Shot {number} ({time}):" if time else f"Shot {number}:", **rest}
