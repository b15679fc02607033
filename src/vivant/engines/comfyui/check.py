"""What `vivant engines check comfyui` says: which slots were found and where, and what is missing here and there."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from vivant.engines.comfyui.calls import INTERRUPTS_BY_ID, ComfyCalls
from vivant.engines.comfyui.graph import PREFIX, Graph
from vivant.engines.comfyui.slots import INPUTS, search_slots
from vivant.engines.comfyui.words import UPDATE
from vivant.engines.comfyui.workflow import GraphNode, Workflow
from vivant.engines.generated.answers import clean
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.errors import Misconfigured

Finding = tuple[bool, str, str]  # whether it passed, what was looked at, how to mend it or what to know

_LEFT: Final = {
    "seed": "equal requests then give equal clips whatever their seed; title a node “vivant: seed” to change that",
    "width": "the graph's own size is used, and a film of quite another shape is refused",
    "height": "the graph's own size is used, and a film of quite another shape is refused",
    "fps": "the graph's own rate is used",
}


def check(options: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings on the workflows of these options, and on their servers as far as they answer. Raises nothing."""
    if not options.get("workflow"):
        yield False, "no workflow is set", f"Export one by File > Export (API), and set {PREFIX}WORKFLOW."
    graphs: list[Graph] = []
    for setting in ("workflow", "workflow_last"):
        if options.get(setting):
            found = yield from _check_file(options, setting)
            if found is not None:
                graphs.append(found)
    if options.get("workflow") and not options.get("workflow_last"):
        yield True, "no workflow for a last picture: such requests are refused", f"Set {PREFIX}WORKFLOW_LAST."
    for url in options["url"]:
        yield from _check_server(url, options, graphs)


def _check_file(options: Mapping[str, Any], setting: str) -> Generator[Finding, None, Graph | None]:
    """Yields findings and returns the graph, or None."""
    name, last = f"{PREFIX}{setting.upper()}", setting == "workflow_last"
    try:
        workflow = Workflow.read(options[setting], name)
    except Misconfigured as error:
        yield False, str(error), ""
        return None
    yield True, f"{workflow.name}: {len(workflow.nodes)} nodes in the API format", ""
    slots = search_slots(workflow, options["slots"], last=last, fps=options["fps"])
    for slot in INPUTS:
        for place in slots.places.get(slot, ()):
            yield True, f"{slot}: {place.input} of node {workflow.nodes[place.node]} (found by {place.rule})", ""
    for problem in slots.problems:
        yield False, problem, ""
    if slots.problems:
        return None
    for slot, why in _LEFT.items():
        if slot not in slots.places:
            yield True, f"{slot}: no place", f"It stays as exported: {why}."
    graph = Graph(workflow, slots)
    yield from _advise(graph, options)
    return graph


def _advise(graph: Graph, options: Mapping[str, Any]) -> Iterator[Finding]:
    """What works and may still surprise."""
    nodes = graph.nodes.values()
    if not graph.has_sound:
        made = "the embedded engine makes it" if options["sound_if_missing"] == "diorama" else "clips are silent"
        yield True, "the graph makes no sound", f"For a request with sound {made} ({PREFIX}SOUND_IF_MISSING)."
    for node in nodes:
        if "enhance" in node.title.lower() and node.inputs.get("value") is True:
            yield (
                True,
                f"node {node} is on: the graph rewrites the caller's prompt",
                "Switch it off in ComfyUI and export again, if prompts are to be followed to the letter.",
            )
    for place in graph.slots.places.get("fps", ()):
        held = graph.workflow.nodes[place.node].inputs[place.input]
        if type(held) in (int, float) and held != options["fps"]:
            yield (
                True,
                f"the graph was exported with {held:g} frames per second, and will be given {options['fps']:g}",
                f"A model that was made for {held:g} (Wan 2.2 A14B: 16) moves too fast then: set {PREFIX}FPS.",
            )
    if any(node.kind == "LTXVLatentUpsampler" for node in nodes) and options["grid"] % 64:
        yield (
            True,
            f"the graph doubles its size in a second stage, and sides are multiples of {options['grid']}",
            f"Set {PREFIX}GRID=64, so that half of each side is a multiple of 32.",
        )


def _check_server(url: str, options: Mapping[str, Any], graphs: list[Graph]) -> Iterator[Finding]:
    try:
        calls = ComfyCalls(Server(url, headers=options["headers"]))
        about = calls.about(_go_on)
    except (ServerUnreachable, ServerRefused, UnusableAnswer, Misconfigured) as error:
        yield False, f"no ComfyUI answers at {url}: {error}", f"Start it, or set {PREFIX}URL."
        return
    memory = f" with {about.memory / 2**30:.1f} GiB" if about.memory else ""
    yield True, f"{url}: ComfyUI {about.version or '(no version)'} on {about.device or 'an unnamed device'}{memory}", ""
    if not about.interrupts_by_id:
        needed = ".".join(map(str, INTERRUPTS_BY_ID))
        yield (
            True,
            "this version cannot stop one job and leave others alone: a cancelled clip runs to its end there",
            f"Update ComfyUI to {needed} or later.",
        )
    try:
        yield from _check_nodes(calls, graphs)
    except (ServerUnreachable, ServerRefused, UnusableAnswer) as error:
        yield False, f"{url} did not tell which nodes it has: {error}", ""


def _check_nodes(calls: ComfyCalls, graphs: list[Graph]) -> Iterator[Finding]:
    """Classes and files that the graphs name and the server does not have."""
    known: dict[str, Mapping[str, Any] | None] = {}
    lacking = False
    for graph in graphs:
        filled = {(place.node, place.input) for places in graph.slots.places.values() for place in places}
        for kind, nodes in graph.workflow.classes(graph.nodes).items():
            if kind not in known:
                known[kind] = calls.describe(kind, _go_on)
                if known[kind] is None:
                    lacking = True
                    yield False, f"the server has no node {kind} ({', '.join(map(str, nodes))})", UPDATE
            for node in nodes:
                for name, value in _not_offered(node, known[kind] or {}):
                    if (node.id, name) not in filled:
                        lacking = True
                        yield (
                            False,
                            f"the server does not have {clean(value)!r} for {name} of node {node}",
                            "Put the file into its folder of models, or choose another in ComfyUI and export again.",
                        )
    if graphs and not lacking:
        yield True, "the server has every node and every file that the workflow names", ""


def _not_offered(node: GraphNode, about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(input, value) of texts that the server would have to offer in a list, and does not."""
    inputs = about.get("input")
    for group in ("required", "optional"):
        specified = inputs.get(group) if isinstance(inputs, dict) else None
        for name, specification in (specified if isinstance(specified, dict) else {}).items():
            offered, value = _offered(specification), node.inputs.get(name)
            if offered is not None and isinstance(value, str) and value not in offered:
                yield name, value


def _offered(specification: Any) -> list[Any] | None:
    """The list of a choice: [[…], {…}], and in newer classes ["COMBO", {"options": […]}]; None for other inputs."""
    if not isinstance(specification, list) or not specification:
        return None
    if isinstance(specification[0], list):
        return specification[0]
    more = specification[1] if len(specification) > 1 else None
    options = more.get("options") if specification[0] == "COMBO" and isinstance(more, dict) else None
    return options if isinstance(options, list) else None


def _go_on() -> None:
    """There is nothing to stop for."""
