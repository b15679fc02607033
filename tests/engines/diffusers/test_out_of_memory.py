"""Memory may run out anywhere in a model: every time it is one error, which says what to lower and ends the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.small_orders import generator_of, make_order
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.errors import EngineFailed, Misconfigured, OutOfMemory
from vivant.media import U8

CUDA = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 23.6 GiB"


@contextmanager
def failing(module: Any, error: BaseException) -> Iterator[None]:
    """The module's forward raises."""

    def fail(*given: Any) -> None:
        raise error

    hook = module.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


PLACES = ("text_encoder", "connectors", "transformer", "vae.encoder", "vae.decoder", "audio_vae.decoder", "vocoder")


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_runs_out_the_error_says_what_to_lower(load_tiny: Any, lake: U8, place: str) -> None:
    import torch

    generator = generator_of(load_tiny("ltx2"))
    module = generator._pipeline
    for name in place.split("."):
        module = getattr(module, name)
    deepest = list(module.modules())[-1]
    with failing(deepest, torch.OutOfMemoryError(CUDA)), pytest.raises(OutOfMemory) as failed:
        generator.generate(make_order(lake), NullWatch())
    assert failed.value.recycle and failed.value.code == "OUT_OF_MEMORY" and not failed.value.retryable
    for words in ("25 frames of 64x64", "lower resolution", "MAX_PIXELS=2048", "VIVANT_DIFFUSERS_TILING=on", "=fp8"):
        assert words in str(failed.value), str(failed.value)


def test_the_allocator_of_torch_says_it_in_a_kernel(load_tiny: Any, lake: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def allocate(*args: Any, **named: Any) -> Any:
        raise torch.OutOfMemoryError(CUDA)

    generator = generator_of(load_tiny("ltx2"))
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", allocate)
        with pytest.raises(OutOfMemory):
            generator.generate(make_order(lake), NullWatch())
    generator.generate(make_order(lake), NullWatch())  # not that it were needed: the worker is replaced


def test_main_memory_that_is_really_not_there_is_told_the_same_way(load_tiny: Any, lake: U8) -> None:
    """No double: torch's own allocator is asked for 2^50 bytes."""
    import torch

    generator = generator_of(load_tiny("ltx2"))
    hook = generator._pipeline.vae.decoder.register_forward_pre_hook(
        lambda *given: torch.empty(2**50, dtype=torch.uint8)
    )
    try:
        with pytest.raises(OutOfMemory):
            generator.generate(make_order(lake), NullWatch())
    finally:
        hook.remove()


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("MPS backend out of memory (MPS allocated: 17.9 GB, max allowed: 18.1 GB)"),
        RuntimeError("HIP out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("UR error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        OSError(2, "No such file or directory"),
    ],
    ids=lambda error: str(error)[:20] or type(error).__name__,
)
def test_every_library_s_words_for_it_are_known_and_others_are_not_taken_for_it(
    load_tiny: Any, lake: U8, error: Exception
) -> None:
    generator = generator_of(load_tiny("ltx2"))
    other = "size of tensor" in str(error) or "No such file" in str(error)
    wanted = EngineFailed if other else OutOfMemory
    with failing(generator._pipeline.transformer, error), pytest.raises(EngineFailed) as failed:
        generator.generate(make_order(lake), NullWatch())
    assert type(failed.value) is wanted


def test_an_error_that_another_one_wraps_is_found(load_tiny: Any) -> None:
    import torch

    from vivant.engines.diffusers.out_of_memory import is_out_of_memory

    load_tiny("ltx2")
    try:
        try:
            raise torch.OutOfMemoryError(CUDA)
        except RuntimeError as inner:
            raise ValueError("could not decode") from inner
    except ValueError as outer:
        assert is_out_of_memory(outer)
    assert not is_out_of_memory(ValueError("could not decode")) and not is_out_of_memory(None)


def test_the_next_placement_is_advised_where_there_is_one(load_tiny: Any) -> None:
    load_tiny("ltx2")
    from vivant.engines.diffusers.memory import MemoryPlan, Offload, Precision
    from vivant.engines.diffusers.out_of_memory import explain

    def advise(placement: Offload, card: int) -> str:
        plan = MemoryPlan(placement=placement, precision=Precision.FULL, tiling=False, card=card, ram=1)
        return str(explain(plan, width=64, height=64, frames=97, peak=0))

    assert "MEMORY=model" in advise(Offload.RESIDENT, 1) and "MEMORY=sequential" in advise(Offload.GROUP, 1)
    assert "MEMORY=" not in advise(Offload.RESIDENT, 0)  # a CPU has nowhere to move weights to


def test_advice_does_not_repeat_what_is_set_already(load_tiny: Any) -> None:
    load_tiny("ltx2")
    from vivant.engines.diffusers.memory import MemoryPlan, Offload, Precision
    from vivant.engines.diffusers.out_of_memory import explain

    plan = MemoryPlan(placement=Offload.SEQUENTIAL, precision=Precision.FP8, tiling=True, card=1, ram=1)
    told = str(explain(plan, width=64, height=64, frames=97, peak=0))
    assert "MAX_PIXELS" in told and not any(words in told for words in ("TILING=", "MEMORY=", "QUANTISE="))


def test_a_clip_that_does_not_fit_is_found_at_the_start_if_it_is_warmed_up(
    tiny_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def allocate(*args: Any, **named: Any) -> Any:
        raise torch.OutOfMemoryError(CUDA)

    engine = load_engine("diffusers", tiny_options("ltx2", warm_up="480p"))
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", allocate)
    with pytest.raises(Misconfigured, match=r"WARM_UP: a clip of 480p could not be made.*Memory ran out"):
        engine.setup()


def test_memory_that_runs_out_while_loading_is_told_at_the_start(
    tiny_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from vivant.engines.diffusers import loading

    def place(*given: Any) -> None:
        raise torch.OutOfMemoryError(CUDA)

    engine = load_engine("diffusers", tiny_options("ltx2"))
    monkeypatch.setattr(loading, "place", place)
    with pytest.raises(Misconfigured, match=r"Memory ran out while the model .* was loaded"):
        engine.setup()
