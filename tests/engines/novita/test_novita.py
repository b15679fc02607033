"""The engine `novita`: against our own server, which speaks the same contract, and against a double for what that does
not do."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.clips import photo
from support.doubles.novita import SUBMIT, NovitaDouble, options_for, refuse
from support.doubles.provider import KEY, picture_of
from support.film import psnr
from support.live_server import LiveServer
from support.paid_clips import KilledWatch, attempt, engine_for, finish, picture, render, request_for
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.generated.server_errors import ServerRefused
from vivant.engines.novita.check import check
from vivant.engines.registry import complete_options, make_card
from vivant.engines.testcard.engine import Testcard
from vivant.errors import EngineFailed, Misconfigured, RefusedByBackend
from vivant.generate import decode_png
from vivant.media import Pictures, fit, to_picture


@pytest.fixture
def double() -> Iterator[NovitaDouble]:
    with NovitaDouble() as at:
        yield at


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("another-vivant"), engines=("testcard",)) as running:
        yield running


def options_of(server: LiveServer, **more: Any) -> dict[str, Any]:
    return {"url": server.url, "idempotent": True, "poll": 0.1, "settle": 0.5, **more}


def asked(double: NovitaDouble) -> dict[str, Any]:
    (seen,) = double.asked("POST", SUBMIT)
    body: dict[str, Any] = seen.json
    return body


# -- another Vivant ---------------------------------------------------------------------------------------------------


def test_a_clip_of_another_vivant_comes_through_frame_by_frame(server: LiveServer) -> None:
    engine = engine_for("novita", options_of(server))
    request, pictures = request_for(generate_audio=True), Pictures(picture())
    watch = RecordingWatch()
    clip = engine.render(engine.plan(request, pictures, NullWatch()), pictures, watch)
    made = list(clip.frames)
    testcard = Testcard()
    wanted = testcard.render(testcard.plan(request, pictures, NullWatch()), pictures, NullWatch())
    for n, (frame, right) in enumerate(zip(made, wanted.frames, strict=True)):
        assert psnr(frame.y, right.y) > 32, f"frame {n}"
    assert clip.soundtrack is not None and wanted.soundtrack is not None
    heard, played = clip.soundtrack().samples, wanted.soundtrack().samples
    assert heard.shape == played.shape
    assert np.corrcoef(heard[0, 60_000:100_000], played[0, 60_000:100_000])[0, 1] > 0.9
    assert watch.fractions == sorted(watch.fractions)
    assert clip.report is not None and clip.report()["provider_seconds"] > 0


def test_a_last_picture_comes_through(server: LiveServer) -> None:
    last = photo("sea_falls")
    clip = render(engine_for("novita", options_of(server)), RecordingWatch(), last=last)
    frames = list(clip.frames)
    assert psnr(to_picture(frames[0]), fit(picture(), 864, 496)) > 30
    assert psnr(to_picture(frames[-1]), fit(last, 864, 496)) > 28


def test_another_vivant_gets_one_task_however_often_an_order_is_repeated(server: LiveServer) -> None:
    """The worker is killed after the order has gone out and before its answer was remembered."""
    engine = engine_for("novita", options_of(server))
    first = KilledWatch(before=2)
    before = count_tasks(server)
    assert not attempt(engine, first, seed=11)
    assert count_tasks(server) == before + 1
    report = finish(render(engine, RecordingWatch(remembered=first.stored), seed=11))
    assert report["adopted"]
    assert count_tasks(server) == before + 1


def count_tasks(server: LiveServer) -> int:
    with sqlite3.connect(Path(server.settings.data) / "vivant.db") as record:
        return int(record.execute("SELECT count(*) FROM tasks").fetchone()[0])


def test_a_vivant_that_refuses_says_why(server: LiveServer) -> None:
    with pytest.raises(ServerRefused, match=r"prompt.*INVALID_REQUEST_BODY"):
        render(engine_for("novita", options_of(server)), RecordingWatch(), prompt=" ")


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_an_order_goes_out_in_novitas_words_and_the_prompt_as_it_came(double: NovitaDouble) -> None:
    prompt = '  A lake; she says "Hello."\n'
    finish(render(engine_for("novita", options_for(double)), RecordingWatch(), prompt=prompt, camera_fixed=True))
    body = asked(double)
    sent = decode_png(picture_of(body.pop("image")))
    assert np.array_equal(sent, fit(picture(), 864, 496))
    assert body == {
        "prompt": prompt,
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 4,
        "fps": 24,
        "seed": 7,
        "camera_fixed": True,
        "watermark": False,
        "generate_audio": False,
        "service_tier": "default",
    }


def test_a_last_picture_goes_out_as_last_image(double: NovitaDouble) -> None:
    last = photo("sea_falls")
    finish(render(engine_for("novita", options_for(double)), RecordingWatch(), last=last))
    assert np.array_equal(decode_png(picture_of(asked(double)["last_image"])), fit(last, 864, 496))


@pytest.mark.parametrize("name", ["id", "task_id"])
def test_both_names_of_the_id_are_read(name: str) -> None:
    with NovitaDouble(names_it=name) as double:
        finish(render(engine_for("novita", options_for(double)), RecordingWatch()))
        assert double.ordered == 1


def test_orders_carry_a_key_by_which_they_can_be_repeated(double: NovitaDouble) -> None:
    watch = RecordingWatch()
    finish(render(engine_for("novita", options_for(double)), watch))
    (seen,) = double.asked("POST", SUBMIT)
    assert seen.headers["idempotency-key"] == watch.remembered["remote"]["reference"]


# -- what comes back --------------------------------------------------------------------------------------------------


def test_the_cost_is_told_by_the_contracts_formula_where_there_is_a_price(double: NovitaDouble) -> None:
    options = options_for(double, price=2.4)
    report = finish(render(engine_for("novita", options), RecordingWatch(), generate_audio=True))
    tokens = 864 * 496 * 97 // 1024
    assert report["cost"]["amount"] == round(tokens * 2.4e-6, 6)
    assert "by the contract's formula" in report["cost"]["basis"]
    assert "cost" not in finish(render(engine_for("novita", options_for(double)), RecordingWatch()))


def test_a_link_that_is_dead_is_asked_for_anew_and_one_that_stays_dead_ends_the_task(double: NovitaDouble) -> None:
    double.dead_links = 2
    finish(render(engine_for("novita", options_for(double)), RecordingWatch()))
    double.dead_links = 99
    with pytest.raises(EngineFailed, match=r"link is dead.*paid for"):
        render(engine_for("novita", options_for(double)), RecordingWatch())
    assert double.ordered == 2


def test_a_failed_task_ends_with_the_providers_reason(double: NovitaDouble) -> None:
    double.after = ("TASK_STATUS_QUEUED", "TASK_STATUS_FAILED")
    with pytest.raises(RefusedByBackend, match="the prompt may contain sensitive content"):
        render(engine_for("novita", options_for(double)), RecordingWatch())


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "BILLING_BALANCE_NOT_ENOUGH"), (400, "ILLEGAL_PROMPT"), (403, "FEATURE_NOT_ALLOWED")],
)
def test_a_refusal_ends_the_task_with_the_providers_words_and_never_the_key(
    double: NovitaDouble, status: int, reason: str
) -> None:
    double.accidents.append(refuse(status, reason, f"no, not with {KEY}"))
    with pytest.raises(EngineFailed, match=reason) as caught:
        render(engine_for("novita", options_for(double)), RecordingWatch())
    assert isinstance(caught.value, RefusedByBackend) == (reason == "ILLEGAL_PROMPT")
    assert KEY not in str(caught.value) and not caught.value.retryable
    assert double.ordered == 0


@pytest.mark.parametrize("status", [429])
def test_too_many_requests_are_waited_for(double: NovitaDouble, status: int) -> None:
    double.accidents.append(refuse(status, "RATE_LIMIT_EXCEEDED", "slow down", {"Retry-After": "1"}))
    started = time.monotonic()
    finish(render(engine_for("novita", options_for(double)), RecordingWatch()))
    assert double.ordered == 1 and time.monotonic() - started >= 1


def test_a_wrong_key_is_told_at_the_start_without_the_key(double: NovitaDouble) -> None:
    with pytest.raises(Misconfigured, match="invalid api key") as caught:
        engine_for("novita", options_for(double, api_key="sk_wrong-key"))
    assert "sk_wrong" not in str(caught.value)
    with pytest.raises(Misconfigured, match="missing api key"):
        engine_for("novita", options_for(double, api_key=""))


def test_without_a_key_for_novita_there_is_no_card_and_another_vivant_needs_none() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_NOVITA_API_KEY"):
        make_card("novita")
    assert make_card("novita", {"url": "http://127.0.0.1:8000"}).hosted
    assert "cannot be told" in make_card("novita", {"api_key": KEY}).cancel


def test_a_check_looks_without_ordering(double: NovitaDouble) -> None:
    assert all(well for well, _, _ in check(complete_options("novita", options_for(double))))
    wrong = list(check(complete_options("novita", options_for(double, api_key="sk_wrong-key"))))
    assert not wrong[-1][0] and "sk_wrong" not in str(wrong)
    assert double.ordered == 0
