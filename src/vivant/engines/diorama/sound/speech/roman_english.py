"""Roman numerals in English text, in words: Part III -> Part three, Henry VIII -> Henry the eighth."""

from __future__ import annotations

import re
from typing import Final

from vivant.engines.diorama.sound.speech.numerals_english import cardinal, ordinal

# After these words a Roman numeral counts, also one of a single letter.
_NUMBERED: Final = frozenset(
    {
        "chapter", "part", "act", "scene", "section", "volume", "vol", "book", "phase", "article", "war", "mark",
        "mk", "type", "level", "stage", "class", "grade", "bowl", "apollo", "gemini", "saturn", "fantasy", "episode",
        "round", "rocky", "title", "appendix", "table", "figure", "season", "game", "lesson", "unit", "step",
        "exhibit", "schedule", "factor", "tier", "zone", "group", "mission", "generation", "gen", "vatican",
        "olympiad", "category", "stratum", "tablet", "canto", "psalm", "movement", "symphony", "sonata",
        "concerto", "opus", "suite", "quartet",
    }
)  # fmt: skip
# Names of those who are counted: after them a numeral is an ordinal.
_RULERS: Final = frozenset(
    {
        "pope", "king", "queen", "emperor", "empress", "tsar", "czar", "sultan", "henry", "louis", "edward",
        "george", "william", "charles", "james", "richard", "elizabeth", "mary", "napoleon", "pius", "benedict",
        "leo", "paul", "john", "gregory", "clement", "innocent", "urban", "ramses", "ramesses", "frederick",
        "friedrich", "philip", "philippe", "felipe", "alexander", "nicholas", "peter", "catherine", "ivan",
        "umberto", "emmanuel", "gustav", "gustavus", "christian", "ferdinand", "francis", "franz", "otto", "wilhelm",
        "leopold", "albert", "alfonso", "haakon", "olaf", "harald", "carl", "karl", "margrethe", "juliana",
        "cleopatra", "ptolemy", "darius", "cyrus", "xerxes", "thutmose", "amenhotep", "seti", "mehmed", "murad",
        "selim", "suleiman", "rudolf", "maximilian", "joseph", "constantine", "justinian", "theodosius", "sigismund",
        "ludwig", "boris", "baldwin", "malcolm", "robert", "david", "kenneth", "stephen", "eric", "canute", "magnus",
        "boniface", "sixtus", "julius", "adrian", "celestine", "hussein", "abdullah", "mohammed", "hassan", "rama",
        "meiji", "pedro", "manuel", "sancho", "juan", "carlos",
    }
)  # fmt: skip
_GIVEN: Final = _RULERS | frozenset(
    {
        "thomas", "walter", "harry", "frank", "fred", "arthur", "edwin", "ernest", "howard", "samuel", "daniel",
        "joseph", "benjamin", "andrew", "michael", "patrick", "theodore", "raymond", "clarence", "cornelius",
        "winston", "preston", "thurston", "sebastian", "jack", "sammy", "hank", "ken", "martin", "loudon",
    }
)  # fmt: skip
_NUMERAL: Final = re.compile(
    r"(?<![\w'’])(?P<lead>[^\W\d_][\w'’]*+) (?P<name>[^\W\d_][\w'’]*+) (?P<both>[IVXLC]++)(?![\w-]|['’.]\w)"
    r"|(?<![\w'’])(?P<only>[^\W\d_][\w'’]*+) (?P<one>[IVXLC]++)(?![\w-]|['’.]\w)"
)
_WORLD_WAR: Final = re.compile(r"(?<![\w'’-])WW ?(III|II|I|[123])(?![\w'’]*\w)")
_SHORTENED: Final = re.compile(r"(?<![\w.])((?i:vol|ch|pt|no|fig|sec|art|ex)\. )([IVXLC]++)(?![\w-]|['’.]\w)")
_VALID: Final = re.compile(r"(?=.)(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
# What may follow a king's "I" so that it is not the word: Charles I was, but: Charles I love you.
_AFTER_FIRST: Final = re.compile(
    r"\s*(?:$|[,.;:!?)]|(?:was|is|of|and|had|died|ruled|reigned|became|who|in|to|the|at)\b)"
)


def write_out_roman(text: str) -> str:
    """`text` with the Roman numerals that follow a name, a word like Chapter, or WW for World War, in words."""
    text = _WORLD_WAR.sub(lambda m: f"World War {cardinal(int(m[1]) if m[1].isdigit() else len(m[1]))}", text)
    text = _SHORTENED.sub(lambda m: m[1] + str(_value(m[2])) if _VALID.fullmatch(m[2]) else m[0], text)
    return _NUMERAL.sub(_write, text)


def _write(match: re.Match[str]) -> str:
    lead, name, numeral = match["lead"] or "", match["name"] or match["only"], match["both"] or match["one"]
    begun = match[0][: len(match[0]) - len(numeral)]
    if not _VALID.fullmatch(numeral) or (not name[0].isupper() and name.lower() not in _NUMBERED):
        return match[0]
    if name.lower() in _NUMBERED:
        if numeral == "I" and not name[0].isupper():
            return match[0]  # the part I like
        return begun + cardinal(_value(numeral))
    if name.lower() in _RULERS:
        if numeral == "I" and not _AFTER_FIRST.match(match.string, match.end()):
            return match[0]
        return begun + "the " + ordinal(_value(numeral))
    if len(numeral) == 1 or not re.fullmatch("[IVX]+", numeral) or re.fullmatch("X+", numeral):
        return match[0]
    if lead.lower() in _GIVEN and lead[:1].isupper():
        return begun + "the " + ordinal(_value(numeral))
    return begun + cardinal(_value(numeral))


def _value(numeral: str) -> int:
    total = 0
    for sign, following in zip(numeral, [*numeral[1:], "I"], strict=True):
        value = _VALUES[sign]
        total += -value if _VALUES[following] > value else value
    return total
