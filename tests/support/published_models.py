"""The request models of real servers, out of their published packages, where those are at hand: installed, or unpacked
below the folder that VIVANT_TEST_WHEELS names. Only the one file that has the models is run; it is never copied here.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@contextmanager
def published_models(package: str, file: str, stand_ins: Mapping[str, Mapping[str, Any]]) -> Iterator[ModuleType]:
    """The module at `file` inside `package`. stand_ins: what its heavy imports must give. Skips the test if absent."""
    path = _find(package) / file
    if not path.is_file():
        pytest.skip(f"{package} is not installed, and not below VIVANT_TEST_WHEELS")
    spec = importlib.util.spec_from_file_location(f"published_{package}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = dict(sys.modules)
    for name, values in stand_ins.items():
        stand_in = ModuleType(name)
        vars(stand_in).update(values)
        sys.modules[name] = stand_in
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        for name in (*stand_ins, spec.name):
            sys.modules.pop(name, None)
        sys.modules.update({name: before[name] for name in stand_ins if name in before})


def _find(package: str) -> Path:
    folder = os.environ.get("VIVANT_TEST_WHEELS", "")
    found = importlib.util.find_spec(package)
    if found is not None and found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations)))
    inside = sorted(Path(folder).glob(f"*/{package}")) if folder else []
    return inside[0] if inside else Path(folder or os.devnull) / package
