"""Numbers in Chinese words: 20500 -> 两万零五百, 007 -> 零零七."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_GROUPS: Final = ("", "万", "亿", "万亿")
_PLACES: Final = ("", "十", "百", "千")


def read_cardinal(number: str) -> str:
    """An amount as it is read. number: decimal digits, optionally with a fraction ("20500", "3.50")."""
    whole, _, fraction = number.partition(".")
    read = _read_whole(whole.lstrip("0") or "0") if len(whole) <= 16 else read_digits(whole)
    return read + ("点" + read_digits(fraction) if fraction else "")


def read_digits(number: str) -> str:
    """A number as it is read digit by digit."""
    return "".join(_DIGITS[int(d)] for d in number)


def read_as_name(number: str) -> str:
    """A telephone or room number as it is read: digit by digit, 1 as yāo. All but digits is left out."""
    plain = "".join(d for d in number if d in "0123456789")
    groups = [plain[:3], plain[3:7], plain[7:]] if len(plain) == 11 else [plain]
    return " ".join(map(read_digits, groups)).replace("一", "幺")


def _read_whole(number: str) -> str:
    groups = [number[max(0, end - 4) : end] for end in range(len(number), 0, -4)]
    read, gap = "", False
    for rank in range(len(groups) - 1, -1, -1):
        group = groups[rank].lstrip("0")
        if not group:
            gap = True
            continue
        if read and (gap or groups[rank].startswith("0")):
            read += "零"
        read += _read_below_ten_thousand(group) + _GROUPS[rank]
        gap = False
    if not read:
        return "零"
    read = re.sub("^一十", "十", read)
    return re.sub("^二(?=[千万亿])", "两", read)


def _read_below_ten_thousand(group: str) -> str:
    read, gap = "", False
    for place, digit in zip(range(len(group) - 1, -1, -1), group, strict=True):
        if digit == "0":
            gap = True
            continue
        read += ("零" if gap and read else "") + _DIGITS[int(digit)] + _PLACES[place]
        gap = False
    return read
