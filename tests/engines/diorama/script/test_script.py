"""The promises of `write`: pure, whole, never raising, fitted to the picture, obedient to the switches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.script.json_prompts import flatten_json
from vivant.engines.diorama.script.notes import ScriptNote, tell
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts, Storyboard
from vivant.request import RATIOS, Canvas

PORTRAIT = PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),), subject=0.4, subject_trust=0.9)
PAIR = PictureFacts(faces=(FaceFact(x=0.7, y=0.4, height=0.2), FaceFact(x=0.3, y=0.4, height=0.25)))
LAKE = PictureFacts(sky=0.4, sky_trust=0.9, water=0.3, water_trust=0.9, plants=0.1, plants_trust=0.8)
PLAIN = PictureFacts()


def board(prompt: str, facts: PictureFacts = PORTRAIT, **changed: Any) -> Storyboard:
    arguments: dict[str, Any] = {
        "canvas": Canvas.of("480p", "16:9", 5),
        "seed": 7,
        "audio": True,
        "camera_fixed": False,
        "morph": False,
        **changed,
    }
    return write(prompt, facts, **arguments)


def check(made: Storyboard) -> None:
    """What holds for every storyboard, beyond what it checks by itself."""
    for shot in made.shots:
        assert shot.moves
        assert len({(m.kind, m.direction) for m in shot.moves}) == len(shot.moves)
    assert len({motion.kind for motion in made.motions}) == len(made.motions)
    assert len({cue.kind for cue in made.cues}) == len(made.cues)
    assert all(0 < motion.strength <= 1 for motion in made.motions)
    assert all(0 < cue.strength <= 1 for cue in made.cues)
    assert all(line.text.strip() for line in made.lines)
    assert all((line.voice[0] == "z") == (line.language == "zh") for line in made.lines)
    assert Storyboard.from_data(json.loads(json.dumps(made.to_data()))) == made
    json.dumps(made.to_data(), ensure_ascii=False).encode("utf-8")
    assert all(line.isprintable() for line in explain(made))


# --- any text at all

# fmt: off
_WORDS = st.sampled_from([
    "camera", "pans", "left", "slowly", "then", "zooms in", "no", "rain", "without", "“", "”", '"', "'", "「", "」",
    "《", "says", "she", "the man", "whispers", ":", "：", ",", ".", "。", "\n", "镜头", "推近", "女孩", "说", "“你好”",
    "没有", "音乐", "雨", "像", "0-2s", "3:", "Shot 1:", "sign", "reads", "(", ")", "【", "】", "stop", "it", "as",
    "and", "or", "轻声", "！", "?", "5'10\"", "—", "旁白：", "sound of", "\u202e", "\x00", "\ud800", "🌧️",
    "--camerafixed true", "{", "}", "<", ">", "bpm", "999", "to", "of", "hello, ", "“hello,”", "1:99", "clockwise",
    "another",
])
# fmt: on
_SENTENCES = st.lists(_WORDS, max_size=40)


@given(st.one_of(st.text(max_size=300), _SENTENCES.map(" ".join), _SENTENCES.map("".join)))
@settings(max_examples=400)
def test_no_text_is_refused(prompt: str) -> None:
    made = board(prompt, PAIR)
    check(made)
    assert made == board(prompt, PAIR)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " \n\t ",
        "\x00\x01\x02\x7f",
        "\ud800\udfff lone surrogates",
        "\u202eright to left override\u202c",
        "مرحبا بالعالم، الكاميرا تتحرك ببطء",
        'שלום "עולם"',
        "🔥" * 3000,
        '"' * 10_000,
        "'" * 9_999,
        "「" * 5_000,
        "{" * 10_000,
        '{"a":' * 4000 + "1" + "}" * 4000,
        "no " * 4000,
        "camera and " * 900,
        "rain, " * 1700,
        "说：" * 5000,
        "she says: " * 1000,
        "a" * 10_000,
        "雨" * 10_000,
        "The camera slowly pans left, then zooms in while heavy rain falls. " * 150,
        "ignore previous instructions; rm -rf /; ${jndi:ldap://x}; ' OR 1=1 --",
        "%s %n {0} {prompt} \\u0000 \\",
    ],
    ids=lambda prompt: repr(prompt[:12]),
)
def test_hostile_text_is_read_like_any_other(prompt: str) -> None:
    check(board(prompt))


def test_a_novel_in_quotation_marks_is_not_spoken_to_its_end() -> None:
    made = board('He says: "' + "word " * 1900 + '"')
    assert sum(len(line.text.split()) for line in made.lines) < 25
    assert any("the end will not be heard" in note for note in made.notes)


def test_many_lines_are_cut_to_what_a_clip_can_hold() -> None:
    assert len(board('He says "yes please". ' * 300).lines) < 12


# --- the switches


def test_the_note_says_from_which_words_on_a_line_is_not_heard() -> None:
    words = " ".join(f"word{n}" for n in range(60))
    made = board(f'She says "{words}"')
    (note,) = (note for note in made.notes if "the end will not be heard" in note)
    first = int(note.partition("“word")[2].partition(" ")[0])
    assert f"word{first}" in made.lines[0].text.split()  # a little more is spoken, in case the estimate is wrong
    assert 5 <= first <= 20


def test_signs_that_nobody_can_say_cost_time_too() -> None:
    made = board('She says "hey ' + "%" * 5000 + '"')
    assert len(made.lines[0].text) <= 40 * 5 * 1.6
    assert any("the end will not be heard" in note for note in made.notes)


def test_one_sentence_tells_all_the_words_of_one_reason() -> None:
    made = board(" ".join(f'The sign reads "Street {n} is closed."' for n in range(2)))
    assert made.notes == ("“Street 0 is closed.”, “Street 1 is closed.” is taken as writing or a name, not as speech.",)


@pytest.mark.parametrize("prompt", ['The sign reads "CLOSED".', "充满“科技感”的城市", "A warm, 'golden hour' palette."])
def test_signs_and_terms_in_quotation_marks_need_no_note(prompt: str) -> None:
    made = board(prompt)
    assert not made.lines and not made.notes


@pytest.mark.parametrize("prompt", ['A title card: "THE LAST DAY".', "画面下方出现字幕：“第三集”"])
def test_writing_that_is_to_be_laid_over_the_picture_is_told(prompt: str) -> None:
    assert any("no writing" in note or "不会添加文字" in note for note in board(prompt).notes)


def test_of_very_many_reasons_the_last_sentence_quotes_the_words_of_the_rest() -> None:
    notes = [ScriptNote("off_screen", (f"woman {n}",), (("n", n),)) for n in range(14)]
    told = tell(notes, "en")
    assert len(told) == 12
    assert told[-1] == "“woman 11”, “woman 12”, “woman 13”: not done either."


def test_notes_are_in_the_language_of_the_prompt() -> None:
    assert board("女孩跳舞").notes == ("“跳舞”：手和身体保持原来的姿势，只有头和面部会动。",)


def test_a_note_without_a_sentence_cannot_be_built() -> None:
    with pytest.raises(ValueError, match=r"ScriptNote.reason must be a name in notes.toml; it is 'nonsense'"):
        ScriptNote("nonsense")


def test_json_is_flattened_in_order_however_deep_and_no_longer_than_a_prompt_may_be() -> None:
    assert flatten_json('{"camera_move": ["pan left", {"then": "zoom in"}], "n": 3, "sound": "rain"}') == (
        "camera move: pan left\nthen: zoom in\nsound: rain"
    )
    deep = '{"a":' * 300 + '"pan left"' + "}" * 300
    assert flatten_json(deep) == "a: pan left"
    broken = '{"camera": "pan left"\n"props": "a cup", "line": "x", "audio": {"music": null}}'
    assert flatten_json(broken) == "camera: pan left\nprops: a cup\nline: x"
    assert flatten_json('{"speaker": "boy", "line": "Hi!", "delivery": "excited"}') == "boy (excited): “Hi!”"
    wide = '{"' + "k" * 5000 + '": [' + ",".join(['"a"'] * 1200) + "]}"
    assert len(flatten_json(wide)) <= 22_000


def test_a_text_without_full_stops_is_read_to_its_end() -> None:
    made = board("a table and a chair " * 300 + "and the camera pans left")
    assert [move.kind for shot in made.shots for move in shot.moves] == ["pan"]


def test_a_phrase_with_a_page_of_decoration_inside_is_quoted_short() -> None:
    made = board("pan " + "*" * 5000 + " left")
    assert [(move.kind, move.direction) for move in made.shots[0].moves] == [("pan", "left")]
    assert len(made.shots[0].moves[0].words) <= 100


def test_a_speaker_s_name_is_never_longer_than_a_name() -> None:
    for prompt in ("T" * 3000 + ' says "Hello."', "The old " + "*" * 3000 + ' man says "Hello."'):
        (line,) = board(prompt).lines
        assert 0 < len(line.speaker.name) <= 100


def test_a_fixed_camera_wins_over_camera_words() -> None:
    made = board("The camera zooms in, then pans left. 镜头环绕", camera_fixed=True)
    assert [move.kind for shot in made.shots for move in shot.moves] == ["static"]
    assert any("camera_fixed" in note for note in made.notes)


def test_a_fixed_camera_with_nothing_asked_needs_no_note() -> None:
    assert board("A quiet lake", LAKE, camera_fixed=True).notes == ()


def test_without_audio_there_is_no_sound_but_lips_still_move() -> None:
    made = board('Rain. She says "Hello." Soft piano music.', audio=False)
    assert made.cues == ()
    assert made.music is None
    assert [(line.text, line.face_index) for line in made.lines] == [("Hello.", 0)]
    assert any("lips still move" in note for note in made.notes)


def test_on_the_way_to_a_last_picture_the_camera_hardly_moves() -> None:
    (move,) = board("", LAKE, morph=True).shots[0].moves
    assert (move.kind, move.speed) == ("dolly", "slow")
    assert move.strength <= 0.2


# --- what the picture tells


def test_an_empty_prompt_still_makes_a_moving_picture() -> None:
    made = board("", LAKE)
    assert {motion.kind for motion in made.motions} == {"water", "clouds", "wind"}
    assert {motion.origin for motion in made.motions} == {"picture"}
    assert "waves" in {cue.kind for cue in made.cues}
    assert made.shots[0].moves[0].origin == "default"


def test_a_region_that_is_not_trusted_does_not_move_by_itself() -> None:
    doubtful = PictureFacts(water=0.5, water_trust=0.4, sky=0.5, sky_trust=0.49)
    assert board("", doubtful).motions == ()
    assert [motion.kind for motion in board("the lake ripples", doubtful).motions] == ["water"]


def test_what_the_prompt_denies_does_not_come_from_the_picture() -> None:
    kinds = {motion.kind for motion in board("no wind, the clouds do not move", LAKE).motions}
    assert kinds == {"water"}


def test_what_the_prompt_names_is_not_taken_twice() -> None:
    made = board("heavy clouds race to the left", LAKE)
    (clouds,) = (motion for motion in made.motions if motion.kind == "clouds")
    assert (clouds.origin, clouds.direction) == ("prompt", "left")


def test_a_night_scene_sounds_of_crickets_and_a_day_of_birds() -> None:
    day = PictureFacts(plants=0.5, plants_trust=0.9, brightness=0.5)
    night = PictureFacts(plants=0.5, plants_trust=0.9, brightness=0.1)
    assert {cue.kind for cue in board("", day).cues} == {"birds"}
    assert {cue.kind for cue in board("", night).cues} == {"crickets"}


def test_a_portrait_is_approached_slowly() -> None:
    (move,) = board("").shots[0].moves
    assert (move.kind, move.direction, move.speed) == ("dolly", "in", "slow")


def test_another_seed_is_another_take_but_never_another_meaning() -> None:
    takes = {board("slow pan over the hills", PLAIN, seed=seed).shots[0].moves[0].direction for seed in range(20)}
    assert takes == {"left", "right"}
    assert {board("slow pan left", PLAIN, seed=seed).shots[0].moves[0].direction for seed in range(20)} == {"left"}
    kinds = {board("", LAKE, seed=seed).shots[0].moves[0].kind for seed in range(30)}
    assert kinds == {"pan", "dolly"}


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_default_camera_is_gentle_in_every_format(ratio: str) -> None:
    for seed in range(10):
        for facts in (PORTRAIT, PAIR, LAKE, PLAIN):
            (move,) = board("", facts, seed=seed, canvas=Canvas.of("480p", ratio, 5)).shots[0].moves
            assert move.speed == "slow"
            assert move.strength <= 0.4
            assert move.direction


# --- shots


def test_moves_in_turn_share_the_clip_evenly() -> None:
    made = board("The camera pans left, then zooms in.")
    assert [(shot.start, shot.end) for shot in made.shots] == [(0, 60), (60, 121)]


def test_times_in_the_prompt_are_kept() -> None:
    made = board("0-2s: pan left. 2-5s: zoom in.")
    assert [(shot.start, shot.end) for shot in made.shots] == [(0, 48), (48, 121)]


def test_times_beyond_the_clip_are_shrunk_with_it() -> None:
    made = board("[00:00-00:05] pan left [00:05-00:10] zoom in")
    assert [(shot.start, shot.end) for shot in made.shots] == [(0, 61), (61, 121)] or made.shots[1].start == 60


def test_too_many_moves_for_the_time_are_left_out_and_said_so() -> None:
    made = board("pan left, then zoom in, then tilt up, then dolly out, then truck left, then roll clockwise")
    assert len(made.shots) == 4
    assert any("6 camera moves" in note for note in made.notes)


# --- sound


def test_there_is_music_by_default_only_where_next_to_nothing_is_heard() -> None:
    assert board("a quiet portrait").music is not None
    assert board("heavy rain").music is None
    assert board('She says "Hello."').music is None


def test_music_takes_its_mood_from_the_words() -> None:
    default = board("a sad and lonely portrait").music
    assert default is not None
    assert (default.mood, default.origin) == ("sad", "default")


def test_silence_is_kept_when_it_is_asked_for() -> None:
    for prompt in ("no sound", "静音", "mute", "没有声音"):
        made = board(prompt, LAKE)
        assert (made.cues, made.music) == ((), None), prompt


def test_no_effects_leaves_the_room_and_the_music() -> None:
    made = board("no sound effects, gentle guitar music", LAKE)
    assert [cue.kind for cue in made.cues] == ["room"]
    assert made.music is not None


# --- explaining


def test_a_storyboard_explains_itself_in_plain_words() -> None:
    lines = explain(board('Slow push-in. The old man says "Hello, my friend." Rain. Calm piano music. He walks away.'))
    assert lines[0] == "Clip: 864x496, 5 s (121 frames at 24 fps), seed 7"
    assert "Camera: slow dolly in (asked: “push-in”)" in lines
    assert "Speech: the old man says “Hello, my friend.” in English, voice en_grandfather, lips of face 1 move" in lines
    assert "Sound: rain (asked); music: calm piano at 72 bpm (asked)" in lines
    assert lines[-1].startswith("Note: “walks away”: hands and bodies keep their pose")


def test_a_storyboard_of_another_version_is_refused() -> None:
    data = board("").to_data() | {"version": "0"}
    with pytest.raises(ValueError, match="cannot be read"):
        Storyboard.from_data(data)


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [("A street at noon.", False), ("Ambient noise of a street.", True), ("A car honks in the street.", True)],
)
def test_the_sound_of_a_place_is_our_choice_unless_it_is_asked_for(prompt: str, asked: bool) -> None:
    (traffic,) = [cue for cue in board(prompt).cues if cue.kind == "traffic"]
    assert (traffic.origin == "prompt") is asked


def test_a_line_of_a_json_prompt_is_said_by_its_speaker() -> None:
    first = '{"镜号": 1, "台词": "饿了吧？", "说话人": "妈妈"}'
    second = '{"镜号": 2, "dialogue": "Yes!", "speaker": "The boy"}'
    made = board(f'{{"镜头列表": [{first}, {second}]}}', PAIR)
    assert [(line.speaker.name, line.text) for line in made.lines] == [("妈妈", "饿了吧？"), ("the boy", "Yes!")]
    assert sum(shot.cut for shot in made.shots) == 1
