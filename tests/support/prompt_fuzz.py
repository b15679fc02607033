"""Prompts that nobody means well, made from a seed, and what planning one must hold: less than three seconds of
processor time, no error, a storyboard that is JSON, a pronunciation of each of its lines.

    make fuzz                 20,000 prompts; COUNT and SEED choose others
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.script import script
from vivant.engines.diorama.script.words import load_lexicon
from vivant.engines.diorama.sound.speech import g2p, voices
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts
from vivant.request import Canvas

LONGEST: Final = 10_000  # characters that the contract accepts
MOST_SECONDS: Final = 3.0  # of processor time for one prompt; a machine of today takes half of it, or less
FACTS: Final = PictureFacts(
    faces=(FaceFact(x=0.5, y=0.4, height=0.3), FaceFact(x=0.2, y=0.4, height=0.3)),
    sky=0.3, sky_trust=0.9, water=0.2, water_trust=0.9, plants=0.2, plants_trust=0.9, fire=0.1, fire_trust=0.9,
)  # fmt: skip
CANVAS: Final = Canvas.of("480p", "16:9", 12)  # the longest clip holds the most speech
CORPUS: Final = Path(__file__).parents[1] / "engines" / "diorama" / "script" / "prompts"

# One or more of every class of characters that the reader or the speaker tells apart.
CLASSES: Final = (
    # letters, digits and other numerals
    "a", "B", "é", "s", "m", "h", "1", "0", "٣", "²", "①", "Ⅷ", "½", "𝒽", "ａ", "１", "ʰ",
    # other scripts
    "我", "一", "他说", "𠀀", "か", "カ", "ㄱ", "한", "д", "α", "א", "ب", "ไ", "अ",
    # what is combined, not seen, not assigned, or does not belong in a text
    "\u0301", "😀", "👨\u200d👩", "🇩🇪", "\u200b", "\u202e", "\ufeff", "\U000e0041", "\ue000", "\U0010ffff", "\u0378",
    "\x07", "\x1b[31m",
    # blanks, quotation marks, brackets
    "\n", " ", "\t", "\u00a0", "\u3000", '"', "'", "“", "”", "‘", "’", "「", "」", "『", "《", "》", "«",
    "(", ")", "[", "]", "{", "}", "<", ">", "（", "）", "【", "】",
    # punctuation and signs
    ".", ",", "!", "?", ":", ";", "…", "-", "–", "—", "~", "_", "*", "#", "`", "|", "/", "\\", "@", "&", "%", "+",
    "=", "^", "$", "¥", "°", "，", "。", "！", "？", "：", "、", "·",
    # what patterns look for
    "->", "=>", "→", "http://", "www.", "a@", ".com", "s-", "0:0", "1-", "1s",
)  # fmt: skip
FRAMES: Final = (
    "{}", 'She says "{}"', "他说：“{}”", "pan left {}", "She says: {}", 'The man whispers: "Hi {} there." He smiles.',
    'a sign reads "{}"', "[{}]", "0-{}s pan left", "女人说“我{}我”", '{"camera": "{}"}', "{} rain {}", "'{}'",
)  # fmt: skip
JOINTS: Final = (
    " ", ", ", ". ", "; ", ": ", "\n", "\n\n", " and ", " then ", "", "，", "。", " - ", " no ", " slowly ", ' "',
)  # fmt: skip
NUMBERS: Final = (
    "0-2s", "3:05", "1.5", "120 bpm", "5'10\"", "2024", "Shot 1:", "镜头2：", "10%", "$5", "第三", "007",
)  # fmt: skip
NUMBER_PARTS: Final = (
    "0", "1", "9", "12", "2024", ":", ".", "-", "–", "/", ",", " ", "  ", "s", "秒", "%", "$", "至", "°", "km", "bpm ",
)  # fmt: skip
PLANES: Final = (0x20, 0x80, 0x300, 0x900, 0x2000, 0x3000, 0xA000, 0xF000, 0x10000, 0x1F000, 0xE0000, 0x100000)


@dataclass(frozen=True, slots=True)
class Checked:
    """One prompt, what it took in seconds of processor time, and what was wrong with it ("" if nothing)."""

    number: int
    kind: str
    prompt: str
    seconds: float
    fault: str


def make_prompt(seed: int, number: int) -> tuple[str, str]:
    """(kind, prompt) number `number` of a seed; at most 10,000 characters, without surrogates."""
    chance = random.Random(f"{seed}/{number}")
    kind, make = KINDS[number % len(KINDS)]
    text = make(chance, number // len(KINDS))[:LONGEST]
    return kind, "".join(c for c in text if not "\ud800" <= c <= "\udfff")


def check_prompt(seed: int, number: int) -> Checked:
    """Plan the prompt twice if it was slow: the first time may have waited for memory."""
    kind, prompt = make_prompt(seed, number)
    taken, fault = [], ""
    for _ in range(2):
        try:
            taken.append(measure_plan(prompt))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            fault = f"{type(error).__name__}: {str(error)[:200]}"
            taken.append(0.0)
        if fault or taken[-1] < MOST_SECONDS:
            break
    if not fault and min(taken) >= MOST_SECONDS:
        fault = f"took {min(taken):.2f} s"
    return Checked(number, kind, prompt, min(taken), fault)


def plan(prompt: str) -> None:
    """All that a prompt costs before a sample is synthesised: the storyboard, told and stored, and its phonemes."""
    board = script.write(prompt, FACTS, canvas=CANVAS, seed=1, audio=True, camera_fixed=False, morph=False)
    json.dumps(board.to_data(), allow_nan=False)
    assert len(board.lines) <= 60, f"{len(board.lines)} lines"
    assert all(len(line) < 2000 for line in explain(board)), "an explanation that nobody reads"
    for line in board.lines:
        g2p.phonemize(line.text, line.language, british=voices.VOICES[line.voice].british)


def measure_plan(prompt: str) -> float:
    """Seconds of processor time that planning takes, without those of a tracer that counts the lines for coverage."""
    tracer = sys.gettrace()
    sys.settrace(None)
    started = time.process_time()
    try:
        plan(prompt)
        return time.process_time() - started
    finally:
        sys.settrace(tracer)


def warm_up() -> None:
    """Load what is loaded once a process."""
    load_lexicon()
    for british in (False, True):
        g2p.phonemize("Hello vexibrant there, 12.", "en", british=british)
    g2p.phonemize("你好，世界。", "zh")


# -- kinds of prompts ------------------------------------------------------------------------------------------------


def _repeat_classes(chance: random.Random, round_: int) -> str:
    """Every class alone, then every pair, then triples; repeated up to the longest prompt, bare or inside words."""
    singles, pairs = len(CLASSES), len(CLASSES) ** 2
    if round_ < singles:
        unit = CLASSES[round_]
    elif round_ < singles + pairs:
        first, second = divmod(round_ - singles, len(CLASSES))
        unit = CLASSES[first] + CLASSES[second]
    else:
        unit = "".join(chance.choices(CLASSES, k=3))
    frame = chance.choice(FRAMES)
    times = chance.choice((60, 1000, LONGEST)) // len(unit)
    return frame.replace("{}", chance.choice(("", "a", "1", "我", "a ")) + unit * times)


def _repeat_phrases(chance: random.Random, round_: int) -> str:
    """One to three phrases of the lexicon and a joint, repeated."""
    unit = "".join(_phrase(chance) + chance.choice(JOINTS) for _ in range(chance.randint(1, 3)))
    return unit * (chance.choice((300, 3000, LONGEST)) // len(unit) + 1)


def _sentences(chance: random.Random, round_: int) -> str:
    """Phrases, joints, quotations, numbers and noise in any order."""
    wanted, text = chance.choice((50, 500, 3000, LONGEST)), ""
    while len(text) < wanted:
        text += chance.choice((_phrase, _phrase, _phrase, _quotation, _number, _noise))(chance) + chance.choice(JOINTS)
    return text


def _mutate(chance: random.Random, round_: int) -> str:
    """A prompt that somebody wrote, damaged, or several in one."""
    text = "\n".join(chance.choices(_corpus(), k=chance.choice((1, 1, 2, 40))))[:LONGEST]
    for _ in range(chance.randint(1, 30)):
        a, b = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        b = min(b, a + chance.choice((1, 5, 60)))
        span = text[a:b]
        change = chance.choice(
            ("", span * 2, span * 100, span.upper(), span[::-1], chance.choice(CLASSES), chance.choice(CLASSES) * 50)
        )
        text = text[:a] + change + text[b:]
    return text


def _marks(chance: random.Random, round_: int) -> str:
    """Quotation marks and brackets, nested or in any order, with a word here and there."""
    marks = "\"“”‘’'「」『』«»《》„〝〞()[]{}<>（）【】"
    few = chance.choices(marks, k=chance.randint(1, 4))
    if chance.random() < 0.5:
        depth = chance.choice((10, 1000, LONGEST // 2))
        return few[0] * depth + chance.choice(("", "a", "我", "pan left")) + few[-1] * depth
    size = chance.choice((40, 1000, 4000))
    return "".join(chance.choice((*few, "a", " ", "man: ", "says ", "，", "\n", "5")) for _ in range(size))


def _numbers(chance: random.Random, round_: int) -> str:
    """Digits and what stands between them: times, ranges, amounts, dates; also thousands of digits."""
    size = chance.choice((8, 60, 600, 4500))
    few = chance.choices(NUMBER_PARTS, k=chance.randint(2, 5))
    text = "".join(chance.choice(few) for _ in range(size))
    return chance.choice(FRAMES).replace("{}", text)


def _json(chance: random.Random, round_: int) -> str:
    """JSON: deep, wide, with long names, long numbers, escapes."""
    kind = chance.randrange(5)
    word = _phrase(chance)
    if kind == 0:
        depth = chance.choice((3, 100, 900, 2400))
        return '{"a":' * depth + json.dumps(word) + "}" * depth
    if kind == 1:
        depth = chance.choice((3, 100, 900, 4900))
        return '{"a":' + "[" * depth + '"pan"' + "]" * depth + "}"
    if kind == 2:
        return json.dumps({chance.choice(CLASSES) * 4000: [word] * 400}, ensure_ascii=False)
    if kind == 3:
        return '{"n": ' + "9" * 5000 + ', "x": 1e999, "s": "\\ud800\\u0000", "camera": ' + json.dumps(word) + "}"
    return json.dumps({f"{_phrase(chance)}": _phrase(chance) for _ in range(200)}, ensure_ascii=chance.random() < 0.5)


def _planes(chance: random.Random, round_: int) -> str:
    """Characters of any plane of Unicode."""
    first = chance.choice(PLANES)
    codes = (first + chance.randrange(0x1000) for _ in range(chance.choice((50, 2000))))
    return chance.choice(FRAMES).replace("{}", "".join(map(chr, codes)))


def _phrase(chance: random.Random) -> str:
    return chance.choice(_phrases()).replace("~", "")


def _quotation(chance: random.Random) -> str:
    words = " ".join(_phrase(chance) for _ in range(chance.choice((1, 3, 40))))
    marks = chance.choice(('""', "“”", "「」", "''", "«»", "《》", '"\n', "“，"))  # the last two stay open
    return marks[0] + words + marks[1]


def _number(chance: random.Random) -> str:
    return chance.choice(NUMBERS)


def _noise(chance: random.Random) -> str:
    return chance.choice(CLASSES) * chance.choice((1, 3, 20))


@cache
def _phrases() -> tuple[str, ...]:
    written = load_lexicon().phrases
    return tuple(sorted({*written["en"], *written["zh"]}))


@cache
def _corpus() -> tuple[str, ...]:
    cases = (tomllib.loads(path.read_text(encoding="utf-8"))["prompt"] for path in sorted(CORPUS.glob("*.toml")))
    return tuple(case["text"] for file in cases for case in file)


KINDS: Final = (
    ("classes", _repeat_classes), ("phrases", _repeat_phrases), ("classes", _repeat_classes), ("sentences", _sentences),
    ("classes", _repeat_classes), ("mutated", _mutate), ("classes", _repeat_classes), ("marks", _marks),
    ("phrases", _repeat_phrases), ("numbers", _numbers), ("json", _json), ("planes", _planes),
)  # fmt: skip


def main(count: int, seed: int) -> int:
    """Check so many prompts, print what was found and the slowest ten. Returns how many failed."""
    warm_up()
    slowest: list[Checked] = []
    kinds: dict[str, list[float]] = {}
    failed = 0
    for checked in (check_prompt(seed, number) for number in range(count)):
        kinds.setdefault(checked.kind, []).append(checked.seconds)
        slowest = sorted((*slowest, checked), key=lambda one: -one.seconds)[:10]
        if checked.fault:
            failed += 1
            sys.stdout.write(f"FAILED {checked.number} {checked.kind}: {checked.fault}: {checked.prompt[:80]!r}\n")
        if checked.number % 1000 == 999:
            sys.stdout.write(f"{checked.number + 1} prompts, {failed} failed\n")
            sys.stdout.flush()
    for kind, seconds in sorted(kinds.items()):
        mean = sum(seconds) / len(seconds)
        sys.stdout.write(f"{kind:10} {len(seconds):6} prompts, longest {max(seconds):.2f} s, mean {mean:.3f} s\n")
    for one in slowest:
        sys.stdout.write(f"{one.seconds:.2f} s  {one.number:6} {one.kind:10} {len(one.prompt):5} {one.prompt[:60]!r}\n")
    sys.stdout.write(f"{count} prompts of seed {seed}: {failed} failed\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("COUNT", "20000")), int(os.environ.get("SEED", "1"))) > 0)
