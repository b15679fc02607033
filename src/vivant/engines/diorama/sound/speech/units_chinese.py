"""Units of measurement in a Chinese line, as they are read after a figure: 80km/h -> 八十公里每小时."""

from __future__ import annotations

import re
from typing import Final

# Capitals matter: 5g is a weight, 5G a network. Bytes (GB, MB) are read as letters and so are not here.
UNITS: Final = {
    "km/h": "公里每小时", "kmh": "公里每小时", "kph": "公里每小时", "mph": "英里每小时", "km/s": "公里每秒",
    "m/s²": "米每二次方秒", "m/s2": "米每二次方秒", "m/s": "米每秒", "m/min": "米每分钟", "km": "公里", "cm": "厘米",
    "mm": "毫米", "dm": "分米", "nm": "纳米", "μm": "微米", "µm": "微米", "um": "微米", "m": "米", "KM": "公里",
    "CM": "厘米", "MM": "毫米", "Km": "公里", "km²": "平方公里", "km2": "平方公里", "m²": "平方米", "m2": "平方米",
    "cm²": "平方厘米", "cm2": "平方厘米", "m³": "立方米", "m3": "立方米", "cm³": "立方厘米",
    "cm3": "立方厘米", "㎡": "平方米",
    "kg/m³": "千克每立方米", "g/cm³": "克每立方厘米", "g/L": "克每升", "mg/L": "毫克每升", "kg": "公斤", "KG": "公斤",
    "Kg": "公斤", "mg": "毫克", "μg": "微克", "µg": "微克", "g": "克", "t": "吨", "lbs": "磅", "lb": "磅",
    "oz": "盎司",
    "L/min": "升每分钟", "L": "升", "l": "升", "ml": "毫升", "mL": "毫升", "ML": "毫升", "cc": "毫升",
    "kWh": "千瓦时", "KWh": "千瓦时", "kwh": "千瓦时", "kW": "千瓦", "KW": "千瓦", "MW": "兆瓦", "W": "瓦",
    "kV": "千伏", "V": "伏", "mAh": "毫安时", "mA": "毫安", "A": "安", "Ω": "欧姆", "kΩ": "千欧",
    "GHz": "吉赫兹", "MHz": "兆赫兹", "kHz": "千赫兹", "KHz": "千赫兹", "Hz": "赫兹", "HZ": "赫兹", "hz": "赫兹",
    "dB": "分贝", "db": "分贝", "kcal": "千卡", "cal": "卡", "kJ": "千焦", "J": "焦耳", "N": "牛",
    "MPa": "兆帕", "kPa": "千帕", "hPa": "百帕", "Pa": "帕", "mmHg": "毫米汞柱", "bpm": "次每分钟", "rpm": "转每分钟",
    "fps": "帧每秒", "Gbps": "吉比特每秒", "Mbps": "兆比特每秒", "kbps": "千比特每秒", "lm": "流明",
    "℃": "摄氏度", "°C": "摄氏度", "° C": "摄氏度", "℉": "华氏度", "°F": "华氏度", "° F": "华氏度", "°": "度",
    "h": "小时", "hr": "小时", "min": "分钟", "ms": "毫秒", "s": "秒", "ft": "英尺", "inch": "英寸", "mol": "摩尔",
}  # fmt: skip
# As often part of a name ("6A级", "5s") as a unit: read as units only before the end, a mark or these characters.
_DOUBTFUL: Final = frozenset("ANJst")
_SURE_BEFORE: Final = re.compile(r"[的以左和及，。！？；、,.!?;\s]|$")
_UNIT: Final = re.compile(
    rf"(?<=[\d.])\s?({'|'.join(re.escape(u) for u in sorted(UNITS, key=len, reverse=True))})(?![A-Za-z\d²³])"
)
_PER: Final = re.compile(  # 5元/斤, 80公里/小时
    r"(?<=[元块角分里米克升吨斤度瓦次个人件字词页张转卡]) ?/ ?"
    r"(?=小时|[每分秒天日周月年斤克吨米升里人次个件张页晚间只条]|公[斤里]|千克|平米|平方米|立方米|毫升)"
)


def read_units(text: str) -> str:
    """`text` with every unit that follows a figure in characters, and "/" between two units as 每."""
    return _PER.sub("每", _UNIT.sub(_read_unit, text))


def _read_unit(match: re.Match[str]) -> str:
    if match[1] in _DOUBTFUL and not _SURE_BEFORE.match(match.string, match.end()):
        return match[0]
    return UNITS[match[1]]
