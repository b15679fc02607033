"""Figures and the signs between them in a Chinese line, written as they are read: 3:2 -> 三比二, 5-3=2 -> 五减三等于二.

Every rule is one regular expression that is applied once, from left to right, and reads a figure from its first digit
only; so the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import Final

from vivant.engines.diorama.sound.speech.numerals_chinese import read_as_name, read_cardinal, read_digits
from vivant.engines.diorama.sound.speech.units_chinese import read_units

_NUMBER: Final = r"(?<![\d.])\d++(?:\.\d++)?"
# After these words, or before these, a number is read digit by digit, not as an amount.
_NAMING: Final = (
    r"(?:电话|手机|号码|密码|邮编|房间|航班|车牌|编号|代码|尾号|拨打|热线|学号|工号|单号|验证码|房号|门牌|微信|账号|卡号|"
    r"(?:请|快|就|去|马上|立即|赶紧)?(?:打|拨))[是为号:： ]{0,3}"
)
_ROOMS: Final = r"(?=号?(?:房间?|室|包间|包厢|教室|病房|会议室|宿舍)|航班|次列车|次(?:高铁|动车)|路公交|号航班)"
# Numbers to call. The short ones are amounts as well, so a word of calling must stand beside them.
_HOTLINE: Final = re.compile(
    r"(?:(?<=[打拨叫报找])(?:110|119|120|122|114|911|999)(?![\d.]|[元块个人米岁次万千%])"
    r"|(?<![\d.])(?:110|119|120|122|114|911|999)(?=报警|急救|热线|电话|警|救护|台|来了|中心)"
    r"|(?<![\d.])(?:10086|10010|10000|12306|12315|12345|95588|95555)"
    r"(?![\d.A-Za-z°℃]|[元块个人米年斤岁次万千分天页种名张条公厘%‰]))"
)
# 京A8B123: the province, a letter and five letters or digits.
_PLATE: Final = re.compile(
    r"(?<=[京沪津渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])([A-Z])[·• ]?([A-Z\d]{5})(?![A-Z\d])"
)
_CLASSIFIERS: Final = (
    "个位名只条张块瓶杯份本辆台匹头天年小时分钟秒岁次遍件双对颗朵片间座家层首句段场把支枝根斤公元倍种类群层碗盒袋"
    "升米吨克厘毫平立千里英磅寸尺"
)
_MONEY: Final = {
    "$": "美元", "¥": "元", "￥": "元", "€": "欧元", "£": "英镑", "US$": "美元", "HK$": "港元", "RMB": "元",
    "₩": "韩元", "NT$": "新台币",
}  # fmt: skip
_CURRENCY: Final = "|".join(re.escape(sign) for sign in sorted(_MONEY, key=len, reverse=True))
_SCALES: Final = "千万|百万|十万|亿|万|千|百"
_TO: Final = r"\s?[-–—−~～至到]\s?"
_OPERATORS: Final = {
    "+": "加", "＋": "加", "-": "减", "−": "减", "–": "减", "×": "乘", "*": "乘", "x": "乘", "X": "乘", "÷": "除以",
    "/": "除以", "=": "等于", "＝": "等于", "≈": "约等于", "≠": "不等于", "<": "小于", ">": "大于", "≤": "小于等于",
    "≥": "大于等于", "＜": "小于", "＞": "大于",
}  # fmt: skip
_SUM: Final = re.compile(
    rf"{_NUMBER}%?(?:\s?[-+＋−–×*xX÷/=＝≈≠<>≤≥＜＞]\s?\d++(?:\.\d++)?%?)++(?:\s?[=＝]\s?(?=[?？]))?"
)
_RESULT_ASKED: Final = re.compile(r"\s?(?:等于|是多少|得几|得多少|是几)")
_IS_SUM: Final = re.compile(r"[+＋×*xX÷=＝≈≠<>≤≥＜＞]")
# Words near a figure like 3:20 that make it a score or a ratio instead of a time.
_RATIO_BEFORE: Final = re.compile(
    r"(?:比分|比例|比率|赔率|总分|画幅|宽高比?|配比|大比分|以)(?:[为是:： ]|暂时|领先){0,3}$"
)
_SCORE_AFTER: Final = re.compile(
    r"\s?(?:获胜|取胜|领先|落后|击败|打败|战胜|胜出|赢|输|战平|大胜|险胜|惨败|逆转|完胜|打平|的?画[面幅]|的?比[例分]|的?大?比分|胜|平局|负于)"
)


def read_figures(text: str) -> str:
    """`text` with every figure, and every sign and unit beside one, written as it is read; all else is unchanged."""
    text = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", text)
    text = _read_names(text)
    text = _read_times_and_dates(text)
    text = _SUM.sub(_read_sum, text)
    text = _read_money_and_shares(text)
    text = re.sub(r"±\s?(?=\d)", "正负", text)
    text = re.sub(r"(?<![\dA-Za-z%])[-−](?=\d)", "负", text)
    text = re.sub(rf"(?<=[\d]){_TO}(?=负?\d)", "到", text)
    text = re.sub(rf"(?<=[℃℉°CF]){_TO}(?=负?\d)", "到", text)
    text = read_units(text)
    text = re.sub(rf"(?<![第\d.月])2(?=[{_CLASSIFIERS}百千万亿]|点(?!\d))(?!两)", "两", text)
    text = re.sub(r"(?<![\d.])0\d++(?![\d.])|(?<![\d.])\d{17,}", lambda m: read_digits(m[0]), text)
    text = re.sub(_NUMBER, lambda m: read_cardinal(m[0]), text)
    text = re.sub(r"\d++", lambda m: read_digits(m[0]), text)  # what is left of 1.2.3
    return _read_signs(text)


def _read_names(text: str) -> str:
    """Numbers that are names: of telephones, rooms, flights, trains."""
    text = re.sub(rf"({_NAMING})(\d[\d -]*+)", _read_named, text)
    text = re.sub(r"(?<!\d)1[3-9]\d{9}(?!\d)", lambda m: read_as_name(m[0]), text)
    text = re.sub(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)400-?\d{3}-?\d{4}(?!\d)", lambda m: read_as_name(m[0]), text)
    text = _HOTLINE.sub(lambda m: read_as_name(m[0]), text)
    text = re.sub(rf"(?<![\d.])(\d{{3,5}}){_ROOMS}", lambda m: read_as_name(m[1]), text)
    # CA1234, G1024: a letter or two and three digits or more are a flight, a train or a plate.
    text = re.sub(
        r"(?<![A-Za-z\d])([A-Z]{1,2})-?(\d{3,6})(?![\d.A-Za-z%])", lambda m: f"{m[1]}{read_as_name(m[2])}", text
    )
    return _PLATE.sub(lambda m: m[1] + " ".join(read_as_name(c) if c.isdigit() else c for c in m[2]), text)


def _read_named(match: re.Match[str]) -> str:
    number = match[2].rstrip(" -")
    if match[1].rstrip(":： ").endswith(("打", "拨")) and len(number) < 5:
        return match[0]  # 打5折, 打110
    return match[1] + read_as_name(number) + match[2][len(number) :]


def _read_times_and_dates(text: str) -> str:
    colon = r"(?<![\d:：.])(\d{1,4})\s?[:：]\s?(\d{1,4})(?:[:：](\d{1,4}))?(?![\d:：]|\.\d)"
    text = re.sub(colon, _read_colon, text)
    text = re.sub(r"(?<=[点分整秒])\s?[-–—~～]\s?(?=[零一二两三四五六七八九十])", "到", text)  # 2:00-4:00
    date = r"(?<![\d.])(\d{4})([-/.])0?(\d{1,2})\2 ?0?(\d{1,2})(?![\d.]\d|\d)"
    text = re.sub(date, r"\1年\3月\4日", text)
    text = re.sub(r"(?<![\d.])(\d{4})(?=[-–—~～至到]\d{4}年)", lambda m: read_digits(m[1]), text)
    year = r"(?<![\d.])(\d{4}|\d{2})(?=年(?!前|后|来|间|内|以|的时间|之|多|级|了))"
    text = re.sub(year, lambda m: read_digits(m[1]) if _is_year(m[1]) else m[1], text)
    text = re.sub(
        r"(?<!\d)([5-9]\d|0\d|00)(?=后(?:[的是们出女男，。！？、]|$|生人|一代))", lambda m: read_digits(m[1]), text
    )
    return re.sub(r"(?<=[零一二三四五六七八九])[-–—~～](?=[零一二三四五六七八九]{4}年)", "到", text)


def _is_year(number: str) -> bool:
    return len(number) == 4 or number[0] in "056789"


def _read_colon(match: re.Match[str]) -> str:
    """A time of day, or a score or ratio: the latter if it cannot be a time or the words beside it say so."""
    hour, minute, second = match.groups()
    before, after = match.string[max(0, match.start() - 8) : match.start()], match.string[match.end() : match.end() + 6]
    clock = (
        len(minute) == 2 and int(minute) < 60 and len(hour) < 3 and int(hour) <= 24 and (not second or len(second) == 2)
    )
    if not clock or (not second and (_RATIO_BEFORE.search(before) or _SCORE_AFTER.match(after))):
        return "比".join(read_cardinal(part) for part in (hour, minute, second) if part)
    return _read_clock(hour, minute, second or "")


def _read_clock(hour: str, minute: str, second: str) -> str:
    read = ("两" if int(hour) == 2 else read_cardinal(hour)) + "点"
    if int(minute):
        read += ("零" if minute[0] == "0" else "") + read_cardinal(minute) + "分"
    elif not second:
        read += "整"
    if second and int(second):
        read += ("零" if second[0] == "0" else "") + read_cardinal(second) + "秒"
    return read


def _read_sum(match: re.Match[str]) -> str:
    """Figures joined by operators. A hyphen alone is a range and a slash alone a fraction, which other rules read."""
    written = match[0]
    if not _IS_SUM.search(written) and not _RESULT_ASKED.match(match.string, match.end()):
        return written
    if re.fullmatch(r"\d+[xX]", written):
        return written
    parts = re.split(r"\s?([-+＋−–×*xX÷/=＝≈≠<>≤≥＜＞])\s?", written)
    return "".join(_OPERATORS[part] if at % 2 else _read_share(part) for at, part in enumerate(parts) if part)


def _read_share(number: str) -> str:
    return "百分之" + read_cardinal(number[:-1]) if number.endswith("%") else read_cardinal(number)


def _read_money_and_shares(text: str) -> str:
    amount = r"\d++(?:\.\d++)?"
    text = re.sub(
        rf"({_CURRENCY})\s?({amount})(?:{_TO}(?:{_CURRENCY})?({amount}))?\s?({_SCALES})?",
        lambda m: f"{m[2]}{'到' + m[3] if m[3] else ''}{m[4] or ''}{_MONEY[m[1]]}",
        text,
    )
    text = re.sub(
        rf"({_NUMBER})([%‰])?{_TO}({amount})([%‰])",
        lambda m: f"{_PARTS[m[4]]}{read_cardinal(m[1])}到{_PARTS[m[4]] if m[2] else ''}{read_cardinal(m[3])}",
        text,
    )
    text = re.sub(rf"({_NUMBER})\s?([%‰％])", lambda m: _PARTS[m[2]] + read_cardinal(m[1]), text)
    fraction = r"(?<![\d/.])(\d{1,4})/(\d{1,4})(?![\d/])"
    return re.sub(fraction, lambda m: read_cardinal(m[2]) + "分之" + read_cardinal(m[1]), text)


_PARTS: Final = {"%": "百分之", "％": "百分之", "‰": "千分之"}


def _read_signs(text: str) -> str:
    """Signs between letters or words: A+B, 速度=距离÷时间."""
    text = re.sub(r"(?<=\w)\s?[+＋]\s?(?=[^\W_])", "加", text)
    text = re.sub(r"(?<=\w)\s?[=＝]\s?(?=[^\W_负])", "等于", text)
    text = re.sub(r"(?<=\w)\s?×\s?(?=\w)", "乘", text)
    text = re.sub(r"(?<=\w)\s?÷\s?(?=\w)", "除以", text)
    text = re.sub(r"(?<=\w)\s?[＜<]\s?(?=[零一二两三四五六七八九十百])", "小于", text)
    text = re.sub(r"[＞>]\s?(?=[零一二两三四五六七八九十百])", "大于", text)
    text = re.sub(r"≥\s?", "大于等于", text)
    text = re.sub(r"≤\s?", "小于等于", text)
    return re.sub(r"(?<=\w)\s?&\s?(?=\w)", "和", text)
