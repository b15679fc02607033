"""Imports point inward, and importing Vivant loads no engine."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.imports import FILES, MODULES, imported_modules
from support.paths import ROOT, SOURCE

# A package may import packages of its own layer and of lower ones. Engines see the domain and themselves.
LAYERS = {
    "errors": 0, "request": 0, "media": 0, "task": 0, "clock": 0, "timings": 0,
    "addresses": 0, "printable": 0, "setting_kinds": 0, "private_files": 0, "background_stream": 0, "memory": 0,
    "hardware": 0,
    "blocking": 1, "shares": 1, "shutdown": 1, "turns": 1, "logs": 1,
    "assets": 1, "engines": 1,
    "encode": 2, "storage": 2, "record": 2, "intake": 2,
    "engine_choice": 2,
    "generate": 3, "settings": 3,
    "service": 4, "dispatch": 4,
    "api": 5,
    "cli": 6, "__main__": 7,
}  # fmt: skip


def package_of(path: Path) -> str:
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_inward(path: Path) -> None:
    here = package_of(path)
    if here == "__init__":
        return
    for name in imported_modules(path):
        there = name.split(".")[1]
        assert LAYERS[there] <= LAYERS[here], (
            f"{path.relative_to(SOURCE)} ({here}) imports {name} ({there}), which is further out"
        )


def test_every_package_has_a_layer() -> None:
    packages = {package_of(path) for path in FILES} - {"__init__"}
    assert packages == set(LAYERS)


def test_engines_import_only_the_domain_and_themselves() -> None:
    for path in SOURCE.joinpath("engines").rglob("*.py"):
        for name in imported_modules(path):
            there = name.partition(".")[2].partition(".")[0]
            assert there in {"addresses", "errors", "request", "media", "assets", "setting_kinds", "engines"}, (
                f"{path} imports {name}"
            )
            own = path.relative_to(SOURCE / "engines").with_suffix("").parts[0]
            if there == "engines":
                shared = (["base"], ["card"], ["chat"], ["generated"])  # of all engines, or of those that generate
                if own == "generated" and name == "vivant.engines.diorama.soundtrack":
                    continue  # sound for silent models: the one module of the embedded engine that others may use
                assert name.split(".")[2:3] in (*shared, [own]), f"{path} imports another engine: {name}"


def test_modules_are_loaded_by_their_name_in_two_places_only() -> None:
    users = {path.name for path in FILES if re.search(r"import_module|__import__", path.read_text(encoding="utf-8"))}
    assert users == {"registry.py", "doctor.py"}  # no other import can hide from these tests


def test_all_sql_lives_in_the_record() -> None:
    for path in FILES:
        if package_of(path) != "record":
            assert "sqlalchemy" not in path.read_text(encoding="utf-8"), f"{path} knows the database"


def test_importing_vivant_and_its_command_line_loads_no_engine() -> None:
    code = """
import sys, vivant, vivant.cli
heavy = {"cv2", "numba", "onnxruntime", "av", "numpy"}
print(*(m for m in sys.modules if m.split(".")[0] in heavy or m.startswith("vivant.engines.")))
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_file_opens_by_saying_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_file_is_named_utils_or_the_like() -> None:
    assert not [p for p in FILES if p.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: imported_modules(path) - {name, "vivant"} for name, path in MODULES.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"an import circle: {' -> '.join(error.args[1])}")


def test_tests_lie_in_folders_named_as_the_source_s() -> None:
    own = {"architecture", "domain", "e2e", "photos", "service", "support"}  # what has no folder in the source
    for test in (ROOT / "tests").rglob("test_*.py"):
        folder = test.parent.relative_to(ROOT / "tests")
        assert folder.parts[0] in own or (SOURCE / folder).is_dir(), f"{folder} is no folder of the source"
