"""The engine `comfyui`: fills the operator's workflow with a request, has a ComfyUI run it, and takes the film."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from vivant.engines.base import Watch
from vivant.engines.comfyui.calls import About, ComfyCalls
from vivant.engines.comfyui.card import make_card
from vivant.engines.comfyui.graph import PREFIX, Graph, Graphs
from vivant.engines.comfyui.jobs import ComfyJobs
from vivant.engines.comfyui.words import UPDATE
from vivant.engines.comfyui.workflow import GraphNode
from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.film import read_film
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.picture_files import to_png
from vivant.engines.generated.remote import Delivered, JobTimes, make_remotely
from vivant.engines.generated.remote_generator import KeptFrames
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.errors import BackendLost, Misconfigured
from vivant.request import SEED_MAX

NAME: Final = "comfyui"
VERSION: Final = "1"


class Comfyui(GeneratingEngine):
    """Implements `engines.base.Engine`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Raises Misconfigured for options and workflow files that cannot work."""
        super().__init__(ComfyuiGenerator(options), options, make_card(options))


class ComfyuiGenerator:
    """Implements `generated.engine.Generator`. Worker number n uses the n-th address."""

    name = NAME
    version = VERSION

    def __init__(self, options: Mapping[str, Any], *, times: JobTimes | None = None) -> None:
        """times: None: an hour or what the setting `timeout` says for a clip, and as `JobTimes` has it for the rest."""
        self._options = options
        self._times = times or JobTimes(clip=float(options["timeout"]))
        self._graphs = Graphs.read(options)
        self._urls = list(options["url"])
        self._calls = {url: ComfyCalls(Server(url, headers=options["headers"])) for url in self._urls}
        number = int(options.get("worker", 0)) % len(self._urls)
        self._own = self._calls[self._urls[number]]
        # Its address stays out of what callers may be told.
        self._where = "ComfyUI" if len(self._urls) == 1 else f"ComfyUI number {number + 1} of {PREFIX}URL"
        self._about = About("", "", 0)

    def setup(self) -> None:
        """Ask the server who it is, and whether it has the nodes. Raises Misconfigured, BackendLost."""
        try:
            self._about = self._own.about(_go_on)
            missing = [
                f"{kind} (node {node})"
                for kind, node in self._classes().items()
                if self._own.describe(kind, _go_on) is None
            ]
        except ServerUnreachable as error:
            raise BackendLost(f"{self._where} does not answer ({error}). Start it, or set {PREFIX}URL.") from error
        except (ServerRefused, UnusableAnswer) as error:
            raise Misconfigured(f"{self._where} answers, and not as ComfyUI does: {error} Set {PREFIX}URL.") from error
        if missing:
            raise Misconfigured(f"{self._where} lacks nodes of the workflow: {'; '.join(missing)}. {UPDATE}")

    def facts(self) -> dict[str, Any]:
        first, last = self._graphs.first, self._graphs.last
        files = {"workflow": first.workflow.name, "workflow_sha256": first.workflow.sha256}
        if last is not None:
            files |= {"workflow_last": last.workflow.name, "workflow_last_sha256": last.workflow.sha256}
        server = f"ComfyUI {self._about.version}".strip()
        memory = {"device_memory": self._about.memory} if self._about.memory else {}
        model = {"model": first.weights} if first.weights else {}
        return {**model, **files, "server": server, "device": self._about.device, **memory}

    def generate(self, order: Order, watch: Watch) -> Footage:
        folder = Path(tempfile.mkdtemp(prefix="vivant-comfyui-"))
        try:
            film = folder / "film"
            finished = self._make(order, watch, film)
            footage = read_film(
                film,
                canvas=order.canvas,
                seconds=order.seconds,
                check=watch.raise_if_stopping,
                exact_end=order.last is not None,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Footage(
            frames=KeptFrames(footage.frames, lambda: shutil.rmtree(folder, ignore_errors=True)),
            sound=footage.sound if order.audio else None,
            facts={**finished.facts, **footage.facts, "remote_id": finished.job, "adopted": finished.adopted},
        )

    def probe(self, watch: Watch) -> None:
        # A fresh seed: what it has sampled before, ComfyUI does not sample again.
        order = replace(probe_order(grid=int(self._options["grid"])), seed=secrets.randbelow(SEED_MAX + 1))
        with tempfile.TemporaryDirectory(prefix="vivant-comfyui-", ignore_cleanup_errors=True) as folder:
            self._make(order, watch, Path(folder) / "film")

    def _make(self, order: Order, watch: Watch, film: Path) -> Delivered:
        graph = self._graphs.first if order.last is None else self._graphs.last
        if graph is None:
            raise Misconfigured(f"There is no workflow for a last picture: set {PREFIX}WORKFLOW_LAST.")
        asked = json.dumps([graph.workflow.sha256, self._options["slots"], self._options["fps"]], sort_keys=True)
        filled = _OrderOfGraph(**{field.name: getattr(order, field.name) for field in fields(order)}, graph=asked)
        with contextlib.ExitStack() as stack:
            jobs = {url: self._jobs(calls, graph) for url, calls in self._calls.items()}
            for each in jobs.values():
                stack.callback(each.close)
            return make_remotely(jobs[self._own.url], filled, watch, film, times=self._times, others=jobs)

    def _jobs(self, calls: ComfyCalls, graph: Graph) -> ComfyJobs:
        fps = float(self._options["fps"])

        def fill(order: Order, pictures: Mapping[str, str], prefix: str) -> dict[str, Any]:
            return graph.fill(
                pictures=pictures,
                prompt=order.prompt,
                seed=order.seed,
                width=order.canvas.width,
                height=order.canvas.height,
                seconds=order.seconds,
                fps=fps,
                prefix=prefix,
            )

        return ComfyJobs(calls, graph, headers=self._options["headers"], fill=fill, encode=self._encode)

    def _encode(self, order: Order) -> dict[str, tuple[str, bytes]]:
        """The pictures as files, named by what is in them. A name that is used again would change the picture of a job
        that still waits: one that a killed worker left, say, which its task's next attempt takes over."""
        pictures = {"image": to_png(order.first)}
        if order.last is not None:
            pictures["last_image"] = to_png(order.last)
        return {slot: (f"{hashlib.sha256(data).hexdigest()[:32]}.png", data) for slot, data in pictures.items()}

    def _classes(self) -> dict[str, GraphNode]:
        """The classes of nodes that the workflows use, each with a node of it."""
        graphs = [graph for graph in (self._graphs.last, self._graphs.first) if graph is not None]
        return {kind: nodes[0] for graph in graphs for kind, nodes in graph.workflow.classes(graph.nodes).items()}


@dataclass(frozen=True, eq=False)
class _OrderOfGraph(Order):
    """An order of one workflow: a job of another file, or filled by other settings, is not taken over."""

    graph: str  # the file's hash, and the settings by which it is filled

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(f"{super().digest} {self.graph}".encode()).hexdigest()


def _go_on() -> None:
    """A check for calls at start, when there is nothing to stop for."""
