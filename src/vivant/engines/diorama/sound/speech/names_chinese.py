"""Readings of characters in Chinese names: 曾 is zēng as a family name, 行 is háng in 闵行.

Which characters are a name is decided from the words around them, by rules of which each needs a clear sign; without
one the usual reading stays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Final

from vivant.engines.diorama import words_chinese

_TITLES: Final = (
    "先生", "女士", "小姐", "太太", "夫人", "老师", "同学", "医生", "大夫", "护士", "教授", "经理", "总监", "主任",
    "队长", "老板", "师傅", "局长", "校长", "院长", "处长", "科长", "部长", "市长", "省长", "县长", "村长", "班长",
    "团长", "书记", "主席", "总统", "博士", "律师", "导演", "将军", "公子", "姑娘", "大人", "大哥", "大姐", "大爷",
    "大妈", "大叔", "阿姨", "奶奶", "爷爷", "叔叔", "警官", "法官", "同志", "家人", "家军", "会长", "董事长",
    "工程师", "教练", "法师", "道长", "掌柜", "总", "某", "氏", "哥", "姐", "叔", "姨", "伯", "爷", "嫂", "董", "工",
    "府",
)  # fmt: skip
# Given names as often as family names: 小燕, 华哥.
_GIVEN_TOO: Final = frozenset("华乐燕")
_DISTRICT_OFFICES: Final = ("书记", "主任", "局长", "部长", "院长", "法官", "会长", "主席", "总", "工", "府")  # 区书记
# After the first of these words a full name follows, after the others one may.
_CALLED: Final = ("叫", "叫做", "名叫", "名为")
_ADDRESSED: Final = ("是", "找", "请", "请问", "和", "跟", "与", "给", "对", "向", "问")
_FAMILIAR: Final = "老小阿"
_AFTER_NAME: Final = "的和与跟是在来去说吗吧呢啊呀了就也很不有会要笑哭喊道问想从把被，。"
_SUFFIXES: Final = (
    "省", "市", "区", "县", "镇", "乡", "村", "路", "街", "站", "港", "湾", "人", "话", "新区", "地区", "机场",
    "大学", "火车站", "山", "江", "河", "湖", "岛", "城", "西站", "东站", "北站", "南站", "自治州", "自治县",
)  # fmt: skip


def find_readings(words: list[str]) -> dict[int, str]:
    """Place of a character in the joined `words` -> its pinyin ("zeng1"), for characters that are part of a name.

    words: those of a run of Chinese characters, as `words_chinese.segment` cuts them.
    """
    text = "".join(words)
    starts, word_at = {0}, {}
    at = 0
    for word in words:
        word_at[at] = word
        at += len(word)
        starts.add(at)
    found: dict[int, str] = {}
    for at, spelled in _find_surnames(text, starts, word_at):
        found[at] = spelled
    for at, syllables in _find_listed(text, starts):
        found.update(enumerate(syllables, start=at))
    return found


def _find_listed(text: str, starts: set[int]) -> Iterator[tuple[int, list[str]]]:
    """Listed names that begin a word and end one, or are followed by 市, 人 or the like."""
    names, longest, firsts = _listed()
    at = 0
    while at < len(text):
        size = 0
        if text[at] in firsts and at in starts:
            for size in range(min(longest, len(text) - at), 1, -1):
                syllables = names.get(text[at : at + size])
                if syllables and (
                    at + size in starts
                    or any(text.startswith(s, at + size) and at + size + len(s) in starts for s in _SUFFIXES)
                    or text[at : at + size] in _tables()["double_surnames"]
                ):
                    yield at, syllables
                    break
            else:
                size = 0
        at += size or 1


def _find_surnames(text: str, starts: set[int], word_at: dict[int, str]) -> Iterator[tuple[int, str]]:
    surnames, rare = _tables()["surnames"], _tables()["rare_surnames"]
    for at, character in enumerate(text):
        if text.endswith("姓", 0, at) and character in surnames | rare:  # 我姓单
            yield at, (surnames | rare)[character]
        elif character in surnames and any(rule(text, at, starts, word_at) for rule in _RULES):
            yield at, surnames[character]


def _is_before_title(text: str, at: int, starts: set[int], word_at: dict[int, str]) -> bool:
    """曾先生, 任建国老师."""
    if at not in starts:
        return False
    title = next((t for t in _TITLES if text.startswith(t, at + 1) and at + 1 + len(t) in starts), "")
    if (len(title) == 1 and text[at] in _GIVEN_TOO) or (text[at] == "区" and title in _DISTRICT_OFFICES):
        return False
    if title:
        return not (len(word_at.get(at, "")) > 1 and _is_word(word_at[at]))
    return any(text.startswith(t, at + 3) and at + 3 + len(t) in starts for t in _TITLES if len(t) > 1) and (
        _is_given_name(text[at + 1 : at + 3]) and at + 3 in starts
    )


def _is_familiar(text: str, at: int, starts: set[int], word_at: dict[int, str]) -> bool:
    """小单, 老任: not 老区 or 小区, which are words."""
    return (
        at > 0
        and text[at] not in _GIVEN_TOO
        and text[at - 1] in _FAMILIAR
        and at - 1 in starts
        and not _is_word(text[at - 1 : at + 1], often=10)
        and at + 1 in starts
    )


def _is_full_name(text: str, at: int, starts: set[int], word_at: dict[int, str]) -> bool:
    """A word of three characters that is no other word: 查良镛."""
    word = word_at.get(at, "")
    return len(word) == 3 and not _is_word(word) and not _is_word(word[:2]) and _is_given_name(word[1:])


def _is_called(text: str, at: int, starts: set[int], word_at: dict[int, str]) -> bool:
    """他叫任建国: a family name and a given name after a word like 叫, up to the end of the clause."""
    called = text.endswith(_CALLED, 0, at)
    if not (called or (at in starts and (at == 0 or text.endswith(_ADDRESSED, 0, at)))):
        return False
    if _is_word(text[at - 1 : at + 1]) or _is_word(text[at : at + 2]):
        return False
    for end in (at + 3, at + 2):
        if end not in starts or end > len(text) or _is_word(text[at:end]):
            continue
        if end < len(text) and text[end] not in _AFTER_NAME:
            continue
        return called or (end == at + 3 and _is_given_name(text[at + 1 : end]))
    return False


_RULES: Final[tuple[Callable[[str, int, set[int], dict[int, str]], bool], ...]] = (
    _is_before_title,
    _is_familiar,
    _is_full_name,
    _is_called,
)


def _is_given_name(characters: str) -> bool:
    """Two characters that may be a given name: no word of the dictionary, one that names are made of, or twice one."""
    if len(set(characters)) == 1:
        return True
    return not _is_word(characters) or words_chinese.is_name(characters) or characters in _GIVEN


# Given names that are words as well.
_GIVEN: Final = frozenset(
    {
        "建国", "建军", "建华", "国庆", "和平", "胜利", "向东", "卫东", "志强", "志刚", "永远", "光明", "文明",
        "小红", "小明", "小华", "丽丽", "美丽", "晓明", "海燕", "春天", "春花", "秋月", "明月", "思念", "天真",
        "自强", "立新", "解放", "长江", "黄河", "中华", "大明", "大伟", "雪梅", "红梅", "冬梅", "玉兰", "牡丹",
        "芙蓉", "小龙", "小虎", "大海", "海涛", "云飞", "天明", "文静", "安静",
    }
)  # fmt: skip


def _is_word(characters: str, *, often: int = 1) -> bool:
    """Whether the dictionary has it, at least so often in its corpus, as a word that is no person's name."""
    return words_chinese.count(characters) >= often and not words_chinese.is_name(characters)


@cache
def _listed() -> tuple[dict[str, list[str]], int, frozenset[str]]:
    """(name -> its syllables, length of the longest, first characters of all)."""
    tables = _tables()
    names = {
        name: spelled.split()
        for kind in ("double_surnames", "people", "places")
        for name, spelled in tables[kind].items()
    }
    return names, max(map(len, names)), frozenset(name[0] for name in names)


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("names_chinese.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return tables
