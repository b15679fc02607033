"""How well prompts that people wrote are understood: a table of what was done, told, missed and invented.

    python -m support.prompt_score FILE.jsonl            a table per category
    python -m support.prompt_score FILE.jsonl -v         and each miss, extra and false note

A line of a file: {id, lang, prompt, source, picture, seconds, tags, expect}; `picture` is none, one, two or crowd (the
faces in it). What becomes of an expected thing: hit (in the storyboard), wrong (there, but another way), noted (a note
quotes its words), silent (neither); extra: in the storyboard, and nobody asked for it. recall = hit/N,
told = (hit + noted)/N, precision = hit/(hit + wrong + extra).
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts
from vivant.request import Canvas


def facts_with(faces: tuple[FaceFact, ...], *, subject: float) -> PictureFacts:
    """Of a picture with these faces and a trusted subject. Sky, water, plants and fire are there, too doubtful to move
    unless the prompt names them, and so is what can shine: the words decide."""
    return PictureFacts(
        faces=faces, subject=subject, subject_trust=0.9, sky=0.2, sky_trust=0.3, water=0.2, water_trust=0.3, plants=0.2,
        plants_trust=0.3, fire=0.1, fire_trust=0.3, brightness=0.3, sun=1.0, lamps=1, windows=100, signs=1,
    )  # fmt: skip


def storyboard_of(prompt: str, picture: str, seconds: int) -> dict[str, Any]:
    """The project's plan for a prompt, in neutral words. The one function that imports the project."""
    places = {"none": (), "one": (0.5,), "two": (0.3, 0.7), "crowd": (0.2, 0.4, 0.6, 0.8)}[picture]  # left to right
    faces = tuple(FaceFact(x=x, y=0.4, height=0.3 if len(places) == 1 else 0.2) for x in places)
    facts = facts_with(faces, subject=0.4 if faces else 0.3)
    canvas = Canvas.of("480p", "16:9", max(4, min(12, seconds)))
    board = write(prompt, facts, canvas=canvas, seed=7, audio=True, camera_fixed=False, morph=False)
    camera = [
        {
            "kind": kind,
            "dir": move.direction,
            "speed": "fast" if move.kind == "whip" else move.speed if move.speed != "normal" else "",
            "asked": move.origin == "prompt",
            "words": move.words,
            "shot": number,
            "from": shot.start / 24,
            "to": shot.end / 24,
        }
        for number, shot in enumerate(board.shots)
        for move in shot.moves
        for kind in _AS_MOVES.get(move.kind, (move.kind,))
    ]
    starts = [one.start for one in board.actions] + [one.start for one in board.lines]
    starts += [one.start for one in board.motions] + [one.start for one in board.cues]
    music = board.music
    return {
        "camera": camera,
        "lights": [light.words for light in board.lights if light.origin == "prompt"],
        "ambient": [{"kind": m.kind, "dir": m.direction} for m in board.motions if m.origin == "prompt"],
        "actions": [
            {"kind": kind, "face": a.face_index, "t": (a.start, a.end)}
            for a in board.actions
            if a.origin == "prompt"
            for kind in [{"raise_brow": "brow", "move_eyes": "eyes_move", "talk": "speak_wordless"}.get(a.kind, a.kind)]
        ],
        "lines": [
            {
                "text": line.text,
                "who": line.speaker.name,
                "gender": line.speaker.gender,
                "age": line.speaker.age,
                "tone": line.tone,
                "lang": line.language,
                "off": line.speaker.off_screen,
                "face": line.face_index,
            }
            for line in board.lines
        ],
        "tone_faces": sorted(
            {  # a line's tone moves the face as well
                line.face_index
                for line in board.lines
                if line.face_index >= 0
                for face in {
                    "happy": ["smile"],
                    "excited": ["smile"],
                    "gentle": ["smile"],
                    "sad": ["sad"],
                    "angry": ["angry"],
                }.get(line.tone, [])
            }
        ),
        "sounds": [c.kind for c in board.cues if c.origin == "prompt"],
        "music": None
        if music is None
        else {"mood": music.mood, "style": music.style, "asked": music.origin == "prompt"},
        "cuts": sum(shot.cut for shot in board.shots),
        "timed_events": len(board.shots) > 1 or any(start is not None for start in starts),
        "notes": list(board.notes),
        # What the engine can express at all; the rest is only ever noted or silent.
        "face_actions": {
            "smile",
            "smirk",
            "laugh",
            "frown",
            "sad",
            "cry",
            "angry",
            "fear",
            "disgust",
            "surprise",
            "raise_brow",
            "brow",
            "squint",
            "pout",
            "nod",
            "shake_head",
            "tilt_head",
            "turn_head",
            "look_left",
            "look_right",
            "look_up",
            "look_down",
            "look_away",
            "look_camera",
            "move_eyes",
            "eyes_move",
            "blink",
            "wink",
            "close_eyes",
            "open_eyes",
            "breathe",
            "sigh",
            "yawn",
            "chew",
            "sing",
            "talk",
            "speak_wordless",
            "sway",
        },
        "ambient_kinds": {
            "rain",
            "snow",
            "water",
            "falls",
            "clouds",
            "wind",
            "fire",
            "smoke",
            "fog",
            "lightning",
            "leaves",
            "petals",
            "dust",
            "sparks",
            "fireflies",
            "bubbles",
            "heat",
        },
        "sound_kinds": {
            "rain",
            "wind",
            "waves",
            "stream",
            "waterfall",
            "fire",
            "birds",
            "crickets",
            "crowd",
            "traffic",
            "thunder",
            "footsteps",
            "room",
        },
    }


# Moves that the annotators, who knew none of their own for them, wrote as others.
_AS_MOVES = {"whip": ("pan",), "dolly_zoom": ("dolly", "zoom")}
FOLLOW = {"dolly", "truck", "pan", "zoom"}  # what a flat engine may do for "the camera follows"
IMPLIED_SOUND = {
    "rain": {"rain"},
    "water": {"waves", "stream"},
    "falls": {"waterfall", "stream"},
    "wind": {"wind"},
    "fire": {"fire"},
    "lightning": {"thunder", "rain"},
    "snow": {"wind"},
    "leaves": {"wind"},
    "petals": {"wind"},
    "dust": {"wind"},
    "sparks": {"fire"},
    "clouds": {"wind"},
}
IMPLIED_MOTION = {
    "rain": {"rain"},
    "waves": {"water"},
    "stream": {"water"},
    "waterfall": {"falls"},
    "wind": {"wind"},
    "fire": {"fire"},
    "thunder": {"lightning"},
}
QUOTED = re.compile(r"“([^”]*)”")
WORDLESS = "speak_wordless"


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def spans(text: str, words: str) -> list[tuple[int, int]]:
    return [(m.start(), m.end()) for m in re.finditer(re.escape(words.lower()), text.lower())] if words else []


def noted(prompt: str, words: str, notes: list[str]) -> str:
    """The note that quotes words of the prompt overlapping `words`, if any."""
    wanted = spans(prompt, words)
    for note in notes:
        for phrase in QUOTED.findall(note):
            for a, b in spans(prompt, phrase):
                if any(a < d and c < b for c, d in wanted):
                    return note
    return ""


def general(notes: list[str], pattern: str) -> str:
    return next((note for note in notes if re.search(pattern, note)), "")


class Score:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(
        self, case: dict[str, Any], category: str, outcome: str, what: str, words: str = "", detail: str = ""
    ) -> None:
        self.rows.append(
            {
                "id": case["id"],
                "lang": case["lang"],
                "tags": case.get("tags", []),
                "category": category,
                "outcome": outcome,
                "what": what,
                "words": words,
                "detail": detail,
            }
        )


def score_case(case: Any, board: Any, score: Any) -> None:
    prompt, want, notes = case["prompt"], case["expect"], board["notes"]
    ok = {key: set(value) if isinstance(value, list) else value for key, value in want.get("ok", {}).items()}
    _camera(case, prompt, want, board, ok, score)
    _actions(case, prompt, want, board, ok, score)
    _ambient(case, prompt, want, board, ok, score)
    _lines(case, prompt, want, board, ok, score)
    _sounds(case, prompt, want, board, ok, score)
    _music(case, want, board, ok, score)
    for words in want["cuts"]:
        told = noted(prompt, words, notes) or general(notes, r"\bcuts?\b|one take|one view")
        score.add(case, "cuts", "hit" if board["cuts"] else "noted" if told else "silent", "cut", words)
    for item in want["other"]:
        done = noted(prompt, item["w"], [f"“{words}”" for words in board["lights"]])
        told = noted(prompt, item["w"], notes)
        score.add(case, "other", "hit" if done else "noted" if told else "silent", item["kind"][0], item["w"])
    _refusals(case, prompt, want, board, score)


def _camera(case: Any, prompt: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    asked = [m for m in board["camera"] if m["asked"]]
    used: set[int] = set()
    hits = []
    for item in want["camera"]:
        kinds = set(item["kind"])
        if "follow" in kinds:
            kinds |= FOLLOW
        of_kind = [i for i, m in enumerate(asked) if i not in used and m["kind"] in kinds]
        fitting = [i for i in of_kind if not item["dir"] or asked[i]["dir"] in item["dir"]]
        what = " ".join(["/".join(item["kind"]), "/".join(item["dir"]), item["speed"]]).strip()
        if fitting:
            index = fitting[0]
            used.add(index)
            hits.append((item, asked[index]))
            score.add(case, "camera", "hit", what, item["w"])
            if item["speed"]:
                right = asked[index]["speed"] == item["speed"]
                score.add(
                    case,
                    "camera speed",
                    "hit" if right else "silent",
                    what,
                    item["w"],
                    asked[index]["speed"] or "normal",
                )
        elif of_kind:
            used.add(of_kind[0])
            score.add(case, "camera", "wrong", what, item["w"], asked[of_kind[0]]["dir"])
        else:
            told = noted(prompt, item["w"], board["notes"]) or (
                general(board["notes"], r"camera moves in turn") if len(want["camera"]) > 2 else ""
            )
            if "static" in kinds:
                told = told or general(board["notes"], r"still camera")
            score.add(case, "camera", "noted" if told else "silent", what, item["w"])
    for index, move in enumerate(asked):
        if index not in used and move["kind"] not in ok.get("cam", ()):
            score.add(case, "camera", "extra", f"{move['kind']} {move['dir']}".strip(), move["words"])
    if len(hits) > 1:
        order = [move["shot"] for _, move in hits]
        score.add(case, "camera order", "hit" if order == sorted(order) else "silent", str(order))
    numbers = [float(n) for words in want["timed"] for n in re.findall(r"\d+(?:\.\d+)?", words.replace("00:", ""))]
    scale = min(1.0, case["seconds"] / max(numbers)) if numbers else 1.0
    for item, move in hits:
        if "t" in item:
            a, b = (t * scale for t in item["t"])
            common = min(b, move["to"]) - max(a, move["from"])
            right = common > 0.6 * max(b - a, move["to"] - move["from"])
            score.add(
                case,
                "camera time",
                "hit" if right else "silent",
                f"{a:.1f}-{b:.1f}",
                item["w"],
                f"{move['from']:.1f}-{move['to']:.1f}",
            )
    labels = sorted((prompt.index(words), words) for words in want["timed"])
    kept = {
        row["words"]
        for row in score.rows
        if row["id"] == case["id"] and row["category"] == "camera time" and row["outcome"] == "hit"
    }
    obeyed = (
        {max((at, label) for at, label in labels if at <= prompt.index(words) + len(words)) for words in kept}
        if labels
        else set()
    )
    for at, words in labels:  # a label whose camera move got its time counts as obeyed
        told = noted(prompt, words, board["notes"])
        hit = board["timed_events"] or (at, words) in obeyed
        score.add(case, "time labels", "hit" if hit else "noted" if told else "silent", "time", words)


def _actions(case: Any, prompt: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    found = {a["kind"] for a in board["actions"]}
    wanted: set[str] = set()
    for item in want["actions"]:
        kinds = set(item["kind"])
        wanted |= kinds
        can = bool(kinds & board["face_actions"]) and case["picture"] != "none"
        category = "face actions" if can else "body actions"
        if kinds & (found | set(board["tone_faces"])):
            score.add(case, category, "hit", item["kind"][0], item["w"])
        else:
            told = noted(prompt, item["w"], board["notes"])
            if WORDLESS in kinds:
                told = told or general(board["notes"], r"no words to say")
            score.add(case, category, "noted" if told else "silent", item["kind"][0], item["w"])
    for kind in sorted(found - wanted - ok.get("act", set())):
        score.add(case, "face actions", "extra", kind)


def _ambient(case: Any, prompt: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    found = {m["kind"]: m["dir"] for m in board["ambient"]}
    wanted: set[str] = set()
    for item in want["ambient"]:
        kinds = [k.split() for k in item["kind"]]
        names = {k[0] for k in kinds}
        wanted |= names
        way = next((k[1] for k in kinds if len(k) > 1), "")
        there = sorted(names & set(found))
        if there:
            right = not way or found[there[0]] == way
            score.add(case, "ambient", "hit" if right else "wrong", item["kind"][0], item["w"], found[there[0]])
        else:
            told = noted(prompt, item["w"], board["notes"])
            score.add(case, "ambient", "noted" if told else "silent", item["kind"][0], item["w"])
    allowed = wanted | ok.get("amb", set())
    for item in want["sounds"]:
        for kind in item["kind"]:
            allowed |= IMPLIED_MOTION.get(kind, set())
    for kind in sorted(set(found) - allowed):
        score.add(case, "ambient", "extra", kind)


def _lines(case: Any, prompt: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    left = list(board["lines"])
    for item in want["lines"]:
        best: Any = max(left, key=lambda line: _alike(line["text"], item["text"]), default=None)
        likeness = _alike(best["text"], item["text"]) if best else 0.0
        if likeness < 0.55:
            told = noted(prompt, item["text"], board["notes"]) or general(board["notes"], re.escape(item["text"][:12]))
            score.add(case, "lines", "noted" if told else "silent", item["text"][:40], item["text"])
            continue
        left.remove(best)
        score.add(
            case, "lines", "hit" if likeness > 0.9 else "wrong", item["text"][:40], item["text"], best["text"][:60]
        )
        for key in ("gender", "age"):
            if item[key]:
                score.add(
                    case,
                    f"line {key}",
                    "hit" if best[key] == item[key] else "silent",
                    item[key],
                    item["who"],
                    f"{best['who']}: {best[key]}",
                )
        if item["tone"]:
            score.add(
                case,
                "line tone",
                "hit" if best["tone"] in item["tone"] else "silent",
                "/".join(item["tone"]),
                item["who"],
                best["tone"],
            )
        if item["lang"] in ("en", "zh"):
            score.add(
                case,
                "line language",
                "hit" if best["lang"] == item["lang"] else "silent",
                item["lang"],
                item["text"][:30],
                best["lang"],
            )
        score.add(
            case,
            "line on/off screen",
            "hit" if best["off"] == item["off"] else "silent",
            "off" if item["off"] else "on",
            item["who"],
            best["who"],
        )
        if item["who"]:
            right = _same_person(best["who"], item["who"].split("/"))
            score.add(
                case,
                "line speaker",
                "hit" if right else "wrong" if best["who"] else "silent",
                item["who"],
                item["who"],
                best["who"],
            )
        if item["face"]:
            right = best["face"] == {"left": 0, "right": 1}[item["face"]]
            score.add(case, "line face", "hit" if right else "silent", item["face"], item["who"], str(best["face"]))
    for line in left:
        if not any(_alike(line["text"], text) > 0.8 for text in ok.get("say", ())):
            score.add(case, "lines", "extra", line["text"][:60], line["text"])


def _same_person(name: str, wanted: list[str]) -> bool:
    """ "the joyful young woman" is "young woman"; "小女孩" is "女孩"; an empty or another name is nobody wanted."""
    for want in wanted:
        if re.search(r"[\u4e00-\u9fff]", want + name):
            if name and (name in want or want in name):
                return True
        else:
            a, b = (set(text.lower().split()) - {"the", "a", "an"} for text in (name, want))
            if a and b and (a <= b or b <= a):
                return True
    return False


def _alike(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, plain(a), plain(b), autojunk=False).ratio()


def _sounds(case: Any, prompt: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    found = set(board["sounds"])
    allowed = {"room"} | ok.get("snd", set())
    for item in want["sounds"]:
        kinds = set(item["kind"])
        allowed |= kinds
        can = kinds & board["sound_kinds"]
        category = "sounds it has" if can else "sounds it lacks"
        if kinds & found:
            score.add(case, category, "hit", item["kind"][0], item["w"])
        else:
            told = noted(prompt, item["w"], board["notes"])
            score.add(case, category, "noted" if told else "silent", item["kind"][0], item["w"])
    for item in want["ambient"]:
        for kind in item["kind"]:
            allowed |= IMPLIED_SOUND.get(kind.split()[0], set())
    for kind in ok.get("amb", set()):
        allowed |= IMPLIED_SOUND.get(kind, set())
    for kind in sorted(found - allowed):
        score.add(case, "sounds it has", "extra", kind)


def _music(case: Any, want: Any, board: Any, ok: Any, score: Any) -> None:
    music, item = board["music"], want["music"]
    if item is None:
        if music and music["asked"] and not ok.get("mus"):
            score.add(case, "music", "extra", f"{music['mood']} {music['style']}".strip())
        return
    if item["none"]:
        score.add(case, "music", "hit" if music is None else "wrong", "none", item["w"])
        return
    heard = music is not None and music["asked"]
    score.add(case, "music", "hit" if heard else "silent", "music", item["w"])
    if heard and item["mood"]:
        score.add(
            case,
            "music mood",
            "hit" if music["mood"] in item["mood"] else "silent",
            "/".join(item["mood"]),
            item["w"],
            music["mood"],
        )
    if heard and item["style"]:
        score.add(
            case,
            "music style",
            "hit" if music["style"] in item["style"] else "silent",
            "/".join(item["style"]),
            item["w"],
            music["style"],
        )


def _refusals(case: Any, prompt: Any, want: Any, board: Any, score: Any) -> None:
    """What must not happen: done all the same (wrong), or noted as a wish that cannot be met (false note)."""
    moves = {m["kind"] for m in board["camera"] if m["asked"]}
    expected_moves = {kind for item in want["camera"] for kind in item["kind"]} | (
        FOLLOW if any("follow" in item["kind"] for item in want["camera"]) else set()
    )
    motions = {m["kind"] for m in board["ambient"]} - {k.split()[0] for i in want["ambient"] for k in i["kind"]}
    actions = {a["kind"] for a in board["actions"]} - {k for i in want["actions"] for k in i["kind"]}
    expected_lines = [item["text"] for item in want["lines"]]
    for item in want["not"]:
        kind, words = item["kind"][0], item["w"]
        broken = False
        if kind == "music":
            broken = board["music"] is not None
        elif kind.startswith("speech"):
            inside = re.findall(r"[\"“'「]([^\"”'」]+)[\"”'」]", words)
            lines = [line for line in board["lines"] if not any(_alike(line["text"], t) > 0.55 for t in expected_lines)]
            broken = any(
                not inside or any(plain(q) and plain(q) in plain(line["text"]) for q in inside) for line in lines
            )
        elif kind == "camera":
            broken = bool(moves - {"static"})
        elif kind in ("zoom", "pan", "tilt", "truck", "roll", "handheld", "pedestal", "dolly"):
            broken = kind in moves and kind not in expected_moves
        elif kind == "sounds":
            broken = bool(board["sounds"]) or board["music"] is not None
        else:
            broken = kind in motions or kind in actions
        false_note = noted(prompt, words, [note for note in board["notes"] if "not as speech" not in note])
        if kind == "speech_note":
            false_note = general(board["notes"], r"no words to say")
        score.add(
            case, "must not", "wrong" if broken else "false note" if false_note else "hit", kind, words, false_note
        )


def print_table(rows: list[dict[str, Any]], title: str) -> None:
    order = [
        "camera",
        "camera speed",
        "camera order",
        "camera time",
        "face actions",
        "body actions",
        "ambient",
        "lines",
        "line speaker",
        "line gender",
        "line age",
        "line tone",
        "line language",
        "line on/off screen",
        "line face",
        "sounds it has",
        "sounds it lacks",
        "music",
        "music mood",
        "music style",
        "cuts",
        "time labels",
        "other",
        "must not",
    ]
    print(
        f"\n{title}\n{'category':22}{'N':>5}{'hit':>6}{'wrong':>7}{'noted':>7}{'silent':>8}{'extra':>7}{'recall':>9}{'told':>7}{'precision':>11}"
    )
    total: Counter[str] = Counter()
    for category in order:
        mine = Counter(row["outcome"] for row in rows if row["category"] == category)
        if not mine:
            continue
        mine["noted"] += mine.pop("false note", 0) if category == "must not" else 0
        n = sum(mine.values()) - mine["extra"]
        if category in (
            "camera",
            "face actions",
            "body actions",
            "ambient",
            "lines",
            "sounds it has",
            "sounds it lacks",
            "music",
            "cuts",
            "other",
        ):
            total += mine
        made = mine["hit"] + mine["wrong"] + mine["extra"]
        told = mine["hit"] + (mine["noted"] if category != "must not" else 0)
        print(
            f"{category:22}{n:5}{mine['hit']:6}{mine['wrong']:7}{mine['noted']:7}{mine['silent']:8}{mine['extra']:7}"
            f"{_share(mine['hit'], n):>9}{_share(told, n):>7}{_share(mine['hit'], made):>11}"
        )
    n = sum(total.values()) - total["extra"]
    made = total["hit"] + total["wrong"] + total["extra"]
    print(
        f"{'ALL THINGS ASKED':22}{n:5}{total['hit']:6}{total['wrong']:7}{total['noted']:7}{total['silent']:8}"
        f"{total['extra']:7}"
        f"{_share(total['hit'], n):>9}{_share(total['hit'] + total['noted'], n):>7}{_share(total['hit'], made):>11}"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    lines = [line for path in arguments.files for line in path.read_text(encoding="utf-8").splitlines()]
    cases = [json.loads(line) for line in lines if line.strip()]
    score, clean = Score(), 0
    for case in cases:
        board = storyboard_of(case["prompt"], case["picture"], case["seconds"])
        before = len(score.rows)
        score_case(case, board, score)
        bad = [row for row in score.rows[before:] if row["outcome"] not in ("hit", "noted")]
        clean += not bad
        if arguments.verbose:
            print(f"\n## {case['id']} [{case['picture']}, {case['seconds']} s] {case['prompt']}")
            for row in bad:
                told = f"{row['outcome']:10} {row['category']:18} {row['what']}  «{row['words']}»  {row['detail']}"
                print(f"   {told}")
            for note in board["notes"]:
                print(f"   note: {note}")
    print_table(score.rows, f"{len(cases)} prompts, {clean} with nothing missed, invented or silently dropped")


if __name__ == "__main__":
    main()
