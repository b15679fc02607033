"""A value that cannot be right cannot be built, and the refusal says what is allowed; every right value builds."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.live_service import a_picture
from support.records import ARTIFACT, NOON, a_task
from vivant.errors import InvalidRequest
from vivant.media import Clip, Pictures, Planes, Soundtrack
from vivant.record.tasks import Claim, Progress
from vivant.request import EXPIRES_AFTER, RATIOS, RESOLUTIONS, SECONDS, SEED_MAX, Brief, Canvas, Tier, VideoRequest
from vivant.task import Artifact, Status, Task

NAN, INFINITY = float("nan"), float("inf")
START, END = NOON + timedelta(seconds=1), NOON + timedelta(seconds=9)
QUEUED = a_task()
RUNNING = replace(QUEUED, status=Status.RUNNING, started_at=START, attempt=1)
SUCCEEDED = replace(RUNNING, status=Status.SUCCEEDED, ended_at=END, artifact=ARTIFACT, progress=1.0)
FAILED = replace(RUNNING, status=Status.FAILED, ended_at=END, error_code="ENGINE_FAILED")
REQUEST = QUEUED.request

INTEGER_WRONG: tuple[Any, ...] = (True, "5", 5.0, 5.5, NAN, None, [])
SWITCH_WRONG: tuple[Any, ...] = (0, 1, None, "true", 1.0)
TEXT_WRONG: tuple[Any, ...] = (None, 5, b"text", ["text"])


def shown(value: Any) -> str:
    return repr(value)[:30]


# field, wrong value, a part of the message
ASKED_WRONG: list[tuple[str, Any, str]] = [
    *(("prompt", value, "text without U+0000") for value in (*TEXT_WRONG, "a\0b", "a\ud800")),
    *(("resolution", value, "480p, 720p, 1080p") for value in (*TEXT_WRONG, "9000p", "720P", "")),
    *(("ratio", value, "16:9, 4:3, 1:1, 3:4, 9:16, 21:9") for value in ("2:1", "adaptive", 1.5, "")),
    *(("seconds", value, "from 4 to 12") for value in (*INTEGER_WRONG, 3, 13, 99, -5)),
    *(("seed", value, "to 4294967295") for value in (*INTEGER_WRONG, -2, 2**32)),
    *(("expires_after", value, "from 3600 to 259200") for value in (*INTEGER_WRONG, 3599, 259_201)),
    *((switch, value, "true or false") for switch in ("camera_fixed", "watermark", "generate_audio")
      for value in SWITCH_WRONG),
    *(("tier", value, "default, flex") for value in ("default", "gold", None, True)),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "says"), ASKED_WRONG, ids=[f"{f}={shown(v)}" for f, v, _ in ASKED_WRONG])
def test_neither_a_brief_nor_a_request_holds_a_wrong_field(field: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(says)) as refused:
        Brief(**{"prompt": "a lake", field: value})
    assert refused.value.field == field
    with pytest.raises(ValueError, match=f"^{field}: .*{re.escape(says)}"):
        replace(REQUEST, **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ratio", None, "21:9"), ("seed", -1, "from 0 to 4294967295"),
        *(("has_last_frame", value, "true or false") for value in SWITCH_WRONG),
    ],
)  # fmt: skip
def test_a_request_leaves_nothing_open(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: .*{says}"):
        replace(REQUEST, **{field: value})


@pytest.mark.parametrize(
    ("sides", "says"),
    [
        *(((value, 480, 97), "width is an even number of pixels") for value in (*INTEGER_WRONG, 0, -2, 641)),
        *(((640, value, 97), "height is an even number of pixels") for value in (*INTEGER_WRONG, 0, -2, 481)),
        *(((640, 480, value), "whole number of frames") for value in (*INTEGER_WRONG, 0, -1)),
    ],
)
def test_a_canvas_has_even_sides_and_whole_frames(sides: tuple[Any, Any, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Canvas(*sides)


@pytest.mark.parametrize(
    "choice", [("9000p", "16:9", 5), ("720p", "2:1", 5), ("720p", "16:9", 99), ("720p", "16:9", 5.0)]
)
def test_a_canvas_is_in_the_size_table(choice: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"480p, 720p, 1080p.*21:9.*4 to 12 seconds|whole number of frames"):
        Canvas.of(*choice)


def zeros(*shape: int, dtype: type = np.uint8) -> np.ndarray[Any, Any]:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    "planes",
    [
        (zeros(4, 6, dtype=np.float64), zeros(2, 3), zeros(2, 3)),
        (zeros(4, 6), zeros(2, 3, dtype=np.int8), zeros(2, 3)),
        (zeros(4, 6), zeros(2, 3), zeros(2, 3, dtype=np.uint16)),
        (zeros(4, 6), zeros(4, 6), zeros(4, 6)),
        (zeros(4, 6), zeros(2, 2), zeros(2, 3)),
        (zeros(5, 6), zeros(2, 3), zeros(2, 3)),
        (zeros(4, 7), zeros(2, 3), zeros(2, 3)),
        (zeros(4, 6, 3), zeros(2, 3), zeros(2, 3)),
        (zeros(24), zeros(12), zeros(12)),
        (zeros(0, 0), zeros(0, 0), zeros(0, 0)),
        (None, None, None),
        (zeros(4, 6), [[128]], zeros(2, 3)),
    ],
)
def test_planes_are_uint8_and_420(planes: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"uint8.*4:2:0|uint8 arrays"):
        Planes(*planes)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        *(
            (zeros(*shape, dtype=np.float32), r"float32 \(2, n\)")
            for shape in ((1, 9), (9, 2), (9,), (2, 0), (2, 3, 4))
        ),
        *((zeros(2, 9, dtype=dtype), r"float32 \(2, n\)") for dtype in (np.float64, np.int16)),
        *((samples, r"float32 array") for samples in (None, [[0.0], [0.0]])),
        *((np.full((2, 9), level, np.float32), r"\[-1, 1\]") for level in (1.5, -1.5, NAN, INFINITY)),
    ],
)
def test_a_soundtrack_is_stereo_float32_within_full_scale(samples: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Soundtrack(samples)


@pytest.mark.parametrize(
    "picture",
    [None, "a.png", zeros(4, 4), zeros(4, 4, 4), zeros(3, 4, 4), zeros(0, 4, 3), zeros(4, 4, 3, dtype=np.float32)],
    ids=shown,
)
def test_pictures_are_rgb_uint8(picture: Any) -> None:
    with pytest.raises(ValueError, match=r"The first picture .*(must be uint8 \(h, w, 3\)|no pixels)"):
        Pictures(picture)
    if picture is not None:
        with pytest.raises(ValueError, match="The last picture"):
            Pictures(zeros(4, 4, 3), picture)


FRAMES_WRONG: tuple[Any, ...] = ([], None, zeros(97, 480, 640))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"canvas": (640, 480, 97)}, "must be a Canvas"),
        *(({"frames": frames}, "an iterator") for frames in FRAMES_WRONG),
        ({"soundtrack": zeros(2, 9)}, "a function or None"),
        *(
            ({"cuts": cuts}, "from 1 to 96")
            for cuts in ((0,), (97,), (-1,), (5, 5), (9, 5), (1.5,), (True,), [5], None)
        ),
    ],
)  # fmt: skip
def test_a_clip_says_what_it_will_be(changes: dict[str, Any], says: str) -> None:
    right: dict[str, Any] = {"canvas": Canvas(640, 480, 97), "frames": iter(()), "soundtrack": None}
    Clip(**right, cuts=(1, 96))
    with pytest.raises(ValueError, match=says):
        Clip(**right | changes)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        *(("path", value, "relative path")
          for value in (*TEXT_WRONG, "", "/etc/passwd", "tasks/../x", "a//b", "a/", "a/./b", "..", "a\nb")),
        *(("size", value, "whole number of bytes") for value in (*INTEGER_WRONG, 0, -1)),
        *(("sha256", value, "64 lower-case hexadecimal") for value in (*TEXT_WRONG, "", "0" * 63, "G" * 64, "A" * 64)),
        ("width", 641, "even"), ("height", -2, "even"), ("frames", 0, "frames"),
        *(("has_audio", value, "true or false") for value in SWITCH_WRONG),
        *(("mime", value, "media type") for value in (*TEXT_WRONG, "", "mp4", "video/", "video/mp4\r\nX: y")),
    ],
)  # fmt: skip
def test_an_artifact_has_the_facts_of_a_file(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(ARTIFACT, **{field: value})


OTHER_ZONE = NOON.astimezone(timezone(timedelta(hours=2)))


NO_DICTS: tuple[Any, ...] = ("{}", [], 0)
NO_ARTIFACTS: tuple[Any, ...] = ({}, "clip.mp4")
NO_TAGS: tuple[Any, ...] = (None, [], {"a": 1}, {1: "a"})
TASK_WRONG: list[tuple[str, Any, str]] = [
    *((field, value, "not empty") for field in ("id", "engine") for value in (*TEXT_WRONG, "")),
    *((field, value, "must be a text")
      for field in ("key_id", "error_code", "error_message") for value in TEXT_WRONG),
    *(("status", value, "must be a Status") for value in ("queued", None)),
    *(("request", value, "must be a VideoRequest") for value in (None, REQUEST.to_data(), Brief(prompt="x"))),
    *((field, value, "aware datetime in UTC") for field in ("created_at", "started_at", "ended_at")
      for value in (NOON.replace(tzinfo=None), OTHER_ZONE, 1_700_000_000, "2026-11-22T12:00:00Z")),
    ("created_at", None, "aware datetime in UTC"),
    *(("attempt", value, "whole number, at least 0") for value in (*INTEGER_WRONG, -1)),
    *(("progress", value, "from 0 to 1") for value in (True, "0.5", None, NAN, INFINITY, -0.01, 1.01)),
    *(("storyboard", value, "a dict or None") for value in NO_DICTS),
    *(("artifact", value, "an Artifact or None") for value in NO_ARTIFACTS),
    *(("tags", value, "a dict of texts") for value in NO_TAGS),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "says"), TASK_WRONG, ids=shown)
def test_no_field_of_a_task_is_wrong_by_itself(field: str, value: Any, says: str) -> None:
    for task in (QUEUED, RUNNING, SUCCEEDED, FAILED):
        with pytest.raises(ValueError, match=says):
            replace(task, **{field: value})


@pytest.mark.parametrize(
    ("task", "changes", "says"),
    [
        (QUEUED, {"started_at": START}, "exactly if it was started"),
        (QUEUED, {"attempt": 1}, "exactly if it was started"),
        (RUNNING, {"started_at": None}, "exactly if it was started"),
        *((task, {"started_at": None, "attempt": 0}, "started at least once") for task in (RUNNING, SUCCEEDED, FAILED)),
        (QUEUED, {"ended_at": END}, "exactly if it has ended"),
        (RUNNING, {"ended_at": END}, "exactly if it has ended"),
        *((task, {"ended_at": None}, "exactly if it has ended") for task in (SUCCEEDED, FAILED)),
        (SUCCEEDED, {"artifact": None}, "exactly if it has succeeded"),
        *((task, {"artifact": ARTIFACT}, "exactly if it has succeeded") for task in (QUEUED, RUNNING, FAILED)),
        *((task, {"error_code": "X"}, "exactly if it ended without success") for task in (QUEUED, RUNNING, SUCCEEDED)),
        *((FAILED, {"status": status, "error_code": ""}, "exactly if it ended without success")
          for status in (Status.FAILED, Status.CANCELLED, Status.EXPIRED)),
        *((task, {"error_message": "No."}, "stands beside an error code") for task in (QUEUED, RUNNING, SUCCEEDED)),
        (QUEUED, {"progress": 0.5}, "progress is 0 while it waits"),
        (SUCCEEDED, {"progress": 0.5}, "1 when it has succeeded"),
    ],
)  # fmt: skip
def test_no_two_fields_of_a_task_contradict_each_other(task: Task, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f"Task '{task.id}': .*{says}"):
        replace(task, **changes)


@pytest.mark.parametrize("fraction", [-0.01, 1.01, NAN, INFINITY, True, "0.5", None])
def test_progress_is_a_part_of_one(fraction: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Progress(claim=Claim(task=RUNNING, owner="boot-1", remembered={}), fraction=fraction)


@pytest.mark.parametrize("task", [QUEUED, SUCCEEDED, FAILED, None], ids=["queued", "succeeded", "failed", "none"])
def test_only_a_running_task_is_claimed(task: Any) -> None:
    with pytest.raises(ValueError, match="a running task"):
        Claim(task=task, owner="boot-1", remembered={})
    with pytest.raises(ValueError, match="owner"):
        Claim(task=RUNNING, owner="", remembered={})


@pytest.mark.parametrize("size", [(0, 400), (400, -1), (400, 401), (True, 400)])
def test_a_clean_picture_has_the_size_of_its_png(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="8-bit RGB PNG"):
        replace(a_picture(), width=size[0], height=size[1])
    with pytest.raises(ValueError, match="8-bit RGB PNG"):
        replace(a_picture(), png=b"no picture")


@pytest.mark.parametrize("changes", [{"tier": "gold"}, {"seconds": 99}, {"colour": "red"}, {"version": 0}], ids=str)
def test_a_stored_request_that_cannot_be_right_is_not_read(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        VideoRequest.from_data(REQUEST.to_data() | changes)
    for name in REQUEST.to_data():
        with pytest.raises(ValueError):
            VideoRequest.from_data({field: value for field, value in REQUEST.to_data().items() if field != name})


BRIEFS = st.builds(
    Brief,
    prompt=st.text().filter(lambda text: "\0" not in text),
    resolution=st.sampled_from(RESOLUTIONS),
    ratio=st.sampled_from((*RATIOS, None)),
    seconds=st.sampled_from(SECONDS),
    seed=st.integers(-1, SEED_MAX),
    camera_fixed=st.booleans(),
    watermark=st.booleans(),
    generate_audio=st.booleans(),
    tier=st.sampled_from(Tier),
    expires_after=st.sampled_from(EXPIRES_AFTER),
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  as hypothesis wants them
ARTIFACTS = st.builds(
    Artifact,
    path=st.from_regex(r"tasks/[a-z0-9-]{1,36}/[1-9]/clip\.mp4", fullmatch=True),
    size=st.integers(1),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    width=st.integers(1, 4000).map(lambda half: 2 * half),
    height=st.integers(1, 4000).map(lambda half: 2 * half),
    frames=st.integers(1, 1000),
    has_audio=st.booleans(),
)


@given(brief=BRIEFS, width=st.integers(301, 5999), height=st.integers(301, 5999), last=st.booleans())
def test_every_brief_within_the_bounds_becomes_a_request(brief: Brief, width: int, height: int, last: bool) -> None:
    request = brief.resolve(width, height, has_last_frame=last)
    assert VideoRequest.from_data(request.to_data()) == request
    assert request.ratio == brief.ratio_for(width, height)
    assert request.seed == brief.seed or brief.seed == -1
    assert request.canvas.frames == 24 * brief.seconds + 1


@given(
    status=st.sampled_from(Status),
    attempt=st.integers(0, 10),
    progress=st.floats(0, 1),
    times=st.tuples(MOMENTS, MOMENTS, MOMENTS),
    artifact=ARTIFACTS,
    message=st.text(),
    tags=st.dictionaries(st.text(), st.text()),
)
def test_every_task_that_transitions_can_lead_to_is_built(
    status: Status, attempt: int, progress: float, times: tuple[datetime, datetime, datetime], artifact: Artifact,
    message: str, tags: dict[str, str],
) -> None:  # fmt: skip
    """Times in any order: the system's clock may be set back while a task runs."""
    attempt = max(attempt, 1) if status in (Status.RUNNING, Status.SUCCEEDED, Status.FAILED) else attempt
    failed = status.is_terminal and status is not Status.SUCCEEDED
    progress = {Status.QUEUED: 0.0, Status.SUCCEEDED: 1.0}.get(status, progress)
    task = Task(
        id="t1", key_id="", status=status, request=REQUEST, engine="testcard", created_at=times[0],
        started_at=times[1] if attempt else None, ended_at=times[2] if status.is_terminal else None, attempt=attempt,
        progress=progress, artifact=artifact if status is Status.SUCCEEDED else None,
        error_code="X" if failed else "", error_message=message if failed else "", tags=tags,
    )  # fmt: skip
    assert task.status is status


@given(half=st.tuples(st.integers(1, 40), st.integers(1, 40)), frames=st.integers(1, 400))
def test_every_even_size_holds_planes(half: tuple[int, int], frames: int) -> None:
    h, w = half
    canvas = Canvas(2 * w, 2 * h, frames)
    planes = Planes(zeros(canvas.height, canvas.width), zeros(h, w), zeros(h, w))
    assert planes.y.shape == (canvas.height, canvas.width)


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
def test_full_scale_is_allowed(level: float) -> None:
    assert Soundtrack(np.full((2, 1), level, np.float32)).samples.shape == (2, 1)
