"""Novita's API for Seedance 1.5 Pro: `POST /v3/async/seedance-v1.5-pro-i2v` and `GET /v3/async/task-result`.

All that is particular to Novita is in this file: field names and defaults, the result envelope, the flat error body
with its reasons. docs/api.md names the sources, and says what was decided where they are silent.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivant.api.body import LongString, parse_object
from vivant.api.context import Context
from vivant.api.http_errors import BodyTooLarge, BodyTooSlow, HeadTooLarge, UnknownExpectation, WrongMethod
from vivant.api.idempotency import parse_idempotency_key
from vivant.api.limits import receive_body
from vivant.api.responses import json_response
from vivant.errors import (
    Busy,
    EngineCannot,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    MissingKey,
    NotAuthorized,
    NotFound,
    PictureOutOfBounds,
    PictureTooLarge,
    PictureTooManyBytes,
    Stopped,
    StorageFailed,
    TaskNotFound,
    UnknownKey,
    UnreadablePicture,
    UnsupportedPicture,
    VivantError,
)
from vivant.record.idempotency import IdempotencyKey
from vivant.request import FPS, RATIOS, RESOLUTIONS, Brief, Tier
from vivant.task import Status, Task

PREFIX: Final = "/v3/"
SUBMIT: Final = "/v3/async/seedance-v1.5-pro-i2v"
RESULT: Final = "/v3/async/task-result"
MODEL: Final = "seedance-v1.5-pro-i2v"  # the operator may map it to an engine
MODEL_HEADER: Final = "X-Vivant-Model"  # our own addition: the model for one submit
TASK_TYPE: Final = "IMG_TO_VIDEO"  # not documented for this model; formed like TXT_TO_IMG
PROMPT_CHARACTERS: Final = 10_000  # the contract advises 500; a limit against misuse as storage
ADAPTIVE: Final = "adaptive"  # the ratio nearest to the first picture's
FIELD_NAMES: Final = {  # of `request.Brief` -> here, where they differ
    "seconds": "duration",
    "tier": "service_tier",
    "expires_after": "execution_expires_after",
    "last_frame": "last_image",
}

STATUSES: Final[dict[Status, str]] = {
    Status.QUEUED: "TASK_STATUS_QUEUED",
    Status.RUNNING: "TASK_STATUS_PROCESSING",
    Status.SUCCEEDED: "TASK_STATUS_SUCCEED",
    Status.FAILED: "TASK_STATUS_FAILED",
    Status.CANCELLED: "TASK_STATUS_FAILED",
    Status.EXPIRED: "TASK_STATUS_FAILED",
}
REASONS: Final[dict[type[VivantError], tuple[int, str]]] = {
    BodyTooLarge: (413, "INVALID_REQUEST_BODY"),
    BodyTooSlow: (408, "INVALID_REQUEST_BODY"),
    HeadTooLarge: (431, "INVALID_REQUEST_BODY"),
    UnknownExpectation: (417, "INVALID_REQUEST_BODY"),
    PictureTooManyBytes: (400, "IMAGE_FILE_EXCEEDS_MAX_SIZE"),
    PictureTooLarge: (400, "IMAGE_EXCEEDS_MAX_RESOLUTION"),
    PictureOutOfBounds: (400, "INVALID_IMAGE_SIZE"),
    UnsupportedPicture: (400, "INVALID_IMAGE_FORMAT"),
    UnreadablePicture: (400, "INVALID_IMAGE_FORMAT"),
    IdempotencyMismatch: (422, "INVALID_REQUEST_BODY"),
    InvalidRequest: (400, "INVALID_REQUEST_BODY"),
    MissingKey: (400, "MISSING_API_KEY"),
    UnknownKey: (403, "INVALID_API_KEY"),
    NotAuthorized: (403, "API_NOT_ALLOWED"),
    TaskNotFound: (404, "TASK_NOT_FOUND"),
    WrongMethod: (405, "API_NOT_FOUND"),
    NotFound: (404, "API_NOT_FOUND"),
    LimitReached: (429, "RATE_LIMIT_EXCEEDED"),
    Busy: (503, "SERVICE_NOT_AVAILABLE"),
    Stopped: (503, "SERVICE_NOT_AVAILABLE"),
    StorageFailed: (503, "SERVICE_NOT_AVAILABLE"),
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A parsed submit body: the brief, and each picture as URL or data URI."""

    brief: Brief
    image: str | LongString
    last_image: str | LongString | None

    def digest(self) -> bytes:
        """SHA-256 of what is asked, for idempotency keys: equal however the JSON was written. Raises InvalidRequest."""
        found = hashlib.sha256(msgspec.json.encode(asdict(self.brief), order="sorted"))
        for picture in (self.image, self.last_image):
            of_picture = hashlib.sha256()
            for piece in [picture.encode()] if isinstance(picture, str) else picture or ():
                of_picture.update(piece)
            found.update(of_picture.digest())
        return found.digest()


def routes(context: Context) -> list[Route]:
    async def submit(request: Request) -> Response:
        key_id = await context.authenticate(request)
        context.check_accepting_tasks()
        intake = context.intake
        async with receive_body(
            request,
            intake.picture_bytes,
            owner=key_id,
            max_bytes=context.max_body_bytes,
        ) as (body, held):
            read = partial(_read_submit, idempotency_key=parse_idempotency_key(request))
            submission, idempotency = await context.parsing.run(read, body, owner=key_id)
            brief = submission.brief
            engine = await context.service.choose_engine(
                key_id=key_id, wanted=request.headers.get(MODEL_HEADER, ""), of_dialect=MODEL
            )
            earlier = await context.service.admit(key_id=key_id, idempotency=idempotency)
            if earlier is not None:
                return _submitted(earlier, replayed=True)
            first = await intake.receive(submission.image, owner=key_id, field="image", ratio=brief.ratio)
            held.grow(len(first.png))  # a small file may decode to a large picture
            last = None
            if submission.last_image is not None:
                ratio = brief.ratio_for(first.width, first.height)
                last = await intake.receive(submission.last_image, owner=key_id, field="last_image", ratio=ratio)
                held.grow(len(last.png))
            try:
                task, replayed = await context.service.submit_once(
                    brief, first, last, key_id=key_id, idempotency=idempotency, engine=engine
                )
            except EngineCannot as error:
                raise translate_error(error, ratio=submission.brief.ratio or ADAPTIVE) from None
        return _submitted(task, replayed=replayed)

    async def result(request: Request) -> Response:
        key_id = await context.authenticate(request)
        task_id = request.path_params.get("task_id") or request.query_params.get("task_id")
        if not task_id:
            raise InvalidRequest("is required; send it as a query parameter.", field="task_id")
        task = await context.find_task(task_id, key_id=key_id)
        eta = await context.service.estimate_eta(task)
        video = None
        if task.artifact is not None:
            path, seconds = await context.service.make_link(task)
            video = context.absolute_url(request, path), seconds
        return json_response(build_envelope(task, eta=eta, video=video))

    return [
        Route(SUBMIT, submit, methods=["POST"]),
        Route(RESULT, result, methods=["GET"]),
        Route(RESULT + "/{task_id}", result, methods=["GET"]),  # some clients send the id in the path
    ]


def _read_submit(body: bytearray, idempotency_key: str | None) -> tuple[Submission, IdempotencyKey | None]:
    submission = read_submission(body)
    return submission, IdempotencyKey(idempotency_key, submission.digest()) if idempotency_key is not None else None


def _submitted(task: Task, *, replayed: bool) -> Response:
    response = json_response({"id": task.id, "task_id": task.id})
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def read_submission(body: bytes | bytearray) -> Submission:
    """Parse the thirteen fields. Null and absent mean the default, unknown fields are ignored, types are strict.

    Raises InvalidRequest, naming the field and what is allowed.
    """
    fields = parse_object(body, long=frozenset({"image", "last_image"}))
    prompt = _required(fields, "prompt", str, "a string")
    if not prompt.strip() or len(prompt) > PROMPT_CHARACTERS or "\0" in prompt:
        raise _invalid("prompt", f"must hold 1 to {PROMPT_CHARACTERS} characters, not all blank and none of them NUL")
    picture = "an http(s) URL or a data URI (data:image/<format>;base64,…)"
    fps = _optional(fields, "fps", int, str(FPS), FPS)
    if fps != FPS:
        raise _invalid("fps", f"must be {FPS}", fps)
    tier = _optional(fields, "service_tier", str, f"one of {', '.join(Tier)}", Tier.DEFAULT.value)
    if tier not in list(Tier):
        raise _invalid("service_tier", f"must be one of {', '.join(Tier)}", tier)
    image = _required(fields, "image", (str, LongString), picture)
    last_image = _optional(fields, "last_image", (str, LongString), picture, None)
    boolean = "true or false"
    resolution = _optional(fields, "resolution", str, f"one of {', '.join(RESOLUTIONS)}", "720p")
    ratio = _optional(fields, "ratio", str, f"one of {', '.join((*RATIOS, ADAPTIVE))}", ADAPTIVE)
    values: dict[str, Any] = {
        "seconds": _optional(fields, "duration", int, "an integer from 4 to 12", 5),
        "seed": _optional(fields, "seed", int, "an integer from -1 to 4294967295", -1),
        "camera_fixed": _optional(fields, "camera_fixed", bool, boolean, False),
        "watermark": _optional(fields, "watermark", bool, boolean, False),
        "generate_audio": _optional(fields, "generate_audio", bool, boolean, True),
        "expires_after": _optional(
            fields, "execution_expires_after", int, "an integer from 3600 to 259200 (seconds)", 172_800
        ),
    }
    try:
        brief = Brief(
            prompt=prompt,
            resolution=resolution,
            ratio=None if ratio == ADAPTIVE else ratio,
            tier=Tier(tier),
            **values,
        )
    except InvalidRequest as error:
        raise translate_error(error, ratio=ratio) from None
    return Submission(brief, image, last_image)


def translate_error(error: InvalidRequest, *, ratio: str) -> InvalidRequest:
    """An error about a field of the brief, with this API's name for the field and, for the ratio, its values."""
    if error.field == "ratio" and ratio not in (*RATIOS, ADAPTIVE):
        return InvalidRequest(f"must be one of {', '.join((*RATIOS, ADAPTIVE))}; got {ratio!r}.", field="ratio")
    return InvalidRequest(error.problem, field=FIELD_NAMES.get(error.field, error.field))


def build_envelope(task: Task, *, eta: float, video: tuple[str, int] | None) -> dict[str, Any]:
    """The task-result body. eta: seconds; video: (absolute URL, seconds until it expires), None without a video.

    Arrays are never null, `extra` is always present, and times not reached are "0", because Novita's Python client
    raises on null, on a missing `extra` and on empty strings.
    """
    done = task.status is Status.SUCCEEDED
    request = {name: value for name, value in task.request.to_data().items() if name != "version"}
    request["engine"] = task.engine
    if task.fallbacks:
        request["fallbacks"] = list(task.fallbacks)
    return {
        "extra": {
            "seed": str(task.request.seed),
            "enable_nsfw_detection": False,
            "debug_info": {
                "request_info": msgspec.json.encode(request).decode(),
                "submit_time_ms": _milliseconds(task.created_at),
                "execute_time_ms": _milliseconds(task.started_at),
                "complete_time_ms": _milliseconds(task.ended_at),
            },
        },
        "task": {
            "task_id": task.id,
            "status": STATUSES[task.status],
            "reason": failure_reason(task),
            "task_type": TASK_TYPE,
            "eta": max(0, math.ceil(eta)),
            "progress_percent": 100 if done else min(99, max(0, int(task.progress * 100))),
        },
        "images": [],
        "videos": []
        if video is None
        else [{"video_url": video[0], "video_url_ttl": str(video[1]), "video_type": "mp4"}],
        "audios": [],
    }


def failure_reason(task: Task) -> str:
    """Why a task ended without a video; empty for all other tasks."""
    match task.status:
        case Status.FAILED:
            return task.error_message or "The clip could not be made."
        case Status.CANCELLED:
            return task.error_message or "The task was cancelled."
        case Status.EXPIRED:
            return "The task did not end within the time it was given (execution_expires_after)."
        case _:
            return ""


def error_response(request: Request, error: VivantError, text: str) -> Response:
    """The flat error body."""
    status, name = next((REASONS[kind] for kind in type(error).__mro__ if kind in REASONS), (500, ""))
    if status == 500:
        name = "CREATE_TASK_FAILED" if request.method == "POST" else "GET_RESULT_FAILED"
        text = "Something went wrong inside the service; its log says more under this answer's X-Request-Id."
    return json_response({"code": status, "reason": name, "message": text, "metadata": {}}, status=status)


T = TypeVar("T")


def _required(fields: dict[str, Any], name: str, kind: Any, allowed: str) -> Any:
    value = _optional(fields, name, kind, allowed, None)
    if value is None:
        raise _invalid(name, f"is required: {allowed}")
    return value


def _optional(fields: dict[str, Any], name: str, kind: Any, allowed: str, default: T) -> T | Any:
    """The field's value, or the default if absent or null. The type must be exact: not true, 5.0 or "5" for 5."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _invalid(name, f"must be {allowed}", value)
    return value


_NOTHING: Final = object()


def _invalid(field: str, what: str, got: object = _NOTHING) -> InvalidRequest:
    if got is _NOTHING:
        return InvalidRequest(f"{what}.", field=field)
    shown = "a long string" if isinstance(got, LongString) else msgspec.json.encode(got)[:60].decode(errors="replace")
    return InvalidRequest(f"{what}; got {shown}.", field=field)


def _milliseconds(moment: datetime | None) -> str:
    return "0" if moment is None else str(int(moment.timestamp() * 1000))
