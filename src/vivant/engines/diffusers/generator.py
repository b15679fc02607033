"""A model of diffusers in this process: loads it as far as memory allows, and makes clips with it.

`setup` settles everything once: folder, recipe, device, plan of memory. `generate` asks the family's module for a film,
with the watch asked inside every step, and turns whatever goes wrong into an error in words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import diffusers
import torch

from vivant.engines.base import NullWatch, Watch
from vivant.engines.diffusers import ltx2, wan
from vivant.engines.diffusers.attention import check_attention, set_attention
from vivant.engines.diffusers.caches import check_cache, set_cache
from vivant.engines.diffusers.checkpoints import Checkpoints
from vivant.engines.diffusers.device import Device, find_device
from vivant.engines.diffusers.frames_as_bytes import use_bytes
from vivant.engines.diffusers.loading import load_pipeline
from vivant.engines.diffusers.memory import GIB, MemoryPlan
from vivant.engines.diffusers.model_folder import Family, ModelFolder, read_model_folder
from vivant.engines.diffusers.out_of_memory import explain, is_out_of_memory
from vivant.engines.diffusers.planning import gguf_files, plan_memory, served_canvas
from vivant.engines.diffusers.recipes import Recipe, choose_recipe
from vivant.engines.diffusers.weights import locate, read_receipt
from vivant.engines.generated.film import at_24_fps
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.settings import option
from vivant.errors import EngineFailed, Misconfigured, VivantError
from vivant.media import F32, U8
from vivant.request import FPS

LOADED: Final = 0.02  # fractions of a job: the prompt is read next
FIRST_STEP: Final = 0.05
LAST_STEP: Final = 0.80  # decoding is next
DECODED: Final = 0.90


class DiffusersGenerator:
    """Implements `generated.engine.Generator`. options: values of the settings in card.py by name, and `worker`."""

    name = "diffusers"
    version = "1"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._facts: dict[str, Any] = {}
        self._folder: ModelFolder
        self._recipe: Recipe
        self._device: Device
        self._plan: MemoryPlan
        self._pipeline: Any = None
        self._checkpoints: Checkpoints
        # A clip was broken off, and its parts lie where they were. They are put away before the next one: copying tens
        # of gigabytes takes longer than the two seconds in which a job that is told to stop must end.
        self._is_left_behind = False

    def setup(self) -> None:
        """Load the model. Raises Misconfigured: a setting, a folder, a device or memory that does not do."""
        options = self._options
        path, known = locate(options["model"], options["models"])
        receipt = read_receipt(path)
        gguf = gguf_files(options)
        folder = read_model_folder(path, recipe=options["recipe"], given=tuple(gguf))
        recipe = choose_recipe(
            folder.family, name=options["recipe"], steps=options["steps"], guidance=options["guidance"]
        )
        if options["attention"]:
            check_attention(options["attention"])
        check_cache(options["cache"], folder.family, steps=recipe.steps)
        device = find_device(options["device"], int(options.get("worker", 0)))
        dtype = device.choose_dtype(options["dtype"])
        plan = plan_memory(folder, options, device, dtype)
        self._folder, self._recipe, self._device, self._plan = folder, recipe, device, plan
        try:
            self._pipeline = load_pipeline(folder, plan, device, dtype, gguf)
            if options["attention"]:
                set_attention(self._pipeline, folder.transformers, options["attention"])
            set_cache(self._pipeline, folder.transformers, options["cache"])
        except VivantError:
            raise
        except Exception as error:
            raise _not_loaded(error, path, plan) from error
        self._checkpoints = Checkpoints(self._pipeline, device.torch)
        use_bytes(self._pipeline, self._checkpoints.check)
        self._facts = {
            "model": known.name if known else path.name,
            **({"revision": receipt.revision} if receipt else {}),
            "family": str(folder.family),
            "device": device.name,
            "dtype": str(dtype).removeprefix("torch."),
            "memory": str(plan.placement),
            "weights": str(plan.precision),
            "tiling": plan.tiling,
            "attention": options["attention"] or "native",
            "cache": options["cache"],
            "recipe": recipe.name,
            "steps": recipe.steps,
            "diffusers": diffusers.__version__,
            "torch": str(torch.__version__),
        }
        self._warm_up()

    def facts(self) -> dict[str, Any]:
        """See `generated.engine.Generator`."""
        return dict(self._facts)

    def probe(self, watch: Watch) -> None:
        """Make a second of a grey wedge, and drop it. Raises EngineFailed with the reason, Stopped."""
        self.generate(probe_order(grid=option(self._options, "grid")), watch)

    def generate(self, order: Order, watch: Watch) -> Footage:
        """See `generated.engine.Generator`. Raises OutOfMemory, with what to lower, wherever memory runs out."""
        started = time.monotonic()
        frames = self._folder.family.frames(order.seconds)
        self._device.forget_peak()
        if self._is_left_behind:
            self._pipeline.maybe_free_model_hooks()  # parts go back to where they wait, caches are emptied
            self._is_left_behind = False
        with self._checkpoints.watching(watch):
            try:
                watch.report(LOADED)
                watch.raise_if_stopping()
                film, sound = self._make_film(order, frames, watch)
            except BaseException as error:
                failure = self._failure(error, order, frames)
                self._is_left_behind = True
                if failure is error:
                    raise
                raise failure from error
        watch.report(DECODED)
        wanted = (frames, order.canvas.height, order.canvas.width, 3)
        if tuple(film.shape) != wanted:
            raise EngineFailed(f"The model made a film of shape {tuple(film.shape)}; {wanted} was asked for.")
        return Footage(
            frames=self._at_24_fps(film, order),
            sound=sound,
            facts={
                "seconds": round(time.monotonic() - started, 3),
                "peak_memory_gib": round(self._device.peak() / GIB, 2),
                "frames_made": frames,
                "fps_made": self._folder.family.fps,
            },
        )

    def _make_film(self, order: Order, frames: int, watch: Watch) -> tuple[torch.Tensor, F32 | None]:
        recipe, negative = self._recipe, self._options["negative_prompt"]

        def on_step(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            watch.raise_if_stopping()
            watch.report(FIRST_STEP + (LAST_STEP - FIRST_STEP) * (step + 1) / recipe.steps)
            return tensors

        if self._folder.family is Family.LTX2:
            return ltx2.make_film(
                self._pipeline, order, recipe,
                frames=frames, negative=negative, crf=self._options["picture_crf"], on_step=on_step,
            )  # fmt: skip
        film = wan.make_film(self._pipeline, order, recipe, frames=frames, negative=negative, on_step=on_step)
        return film, None

    def _failure(self, error: BaseException, order: Order, frames: int) -> BaseException:
        """The error to raise for one that a pipeline raised: itself, if it is one of ours or no failure."""
        if isinstance(error, VivantError) or not isinstance(error, Exception):
            return error
        if is_out_of_memory(error):
            canvas = order.canvas
            return explain(
                self._plan, width=canvas.width, height=canvas.height, frames=frames, peak=self._device.peak()
            )
        return EngineFailed(f"The model failed: {type(error).__name__}: {str(error)[:500]}")

    def _at_24_fps(self, film: torch.Tensor, order: Order) -> Iterator[U8]:
        made: Iterator[U8] = iter(film.numpy())
        if self._folder.family.fps == FPS:
            return made
        # Between two frames is a blend of both. A model that interpolates motion (RIFE) would be sharper where things
        # are fast; none is part of diffusers, and none is bundled here.
        return at_24_fps(made, fps=Fraction(self._folder.family.fps), wanted=order.frames, blend=True)

    def _warm_up(self) -> None:
        """A clip of the resolution that is served: the first caller does not wait for what a card prepares once, and a
        service that cannot make such a clip does not start. Raises Misconfigured."""
        resolution = self._options["warm_up"]
        if resolution == "off":
            return
        canvas = served_canvas(self._options, resolution)
        wanted = canvas.contract
        small = probe_order(grid=option(self._options, "grid"))
        grey = torch.full((wanted.height, wanted.width, 3), 128, dtype=torch.uint8).numpy()
        order = Order(
            prompt=small.prompt, canvas=canvas, seconds=self._options["plan_seconds"], frames=wanted.frames, seed=0,
            first=canvas.pad(grey), last=None, audio=False, camera_fixed=True,
        )  # fmt: skip
        try:
            self.generate(order, NullWatch())
        except EngineFailed as error:
            raise Misconfigured(
                f"VIVANT_DIFFUSERS_WARM_UP: a clip of {resolution} could not be made. {error}"
            ) from error


def _not_loaded(error: Exception, path: Path, plan: MemoryPlan) -> Misconfigured:
    if is_out_of_memory(error):
        return Misconfigured(
            f"Memory ran out while the model in {path} was loaded ({plan.describe()}). Set "
            "VIVANT_DIFFUSERS_QUANTISE=fp8 or VIVANT_DIFFUSERS_GGUF, or a VIVANT_DIFFUSERS_MEMORY further down: model, "
            "group, sequential."
        )
    return Misconfigured(
        f"VIVANT_DIFFUSERS_MODEL: the model in {path} could not be loaded: {type(error).__name__}: {str(error)[:500]}"
    )
