"""Who is in a prompt: people, animals and voices, each once, however often they are named; what "she" stands for.

It knows what the words say of someone (gender, age, accent, place in the picture), not what they do or say.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import Final, Literal

from vivant.engines.diorama import words_chinese
from vivant.engines.diorama.script.grammar import Hit, Reading, is_denied
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence, is_han
from vivant.engines.diorama.script.words import PersonKind, Place
from vivant.engines.diorama.storyboard import Age, Gender

_BEFORE: Final = 5  # tokens of description before a noun: "a tired old British man"
_AFTER: Final = 9  # and after it: "a woman in a red coat on the left"
_LONGEST_NAME: Final = 100  # characters
_LONGEST_HAN_NAME: Final = 4  # characters
_MOST_NAMES: Final = 40  # that are looked for
_NAMING: Final = ("定义为", "设定为", "命名为", "名为", "名叫", "取名", "记为", "称为", "叫")
# The commoner family names that are seldom the first character of anything else.
_FAMILY_NAMES: Final = frozenset(
    "王李张刘陈杨赵周吴徐孙朱胡郭林梁郑罗宋谢唐韩曹邓萧冯曾蔡彭潘袁董苏吕魏蒋杜沈姜范傅钟卢汪戴崔陆廖姚邱谭韦贾邹孟秦阎薛侯邵顾赖贺尹龚"
)
_TITLES: Final = frozenset("总董哥姐叔姨爷")  # after a family name: 王总, 李姐
# Characters in which the names of women and of men end.
_LABEL: Final = re.compile(
    r"(?:^|[\n。！？”\"」】;；])[ \t]{0,4}([\u4e00-\u9fff]{2,4})"
    r"(?:[（(][^（()）\n]{1,20}[)）][ \t]{0,4}[:：]|[ \t]{0,4}[:：](?P<bare>[ \t]{0,4}(?![ \t“\"「]))?)"
)
_RARE: Final = 600  # times in the dictionary's corpus; commoner names are words too (安静, 明白)
# Last characters of nouns that say what someone does: 赛车手, 魔法师, 快递员, 西装男.
_WORKERS: Final = frozenset("手师员者兵侠匠男女")
_HANDS_BY_TRADE: Final = frozenset(
    {"车手", "骑手", "射手", "水手", "猎手", "杀手", "凶手", "助手", "选手", "高手", "鼓手", "舵手", "旗手", "枪手"}
)
_NO_WORKERS: Final = frozenset(
    {
        "双手",
        "右手",
        "左手",
        "小手",
        "大手",
        "玉手",
        "扶手",
        "把手",
        "或者",
        "前者",
        "后者",
        "男女",
        "动员",
        "挥手",
        "伸手",
        "招手",
        "握手",
    }
)
_LONGEST_ENGLISH_NAME: Final = 3  # words
_LONGEST_REMARK: Final = 6  # tokens of "(softly, off-screen)" before what says that nobody is seen
_MOST_MENTIONS: Final = 200
_SHOWING: Final = frozenset(
    {"is", "are", "was", "be", "show", "shows", "showing", "feature", "features", "featuring", "depict", "depicts",
     "depicting", "reveal", "reveals", "revealing", "follow", "follows", "following", "see", "sees", "capture",
     "captures", "capturing", "track", "tracks", "tracking", "make", "makes", "let", "lets", "has", "have", "watch",
     "watches"}
)  # fmt: skip
_STATES: Final = frozenset({"is", "has", "style", "was", "does", "lens", "looks"})
_OF_WOMEN: Final = frozenset("女姬妃婷娜芳娟娥媛姗妍婉妮莉薇倩娇娅嫣姝姐姨")
_SAYING_WHO: Final = frozenset("男女姬妃姐姨哥叔爷")  # of these, those that are said of nobody else
_OF_MEN: Final = frozenset("男伟强刚磊雄勇彪虎哥叔爷")
_ARTICLES: Final = frozenset(
    {"a", "an", "the", "this", "that", "his", "her", "one", "my", "another", "two", "our", "their"}
)
_ANOTHER: Final = frozenset({"another", "second", "other", "另", "另外"})
_GROUPS: Final = frozenset(
    {"couple", "pair", "duo", "crowd", "group", "family", "audience", "people", "men", "women", "children", "情侣",
     "夫妻", "夫妇", "两人", "二人", "众人", "大家", "人们", "人群"}
)  # fmt: skip
_PLURALS: Final = frozenset({"they", "we", "i", "you", "他们", "她们", "它们", "我们", "我", "你"})


@dataclass(slots=True, eq=False)
class Person:
    """Someone of the prompt. `usually` is the gender that readers suppose while no word tells it. `face_index` is the
    face of the picture that is theirs, once casting.py has found it."""

    name: str
    kind: PersonKind = "someone"
    head: str = ""  # the noun
    gender: Gender = ""
    usually: Gender = ""
    age: Age | Literal[""] = ""
    accents: set[str] = field(default_factory=set)
    place: Place = ""
    face_index: int | None = None

    @property
    def heard_as(self) -> Gender:
        """The gender of the voice."""
        return self.gender or self.usually

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_NAME:  # letters without end, or a page of decoration inside the name
            self.name = self.name[: _LONGEST_NAME - 1] + "…"


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens first..last-1 name the person. `is_object`: spoken to or looked at, not the doer."""

    first: int
    last: int
    person: Person
    is_object: bool


@dataclass(slots=True)
class Cast:
    """Everyone in a prompt, and every place that names one of them, in order."""

    people: list[Person] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def between(self, first: int, last: int) -> list[Mention]:
        """Mentions that start at tokens first..last-1."""
        start = bisect.bisect_left(self.mentions, first, key=lambda mention: mention.first)
        return self.mentions[start : bisect.bisect_left(self.mentions, last, key=lambda mention: mention.first)]

    def doer(self, token: int) -> Person | None:
        """Who was last named as a doer before this token."""
        mention = self.doer_mention(token)
        return mention.person if mention else None

    def doer_mention(self, token: int) -> Mention | None:
        """Where that was."""
        for mention in reversed(self.between(0, token)):
            if not mention.is_object and mention.person.kind != "voice":
                return mention
        return None


def find_people(reading: Reading) -> Cast:
    """Everyone the prompt names, in order."""
    cast = Cast()
    names = _find_names(reading)
    for hit in reading.hits:
        while names and names[0][0] < hit.first:
            _take_name(reading, cast, *names.pop(0))
        kind = hit.entry.person
        if not kind or is_denied(reading, hit) or (_is_loose(hit) and _is_inside_a_noun(reading, hit)):
            continue
        words = reading.written(hit).lower()
        if kind == "body":
            _note_gender(cast, hit, words)
            continue
        if kind == "voice" and _marks_as_unseen(reading, cast, hit):
            cast.mentions[-1].person.kind = "voice"
            continue
        if kind == "pronoun":
            person = _resolve_pronoun(cast, hit, words)
        else:
            person = _resolve_noun(reading, cast, hit, kind, words)
        if person is not None:
            cast.mentions.append(Mention(hit.first, hit.last, person, _is_object(reading, hit.first)))
    for first, last in names:
        _take_name(reading, cast, first, last)
    return cast


def _is_loose(hit: Hit) -> bool:
    """A word that often is a part of others: an animal, 人."""
    return hit.entry.person == "animal" or hit.entry.role == "anyone"


def _is_inside_a_noun(reading: Reading, hit: Hit) -> bool:
    """猫粮, "tiger warning text", "the cat food": no animal."""
    if reading.tokens[hit.first].kind == "han":
        words = reading.parts.han
        place = bisect.bisect_right(words, hit.first, key=lambda word: word.first) - 1
        longer = (
            place >= 0 and words[place].last - words[place].first > hit.last - hit.first and words[place].tag == "n"
        )
        return longer and not _ends_kindly(words[place].text)
    tags = reading.parts.tags
    after = tags[hit.last] if hit.last < len(tags) else ""
    return after in ("NN", "NNS") and not reading.at.get(hit.last) and tags[hit.first] == "NN"


def _ends_kindly(word: str) -> bool:
    """狗子, 猫咪, 马群 are still the animal."""
    return word[-1] in "子儿狗猫咪仔崽群们"


def _marks_as_unseen(reading: Reading, cast: Cast, hit: Hit) -> bool:
    """DETECTIVE (V.O.), 小明（轻声，画外音）, "a reporter off-camera": said of who was named right before."""
    if not cast.mentions or cast.mentions[-1].person.kind != "someone":
        return False
    last = cast.mentions[-1].last
    between = [token.text for token in reading.tokens[last : hit.first]]
    if not between:
        return reading.tokens[hit.first].text == "off" or reading.tokens[hit.first].text.startswith("offscreen")
    opens = between[0] in ("(", "[") and len(between) <= _LONGEST_REMARK
    return opens and not {")", "]", "\n"} & set(between)


def _find_names(reading: Reading) -> list[tuple[int, int]]:
    """Names that no lexicon lists, in order: Chinese ones by their family name, where a clause opens with them or
    where they stand again, and what someone is called in quotation marks: 将穿白裙的女人定义为「周婷」."""
    known = set(given_names(reading)[:_MOST_NAMES])
    for at, token in enumerate(reading.tokens):
        if (
            len(known) < _MOST_NAMES
            and token.text in _FAMILY_NAMES
            and (at == 0 or not is_han(reading.tokens[at - 1].text))
        ):
            last = _end_of_name(reading, at)
            if last:
                known.add(reading.text[token.start : reading.tokens[last - 1].end])
    known |= set(_known_names(reading)[: _MOST_NAMES - len(known)])
    known |= set(_labels(reading)[: _MOST_NAMES - len(known)])
    found: list[tuple[int, int]] = _find_english_names(reading)
    at, openings = 0, {name[0] for name in known}
    while at < len(reading.tokens) and known:
        token = reading.tokens[at]
        character = reading.text[token.start]
        name = next((n for n in known if reading.text.startswith(n, token.start)), "") if character in openings else ""
        if name and token.kind == "han" and not reading.at.get(at):
            found.append((at, at + len(name)))
            at += len(name)
        else:
            at += 1
    return sorted(found)


def _known_names(reading: Reading) -> list[str]:
    """Names that the dictionary has (包拯) and people by what they do (赛车手, 西装男), where no list names them. A
    name must stand twice, for many are words too."""
    found = []
    for word in reading.parts.han:
        covered = any(
            h.content or (h.entry.person and len(word.text) > 1 and h.last - h.first > 1)
            for at in range(word.first, word.last)
            for h in reading.at.get(at, ())
        )
        if covered or not 1 < len(word.text) <= _LONGEST_HAN_NAME or word.tag not in ("n", "x"):
            continue
        rare = words_chinese.is_name(word.text) and words_chinese.count(word.text) < _RARE
        if (rare and reading.text.count(word.text) > 1) or _names_by_work(word.text):
            found.append(word.text)
    return list(dict.fromkeys(found))


def _names_by_work(noun: str) -> bool:
    return noun in _HANDS_BY_TRADE or (len(noun) > 2 and noun[-1] in _WORKERS and noun[-2:] not in _NO_WORKERS)


def _labels(reading: Reading) -> list[str]:
    """Names of Chinese labels whatever the family name: 项羽（画外音）：“…” and 露西：“…”"""
    found = []
    for match in _LABEL.finditer(reading.text):
        first = bisect.bisect_left(reading.tokens, match.start(1), key=lambda token: token.start)
        length = len(match[1])
        tokens = reading.tokens[first : first + length]
        known = any(reading.at.get(first + n) for n in range(length))
        if match["bare"] is not None and reading.text.count(match[1]) < 2:
            continue  # a heading rather than a name
        if not known and len(tokens) == length and all(token.kind == "han" for token in tokens):
            found.append(match[1])
    return found


def _find_english_names(reading: Reading) -> list[tuple[int, int]]:
    """Capitalised words that no lexicon lists and that do something, or have a face, somewhere in the prompt: "Wu Song
    pauses", "Mira's eyes". As tokens, each place where such a name stands."""
    runs: list[tuple[int, int]] = []
    at = 0
    while at < len(reading.tokens):
        last = at
        while last < len(reading.tokens) and last - at < _LONGEST_ENGLISH_NAME and _is_capitalised(reading, last):
            last += 1
        if last > at and reading.at.get(at):
            last = at  # a word of the lexicon may end a name, not begin it: Wu Song
        if last > at:
            runs.append((at, last))
        at = max(last, at + 1)
    named = {_words(reading, first, last) for first, last in runs if _acts(reading, last)}
    return [run for run in runs if _words(reading, *run) in named][:_MOST_MENTIONS] if named else []


def _is_capitalised(reading: Reading, at: int) -> bool:
    token = reading.tokens[at]
    written = reading.text[token.start : token.end]
    if token.kind != "word" or not (written[0].isupper() and written[1:].islower()):
        return False
    return reading.parts.tags[at] == "NNP"


def _acts(reading: Reading, after: int) -> bool:
    """What stands behind a name is a verb of the third person, or 's and a part of the body."""
    tags = reading.parts.tags
    if after + 1 >= len(tags):
        return False
    if tags[after] == "POS" or reading.tokens[after].text in ("'s", "s"):
        return any(hit.entry.person == "body" or hit.entry.action for hit in reading.at.get(after + 1, ()))
    at = after + 1 if tags[after] == "RB" else after
    does = any(hit.entry.action or hit.entry.speech for hit in reading.at.get(at, ()))
    return tags[at] == "VBZ" and (does or reading.tokens[at].text not in _STATES)


def _words(reading: Reading, first: int, last: int) -> str:
    return " ".join(token.text for token in reading.tokens[first:last])


def given_names(reading: Reading) -> list[str]:
    """Chinese names in quotation marks after 定义为, 名叫 …"""
    quotes = [at for at, token in enumerate(reading.tokens) if token.kind == "quote"]
    return [
        quotation.inner
        for at, quotation in zip(quotes, reading.quotations, strict=True)
        if 1 < len(quotation.inner) <= _LONGEST_HAN_NAME and all(is_han(c) for c in quotation.inner)
        if reading.text[: quotation.start].rstrip().endswith(_NAMING)
    ]


def _end_of_name(reading: Reading, first: int) -> int:
    """One past a name of two or three characters that opens a clause at token `first`; 0 when it is none."""
    second = reading.tokens[first + 1].text if first + 1 < len(reading.tokens) else ""
    for length in (2,) if second in _TITLES else (3, 2):
        last = first + length
        tokens = reading.tokens[first:last]
        if len(tokens) < length or any(t.kind != "han" or reading.at.get(first + n) for n, t in enumerate(tokens)):
            continue
        text = reading.text[tokens[0].start : tokens[-1].end]
        titled = length == 2 and tokens[-1].text in _TITLES
        hits = reading.at.get(last, ())
        does = titled or any(h.entry.speech or h.entry.action or h.entry.cannot or h.entry.tone for h in hits)
        labels = last < len(reading.tokens) and reading.tokens[last].text in (":", "(")
        if does or labels or reading.text.count(text) > 1:
            return last
    return 0


def _take_name(reading: Reading, cast: Cast, first: int, last: int) -> None:
    """Someone by that name, who may be new."""
    name = reading.text[reading.tokens[first].start : reading.tokens[last - 1].end]
    person = next((known for known in cast.people if known.head == name), None)
    if person is None:
        usually: Gender = "woman" if name[-1] in _OF_WOMEN else "man" if name[-1] in _OF_MEN else ""
        gender = _gender_of_called(reading, cast, name) or (usually if name[-1] in _SAYING_WHO else "")
        person = Person(name=name, head=name, gender=gender, usually=usually)
        cast.people.append(person)
    cast.mentions.append(Mention(first, last, person, _is_object(reading, first)))


def _gender_of_called(reading: Reading, cast: Cast, name: str) -> Gender:
    """That of the noun before the quotation marks in which the name was given."""
    for at, token in enumerate(reading.tokens):
        if token.kind == "quote" and reading.text[token.start + 1 : token.end - 1] == name:
            nouns = [m.person for m in cast.between(0, at) if reading.sentence[m.first] == reading.sentence[at]]
            return nouns[-1].gender if nouns else ""
    return ""


def _note_gender(cast: Cast, hit: Hit, words: str) -> None:
    """A possessive ("the teacher smiles, her eyes bright") tells the gender of who was mentioned last."""
    gender: Gender = "woman" if words == "her" else "man" if words == "his" else ""
    last = next((m.person for m in reversed(cast.mentions) if m.person.kind != "animal"), None)
    if gender and last is not None and not last.gender:
        last.gender = gender


def _resolve_pronoun(cast: Cast, hit: Hit, words: str) -> Person | None:
    """The last person of that gender, or the last whose gender was open and is now known, or someone new."""
    if words in ("it", "它"):
        return next((m.person for m in reversed(cast.mentions) if m.person.kind == "animal"), None)
    if words in _PLURALS or not hit.entry.gender:
        return None
    for wanted in (hit.entry.gender, ""):
        for mention in reversed(cast.mentions):
            person = mention.person
            if _is_plural(person.head):
                continue  # "same couple. she says …"
            if person.kind == "animal" and not wanted and is_han(words[0]):
                continue  # 它 stands for animals
            if person.gender == wanted and (person.kind != "voice" or wanted):
                person.gender = hit.entry.gender
                return person
    person = Person(name=words, head=words, gender=hit.entry.gender)
    cast.people.append(person)
    return person


def _is_plural(noun: str) -> bool:
    word = noun.split()[-1] if noun else ""
    return word in _GROUPS or (word.endswith("s") and not word.endswith("ss")) or word.endswith("们")


def _resolve_noun(reading: Reading, cast: Cast, hit: Hit, kind: PersonKind, words: str) -> Person | None:
    """The person a noun names: someone known, or someone new; None for a noun that names nobody."""
    entry = hit.entry
    label = hit.last < len(reading.tokens) and reading.tokens[hit.last].text == ":"
    if entry.role == "nobody" or (entry.role == "anyone" and label):  # "Subject: a young woman"
        return None
    mark = _mark(reading, hit)
    name, head = _name(reading, hit) + mark, words + mark.lower()
    described = Person(name=name, kind=kind, head=head, gender=entry.gender, usually=entry.usually, age=entry.age)
    if entry.accent:
        described.accents.add(entry.accent)
    another = _note_description(reading, hit, described)
    if entry.role == "anyone" and cast.people and not another and not described.place and not mark:
        return next((p for p in reversed(cast.people) if p.kind != "voice"), None)
    if not another and (known := _find_known(cast, described)):
        known.age = known.age or described.age
        known.gender = known.gender or described.gender
        known.usually = known.usually or described.usually
        known.place = known.place or described.place
        known.accents |= described.accents
        return known
    cast.people.append(described)
    return described


def _mark(reading: Reading, hit: Hit) -> str:
    """What tells one from another of the same noun: 男人A, "Character B", "Speaker 2". With its blank."""
    if hit.last >= len(reading.tokens):
        return ""
    token, before = reading.tokens[hit.last], reading.tokens[hit.last - 1]
    gap = reading.text[before.end : token.start]
    written = reading.text[token.start : token.end]
    letter = len(written) == 1 and "A" <= written <= "H" and token.kind == "word"
    figure = len(written) == 1 and token.kind == "number"
    after = reading.tokens[hit.last + 1].text if hit.last + 1 < len(reading.tokens) else "."
    ends = after in (":", "(", ",", ".", ")", "]", "\n") or not (letter or after.isalnum()) or letter
    if (letter or (figure and ends)) and gap in ("", " "):
        return gap + written
    return ""


def _note_description(reading: Reading, hit: Hit, person: Person) -> bool:
    """Take up age, accent and place said beside the noun. True if the words say that this is another one."""
    another = False
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _BEFORE), -1):
        token = reading.tokens[at]
        if ends_clause(token) or ends_sentence(token) or token.kind == "quote" or reading.names_person(at):
            break
        another = another or token.text in _ANOTHER
        _note_traits(reading, at, person)
    for at in range(hit.last, min(hit.last + _AFTER, len(reading.tokens))):
        token = reading.tokens[at]
        if (
            ends_sentence(token)
            or token.kind == "quote"
            or (reading.names_person(at) and not _of_the_body(reading, at))
        ):
            break
        if token.text in (":", ",") and is_han(reading.tokens[hit.first].text[0]):
            break
        if any(other.entry.speech or other.entry.camera for other in reading.at.get(at, ())):
            break
        _note_traits(reading, at, person, after=True)
    return another


def _of_the_body(reading: Reading, at: int) -> bool:
    return all(hit.entry.person in ("body", "") for hit in reading.at.get(at, ()))


def _note_traits(reading: Reading, at: int, person: Person, *, after: bool = False) -> None:
    """Take up what the words at this token say of a person. after: they follow the noun."""
    for hit in reading.at.get(at, ()):
        entry = hit.entry
        if entry.person or entry.camera:
            continue
        # "an old man on the left": places and years may follow the noun, bare adjectives may not.
        loose = hit.last - hit.first == 1 and after and reading.tokens[at - 1].text != "("
        if entry.age and not person.age and not loose:
            person.age = entry.age
        if entry.face and not person.place and (not loose or is_han(reading.tokens[at].text[0])):
            person.place = entry.face
        if entry.accent:
            person.accents.add(entry.accent)
        if entry.gender and not person.gender:
            person.gender = entry.gender


def _find_known(cast: Cast, new: Person) -> Person | None:
    """The last person of the same noun whose age, place and gender do not contradict."""
    for known in reversed(cast.people):
        if known.kind != new.kind or not _same_noun(known.head, new.head):
            continue
        if new.age and known.age and new.age != known.age:
            continue
        if new.place and known.place and new.place != known.place:
            continue
        if new.gender and known.gender and new.gender != known.gender:
            continue
        return known
    return None


def _same_noun(one: str, other: str) -> bool:
    if is_han(one[0]) or is_han(other[0]):
        return one.endswith(other) or other.endswith(one)
    return one.split()[-1] == other.split()[-1]


def _is_object(reading: Reading, first: int) -> bool:
    """ "To", "at", 对 or 看着 stands before it, with nothing but its own article and adjectives between; or, of an
    animal, a verb whose object it is: "carrying a fluffy cat"."""
    if any(hit.entry.person == "animal" for hit in reading.at.get(first, ())) and _follows_its_verb(reading, first):
        return True
    for at in range(first - 1, max(-1, first - 1 - _BEFORE), -1):
        token, roles = reading.tokens[at], reading.roles(at)
        if "to" in roles:
            return True
        if ends_clause(token) or ends_sentence(token) or token.kind == "quote":
            return False
        if reading.names_person(at) and token.text not in _ARTICLES:  # "toward her friend"
            return False
        if roles & {"and", "as", "then"} or any(h.content for h in reading.at.get(at, ())):
            return False
        if token.text in _ARTICLES and at and "to" not in reading.roles(at - 1):
            return False
    return False


def _follows_its_verb(reading: Reading, first: int) -> bool:
    if reading.tokens[first].kind == "han":
        verb, mark = (token.text for token in reading.tokens[first - 2 : first]) if first > 1 else ("", "")
        return mark in ("着", "住") and verb != "有"
    tags = reading.parts.tags
    at = first - 1
    while at >= 0 and tags[at] in ("DT", "JJ", "PRP$", "NN", "HYPH", "CD", "VBN"):
        at -= 1
    if at < 0 or not tags[at].startswith("VB") or at == first - 1:
        return False
    return reading.tokens[at].text not in _SHOWING and not any(hit.entry.speech for hit in reading.at.get(at, ()))


def _name(reading: Reading, hit: Hit) -> str:
    """The words themselves, from the article on: "the old man", 左边的女人."""
    first = hit.first
    han = is_han(reading.tokens[hit.first].text[0])
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _BEFORE), -1):
        token, hits = reading.tokens[at], reading.at.get(at, ())
        describes = token.text == "的" or any(h.entry.age or h.entry.face or h.entry.accent for h in hits)
        if han and describes:
            first = at
        elif han or token.kind != "word" or reading.names_person(at) or {"to", "as", "and", "then"} & reading.roles(at):
            break
        elif token.text in _ARTICLES:
            words = reading.text[token.end : reading.tokens[hit.last - 1].end]
            article = "the" if token.text in ("a", "an", "one") else token.text
            return f"{article} {' '.join(words.split())}"
    text = reading.text[reading.tokens[first].start : reading.tokens[hit.last - 1].end]
    return " ".join(text.split()).removeprefix("的").removesuffix("传来")
