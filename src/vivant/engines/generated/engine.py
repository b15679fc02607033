"""An engine around a model that generates: `plan` settles what the model is asked for, `render` lets it work and makes
a clip of the contract from what comes back. What differs from model to model is a `Generator`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from vivant.engines.base import Watch
from vivant.engines.card import Card, Sound
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order
from vivant.engines.generated.pins import pin_ends
from vivant.engines.generated.prompt import write_prompt
from vivant.engines.generated.settings import option
from vivant.engines.generated.sound import fit_sound, make_missing_sound, make_silence
from vivant.media import U8, Clip, Pictures, Planes, Soundtrack, fit, to_planes
from vivant.request import VideoRequest

STORYBOARD_VERSION: Final = "1"
LIPS: Final = "The sound is made by the embedded engine after the picture; lips cannot follow it."


class Generator(Protocol):
    """A model, in this process or behind a server. One job at a time."""

    name: str  # of the engine
    version: str  # of what this engine asks of its model; raised whenever equal requests get other clips

    def setup(self) -> None:
        """Load, or reach the server. Raises Misconfigured in words, BackendLost."""

    def facts(self) -> dict[str, Any]:
        """What is known after `setup`, plain data: model, revision, server … Shown with every task."""

    def generate(self, order: Order, watch: Watch) -> Footage:
        """Make it; blocks. Reports 0..0.9 to the watch and asks it twice a second. Raises Stopped, EngineFailed."""

    def probe(self, watch: Watch) -> None:
        """Generate something small for real, and drop it. Raises EngineFailed with the reason, Stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedStoryboard:
    """What a generating engine will ask of its model. `notes` tell the caller what was adapted and what cannot be."""

    engine: str
    version: str
    request: VideoRequest
    prompt: str  # as the model gets it
    width: int  # pixels that the model is asked for
    height: int
    model: Mapping[str, Any]  # facts about it
    notes: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "version": self.version,
            "storyboard_version": STORYBOARD_VERSION,
            "prompt": self.prompt,
            "generated_size": [self.width, self.height],
            "frames": self.request.canvas.frames,
            "seed": self.request.seed,
            "model": dict(self.model),
            "notes": list(self.notes),
        }


class GeneratingEngine:
    """Implements `engines.base.Engine`. fixes_camera_in_words: False for a server that has a field for it."""

    def __init__(
        self, generator: Generator, options: Mapping[str, Any], card: Card, *, fixes_camera_in_words: bool = True
    ) -> None:
        self.name = generator.name
        self.version = generator.version
        self._generator = generator
        self._options = options
        self._card = card
        self._fixes_camera_in_words = fixes_camera_in_words

    def setup(self) -> None:
        self._generator.setup()

    def probe(self, watch: Watch) -> None:
        if option(self._options, "probe"):
            self._generator.probe(watch)

    def plan(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> GeneratedStoryboard:
        self._card.refuse(request)
        canvas = self._canvas_of(request)
        prompt, notes = write_prompt(
            request, self._options, watch.raise_if_stopping, fix_camera=self._fixes_camera_in_words
        )
        return GeneratedStoryboard(
            engine=self.name,
            version=self.version,
            request=request,
            prompt=prompt,
            width=canvas.width,
            height=canvas.height,
            model=self._generator.facts(),
            notes=(*notes, *self._notes(request, canvas)),
        )

    def _notes(self, request: VideoRequest, canvas: GenerationCanvas) -> Iterator[str]:
        wanted = request.canvas
        if (canvas.width, canvas.height) != (wanted.width, wanted.height):
            yield (
                f"The model makes {canvas.width}x{canvas.height}; every frame is brought to "
                f"{wanted.width}x{wanted.height}."
            )
        if request.generate_audio and self._card.sound is not Sound.JOINT:
            added = option(self._options, "sound_if_missing") == "diorama"
            yield LIPS if added else "The model makes no sound: the clip is silent."

    def explain(self, storyboard: GeneratedStoryboard) -> list[str]:
        request = storyboard.request
        model = ", ".join(f"{name} {value}" for name, value in storyboard.model.items() if isinstance(value, str | int))
        sound = "with sound" if request.generate_audio else "without sound"
        lines = [
            f"Engine {storyboard.engine}{f': {model}' if model else ''}.",
            f"{request.canvas.frames} frames, {sound}, seed {request.seed}"
            f"{', ending on the last picture' if request.has_last_frame else ''}.",
            f"Prompt: {storyboard.prompt}",
            *storyboard.notes,
        ]
        return [plain for line in lines if (plain := _make_plain(line))]

    def draw_seen(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> None:
        """It looks for nothing in the picture."""

    def render(self, storyboard: GeneratedStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        request, canvas = storyboard.request, self._canvas_of(storyboard.request)
        wanted = request.canvas
        first = fit(pictures.first, wanted.width, wanted.height)
        last = None if pictures.last is None else fit(pictures.last, wanted.width, wanted.height)
        order = Order(
            prompt=storyboard.prompt,
            canvas=canvas,
            seconds=request.seconds,
            frames=request.canvas.frames,
            seed=request.seed,
            first=canvas.pad(first),
            last=None if last is None else canvas.pad(last),
            audio=request.generate_audio,
            camera_fixed=request.camera_fixed,
        )
        started = time.monotonic()
        footage = self._generator.generate(order, watch)
        report = {
            "engine": self.name,
            "version": self.version,
            **storyboard.model,
            "generated_size": [canvas.width, canvas.height],
            "generation_seconds": round(time.monotonic() - started, 3),
            "notes": list(storyboard.notes),
            **footage.facts,
        }
        soundtrack = None
        if request.generate_audio:
            soundtrack = partial(self._make_soundtrack, footage, request, pictures, watch, report)
        return Clip(
            canvas=request.canvas,
            frames=self._finish_frames(footage, canvas, first, last, watch),
            soundtrack=soundtrack,
            report=lambda: report,
        )

    def _canvas_of(self, request: VideoRequest) -> GenerationCanvas:
        return GenerationCanvas.of(
            request.canvas, grid=option(self._options, "grid"), max_pixels=option(self._options, "max_pixels")
        )

    def _finish_frames(
        self, footage: Footage, canvas: GenerationCanvas, first: U8, last: U8 | None, watch: Watch
    ) -> Iterator[Planes]:
        """Cut back to the contract's canvas, with exact ends. first, last: the pictures, fitted to it."""
        cut: Iterator[U8] = map(canvas.crop, footage.frames)
        if option(self._options, "pin") == "fade":
            cut = pin_ends(cut, first=first, last=last, count=canvas.contract.frames)
        for frame in cut:
            watch.raise_if_stopping()
            yield to_planes(frame)

    def _make_soundtrack(
        self, footage: Footage, request: VideoRequest, pictures: Pictures, watch: Watch, report: dict[str, Any]
    ) -> Soundtrack:
        frames = request.canvas.frames
        if footage.sound is not None:
            report["sound"] = "of the model"
            return fit_sound(footage.sound, frames)
        if option(self._options, "sound_if_missing") == "silence":
            report["sound"] = "silence"
            return make_silence(frames)
        report["sound"] = "of the embedded engine"
        if LIPS not in report["notes"]:
            report["notes"].append(LIPS)
        return make_missing_sound(request, pictures, watch)


def _make_plain(line: str) -> str:
    """One printable line: callers' prompts may hold anything."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
