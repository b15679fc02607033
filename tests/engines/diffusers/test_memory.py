"""Where weights wait and how exact they are, chosen from what is free. A pure function: no card, no torch."""

from __future__ import annotations

import pytest

from vivant.engines.diffusers.memory import (
    GIB,
    LargestClip,
    Machine,
    MemoryPlan,
    Offload,
    Precision,
    Weights,
    choose_plan,
)
from vivant.engines.diffusers.weights import known_models
from vivant.errors import Misconfigured

LTX = Weights(transformers={"transformer": 44 * GIB}, others={"text_encoder": 24 * GIB, "vae": 2 * GIB})
WAN = Weights(
    transformers={"transformer": 28 * GIB, "transformer_2": 28 * GIB},
    others={"text_encoder": 11 * GIB, "vae": GIB // 2},
    width=5120,
)
SMALL = Weights(transformers={"transformer": 10 * GIB}, others={"text_encoder": 11 * GIB, "vae": 3 * GIB}, width=3072)
HD = LargestClip(pixels=1280 * 736, frames=121, tokens=16 * 40 * 23)


def machine(card: float, ram: float, **more: bool) -> Machine:
    return Machine(card=int(card * GIB), ram=int(ram * GIB), **more)


@pytest.mark.parametrize(
    ("weights", "card", "ram", "placement", "precision", "tiling"),
    [
        (LTX, 139, 128, Offload.RESIDENT, Precision.FULL, False),
        (LTX, 79, 128, Offload.RESIDENT, Precision.FULL, True),
        (LTX, 70, 128, Offload.MODEL, Precision.FULL, False),
        (LTX, 48, 128, Offload.MODEL, Precision.FULL, False),
        (LTX, 31, 128, Offload.MODEL, Precision.FP8, False),
        (LTX, 31, 80, Offload.MODEL, Precision.FP8, False),
        (LTX, 23, 128, Offload.GROUP, Precision.FULL, False),
        (LTX, 15, 128, Offload.GROUP, Precision.FULL, True),
        (LTX, 7.5, 128, Offload.GROUP, Precision.FULL, True),
        (WAN, 139, 128, Offload.RESIDENT, Precision.FULL, False),
        (WAN, 79, 128, Offload.RESIDENT, Precision.FULL, True),
        (WAN, 60, 128, Offload.MODEL, Precision.FULL, False),
        (WAN, 23, 128, Offload.MODEL, Precision.FP8, False),
        (WAN, 15, 128, Offload.GROUP, Precision.FULL, True),
        (SMALL, 47, 64, Offload.RESIDENT, Precision.FULL, False),
        (SMALL, 31, 64, Offload.RESIDENT, Precision.FULL, True),
        (SMALL, 23, 64, Offload.MODEL, Precision.FULL, False),
        (SMALL, 15, 64, Offload.MODEL, Precision.FULL, True),
    ],
)
def test_the_fastest_exact_plan_that_fits_is_taken(
    weights: Weights, card: float, ram: float, placement: Offload, precision: Precision, tiling: bool
) -> None:
    plan = choose_plan(weights, HD, machine(card, ram))
    assert (plan.placement, plan.precision, plan.tiling) == (placement, precision, tiling), plan.describe()
    assert plan.card <= card * GIB and plan.ram <= ram * GIB


def test_a_card_with_more_memory_never_gets_a_slower_or_coarser_plan() -> None:
    def rank(plan: MemoryPlan) -> tuple[int, int]:
        slowness = {Offload.RESIDENT: 0, Offload.MODEL: 0, Offload.GROUP: 1, Offload.SEQUENTIAL: 2}
        return slowness[plan.placement], list(Precision).index(plan.precision)

    for weights in (LTX, WAN, SMALL):
        ranks = [rank(choose_plan(weights, HD, machine(card, 256))) for card in range(8, 140, 3)]
        assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("card", [6, 8, 12, 16, 24, 32, 48, 80, 141])
@pytest.mark.parametrize("ram", [48, 64, 96, 128, 256])
def test_no_plan_takes_more_than_is_free(card: int, ram: int) -> None:
    for weights in (LTX, WAN, SMALL):
        try:
            plan = choose_plan(weights, HD, machine(card, ram))
        except Misconfigured:
            continue
        assert plan.card <= card * GIB and plan.ram <= ram * GIB


def test_a_model_that_cannot_fit_is_refused_with_what_is_needed_and_what_helps() -> None:
    with pytest.raises(Misconfigured) as refused:
        choose_plan(LTX, HD, machine(16, 16))
    for words in ("16.0 GiB of main memory", "VIVANT_DIFFUSERS_GGUF", "VIVANT_DIFFUSERS_MEMORY", "MAX_PIXELS"):
        assert words in str(refused.value)


def test_a_placement_that_the_operator_names_is_taken_whether_it_fits_or_not() -> None:
    plan = choose_plan(LTX, HD, machine(8, 8), placement=Offload.RESIDENT)
    assert plan.placement is Offload.RESIDENT
    fitting = choose_plan(LTX, HD, machine(60, 128), placement=Offload.GROUP)
    assert (fitting.placement, fitting.precision, fitting.tiling) == (Offload.GROUP, Precision.FULL, False)


def test_what_the_operator_settles_stays_settled() -> None:
    plan = choose_plan(LTX, HD, machine(139, 128), precision=Precision.FP8, tiling=True)
    assert (plan.placement, plan.precision, plan.tiling) == (Offload.RESIDENT, Precision.FP8, True)


def test_where_card_and_main_memory_are_one_nothing_is_moved() -> None:
    plan = choose_plan(SMALL, HD, machine(0, 64, unified=True, fp8=False))
    assert (plan.placement, plan.precision) == (Offload.RESIDENT, Precision.FULL)
    with pytest.raises(Misconfigured, match=r"GiB of memory are needed, 36.0 GiB of memory are free"):
        choose_plan(LTX, HD, machine(0, 36, unified=True, fp8=False))


def test_weights_of_a_gguf_file_are_taken_as_they_are() -> None:
    quantised = Weights(transformers={"transformer": 13 * GIB}, others=LTX.others, gguf=True)
    plan = choose_plan(quantised, HD, machine(31, 64))
    assert (plan.placement, plan.precision) == (Offload.MODEL, Precision.GGUF)


def test_eight_bits_are_not_chosen_where_the_device_has_none() -> None:
    assert choose_plan(LTX, HD, machine(31, 128, fp8=False)).placement is Offload.GROUP


def test_a_larger_clip_takes_a_slower_plan() -> None:
    long = LargestClip(pixels=1920 * 1088, frames=289, tokens=37 * 60 * 34)
    short, larger = (choose_plan(LTX, clip, machine(48, 128)) for clip in (HD, long))
    assert short.placement is Offload.MODEL and not short.tiling
    assert larger.tiling or larger.placement is not Offload.MODEL


@pytest.mark.parametrize("name", list(known_models()))
def test_every_known_model_fits_on_the_card_that_the_table_calls_resident(name: str) -> None:
    """The table of models and this estimate must not contradict each other."""
    model = known_models()[name]
    weights = Weights(
        transformers={"transformer": model.transformers_bytes}, others={"text_encoder": model.others_bytes}
    )
    plan = choose_plan(weights, HD, machine(model.resident_gib, 256))
    assert plan.precision is Precision.FULL and plan.placement in (Offload.RESIDENT, Offload.MODEL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"transformers": {}, "others": {}},
        {"transformers": {"transformer": -1}, "others": {}},
        {"transformers": {"transformer": 1}, "others": {"vae": -1}},
    ],
)
def test_weights_that_cannot_be_cannot_be_built(wrong: dict[str, dict[str, int]]) -> None:
    with pytest.raises(ValueError, match="A model has a transformer"):
        Weights(**wrong)  # type: ignore[arg-type]
