"""Mandarin text -> Kokoro's symbols: figures, words, readings in context, tone sandhi, erhua.

`g2p` gives Latin letters to English. The tests compare words and symbols with misaki's `zh`, which has no tone sandhi.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from vivant.engines.diorama import traditional, words_chinese
from vivant.engines.diorama.sound.speech import figures_chinese, names_chinese, pinyin

HAN: Final = "〇\u3400-\u4dbf\u4e00-\u9fff"

_PUNCTUATION: Final = {
    "、": ",", "，": ",", "。": ".", "．": ".", "！": "!", "：": ":", "；": ";", "？": "?", "（": "(", "）": ")",
    "«": "“", "»": "”", "《": "“", "》": "”", "「": "“", "」": "”", "『": "“", "』": "”", "【": "“", "】": "”",
    "～": "…", "~": "…", "·": " ", "•": " ", "‘": "“", "’": "”",
}  # fmt: skip

# Words whose 儿 is a syllable of its own; after any other character it only colours the vowel before it (erhua).
_CHILD: Final = frozenset(
    {
        "女儿", "男儿", "婴儿", "幼儿", "孤儿", "少儿", "胎儿", "健儿", "宠儿", "弃儿", "患儿", "孩儿", "妻儿", "侄儿",
        "混血儿", "婴幼儿", "早产儿", "新生儿", "流浪儿", "幸运儿", "红孩儿", "弄潮儿", "托儿", "育儿", "小儿", "我儿",
        "吾儿", "生儿", "养儿", "婉儿",
    }
)  # fmt: skip
_PARTICLES: Final = {"了": "le5", "着": "zhe5", "吗": "ma5", "呢": "ne5", "吧": "ba5", "啊": "a5", "的": "de5"}
_NUMERALS: Final = frozenset("零〇一二三四五六七八九十百千万亿两点幺第")
_COUNTING: Final = frozenset("几多这那每半")
# What stands before 一行 xíng "party", or after it.
_TRAVELLERS: Final = ("们", "团", "等", "队", "师徒", "代表团")
_ARRIVALS: Final = ("来到", "抵达", "到达", "前往", "出发", "共", "访问", "离开", "走进", "浩浩荡荡")
# After these words 得 is read děi, "must".
_MUST: Final = frozenset(
    {
        "我", "你", "您", "他", "她", "它", "咱", "谁", "我们", "你们", "他们", "她们", "咱们", "大家", "就", "也",
        "都", "还", "可", "总", "必", "又", "非", "只", "真", "今天", "明天",
    }
)  # fmt: skip
# Objects that tell 还 huán "give back" from hái, 倒 dào "pour" from dǎo, 种 zhòng "plant" from zhǒng.
_OBJECTS: Final = {
    "还": ("huan2", ("钱", "书", "债", "款", "车", "给", "清", "你", "我", "他", "她")),
    "倒": ("dao4", ("水", "茶", "酒", "车", "垃圾", "数", "影", "了", "杯")),
    "种": ("zhong4", ("树", "花", "菜", "地", "田", "草", "瓜", "豆", "了")),
}  # fmt: skip


# A tone is written before the n or ŋ that ends a syllable. Without a space, 大鸟 (da niao) would therefore be spelled
# like dan yao, which the model then says; a space between the syllables avoids that.
_OPEN: Final = re.compile(r"(?:[aiy]|ə)[→↗↓↘]?$")  # could be closed by an n
_VOWELS: Final = "aeiouyjwɥɤəɛɔɚʊ"


def phonemize(text: str) -> str:
    """Kokoro's symbols of Chinese text and its punctuation, with spaces between words, as misaki has them.

    Characters that are neither Chinese, digits nor punctuation are left out.
    """
    text = write_out(text)
    pieces = []
    for han, other in re.findall(rf"([{HAN}]+)|([^{HAN}]+)", text):
        pieces.append(_sentence(han) if han else _punctuation(other))
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def write_out(text: str) -> str:
    """`text` in simplified characters, with its figures, units and the signs between them as they are read."""
    return figures_chinese.read_figures(traditional.simplify(text))


def spell(text: str) -> list[str]:
    """The pinyin ("hao3") of the Chinese characters of `text`, in order, as they are said: after tone sandhi."""
    runs = re.findall(rf"[{HAN}]+", write_out(text))
    return [syllable for run in runs for syllables in _spell_run(run)[1] for syllable in syllables]


def find_readings(words: list[str]) -> list[list[str]]:
    """The pinyin ("hao3") of the characters of each word of a sentence, before tone sandhi."""
    from pypinyin import Style, lazy_pinyin  # imported here: 0.15 s and 40 MB, which English does not need

    found: list[list[str]] = []
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        special = _in_context(word, before, after) or _listed_readings().get(word)
        if word in ("得来", "得去") and before in _MUST:  # 大家都得来
            special = ["dei3", "lai2" if word == "得来" else "qu4"]
        spelled = special or lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
        if len(word) == len(spelled) == 3 and word[1] == "得" and "不" not in word:  # 跑得快
            spelled = [spelled[0], "de5", spelled[2]]
        if len(word) == len(spelled) == 3 and word[0] == word[1] and word[2] == "地":  # 静静地
            spelled = [*spelled[:2], "de5"]
        if len(word) == len(spelled) > 1 and word[-1] == "行" and word[-2] in _NUMERALS | _COUNTING:  # 十二行
            spelled = [*spelled[:-1], "xing2" if _is_party(word, before, after) else "hang2"]
        if len(word) == len(spelled) > 1 and word[-1] == "只" and word[-2] in _NUMERALS | _COUNTING:  # 三只
            spelled = [*spelled[:-1], "zhi1"]
        found.append(list(spelled))
    return found


def _is_party(word: str, before: str, after: str) -> bool:
    """Whether 一行 is a group of people on the way (一行人, 我们一行, 一行五人) and not a line."""
    return word == "一行" and (before.endswith(_TRAVELLERS) or after.startswith(("人", *_NUMERALS, *_ARRIVALS)))


@cache
def _listed_readings() -> dict[str, list[str]]:
    text = resources.files(__package__).joinpath("readings_chinese.toml").read_text(encoding="utf-8")
    return {word: spelled.split() for word, spelled in tomllib.loads(text).items()}


def _in_context(word: str, before: str, after: str) -> list[str] | None:
    """The reading of a one-character word that depends on its neighbours; None for all others."""
    if word in _PARTICLES and before:
        return [_PARTICLES[word]]
    if word == "地" and len(before) > 1 and before[-1] not in "的这那此各":
        return ["de5"]
    if word in _OBJECTS and after.startswith(_OBJECTS[word][1]) and not before.endswith(tuple(_COUNTING)):
        return [_OBJECTS[word][0]]
    if word == "得":
        if after and before in _MUST:
            return ["dei3"]
        return ["de5"] if before else ["de2"]
    if word == "只" and before and before[-1] in _NUMERALS | _COUNTING:
        return ["zhi1"]
    if word == "行" and before and before[-1] in _NUMERALS | _COUNTING:
        return ["xing2" if _is_party(before + word, "", after) else "hang2"]
    if word == "长" and after and after[0] in "大高成胖出":
        return ["zhang3"]
    if word == "为" and after in ("了", "主", "止", "准"):
        return ["wei2" if after != "了" else "wei4"]
    return None


def _sentence(han: str) -> str:
    """The symbols of a run of characters between punctuation marks."""
    words, spelled = _spell_run(han)
    return " ".join(filter(None, (_word(w, s) for w, s in zip(words, spelled, strict=True))))


def _spell_run(han: str) -> tuple[list[str], list[list[str]]]:
    """The words of a run of characters between punctuation marks, and the pinyin of each as it is said."""
    parts = re.split(r"([〇零一二三四五六七八九幺]{3,})", han)  # digits read one by one are one word
    cut = [w for i, part in enumerate(parts) for w in ([part] if i % 2 else words_chinese.segment(part))]
    words = _regroup(cut)
    spelled = find_readings(words)
    _read_names(names_chinese.find_readings(cut), words, spelled)
    _change_yi_and_bu(words, spelled)
    _change_third_tones(spelled)
    return words, spelled


def _read_names(readings: dict[int, str], words: list[str], spelled: list[list[str]]) -> None:
    """Put the readings of characters in names, by their place in the sentence, into `spelled`."""
    if not readings:
        return
    at = 0
    for word, syllables in zip(words, spelled, strict=True):
        if len(syllables) == len(word):
            syllables[:] = [readings.get(at + i, syllable) for i, syllable in enumerate(syllables)]
        at += len(word)


def _word(word: str, syllables: list[str]) -> str:
    coloured = len(syllables) == len(word) > 1 and word[-1] == "儿" and word not in _CHILD
    spelled = [*syllables[:-1], "er5"] if coloured else syllables
    if word == "嗯":
        return "ən"  # has no pinyin
    symbols = ""
    for syllable in filter(pinyin.is_syllable, spelled):
        heard = pinyin.spell(syllable)
        apart = (heard[0] == "n" and _OPEN.search(symbols)) or (
            heard[0] in _VOWELS and symbols[-1:] in ("n", "ŋ") and heard != "ɚ"
        )
        symbols += " " + heard if apart else heard
    return symbols


def _regroup(words: list[str]) -> list[str]:
    """Words with 儿 joined to its noun, and 一 and 不 to what follows: spoken as one word, but segmented as two."""
    joined: list[str] = []
    for word in words:
        if joined and (
            (word == "儿" and joined[-1] not in ("我", "的", "个"))
            or (joined[-1] in ("不", "一") and len(word) <= 2 and word[0] not in "一不的了")
        ):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _change_yi_and_bu(words: list[str], spelled: list[list[str]]) -> None:
    """Tone sandhi of 一 and 不, by the syllable that follows (Chao 1968, 1.3.4). Changes `spelled`."""
    characters = "".join(words)
    flat = [(w, i) for w, syllables in enumerate(spelled) for i in range(len(syllables))]
    if len(flat) != len(characters):
        return  # a character has no reading, so indices do not match
    for at, character in enumerate(characters):
        if character not in "一不":
            continue
        word, index = flat[at]
        before = characters[at - 1] if at else ""
        after = characters[at + 1] if at + 1 < len(characters) else ""
        following = spelled[flat[at + 1][0]][flat[at + 1][1]] if after else ""
        if before and before == after and before not in _NUMERALS:  # 看一看, 好不好
            spelled[word][index] = "yi5" if character == "一" else "bu5"
        elif character == "不":
            spelled[word][index] = "bu2" if following.endswith("4") else "bu4"
        elif not after or before in _NUMERALS or after in _NUMERALS - set("百千万亿点") or after in "月号日楼":
            spelled[word][index] = "yi1"
        elif after == "点" and index + 1 == len(spelled[word]):
            spelled[word][index] = "yi4"
        else:
            falling = following.endswith("4") or after == "个"
            spelled[word][index] = "yi2" if falling else "yi4"


def _change_third_tones(spelled: list[list[str]]) -> None:
    """Of two third tones in a row the first becomes a second: inside words, then across words of which one is a single
    syllable. Changes `spelled`."""
    for syllables in spelled:
        for i in range(len(syllables) - 1):
            if syllables[i].endswith("3") and syllables[i + 1].endswith("3"):
                syllables[i] = syllables[i][:-1] + "2"
    for left, right in pairwise(spelled):
        if left and right and left[-1].endswith("3") and right[0].endswith("3") and 1 in (len(left), len(right)):
            left[-1] = left[-1][:-1] + "2"


def _punctuation(text: str) -> str:
    text = re.sub(r"…+|\.{3,}|。{2,}", "…", text)
    text = re.sub(r"[—–―]+|-{2,}", "—", text)
    out = ""
    for character in text:
        mark = _PUNCTUATION.get(character, character)
        if mark in ";:,.!?…—)”":
            out += mark + " "
        elif mark in "(“":
            out += " " + mark
        elif mark.isspace():
            out += " "
    return out
