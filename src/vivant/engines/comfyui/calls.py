"""The calls of ComfyUI's HTTP interface that the engine uses, with the shapes of their answers checked.

They have been the same for a year and longer, except where it says so. Every call is bounded in time and bytes, asks
`check` while it waits, and raises ServerUnreachable, ServerRefused and UnusableAnswer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from vivant.engines.generated.answers import clean, take
from vivant.engines.generated.connections import Check
from vivant.engines.generated.server import FilePart, Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer

# Since this version POST /interrupt minds the id in it; older ones stop whatever runs, whoever it belongs to.
INTERRUPTS_BY_ID: Final = (0, 3, 57)
MOST_QUEUE: Final = 64 * 2**20  # bytes: every waiting job comes with its whole graph
MOST_HISTORY: Final = 64 * 2**20  # bytes: a failed job comes with the inputs of the node, tensors written out
FOLDER: Final = "vivant"  # in ComfyUI's folders of inputs and outputs


@dataclass(frozen=True, slots=True)
class About:
    """What a server says of itself. version: as it writes it, empty if it does not say."""

    version: str
    device: str
    memory: int  # bytes of the device, 0 if it does not say

    @property
    def interrupts_by_id(self) -> bool:
        numbers = tuple(int(part) for part in re.findall(r"\d{1,6}", self.version)[:3])
        return len(numbers) == 3 and numbers >= INTERRUPTS_BY_ID


@dataclass(frozen=True, slots=True)
class File:
    """A file as ComfyUI names it. kind: the folder it lies in: output, temp or input."""

    name: str
    subfolder: str
    kind: str


class ComfyCalls:
    """One ComfyUI."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return self._server.url

    def about(self, check: Check) -> About:
        answer = self._server.get_json("/system_stats", check=check)
        system = take(answer, "system", dict, {})
        devices = take(answer, "devices", list, [])
        device = devices[0] if devices and isinstance(devices[0], dict) else {}
        memory = device.get("vram_total")
        return About(
            version=clean(str(system.get("comfyui_version") or ""))[:40],
            device=clean(str(device.get("name") or device.get("type") or ""))[:80],
            memory=memory if type(memory) is int and memory > 0 else 0,
        )

    def describe(self, kind: str, check: Check) -> Mapping[str, Any] | None:
        """What the server knows of a class of nodes; None if it has no such class."""
        answer = self._server.get_json(f"/object_info/{quote(kind, safe='')}", check=check, most_bytes=MOST_QUEUE)
        known = answer.get(kind) if isinstance(answer, dict) else None
        return known if isinstance(known, dict) else None

    def upload(self, name: str, png: bytes, check: Check) -> str:
        """Store a picture among the inputs, over one of the same name. Returns the value for LoadImage.image."""
        answer = self._server.post_form(
            "/upload/image",
            {"subfolder": FOLDER, "type": "input", "overwrite": "true"},
            [FilePart("image", name, png, "image/png")],
            check=check,
        )
        stored, subfolder = take(answer, "name", str), take(answer, "subfolder", str, "")
        return f"{subfolder}/{stored}" if subfolder else stored

    def submit(self, graph: Mapping[str, Any], *, job: str, client: str, output: str, check: Check) -> None:
        """Hand a graph in under the id `job`, a fresh UUID in lower case: an id that was used before is accepted, and
        its old result is then taken for the new one. Raises ServerRefused with 400 and the reasons in its answer."""
        body = {"prompt": graph, "prompt_id": job, "client_id": client, "partial_execution_targets": [output]}
        given = take(self._server.post_json("/prompt", body, check=check), "prompt_id", str)
        if given != job:
            raise UnusableAnswer("ComfyUI gave the job another id than the one that it was handed in with.")

    def history(self, job: str, check: Check) -> Mapping[str, Any] | None:
        """The entry of a job that has ended; None while it waits or runs, and when the server does not know it."""
        answer = self._server.get_json(f"/history/{quote(job, safe='')}", check=check, most_bytes=MOST_HISTORY)
        if not isinstance(answer, dict):
            raise UnusableAnswer("ComfyUI's history is no object.")
        entry = answer.get(job)
        if entry is not None and not isinstance(entry, dict):
            raise UnusableAnswer("ComfyUI's history of the job is no object.")
        return entry

    def is_running(self, job: str, check: Check) -> bool | None:
        """True while the job runs, False while it waits in the queue, None when it is in neither."""
        answer = self._server.get_json("/queue", check=check, most_bytes=MOST_QUEUE)
        for name, runs in (("queue_running", True), ("queue_pending", False)):
            for row in take(answer, name, list, []):
                if isinstance(row, list) and len(row) > 1 and row[1] == job:
                    return runs
        return None

    def cancel(self, job: str, check: Check, *, interrupts_by_id: bool) -> None:
        """End one job and no other. Newer servers (0.26 and later) have a call for it; at older ones the job is taken
        out of the queue, and stopped if it runs and the server minds whose job it stops."""
        try:
            self._server.post_json(f"/api/jobs/{quote(job, safe='')}/cancel", {}, check=check)
        except ServerRefused as error:
            if error.status not in (404, 405):
                raise
        else:
            return
        self._server.post_json("/queue", {"delete": [job]}, check=check)
        if interrupts_by_id:
            self._server.post_json("/interrupt", {"prompt_id": job}, check=check)

    def free_memory(self, check: Check) -> None:
        """Have the models unloaded."""
        self._server.post_json("/free", {"unload_models": True, "free_memory": True}, check=check, seconds=10.0)

    def fetch(self, file: File, target: Path, check: Check) -> None:
        """Download a file into `target`. ServerRefused with 404 when it is gone."""
        where = {"filename": file.name, "subfolder": file.subfolder, "type": file.kind}
        self._server.download("/view", target, check=check, params=where)
