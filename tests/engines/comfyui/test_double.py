"""The double has the traps of the real server, so that tests against it can fail for them."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import av
import numpy as np
from PIL import Image
from websockets.sync.client import connect

from support.comfyui import plain, read
from support.doubles.comfyui import ComfyUIDouble
from vivant.media import U8


def call(double: ComfyUIDouble, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(double.url + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, parsed(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, parsed(error.read())


def parsed(answer: bytes) -> Any:
    return json.loads(answer) if answer[:1] == b"{" else answer


def put_picture(double: ComfyUIDouble, colour: tuple[int, int, int] = (200, 40, 40)) -> None:
    file = io.BytesIO()
    Image.fromarray(plain(64, colour)).save(file, "PNG")
    double.inputs["vivant/a.png"] = file.getvalue()


def graph(prefix: str = "vivant/one", **sampler: Any) -> dict[str, Any]:
    flow = read("wan-2.2-5b-first")
    values: dict[tuple[str, str], Any] = {
        ("56", "image"): "vivant/a.png", ("55", "width"): 64, ("55", "height"): 64, ("55", "length"): 25,
        ("58", "filename_prefix"): prefix,
    }  # fmt: skip
    return flow.filled(values | {("3", name): value for name, value in sampler.items()}, flow.nodes)


def submit(double: ComfyUIDouble, sent: dict[str, Any], job: str = "", client: str = "me") -> str:
    job = job or str(uuid.uuid4())
    status, answer = call(double, "/prompt", {"prompt": sent, "prompt_id": job, "client_id": client})
    assert (status, answer["prompt_id"], answer["node_errors"]) == (200, job, {})
    return job


def wait_for(double: ComfyUIDouble, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while job not in (history := call(double, f"/history/{job}")[1]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    entry: dict[str, Any] = history[job]
    return entry


def frames_of(data: bytes) -> list[U8]:
    with av.open(io.BytesIO(data), "r") as movie:
        return [np.asarray(frame.to_ndarray(format="rgb24")) for frame in movie.decode(video=0)]


def test_a_film_has_the_size_length_and_first_picture_of_the_graph_and_moves(double: ComfyUIDouble) -> None:
    put_picture(double)
    entry = wait_for(double, submit(double, graph()))
    (file,) = entry["outputs"]["58"]["images"]
    assert file == {"filename": "one_00001_.mp4", "subfolder": "vivant", "type": "output"}
    frames = frames_of(call(double, "/view?filename=one_00001_.mp4&subfolder=vivant&type=output")[1])
    assert (len(frames), frames[0].shape) == (25, (64, 64, 3))
    assert np.abs(frames[0].astype(int) - plain(64, (200, 40, 40))).mean() < 8
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 3


def test_an_equal_graph_runs_nothing_and_names_the_old_file_which_may_be_gone(double: ComfyUIDouble) -> None:
    put_picture(double)
    wait_for(double, submit(double, graph()))
    double.outputs.clear()
    entry = wait_for(double, submit(double, graph()))
    assert entry["status"]["status_str"] == "success" and double.ran[1] == []
    assert entry["outputs"]["58"]["images"][0]["filename"] == "one_00001_.mp4"
    assert call(double, "/view?filename=one_00001_.mp4&subfolder=vivant&type=output") == (404, b"")


def test_another_prefix_runs_the_output_only_and_another_picture_what_depends_on_it(double: ComfyUIDouble) -> None:
    put_picture(double)
    wait_for(double, submit(double, graph()))
    wait_for(double, submit(double, graph("vivant/two")))
    assert double.ran[1] == ["58"]
    put_picture(double, (40, 200, 40))
    wait_for(double, submit(double, graph("vivant/three")))
    assert double.ran[2] == ["56", "55", "3", "8", "57", "58"]


def test_an_id_that_was_used_before_has_the_old_entry_at_once(double: ComfyUIDouble) -> None:
    put_picture(double)
    job = submit(double, graph())
    wait_for(double, job)
    double.occupy()
    submit(double, graph("vivant/two"), job)
    assert "one_00001_" in json.dumps(call(double, f"/history/{job}")[1])


def test_the_history_is_empty_while_a_job_waits_runs_or_is_unknown(double: ComfyUIDouble) -> None:
    put_picture(double)
    double.occupy("theirs")
    job = submit(double, graph())
    for known in ("theirs", job, "nobodys"):
        assert call(double, f"/history/{known}") == (200, {})
    queue = call(double, "/queue")[1]
    assert [row[1] for row in queue["queue_running"]] == ["theirs"]
    assert [row[1] for row in queue["queue_pending"]] == [job]


def test_the_history_is_written_after_the_end_is_told_and_only_to_the_client_of_the_job(double: ComfyUIDouble) -> None:
    put_picture(double)
    double.manners.history_late = 0.3
    address = double.url.replace("http", "ws") + "/ws?clientId="
    with connect(address + "me", proxy=None) as mine, connect(address + "other", proxy=None) as others:
        job = submit(double, graph())
        seen = []
        while (message := json.loads(text) if isinstance(text := mine.recv(timeout=5), str) else None) or True:
            seen.append(message["type"] if message else "preview")
            if message and message["type"] == "execution_success":
                break
        assert call(double, f"/history/{job}") == (200, {})
        wait_for(double, job)
        assert json.loads(mine.recv(timeout=5))["type"] == "status"
        assert json.loads(mine.recv(timeout=5)) == {"type": "executing", "data": {"node": None, "prompt_id": job}}
        assert seen[:3] == ["status", "execution_start", "execution_cached"]
        assert {"progress", "progress_state", "executing", "executed", "preview"} <= set(seen)
        heard = []
        try:
            while True:
                heard.append(json.loads(others.recv(timeout=0.2))["type"])
        except TimeoutError:
            assert set(heard) == {"status"}


def test_an_interrupt_stops_the_running_job_of_that_id_and_no_other(double: ComfyUIDouble) -> None:
    double.occupy("theirs")
    put_picture(double)
    job = submit(double, graph())
    assert call(double, "/interrupt", {"prompt_id": job}) == (200, b"")
    assert call(double, "/queue", {"delete": [job]}) == (200, b"")
    assert (double.running(), double.waiting()) == ("theirs", [])
    call(double, "/interrupt", {"prompt_id": "theirs"})
    assert wait_for(double, "theirs")["status"]["messages"][-1][0] == "execution_interrupted"
    assert call(double, f"/history/{job}") == (200, {})


def test_an_old_server_stops_whatever_runs(double: ComfyUIDouble) -> None:
    double.manners.version = "0.3.56"
    double.occupy("theirs")
    call(double, "/interrupt", {"prompt_id": "mine"})
    assert wait_for(double, "theirs")["status"]["status_str"] == "error"


def test_after_a_restart_nothing_is_known(double: ComfyUIDouble) -> None:
    put_picture(double)
    job = submit(double, graph())
    wait_for(double, job)
    double.restart()
    assert call(double, f"/history/{job}") == (200, {})
    assert call(double, "/queue")[1] == {"queue_running": [], "queue_pending": []}


def test_refusals_have_the_servers_shapes(double: ComfyUIDouble) -> None:
    put_picture(double)
    assert call(double, "/prompt", {"prompt": {"1": {"inputs": {}}}})[1]["error"]["type"] == "invalid_prompt"
    unknown = call(double, "/prompt", {"prompt": {"1": {"class_type": "Nope", "inputs": {}}}})
    assert unknown[0] == 400 and "node Nope does not exist" in unknown[1]["error"]["message"]
    lonely = {"1": {"class_type": "LoadImage", "inputs": {"image": "no.png"}}}
    assert call(double, "/prompt", {"prompt": lonely})[1]["error"]["type"] == "prompt_no_outputs"
    double.manners.models = frozenset({"other.safetensors"})
    status, answer = call(double, "/prompt", {"prompt": graph()})
    assert status == 400 and answer["error"]["type"] == "prompt_outputs_failed_validation"
    (error,) = answer["node_errors"]["37"]["errors"]
    assert error["type"] == "value_not_in_list" and error["extra_info"]["input_name"] == "unet_name"
    assert call(double, "/api/jobs/x/cancel", {})[0] == 405
    assert call(double, "/object_info/Nope") == (200, {})


def test_a_newer_server_wants_uuids_in_lower_case_and_cancels_by_id(double: ComfyUIDouble) -> None:
    put_picture(double)
    double.manners.jobs_api = True
    body = {"prompt": graph(), "prompt_id": str(uuid.uuid4()).upper()}
    assert call(double, "/prompt", body)[1]["error"]["type"] == "invalid_prompt_id"
    double.occupy("theirs")
    job = submit(double, graph())
    assert call(double, f"/api/jobs/{job}/cancel", {}) == (200, {"cancelled": True})
    assert call(double, f"/api/jobs/{job}/cancel", {}) == (200, {"cancelled": False})
    assert double.running() == "theirs"
