"""The engine `ark`, through a double of Ark's API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support.clips import photo
from support.doubles.ark import KEY, MODEL, TASKS, ArkDouble, options_for, refuse
from support.doubles.films import make_film
from support.doubles.loopback import Reply
from support.doubles.provider import picture_of
from support.film import psnr
from support.paid_clips import engine_for, finish, picture, render
from support.watches import RecordingWatch
from vivant.engines.ark.check import check
from vivant.engines.ark.orders import mark_of
from vivant.engines.registry import complete_options, make_card
from vivant.errors import EngineFailed, Misconfigured, RefusedByBackend, Stopped
from vivant.generate import decode_png
from vivant.media import SAMPLES_PER_FRAME, U8, fit, to_picture
from vivant.request import SIZES


@pytest.fixture
def double() -> Iterator[ArkDouble]:
    with ArkDouble() as at:
        yield at


def asked(double: ArkDouble) -> dict[str, Any]:
    """The body of the one submit."""
    (seen,) = double.asked("POST", TASKS)
    body: dict[str, Any] = seen.json
    return body


def pictures_of(body: dict[str, Any]) -> dict[str, U8]:
    """Those that were sent, by their roles."""
    return {
        part["role"]: decode_png(picture_of(part["image_url"]["url"]))
        for part in body["content"]
        if part["type"] == "image_url"
    }


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_an_order_goes_out_in_arks_words_and_the_prompt_as_it_came(double: ArkDouble) -> None:
    prompt = '  A lake; she says "Hello."\n--resolution is no parameter here  '
    watch = RecordingWatch()
    finish(render(engine_for("ark", options_for(double)), watch, prompt=prompt, camera_fixed=True, seed=4294967295))
    body = asked(double)
    text, image = body.pop("content")
    assert text == {"type": "text", "text": prompt}
    assert image["role"] == "first_frame" and image["image_url"]["url"].startswith("data:image/png;base64,")
    expires = body.pop("execution_expires_after")
    assert expires == mark_of(watch.remembered["remote"]["reference"])
    assert body == {
        "model": MODEL,
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 4,
        "seed": 4294967295,
        "camera_fixed": True,
        "watermark": False,
        "generate_audio": False,
        "service_tier": "default",
    }


def test_both_pictures_go_out_with_their_roles_as_the_contract_crops_them(double: ArkDouble) -> None:
    last = photo("sea_falls")
    finish(render(engine_for("ark", options_for(double)), RecordingWatch(), last=last))
    sent = pictures_of(asked(double))
    assert set(sent) == {"first_frame", "last_frame"}
    assert np.array_equal(sent["first_frame"], fit(picture(), 864, 496))
    assert np.array_equal(sent["last_frame"], fit(last, 864, 496))


def test_an_order_without_words_has_no_text(double: ArkDouble) -> None:
    finish(render(engine_for("ark", options_for(double)), RecordingWatch(), prompt="  "))
    assert [part["type"] for part in asked(double)["content"]] == ["image_url"]


@pytest.mark.parametrize("size", sorted(SIZES), ids=":".join)
def test_every_size_of_the_contract_is_asked_for_by_its_name(double: ArkDouble, size: tuple[str, str]) -> None:
    double.accidents.append(refuse(400, "InvalidParameter", "enough was seen", "BadRequest"))
    with pytest.raises(EngineFailed, match="enough was seen"):
        render(engine_for("ark", options_for(double)), RecordingWatch(), resolution=size[0], ratio=size[1])
    body = asked(double)
    assert (body["resolution"], body["ratio"]) == size
    assert pictures_of(body)["first_frame"].shape == (SIZES[size][1], SIZES[size][0], 3)


def test_parameters_go_into_the_prompt_where_the_operator_wants_that(double: ArkDouble) -> None:
    engine = engine_for("ark", options_for(double, parameters="suffix"))
    finish(render(engine, RecordingWatch(), camera_fixed=True))
    body = asked(double)
    assert body["content"][0]["text"] == (
        "A lake in the wind. --resolution 480p --ratio 16:9 --duration 4 --seed 7 --camerafixed true --watermark false"
    )
    assert not {"resolution", "ratio", "duration", "seed", "camera_fixed", "watermark"} & body.keys()
    assert body["generate_audio"] is False  # has no name in a prompt


def test_the_caller_s_mark_is_drawn_here_and_not_at_ark(double: ArkDouble) -> None:
    finish(render(engine_for("ark", options_for(double)), RecordingWatch(), watermark=True))
    assert asked(double)["watermark"] is False


# -- what comes back --------------------------------------------------------------------------------------------------


def test_frames_and_sound_come_through_as_ark_made_them(double: ArkDouble) -> None:
    clip = render(engine_for("ark", options_for(double)), RecordingWatch(), generate_audio=True)
    frames = list(clip.frames)
    assert len(frames) == 97
    assert frames[0].y.shape == (496, 864)
    assert psnr(to_picture(frames[0])[:40], fit(picture(), 864, 496)[:40]) > 30  # above the double's square
    assert clip.soundtrack is not None
    samples = clip.soundtrack().samples
    assert samples.shape == (2, 97 * SAMPLES_PER_FRAME) and np.abs(samples).max() > 0.1
    assert clip.report is not None and clip.report()["sound"] == "of the model"


def test_the_first_frame_is_the_models_own_unless_it_is_to_be_pinned(double: ArkDouble) -> None:
    loose = next(render(engine_for("ark", options_for(double)), RecordingWatch()).frames)
    pinned = next(render(engine_for("ark", options_for(double, pin="fade")), RecordingWatch()).frames)
    exact = fit(picture(), 864, 496)
    assert psnr(to_picture(pinned), exact) > psnr(to_picture(loose), exact) + 5


def test_the_cost_is_told_from_arks_tokens_and_the_operators_price(double: ArkDouble) -> None:
    report = finish(render(engine_for("ark", options_for(double)), RecordingWatch(), generate_audio=True))
    tokens = 864 * 496 * 97 // 1024
    assert report["tokens"] == tokens
    assert report["cost"] == {
        "amount": round(tokens * 2.4 / 1e6, 6),
        "currency": "USD",
        "basis": f"{tokens} tokens, as the provider counted, at 2.4 USD per million",
    }
    assert report["remote_id"] in double.jobs


def test_silent_clips_and_flex_cost_less(double: ArkDouble) -> None:
    options = options_for(double, service_tier="flex", price_silent=2.0, currency="EUR")
    report = finish(render(engine_for("ark", options), RecordingWatch()))
    assert asked(double)["service_tier"] == "flex"
    assert report["cost"]["amount"] == round(864 * 496 * 97 // 1024 * 1e-6, 6)
    assert report["cost"]["basis"].endswith("at 2 EUR per million, half of it for flex")


def test_without_a_price_no_cost_is_told(double: ArkDouble) -> None:
    report = finish(render(engine_for("ark", options_for(double, price_silent=0.0)), RecordingWatch()))
    assert "cost" not in report and report["tokens"] > 0


def test_a_film_that_is_too_short_ends_the_task_in_words(double: ArkDouble) -> None:
    double.change_film = lambda film: make_film(None, width=864, height=496, frames=40, seed=1)
    with pytest.raises(EngineFailed, match=r"1\.67 s of film"):
        render(engine_for("ark", options_for(double)), RecordingWatch())


def test_a_link_that_is_dead_is_asked_for_anew(double: ArkDouble) -> None:
    double.dead_links = 2  # of the look that finds it done, and of the first that fetches
    finish(render(engine_for("ark", options_for(double)), RecordingWatch()))
    assert double.ordered == 1


def test_a_link_that_stays_dead_ends_the_task_and_says_that_it_is_paid_for(double: ArkDouble) -> None:
    double.dead_links = 99
    with pytest.raises(EngineFailed, match=r"link is dead.*paid for"):
        render(engine_for("ark", options_for(double)), RecordingWatch())
    assert double.ordered == 1


@pytest.mark.parametrize(
    "link",
    ["file:///etc/passwd", "http://169.254.169.254/latest", "http://10.0.0.1/film.mp4", "https://[::1]/film", ""],
)
def test_a_link_that_leads_into_this_network_or_nowhere_is_not_followed(double: ArkDouble, link: str) -> None:
    double.new_link = lambda job: link  # type: ignore[method-assign]  # what a hostile provider would name
    with pytest.raises(EngineFailed, match=r"address|server|path"):
        render(engine_for("ark", options_for(double)), RecordingWatch())
    assert double.ordered == 1


@pytest.mark.parametrize(
    "film",
    [b"<html>not a film</html>", b"\0" * 5000, b"#EXTM3U\nhttp://127.0.0.1/x"],
    ids=["page", "zeros", "playlist"],
)
def test_something_else_than_a_film_ends_the_task_in_words(double: ArkDouble, film: bytes) -> None:
    double.change_film = lambda right: film
    with pytest.raises(EngineFailed, match="no film that is read"):
        render(engine_for("ark", options_for(double)), RecordingWatch())
    assert double.ordered == 1


@pytest.mark.parametrize(
    "answer", [{}, {"id": 7}, {"id": ""}, {"id": "../x?y=1"}, {"id": "a" * 300}, [], "job", None], ids=repr
)
def test_an_answer_without_a_usable_id_is_settled_with_arks_list(double: ArkDouble, answer: Any) -> None:
    right = double.submit
    said = Reply(data=answer)
    double.submit = lambda accept, answer: right(accept, lambda job: said)  # type: ignore[method-assign]  # another answer
    finish(render(engine_for("ark", options_for(double)), RecordingWatch()))
    assert double.ordered == 1


# -- refusals and waiting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "InputImageSensitiveContentDetected.PrivacyInformation", "the input image may contain a real person"),
        (402, "AccountOverdueError", "the account has an overdue balance"),
        (403, "AccountOverdueError", "the account has an overdue balance"),
        (404, "ModelNotOpen", "the model is not activated"),
    ],
)
def test_a_refusal_ends_the_task_with_arks_words_and_code_and_never_the_key(
    double: ArkDouble, status: int, code: str, message: str
) -> None:
    double.accidents.append(refuse(status, code, f"{message}, key {KEY}", "BadRequest"))
    with pytest.raises(EngineFailed) as caught:
        render(engine_for("ark", options_for(double)), RecordingWatch())
    text = str(caught.value)
    # What moderation refuses is asked of no other engine; an empty account may be.
    assert isinstance(caught.value, RefusedByBackend) == ("Sensitive" in code)
    assert message in text and code in text and str(status) in text
    assert KEY not in text and not caught.value.retryable
    assert double.ordered == 0


def test_a_film_that_moderation_holds_back_ends_the_task_with_its_reason(double: ArkDouble) -> None:
    double.after = ("queued", "running", "failed")
    with pytest.raises(RefusedByBackend, match=r"may contain sensitive information.*OutputVideoSensitiveContent"):
        render(engine_for("ark", options_for(double)), RecordingWatch())


def test_a_task_that_expired_at_ark_ends_the_task(double: ArkDouble) -> None:
    double.after = ("queued", "expired")
    with pytest.raises(EngineFailed, match="expired at Ark"):
        render(engine_for("ark", options_for(double)), RecordingWatch())


@pytest.mark.parametrize("retry_after", ["1", ""])
def test_too_many_requests_are_waited_for_as_long_as_ark_says(double: ArkDouble, retry_after: str) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    busy = refuse(429, "RateLimitExceeded.EndpointRPMExceeded", "too many requests", "TooManyRequests", headers)
    double.accidents.extend([busy, busy])
    started = time.monotonic()
    finish(render(engine_for("ark", options_for(double)), RecordingWatch()))
    assert double.ordered == 1
    assert len(double.asked("POST", TASKS)) == 3
    assert not retry_after or time.monotonic() - started >= 2


def test_waiting_for_ark_is_left_at_once_when_the_task_is_cancelled(double: ArkDouble) -> None:
    busy = refuse(429, "ServerOverloaded", "too many requests", "TooManyRequests", {"Retry-After": "600"})
    double.accidents.extend([busy] * 9)
    engine = engine_for("ark", options_for(double))
    started = time.monotonic()
    with pytest.raises(Stopped):
        render(engine, RecordingWatch(12))
    assert time.monotonic() - started < 3


def test_a_status_that_is_new_is_taken_for_work_under_way(double: ArkDouble) -> None:
    double.after = ("queued", "post_processing", "succeeded")
    finish(render(engine_for("ark", options_for(double)), RecordingWatch()))


def test_a_wrong_key_is_told_at_the_start_without_the_key(double: ArkDouble) -> None:
    with pytest.raises(Misconfigured, match=r"API key .* missing or invalid") as caught:
        engine_for("ark", options_for(double, api_key="sk_wrong-key"))
    assert "sk_wrong" not in str(caught.value)


def test_without_a_key_there_is_no_card_and_the_setting_is_named() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_ARK_API_KEY"):
        make_card("ark")


def test_the_card_says_what_it_is_and_how_many_jobs_it_takes() -> None:
    card = make_card("ark", {"api_key": KEY, "jobs": 5})
    assert card.hosted and card.workers == 5 and card.last_frame
    assert "queued" in card.cancel


def test_a_check_looks_without_ordering(double: ArkDouble) -> None:
    lines = list(check(complete_options("ark", options_for(double))))
    assert all(well for well, _, _ in lines) and "2.4 USD" in lines[0][2]
    assert double.ordered == 0
    wrong = list(check(complete_options("ark", options_for(double, api_key="sk_wrong-key"))))
    assert not wrong[-1][0] and "sk_wrong" not in str(wrong)
    assert [well for well, _, _ in check(complete_options("ark", {}))] == [False]


# -- cancel -----------------------------------------------------------------------------------------------------------


def stop_when(double: ArkDouble, status: str) -> RecordingWatch:
    """A watch that asks to stop as soon as a look has shown this status."""
    watch = RecordingWatch()
    state = {"stop": False}

    def on(step: str) -> None:
        if step == "look" and any(job.status == status for job in double.jobs.values()):
            state["stop"] = True

    def ask() -> None:
        if state["stop"]:
            raise Stopped

    double.on = on
    watch.raise_if_stopping = ask  # type: ignore[method-assign]  # stops by what the double has seen
    return watch


def test_a_queued_task_is_deleted_at_ark_when_the_task_is_cancelled(double: ArkDouble) -> None:
    double.after = ("queued",)
    with pytest.raises(Stopped):
        render(engine_for("ark", options_for(double)), stop_when(double, "queued"))
    assert len(double.asked("DELETE")) == 1
    (job,) = double.jobs.values()
    assert job.status == "cancelled"


def test_a_running_task_is_left_to_ark(double: ArkDouble) -> None:
    double.after = ("running",)
    with pytest.raises(Stopped):
        render(engine_for("ark", options_for(double)), stop_when(double, "running"))
    assert not double.asked("DELETE")


def test_a_finished_task_is_never_deleted(double: ArkDouble) -> None:
    double.after = ("succeeded",)
    with pytest.raises(Stopped):
        render(engine_for("ark", options_for(double)), stop_when(double, "succeeded"))
    assert not double.asked("DELETE") and len(double.jobs) == 1


def test_a_task_that_we_had_cancelled_is_ordered_anew_for_it_costs_nothing(double: ArkDouble) -> None:
    double.after = ("queued",)
    engine = engine_for("ark", options_for(double))
    watch = stop_when(double, "queued")
    with pytest.raises(Stopped):
        render(engine, watch)
    double.on, double.after = lambda step: None, ("queued", "running", "succeeded")
    finish(render(engine, RecordingWatch(remembered=watch.remembered)))
    assert [job.status for job in double.jobs.values()] == ["cancelled", "succeeded"]


def test_progress_rises_and_a_probe_orders_the_cheapest_clip(double: ArkDouble) -> None:
    watch = RecordingWatch()
    finish(render(engine_for("ark", options_for(double)), watch))
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 0.9
    engine = engine_for("ark", options_for(double, probe=True))
    engine.probe(RecordingWatch())
    body = double.asked("POST", TASKS)[-1].json
    assert (body["resolution"], body["duration"], body["generate_audio"]) == ("480p", 4, False)
    assert double.ordered == 2
    engine_for("ark", options_for(double)).probe(RecordingWatch())
    assert double.ordered == 2, "a probe costs money and is not made unless the operator wants it"
