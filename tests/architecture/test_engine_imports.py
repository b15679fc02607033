"""Inside the embedded engine, too, imports point one way: from the storyboard over the timeline to frames and sound."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from support.imports import FILES, imported_by, imported_modules
from support.paths import SOURCE

ENGINE: Final = SOURCE / "engines" / "diorama"
PACKAGE: Final = "vivant.engines.diorama."

# What each package may import beside itself. Files in no folder are the centre, which all packages may import and
# which imports only itself; `engine` puts everything together, and `explain` only reads storyboards.
MAY_IMPORT: Final[dict[str, set[str]]] = {
    "centre": set(),
    "explain": {"centre"},
    "explain_picture": {"centre", "scene", "motion.ambient"},
    "script": {"centre"},
    "planner": {"centre", "script"},  # it fills the same storyboard, by the same rules
    "scene": {"centre"},
    "timing": {"centre"},
    "motion.fields": {"centre", "scene", "timing"},
    "motion.frame": {"centre", "scene", "timing", "motion.fields"},
    "motion.faces": {"centre", "scene", "timing", "motion.fields"},
    "motion.ambient": {"centre", "scene", "timing", "motion.fields"},
    "motion.light": {"centre", "scene", "timing", "motion.fields"},
    "motion.subject": {"centre", "scene", "timing", "motion.fields"},
    "motion.warm_up": {
        "centre", "scene", "timing", "motion.fields", "motion.frame", "motion.faces", "motion.subject",
        "motion.ambient", "motion.light",
    },
    "sound": {"centre", "timing", "sound.speech", "sound.music", "sound.effects"},  # the mix
    "sound.speech": {"centre", "timing", "sound"},
    "sound.music": {"centre", "timing", "sound"},
    "sound.effects": {"centre", "timing", "sound"},
    "first_to_last": {
        "centre", "script", "scene", "timing", "motion.fields", "motion.frame", "motion.faces", "motion.ambient",
        "motion.light",
    },
    "engine": {
        "centre", "first_to_last", "explain", "explain_picture", "script", "planner", "scene", "timing",
        "motion.fields", "motion.frame",
        "motion.faces", "motion.subject", "motion.ambient", "motion.light", "motion.warm_up", "sound", "sound.speech",
        "sound.music",
    },
    "soundtrack": {"centre", "script", "scene", "timing", "sound", "sound.speech", "sound.music"},  # for other engines
}  # fmt: skip


def package_of(module: str) -> str:
    """The package of a module of the engine, given by its full name."""
    first, _, rest = module.removeprefix(PACKAGE.rstrip(".")).lstrip(".").partition(".")
    second = rest.partition(".")[0]
    for package in (f"{first}.{second}", first):
        if package in MAY_IMPORT:
            return package
    assert not rest, f"{module} lies in a folder without a rule; add it to MAY_IMPORT"
    return "centre"


def find_broken_rules(module: str, imports: frozenset[str]) -> list[str]:
    here = package_of(module)
    inside = {name for name in imports if name.startswith(PACKAGE)}
    return [name for name in sorted(inside) if package_of(name) not in {here, *MAY_IMPORT[here]}]


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.is_relative_to(ENGINE)], ids=lambda p: str(p.relative_to(ENGINE))
)
def test_a_file_of_the_engine_imports_only_what_its_package_may(path: Path) -> None:
    parts = path.relative_to(ENGINE).with_suffix("").parts
    module = PACKAGE + ".".join(part for part in parts if part != "__init__")
    assert find_broken_rules(module.rstrip("."), imported_modules(path)) == []


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("scene.look", "from vivant.engines.diorama.motion.fields import Field"),
        ("scene.look", "def late():\n    from vivant.engines.diorama.motion import fields"),
        ("script.script", "from vivant.engines.diorama.timing import resolve"),
        ("timing.resolve", "from vivant.engines.diorama.motion.fields import Field"),
        ("timing.resolve", "import vivant.engines.diorama.sound.mix"),
        ("motion.frame.warp", "from vivant.engines.diorama.motion.ambient import rain"),
        ("motion.faces.face", "from vivant.engines.diorama.motion.frame import warp"),
        ("motion.subject.motion", "from vivant.engines.diorama.motion.faces import face"),
        ("motion.ambient.rain", "from vivant.engines.diorama.motion.faces import face"),
        ("motion.ambient.rain", "from vivant.engines.diorama.sound.mix import make_soundtrack"),
        ("sound.mix", "from vivant.engines.diorama.motion.fields import Field"),
        ("sound.music.score", "from vivant.engines.diorama.sound.effects import wind"),
        ("soundtrack", "from vivant.engines.diorama.motion.frame import warp"),
        ("storyboard", "def late():\n    from vivant.engines.diorama.explain import explain"),
    ],
)
def test_a_forbidden_import_is_found_wherever_it_stands(module: str, statement: str) -> None:
    assert find_broken_rules(PACKAGE + module, imported_by(statement))


def test_numba_is_imported_by_kernels_alone() -> None:
    users = {
        p.name for p in FILES if re.search(r"^\s*(import|from) numba", p.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert users == {"kernels.py"}
