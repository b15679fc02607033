"""The optional planner, against a simulated endpoint on loopback: good answers in every form, and every way to fail."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.chat_simulator import Answer, ChatHandler, chat_endpoint
from vivant.engines.base import NullWatch
from vivant.engines.chat import Endpoint, PlannerFailed
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.planner.intent import Intent, answer_schema
from vivant.engines.diorama.planner.plan import plan, read_answer
from vivant.engines.diorama.storyboard import BodyFact, FaceFact, PictureFacts, Storyboard, Thing
from vivant.errors import Stopped
from vivant.media import Pictures
from vivant.request import Brief, VideoRequest

PAIR = PictureFacts(
    faces=(FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2)), sky=0.3, sky_trust=0.9
)
KEY = "sk-a-very-secret-key"
ZOOM = {"kind": "zoom", "direction": "in"}
GOOD: dict[str, Any] = {
    "shots": [
        {"start": 0, "moves": [{"kind": "pan", "direction": "left", "words": "pans left"}]},
        {"start": 2, "cut": True, "size": "close-up", "target": "face", "face": 2, "moves": [ZOOM]},
    ],
    "motions": [{"kind": "rain", "start": 1}, {"kind": "water", "words": "waves"}],
    "lines": [{"text": "Hello there.", "speaker": "the woman", "gender": "woman", "face": 1, "start": 2.5}],
    "actions": [{"kind": "smile", "face": 2, "start": 1, "end": 3}],
    "cues": [{"kind": "rain"}],
    "music": {"mood": "sad", "tempo": 70},
    "undone": ["the dog runs"],
}  # fmt: skip


def request(**fields: Any) -> VideoRequest:
    brief = Brief(
        prompt="The camera pans left. The dog runs.", **{"resolution": "480p", "seconds": 5, "seed": 7, **fields}
    )
    return brief.resolve(1280, 720, has_last_frame=False)


def planned(
    answer: Answer, seconds: float = 5.0, check: Callable[[], None] = lambda: None, **fields: Any
) -> Storyboard:
    with chat_endpoint(answer) as (base, _):
        endpoint = Endpoint(base=base, model="m", key=KEY, seconds=seconds)
        return plan(endpoint, request(**fields), PAIR, morph=False, check=check)


def saying(data: Any) -> Answer:
    return lambda handler: handler.say(json.dumps(data))


def test_an_answer_becomes_a_storyboard() -> None:
    board = planned(saying(GOOD))
    assert [(shot.start, shot.end, shot.cut) for shot in board.shots] == [(0, 48, False), (48, 121, True)]
    assert board.shots[1].framing is not None and board.shots[1].framing.face_index == 1
    assert [(line.text, line.voice, line.face_index, line.start) for line in board.lines] == [
        ("Hello there.", "af_heart", 0, 60)
    ]
    assert [(action.kind, action.face_index, action.start, action.end) for action in board.actions] == [
        ("smile", 1, 24, 72)
    ]
    assert [motion.kind for motion in board.motions] == ["rain"]  # no water is in the picture
    assert board.music is not None and (board.music.mood, board.seed) == ("sad", 7)
    assert board.notes == (
        "“waves”: no water is seen in the picture that could move.",
        "“the dog runs”: the planner found no way to do this.",
    )


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Here it is:\n```json\n{}\n```\nEnjoy!",
        "<think>a brace?</think>{}",
        "<think>a {brace} and { another</think>{}",
        "By the schema {shots: …} it is {}",
    ],
)
def test_json_is_found_in_what_surrounds_it(form: str) -> None:
    assert read_answer(form.replace("{}", json.dumps(GOOD))).intent.shots[1].cut


def test_a_server_that_refuses_seed_and_temperature_is_asked_without_them() -> None:
    def answer(handler: ChatHandler) -> None:
        if {"temperature", "seed"} & set(handler.asked[-1]):
            handler.reply(400, b'{"error": "temperature is not supported"}')
        else:
            handler.say(json.dumps(GOOD))

    assert planned(answer).shots[1].cut


def test_what_cannot_be_stored_printed_or_spoken_is_no_part_of_a_storyboard() -> None:
    line = {"text": "Hello \ud800\x1b[31m there", "speaker": "a\x00man", "face": 1}
    board = planned(saying({**GOOD, "lines": [line, {"text": "…"}], "undone": ["\ud83d flies\x07"]}))
    told = json.dumps(board.to_data(), ensure_ascii=False)
    assert len(board.lines) == 1 and told.encode()
    assert not any(sign in told for sign in ("\\u001b", "\\u0000", "\\u0007"))


def test_what_the_picture_or_the_request_does_not_allow_is_told() -> None:
    with chat_endpoint(saying(GOOD)) as (base, _):
        endpoint = Endpoint(base=base, model="m", key=KEY, seconds=5)
        nobody = PictureFacts(sky=0.3, sky_trust=0.9)
        board = plan(endpoint, request(camera_fixed=True), nobody, morph=False, check=lambda: None)
    told = " ".join(board.notes)
    assert "pans left" in told and "no face was found" in told and "off screen" in told


@pytest.mark.parametrize("known", ["json_schema", "json_object", ""])
def test_a_server_that_knows_fewer_forms_is_asked_again(known: str) -> None:
    def answer(handler: ChatHandler) -> None:
        form = handler.asked[-1].get("response_format", {}).get("type", "")
        simpler = {"json_schema": ("json_schema", "json_object", ""), "json_object": ("json_object", ""), "": ("",)}
        if form in simpler[known]:
            handler.say(json.dumps(GOOD))
        else:
            handler.reply(400, b'{"error": "unknown response_format"}')

    assert planned(answer).shots[1].cut


def test_the_request_says_what_the_engine_can_do_and_no_more() -> None:
    with chat_endpoint(saying(GOOD)) as (base, handler):
        plan(Endpoint(base=base, model="m", key=KEY), request(), PAIR, morph=False, check=lambda: None)
    (asked,) = handler.asked
    assert asked["path"] == "/v1/chat/completions" and asked["model"] == "m" and asked["temperature"] == 0
    assert handler.keys == [f"Bearer {KEY}"]
    assert asked["messages"][1] == {"role": "user", "content": request().prompt}
    assert '"fireflies"' in asked["messages"][0]["content"] and "5 seconds" in asked["messages"][0]["content"]


def test_the_request_wins_over_the_planner() -> None:
    board = planned(saying(GOOD), camera_fixed=True, generate_audio=False)
    assert [move.kind for shot in board.shots for move in shot.moves] == ["static"]
    assert board.cues == () and board.music is None


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.reply(500, b"oops"),
        lambda handler: handler.reply(401, b"{}"),
        lambda handler: handler.reply(302, b"", Location="http://127.0.0.1:1/"),
        lambda handler: handler.reply(200, b"not json"),
        lambda handler: handler.reply(200, b'{"choices": []}'),
        lambda handler: handler.reply(200, json.dumps({"choices": [{"message": {"content": None}}]}).encode()),
        lambda handler: handler.say("I cannot help with that."),
        lambda handler: handler.say("{" * 5000),
        lambda handler: handler.say('{"shots": []}'),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0}, {"start": 0.1}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0}] * 400})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "fly"}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "smile", "face": 5}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "smile", "start": -3}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "lines": [{"text": "x" * 900}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0, "moves": [{**ZOOM, "kind": "pan"}]}]})),
        lambda handler: handler.connection.close(),
        lambda handler: handler.pour(),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_is_refused(answer: Answer) -> None:
    with pytest.raises(PlannerFailed) as failed:
        planned(answer)
    assert KEY not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: time.sleep(30),
        lambda handler: handler.drip(),
        lambda handler: handler.drip_until_closed(),
    ],
)
def test_a_peer_that_stalls_is_left_at_the_deadline(answer: Answer) -> None:
    began = time.monotonic()
    with pytest.raises(PlannerFailed, match=r"within 1 s"):
        planned(answer, seconds=1.0)
    assert time.monotonic() - began < 2.5
    while any(thread.name == "vivant-planner" for thread in threading.enumerate()):
        assert time.monotonic() - began < 5, "its thread is still there"
        time.sleep(0.05)


def test_a_job_that_is_to_stop_stops_while_the_planner_thinks() -> None:
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 0.3:
            raise Stopped("cancelled")

    with pytest.raises(Stopped):
        planned(lambda handler: time.sleep(30), seconds=30, check=check)
    assert time.monotonic() - began < 2


def test_nobody_there_is_a_failure_like_others() -> None:
    with pytest.raises(PlannerFailed, match="could not be reached"):
        plan(Endpoint(base="http://127.0.0.1:9/v1"), request(), PAIR, morph=False, check=lambda: None)


@pytest.mark.parametrize("base", ["", "ftp://x/v1", "localhost:8080"])
def test_an_endpoint_without_an_address_cannot_be_built(base: str) -> None:
    with pytest.raises(ValueError, match=r"Endpoint.base must be an http or https URL"):
        Endpoint(base=base)


@pytest.mark.parametrize("key", ["密钥", "two words", "line\nbreak"])
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        Endpoint(base="http://localhost/v1", key=key)
    assert key not in str(refused.value)


def test_the_key_is_not_in_the_text_of_an_endpoint() -> None:
    assert KEY not in repr(Endpoint(base="http://x/v1", key=KEY))


def test_the_schema_is_that_of_what_is_read() -> None:
    definitions = answer_schema()["$defs"]
    assert set(answer_schema()["properties"]) == set(Intent.__struct_fields__)
    assert "yawn" in definitions["PlannedAction"]["properties"]["kind"]["enum"]


def test_the_built_in_reader_reads_when_the_planner_fails_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    engine = Diorama({"planner_url": "http://127.0.0.1:9/v1", "planner_api_key": KEY})
    engine.setup()
    pictures = Pictures(np.full((720, 1280, 3), 128, np.uint8))
    with caplog.at_level(logging.WARNING):
        board = engine.plan(request(), pictures, NullWatch())
    assert board.notes[0] == "The planner could not be used: the built-in reader read the prompt."
    assert [move.kind for shot in board.shots for move in shot.moves] == ["pan"]
    assert "could not be reached" in caplog.text and KEY not in caplog.text


def test_the_engine_plans_with_the_planner() -> None:
    with chat_endpoint(saying(GOOD)) as (base, _):
        engine = Diorama({"planner_url": base, "planner_seconds": "5"})
        engine.setup()
        board = engine.plan(request(), Pictures(np.full((720, 1280, 3), 128, np.uint8)), NullWatch())
    assert board.shots[1].cut


BOAT = {"kind": "boat", "colour": "red", "words": "the red boat"}
CAT = PictureFacts(
    body=BodyFact(trust=0.9, head=True, eyes=True), sky=0.4, sky_trust=0.9, subject=0.2, subject_trust=0.9,
    brightness=0.6,
)  # fmt: skip
BARE: dict[str, Any] = {"shots": [{"start": 0}]}


def told_of(
    data: Any, facts: PictureFacts = CAT, find: Callable[[Thing], float] = lambda thing: 0.0, **fields: Any
) -> Storyboard:
    with chat_endpoint(saying(data)) as (base, _):
        endpoint = Endpoint(base=base, seconds=5)
        return plan(endpoint, request(**fields), facts, morph=False, check=lambda: None, find=find)


def test_light_is_planned_and_what_the_picture_cannot_have_is_told() -> None:
    lights = [
        {"kind": "night", "start": 1, "end": 3, "words": "night falls"}, {"kind": "night", "strength": 0.9, "start": 2},
        {"kind": "stars", "words": "stars come out"}, {"kind": "flare", "words": "a lens flare"},
    ]  # fmt: skip
    board = told_of({**BARE, "lights": lights})
    assert [(light.kind, light.strength, light.start, light.end, light.words) for light in board.lights] == [
        ("night", 0.9, 24, None, "night falls"), ("stars", 0.5, None, None, "stars come out"),
    ]  # fmt: skip
    assert len(board.notes) == 1 and "a lens flare" in board.notes[0]


def test_what_is_found_in_the_picture_travels_and_the_rest_is_told() -> None:
    looked_for: list[Thing] = []

    def find(thing: Thing) -> float:
        looked_for.append(thing)
        return 0.9 if thing.kind in ("boat", "balloon") else 0.1

    def go(thing: dict[str, Any], words: str, **how: Any) -> dict[str, Any]:
        return {"thing": thing, "kind": "go", "words": words, **how}

    travels = [
        go(BOAT, "sails left", direction="left", start=1, order=2), go(BOAT, "turns round", kind="turn"),
        go({"kind": "balloon"}, "floats up", direction="up"), go({"kind": "car"}, "a car passes"),
        go({"kind": "animal"}, "the cat runs"), go({"kind": "plant"}, "a tree leaves"),
        go({"kind": "boat", "place": "left"}, "lifts off", kind="rise"),
        go({"kind": "bird", "several": True}, "gulls pass", direction="right"),
    ]  # fmt: skip
    board = told_of({**BARE, "travels": travels}, find=find)
    boat, balloon = board.travels
    assert boat.thing == Thing(kind="boat", colour="red", words="the red boat")
    assert (boat.direction, boat.start, boat.order, boat.words) == ("left", 24, 2, "sails left")
    assert (balloon.kind, balloon.direction) == ("rise", "")
    assert [(motion.kind, motion.direction) for motion in board.motions] == [("birds", "right")]
    assert {thing.kind for thing in looked_for} == {"boat", "balloon", "car", "bird"}
    told = " ".join(board.notes)
    for words in ("turns round", "a car passes", "the cat runs", "a tree leaves", "lifts off"):
        assert words in told
    assert "gulls pass" not in told


def test_a_subject_without_a_face_acts_as_far_as_its_parts_were_found() -> None:
    acts = [
        {"kind": "blink", "being": "animal", "start": 2, "words": "blinks"},
        {"kind": "wag_tail", "being": "animal", "words": "wags its tail"},
        {"kind": "walk", "being": "animal", "words": "walks"}, {"kind": "nod", "being": "person", "words": "he nods"},
    ]  # fmt: skip
    board = told_of({**BARE, "body_actions": acts})
    assert [(act.kind, act.start) for act in board.body_actions] == [("blink", 48), ("walk", None)]
    told = " ".join(board.notes)
    assert "wags its tail" in told and "walks" in told and "he nods" in told and "“blinks”" not in told
    # Where a face is seen, or nothing that could live, it is told.
    assert told_of({**BARE, "body_actions": acts[:1]}, PAIR).body_actions == ()


def test_what_burns_or_steams_is_looked_for() -> None:
    steam = {"kind": "smoke", "look": "steam", "thing": {"kind": "cup", "words": "the cup"}}
    board = told_of({**BARE, "motions": [steam]}, PictureFacts(), find=lambda thing: 0.8)
    assert board.motions[0].look == "steam" and board.motions[0].thing == Thing(kind="cup", words="the cup")
    assert board.notes == ()
    assert "the cup" in " ".join(told_of({**BARE, "motions": [steam]}, PictureFacts()).notes)


def test_words_for_which_the_clip_is_too_short_are_told_and_not_spoken() -> None:
    lines = [{"text": f"This is sentence number {n} of a very long speech.", "face": 1} for n in range(12)]
    board = told_of({**BARE, "lines": lines}, PAIR)
    assert 0 < len(board.lines) < 12
    assert "the clip has 5 s" in board.notes[0]
    assert told_of({**BARE, "lines": lines[:1]}, PAIR).notes == ()


def test_fields_that_mean_nothing_are_told() -> None:
    shot = {"start": 0, "moves": [{"kind": "zoom", "direction": "in", "lens": "85mm"}]}
    board = told_of({"shots": [shot], "weather": "mild"})
    assert len(board.notes) == 1 and "“lens”, “weather”" in board.notes[0]
    assert told_of(BARE).notes == ()


def test_a_still_face_and_a_cut_between_two_pictures_are_told() -> None:
    still = PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.02, still=True),))
    board = told_of({**BARE, "actions": [{"kind": "smile", "words": "smiles"}]}, still)
    assert board.actions == () and "smiles" in board.notes[0]
    with chat_endpoint(saying({"shots": [{"start": 0}, {"start": 2, "cut": True, "words": "cut to"}]})) as (base, _):
        board = plan(Endpoint(base=base), request(), PAIR, morph=True, check=lambda: None)
    assert not any(shot.cut for shot in board.shots) and "cut to" in board.notes[0]


def test_a_clip_in_which_nothing_is_planned_lives_all_the_same() -> None:
    assert [motion.kind for motion in told_of(BARE, PictureFacts(), camera_fixed=True).motions] == ["drifting_light"]


@pytest.mark.parametrize(
    "extra",
    [
        {"lights": [{"kind": "disco"}]}, {"lights": [{"kind": "night", "start": 9}]},
        {"lights": [{"kind": "night", "start": 3, "end": 2}]}, {"lights": [{"kind": "night", "strength": 2}]},
        {"travels": [{"kind": "go"}]}, {"travels": [{"thing": {"kind": "cloud"}, "kind": "go"}]},
        {"travels": [{"thing": BOAT, "kind": "go", "direction": "in"}]},
        {"travels": [{"thing": {"kind": "balloon"}, "kind": "rise", "direction": "down"}]},
        {"body_actions": [{"kind": "blink"}]}, {"body_actions": [{"kind": "smile", "being": "animal"}]},
        {"motions": [{"kind": "rain", "look": "candle"}]}, {"motions": [{"kind": "smoke", "thing": {"kind": "tea"}}]},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_right_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(PlannerFailed):
        told_of({**BARE, **extra})
