"""Text becomes the symbols of the voice model as a speaker would read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vivant.engines.diorama import words_chinese
from vivant.engines.diorama.sound.speech import figures_chinese, g2p, pinyin
from vivant.engines.diorama.storyboard import Language

REFERENCE = json.loads((Path(__file__).parent / "misaki.json").read_text(encoding="utf-8"))


def untoned(symbols: str) -> str:
    return "".join(c for c in symbols if c not in "→↗↓↘")


def test_every_mandarin_syllable_is_spelled_as_misaki_spells_it() -> None:
    differing = {s for s, expected in REFERENCE["syllables"].items() if pinyin.spell(s) != expected}
    assert len(REFERENCE["syllables"]) > 2000
    assert not differing


def test_sentences_are_cut_into_words_as_jieba_cuts_them() -> None:
    for words in REFERENCE["words"]:
        assert words_chinese.segment("".join(words)) == words


def test_chinese_sentences_are_spelled_as_misaki_spells_them_but_for_sandhi_and_spacing() -> None:
    for text, expected in REFERENCE["sentences"].items():
        assert untoned(g2p.phonemize(text, "zh")).replace(" ", "") == untoned(expected).replace(" ", ""), text


@pytest.mark.parametrize("wrong", ["", "xyz1", "ma", "ma6", "hello4", "b3"])
def test_what_is_no_syllable_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        pinyin.spell(wrong)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024年5月3日", "二零二四年五月三日"),
        ("98年", "九八年"),
        ("10年前", "十年前"),
        ("下午3:30", "下午三点三十分"),
        ("2:05", "两点零五分"),
        ("8:00", "八点整"),
        ("25度", "二十五度"),
        ("-5℃", "负五摄氏度"),
        ("3.5公斤", "三点五公斤"),
        ("重3.50kg", "重三点五零公斤"),
        ("50%", "百分之五十"),
        ("1/3", "三分之一"),
        ("3-5个", "三到五个"),
        ("2个", "两个"),
        ("12个", "十二个"),
        ("第2名", "第二名"),
        ("1,250米", "一千二百五十米"),
        ("10005", "一万零五"),
        ("100000000", "一亿"),
        ("20000人", "两万人"),
        ("1050", "一千零五十"),
        ("007", "零零七"),
        ("¥99", "九十九元"),
        ("$2万", "两万美元"),
        ("13812345678", "幺三八 幺二三四 五六七八"),
        ("房间号码是1204", "房间号码是幺二零四"),
        ("2024-05-03", "二零二四年五月三日"),
    ],
)
def test_figures_are_read_as_a_chinese_speaker_reads_them(text: str, read: str) -> None:
    assert figures_chinese.read_figures(text) == read


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("一个", "i↗kɤ↘"),  # yí before a falling tone
        ("一天", "i↘tʰjɛ→n"),
        ("第一", "ti↘i→"),
        ("十一月一日", "ʂɨ↗i→ɥe↘ i→ɻɨ↘"),
        ("不是", "pu↗ʂɨ↘"),
        ("不好", "pu↘xau↓"),
        ("看一看", "kʰa↘n ikʰa↘n"),
        ("你好", "ni↗xau↓"),  # two third tones
        ("我很好", "wo↗ xə↗n xau↓"),
        ("花儿", "xwa→ɚ"),  # erhua: 儿 colours the vowel
        ("女儿", "ny↓ɚ↗"),  # 儿 is a syllable of its own
        ("银行", "i↗nxa↗ŋ"),
        ("行走", "ɕi↗ŋʦou↓"),
        ("音乐", "i→n ɥe↘"),  # with a space, or it would be read yi nüe
        ("大鸟", "ta↘ njau↓"),
        ("快乐", "kʰwai↘lɤ↘"),
        ("长大", "ꭧa↓ŋta↘"),
        ("很长", "xə↓nꭧʰa↗ŋ"),
        ("我得走了", "wo↗ tei↗ ʦou↓ lɤ"),
        ("慢慢地走", "ma↘nma↘n tɤ ʦou↓"),
        ("重庆很重", "ꭧʰʊ↗ŋʨʰi↘ŋ xə↓n ꭧʊ↘ŋ"),
    ],
)
def test_tones_and_readings_follow_the_neighbours(text: str, symbols: str) -> None:
    assert g2p.phonemize(text, "zh") == symbols


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("Mr. Smith", "mister Smith"),
        ("Dr. Jones", "doctor Jones"),
        ("It's 3:30.", "It's three thirty."),
        ("It costs $5.", "It costs five dollars."),
        ("20% off", "twenty percent off"),
        ("Nooooo!", "No!"),
        ("That is sooo cooool.", "That is so cool."),
        ("Stop!!!", "Stop!"),
        ("Hello 😀 world", "Hello world"),
        ("*really* good", "really good"),
        ("Visit example.com now", "Visit example dot com now"),
        ("https://www.example.org/path", "example dot org slash path"),
        ("Write to bob@paint.co", "Write to bob at paint dot co"),
        ("STOP RIGHT THERE", "Stop right there"),
        ("Wait...", "Wait…"),
        ("don’t", "don't"),
        ("well -- maybe", "well — maybe"),
        ("Call 911!", "Call nine one one!"),
        ("open 24/7", "open twenty-four seven"),
        ("No. 1", "Number one"),
        ("¥500", "five hundred yen"),
        ("Mmmmm, delicious.", "Mmm, delicious."),
    ],
)
def test_what_people_type_is_read_as_they_mean_it(text: str, same_as: str) -> None:
    assert g2p.phonemize(text, "en") == g2p.phonemize(same_as, "en") != ""


def test_noises_are_sounds_and_not_letters() -> None:
    for text, sound in (("Shhh!", "ʃˈː!"), ("Hmm.", "hˈəm."), ("Mmm", "mˈː"), ("uh-huh", "ʌhˈʌ"), ("Ahhh", "ˈɑː")):
        assert g2p.phonemize(text, "en") == sound


def test_a_written_reading_wins_over_the_guess() -> None:
    assert g2p.phonemize("NGUYEN and Siobhan's", "en").split()[0] == "wˈɪn"
    assert "ʃəvˈɔn" in g2p.phonemize("Siobhan's", "en")


def test_each_language_reads_the_others_words() -> None:
    assert g2p.phonemize("Python", "en") in g2p.phonemize("我喜欢Python和音乐。", "zh")
    assert g2p.phonemize("你好", "zh") in g2p.phonemize("She said 你好 to me.", "en")
    assert "ʤˌipˌijˈu" in g2p.phonemize("我的GPU坏了", "zh")


def test_british_voices_get_british_sounds() -> None:
    american, british = (g2p.phonemize("The car is over there.", "en", british=b) for b in (False, True))
    assert american != british
    assert "ɹ" in american.split()[1] and "ɹ" not in british.split()[1]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "😀😀", "...", "!?", "\u200b\ufeff", "Привет, мир", "こんにちは", "안녕하세요",
        "\x00\x07", "[x](/y/)", "龘靐齉爩",
        "a" * 600, "呵" * 600, "1" * 40, "{}<>|\\^", "Ünïcödé naïve café", "𠮷野家", "（笑）",
        "——", "3.14159", "v2.0-beta+1",
    ],
)  # fmt: skip
def test_nothing_that_can_be_typed_breaks_it_and_every_symbol_is_known(text: str, language: Language) -> None:
    symbols = g2p.phonemize(text, language)
    assert set(symbols) <= set(g2p.vocabulary())
    assert symbols == symbols.strip()


def test_english_alone_loads_nothing_chinese_and_the_other_way_round() -> None:
    program = (
        "import sys; from vivant.engines.diorama.sound.speech import g2p;"
        "g2p.phonemize({text!r}, {language!r});"
        "print('hibari' in sys.modules, 'pypinyin' in sys.modules, 'jieba' in sys.modules)"
    )

    def loaded(text: str, language: str) -> str:
        command = [sys.executable, "-W", "error", "-c", program.format(text=text, language=language)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert loaded("Hello there.", "en") == "True False False"
    assert loaded("你好，世界。", "zh") == "False True False"
