"""Figures in English text that are no plain amounts, in words: numbers that are names, heights, codes, 10m and 2m.

Every rule is one regular expression that is applied once and reads a figure from its first digit only; so the time is
linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vivant.engines.diorama.sound.speech.numerals_english import cardinal, read_as_name, read_digits

# Before a number these say that it is a name.
_NAMING: Final = (
    "boeing|airbus|flight|route|interstate|highway|room|suite|apartment|gate|bus|channel|model|porsche|peugeot|ferrari|"
    "bmw|levi's|agent|area code|zip code|zip|extension|ext|pin|code|locker|cell|train|psalm|rtx|gtx|ryzen|nokia|canon|"
    "galaxy|windows|office|formula|studio|pier|platform|track"
)
_NAMED: Final = re.compile(rf"\b((?i:{_NAMING})) (?:#|No\. ?)?(\d{{3,6}})(?![\d%°$:-]|[.,]\d|[A-Za-z])")
_COUNTED: Final = (
    r"(?:views?|followers?|subscribers?|users?|people|fans|likes|downloads|copies|dollars|euros|pounds|years?|streams|"
    r"plays|sales|viewers|customers|players|members|votes|clicks|visitors|bucks|jobs|units|tons|children|Americans|"
    r"more|of|in|subs|a year|per year)\b"
)
_SCALED: Final = re.compile(rf"(?<![\w.,])([$£€]?)(\d++(?:[.,]\d++)*+)([kKmMbB])(?=[ -]{_COUNTED})")
_THOUSANDS: Final = re.compile(
    r"(?<![\w.,$£€])(\d++(?:\.\d++)?)k(?![\w-])(?! (?:run|race|video|screen|monitor|tv|TV|resolution|walk|jog)\b)"
)
_METRES: Final = re.compile(r"(?<![\w.,$£€])(\d++(?:[.,]\d++)*+) ?m(?![\w'’²³/])")
_SQUARE: Final = {"²": "square ", "2": "square ", "³": "cubic ", "3": "cubic "}
_POWERS: Final = re.compile(r"(?<![\w.,])(\d++(?:[.,]\d++)*+) ?(km|cm|mm|m|ft|in)(²|³|2\b|3\b)")
_LENGTHS: Final = {
    "km": "kilometers", "cm": "centimeters", "mm": "millimeters", "m": "meters", "ft": "feet", "in": "inches",
}  # fmt: skip
_HEIGHT: Final = re.compile(
    r"(?<![\w.'’])([1-9])(?:['’′] ?| ?ft\.? ?)(\d{1,2})(?:[\"”″]|''|’’| ?in\b\.?)?(?![\d.,'’]\d)(?![\w%])"
)
_FEET: Final = re.compile(r"(?<![\w.])(\d{1,3})′(?!\w)")
_INCHES: Final = re.compile(r"(?<![\w.])(\d++(?:\.\d++)?)″")
_DECADE: Final = re.compile(r"['’‘](?=(\d)0s\b)\d0s\b")
_DECADES: Final = ("", "", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
_SIGNS: Final = {
    "+": "plus",
    "×": "times",
    "*": "times",
    "x": "times",
    "÷": "divided by",
    "=": "equals",
    "-": "minus",
    "−": "minus",
    "/": "over",
}
_SUM: Final = re.compile(
    r"(?<![\w.,])\d++(?:\.\d++)?(?: ?[-+−×*x÷/] ?\d++(?:\.\d++)?){1,9}+ ?= ?(?:\d++(?:\.\d++)?(?![\w.])|(?=\?))"
)
# 555-0199, (212) 555-0199, +1 212.555.0199
_PHONE: Final = re.compile(
    r"(?<![\w.,:/$£€#-])(?:(?:\+?\d{1,3}[ -])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}|[2-9]\d{2}-\d{4})"
    r"(?![\w%°-]|[.,:/]\d)"
)
# A4, B-52, MP3, H2O, R2-D2, 12B: capitals and figures in turn.
_CODE: Final = re.compile(
    r"(?<![\w'’.&$£€#@-])(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)(?:[A-Z]{1,5}|\d{1,4})(?:-?(?:[A-Z]{1,5}|\d{1,4}))++(?![\w'’%°]|-\w)"
)
_CODE_PARTS: Final = re.compile(r"[A-Z]+|\d+")
_SUFFIXED: Final = re.compile(
    r"\d+(?:ST|ND|RD|TH|AM|PM|KM|CM|MM|KG|M|B|K|S|X|GB|MB|TB|KB|HZ|KHZ|MHZ|GHZ|MPH|KWH|MAH|KW|MW|GW|FPS|CC|HR|FT|LB|OZ|ML|MG|D)"
)


def write_out_figures(text: str, spell: Callable[[str], str]) -> str:
    """`text` with figures that are no plain amounts in words. spell: capitals -> the same as they are spelled."""
    text = re.sub(r"\b9/11\b(?!/)", "nine eleven", text)
    text = _SUM.sub(_read_sum, text)
    text = _PHONE.sub(_read_phone, text)
    text = _HEIGHT.sub(_read_height, text)
    text = _FEET.sub(r"\1 feet", text)
    text = _INCHES.sub(r"\1 inches", text)
    text = _DECADE.sub(lambda m: _DECADES[int(m[1])] if m[1] > "1" else m[0], text)
    text = _POWERS.sub(lambda m: f"{m[1]} {_SQUARE[m[3]]}{_LENGTHS[m[2]]}", text)
    text = _SCALED.sub(lambda m: f"{m[1]}{m[2]} {_SCALES[m[3].lower()]}", text)
    text = _THOUSANDS.sub(r"\1 thousand", text)
    text = _METRES.sub(lambda m: f"{m[1]} meter{'' if m[1] == '1' else 's'}", text)
    text = _NAMED.sub(lambda m: f"{m[1]} {read_as_name(m[2])}", text)
    text = re.sub(r"(?<![\w#])#(?=\d{1,3}(?!\w))", "number ", text)
    text = re.sub(r"(?<![\w.,:/-])(00\d)(?![\w%]|[.,:/-]\d)", lambda m: read_as_name(m[1]), text)
    return _CODE.sub(lambda m: _read_code(m, spell), text)


_SCALES: Final = {"k": "thousand", "m": "million", "b": "billion"}


def _read_sum(match: re.Match[str]) -> str:
    return re.sub(r" ?([-+−×*x÷/=]) ?", lambda m: f" {_SIGNS[m[1]]} ", match[0]).strip()


def _read_phone(match: re.Match[str]) -> str:
    """Digit by digit, with a pause between the groups."""
    return ", ".join(map(read_digits, re.findall(r"\d+", match[0])))


def _read_height(match: re.Match[str]) -> str:
    inches = int(match[2])
    if inches > 11:
        return match[0]
    return f"{cardinal(int(match[1]))} foot" + (f" {cardinal(inches)}" if inches else "")


def _read_code(match: re.Match[str], spell: Callable[[str], str]) -> str:
    code = match[0]
    if _SUFFIXED.fullmatch(code) or code.startswith("-") or re.fullmatch(r"[A-Z]+", code):
        return code
    parts = [read_as_name(part) if part.isdigit() else spell(part) for part in _CODE_PARTS.findall(code)]
    return " ".join(parts)
