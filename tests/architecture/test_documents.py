"""Documents agree with the code: every link, setting, engine and asset they name exists, and none is left out."""

from __future__ import annotations

import re
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest

from support.paths import ROOT
from vivant.assets import checksums, find_damaged
from vivant.cli.engines import write_settings
from vivant.engines.registry import ENGINES
from vivant.settings import Settings, find_engine_settings, name_variable

SETTINGS = [setting.name for setting in fields(Settings) if setting.name != "engine_settings"]
OWN_SETTINGS = {name_variable(engine, setting.name) for engine, setting in find_engine_settings()}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`VIVANT_{name.upper()}`" in (ROOT / "docs/settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_the_page_of_settings_has_the_engine_s_own_as_vivant_engines_settings_prints_them(engine: str) -> None:
    assert "\n".join(write_settings(engine)) in (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def test_no_page_documents_a_setting_that_does_not_exist() -> None:
    known = {f"VIVANT_{name.upper()}" for name in SETTINGS} | {"VIVANT_CONFIG"} | OWN_SETTINGS
    # Of what is refused, and of what others set.
    examples = {"VIVANT_WORKER", "VIVANT_TEST", "VIVANT_PORT", "VIVANT_PORT_8000_TCP"}
    examples |= {"VIVANT_SERVICE_HOST", "VIVANT_SERVICE_PORT"}
    for page in PAGES:
        if page.name == "CHANGELOG.md" or page.parent.name == "decisions":  # they tell of names that are gone
            continue
        named = set(re.findall(r"VIVANT_[A-Z0-9_]*[A-Z0-9]", page.read_text(encoding="utf-8")))
        of_tests = {name for name in named if name.startswith("VIVANT_TEST_")}  # addresses of real servers to test with
        assert named - of_tests <= known | examples, page


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_module_and_package_has_a_line_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## The packages")[2]
    for path in (ROOT / "src/vivant").iterdir():
        if path.suffix == ".py" and not path.name.startswith("__"):
            assert f"`{path.name}`" in text
        elif (path / "__init__.py").exists():
            assert f"`{path.name}/`" in text


def test_every_decision_has_a_number_of_its_own_and_is_in_the_index() -> None:
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    listed = re.findall(
        r"^- \[\d{4}\. .+\]\((.+)\)$", (ROOT / "docs/decisions/README.md").read_text("utf-8"), re.MULTILINE
    )
    assert listed == pages
    assert len({name[:4] for name in pages}) == len(pages)
    for name in pages:
        assert (ROOT / "docs/decisions" / name).read_text(encoding="utf-8").startswith(f"# {name[:4]}. ")


def test_every_engine_is_documented() -> None:
    text = (ROOT / "docs/engines.md").read_text(encoding="utf-8")
    for name in ENGINES:
        assert f"`{name}`" in text


def test_every_test_that_the_page_of_proofs_names_exists_and_every_engine_has_a_row() -> None:
    text = (ROOT / "docs/engines/proofs.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 50
    for path, name in named:
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), f"{path}::{name}"
    for engine in ENGINES.keys() - {"diorama", "testcard"}:
        assert re.search(rf"^\| {engine}\b", text, re.MULTILINE), engine
        assert (ROOT / f"docs/engines/{engine}.md").exists()


def test_every_word_of_the_design_is_in_the_glossary() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").lower()
    for word in (
        "brief", "request", "canvas", "task", "tier", "engine", "storyboard", "timeline", "clip", "worker", "fleet",
        "dispatcher", "artifact", "dialect", "lease", "heartbeat", "claim", "settle", "attempt", "shot", "take",
        "matte", "region", "trust", "nearness", "quarter grid", "texel", "patch", "stem", "bed", "duck",
        "prosody", "viseme", "loss", "share", "turn", "place", "steady clock", "store owner", "sweep", "egress guard",
    ):  # fmt: skip
        assert f"**{word}**" in text, word


def test_the_readme_opens_with_a_picture_and_gives_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("![") < text.index("make demo") < text.index("curl")
    assert "not affiliated" in text
    assert "not a diffusion model" in text


def test_shipped_files_have_their_checksums_sources_and_licences() -> None:
    assert find_damaged() == []
    sources = (ROOT / "src/vivant/assets/SOURCES.md").read_text(encoding="utf-8")
    folder = ROOT / "src/vivant/assets"
    shipped = {
        str(p.relative_to(folder))
        for kind in ("models", "voices", "sound", "photos")
        for p in (folder / kind).iterdir()
    }
    assert shipped == set(checksums())
    table = (folder / "licences/README.md").read_text(encoding="utf-8")
    licensed = re.findall(r"`([^`]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    for name in shipped:
        assert f"`{name}`" in sources
        assert any(fnmatch(name, pattern) for pattern in licensed), f"{name} has no licence"
    for pattern in licensed:
        assert list(folder.glob(pattern)), f"{pattern} is licensed and not there"
    texts = {p.name for p in (folder / "licences").iterdir()} - {"README.md"}
    assert {name for name in texts if name in table} == texts


def test_every_picture_of_the_tests_has_its_licence() -> None:
    photos = ROOT / "tests/photos"
    rows = re.findall(r"^\| (\w+) \|", (photos / "LICENCES.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {p.stem for p in photos.rglob("*.jpg")} == set(rows) - {"file"}


def test_every_decision_is_in_the_index_with_its_title() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {p.name: p.read_text(encoding="utf-8").splitlines()[0] for p in sorted(folder.glob("0*.md"))}
    assert re.findall(r"\[(.+?)\]\((0.+?\.md)\)", index) == [
        (title.removeprefix("# "), name) for name, title in pages.items()
    ]
