"""A job that is told to stop ends inside a step, wherever the model is, and the pipeline makes the next clip."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from support.small_orders import generator_of, make_order
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.errors import Stopped
from vivant.media import U8

KINDS = ("ltx2", "wan-a14b", "wan-5b")


def frames_of(generator: Any, order: Any) -> Any:
    return np.stack(list(generator.generate(order, NullWatch()).frames))


@pytest.mark.parametrize("kind", KINDS)
def test_it_stops_at_any_check_and_the_next_clip_is_as_if_nothing_had_been(
    load_tiny: Any, lake: U8, falls: U8, kind: str
) -> None:
    generator = generator_of(load_tiny(kind))
    order = make_order(lake, None if kind == "wan-5b" else falls)
    wanted = frames_of(generator, order)
    counting = RecordingWatch()
    generator.generate(order, counting)
    for stop_at in sorted({1, 2, counting.checks // 4, counting.checks // 2, counting.checks - 1, counting.checks}):
        watch = RecordingWatch(stop_at)
        with pytest.raises(Stopped):
            generator.generate(order, watch)
        assert watch.checks == stop_at, "it went on after it was told to stop"
    assert np.array_equal(frames_of(generator, order), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_the_watch_is_asked_before_every_block_of_every_step(load_tiny: Any, lake: U8, kind: str) -> None:
    watch = RecordingWatch()
    generator = generator_of(load_tiny(kind))
    generator.generate(make_order(lake), watch)
    steps = generator.facts()["steps"]
    assert watch.checks > 1 + steps * (1 + 2)  # two blocks a pass, once a step; more in text encoder and decoder


def test_it_stops_while_frames_are_decoded(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("ltx2"))
    decoding: list[int] = []
    watch = RecordingWatch()
    hook = generator._pipeline.vae.decoder.register_forward_pre_hook(lambda *given: decoding.append(watch.checks))
    try:
        generator.generate(make_order(lake), watch)
        stopping = RecordingWatch(decoding[0] + 1)
        with pytest.raises(Stopped):
            generator.generate(make_order(lake), stopping)
    finally:
        hook.remove()
    assert len(decoding) == 2 and watch.checks > decoding[0]


def test_it_stops_between_two_frames_that_become_bytes(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("ltx2"))
    watch = RecordingWatch()
    decoded: list[int] = []
    hook = generator._pipeline.vae.decoder.register_forward_hook(lambda *given: decoded.append(watch.checks))
    try:
        generator.generate(make_order(lake), watch)
    finally:
        hook.remove()
    assert watch.checks >= decoded[0] + 25  # once a frame; more in the sound's decoder
    with pytest.raises(Stopped):
        generator.generate(make_order(lake), RecordingWatch(decoded[0] + 10))


def test_a_long_step_does_not_outlast_the_order_to_stop(load_tiny: Any, lake: U8) -> None:
    """Each block takes a while here, and a step has two for each of two experts: it must stop between them."""
    generator = generator_of(load_tiny("ltx2"))
    pause = 0.4
    started: list[float] = []

    class Watch(NullWatch):
        def raise_if_stopping(self) -> None:
            if started and time.monotonic() > started[0] + 0.1:
                raise Stopped

    def slow(module: Any, inputs: Any) -> None:
        started.append(time.monotonic())
        time.sleep(pause)

    hooks = [block.register_forward_hook(lambda m, i, o: slow(m, i)) for block in
             generator._pipeline.transformer.transformer_blocks]  # fmt: skip
    try:
        with pytest.raises(Stopped):
            generator.generate(make_order(lake), Watch())
    finally:
        for hook in hooks:
            hook.remove()
    assert len(started) == 1, "the second block was begun"


def test_a_stopped_clip_leaves_nothing_in_a_cache(load_tiny: Any, lake: U8) -> None:
    generator = generator_of(load_tiny("wan-a14b", cache="first-block", steps=12))
    wanted = frames_of(generator, make_order(lake))
    with pytest.raises(Stopped):
        generator.generate(make_order(lake, seed=99), RecordingWatch(30))
    assert np.array_equal(frames_of(generator, make_order(lake)), wanted)


def test_parts_of_a_stopped_clip_are_put_away_before_the_next_one_and_not_while_it_must_end(
    load_tiny: Any, lake: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying a large model back to main memory takes longer than the two seconds that a job has to end."""
    generator = generator_of(load_tiny("ltx2"))
    generator.generate(make_order(lake), NullWatch())
    put_away: list[str] = []
    watch = RecordingWatch(5)
    real = generator._pipeline.maybe_free_model_hooks

    def record() -> None:
        put_away.append("stopped" if watch.stopped else "running")
        real()

    monkeypatch.setattr(generator._pipeline, "maybe_free_model_hooks", record)
    with pytest.raises(Stopped):
        generator.generate(make_order(lake), watch)
    assert put_away == []
    generator.generate(make_order(lake), NullWatch())
    assert len(put_away) == 2  # before the next one, and by diffusers at its end
    generator.generate(make_order(lake), NullWatch())
    assert len(put_away) == 3


def test_on_a_card_a_block_waits_until_the_one_before_the_last_is_done(
    load_tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program runs ahead of its card: without that a whole step would be queued before the watch is asked. The card
    is a double here: events are written down."""
    import torch

    from vivant.engines.diffusers.checkpoints import Checkpoints

    load_tiny("ltx2")
    told: list[str] = []

    class EventDouble:
        made = 0

        def __init__(self, device: Any) -> None:
            EventDouble.made += 1
            self.number = EventDouble.made

        def record(self) -> None:
            told.append(f"record {self.number}")

        def synchronize(self) -> None:
            told.append(f"wait for {self.number}")

    monkeypatch.setattr(torch, "Event", EventDouble)

    class Pipeline:
        def __init__(self) -> None:
            self.block = torch.nn.Identity()
            self.components = {"transformer": torch.nn.ModuleDict({"blocks": torch.nn.ModuleList([self.block])})}

    pipeline = Pipeline()
    checkpoints = Checkpoints(pipeline, torch.device("cuda"))
    assert checkpoints.count == 1
    with checkpoints.watching(RecordingWatch()):
        for _ in range(3):
            pipeline.block(torch.zeros(1))
    assert told == ["record 1", "record 2", "wait for 1", "record 3", "wait for 2"]
