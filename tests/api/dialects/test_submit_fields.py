"""The thirteen fields: at their bounds, beyond them, of every wrong type, null and absent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.live_server import RESULT, SUBMIT, LiveServer, picture_uri
from vivant.api.dialects.novita import PROMPT_CHARACTERS, read_submission
from vivant.errors import InvalidRequest
from vivant.request import Brief, Tier

URL = "https://example.com/a.png"
LEAST = {"prompt": "a calm day", "image": URL}
ABSENT = object()


def body_with(field: str, value: Any) -> dict[str, Any]:
    body = {**LEAST, field: value}
    return {name: kept for name, kept in body.items() if kept is not ABSENT}


def parse_brief(body: Any) -> Brief:
    return read_submission(json.dumps(body).encode()).brief


WRONG_TYPES: tuple[Any, ...] = ([], {}, [5], {"a": 1})
STRING_WRONG = (5, 0, 1.5, True, False, *WRONG_TYPES)
INT_WRONG = ("5", "", 5.5, 5.0, 1e3, True, False, *WRONG_TYPES)
BOOL_WRONG = (0, 1, "true", "false", "", 1.0, *WRONG_TYPES)

RIGHT: list[tuple[str, Any, str, Any]] = [
    # field, sent, attribute of the brief, what it becomes
    *(("prompt", text, "prompt", text) for text in ("x", " padded ", "雨中的女孩说：“你好”", "🎬", "a\nb\tc")),
    ("prompt", "好" * PROMPT_CHARACTERS, "prompt", "好" * PROMPT_CHARACTERS),
    *(("resolution", value, "resolution", value) for value in ("480p", "720p", "1080p")),
    *(("resolution", value, "resolution", "720p") for value in (None, ABSENT)),
    *(("ratio", value, "ratio", value) for value in ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")),
    *(("ratio", value, "ratio", None) for value in ("adaptive", None, ABSENT)),
    *(("duration", value, "seconds", value) for value in range(4, 13)),
    *(("duration", value, "seconds", 5) for value in (None, ABSENT)),
    *(("fps", value, "seconds", 5) for value in (24, None, ABSENT)),
    *(("seed", value, "seed", value) for value in (-1, 0, 1, 2**31, 2**32 - 1)),
    *(("seed", value, "seed", -1) for value in (None, ABSENT)),
    *(
        (field, value, field, value)
        for field in ("camera_fixed", "watermark", "generate_audio")
        for value in (True, False)
    ),
    *((field, value, field, False) for field in ("camera_fixed", "watermark") for value in (None, ABSENT)),
    *(("generate_audio", value, "generate_audio", True) for value in (None, ABSENT)),
    ("service_tier", "default", "tier", Tier.DEFAULT),
    ("service_tier", "flex", "tier", Tier.FLEX),
    *(("service_tier", value, "tier", Tier.DEFAULT) for value in (None, ABSENT)),
    *(("execution_expires_after", value, "expires_after", value) for value in (3600, 3601, 172_800, 259_199, 259_200)),
    *(("execution_expires_after", value, "expires_after", 172_800) for value in (None, ABSENT)),
    *(("last_image", value, "seconds", 5) for value in (None, ABSENT, URL)),
    *((name, value, "seconds", 5) for name in ("model", "extra", "é", "") for value in (None, 1, {"a": [1]})),
]  # fmt: skip

WRONG: list[tuple[str, Any, str]] = [
    # field, sent, a part of the message
    *(("prompt", value, "a string") for value in (*STRING_WRONG, None, ABSENT)),
    *(("prompt", value, "characters") for value in ("", " ", "\n\t", "　", "x" * (PROMPT_CHARACTERS + 1), "a\0b")),
    *(("image", value, "http(s) URL or a data URI") for value in (*STRING_WRONG, None, ABSENT)),
    *(("last_image", value, "http(s) URL or a data URI") for value in STRING_WRONG),
    *(("resolution", value, "480p, 720p, 1080p") for value in (*STRING_WRONG, "", "720", "720P", "4k", " 720p")),
    *(("ratio", value, "3:4, 9:16, 21:9, adaptive") for value in (*STRING_WRONG, "", "16/9", "2:1", "Adaptive")),
    *(("duration", value, "from 4 to 12") for value in (*INT_WRONG, 3, 13, 0, -1, 2**31, 10**25)),
    *(("fps", value, "24") for value in (*INT_WRONG, 23, 25, 30, 0, -24)),
    *(("seed", value, "from -1 to 4294967295") for value in (*INT_WRONG, -2, 2**32, -(2**63), 10**30)),
    *(
        (field, value, "true or false")
        for field in ("camera_fixed", "watermark", "generate_audio")
        for value in BOOL_WRONG
    ),
    *(("service_tier", value, "default, flex") for value in (*STRING_WRONG, "", "Flex", "auto")),
    *(("execution_expires_after", value, "from 3600 to 259200") for value in (*INT_WRONG, 3599, 259_201, 0, -1)),
]  # fmt: skip


def shown(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value)[:24]


@pytest.mark.parametrize(
    ("field", "value", "attribute", "becomes"), RIGHT, ids=[f"{f}={shown(v)}" for f, v, *_ in RIGHT]
)
def test_what_the_contract_allows_is_understood(field: str, value: Any, attribute: str, becomes: Any) -> None:
    assert getattr(parse_brief(body_with(field, value)), attribute) == becomes


@pytest.mark.parametrize(("field", "value", "says"), WRONG, ids=[f"{f}={shown(v)}" for f, v, _ in WRONG])
def test_everything_else_is_refused_and_the_message_says_what_is_allowed(field: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_brief(body_with(field, value))
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ") and says in str(refused.value)


def test_there_are_at_least_200_vectors() -> None:
    assert len(RIGHT) + len(WRONG) >= 200


@pytest.mark.parametrize(("field", "value", "says"), WRONG[::3], ids=[f"{f}={shown(v)}" for f, v, _ in WRONG[::3]])
def test_over_http_a_refusal_is_novitas_flat_body(server: LiveServer, field: str, value: Any, says: str) -> None:
    response = server.submit(body_with(field, value))
    error = response.json()
    assert response.status == 400 and response.headers["Content-Type"] == "application/json"
    assert list(error) == ["code", "reason", "message", "metadata"]
    assert (error["code"], error["reason"], error["metadata"]) == (400, "INVALID_REQUEST_BODY", {})
    assert error["message"].startswith(f"{field}: ") and says in error["message"] and len(error["message"]) < 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"}", b"null", b"true", b"5", b'"text"', b"[]", b'[{"prompt": "x"}]', b"{,}", b"<xml/>",
        b"{'prompt': 'x'}", b'{"prompt": "x",}', b'{"prompt": "x"} {"prompt": "x"}', b'{"prompt": "x"}x',
        b"prompt=x&image=y", b"-----boundary\r\nContent-Disposition: form-data", b"\x1f\x8b\x08" + b"\0" * 50,
        b'{"prompt": "x"}\x00', b"\x00" * 1000, b"\xff" * 1000, '{"prompt": "x"}'.encode("utf-16"), b"\xef\xbb\xbf{}",
        # text
        b'{"prompt": "\xff\xfe"}', b'{"prompt": "\xed\xa0\x80"}', b'{"prompt": "\\ud800"}',
        b'{"prompt": "\\ud800 more"}', b'{"prompt": "\\udc00\\ud800"}', b'{"prompt": "\\x41"}', b'{"prompt": "\\u12"}',
        b'{"prompt": "a\x00b"}', b'{"prompt": "a\nb"}', b'{"\\ud800": 1}',
        # numbers
        b'{"duration": NaN}', b'{"duration": Infinity}', b'{"duration": -Infinity}', b'{"duration": 1e999}',
        b'{"duration": 05}', b'{"duration": +5}', b'{"duration": .5}', b'{"duration": 5.}', b'{"duration": 0x5}',
        b'{"duration": ' + b"9" * 5000 + b"}", b'{"seed": -' + b"9" * 100_000 + b"}",
        # size and depth
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000,
        b'{"a": ' + b"[" * 2000 + b"]" * 2000 + b"}", b'{"a": [' + b"1," * 100_000 + b"1]}",
        b'{"a": "' + b'\\"' * 200_000 + b'"}', b'{"a": "' + b"\\\\" * 600_000 + b'"}',
        b'{"x": "' + b"y" * 1_100_000 + b'"}',
        # twice the same field
        b'{"prompt": "x", "prompt": "y"}', b'{"image": "x", "im\\u0061ge": "y"}', b'{"fps": 24, "fps": 24}',
        b'{"image": "' + b"A" * 20_000 + b'", "image": "' + b"B" * 20_000 + b'"}', b'{"a": 1, "a": 1}',
        # long strings in the wrong place
        b'{"image": "' + b"A" * 20_000, b'{"image": "' + b"A" * 20_000 + b'"', b'{"image" "' + b"A" * 20_000 + b'"}',
        b'"image": "' + b"A" * 20_000 + b'"', b'{"image": ["' + b"A" * 20_000 + b'"]}',
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_body_that_is_no_valid_json_object_is_400(server: LiveServer, body: bytes) -> None:
    response = server.submit(body)
    error = response.json()
    assert response.status == 400 and error["code"] == 400 and error["reason"] == "INVALID_REQUEST_BODY"
    assert 0 < len(error["message"]) < 400
    assert server.get("/healthz").status == 200


def test_error_bodies_are_these_to_the_byte(server: LiveServer) -> None:
    """Whole bodies, byte for byte."""
    cases: list[tuple[str, str, Any, int, str, str]] = [
        ("POST", SUBMIT, {"image": URL}, 400, "INVALID_REQUEST_BODY", "prompt: is required: a string."),
        ("POST", SUBMIT, {**LEAST, "duration": "5"}, 400, "INVALID_REQUEST_BODY",
         'duration: must be an integer from 4 to 12; got \\"5\\".'),
        ("POST", SUBMIT, {**LEAST, "duration": 13}, 400, "INVALID_REQUEST_BODY",
         "duration: must be an integer from 4 to 12, got 13."),
        ("POST", SUBMIT, {**LEAST, "ratio": "2:1"}, 400, "INVALID_REQUEST_BODY",
         "ratio: must be one of 16:9, 4:3, 1:1, 3:4, 9:16, 21:9, adaptive; got '2:1'."),
        ("POST", SUBMIT, {**LEAST, "ratio": 5, "resolution": "4k"}, 400, "INVALID_REQUEST_BODY",
         "ratio: must be one of 16:9, 4:3, 1:1, 3:4, 9:16, 21:9, adaptive; got 5."),
        ("POST", SUBMIT, {**LEAST, "ratio": "2:1", "resolution": "4k"}, 400, "INVALID_REQUEST_BODY",
         "resolution: must be one of 480p, 720p, 1080p; got '4k'."),
        ("POST", SUBMIT, {**LEAST, "execution_expires_after": 5}, 400, "INVALID_REQUEST_BODY",
         "execution_expires_after: must be an integer from 3600 to 259200, got 5."),
        ("POST", SUBMIT, {**LEAST, "image": "data:image/png;base64,AAA"}, 400, "INVALID_IMAGE_FORMAT",
         "image: the data URI does not hold valid base64 (A-Z a-z 0-9 + /, padded with = to a multiple of four)."),
        ("POST", SUBMIT, {**LEAST, "image": "ftp://x/"}, 400, "INVALID_REQUEST_BODY",
         "image: must be an http(s) URL or a data URI (data:image/<format>;base64,…), with a host and without a user "
         "name: scheme 'ftp'."),
        ("POST", SUBMIT, {**LEAST, "image": picture_uri(), "last_image": "http://10.0.0.1/"}, 400,
         "INVALID_REQUEST_BODY", "last_image: the picture could not be fetched. Its address must be public, on port 80 "
         "or 443, and answer 200 with the picture within 15 s, over at most 3 redirects that never lead from https to "
         "http."),
        ("POST", SUBMIT, {**LEAST, "image": picture_uri(300, 400)}, 400, "INVALID_IMAGE_SIZE",
         "image: each side must be more than 300 and less than 6000 px; this picture is 300x400."),
        ("POST", SUBMIT, {**LEAST, "image": picture_uri(6000, 3000)}, 400, "IMAGE_EXCEEDS_MAX_RESOLUTION",
         "image: each side must be more than 300 and less than 6000 px; this picture is 6000x3000."),
        ("GET", RESULT, None, 400, "INVALID_REQUEST_BODY", "task_id: is required; send it as a query parameter."),
        ("GET", RESULT + "?task_id=no%20id", None, 404, "TASK_NOT_FOUND", "There is no task with this id."),
        ("GET", "/v3/async/x", None, 404, "API_NOT_FOUND", "There is nothing at GET /v3/async/x."),
        ("GET", SUBMIT, None, 405, "API_NOT_FOUND", f"{SUBMIT} does not take GET."),
    ]  # fmt: skip
    for method, path, body, status, reason, message in cases:
        golden = f'{{"code":{status},"reason":"{reason}","message":"{message}","metadata":{{}}}}'
        response = server.send(method, path, None if body is None else json.dumps(body).encode())
        assert (response.status, response.body.decode()) == (status, golden)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("data:image/png;base64,AAAA", "INVALID_IMAGE_FORMAT"),
        ("data:image/png;base64,AAA", "INVALID_IMAGE_FORMAT"),
        ("data:image/svg+xml;base64,AAAA", "INVALID_IMAGE_FORMAT"),
        ("data:image/png,AAAA", "INVALID_REQUEST_BODY"),
        ("AAAA", "INVALID_REQUEST_BODY"),
        ("http://127.0.0.1:1/", "INVALID_REQUEST_BODY"),
        ("http://10.0.0.1/", "INVALID_REQUEST_BODY"),
        ("file:///etc/passwd", "INVALID_REQUEST_BODY"),
        (picture_uri(1000, 400), "INVALID_IMAGE_SIZE"),
        (picture_uri(400, 1000), "INVALID_IMAGE_SIZE"),
        ("data:image/png;base64," + "A" * 20_000, "INVALID_IMAGE_FORMAT"),
        ("x" * 20_000, "INVALID_REQUEST_BODY"),
    ],
    ids=lambda text: text[:40],
)
@pytest.mark.parametrize("field", ["image", "last_image"])
def test_a_bad_picture_is_refused_at_submit(server: LiveServer, field: str, image: str, reason: str) -> None:
    response = server.submit({"prompt": "x", "image": picture_uri(), field: image})
    assert response.status == 400 and response.json()["reason"] == reason
    assert response.json()["message"].startswith(f"{field}: ")


def test_a_picture_of_too_many_bytes_has_its_own_reason(server: LiveServer) -> None:
    text = "data:image/png;base64," + "A" * (4 * (30 * 2**20 // 3 + 1))
    response = server.submit({"prompt": "x", "image": text})
    assert response.status == 400 and response.json()["reason"] == "IMAGE_FILE_EXCEEDS_MAX_SIZE"
