"""What `vivant engines check diffusers` looks at: the model's folder, its licence, the packages, the card, and whether
the model fits. Nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from vivant.engines.diffusers.card import make_card
from vivant.engines.diffusers.memory import GIB
from vivant.engines.diffusers.model_folder import read_model_folder
from vivant.engines.diffusers.weights import locate, read_receipt
from vivant.errors import Misconfigured

PACKAGES: Final = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "ftfy", "gguf")


def check(options: Mapping[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """(passed, what was looked at, what to do or to know), in an order in which a later one needs the earlier."""
    try:
        card = make_card(options)
    except Misconfigured as error:
        yield False, "Model", str(error)
        return
    path, _ = locate(options["model"], options["models"])
    yield True, f"Model {card.model} in {path}", card.title
    receipt = read_receipt(path)
    pinned = f"revision {receipt.revision}" if receipt else "put here by hand: no revision is known"
    accept = f"run `vivant models pull {card.model}` and accept it" if not card.accepted else pinned
    yield card.accepted, f"Licence: {card.licence or 'not known here'}", accept
    missing = [package for package in PACKAGES if not _version(package)]
    told = ", ".join(f"{package} {_version(package) or 'missing'}" for package in PACKAGES)
    yield not missing, f"Packages: {told}", "docs/engines/diffusers.md says how to install them" if missing else ""
    if not missing:
        yield from _check_memory(options, path)


def _check_memory(options: Mapping[str, Any], path: Path) -> Iterator[tuple[bool, str, str]]:
    from vivant.engines.diffusers.device import find_device
    from vivant.engines.diffusers.planning import plan_memory

    given = tuple(name for name, key in (("transformer", "gguf"), ("transformer_2", "gguf_2")) if options[key])
    try:
        device = find_device(options["device"], int(options.get("worker", 0)))
        free = device.measure()
        card = f"{device.name}, {free.card / GIB:.1f} GiB free; main memory" if device.can_offload else device.name
        yield True, f"Device: {card}, {free.ram / GIB:.1f} GiB free", ""
        folder = read_model_folder(path, recipe=options["recipe"], given=given)
        plan = plan_memory(folder, options, device, device.choose_dtype(options["dtype"]))
    except Misconfigured as error:
        yield False, "Memory", str(error)
        return
    wanted = f"{options['plan_seconds']} s of {options['plan_for']}"
    yield True, f"Memory for {wanted}: {plan.describe()}", "by an estimate; VIVANT_DIFFUSERS_WARM_UP tries it"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
