"""Figures in Chinese text, written as they are read: 2024年5月 -> 二零二四年五月, 3.5公斤 -> 三点五公斤."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_GROUPS: Final = ("", "万", "亿", "万亿")
_PLACES: Final = ("", "十", "百", "千")
_NUMBER: Final = r"\d+(?:\.\d+)?"
# After these words a number is read digit by digit, not as an amount.
_NAMING: Final = r"(?:电话|手机|号码|密码|邮编|房间|航班|车牌|编号|代码|尾号|拨打|热线)[是为号:： ]{0,3}"
_CLASSIFIERS: Final = (
    "个位名只条张块瓶杯份本辆台匹头天年小时分钟秒岁次遍件双对颗朵片间座家层首句段场把支枝根斤公元倍种类群层碗盒袋"
)
_UNITS: Final = {
    "km/h": "公里每小时", "m/s": "米每秒", "km": "公里", "kg": "公斤", "cm": "厘米", "mm": "毫米", "ml": "毫升",
    "mL": "毫升", "mg": "毫克", "m²": "平方米", "㎡": "平方米", "m": "米", "g": "克", "L": "升", "h": "小时",
}  # fmt: skip
_MONEY: Final = {"$": "美元", "¥": "元", "￥": "元", "€": "欧元", "£": "英镑"}
_SCALES: Final = "千万|百万|十万|亿|万|千|百"


def read_cardinal(number: str) -> str:
    """An amount as it is read. number: decimal digits, optionally with a fraction ("20500", "3.50")."""
    whole, _, fraction = number.partition(".")
    read = _read_whole(whole.lstrip("0") or "0") if len(whole) <= 16 else read_digits(whole)
    return read + ("点" + read_digits(fraction) if fraction else "")


def read_digits(number: str) -> str:
    """A number as it is read digit by digit."""
    return "".join(_DIGITS[int(d)] for d in number)


def read_figures(text: str) -> str:
    """`text` with every figure written as it is read; all else is unchanged."""
    text = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", text)
    text = re.sub(rf"({_NAMING})(\d[\d -]*\d)", lambda m: m[1] + _read_as_name(m[2]), text)
    text = re.sub(r"(?<!\d)1[3-9]\d{9}(?!\d)", lambda m: _read_as_name(m[0]), text)
    text = re.sub(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)400-?\d{3}-?\d{4}(?!\d)", lambda m: _read_as_name(m[0]), text)
    text = re.sub(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?!\d)", _read_clock, text)
    text = re.sub(r"(?<!\d)(\d{4})[-/.]0?(\d{1,2})[-/.]0?(\d{1,2})(?!\d)", r"\1年\2月\3日", text)
    text = re.sub(r"(?<!\d)(\d{4}|[5-9]\d)(?=年(?!前|后|来|间|内|以|的时间|之|多))", lambda m: read_digits(m[1]), text)
    text = re.sub(rf"([$¥￥€£])({_NUMBER})({_SCALES})?", lambda m: f"{m[2]}{m[3] or ''}{_MONEY[m[1]]}", text)
    text = re.sub(rf"({_NUMBER})%", lambda m: "百分之" + read_cardinal(m[1]), text)
    text = re.sub(rf"({_NUMBER})‰", lambda m: "千分之" + read_cardinal(m[1]), text)
    text = re.sub(
        r"(?<![\d/])(\d{1,4})/(\d{1,4})(?![\d/])", lambda m: read_cardinal(m[2]) + "分之" + read_cardinal(m[1]), text
    )
    text = re.sub(r"(?<![\dA-Za-z])[-−](?=\d)", "负", text)
    text = re.sub(r"(?<=\d)\s?(?:℃|°C|° C)", "摄氏度", text)
    text = re.sub(r"(?<=\d)\s?(?:℉|°F)", "华氏度", text)
    text = re.sub(r"(?<=\d)°", "度", text)
    text = re.sub(r"(?<=\d)\s?[-–—~～至](?=\d)", "到", text)
    units = "|".join(map(re.escape, _UNITS))
    text = re.sub(rf"(?<=\d)\s?({units})(?![A-Za-z])", lambda m: _UNITS[m[1]], text)
    text = re.sub(rf"(?<![第\d.])2(?=[{_CLASSIFIERS}百千万亿]|点(?!\d))", "两", text)
    text = re.sub(r"(?<![\d.])0\d+(?![\d.])|(?<![\d.])\d{17,}", lambda m: read_digits(m[0]), text)
    return re.sub(_NUMBER, lambda m: read_cardinal(m[0]), text)


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


def _read_as_name(number: str) -> str:
    """A telephone or room number as it is read: digit by digit, 1 as yāo."""
    plain = re.sub(r"\D", "", number)
    groups = [plain[:3], plain[3:7], plain[7:]] if len(plain) == 11 else [plain]
    return " ".join(map(read_digits, groups)).replace("一", "幺")


def _read_clock(match: re.Match[str]) -> str:
    hour, minute, second = match.groups()
    read = ("两" if int(hour) == 2 else read_cardinal(hour)) + "点"
    if int(minute):
        read += ("零" if minute[0] == "0" else "") + read_cardinal(minute) + "分"
    elif not second:
        read += "整"
    if second and int(second):
        read += ("零" if second[0] == "0" else "") + read_cardinal(second) + "秒"
    return read
