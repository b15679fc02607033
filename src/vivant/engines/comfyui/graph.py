"""The operator's workflows, ready to be filled: files and slots, checked. Reads JSON only; the API process uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vivant.engines.comfyui.shape import is_sampler
from vivant.engines.comfyui.slots import Slots, find_slots
from vivant.engines.comfyui.workflow import GraphNode, Workflow
from vivant.errors import Misconfigured

PREFIX: Final = "VIVANT_COMFYUI_"
# Classes that make lengths of step * k + rest only; what is asked of them is rounded up, and the film is cut.
_LENGTHS: Final[dict[str, tuple[int, int]]] = {"MiniMaxH3ImageToVideo": (17, 5)}
# Inputs of loaders that name the weights that make the picture, in the order in which they are shown.
_WEIGHTS: Final = ("unet_name", "ckpt_name", "model_name", "model", "gguf_name")


@dataclass(frozen=True, slots=True)
class Graph:
    """One workflow with its slots."""

    workflow: Workflow
    slots: Slots

    @property
    def nodes(self) -> dict[str, GraphNode]:
        """What the output depends on once the slots are filled, by id; nothing else is sent."""
        filled = {(place.node, place.input) for places in self.slots.places.values() for place in places}
        return self.workflow.upstream(self.slots.output, cut=filled)

    @property
    def samplers(self) -> list[str]:
        """The ids of the nodes that denoise, in the file's order."""
        return [key for key, node in self.nodes.items() if is_sampler(node)]

    @property
    def has_sound(self) -> bool:
        """Whether the film is given a sound."""
        return any(node.source("audio") is not None for node in self.nodes.values())

    @property
    def weights(self) -> str:
        """The file names of the models that make the picture, as far as loaders name them."""
        found = [
            value
            for name in _WEIGHTS
            for node in self.nodes.values()
            if "Loader" in node.kind and isinstance(value := node.inputs.get(name), str)
        ]
        names = [name for name in dict.fromkeys(found) if "upscale" not in name.lower()]
        return ", ".join(name.rpartition(".")[0] or name for name in names[:2])

    def fill(
        self,
        *,
        pictures: Mapping[str, str],
        prompt: str,
        seed: int,
        width: int,
        height: int,
        seconds: int,
        fps: float,
        prefix: str,
    ) -> dict[str, Any]:
        """The graph to send. pictures: the names that the server gave them, by "image" and "last_image". fps: of the
        frames that the graph makes. prefix: of the file that it saves; a fresh one, or ComfyUI answers with an old
        film: it does not run again what it has run."""
        frames = round(seconds * fps) + 1
        for place in self.slots.places.get("frames", ()):
            if (grid := _LENGTHS.get(self.workflow.nodes[place.node].kind)) is not None:
                step, rest = grid
                frames += (rest - frames) % step
        wanted = {
            **pictures,
            "prompt": prompt,
            "seed": seed,
            "width": width,
            "height": height,
            "frames": frames,
            "seconds": seconds,
            "fps": int(fps) if fps == int(fps) else fps,
            "output": prefix,
        }
        return self.workflow.filled(self.slots.values(wanted), self.nodes)


@dataclass(frozen=True, slots=True)
class Graphs:
    """The graph for a first picture, and the one for a first and a last, if there is one."""

    first: Graph
    last: Graph | None

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Graphs:
        """From the settings `workflow`, `workflow_last`, `slots`, `fps`. Raises Misconfigured, naming the setting."""
        if not options.get("workflow"):
            raise Misconfigured(
                f"The engine comfyui needs a workflow: export one from ComfyUI (File > Export (API)) and set "
                f"{PREFIX}WORKFLOW to the file. `vivant engines check comfyui --workflow FILE` says whether it will do."
            )
        first = _read(options, "workflow", last=False)
        return cls(first=first, last=_read(options, "workflow_last", last=True) if options["workflow_last"] else None)


def _read(options: Mapping[str, Any], setting: str, *, last: bool) -> Graph:
    name = f"{PREFIX}{setting.upper()}"
    workflow = Workflow.read(options[setting], name)
    return Graph(workflow, find_slots(workflow, options["slots"], last=last, fps=options["fps"], setting=name))
