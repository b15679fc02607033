"""Abbreviations in English text, in words and without the full stop that would end a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_MONTHS: Final = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August",
    "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
_DAYS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_TITLES: Final = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Dr": "Doctor", "Prof": "Professor", "St": "Saint", "Ste": "Saint",
    "Mt": "Mount", "Ft": "Fort", "Gen": "General", "Gov": "Governor", "Sen": "Senator", "Rep": "Representative",
    "Capt": "Captain", "Lt": "Lieutenant", "Col": "Colonel", "Sgt": "Sergeant", "Cmdr": "Commander", "Rev": "Reverend",
    "Hon": "Honorable", "Pres": "President", "Supt": "Superintendent", "Cpl": "Corporal", "Maj": "Major",
    "Adm": "Admiral", "Pvt": "Private", "Fr": "Father", "Messrs": "Messers", "Mme": "Madam", "Atty": "Attorney",
    "Insp": "Inspector", "Det": "Detective",
}  # fmt: skip
# After a capitalised word or a number: of a street, a firm, a person.
_AFTER_NAME: Final = {
    "St": "Street", "Dr": "Drive", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Hwy": "Highway",
    "Pkwy": "Parkway", "Sq": "Square", "Pl": "Place", "Ct": "Court", "Mt": "Mountain", "Jr": "Junior", "Sr": "Senior",
    "Inc": "Incorporated", "Ltd": "Limited", "Corp": "Corporation", "Co": "Company", "Bros": "Brothers",
    "Univ": "University", "Esq": "Esquire", "Hts": "Heights", "Ter": "Terrace",
}  # fmt: skip
_WORDS: Final = {
    "etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department", "Dept": "Department",
    "misc": "miscellaneous", "govt": "government", "apt": "apartment", "Apt": "Apartment", "min": "minimum",
    "max": "maximum", "temp": "temperature", "tel": "telephone", "Tel": "Telephone", "incl": "including",
    "excl": "excluding", "attn": "attention", "Attn": "Attention", "cont": "continued", "est": "established",
    "ext": "extension", "Ext": "Extension", "prof": "professor", "assoc": "associate", "asst": "assistant",
    "Asst": "Assistant", "bldg": "building", "Bldg": "Building", "esp": "especially", "orig": "originally",
    "dist": "district", "Dist": "District", "intl": "international", "mgr": "manager", "Mgr": "Manager",
    "hwy": "highway", "Hwy": "Highway", "ave": "avenue", "blvd": "boulevard", "jr": "junior", "sr": "senior",
    "mr": "mister", "mrs": "missus", "dr": "doctor",
}  # fmt: skip
# Only before a figure, else they are words or the ends of sentences ("no.", "Mar.").
_BEFORE_FIGURE: Final = {
    "No": "number", "no": "number", "Nos": "numbers", "nos": "numbers", "p": "page", "pp": "pages", "P": "Page",
    "Vol": "Volume", "vol": "volume", "Ch": "Chapter", "ch": "chapter", "Fig": "Figure", "fig": "figure",
    "Sec": "Section", "sec": "section", "Art": "Article", "Ex": "Exhibit", "Ref": "reference", "Rm": "Room",
    "rm": "room", "Pt": "Part",
    "ca": "circa", "c": "circa",
}  # fmt: skip
# After a figure: one, several.
_UNITS: Final = {
    "ft": ("foot", "feet"), "in": ("inch", "inches"), "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"), "yd": ("yard", "yards"), "yds": ("yard", "yards"), "mi": ("mile", "miles"),
    "gal": ("gallon", "gallons"), "qt": ("quart", "quarts"), "pt": ("pint", "pints"),
    "tbsp": ("tablespoon", "tablespoons"), "tsp": ("teaspoon", "teaspoons"), "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"), "min": ("minute", "minutes"), "mins": ("minute", "minutes"), "sec": ("second", "seconds"),
    "secs": ("second", "seconds"), "yr": ("year", "years"), "yrs": ("year", "years"), "mo": ("month", "months"),
    "wk": ("week", "weeks"), "km": ("kilometer", "kilometers"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"), "ml": ("milliliter", "milliliters"), "l": ("liter", "liters"),
    "L": ("liter", "liters"), "sq. ft": ("square foot", "square feet"), "sq. mi": ("square mile", "square miles"),
    "sq. m": ("square meter", "square meters"), "cu. ft": ("cubic foot", "cubic feet"), "doz": ("dozen", "dozen"),
}  # fmt: skip
_CLIPPED: Final = {"th": "the", "n": "and", "o": "of", "wi": "with"}  # th' end


def _any(table: Mapping[str, object]) -> str:
    return "|".join(re.escape(key) for key in sorted(table, key=len, reverse=True))


_END: Final = r"(?=\s*$|\s+[\"“'(]?[A-Z])"  # the full stop also ends the sentence
_RULES: Final = (
    re.compile(rf"\b({_any(_MONTHS)})\.?(?= \d{{1,2}}(?:st|nd|rd|th)?\b(?![:%]))"),
    re.compile(rf"\b({_any({k: v for k, v in _MONTHS.items() if k not in ('Mar', 'Jun')})})\."),
)
_DAY: Final = re.compile(rf"\b({_any(_DAYS)})\.(?=,|\s+(?:[a-z\d]|{_any(_MONTHS)}))")
_TITLE: Final = re.compile(rf"\b(?:({_any(_TITLES)})\. ?|(Mr|Mrs|Ms|Dr|St|Mt|Prof) )(?=[A-Z])")
_NAMED: Final = re.compile(rf"(?<=[\w,]) ({_any(_AFTER_NAME)})\.")
_NUMBERED: Final = re.compile(rf"(?<![\w.])({_any(_BEFORE_FIGURE)})\. ?(?=\d)")
_UNIT: Final = re.compile(rf"(?<![\w.,/])(\d++(?:[.,/]\d++)*+)[ -]?({_any(_UNITS)})\.(?!\w)")
_WORD: Final = re.compile(rf"(?<![\w.])({_any(_WORDS)})\.")
_DOTTED: Final = (
    (re.compile(r"(?<![\w.])e\. ?g\.,?"), "for example"),
    (re.compile(r"(?<![\w.])i\. ?e\.,?"), "that is"),
    (re.compile(r"(?<![\w.])a\.k\.a\."), "also known as"),
    (re.compile(r"(?<![\w.])et al\."), "et al"),
    (re.compile(r"(?<![\w.])P\. ?S\.(?= )"), "P.S,"),
    (re.compile(r"(?<![\w.])Ph\. ?D\b\.?"), "PhD"),
    (re.compile(r"(?<![\w.])[cC]/o\b"), "care of"),
    (re.compile(r"(?<![\w.])w/o(?!\w)"), "without"),
    (re.compile(r"(?<![\w.])w/ ?(?=\w)"), "with "),
)
_HALF_DAY: Final = re.compile(r"(?<=[\d ])([aApP])\.[mM]\.?(?!\w)")


def write_out_abbreviations(text: str) -> str:
    """`text` with abbreviations in words. Where an abbreviation ends its sentence, a full stop stays."""
    text = re.sub(r"(?<![\w'’])(th|n|o|wi)['’](?=\s+[A-Za-z])", lambda m: _CLIPPED[m[1]], text)
    text = re.sub(r"(?<![\w])['’‘]n['’‘]?(?=\s)", "and", text)
    for pattern, words in _DOTTED:
        text = pattern.sub(words, text)
    text = _HALF_DAY.sub(_read_half_day, text)
    text = re.sub(r"(?<=\w) Am\b(?=[ ,.!?]|$)", _lower_am, text)
    for rule in _RULES:
        text = rule.sub(lambda m: _MONTHS[m[1]] + _full_stop(m), text)
    text = _DAY.sub(lambda m: _DAYS[m[1]], text)
    text = _NAMED.sub(_read_after_name, text)
    text = _TITLE.sub(lambda m: _TITLES[m[1] or m[2]] + " ", text)
    text = _NUMBERED.sub(lambda m: _BEFORE_FIGURE[m[1]] + " ", text)
    text = _UNIT.sub(lambda m: f"{m[1]} {_UNITS[m[2]][m[1] not in ('1', '1/2', '1/4')]}{_full_stop(m)}", text)
    return _WORD.sub(lambda m: _WORDS[m[1]] + _full_stop(m), text)


_NEVER_LAST: Final = frozenset({"vs", "approx", "incl", "excl", "esp", "attn", "Attn"})


def _full_stop(match: re.Match[str]) -> str:
    """ "." if the abbreviation's own full stop also ends the sentence."""
    if match[1] in _NEVER_LAST:
        return ""
    return "." if match[0].endswith(".") and re.match(_END, match.string[match.end() : match.end() + 8]) else ""


def _read_after_name(match: re.Match[str]) -> str:
    """Elm St. is a street; in Dr. Smith and in a St. Paul nothing comes before that could be its name."""
    before = match.string[max(0, match.start() - 39) : match.start() + 1].split(" ")[-2:]
    last = before[-1] or before[0]
    named = (last[:1].isupper() or last[:1].isdigit() or last.endswith(",")) and last.strip(
        ","
    ).lower() not in _NO_NAMES
    titled = match[1] in _TITLES and re.match(r" [A-Z]", match.string[match.end() : match.end() + 2])
    if not named or titled:
        return match[0]
    return " " + _AFTER_NAME[match[1]] + _full_stop(match)


_NO_NAMES: Final = frozenset(
    {
        "the", "a", "an", "to", "in", "at", "from", "of", "and", "or", "i", "mr", "mrs", "ms", "dr", "hello", "hi",
        "dear", "yes", "no",
    }
)  # fmt: skip


def _lower_am(match: re.Match[str]) -> str:
    """ "Pan Am": in small letters it is a word; after a small word it may be the half of the day."""
    before = match.string[max(0, match.start() - 39) : match.start()].rsplit(" ", 1)[-1]
    return " am" if before[:1].isupper() else match[0]


def _read_half_day(match: re.Match[str]) -> str:
    ends = match[0].endswith(".") and re.match(r"\s*$|\s+[A-Z]", match.string[match.end() : match.end() + 8])
    return f"{match[1].upper()}M" + ("." if ends else "")
