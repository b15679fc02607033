"""What the prompt asks for and no step did: every verb with someone or something as its subject, every sound.

The last step of the chain. It quotes the words as a reader would and says why nothing comes of them. What asks for
nothing (a state that the picture shows already, a style, a list of what is not wanted) stays quiet.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.script.clauses import find_subject, is_verb
from vivant.engines.diorama.script.doings import DoingWords, load_doings
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.limits import LEFT_OVER
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.parts_of_speech import HanWord
from vivant.engines.diorama.script.tokens import ends_sentence
from vivant.engines.diorama.script.words import forms_of

_LONGEST_ENGLISH: Final = 8  # words that are quoted
_LONGEST_CHINESE: Final = 14  # characters
_SOMEONE: Final = frozenset(
    {
        "he",
        "she",
        "they",
        "we",
        "i",
        "you",
        "who",
        "someone",
        "everyone",
        "everybody",
        "one",
        "another",
        "others",
        "both",
    }
)
_STAGES: Final = frozenset({"background", "sky", "scene", "room", "image", "frame", "screen", "logo", "title"})
_STAGE_VERBS: Final = frozenset(
    {"glows", "glow", "fades", "fade", "turns", "darkens", "brightens", "changes", "shifts"}
)
_RESHAPES: Final = frozenset(
    form
    for verb in ("assemble", "reassemble", "morph", "transform", "explode", "shatter", "freeze", "melt", "coalesce")
    for form in forms_of(verb)
)
_LOOK_REACH: Final = 4  # tokens between a look and the word for the face
_FACES: Final = frozenset(
    ["expression", "expressions", "look", "face", "gaze", "eyes", "表情", "神情", "眼神", "面色", "神色", "脸色",
     "脸上", "目光", "一脸", "脸", "面容", "全员", "众人"]
)  # fmt: skip
_DO: Final = frozenset({"do", "does", "did", "doing"})
_DANGLING: Final = frozenset({"DT", "PRP$", "IN", "TO", "CC", "JJ", "RB", "MD", "WDT", "WP", "WRB", "RP", "CD", "POS"})
_OBJECT: Final = 5  # tokens after a verb in which its object stands
_HEARD: Final = 24
_BEFORE_A_VERB: Final = frozenset("把将被向朝从往用给对沿")
_PLACING: Final = frozenset({"在", "从", "向", "往", "朝", "对", "沿", "用", "透过", "把", "将"})
_STIRRING: Final = frozenset("摇翻挥拍搅擦梳弹扇敲揉")  # with 着 what hands are doing, where 举着 is how they are
_HOW: Final = frozenset({"重重", "轻轻", "缓缓", "慢慢", "狠狠", "小心", "小心翼翼"})
_MARKERS: Final = frozenset({"把", "将", "被"})
_CLOSE: Final = 3
_DIRECTIONS: Final = frozenset("来去上下进出过起回到开在")  # 走出来, 放下: they say where the verb before them leads
_LOOSE_ENDS: Final = frozenset({"的", "地", "和", "与", "在", "一", "并", "又", "再", "则", "而", "向", "把"})
_ING_NOUNS: Final = frozenset(
    {"morning", "evening", "ceiling", "lighting", "nothing", "something", "everything", "anything", "spring", "string",
     "ring", "king", "wing", "thing", "building", "clothing", "setting", "painting", "wedding", "sling", "during"}
)  # fmt: skip
_SOUND_GOES_ON: Final = frozenset({"IN", "DT", "PRP$", "NN", "NNS", "JJ", "NNP", "VBG"})
# Characters of verbs by which things move: 驶去, 飞舞, 滚落.
_MOVES: Final = frozenset(
    "驶飞升转落坠滚飘倒关开摆晃震冲游涌碎掉跳跑走降滑爬抖弹扬穿掠流挥撞砸沉移溅伸挑滴闪溢散进入站喷冒腾炸裂翻碰呼啸"
)
# Verbs of one character that are verbs by themselves; others need 了, 着, 起 … behind them.
_STRONG: Final = frozenset(
    "走跑跳吃喝骑踢抓扔打抱亲拿推拉咬舔抽倒敲切炒端递捡抛踩撞追逃飞游爬帮撒泼浇撕甩扑跃跨蹬踹砍劈刺砸揉拧捏拽搬"
)
# Characters that are verbs with 着, 了 or a result behind them, whatever the dictionary takes the two for: 翻着.
_HANDS: Final = frozenset(
    "接弹拍按扶托捧攥掐扭拔插挥淋涂抹擦洗梳剪缝绣翻掀揭撩拨戳举抬扛搂踏摇荡钻躲扒挠搔捶射投掷煎舀夹蘸搅擀嗅捋捻抚"
)
_SUDDEN: Final = frozenset("甩勾闪跃转挥拍踢扑跳抖震缩挑摆晃滚翻冲")  # after 一: 一甩衣袖
# Last characters of nouns that name people by what they do or are.
_PEOPLE: Final = frozenset("师手家员者客哥姐妹弟叔婶婆爷奶娘妈爸童孩生士兵将帝后妃侠匠工民友徒仆女男模")
_RESULTS: Final = frozenset("了着过起进出向到开下上回住掉走入")
_SOUND_ENDS: Final = re.compile("(?:的.{0,6}声|的声音|的声响|的响声|之声)$")
_NO_SOUND_ENDS: Final = re.compile("[人男女说话唱歌的]声$|[她他]的声音$|说话的声音$")
_NO_SOUNDS: Final = frozenset(
    ["ambience", "ambient", "silence", "silent", "quiet", "sound", "sounds", "mix", "volume", "reverb", "stereo",
     "voice", "voices", "audio", "natural", "none", "sync", "synced", "静", "无", "音量", "立体声", "自然", "同步"]
)  # fmt: skip
_STOPS: Final = frozenset(
    {"然后", "同时", "并", "随后", "接着", "瞬间", "时", "时候", "之际", "之后", "后", "一边", "，"}
)


@dataclass(frozen=True, slots=True)
class _Doing:
    """Tokens first..last-1 tell of something that happens."""

    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Done:
    """The tokens that the steps used; those where something is seen to move, or (`weather`) to move by itself; those
    where something is heard."""

    used: frozenset[int]
    moving: frozenset[int]
    weather: frozenset[int]
    heard: frozenset[int]


def find_leftovers(
    reading: Reading,
    spans: Iterable[Span],
    *,
    audio: bool,
    missing: Iterable[Span] = (),
    unmoved: Iterable[Span] = (),
) -> Found[None]:
    """Notes on what no span covers; `spans` are the words that the steps used, `missing` those for things that were
    looked for in the picture and not found, `unmoved` those for what an animal was to do and no subject did."""
    spans, missing = frozenset(spans), tuple(missing)
    absent = {token for first, last in missing for token in range(first, last)}
    done = _find_done(reading, spans)
    doings = [
        *_find_phrases(reading, done),
        *_find_english(reading, done),
        *_find_chinese(reading, done),
        *_find_looks(reading, done),
        *_find_sounds(reading, done),
        *_find_listed_sounds(reading, done),
    ]
    doings = [doing for doing in doings if doing.reason != "no_such_sound" or audio]
    # Where no verb tells it in a way that the rules above know, it is told all the same.
    for reason, untold in (("things", missing), ("animals", unmoved)):
        open_ = [span for span in untold if span not in spans and not _is_told(doings, *span)]
        doings += [_Doing(first, last, reason) for first, last in open_]
    notes: list[ScriptNote] = []
    told: list[Span] = []
    for doing in sorted(doings, key=lambda doing: (doing.first, -doing.last)):
        if told and doing.first < told[-1][1]:
            continue
        told.append((doing.first, doing.last))
        gone = doing.reason in ("things", "animals", "bodies") and not absent.isdisjoint(range(doing.first, doing.last))
        notes.append(ScriptNote("not_found" if gone else doing.reason, (_quote(reading, doing.first, doing.last),)))
    return Found(None, tuple(notes), tuple(told))


def _is_told(doings: list[_Doing], first: int, last: int) -> bool:
    """One of the tokens first..last-1 is told of."""
    return any(doing.first < last and first < doing.last for doing in doings)


def _find_done(reading: Reading, spans: Iterable[Span]) -> _Done:
    used: set[int] = set()
    moving: set[int] = set()
    weather: set[int] = set()
    heard: set[int] = set()
    for token in {token for first, last in spans for token in range(first, last)}:
        entries = [hit.entry for hit in reading.at.get(token, ()) if hit.meant and not hit.heard]
        entries += [hit.entry for hit in reading.at.get(token, ()) if hit.heard and hit.entry.sound]
        moves = any(entry.motion or entry.light or entry.action or entry.body or entry.camera for entry in entries)
        sounds = any(entry.sound or entry.music for entry in entries)
        if moves:
            moving.add(token)
        if any(entry.motion for entry in entries):
            weather.add(token)
        if sounds:
            heard.add(token)
        # A sound is one thing and what makes it another: "cars pass" is heard, but no car passes.
        if moves or not sounds:
            used.add(token)
    return _Done(frozenset(used), frozenset(moving), frozenset(weather), frozenset(heard))


def _quote(reading: Reading, first: int, last: int) -> str:
    return " ".join(reading.text[reading.tokens[first].start : reading.tokens[last - 1].end].split())


# --- phrases that the lexicon knows


def _find_phrases(reading: Reading, done: _Done) -> list[_Doing]:
    """What limits.toml names, and its words in English; Chinese ones are quoted with their clause."""
    found = []
    for hit in reading.hits:
        if hit.entry.cannot not in LEFT_OVER or not hit.meant or hit.first in done.used:
            continue
        if hit.entry.is_sound:
            found.append(_sound_phrase(reading, done, hit.first, hit.last))
        elif reading.tokens[hit.first].kind != "han":
            last = _end_of_phrase(reading, hit.last - 1) if hit.entry.cannot == "bodies" else hit.last
            found.append(_Doing(hit.first, max(last, hit.last), hit.entry.cannot))
    return found


# --- English


def _find_english(reading: Reading, done: _Done) -> list[_Doing]:
    tags = reading.parts.tags
    found: list[_Doing] = []
    end = 0
    for at, tag in enumerate(tags):
        if at < end or not tag.startswith("VB") or at in done.used or not is_verb(reading, at):
            continue
        doing = _english_doing(reading, done, at)
        if doing is not None:
            found.append(doing)
            end = doing.last
    return found


def _english_doing(reading: Reading, done: _Done, at: int) -> _Doing | None:
    words = load_doings()
    subject = find_subject(reading, at)
    if subject is not None and _is_face(reading, done, subject):
        subject = find_subject(reading, subject)  # "bursts out laughing and covers her mouth"
    if subject is None:
        tag = reading.parts.tags[at]
        if (
            not (tag == "VBZ" and _goes_on_after_a_verb(reading, at))
            and not (tag in ("VB", "VBP") and _is_one_of(reading, at, words.orders))
            and not (tag == "VBG" and _opens_a_sentence(reading, at))
        ):
            return None
    elif _is_no_doer(reading, subject, at):
        return None
    elif (
        subject in done.moving
        and not _is_one_of(reading, at, words.sounds)
        and reading.tokens[at].text not in _RESHAPES
    ):
        return None  # "smoke rises" is done; "steam hisses" and "the particles assemble" are not
    if _asks_for_nothing(reading, done, at, subject):
        return None
    last = _end_of_phrase(reading, at)
    reason = _reason(reading, at, subject)
    if (reason == "no_such_sound" and subject in done.heard) or (reason != "things" and at in done.heard):
        return None
    if subject is not None and reason in ("light_stays", "no_such_sound") and subject not in done.used and subject < at:
        return _Doing(_start_of_noun(reading, subject), last, reason)
    return _Doing(at, last, reason)


def _goes_on_after_a_verb(reading: Reading, at: int) -> bool:
    """ "…, starts the scooter, and rides away": who does it stands too far before."""
    tags = reading.parts.tags
    before = at - 1 if at and tags[at - 1] == "RB" else at
    if not before or tags[before - 1] not in ("", "CC"):
        return False
    first, _ = reading.sentence_bounds(at)
    return any(tags[place] == "VBZ" for place in range(first, before)) and any(
        reading.names_person(place) for place in range(first, before)
    )


def _opens_a_sentence(reading: Reading, at: int) -> bool:
    """ "Gently tapping the screen": who does it was said before, or is seen."""
    if reading.tokens[at].text in _ING_NOUNS:
        return False
    tags = reading.parts.tags
    first = at - 1 if at and tags[at - 1] == "RB" else at
    after = tags[at + 1] if at + 1 < len(tags) else ""
    opens = not first or ends_sentence(reading.tokens[first - 1])
    return opens and after in (("DT", "PRP$", "IN", "RB", "NN", "NNS") if first < at else ("DT", "PRP$", "IN", "RB"))


def _asks_for_nothing(reading: Reading, done: _Done, at: int, subject: int | None) -> bool:
    """A state that the picture shows, or what is done already: a look, what the wind does, light that falls."""
    words = load_doings()
    staged = subject is not None and reading.tokens[subject].text in _STAGES and reading.tokens[at].text in _STAGE_VERBS
    if not staged and _is_one_of(reading, at, words.quiet) and not _is_one_of(reading, at, words.but):
        after = reading.parts.tags[at + 1] if at + 1 < len(reading.tokens) else ""
        if reading.tokens[at].text not in _DO or after not in ("DT", "NN", "NNS", "JJ"):
            return True
    if subject is not None and reading.tokens[subject].text in ("nobody", "nothing"):
        return True
    fixed = subject is not None and reading.tokens[subject].text in words.fixtures
    if fixed and not _is_one_of(reading, at, words.effects | words.light | words.sounds):
        return True
    if at in reading.negative or reading.is_unreal(at) or reading.roles(at) & {"ends", "greeting", "noise"}:
        return True
    if any(hit.content and hit.denied for hit in reading.at.get(at, ())):
        return True
    if any(hit.entry.direction for hit in reading.at.get(at, ())):
        return True  # "stalls left and right"
    last = min(at + _OBJECT, len(reading.tokens))
    clause = [token for token in range(max(0, at - _OBJECT), last) if reading.clause[token] == reading.clause[at]]
    if _makes_a_face(reading, done, at):
        return True
    # But "he blows the smoke away", and the moon that rises over the sea is not carried by it.
    blown = subject is not None and not reading.names_person(subject) and not _is_light(reading, subject)
    if blown and _is_one_of(reading, at, words.carried) and any(token in done.weather for token in clause):
        return True
    if subject is not None and subject in done.heard and not reading.names_person(subject):
        return bool(any(hit.entry.music for hit in reading.at.get(subject, ())))
    lit = subject is not None and _is_light(reading, subject)
    if lit and not _is_one_of(reading, at, words.light | words.light_changes | words.effects):
        return True
    catches = reading.tokens[at].text in ("catch", "catches", "catching", "caught", "hits", "hitting")
    return catches and any(_is_light(reading, token) for token in clause if token > at)


def _is_face(reading: Reading, done: _Done, token: int) -> bool:
    return token in done.moving and any(hit.entry.action for hit in reading.at.get(token, ()))


def _makes_a_face(reading: Reading, done: _Done, at: int) -> bool:
    """The object of the verb is a look: "flashes a quick smile"."""
    token = at + 1
    while token < len(reading.tokens) and reading.parts.tags[token] in ("DT", "JJ", "PRP$", "RB", "IN", "HYPH"):
        if _is_face(reading, done, token) and reading.parts.tags[token] != "RB":  # "types furiously"
            return True
        token += 1
    return token < len(reading.tokens) and _is_face(reading, done, token)


def _is_light(reading: Reading, noun: int) -> bool:
    """ "Light", or "a stream of light"."""
    nouns = load_doings().light_nouns
    of = noun + 2 < len(reading.tokens) and reading.tokens[noun + 1].text == "of"
    return reading.tokens[noun].text in nouns or (of and reading.tokens[noun + 2].text in nouns)


def _is_one_of(reading: Reading, at: int, verbs: frozenset[str]) -> bool:
    after = f"{reading.tokens[at].text} {reading.tokens[at + 1].text}" if at + 1 < len(reading.tokens) else ""
    return reading.tokens[at].text in verbs or after in verbs


def _is_no_doer(reading: Reading, subject: int, at: int) -> bool:
    if reading.tokens[subject].text in _STAGES and _is_one_of(reading, at, load_doings().light | _STAGE_VERBS):
        return False  # "the background glows"
    text = reading.tokens[subject].text
    return text in load_doings().no_doers or bool({"camera"} & reading.roles(subject)) or subject in reading.negative


def _reason(reading: Reading, at: int, subject: int | None) -> str:
    words = load_doings()
    noun = "" if subject is None else reading.tokens[subject].text
    someone = subject is None or noun in _SOMEONE or noun in words.bodies or reading.names_person(subject)
    if _is_one_of(reading, at, words.effects) and not (someone and _is_one_of(reading, at, words.misread)):
        return "keeps_shape"
    if noun in words.sound_nouns or _is_one_of(reading, at, words.sounds):
        return "no_such_sound"
    if not someone and ((subject is not None and _is_light(reading, subject)) or _is_one_of(reading, at, words.light)):
        return "light_stays"
    if noun in words.animals:
        return "animals"
    return "bodies" if someone else "things"


def _start_of_noun(reading: Reading, noun: int) -> int:
    tags = reading.parts.tags
    first = noun
    while first and tags[first - 1] in ("JJ", "NN", "NNS", "NNP", "HYPH", "VBN") and noun - first < _CLOSE:
        first -= 1
    return first


def _end_of_phrase(reading: Reading, at: int) -> int:
    """One past the last token that belongs to the verb at `at`."""
    tags = reading.parts.tags
    last = at + 1
    while last < len(reading.tokens) and last - at < _LONGEST_ENGLISH:
        token = reading.tokens[last]
        if token.kind not in ("word", "number"):
            break
        if reading.roles(last) & {"as", "then", "but"} or tags[last] in ("VBZ", "VBP", "VBD", "MD"):
            break
        if tags[last] == "CC" and not _joins_nouns(reading, last):
            break
        if tags[last] == "VBG" and tags[last - 1] not in ("DT", "PRP$", "JJ", "IN"):
            break
        last += 1
    while last > at + 1 and tags[last - 1] in _DANGLING and not _ends_well(reading, last):
        last -= 1
    return last


def _joins_nouns(reading: Reading, at: int) -> bool:
    """ "Salt and pepper", but "nods and smiles"."""
    after = at + 1
    if after >= len(reading.tokens) or reading.parts.tags[after] not in ("NN", "NNS", "NNP"):
        return False
    return not any(hit.entry.action or hit.entry.speech for hit in reading.at.get(after, ()))


def _ends_well(reading: Reading, last: int) -> bool:
    """An adverb or particle ends the phrase, or the clause ends with it: "walks away", "fight each other"."""
    if reading.parts.tags[last - 1] in ("RB", "RP"):
        return True
    closed = last == len(reading.tokens) or reading.parts.tags[last] in ("", "CC")
    return closed and reading.parts.tags[last - 1] in ("JJ", "CD", "IN")


# --- looks


def _find_looks(reading: Reading, done: _Done) -> list[_Doing]:
    """ "An uncertain expression", 神情紧张: a look that no action shows, beside the word for a face."""
    known = load_doings()
    english = [(at, at + 1, token.text) for at, token in enumerate(reading.tokens) if token.kind == "word"]
    chinese = [(word.first, word.last, word.text) for word in reading.parts.han]
    found = []
    for words in (english, chinese):
        for index, (first, last, text) in enumerate(words):
            if text not in known.looks or first in done.used or first in reading.negative or reading.is_unreal(first):
                continue
            near = [
                word
                for word in words[max(0, index - _LOOK_REACH) : index + _LOOK_REACH + 1]
                if reading.clause[word[0]] == reading.clause[first]
            ]
            if any(_is_face(reading, done, word[0]) for word in near):
                continue  # "a nervous smile"
            beside = [word for word in near if word[2] in _FACES]
            if beside:
                start, end = min(first, beside[0][0]), max(last, beside[-1][1])
                found.append(_Doing(start, end, "face_cannot"))
    return found


# --- sounds


def _find_sounds(reading: Reading, done: _Done) -> list[_Doing]:
    """Nouns of sound, and whatever the prompt says is to be heard."""
    words = load_doings()
    tags = reading.parts.tags
    found = []
    for at, token in enumerate(reading.tokens):
        if token.kind != "word" or at in done.used or at in reading.negative:
            continue
        named = token.text in words.sound_nouns and tags[at] in ("NN", "NNS", "NNP", "VBG", "HYPH")
        if not named and not (token.text in words.heard and tags[at].startswith("N") and reading.is_heard(at)):
            continue
        after = tags[at + 1] if at + 1 < len(tags) else ""
        if reading.is_unreal(at) or _is_done(reading, at) or _describes_a_noun(reading, at, after):
            continue
        found.append(_sound_phrase(reading, done, at, at + 1))
    found += _find_chinese_sounds(reading, done)
    for word in reading.parts.han:
        noun = _find_noun_of_sound(reading, word)
        heard = noun is not None or word.text.endswith("声") or (word.text.endswith("响") and len(word.text) > 2)
        heard = heard or word.text in words.sound_nouns or ("noise" in reading.roles(word.first) and len(word.text) > 1)
        if not heard or (noun is None and word.text in words.no_sounds):
            continue
        first = word.first if noun is None else noun.first
        if first in done.used or first in reading.negative or reading.is_unreal(first):
            continue
        if not any(_is_done(reading, at) for at in (first, word.last - 1)):
            found.append(_Doing(first, word.last, "no_such_sound"))
    return found


def _find_chinese_sounds(reading: Reading, done: _Done) -> list[_Doing]:
    """筷子碰碗的清脆声, 吸溜面条的声音: a piece between two marks that ends with a sound, in which nothing is heard."""
    words = load_doings()
    found: list[_Doing] = []
    first = 0
    for last in range(len(reading.tokens) + 1):
        if last < len(reading.tokens) and reading.tokens[last].kind == "han":
            continue
        text = "".join(token.text for token in reading.tokens[first:last])
        if (
            3 < len(text) <= _LONGEST_CHINESE
            and _SOUND_ENDS.search(text)
            and not _NO_SOUND_ENDS.search(text)
            and not any(text.endswith(word) for word in words.no_sounds if len(word) > 1)
            and not any(at in done.heard | reading.negative or at in done.used for at in range(first, last))
            and not reading.is_unreal(last - 1)
            and not any(
                hit.entry.speech or hit.entry.gender for at in range(first, last) for hit in reading.at.get(at, ())
            )
        ):
            found.append(_Doing(first, last, "no_such_sound"))
        first = last + 1
    return found


def _find_noun_of_sound(reading: Reading, word: HanWord) -> HanWord | None:
    """The 引擎 of 引擎声, the 点击 of 点击声, where the dictionary does not have it with its 声."""
    words = reading.parts.han
    place = bisect.bisect_left(words, word.first, key=lambda other: other.first)
    if word.text != "声" or not place or words[place - 1].last != word.first:
        return None
    before = words[place - 1]
    names = before.tag == "n" or (before.tag[:1] in "vox" and len(before.text) > 1)
    voiced = reading.names_person(before.first) or before.text + word.text in load_doings().no_sounds
    return before if names and not voiced else None


def _find_listed_sounds(reading: Reading, done: _Done) -> list[_Doing]:
    """What a heading of sound lists ("SFX: a servo whine, tyres on gravel", 音效：刀落砧板声): each piece in which
    nothing was heard, and which is no word about voices, music or sound as such."""
    words = load_doings()
    found: list[_Doing] = []
    at = 0
    while at < len(reading.tokens):
        if reading.tokens[at].text != ":" or not at or "hear" not in reading.roles(at - 1):
            at += 1
            continue
        first = last = at + 1
        while last <= len(reading.tokens):
            closed = last == len(reading.tokens) or ends_sentence(reading.tokens[last])
            if closed or reading.tokens[last].text in (",", "、", ";", ":"):
                if _is_unheard(reading, done, words, first, last):
                    found.append(_Doing(first, last, "no_such_sound"))
                first = last + 1
            if closed:
                break
            last += 1
        at = last + 1
    return found


def _is_unheard(reading: Reading, done: _Done, words: DoingWords, first: int, last: int) -> bool:
    piece = range(first, last)
    if not 0 < last - first <= _LONGEST_CHINESE:
        return False
    if any(token in reading.negative or token in done.heard for token in piece):
        return False
    for token in piece:
        if reading.tokens[token].kind == "quote" or reading.tokens[token].text in words.no_doers | _NO_SOUNDS:
            return False
        if _is_done(reading, token) or reading.roles(token) & {"not", "heading", "hear"}:
            return False
        entries = [hit.entry for hit in reading.at.get(token, ())]
        if any(entry.speech or entry.gender or entry.tone or entry.accent or entry.mood for entry in entries):
            return False
    tags = reading.parts.tags
    return any(tags[token].startswith(("NN", "VBG")) or reading.tokens[token].kind == "han" for token in piece)


def _describes_a_noun(reading: Reading, at: int, after: str) -> bool:
    """ "An engine room", but "a sniff sound"."""
    if not after.startswith("NN") or reading.is_heard(at):
        return False
    return reading.tokens[at + 1].text not in ("sound", "sounds", "noise", "noises")


def _is_done(reading: Reading, at: int) -> bool:
    """What stands here is a cue, a motion, music, or a word about voices."""
    return any(
        hit.entry.sound or hit.entry.motion or hit.entry.light or hit.entry.music or hit.entry.topic or hit.entry.mute
        for hit in reading.at.get(at, ())
    )


def _sound_phrase(reading: Reading, done: _Done, first: int, last: int) -> _Doing:
    """Tokens first..last-1 with the words that describe the sound: "distant sirens", "hiss of the atomizer"."""
    tags = reading.parts.tags
    start, end = _start_of_noun(reading, first), last
    while end < len(tags) and end - start < _LONGEST_ENGLISH and end not in done.used:
        if tags[end] not in _SOUND_GOES_ON or "as" in reading.roles(end):
            break
        end += 1
    while end > last and tags[end - 1] in _DANGLING:
        end -= 1
    return _Doing(start, end, "no_such_sound")


# --- Chinese


def _find_chinese(reading: Reading, done: _Done) -> list[_Doing]:
    found: list[_Doing] = []
    words = reading.parts.han
    first = 0
    topic = ""  # who does what the next clause says
    while first < len(words):
        last = first + 1
        while last < len(words) and reading.clause[words[last].first] == reading.clause[words[first].first]:
            last += 1
        if first and _opens_a_line(reading, words[first - 1].last, words[first].first):
            topic = ""
        doings, topic = _chinese_doings(reading, done, words[first:last], topic)
        found += doings
        first = last
    return found


def _opens_a_line(reading: Reading, before: int, at: int) -> bool:
    return any(token.kind == "line" for token in reading.tokens[before:at])


def _chinese_doings(reading: Reading, done: _Done, words: tuple[HanWord, ...], topic: str) -> tuple[list[_Doing], str]:
    """What is told in one clause, and who does what the next clause says."""
    found: list[_Doing] = []
    subject = topic  # "bodies", "animals", "things", "light_stays", or "" for nobody
    noun: HanWord | None = None  # the subject that the clause names
    told = 0  # tokens before are told already
    before = reading.tokens[words[0].first - 1].text if words[0].first else ""
    describes = before == "(" or _is_under_a_heading(reading, words[0].first)
    for index, word in enumerate(words):
        at = word.first
        if at < told:
            continue
        sure = _sure_reason(reading, word)
        if at in reading.negative or (reading.is_unreal(at) and (word.tag.startswith("v") or sure or _is_change(word))):
            break
        if not sure and not found and reading.names_person(at) and word.text not in load_doings().misread:
            if noun is None or subject != "bodies":
                subject = "animals" if word.text in load_doings().animals else "bodies"
            topic, noun = subject, noun or word
        elif not sure and not found and _is_noun(word) and not (subject and _is_verb_by_form(words, index)):
            after = words[index + 1] if index + 1 < len(words) else None
            if noun is None and after is not None and after.tag == "n" and _is_noun(after):
                continue  # 黑衣剑士: the last noun is the subject
            if noun is None:
                subject, noun = _subject_of(reading, done, word, topic), word
                topic = subject if subject in ("animals", "bodies", "things") else topic
        elif (
            noun is not None
            and "camera" in reading.roles(noun.first)
            and sure in ("", "bodies")
            and not (word.text in ("出现", "浮现", "弹出") and index + 1 < len(words))
        ):
            break  # the camera does it; but 画面变成黑白
        elif noun is not None and word.text == "的" and not found:
            if any(between.text in _PLACING for between in words[:index] if between.first >= noun.last):
                continue  # 少女在深蓝色的海底下沉: what 的 stands behind is where, not who
            subject, noun = "", None  # 石阶旁的灯笼: whose it is, the noun comes after
        elif (sure or (not describes and _may_be_doing(words, index, subject))) and not _is_quiet(
            reading, done, words, index, subject, sure=sure
        ):
            reason = sure or _chinese_reason(word.text, "bodies" if _is_doubled(words, index) else subject)
            doing = _chinese_doing(reading, words, index, reason, noun)
            if sure == "bodies" and subject == "animals":
                doing = _Doing(doing.first, doing.last, "animals")
            if doing.reason == "no_such_sound" and done.heard & {
                *range(doing.first, doing.last),
                noun.first if noun else -1,
            }:
                continue
            found.append(doing)
            told = doing.last
    return found, topic


def _is_change(word: HanWord) -> bool:
    known = load_doings()
    return word.text in known.effects | known.light | known.sounds


def _is_under_a_heading(reading: Reading, at: int) -> bool:
    """The line opens with 风格： or [人物]: it says what is seen, not what happens."""
    first, _ = reading.sentence_bounds(at)
    place = first
    while place < at and reading.tokens[place].kind != "han":
        place += 1
    heading = "".join(token.text for token in reading.tokens[place : place + 2])
    closed = reading.tokens[place + 2 : place + 3]
    if heading not in load_doings().headings or not closed or closed[0].text not in (":", "]"):
        return False
    # On a line with others, 风格：… ends with its clause.
    return place > first or (first > 0 and reading.tokens[first - 1].kind == "line")


def _is_noun(word: HanWord) -> bool:
    known = load_doings()
    verbal = word.text in known.misread or word.text in known.light or word.text in known.effects
    one_by_one = len(word.text) == 3 and word.text[0] == "一" and word.text[1] == word.text[2]  # 一盏盏
    return not (verbal or one_by_one) and (word.tag in ("n", "r", "x") or word.text in known.nouns)


def _sure_reason(reading: Reading, word: HanWord) -> str:
    """The reason of a phrase of the lexicon at this word; 吃 is none in 吃播."""
    hits = [hit for hit in reading.at.get(word.first, ()) if hit.entry.cannot in LEFT_OVER and hit.meant]
    rest = word.text[1:]
    return next((hit.entry.cannot for hit in hits if hit.last >= word.last or rest in _RESULTS | _DIRECTIONS), "")


def _subject_of(reading: Reading, done: _Done, word: HanWord, topic: str) -> str:
    known = load_doings()
    if (
        word.text in known.no_doers | known.fixtures
        or word.first in done.moving
        or "camera" in reading.roles(word.first)
    ):
        return ""
    if word.text in known.animals:
        return "animals"
    if word.text in known.bodies or (is_body(reading, word.first) and reading.names_person(word.first)):
        return "bodies"
    if word.text in known.light_nouns:
        return "light_stays"
    if word.tag == "r" and topic:
        return topic
    named = word.tag == "x" and 1 < len(word.text) < 4  # what the dictionary does not have is mostly a name
    return "bodies" if named or (len(word.text) > 1 and word.text[-1] in _PEOPLE) else "things"


def is_body(reading: Reading, at: int) -> bool:
    return all(hit.entry.person in ("body", "") for hit in reading.at.get(at, ()))


def _may_be_doing(words: tuple[HanWord, ...], index: int, subject: str) -> bool:
    """A verb with a subject that can do it: people and animals do many things, things only move or change."""
    known = load_doings()
    word = words[index]
    goes_on = words[index + 1].text[:1] if index + 1 < len(words) else ""
    verb = word.tag.startswith("v") or word.text in known.misread or _is_verb_by_form(words, index)
    verb = verb or (word.tag == "zg" and (len(word.text) > 1 or goes_on in ("了", "着", "起", "上", "入", "向", "到")))
    if not subject or not (verb or word.text in known.light | known.effects | known.sounds):
        return False
    if word.text in known.effects or word.text in known.sounds:
        return True
    if subject == "light_stays" and word.text in ("亮", "暗", "灭", "熄") and goes_on in ("起", "下", "了"):
        return True
    if subject == "light_stays" or word.text in known.light:
        return word.text in known.light
    if _is_doubled(words, index) or (_is_verb_by_form(words, index) and subject != "things"):
        return True
    if len(word.text) == 1 and any(w.text in ("把", "将") for w in words[:index]):
        return True  # 把手机拍在桌上
    if subject == "things":
        moves = any(character in _MOVES for character in word.text) or word.text in known.misread
        handled = any(before.text == "被" for before in words[:index])  # 汉堡被缓缓抬起
        moves = moves or (handled and word.text[0] in _STRONG | _HANDS)
        return moves and (word.tag != "vn" or index + 1 == len(words))
    if len(word.text) == 1:
        after = words[index + 1].text if index + 1 < len(words) else ""
        return word.text in _STRONG | _HANDS or after[:1] in _RESULTS
    return True


def _is_verb_by_form(words: tuple[HanWord, ...], index: int) -> bool:
    """翻着, 撒上: the verb of a hand with 着, 了 or a result; 一甩; 一跃而起, 俯冲而下, 咬了一口."""
    text, tag = words[index].text, words[index].tag
    after = words[index + 1].text if index + 1 < len(words) else ""
    if len(text) > 1 and tag in ("n", "x", "ad", "l", "j"):
        # 优雅地滑翔, 缓缓睁开, 整理了: no noun stands between an adverb and the end, or before 了
        before = words[index - 1] if index else None
        slowly = before is not None and len(before.text) == 2 and before.text[0] == before.text[1] and before.tag == "d"
        if slowly or (before is not None and before.tag == "uv") or after == "了":
            return True
    if len(text) == 2 and text[0] in _STRONG | _HANDS and text[1] in _RESULTS:
        return tag in ("x", "f") or (tag == "c" and text[1] != "着")
    if text[-1] in _STRONG | _HANDS and after[:1] in ("着", "了") and (len(text) == 1 or text[0] == "手"):
        return tag not in ("n", "p")  # 手端着
    if text[0] == "一" and len(text) in (2, 4) and text[1] in _SUDDEN:
        return True
    if len(text) == 1 and text in _SUDDEN and index and words[index - 1].text == "一":
        return True
    leads = text[-2:-1] == "而" and text[-1] in "过去来下上起出入"
    return tag in ("i", "l") and (leads or text[0] in _STRONG)


def _is_doubled(words: tuple[HanWord, ...], index: int) -> bool:
    """推了推眼镜, 想一想, 蹦来蹦去, 吹吹: what somebody does."""
    again = index + 1 < len(words) and words[index + 1].text == words[index].text
    if again and words[index].text in _STRONG | _HANDS | {"吹"}:
        return True
    following = "".join(word.text for word in words[index + 1 : index + 4])
    return len(words[index].text) == 1 and following[:1] in ("了", "一", "来") and following[1:2] == words[index].text


def _chinese_doing(
    reading: Reading, words: tuple[HanWord, ...], index: int, reason: str, noun: HanWord | None
) -> _Doing:
    """The verb at `index` with its object and what 把 or 向 puts before it; of light and sounds with their noun."""
    start = index
    while start and words[start - 1].text in _BEFORE_A_VERB:
        start -= 1
    marker = next((i for i in range(index - 1, -1, -1) if words[i].text in _MARKERS), None)
    if marker is not None and not any(w.tag.startswith("v") and w.text in _STRONG for w in words[marker + 1 : index]):
        start = marker
    first = words[start].first
    if noun is not None and reason in ("light_stays", "no_such_sound") and first - noun.last <= _CLOSE:
        first = noun.first
    last = min(len(words), index + (3 if _is_doubled(words, index) else 1))
    while last < len(words) and _goes_on(reading, words, last, first):
        last += 1
    while last > index + 1 and words[last - 1].text in _LOOSE_ENDS:
        last -= 1
    phrase = max((hit.last for hit in reading.at.get(words[index].first, ()) if hit.entry.cannot), default=0)
    return _Doing(first, max(phrase, words[last - 1].last), reason)


def _goes_on(reading: Reading, words: tuple[HanWord, ...], at: int, first: int) -> bool:
    """The word at `at` still belongs to the verb that is quoted from token `first` on."""
    word = words[at]
    if word.first != words[at - 1].last or word.text in _STOPS or word.last - first > _LONGEST_CHINESE:
        return False
    state = word.text in load_doings().quiet and word.tag.startswith("v") and word.text[0] not in _DIRECTIONS
    return not state and "camera" not in reading.roles(word.first)


def _chinese_reason(verb: str, subject: str) -> str:
    known = load_doings()
    if verb in known.effects:
        return "keeps_shape"
    if verb in known.sounds:
        return "no_such_sound"
    if verb in known.light and subject not in ("bodies", "animals"):
        return "light_stays"
    if verb.startswith("驶"):
        return "things"
    return subject or "bodies"


def _is_quiet(
    reading: Reading, done: _Done, words: tuple[HanWord, ...], index: int, subject: str, *, sure: str
) -> bool:
    """Asks for nothing, or is done already."""
    known = load_doings()
    word = words[index]
    if any(at in done.used for at in range(word.first, word.last)):
        return True
    if subject != "things" and word.first in done.heard:
        return True
    if _only_describes(words, index) and not sure:
        return True
    if index + 1 < len(words) and words[index + 1].text in known.no_doers and words[index + 1].text != "镜头":
        return True  # 打斗场面
    following = words[index + 1].text if index + 1 < len(words) else ""
    if following in ("中", "时") and index + 2 >= len(words):
        return True  # 战斗中: when, not what
    if sure == "keeps_shape" and following == "的":
        return True  # 破碎的岩石
    marker = next((w for w in words[:index] if w.text in ("把", "将")), None)
    handled = marker is not None and any(reading.names_person(at) for at in range(marker.last, word.first))
    disposed = marker is not None and (len(word.text) == 1 or handled)  # 把门推, 把女主推进水里
    if sure or disposed or _is_doubled(words, index):
        return False
    if word.text == "拍" and following[:1] in ("着", "了", "打"):
        return False  # 轻轻拍着孩子, but no shooting
    if subject == "bodies" and word.text in ("拉", "推", "拽") and following[:1] in ("住", "起", "倒", "扯"):
        return False  # 拉住她的手腕, though the camera that 拉 is told of is done
    if subject == "bodies" and index and words[index - 1].text in _HOW and word.text.endswith("在"):
        return False  # 重重放在桌上
    bare = word.text.removesuffix("着").removesuffix("了")
    if bare != word.text and bare in _STIRRING and subject != "things":
        return False  # 摇着扇子, though the camera that 摇 is told of is done
    if word.text in known.quiet or bare in known.quiet or any(h.entry.speech for h in reading.at.get(word.first, ())):
        return True
    object_ = index + 1
    while (
        object_ < len(words)
        and words[object_].tag[0] in "maqbdux"
        and not _is_face(reading, done, words[object_].first)
    ):
        object_ += 1
    if object_ < len(words) and _is_face(reading, done, words[object_].first):
        return True
    clause = [at for w in words for at in range(w.first, w.last)]
    return subject != "light_stays" and bare in known.carried and any(at in done.weather for at in clause)


def _only_describes(words: tuple[HanWord, ...], index: int) -> bool:
    """ "奔跑的少年": what stands before 的 and its noun tells which one it is."""
    after = [w.text for w in words[index + 1 : index + 3]]
    if after[:1] == ["在"] and any(w.text == "的" for w in words[index + 2 : -1]):
        return True  # 聚集在她身边的三只猫
    if "地" in after:
        return True
    return after[:1] == ["的"] or (len(after) > 1 and after[0] in ("着", "了", "过") and after[1] == "的")
