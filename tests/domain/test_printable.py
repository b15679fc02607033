"""Characters that act on a terminal, or are not seen, are written as escapes."""

from __future__ import annotations

import unicodedata

import pytest

from vivant.printable import escape_unprintable, hide_addresses, is_printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;OWNED\x07\x1b[2J", r"\x1b]0;OWNED\x07\x1b[2J"),
        ("a\nb\r\tc\x00\x7f", r"a\nb\r\tc\x00\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028\u2029\u200b\ufeff", r"\u2028\u2029\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_acts_on_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert escape_unprintable(text) == shown


@pytest.mark.parametrize("text", ["", "Good evening.", "你好，\u3000世界。", "naïve\u00a0été", "[/closing]", "🎬"])
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert is_printable(text)


def test_no_control_or_format_character_of_unicode_is_left() -> None:
    everything = "".join(map(chr, range(0x110000)))
    assert not [c for c in escape_unprintable(everything) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_addresses_are_hidden_from_callers_and_the_rest_stays() -> None:
    text = "ComfyUI at http://10.0.0.5:8188/a?b=c does not answer (HTTPS://x.internal). Start it."
    assert hide_addresses(text) == "ComfyUI at its address does not answer (its address). Start it."
    assert hide_addresses("The weights are missing.") == "The weights are missing."
