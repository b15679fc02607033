"""A workflow as ComfyUI's menu "Export (API)" writes it: a JSON object of nodes by id, each with class, inputs, title.

A value that is a list [node id, output number] is a link to another node; every other value is a literal. The format
with `nodes` and `links`, which "Export" and "Save" write, is another one and is refused: its values have no names.
Reads JSON only, so that the API process may use it.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vivant.errors import Misconfigured

MOST_BYTES: Final = 16 * 2**20  # of a workflow file; the largest official template has 0.3 MiB
API_FORMAT: Final = 'In ComfyUI export it with "Export (API)" from the menu File (older ones: "Save (API Format)").'


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node. kind: its class in ComfyUI. inputs: literals and links by name. title: what ComfyUI shows above it."""

    id: str
    kind: str
    inputs: Mapping[str, Any]
    title: str

    def source(self, name: str) -> str | None:
        """The id of the node that feeds this input; None when it holds a literal or does not exist."""
        return _linked(self.inputs.get(name))

    def __str__(self) -> str:
        return f"{self.id} “{self.title}”" if self.title != self.kind else f"{self.id} {self.kind}"


@dataclass(frozen=True, slots=True)
class Workflow:
    """A checked workflow. name: of its file. sha256: of the file's bytes, in hexadecimal."""

    name: str
    nodes: Mapping[str, GraphNode]
    sha256: str

    @classmethod
    def read(cls, path: str | Path, setting: str) -> Workflow:
        """The workflow in a file. `setting` is the name that errors give. Raises Misconfigured for a file that cannot
        be read, is no API format, or has a link to a node that it does not hold."""
        try:
            with Path(path).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Misconfigured(f"{setting}: {path} cannot be read ({error.strerror or error}).") from None
        if len(data) > MOST_BYTES:
            raise Misconfigured(f"{setting}: {path} has more than {MOST_BYTES // 2**20} MiB; a workflow is smaller.")
        return cls.parse(data, name=Path(path).name, setting=setting)

    @classmethod
    def parse(cls, data: bytes, *, name: str, setting: str) -> Workflow:
        """The workflow in these bytes of JSON; raises Misconfigured as `read` does."""
        try:
            graph = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Misconfigured(f"{setting}: {name} is no JSON ({str(error)[:100]}). {API_FORMAT}") from None
        try:
            nodes = _nodes(graph)
        except ValueError as error:
            raise Misconfigured(f"{setting}: {name} {error}") from None
        return cls(name=name, nodes=nodes, sha256=hashlib.sha256(data).hexdigest())

    def sources(self, node_id: str) -> Iterator[tuple[str, GraphNode]]:
        """(input, the node that feeds it) for every linked input of a node."""
        for name in self.nodes[node_id].inputs:
            if (source := self.nodes[node_id].source(name)) is not None:
                yield name, self.nodes[source]

    def upstream(self, node_id: str, cut: Collection[tuple[str, str]] = ()) -> dict[str, GraphNode]:
        """The node of this id and all that it depends on, by id, in the file's order. cut: (node, input) whose links
        are not followed."""
        found: set[str] = set()
        waiting = [node_id]
        while waiting:
            if (here := waiting.pop()) not in found:
                found.add(here)
                waiting += [node.id for name, node in self.sources(here) if (here, name) not in cut]
        return {key: node for key, node in self.nodes.items() if key in found}

    def classes(self, ids: Iterable[str]) -> dict[str, list[GraphNode]]:
        """The nodes of these ids by their class in ComfyUI."""
        by_class: dict[str, list[GraphNode]] = {}
        for node in (self.nodes[key] for key in ids):
            by_class.setdefault(node.kind, []).append(node)
        return by_class

    def filled(self, values: Mapping[tuple[str, str], Any], ids: Iterable[str]) -> dict[str, Any]:
        """The graph to send: the nodes of these ids with (node, input) -> value put in place of what was exported.

        Values for nodes that are not sent are left out. ComfyUI ignores titles, so they stay at home: they may say what
        nobody else needs to know.
        """
        graph: dict[str, Any] = {
            node.id: {"class_type": node.kind, "inputs": copy.deepcopy(dict(node.inputs))}
            for node in (self.nodes[key] for key in ids)
        }
        for (key, name), value in values.items():
            if key in graph:
                graph[key]["inputs"][name] = value
        return graph


def _linked(value: Any) -> str | None:
    """The node id in a link; None for a literal. The rule is ComfyUI's own: a list of a string and a number."""
    is_link = type(value) is list and len(value) == 2 and type(value[0]) is str and type(value[1]) is int
    return value[0] if is_link else None


def _nodes(graph: Any) -> dict[str, GraphNode]:
    """The nodes of a graph; ValueError, whose text goes on after the name of a file, for what is none."""
    if not isinstance(graph, dict):
        raise ValueError(f"is no workflow: it holds a {type(graph).__name__}, not an object. {API_FORMAT}")
    if isinstance(graph.get("nodes"), list) and "links" in graph:
        raise ValueError(f"is in ComfyUI's UI format, whose values have no names. {API_FORMAT}")
    if not graph:
        raise ValueError(f"holds no nodes. {API_FORMAT}")
    nodes: dict[str, GraphNode] = {}
    for key, node in graph.items():
        if not isinstance(node, dict) or type(node.get("class_type")) is not str or not node["class_type"]:
            raise ValueError(f"is not in ComfyUI's API format: {key!r} is no node with a class_type. {API_FORMAT}")
        inputs = node.get("inputs")
        if not isinstance(inputs, dict):
            raise ValueError(f"is not in ComfyUI's API format: node {key!r} has no inputs. {API_FORMAT}")
        meta = node.get("_meta")
        title = meta.get("title") if isinstance(meta, dict) else None
        title = title.strip() if isinstance(title, str) else ""
        nodes[key] = GraphNode(id=key, kind=node["class_type"], inputs=inputs, title=title or node["class_type"])
    for node in nodes.values():
        for name in node.inputs:
            if (source := node.source(name)) is not None and source not in nodes:
                raise ValueError(f"is incomplete: {name} of node {node} comes from node {source}, which is not in it.")
    return nodes
