"""Models: which there are, which one makes a task, and what its engine cannot do is refused at submit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.live_server import LiveServer, picture_uri
from vivant.clock import SYSTEM_CLOCK
from vivant.engines.card import Sound
from vivant.record import keys

BODY = {"prompt": "a lake", "image": picture_uri(), "resolution": "480p", "duration": 4}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Two names for one engine, and a second engine that can do little."""
    models = {"fast": "testcard", "seedance-v1.5-pro-i2v": "testcard"}
    with LiveServer(tmp_path_factory.mktemp("models"), engines=("diorama", "testcard"), models=models) as live:
        choice = live.service.choice
        choice.cards["diorama"] = replace(
            choice.cards["diorama"], last_frame=False, why_no_last_frame="set X to change that", seconds=range(4, 6),
            resolutions=("480p",), sound=Sound.ADDED,
        )  # fmt: skip
        yield live


def engine_of(server: LiveServer, response: Any) -> str:
    assert response.status == 200, response.body
    task = server.get(f"/v1/tasks/{response.json()['task_id']}").json()
    return str(task["engine"])


def test_the_list_of_models_says_what_each_can_do_its_licence_and_health(server: LiveServer) -> None:
    body = server.get("/v1/models").json()
    assert body["object"] == "list"
    by_id = {model["id"]: model for model in body["data"]}
    assert by_id.keys() == {"diorama", "testcard"}
    little = by_id["diorama"]
    assert (little["object"], little["default"], little["names"]) == ("model", True, ["diorama"])
    assert little["capabilities"]["last_frame"] is False and little["capabilities"]["seconds"] == [4, 5]
    assert little["capabilities"]["sound"] == "added" and little["licence"]["accepted"] is True
    assert by_id["testcard"]["names"] == ["testcard", "fast", "seedance-v1.5-pro-i2v"]
    assert {"state", "workers", "ready", "error"} == by_id["testcard"]["health"].keys()


def test_the_operator_s_name_for_the_dialect_leads_to_the_engine(server: LiveServer) -> None:
    assert engine_of(server, server.submit(BODY)) == "testcard"


def test_a_submit_may_name_a_model(server: LiveServer) -> None:
    assert engine_of(server, server.submit(BODY, X_Vivant_Model="fast")) == "testcard"
    assert engine_of(server, server.submit(BODY, X_Vivant_Model="diorama")) == "diorama"


def test_a_model_that_there_is_not_is_refused_with_those_that_there_are(server: LiveServer) -> None:
    refused = server.submit(BODY, X_Vivant_Model="sora")
    assert refused.status == 400 and refused.json()["reason"] == "INVALID_REQUEST_BODY"
    assert (
        "there is no model 'sora'; there are diorama, fast, seedance-v1.5-pro-i2v, testcard"
        in refused.json()["message"]
    )


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"last_image": picture_uri()}, "last_image", "cannot end on a last picture; set X to change that"),
        ({"duration": 9}, "duration", "cannot make 9 seconds; it can do 4, 5"),
        ({"resolution": "720p"}, "resolution", "cannot make 720p; it can do 480p"),
    ],
)
def test_what_the_engine_cannot_do_is_refused_at_submit_with_the_caller_s_field_and_the_reason(
    server: LiveServer, fields: dict[str, Any], field: str, says: str
) -> None:
    refused = server.submit({**BODY, **fields}, X_Vivant_Model="diorama")
    assert refused.status == 400, refused.body
    assert refused.json()["message"].startswith(f"{field}: the engine diorama {says}")
    assert engine_of(server, server.submit({**BODY, **fields})) == "testcard"


def test_an_engine_whose_licence_was_not_accepted_makes_nothing(server: LiveServer) -> None:
    choice = server.service.choice
    before = choice.cards["testcard"]
    choice.cards["testcard"] = replace(before, accepted=False, model="ltx-9", licence="Some Licence")
    try:
        refused = server.submit(BODY)
        assert refused.status == 400
        assert "the licence of ltx-9 (Some Licence) was not accepted" in refused.json()["message"]
    finally:
        choice.cards["testcard"] = before


def test_a_key_s_model_counts_before_the_dialect_s(tmp_path: Path) -> None:
    with LiveServer(tmp_path, engines=("testcard", "diorama")) as live:
        record = live.service._record
        key, text = live.run(
            record.write(lambda c: keys.create(c, name="ann", model="diorama", now=SYSTEM_CLOCK.now()))
        )
        auth = {"Authorization": f"Bearer {text}"}
        live.service._keys = None
        task = live.submit(BODY, **auth).json()["task_id"]
        assert live.get(f"/v1/tasks/{task}", **auth).json()["engine"] == "diorama"
        live.run(record.write(lambda c: keys.set_model(c, key.id, "")))
        live.service._keys = None
        task = live.submit(BODY, **auth).json()["task_id"]
        assert live.get(f"/v1/tasks/{task}", **auth).json()["engine"] == "testcard"
