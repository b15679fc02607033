"""The parts of a prompt that list what is not wanted: `Negative prompt: …`, `[NEGATIVE] …`, `AVOID: …`, `--no …`,
负面提示词：…, 避免：…, 禁止：…"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vivant.engines.diorama.script.tokens import Token

_HEADING: Final = re.compile(
    r"(?P<part>(?<![a-z])negatives?(?:[ _-]prompts?)?['\"*]{0,3}[ \t]{0,3}[:\]】]"
    r"|(?:负面|反向|负向|否定)(?:提示词?|关键词|词|描述)?[ \t]{0,3}[:\]】])"
    r"|(?P<list>(?<!\S)--no(?=\s)"
    r"|(?<![a-z])(?:avoid|do not|don't|never|do not include|don't include|must not include|exclude|undesired|unwanted)"
    r"['\"*]{0,3}[ \t]{0,3}[:\]】]"
    r"|(?:避免|禁止|禁忌|不要有?|[切请]勿|不要出现|禁止出现|避免出现|不希望出现|禁止项|规避|排除)"
    r"(?:事项|内容|元素)?[ \t]{0,3}[:\]】])"
)
# What ends a part: an empty line, or the heading of another part at the start of a line or in brackets.
_PART_ENDS: Final = re.compile(
    r"\n[ \t]{0,9}\n|\n[ \t]{0,9}(?:[-*#]{1,3}[ \t]{0,3})?[^\W\d][^\n:\[\]【】,.]{0,30}[:\]】]|[\[【]|(?<!\S)--[a-z]"
)
_LIST_ENDS: Final = re.compile(_PART_ENDS.pattern + r"|[.。!?！？](?!\S)|[.。!?！？](?=[\u4e00-\u9fff])|。")


def find_negative(folded: str, tokens: Sequence[Token]) -> frozenset[int]:
    """The tokens of all such parts, headings included. folded: the prompt as it was tokenised."""
    stretches: list[tuple[int, int]] = []
    for match in _HEADING.finditer(folded):
        if stretches and match.start() < stretches[-1][1]:
            continue
        end = (_PART_ENDS if match["part"] else _LIST_ENDS).search(folded, match.end())
        stretches.append((match.start(), end.start() if end else len(folded)))
    inside: set[int] = set()
    index = 0
    for start, stop in stretches:
        while index < len(tokens) and tokens[index].start < stop:
            if tokens[index].start >= start:
                inside.add(index)
            index += 1
    return frozenset(inside)
