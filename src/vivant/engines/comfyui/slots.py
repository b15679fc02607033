"""Where in a workflow a request's values go. Each slot is found by the first of four rules that gives a place:

1. the setting `slots`: {"prompt": "Prompt.value", "seed": "57.noise_seed"}: a title or id, a dot, an input;
2. a title that the operator gave a node: `vivant: image`, or several words: `vivant: width height frames`;
3. the titles of ComfyUI's own templates: `Load First Frame`, `Prompt`, `Width`, `Duration` and so on;
4. the shape of the graph: names of inputs, and links followed back from the samplers.

Two places for one slot are an error that names both: which is meant is the operator's to say. As soon as a node has a
title of rule 2, rules 3 and 4 are used for the output only, so that nothing is guessed beside what is said. Only nodes
that the output depends on are looked at. docs/decisions/0073-comfyui-slots-by-title.md says why titles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from vivant.engines.comfyui import shape
from vivant.engines.comfyui.slot_place import SlotPlace
from vivant.engines.comfyui.workflow import GraphNode, Workflow
from vivant.errors import Misconfigured

# The words of slots, with the inputs that a node with a title of rule 2 may have for each.
INPUTS: Final[dict[str, tuple[str, ...]]] = {
    "image": ("image",),
    "last_image": ("image",),
    "prompt": ("value", "text", "prompt"),
    "seed": ("noise_seed", "seed", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "frames": ("length", "num_frames", "video_frames", "frames_number", "amount", "value"),
    "seconds": ("seconds", "duration", "value"),
    "fps": ("fps", "frame_rate", "value"),
    "output": ("filename_prefix",),
}
NEVER_WITHOUT: Final = ("image", "last_image", "output")
LENGTH: Final = ("frames", "seconds")  # one of them

# Titles in ComfyUI's templates (package comfyui-workflow-templates-json 0.1.123), compared without case.
TEMPLATE_TITLES: Final[dict[str, tuple[str, ...]]] = {
    "image": ("load first frame",),
    "last_image": ("load last frame",),
    "prompt": ("prompt",),
    "width": ("width",),
    "height": ("height",),
    "seconds": ("duration", "float (duration)"),
    "fps": ("frame rate", "frame rate(int)", "float (fps)"),
}
_OWN_TITLE: Final = re.compile(r"\s*vivant\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Slots:
    """What was found: places by slot, and problems as sentences. A slot that is not in `places` stays as exported.

    declared_fixed: the operator said that the graph has no slot for the length ("seconds": null).
    """

    places: Mapping[str, tuple[SlotPlace, ...]]
    problems: tuple[str, ...] = ()
    declared_fixed: bool = False

    @property
    def output(self) -> str:
        """The id of the node whose film is the clip; KeyError when there is none."""
        return self.places["output"][0].node

    def values(self, wanted: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
        """(node, input) -> value, for the slots that are there, of the values by slot."""
        return {
            (place.node, place.input): value for slot, value in wanted.items() for place in self.places.get(slot, ())
        }


def find_slots(workflow: Workflow, declared: Mapping[str, Any], *, last: bool, fps: float, setting: str) -> Slots:
    """The slots of a workflow, or Misconfigured with every problem. `setting` names the file's setting in it."""
    slots = search_slots(workflow, declared, last=last, fps=fps)
    if slots.problems:
        raise Misconfigured(f"{setting}: {workflow.name}: {' '.join(slots.problems)}")
    return slots


def search_slots(workflow: Workflow, declared: Mapping[str, Any], *, last: bool, fps: float) -> Slots:
    """The slots of a workflow, with the problems instead of an error.

    declared: the setting `slots`. last: the workflow is the one for a first and a last picture. fps: the rate at which
    the graph is to make frames; several places that hold it already need no slot.
    """
    search = _Search(workflow, declared, fps, last=last)
    search.output()
    if "output" in search.places:
        for slot in INPUTS:
            if slot != "output":
                search.slot(slot)
    search.judge(last)
    return Slots(search.places, tuple(search.problems), search.fixed)


class _Search:
    """The search in one workflow; `places` and `problems` fill up."""

    def __init__(self, workflow: Workflow, declared: Mapping[str, Any], fps: float, *, last: bool) -> None:
        self.places: dict[str, tuple[SlotPlace, ...]] = {}
        self.problems: list[str] = []
        self.fixed = "seconds" in declared and declared["seconds"] is None
        self._wordless = "prompt" in declared and declared["prompt"] is None
        self._workflow, self._fps = workflow, fps
        # One setting serves both workflows, and the one for a first picture has no place for a last one.
        self._declared = {slot: value for slot, value in declared.items() if last or slot != "last_image"}
        self._failed: set[str] = set()  # slots with a problem of their own, which are not told as missing, too
        self._live: Mapping[str, GraphNode] = workflow.nodes  # what the output depends on, once it is known
        if unknown := sorted(set(declared) - set(INPUTS)):
            self._problem(f"slots names {_list(unknown)}; it may name {_list(INPUTS)}.")
        self._titled = self._own_titles()

    # -- the four rules ------------------------------------------------------------------------------------------------

    def slot(self, slot: str) -> None:
        if slot in self._declared:
            self._take(slot, self._by_setting(slot), several=True)
        elif slot in self._titled:
            self._take(slot, self._by_own_title(slot))
        elif not self._titled and not (slot in LENGTH and self.fixed):
            places = self._by_template_title(slot) or self._by_shape(slot)
            self._take(slot, places)

    def output(self) -> None:
        if "output" in self._declared:
            self._take("output", self._by_setting("output"), several=True)
        elif "output" in self._titled:
            self._take("output", self._by_own_title("output"))
        else:
            self._take("output", shape.outputs(self._workflow))
        if "output" in self.places:
            self._live = self._workflow.upstream(self.places["output"][0].node)

    def _by_setting(self, slot: str) -> list[SlotPlace]:
        value = self._declared[slot]
        if value is None and slot not in NEVER_WITHOUT:
            return []
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            self._fail(slot, f'slots.{slot} must be "title or id.input" or a list of such, not {value!r}.')
            return []
        if slot == "output" and len(texts) > 1:
            self._fail(slot, "slots.output must name one node: one film is the clip.")
            return []
        places = [self._named(slot, text.strip()) for text in texts]
        return [place for place in places if place is not None]

    def _named(self, slot: str, text: str) -> SlotPlace | None:
        """The place that a text of the setting names: a title or id, a dot, an input. Both may hold dots."""
        if slot == "output" and self._called(text):
            text = f"{text}.filename_prefix"
        whose: dict[str, GraphNode] = {}
        for at in [n for n, letter in enumerate(text) if letter == "."][::-1]:
            nodes, name = self._called(text[:at]), text[at + 1 :]
            if having := [node for node in nodes if name in node.inputs]:
                return self._only(slot, text, [self._place(node, name, "setting") for node in having])
            whose |= {node.id: node for node in nodes}
        if whose:
            has = "; ".join(f"node {node} has {_list(node.inputs) or 'none'}" for node in whose.values())
            self._fail(slot, f"slots.{slot} is {text!r}, and there is no such input: {has}.")
        else:
            self._fail(slot, f"slots.{slot} is {text!r}, and no node has that title or id.")
        return None

    def _called(self, text: str) -> list[GraphNode]:
        if text in self._workflow.nodes:
            return [self._workflow.nodes[text]]
        return [node for node in self._workflow.nodes.values() if node.title == text]

    def _only(self, slot: str, text: str, places: list[SlotPlace]) -> SlotPlace | None:
        if len(places) == 1:
            return places[0] if self._matters(slot, places[0]) else None
        self._fail(slot, f"slots.{slot} is {text!r}, and several nodes are called so: {self._tell(places)}.")
        return None

    def _own_titles(self) -> dict[str, list[GraphNode]]:
        """Nodes by the words of rule 2 in their titles."""
        titled: dict[str, list[GraphNode]] = {}
        for node in self._workflow.nodes.values():
            if (match := _OWN_TITLE.fullmatch(node.title)) is None:
                continue
            words = re.split(r"[\s,;]+", match[1].strip().lower())
            for word in dict.fromkeys(words):
                if word in INPUTS:
                    titled.setdefault(word, []).append(node)
                else:
                    self._problem(f"The title of node {node} has {word!r}; a title may name {_list(INPUTS)}.")
        return titled

    def _by_own_title(self, slot: str) -> list[SlotPlace]:
        places = []
        for node in self._titled[slot]:
            names = [name for name in INPUTS[slot] if name in node.inputs]
            if not names:
                may = f"{_list(INPUTS[slot])}; it has {_list(node.inputs) or 'none'}"
                self._fail(slot, f"Node {node} is titled {slot}, and has none of the inputs {may}.")
                continue
            place = self._place(node, names[0], "title")
            if self._matters(slot, place):
                places.append(place)
        return places

    def _place(self, node: GraphNode, name: str, rule: str) -> SlotPlace:
        """The input, or the Primitive that feeds it, which may feed others as well. Another link is cut: it was said
        that the value goes here."""
        found = shape.place(node, name, self._workflow.nodes)
        return replace(found, rule=rule) if found else SlotPlace(node.id, name, rule)

    def _by_template_title(self, slot: str) -> list[SlotPlace]:
        name = "image" if slot in ("image", "last_image") else "value"
        return [
            SlotPlace(node.id, name, "template title")
            for node in self._live.values()
            if node.title.lower() in TEMPLATE_TITLES.get(slot, ()) and name in node.inputs
        ]

    def _by_shape(self, slot: str) -> list[SlotPlace]:
        places = shape.find(slot, self._live)
        if slot == "fps" and len(places) > 1:
            held = [self._workflow.nodes[place.node].inputs[place.input] for place in places]
            if all(value == self._fps for value in held):
                return []
        return places

    # -- what was found ------------------------------------------------------------------------------------------------

    def _take(self, slot: str, places: list[SlotPlace], *, several: bool = False) -> None:
        """Keep the place; more than one are a problem, unless the operator named each of them."""
        if slot in self._failed or not places:
            return
        if len(places) == 1 or several:
            self.places[slot] = tuple(places)
            return
        self._fail(
            slot,
            f"There are {len(places)} places for {slot}: {self._tell(places)}. Title the node that is meant "
            f"“vivant: {slot}” (then title all that Vivant is to fill), or name it in the setting slots.",
        )

    def _matters(self, slot: str, place: SlotPlace) -> bool:
        """Whether the output depends on it; the output itself is looked for before that is known."""
        if slot == "output" or place.node in self._live:
            return True
        node, output = (self._workflow.nodes[key] for key in (place.node, self.places["output"][0].node))
        self._fail(slot, f"Node {node} is named for {slot}, and the output {output} does not depend on it.")
        return False

    def judge(self, last: bool) -> None:
        """The problems of the whole."""
        where: dict[tuple[str, str], str] = {}
        for slot, places in self.places.items():
            for place in places:
                if other := where.get((place.node, place.input)):
                    self._problem(f"{place.input} of node {self._workflow.nodes[place.node]} is {other} and {slot}.")
                where[place.node, place.input] = slot
        if "output" not in self.places:
            if "output" not in self._failed:
                self._problem(
                    "There is no output: no SaveVideo, SaveWEBM, or VHS_VideoCombine with save_output. "
                    "Title the node that saves the film “vivant: output”."
                )
            return
        needed = ("image", "last_image", "prompt") if last else ("image", "prompt")
        for slot in needed:
            missing = slot not in self.places and slot not in self._failed
            if missing and not (slot == "prompt" and self._wordless):
                self._problem(f"There is no place for {slot}. {_HINTS[slot]}")
        if not last and "last_image" in self.places:
            self._problem(
                f"It has a place for a last picture ({self._tell(self.places['last_image'])}), which a request with "
                "one picture leaves open: set this file as workflow_last, and one for a first picture as workflow."
            )
        if not (self.fixed or any(slot in self.places or slot in self._failed for slot in LENGTH)):
            self._problem(
                "There is no place for the length. Title the node “vivant: frames”, or “vivant: seconds” where the "
                'graph multiplies by itself; slots = {"seconds": null} says that its length is fixed.'
            )

    def _tell(self, places: Iterable[SlotPlace]) -> str:
        ordered = sorted(places, key=_in_order)
        return ", ".join(f"{place.input} of node {self._workflow.nodes[place.node]}" for place in ordered)

    def _fail(self, slot: str, problem: str) -> None:
        self._failed.add(slot)
        self._problem(problem)

    def _problem(self, problem: str) -> None:
        self.problems.append(problem)


def _in_order(place: SlotPlace) -> tuple[list[int], str]:
    """By the numbers in an id, as people count: 9 before 10, 398:9 before 398:10."""
    return [int(number) for number in re.findall(r"\d{1,18}", place.node)], place.input


_HINTS: Final = {
    "image": "Title the node LoadImage of the first picture “vivant: image”.",
    "last_image": "Title the node LoadImage of the last picture “vivant: last_image”.",
    "prompt": 'Title the node that holds the text “vivant: prompt”; slots = {"prompt": null} says that it has none.',
}


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
