"""Rule 4 of the slots: places found by the names of inputs and by the links of a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vivant.engines.comfyui.slot_place import SlotPlace
from vivant.engines.comfyui.workflow import GraphNode, Workflow

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "width": ("width",),
    "height": ("height",),
    "frames": ("length", "num_frames", "video_frames", "frames_number"),
    "fps": ("fps", "frame_rate"),
    "seed": ("noise_seed", "seed"),
}
_SAVE: Final = ("SaveVideo", "SaveWEBM")
_FIRST: Final = ("start_image", "first_frame")
_LAST: Final = ("end_image", "last_frame")
# A node that has one of these is no longer about the picture alone: what comes after it says nothing of its role.
_NOT_PICTURE: Final = ("positive", "latent_image", "samples", "clip")
_TEXT: Final = ("text", "prompt")


def outputs(workflow: Workflow) -> list[SlotPlace]:
    """The nodes that save a film."""
    return [
        SlotPlace(node.id, "filename_prefix", "shape")
        for node in workflow.nodes.values()
        if node.kind in _SAVE or (node.kind == "VHS_VideoCombine" and node.inputs.get("save_output") is True)
    ]


def find(slot: str, nodes: Mapping[str, GraphNode]) -> list[SlotPlace]:
    """The places of a slot among the nodes that the output depends on; several mean that it is not certain."""
    match slot:
        case "image" | "last_image":
            return _pictures(slot, nodes)
        case "prompt":
            return _unique(_prompts(nodes))
        case "seed":
            return _seeds(nodes)
        case "width" | "height" | "frames" | "fps":
            return _unique(_by_name(slot, nodes))
        case _:
            return []


def is_sampler(node: GraphNode) -> bool:
    """Whether it denoises: KSampler, SamplerCustomAdvanced and their like; a SamplerEuler only names a method."""
    return "Sampler" in node.kind and ("latent_image" in node.inputs or "samples" in node.inputs)


def place(node: GraphNode, name: str, nodes: Mapping[str, GraphNode]) -> SlotPlace | None:
    """The input itself if it holds a literal, or the `value` of the Primitive that feeds it."""
    source = node.source(name)
    if source is None:
        return SlotPlace(node.id, name, "shape") if name in node.inputs else None
    feeder = nodes.get(source)
    if (
        feeder is not None
        and feeder.kind.startswith("Primitive")
        and "value" in feeder.inputs
        and feeder.source("value") is None
    ):
        return SlotPlace(feeder.id, "value", "shape")
    return None


def _unique(places: Iterator[SlotPlace | None]) -> list[SlotPlace]:
    return list(dict.fromkeys(place for place in places if place is not None))


def _by_name(slot: str, nodes: Mapping[str, GraphNode]) -> Iterator[SlotPlace | None]:
    for node in nodes.values():
        for name in _NAMES[slot]:
            yield place(node, name, nodes)


# -- pictures ----------------------------------------------------------------------------------------------------------


def _pictures(slot: str, nodes: Mapping[str, GraphNode]) -> list[SlotPlace]:
    loaders = [node for node in nodes.values() if node.kind == "LoadImage" and "image" in node.inputs]
    roles = {node.id: _roles(node.id, nodes) for node in loaders}
    role = "first" if slot == "image" else "last"
    chosen = [node for node in loaders if roles[node.id] == {role}]
    if not chosen and slot == "image":
        chosen = [node for node in loaders if roles[node.id] != {"last"}]
    return [SlotPlace(node.id, "image", "shape") for node in chosen]


def _roles(loader: str, nodes: Mapping[str, GraphNode]) -> set[str]:
    """What a picture is used for, as far as links say: {"first"}, {"last"}, both or none."""
    roles: set[str] = set()
    waiting, seen = [loader], {loader}
    while waiting:
        here = waiting.pop()
        for node in nodes.values():
            used = [name for name in node.inputs if node.source(name) == here]
            if not used:
                continue
            found = {role for name in used if (role := _role(node, name))}
            roles |= found
            if not found and node.id not in seen and not any(name in node.inputs for name in _NOT_PICTURE):
                seen.add(node.id)
                waiting.append(node.id)
    return roles


def _role(node: GraphNode, name: str) -> str | None:
    if name in _FIRST:
        return "first"
    if name in _LAST:
        return "last"
    if node.kind == "LTXVAddGuide" and name == "image":
        at: Any = node.inputs.get("frame_idx")
        return {0: "first", -1: "last"}.get(at) if type(at) is int else None
    return None


# -- the prompt --------------------------------------------------------------------------------------------------------


def _prompts(nodes: Mapping[str, GraphNode]) -> Iterator[SlotPlace | None]:
    """Back from the samplers and guiders, through conditioning, to the text of an encoder."""
    waiting = []
    for node in nodes.values():
        if "Sampler" in node.kind or "Guider" in node.kind:
            waiting += [source for name in ("positive", "conditioning") if (source := node.source(name))]
    seen = set()
    while waiting:
        if (here := waiting.pop()) in seen:
            continue
        seen.add(here)
        node = nodes[here]
        texts = [name for name in _TEXT if name in node.inputs] if "clip" in node.inputs else []
        if texts:
            yield place(node, texts[0], nodes)
            continue
        names = [name for name in node.inputs if name == "positive" or name.startswith("conditioning")]
        waiting += [source for name in names if (source := node.source(name))]


# -- the seed ----------------------------------------------------------------------------------------------------------


def _seeds(nodes: Mapping[str, GraphNode]) -> list[SlotPlace]:
    """The seed of the first stage: one of a sampler that adds no noise, or of a later stage, changes no motion."""
    noisy = {key: node for key, node in nodes.items() if not _adds_no_noise(node)}
    places = _unique(_by_name("seed", noisy))
    if len(places) < 2:
        return places
    samplers = [node for node in nodes.values() if is_sampler(node) and not _adds_no_noise(node)]
    first_stage = [sampler for sampler in samplers if not _later_stage(sampler, nodes)]
    return _unique(place for sampler in first_stage for place in _noise(sampler, nodes)) or places


def _adds_no_noise(node: GraphNode) -> bool:
    return node.inputs.get("add_noise") == "disable"


def _noise(sampler: GraphNode, nodes: Mapping[str, GraphNode]) -> Iterator[SlotPlace | None]:
    """The seed in a sampler, or in the node that makes its noise."""
    source = sampler.source("noise")
    for node in (sampler, *((nodes[source],) if source else ())):
        for name in _NAMES["seed"]:
            yield place(node, name, nodes)


def _later_stage(sampler: GraphNode, nodes: Mapping[str, GraphNode]) -> bool:
    """Whether what it denoises comes from another sampler."""
    waiting = [source for name in ("latent_image", "samples") if (source := sampler.source(name))]
    seen = set()
    while waiting:
        if (here := waiting.pop()) in seen:
            continue
        seen.add(here)
        if is_sampler(nodes[here]):
            return True
        waiting += [source for name in nodes[here].inputs if (source := nodes[here].source(name))]
    return False
