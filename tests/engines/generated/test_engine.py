"""What an engine makes of a generator: exact ends, sound where it is missing, notes and a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support.clips import photo
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch, Watch
from vivant.engines.card import Card, Sound
from vivant.engines.generated.engine import LIPS, GeneratingEngine
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order, probe_order
from vivant.errors import EngineCannot
from vivant.media import F32, U8, Clip, Pictures, fit, to_planes
from vivant.request import Brief, VideoRequest

LAKE = photo("mountain_lake")


class GreyGeneratorSimulation:
    """Makes grey frames, with the sound that it is given."""

    name, version = "grey", "1"

    def __init__(self, sound: F32 | None = None) -> None:
        self.sound = sound
        self.orders: list[Order] = []
        self.probed = 0

    def setup(self) -> None: ...

    def facts(self) -> dict[str, Any]:
        return {"model": "grey-1", "revision": "abc"}

    def probe(self, watch: Watch) -> None:
        self.probed += 1

    def generate(self, order: Order, watch: Watch) -> Footage:
        self.orders.append(order)
        grey = np.full((order.canvas.height, order.canvas.width, 3), 120, np.uint8)
        frames: Iterator[U8] = (grey for _ in range(order.frames))
        return Footage(frames, self.sound, {"peak_memory_mb": 5})


def an_engine(
    generator: GreyGeneratorSimulation, sound: Sound = Sound.JOINT, *, last: bool = True, **options: Any
) -> GeneratingEngine:
    card = Card(engine="grey", title="grey", sound=sound, last_frame=last, why_no_last_frame="take another")
    return GeneratingEngine(generator, options, card)


def a_request(**fields: Any) -> VideoRequest:
    brief = Brief(**{"prompt": "wind over a lake", "resolution": "480p", "seconds": 4, "seed": 7, **fields})
    return brief.resolve(LAKE.shape[1], LAKE.shape[0], has_last_frame=False)


def render(engine: GeneratingEngine, request: VideoRequest, watch: Watch | None = None) -> tuple[Clip, dict[str, Any]]:
    watch = watch or NullWatch()
    board = engine.plan(request, Pictures(LAKE), watch)
    return engine.render(board, Pictures(LAKE), watch), board.to_data()


def report_of(clip: Clip) -> dict[str, Any]:
    for _ in clip.frames:
        pass
    if clip.soundtrack:
        clip.soundtrack()
    assert clip.report is not None
    return dict(clip.report())


def test_the_result_says_which_model_made_it_what_it_took_and_what_was_adapted() -> None:
    clip, board = render(an_engine(GreyGeneratorSimulation(), max_pixels=200_000), a_request())
    report = report_of(clip)
    assert (report["engine"], report["model"], report["revision"], report["peak_memory_mb"]) == (
        "grey",
        "grey-1",
        "abc",
        5,
    )
    assert report["generation_seconds"] >= 0
    width, height = report["generated_size"]
    assert width * height <= 200_000 and width % 32 == height % 32 == 0
    assert any(
        f"The model makes {width}x{height}; every frame is brought to 864x496." == note for note in report["notes"]
    )
    assert board["notes"] == report["notes"][: len(board["notes"])]


def test_a_generator_gets_the_picture_padded_and_everything_else_as_it_was_asked() -> None:
    generator = GreyGeneratorSimulation()
    render(an_engine(generator), a_request(prompt="  as it is  ", generate_audio=False))
    (order,) = generator.orders
    assert (order.prompt, order.seed, order.seconds, order.frames) == ("  as it is  ", 7, 4, 97)
    assert order.first.shape == (order.canvas.height, order.canvas.width, 3) and order.last is None
    assert not order.audio


def test_the_sound_of_the_model_is_kept() -> None:
    tone = np.full((2, 48_000), 0.25, np.float32)
    clip, _ = render(an_engine(GreyGeneratorSimulation(tone)), a_request())
    assert clip.soundtrack is not None
    assert clip.soundtrack().samples[0, 1000] == pytest.approx(0.25)
    assert report_of(clip)["sound"] == "of the model"


def test_missing_sound_is_the_embedded_engine_s_or_silence_and_a_note_says_that_lips_cannot_follow() -> None:
    clip, board = render(an_engine(GreyGeneratorSimulation(), Sound.ADDED), a_request())
    assert LIPS in board["notes"] and clip.soundtrack is not None
    assert np.abs(clip.soundtrack().samples).max() > 0.01
    clip, board = render(an_engine(GreyGeneratorSimulation(), Sound.NONE, sound_if_missing="silence"), a_request())
    assert any("silent" in note for note in board["notes"]) and clip.soundtrack is not None
    assert not clip.soundtrack().samples.any()
    clip, _ = render(an_engine(GreyGeneratorSimulation()), a_request())  # a model that should have made some
    report = report_of(clip)
    assert report["sound"] == "of the embedded engine" and LIPS in report["notes"]


def test_a_clip_without_sound_drops_what_the_model_made() -> None:
    clip, _ = render(an_engine(GreyGeneratorSimulation(np.ones((2, 10), np.float32))), a_request(generate_audio=False))
    assert clip.soundtrack is None


def test_the_first_frame_is_the_picture_unless_the_operator_wants_the_model_s() -> None:
    wanted = to_planes(fit(LAKE, 864, 496)).y
    clip, _ = render(an_engine(GreyGeneratorSimulation()), a_request())
    assert np.array_equal(next(clip.frames).y, wanted)
    clip, _ = render(an_engine(GreyGeneratorSimulation(), pin="off"), a_request())
    assert np.ptp(next(clip.frames).y) <= 1


def test_what_the_card_says_cannot_be_done_is_refused_before_anything_is_made() -> None:
    request = Brief(prompt="a", seed=1).resolve(400, 400, has_last_frame=True)
    with pytest.raises(EngineCannot, match="cannot end on a last picture; take another"):
        an_engine(GreyGeneratorSimulation(), last=False).plan(request, Pictures(LAKE, LAKE), NullWatch())


def test_a_probe_is_left_out_where_the_operator_wants_that() -> None:
    generator = GreyGeneratorSimulation()
    an_engine(generator).probe(NullWatch())
    an_engine(generator, probe=False).probe(NullWatch())
    assert generator.probed == 1


def test_the_watch_is_asked_at_every_frame() -> None:
    watch = RecordingWatch()
    clip, _ = render(an_engine(GreyGeneratorSimulation()), a_request(generate_audio=False), watch)
    assert sum(1 for _ in clip.frames) == 97 <= watch.checks


def test_equal_orders_have_equal_digests_and_others_have_others() -> None:
    first, again = probe_order(grid=32), probe_order(grid=32)
    assert first.digest == again.digest != probe_order(grid=32, seconds=2).digest
