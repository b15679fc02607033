"""Every regular expression that sees a caller's text takes a time that grows with the length of the text, not with its
square: each is tried on long runs of every class of characters and of the characters that it is made of.
"""

from __future__ import annotations

import ast
import re
import time
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from support.paths import SOURCE
from support.prompt_fuzz import CLASSES
from vivant.engines.diorama.storyboard import LONGEST_LINE

# Folders and files whose patterns see a caller's text, and how much of it at once (characters).
SEEN: Final = {
    "engines/diorama/script": 20_000,
    "engines/diorama/sound/speech": LONGEST_LINE,
    "api": 20_000,
    "intake": 2_000,  # heads of data URIs, names of hosts
    "request.py": 20_000,
    "task.py": 2_000,
}
# What takes less than this is not looked at: seconds of processor time, of which a quadratic pattern takes more than
# twice as much on 20,000 characters. A line is short enough for a square, not for a third power.
QUICK, QUICK_FOR_A_LINE = 0.05, 0.2
# On four times the characters a linear pattern takes 4 times as long, a quadratic 16 and a cubic 64 times, on a fast
# machine and on a slow one.
MOST_GROWTH, MOST_GROWTH_OF_A_LINE = 8.0, 32.0
NOT_SEEN: Final = {"engines/diorama/script/words.py"}  # it reads the lexicon
FUNCTIONS: Final = frozenset({"compile", "sub", "search", "match", "findall", "finditer", "split", "fullmatch"})


def patterns() -> list[tuple[str, int, re.Pattern[str]]]:
    """(place, characters, pattern) of each call of `re` whose pattern is a literal."""
    found = []
    for name, longest in SEEN.items():
        top = SOURCE / name
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and isinstance(call.func.value, ast.Name)
                    and (call.func.value.id, call.func.attr in FUNCTIONS) == ("re", True)
                    and isinstance(call.args[0], ast.Constant)
                ):
                    text = call.args[0].value
                    text = text.decode("latin-1") if isinstance(text, bytes) else str(text)
                    found.append((f"{_place(path)}:{call.lineno}", longest, re.compile(text, re.IGNORECASE)))
    return [one for one in found if one[0].partition(":")[0] not in NOT_SEEN]


def _place(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def pumped(pattern: re.Pattern[str], longest: int) -> list[str]:
    """Runs of every class of characters, and of every pair of the characters that the pattern is made of."""
    # Without escapes (\\d, \\s) the letters of a pattern are letters it looks for.
    own = [*sorted(set(re.sub(r"\\.|[][(){}?+*|^$]", "", pattern.pattern)))[:12], "1", " ", "a"]
    units = [*CLASSES, *("".join(pair) for pair in product(own, own))]
    return [(unit * longest)[: longest - 1] + "\0" for unit in units]


@pytest.mark.parametrize(("place", "longest", "pattern"), [pytest.param(*one, id=one[0]) for one in patterns()])
def test_a_pattern_takes_a_linear_time_on_every_run_of_characters(
    place: str, longest: int, pattern: re.Pattern[str]
) -> None:
    line = longest == LONGEST_LINE
    quick, most = (QUICK_FOR_A_LINE, MOST_GROWTH_OF_A_LINE) if line else (QUICK, MOST_GROWTH)
    for text, quarter in zip(pumped(pattern, longest), pumped(pattern, longest // 4), strict=True):
        taken = _cpu_seconds(pattern, text)
        if taken > quick:
            grew = min(taken, _cpu_seconds(pattern, text)) / min(_cpu_seconds(pattern, quarter) for _ in range(3))
            assert grew < most, f"{place} took {grew:.0f} times as long on {len(text)} characters of {text[:8]!r}"


def _cpu_seconds(pattern: re.Pattern[str], text: str) -> float:
    started = time.process_time()
    pattern.sub("", text)
    return time.process_time() - started


@pytest.mark.parametrize(
    ("wrong", "longest"), [(r"\s*\n\s*", 20_000), (r"-+>", 20_000), (r"\d+\s*x", 4_000), (r"(a+)+b", 24)]
)
def test_a_pattern_that_is_not_linear_does_not_pass(wrong: str, longest: int) -> None:
    with pytest.raises(AssertionError, match="took"):
        test_a_pattern_takes_a_linear_time_on_every_run_of_characters(wrong, longest, re.compile(wrong))
