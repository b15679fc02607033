"""Numbers in English words."""

from __future__ import annotations

from typing import Final

_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def cardinal(number: int) -> str:
    """0..999 as an amount: "three hundred forty-two"."""
    if number >= 100:
        return f"{_ONES[number // 100]} hundred" + (f" {cardinal(number % 100)}" if number % 100 else "")
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def ordinal(number: int) -> str:
    """1..999 as a place in a row: "twenty-first"."""
    head, dash, last = cardinal(number).rpartition("-")
    if not dash:
        head, dash, last = cardinal(number).rpartition(" ")
    if last in _ORDINALS:
        return head + dash + _ORDINALS[last]
    return head + dash + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def read_digits(digits: str) -> str:
    """Digit by digit, with "oh" for 0: "nine oh two one oh"."""
    return " ".join("oh" if digit == "0" else _ONES[int(digit)] for digit in digits)


def read_as_name(digits: str) -> str:
    """A number that is a name: 747 "seven forty-seven", 101 "one oh one", 1204 "twelve oh four", 90210 digit by digit,
    007 "double oh seven"."""
    if digits.startswith("00") and len(digits) == 3:
        return "double oh " + read_digits(digits[2:])
    if digits.startswith("0") or len(digits) > 4:
        return read_digits(digits)
    if len(digits) < 3:
        return cardinal(int(digits))
    if digits.endswith("000"):
        return f"{_ONES[int(digits[0])]} thousand"
    head, tail = digits[:-2], digits[-2:]
    if tail == "00":
        return f"{cardinal(int(head))} hundred"
    return f"{cardinal(int(head))} " + (read_digits(tail) if tail[0] == "0" else cardinal(int(tail)))
