"""Jobs of one ComfyUI, as the life of a remote job (generated/remote.py) wants them.

The id of a job is ours: a fresh UUID for every submission. So a job of which nothing was heard after it was handed in
is looked for by that id. The same UUID is the prefix of the file that is saved: with equal graphs ComfyUI runs nothing,
and names the film of an earlier job.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from vivant.engines.comfyui.calls import FOLDER, About, ComfyCalls, File
from vivant.engines.comfyui.graph import Graph
from vivant.engines.comfyui.live import LiveProgress
from vivant.engines.comfyui.progress import ProgressMeter
from vivant.engines.comfyui.words import failure, find_message, refusal
from vivant.engines.generated.answers import clean
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order
from vivant.engines.generated.remote import JobState, JobStatus, says_out_of_memory
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.errors import EngineFailed

LOOK_IN_QUEUE: Final = 2.0  # s between two looks: the answer holds the graphs of all jobs
GONE_AFTER: Final = 3.0  # s in which a job was twice neither in the queue nor in the history
OPEN_WITHIN: Final = 2.0  # s that a submit waits for the websocket, which must be there first to hear all
_log: Final = logging.getLogger(__name__)

Fill = Callable[[Order, Mapping[str, str], str], dict[str, Any]]  # order, names of pictures, prefix -> graph
Encode = Callable[[Order], Mapping[str, tuple[str, bytes]]]  # slot -> (file name, PNG)


class ComfyJobs:
    """Implements `remote.RemoteJobs` for one graph at one server. `close` ends the listening."""

    pays = False

    def __init__(
        self, calls: ComfyCalls, graph: Graph, *, headers: Mapping[str, str], fill: Fill, encode: Encode
    ) -> None:
        self.server = calls.url
        self._calls, self._graph, self._headers = calls, graph, headers
        self._fill, self._encode = fill, encode
        self._about: About | None = None
        self._live: LiveProgress | None = None
        self._films: dict[str, File] = {}
        self._status = JobStatus.QUEUED
        self._looked_in_queue = -LOOK_IN_QUEUE
        self._missed_since: float | None = None
        self._submitted: set[str] = set()

    def submit(self, order: Order, reference: str, check: Check) -> str:
        about = self._ask_about(check, afresh=True)
        pictures = {slot: self._calls.upload(name, png, check) for slot, (name, png) in self._encode(order).items()}
        graph = self._fill(order, pictures, f"{FOLDER}/{reference}")
        live = self._listen(reference, check)
        try:
            self._calls.submit(graph, job=reference, client=live.client, output=self._graph.slots.output, check=check)
        except ServerRefused as error:
            if error.status == 400:
                raise EngineFailed(
                    f"{refusal(error.answer, self._graph.workflow)} (ComfyUI {about.version})"
                ) from error
            raise
        self._missed_since = None
        self._submitted.add(reference)
        return reference

    def find(self, reference: str, check: Check) -> str | None:
        known = self._calls.history(reference, check) is not None
        return reference if known or self._calls.is_running(reference, check) is not None else None

    def look(self, job: str, check: Check) -> JobState:
        entry = self._calls.history(job, check)
        if entry is not None:
            return self._ended(job, entry, check)
        now = time.monotonic()
        if self._missed_since is not None or now - self._looked_in_queue >= LOOK_IN_QUEUE:
            runs = self._calls.is_running(job, check)
            self._looked_in_queue = now
            if runs is None and job not in self._submitted:
                # Left by an earlier attempt. It may have ended between the two questions; if not, it is gone.
                entry = self._calls.history(job, check)
                return JobState(status=JobStatus.GONE) if entry is None else self._ended(job, entry, check)
            if runs is None:
                # It may have ended between the two questions, or its entry not be written yet.
                self._missed_since = now if self._missed_since is None else self._missed_since
                if now - self._missed_since >= GONE_AFTER:
                    return JobState(status=JobStatus.GONE)
            else:
                self._missed_since = None
                self._status = JobStatus.RUNNING if runs else JobStatus.QUEUED
        live = self._listen(job, check)
        if live.meter.fraction > 0:
            self._status = JobStatus.RUNNING
        return JobState(status=self._status, progress=live.meter.fraction)

    def cancel(self, job: str, check: Check) -> None:
        try:
            about = self._ask_about(check)
        except (ServerRefused, UnusableAnswer):
            about = About("", "", 0)
        self._calls.cancel(job, check, interrupts_by_id=about.interrupts_by_id)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        self._calls.fetch(self._films[job], target, check)
        about = self._ask_about(check)
        return {"server": f"ComfyUI {about.version}".strip(), "device": about.device}

    def close(self) -> None:
        """End the listening."""
        if self._live is not None:
            self._live.close()
            self._live = None

    # -- the end of a job ----------------------------------------------------------------------------------------------

    def _ended(self, job: str, entry: Mapping[str, Any], check: Check) -> JobState:
        status = entry.get("status")
        status = status if isinstance(status, dict) else {}
        messages = status.get("messages")
        if status.get("status_str") == "error":
            if find_message(messages, "execution_interrupted") is not None:
                return JobState(status=JobStatus.CANCELLED)
            self._log_traceback(messages)
            reason = failure(messages, self._graph.workflow)
            if says_out_of_memory(reason):
                self._free_memory(check)
            return JobState(status=JobStatus.FAILED, reason=reason)
        film = _film_of(entry, self._graph.slots.output)
        name = self._graph.workflow.name
        if film is None:
            node = self._graph.workflow.nodes[self._graph.slots.output]
            reason = f"the workflow {name} ended well, and its output {node} saved no film"
            return JobState(status=JobStatus.FAILED, reason=reason)
        if job not in f"{film.subfolder}/{film.name}":
            reason = f"the workflow {name} names another film than the one of this job: {clean(film.name)[:80]}"
            return JobState(status=JobStatus.FAILED, reason=reason)
        self._films[job] = film
        seconds = _seconds_between(messages)
        facts = {"workflow": name} | ({"server_seconds": seconds} if seconds is not None else {})
        return JobState(status=JobStatus.DONE, progress=1.0, facts=facts)

    def _log_traceback(self, messages: Any) -> None:
        """For the operator only: a traceback has paths of the server."""
        error = find_message(messages, "execution_error") or {}
        lines = error.get("traceback")
        if isinstance(lines, list):
            told = [clean(re.sub(r"\^\^+", "", str(line))) for line in lines[-6:]]
            _log.warning("ComfyUI: %s", " | ".join(told))

    def _free_memory(self, check: Check) -> None:
        try:
            self._calls.free_memory(check)
        except (ServerUnreachable, ServerRefused, UnusableAnswer) as error:
            _log.warning("ComfyUI did not free its memory: %s", error)

    # -- listening -----------------------------------------------------------------------------------------------------

    def _listen(self, job: str, check: Check) -> LiveProgress:
        """Listen for this job. The client id is derived from the job's, so that a later attempt hears it as well."""
        client = job.replace("-", "")
        if self._live is None or self._live.client != client:
            self.close()
            meter = ProgressMeter(job, self._graph.samplers, self._graph.slots.output)
            self._live = LiveProgress(self.server, self._headers, client, meter)
            self._live.start(OPEN_WITHIN, check)
        return self._live

    def _ask_about(self, check: Check, *, afresh: bool = False) -> About:
        if self._about is None or afresh:
            self._about = self._calls.about(check)
        return self._about


def _film_of(entry: Mapping[str, Any], output: str) -> File | None:
    """The film that the output saved, in a history's entry: `images` of SaveVideo and SaveWEBM, `gifs` of
    VHS_VideoCombine. A node inside another one has an id of its own, and the outer one's as `display_node`."""
    outputs = entry.get("outputs")
    outputs = outputs if isinstance(outputs, dict) else {}
    saved = outputs.get(output)
    if saved is None:
        meta = entry.get("meta")
        for key, about in (meta if isinstance(meta, dict) else {}).items():
            if isinstance(about, dict) and about.get("display_node") == output and key in outputs:
                saved = outputs[key]
    if not isinstance(saved, dict):
        return None
    for name in ("images", "gifs", "video", "videos"):
        files = saved.get(name)
        for file in files if isinstance(files, list) else []:
            if isinstance(file, dict) and isinstance(file.get("filename"), str) and file["filename"]:
                subfolder, kind = file.get("subfolder", ""), file.get("type", "output")
                if isinstance(subfolder, str) and isinstance(kind, str):
                    return File(file["filename"], subfolder, kind)
    return None


def _seconds_between(messages: Any) -> float | None:
    """Seconds that the server worked on a job, by its own clock in milliseconds."""
    times = [
        (find_message(messages, event) or {}).get("timestamp") for event in ("execution_start", "execution_success")
    ]
    begun, ended = times
    if type(begun) is int and type(ended) is int and 0 <= ended - begun < 10**9:
        return (ended - begun) / 1000
    return None
