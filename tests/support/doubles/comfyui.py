"""`ComfyUIDouble`: a double of a ComfyUI server on loopback, with the shapes of version 0.3.64 and the traps of all.

It has a queue and one worker, keeps what nodes made and runs only what changed, writes the history after it has said
that a job ended, answers `{}` for a job that waits, runs or is unknown, and knows nothing of before after a restart.
`comfyui_graph.py` says what its nodes do.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from support.doubles.comfyui_films import write_film
from support.doubles.comfyui_graph import FILES, NODES, OUTPUTS, NodeFailed, Server
from support.paths import ROOT

OOM: Final = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1.1 GiB is free.\n"
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before you might have "
    "accidentally set the batch_size to a large number."
)
_SOCKET_KEY: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class _Interrupted(Exception):
    """The running job was told to stop."""


@dataclass
class Job:
    number: float
    id: str
    graph: dict[str, Any]
    client: str | None
    outputs: list[str]

    def row(self) -> list[Any]:
        return [self.number, self.id, self.graph, {"client_id": self.client}, self.outputs]


@dataclass
class Manners:
    """How this server behaves; a test changes what it needs."""

    version: str = "0.3.64"
    step_seconds: float = 0.0  # of each step of a sampler
    history_late: float = 0.02  # s between the message of the end and the entry in the history
    jobs_api: bool = False  # /api/jobs/{id}/cancel, of newer versions
    lacks: frozenset[str] = frozenset()  # classes of nodes
    models: frozenset[str] | None = None  # files there are; None: all that anybody names
    out_of_memory: int = 0  # so many jobs fail at their first step
    fails: str = ""  # a class of nodes that raises a ValueError
    saves_nothing: bool = False
    header: tuple[str, str] | None = None  # without it: 401
    stalls: frozenset[str] = frozenset()  # paths that never answer
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # instead of what it would say
    sockets_break: int = 0  # so many websockets are cut at their first message of progress
    no_sockets: bool = False  # websockets are refused


class ComfyUIDouble(Server):
    """A server; `url` is where it listens. `asked`: (method, path, body) of every call, in order."""

    def __init__(self) -> None:
        self.manners = Manners()
        self.asked: list[tuple[str, str, Any]] = []
        self.socket_headers: list[dict[str, str]] = []
        self.ran: list[list[str]] = []  # the nodes that each job really ran
        self.finished: list[tuple[str, str]] = []  # (job, "success" | "error" | "interrupted")
        self.frees = 0
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._port = 0
        self._http: ThreadingHTTPServer | None = None
        self._over = False
        self._number = 0
        self._working_life: object = None
        self.inputs: dict[str, bytes] = {}
        self.outputs: dict[tuple[str, str], bytes] = {}
        self._forget()
        self._worker = threading.Thread(target=self._work, name="comfyui-double", daemon=True)

    # -- for tests -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._listen()
        self._worker.start()

    def stop(self) -> None:
        self.go_down()
        with self._lock:
            self._over = True
            self._interrupted = True
            self._wake.notify_all()
        self._worker.join(5)

    def go_down(self) -> None:
        """Stop listening; connections are refused from now on, and websockets are cut."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None
        with self._lock:
            for connection in self._sockets.values():
                _cut(connection)
            self._sockets.clear()

    def come_up(self) -> None:
        self._listen()

    def restart(self) -> None:
        """Lose everything but the files."""
        self.go_down()
        with self._lock:
            files = dict(self.inputs), dict(self.outputs)
            self._forget()
            self.inputs, self.outputs = files
        self._listen()

    def occupy(self, name: str = "somebody-elses") -> str:
        """A job of somebody else runs, until it is released."""
        with self._lock:
            self.others_end.clear()
            self._number += 1
            job = Job(self._number, name, {"1": {"class_type": "OtherJob", "inputs": {}}}, "somebody", ["1"])
            self._queue.append(job)
            self._wake.notify_all()
        while self.running() != name:
            time.sleep(0.005)
        return name

    def release(self) -> None:
        self.others_end.set()

    def calls(self, method: str, path: str) -> list[Any]:
        """The bodies of all calls of this kind."""
        return [body for asked, where, body in self.asked if asked == method and where.startswith(path)]

    def running(self) -> str | None:
        with self._lock:
            return self._running.id if self._running else None

    def waiting(self) -> list[str]:
        with self._lock:
            return [job.id for job in self._queue]

    def history(self, job: str) -> dict[str, Any] | None:
        with self._lock:
            return self._history.get(job)

    # -- the state -----------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self.inputs = {}
        self.outputs = {}
        self.others_end = threading.Event()
        self._queue: list[Job] = []
        self._running: Job | None = None
        self._history: dict[str, dict[str, Any]] = {}
        self._cache: dict[str, tuple[Any, ...]] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._interrupted = False
        self._life = object()  # a job of another life writes nothing
        self._node = ""

    def _listen(self) -> None:
        double = self

        class Bound(_Handler):
            server_is = double

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Bound)
        self._http.daemon_threads = True
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    # -- the worker ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._queue and not self._over:
                    self._wake.wait()
                if self._over:
                    return
                job = self._running = self._queue.pop(0)
                life = self._working_life = self._life
            status, messages, shown = self._execute(job)
            time.sleep(self.manners.history_late)
            with self._lock:
                if life is not self._life:
                    continue
                self._running = None
                self.finished.append((job.id, status if status != "error" else messages[-1][0]))
                self._history[job.id] = {
                    "prompt": job.row(),
                    "outputs": shown,
                    "meta": {
                        key: {"node_id": key, "display_node": key, "parent_node": None, "real_node_id": key}
                        for key in shown
                    },
                    "status": {"status_str": status, "completed": status == "success", "messages": messages},
                }
            self.send("status", {"status": {"exec_info": {"queue_remaining": len(self._queue)}}}, None)
            self.send("executing", {"node": None, "prompt_id": job.id}, job.client)

    def _execute(self, job: Job) -> tuple[str, list[Any], dict[str, Any]]:
        messages: list[Any] = []

        def say(event: str, data: dict[str, Any], *, everybody: bool = False) -> None:
            data = {"prompt_id": job.id, **data, "timestamp": int(time.time() * 1000)}
            messages.append([event, data])
            self.send(event, data, None if everybody else job.client)

        with self._lock:
            self._interrupted = False
        self._states = {}
        say("execution_start", {})
        ran: list[str] = []
        self.ran.append(ran)
        try:
            if job.graph.get("1", {}).get("class_type") == "OtherJob":
                while not self.others_end.wait(0.01):
                    self._bite()
                say("execution_success", {})
                return "success", messages, {}
            signatures = {key: self._signature(job.graph, key) for key in self._needed(job)}
            # Held here: a restart meanwhile begins with new ones, and pictures may be replaced under a job that runs.
            cache = {name: made for name, made in self._cache.items() if name in signatures.values()}
            shown = {name: what for name, what in self._shown.items() if name in signatures.values()}
            self._cache, self._shown = cache, shown
            say("execution_cached", {"nodes": [key for key, name in signatures.items() if name in cache]})
            for key in self._order(job):
                self._run_node(job, key, signatures, cache, shown, ran)
        except _Interrupted:
            node = job.graph.get(self._node, {"class_type": "OtherJob"})
            say(
                "execution_interrupted",
                {"node_id": self._node, "node_type": node["class_type"], "executed": ran},
                everybody=True,
            )
            return "error", messages, {}
        except NodeFailed as error:
            say(
                "execution_error",
                {
                    "node_id": self._node,
                    "node_type": job.graph[self._node]["class_type"],
                    "executed": ran,
                    "exception_message": f"{error}\n",
                    "exception_type": error.kind,
                    "traceback": ['  File "/opt/ComfyUI/execution.py", line 496, in execute\n'],
                    "current_inputs": {"samples": ["tensor([[0.1, 0.2]])" * 100]},
                    "current_outputs": [],
                },
            )
            return "error", messages, {}
        say("execution_success", {})
        return "success", messages, {key: shown[name] for key, name in signatures.items() if name in shown}

    def _run_node(
        self,
        job: Job,
        key: str,
        signatures: Mapping[str, str],
        cache: dict[str, tuple[Any, ...]],
        shown: dict[str, dict[str, Any]],
        ran: list[str],
    ) -> None:
        node, signature = job.graph[key], signatures[key]
        self._node = key
        self._bite()
        if signature in cache:
            return
        self._tell_state(job, key, 0.0, 1.0, "running")
        self.send("executing", {"node": key, "display_node": key, "prompt_id": job.id}, job.client)
        if node["class_type"] == self.manners.fails:
            raise NodeFailed("ValueError", "shapes cannot be multiplied")
        inputs = {
            name: cache[signatures[value[0]]][value[1]] if _is_link(value) else value
            for name, value in node["inputs"].items()
        }
        try:
            made = NODES[node["class_type"]](inputs, self)
        except (NodeFailed, _Interrupted):
            raise
        except Exception as error:  # as the real one: whatever a node raises fails its job
            raise NodeFailed(type(error).__qualname__, str(error)) from error
        ran.append(key)
        cache[signature] = made
        if node["class_type"] in OUTPUTS:
            shown[signature] = self._save(node, made)
            told = {"node": key, "display_node": key, "output": shown[signature], "prompt_id": job.id}
            self.send("executed", told, job.client)
        self._tell_state(job, key, 1.0, 1.0, "finished")

    def _tell_state(self, job: Job, key: str, value: float, most: float, state: str) -> None:
        """The state of all nodes that this job has begun."""
        self._states[key] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": key,
            "prompt_id": job.id,
            "display_node_id": key,
            "parent_node_id": None,
            "real_node_id": key,
        }
        self.send("progress_state", {"prompt_id": job.id, "nodes": self._states}, job.client)

    def _save(self, node: Mapping[str, Any], made: tuple[Any, ...]) -> dict[str, Any]:
        kind = node["class_type"]
        if kind in ("PreviewAny", "SaveImage"):
            return {"text": ["a preview"]}
        if self.manners.saves_nothing:
            return {"animated": [True]}
        subfolder, _, stem = node["inputs"]["filename_prefix"].rpartition("/")
        count = 1
        while (subfolder, f"{stem}_{count:05}_.mp4") in self.outputs:
            count += 1
        name = f"{stem}_{count:05}_.mp4"
        self.outputs[subfolder, name] = write_film(made[0])
        file = {"filename": name, "subfolder": subfolder, "type": "output"}
        if kind == "VHS_VideoCombine":
            return {"gifs": [{**file, "format": "video/h264-mp4", "fullpath": f"/opt/ComfyUI/output/{name}"}]}
        return {"images": [file], "animated": [True]}

    def step(self, value: int, most: int) -> None:
        self._bite()
        job = self._running
        if job is None:
            raise _Interrupted
        if self.manners.out_of_memory:
            self.manners.out_of_memory -= 1
            raise NodeFailed("torch.OutOfMemoryError", OOM)
        deadline = time.monotonic() + self.manners.step_seconds
        while True:
            self._bite()
            if time.monotonic() >= deadline:
                break
            time.sleep(min(0.01, self.manners.step_seconds))
        told = {"value": value, "max": most, "prompt_id": job.id, "node": self._node}
        if self.manners.sockets_break and job.client in self._sockets:
            self.manners.sockets_break -= 1
            _cut(self._sockets.pop(job.client))
        self.send("progress", told, job.client)
        self._tell_state(job, self._node, value, most, "running")
        self.send_bytes(struct.pack(">II", 1, 1) + b"\xff\xd8 a preview \xff\xd9", job.client)

    def _bite(self) -> None:
        if self._interrupted or self._working_life is not self._life:
            raise _Interrupted

    def _needed(self, job: Job) -> list[str]:
        needed: list[str] = []
        waiting = list(job.outputs)
        while waiting:
            if (key := waiting.pop()) not in needed:
                needed.append(key)
                waiting += [value[0] for value in job.graph[key]["inputs"].values() if _is_link(value)]
        return needed

    def _order(self, job: Job) -> list[str]:
        done: list[str] = []

        def visit(key: str) -> None:
            if key not in done:
                for value in job.graph[key]["inputs"].values():
                    if _is_link(value):
                        visit(value[0])
                done.append(key)

        for key in job.outputs:
            visit(key)
        return done

    def _signature(self, graph: Mapping[str, Any], key: str) -> str:
        """Equal for nodes that would make the same: class, literals, what feeds them, and the bytes of pictures."""
        node = graph[key]
        parts = []
        for name, value in sorted(node["inputs"].items()):
            given = [self._signature(graph, value[0]), value[1]] if _is_link(value) else value
            if node["class_type"] == "LoadImage" and name == "image":
                given = [given, hashlib.sha256(self.inputs.get(value, b"")).hexdigest()]
            parts.append([name, given])
        return hashlib.sha256(json.dumps([node["class_type"], parts], sort_keys=True).encode()).hexdigest()

    # -- calls ---------------------------------------------------------------------------------------------------------

    def post_prompt(self, body: dict[str, Any]) -> tuple[int, Any]:
        graph = body.get("prompt")
        if not isinstance(graph, dict):
            said = "No prompt provided"
            error = {"type": "no_prompt", "message": said, "details": said, "extra_info": {}}
            return 400, {"error": error, "node_errors": {}}
        refused, outputs, node_errors = self._validate(graph, body.get("partial_execution_targets"))
        if refused is not None:
            return 400, {"error": refused, "node_errors": node_errors}
        job = str(body.get("prompt_id", uuid.uuid4()))
        if self.manners.jobs_api and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", job):
            told = {"type": "invalid_prompt_id", "message": "prompt_id is no UUID", "details": "", "extra_info": {}}
            return 400, {"error": told, "node_errors": {}}
        with self._lock:
            number = self._number
            self._number += 1
            self._queue.append(Job(number, job, copy.deepcopy(graph), body.get("client_id"), outputs))
            self._wake.notify_all()
        return 200, {"prompt_id": job, "number": number, "node_errors": {}}

    def _validate(
        self, graph: dict[str, Any], targets: list[str] | None
    ) -> tuple[dict[str, Any] | None, list[str], dict[str, Any]]:
        def invalid(kind: str, message: str, details: str) -> dict[str, Any]:
            return {"type": kind, "message": message, "details": details, "extra_info": {}}

        outputs = []
        for key, node in graph.items():
            if "class_type" not in node:
                message = "Cannot execute because a node is missing the class_type property."
                return invalid("invalid_prompt", message, f"Node ID '#{key}'"), [], {}
            if node["class_type"] not in NODES or node["class_type"] in self.manners.lacks:
                message = f"Cannot execute because node {node['class_type']} does not exist."
                return invalid("invalid_prompt", message, f"Node ID '#{key}'"), [], {}
            if node["class_type"] in OUTPUTS and (targets is None or key in targets):
                outputs.append(key)
        if not outputs:
            return invalid("prompt_no_outputs", "Prompt has no outputs", ""), [], {}
        node_errors = {}
        for key, node in graph.items():
            if errors := self._input_errors(node):
                node_errors[key] = {"errors": errors, "dependent_outputs": outputs, "class_type": node["class_type"]}
        if node_errors:
            return invalid("prompt_outputs_failed_validation", "Prompt outputs failed validation", ""), [], node_errors
        return None, outputs, {}

    def _input_errors(self, node: Mapping[str, Any]) -> list[dict[str, Any]]:
        errors = []
        for name, value in node["inputs"].items():
            if name in FILES and self.manners.models is not None and value not in self.manners.models:
                offered = sorted(self.manners.models)
                errors.append({
                    "type": "value_not_in_list",
                    "message": "Value not in list",
                    "details": f"{name}: '{value}' not in {offered}",
                    "extra_info": {"input_name": name, "input_config": [offered, {}], "received_value": value},
                })  # fmt: skip
            if node["class_type"] == "LoadImage" and name == "image" and value not in self.inputs:
                errors.append({
                    "type": "custom_validation_failed",
                    "message": "Custom validation failed for node",
                    "details": f"image - Invalid image file: {value}",
                    "extra_info": {"input_name": "image"},
                })  # fmt: skip
        return errors

    def object_info(self, kind: str) -> dict[str, Any]:
        if kind not in NODES or kind in self.manners.lacks:
            return {}
        files = sorted(self.manners.models or [])
        required: dict[str, Any] = {}
        if self.manners.models is not None:
            required = {name: [files, {}] for name in FILES if kind not in ("CLIPLoader", "UNETLoader")}
            if kind in ("CLIPLoader", "UNETLoader"):  # as newer classes write it
                required = {name: ["COMBO", {"options": files}] for name in FILES}
        return {kind: {"input": {"required": required}, "output_node": kind in OUTPUTS, "name": kind}}

    def interrupt(self, job: str | None) -> None:
        by_id = tuple(int(part) for part in self.manners.version.split(".")) >= (0, 3, 57)
        with self._lock:
            if self._running is not None and (not job or not by_id or self._running.id == job):
                self._interrupted = True

    def delete(self, jobs: list[str]) -> None:
        with self._lock:
            self._queue = [job for job in self._queue if job.id not in jobs]

    def cancel(self, job: str) -> bool:
        """Of newer versions: out of the queue, or stopped."""
        with self._lock:
            waits = any(each.id == job for each in self._queue)
            runs = self._running is not None and self._running.id == job
        self.delete([job])
        if runs:
            self.interrupt(job)
        return waits or runs

    def queue(self) -> dict[str, Any]:
        with self._lock:
            running = [self._running.row()] if self._running else []
            return {"queue_running": running, "queue_pending": [job.row() for job in self._queue]}

    # -- websockets ----------------------------------------------------------------------------------------------------

    def send(self, event: str, data: dict[str, Any], client: str | None) -> None:
        """To one client, or to all."""
        self._send_frame(1, json.dumps({"type": event, "data": data}).encode(), client)

    def send_bytes(self, data: bytes, client: str | None) -> None:
        self._send_frame(2, data, client)

    def _send_frame(self, opcode: int, data: bytes, client: str | None) -> None:
        head = struct.pack(">BB", 0x80 | opcode, len(data)) if len(data) < 126 else b""
        if not head:
            short = len(data) < 65536
            head = struct.pack(">BBH" if short else ">BBQ", 0x80 | opcode, 126 if short else 127, len(data))
        with self._lock:
            chosen = [self._sockets[client]] if client in self._sockets else []
            for connection in chosen if client is not None else list(self._sockets.values()):
                with contextlib.suppress(OSError):
                    connection.sendall(head + data)

    def join(self, client: str, connection: socket.socket) -> None:
        with self._lock:
            self._sockets[client] = connection
        info = {"status": {"exec_info": {"queue_remaining": len(self._queue)}}, "sid": client}
        self.send("status", info, client)

    def leave(self, client: str, connection: socket.socket) -> None:
        with self._lock:
            if self._sockets.get(client) is connection:
                del self._sockets[client]


class _Handler(BaseHTTPRequestHandler):
    server_is: ComfyUIDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None: ...

    def do_GET(self) -> None:
        self._serve("GET", None)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve("POST", data)

    def _serve(self, method: str, data: bytes | None) -> None:
        double, manners = self.server_is, self.server_is.manners
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api") if not parts.path.startswith("/api/jobs") else parts.path
        body: Any = data
        if data is not None and "json" in (self.headers.get("Content-Type") or ""):
            body = json.loads(data or b"{}")
        double.asked.append((method, path, body if not isinstance(body, bytes) else None))
        try:
            if manners.header is not None and self.headers.get(manners.header[0]) != manners.header[1]:
                self._reply(401, {"error": "who are you?"})
            elif path in manners.stalls:
                self._stall()
            elif path in manners.answers:
                status, given = manners.answers[path]
                self._send(status, given, "application/json")
            elif method == "GET":
                self._get(path, {name: values[0] for name, values in parse_qs(parts.query).items()})
            else:
                self._post(path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _get(self, path: str, query: dict[str, str]) -> None:
        double = self.server_is
        if path == "/ws":
            self._upgrade(query.get("clientId") or uuid.uuid4().hex)
        elif path == "/system_stats":
            system = {"os": "posix", "comfyui_version": double.manners.version, "python_version": "3.12"}
            device = {"name": "cuda:0 NVIDIA Double", "type": "cuda", "vram_total": 8 * 2**30, "vram_free": 7 * 2**30}
            self._reply(200, {"system": system, "devices": [device]})
        elif path.startswith("/object_info/"):
            self._reply(200, double.object_info(unquote(path.removeprefix("/object_info/"))))
        elif path.startswith("/history/"):
            job = unquote(path.removeprefix("/history/"))
            entry = double.history(job)
            self._reply(200, {job: entry} if entry is not None else {})
        elif path == "/queue":
            self._reply(200, double.queue())
        elif path == "/view":
            film = double.outputs.get((query.get("subfolder", ""), query.get("filename", "")))
            self._send(200, film, "video/mp4") if film is not None else self._send(404, b"", "text/plain")
        else:
            self._send(404, b"404: Not Found", "text/plain")

    def _post(self, path: str, body: Any) -> None:
        double = self.server_is
        if path == "/upload/image":
            self._upload(body)
        elif path == "/prompt":
            self._reply(*double.post_prompt(body))
        elif path == "/queue":
            double.delete(body.get("delete", []))
            self._send(200, b"", "text/plain")
        elif path == "/interrupt":
            double.interrupt(body.get("prompt_id"))
            self._send(200, b"", "text/plain")
        elif path == "/free":
            double.frees += 1
            self._send(200, b"", "text/plain")
        elif path.startswith("/api/jobs/") and double.manners.jobs_api:
            self._reply(200, {"cancelled": double.cancel(path.split("/")[3])})
        else:  # a path that is there for GET: the files of the pages
            self._send(405, b"405: Method Not Allowed", "text/plain")

    def _upload(self, body: bytes) -> None:
        boundary = b"--" + self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
        fields: dict[str, tuple[str, bytes]] = {}
        for part in body.split(boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            given = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode()))
            fields[given["name"]] = (given.get("filename", ""), content.removesuffix(b"\r\n"))
        name, data = fields["image"]
        subfolder = fields.get("subfolder", ("", b""))[1].decode()
        where = f"{subfolder}/{name}" if subfolder else name
        if fields.get("overwrite", ("", b""))[1] not in (b"true", b"1"):
            stem, _, ending = name.rpartition(".")
            count = 1
            while where in self.server_is.inputs and self.server_is.inputs[where] != data:
                name = f"{stem} ({count}).{ending}"
                where = f"{subfolder}/{name}" if subfolder else name
                count += 1
        self.server_is.inputs[where] = data
        self._reply(200, {"name": name, "subfolder": subfolder, "type": "input"})

    def _upgrade(self, client: str) -> None:
        """Speak the websocket until the peer ends."""
        self.server_is.socket_headers.append(dict(self.headers.items()))
        if self.server_is.manners.no_sockets:
            self._send(404, b"404: Not Found", "text/plain")
            return
        key = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + _SOCKET_KEY).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(key).decode())
        self.end_headers()
        self.close_connection = True
        self.server_is.join(client, self.connection)
        with contextlib.suppress(OSError):
            while (head := self.connection.recv(2)) and head[0] & 0x0F != 8:
                self.connection.recv(4 + (head[1] & 0x7F))
            self.connection.sendall(b"\x88\x00")
        self.server_is.leave(client, self.connection)

    def _stall(self) -> None:
        """Hold the connection until the peer gives up."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def _reply(self, status: int, answer: Any) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _is_link(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and type(value[0]) is str and type(value[1]) is int


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """Options that lead to a double, with the workflows of the documentation."""
    with comfyui_double() as double:
        folder = ROOT / "docs/engines/comfyui"
        yield {
            "url": [double.url],
            "workflow": str(folder / "ltx-2.5-first.json"),
            "workflow_last": str(folder / "ltx-2.5-first-and-last.json"),
        }


@contextmanager
def comfyui_double(change: Callable[[Manners], None] = lambda manners: None) -> Iterator[ComfyUIDouble]:
    """A double that listens, and is gone afterwards."""
    double = ComfyUIDouble()
    change(double.manners)
    double.start()
    try:
        yield double
    finally:
        double.release()
        double.stop()
