"""Fetching models: only what holds no program, every hash checked, resumed, and refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.doubles.hub import COMMIT, HubDouble
from vivant.engines.diffusers.hub import PullFailed, RemoteFile, fetch, list_files
from vivant.engines.diffusers.weights import KnownModel, known_models, read_receipt

pytest.importorskip("huggingface_hub")

WEIGHTS = bytes(range(256)) * 100_000  # 25.6 MB: huggingface_hub goes on from whole pieces of 10 MiB
FILES = {
    "model_index.json": b"{}",
    "transformer/diffusion_pytorch_model.safetensors": WEIGHTS,
    "transformer/config.json": b'{"a": 1}',
    "transformer/diffusion_pytorch_model.bin": b"a pickle",
    "pipeline.py": b"import os",
    "extra/large.safetensors": b"not wanted",
}
LARGE = frozenset({"transformer/diffusion_pytorch_model.safetensors"})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubDouble]:
    with HubDouble(FILES, large=LARGE) as double:
        monkeypatch.setenv("HF_ENDPOINT", double.url)
        monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        # The engine, whose tests may run in the same process, switches fetching off for good.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield double


def a_model(**changes: object) -> KnownModel:
    return replace(known_models()["wan-2.2-5b"], exclude=("extra/*",), **changes)  # type: ignore[arg-type]


def test_only_weights_settings_and_words_are_fetched_and_the_receipt_names_commit_and_hashes(
    hub: HubDouble, tmp_path: Path
) -> None:
    listing = list_files(a_model())
    assert listing.revision == COMMIT
    assert {file.path for file in listing.files} == set(FILES) - {
        "transformer/diffusion_pytorch_model.bin", "pipeline.py", "extra/large.safetensors",
    }  # fmt: skip
    seen: list[float] = []
    receipt = fetch(a_model(), listing, tmp_path / "m", accepted=True, report=lambda done, path: seen.append(done))
    assert (tmp_path / "m/transformer/diffusion_pytorch_model.safetensors").read_bytes() == WEIGHTS
    assert (receipt.revision, receipt.accepted) == (COMMIT, True) and len(receipt.files) == 3
    assert read_receipt(tmp_path / "m") == receipt
    assert seen == sorted(seen) and seen[-1] == 1.0
    there = {str(p.relative_to(tmp_path / "m")) for p in (tmp_path / "m").rglob("*") if p.is_file()}
    assert there == {*receipt.files, "vivant-model.json"}


def test_a_pull_that_was_cut_off_goes_on_where_it_was(hub: HubDouble, tmp_path: Path) -> None:
    listing = list_files(a_model())
    hub.cut_after = 15_000_000
    try:
        fetch(a_model(), listing, tmp_path / "m", accepted=True)
    except PullFailed:
        assert read_receipt(tmp_path / "m") is None
        fetch(a_model(), listing, tmp_path / "m", accepted=True)
    assert (tmp_path / "m/transformer/diffusion_pytorch_model.safetensors").read_bytes() == WEIGHTS
    (name,) = LARGE
    assert hub.sent[name] <= len(WEIGHTS) + 5_000_000 and hub.ranges


def test_what_is_there_and_whole_is_not_fetched_again(hub: HubDouble, tmp_path: Path) -> None:
    listing = list_files(a_model())
    fetch(a_model(), listing, tmp_path / "m", accepted=True)
    hub.sent.clear()
    (tmp_path / "m/model_index.json").write_bytes(b"[]")  # damaged: the same size, another hash
    fetch(a_model(), listing, tmp_path / "m", accepted=True)
    assert set(hub.sent) == {"model_index.json"}


def test_a_file_with_another_hash_than_stated_is_deleted_and_refused(hub: HubDouble, tmp_path: Path) -> None:
    (name,) = LARGE
    hub.served[name] = WEIGHTS[:-1] + b"x"
    with pytest.raises(PullFailed, match="does not have the hash"):
        fetch(a_model(), list_files(a_model()), tmp_path / "m", accepted=True)
    assert not (tmp_path / "m" / name).exists() and read_receipt(tmp_path / "m") is None


def test_a_model_that_asks_who_fetches_says_what_to_do(hub: HubDouble) -> None:
    hub.gated = True
    with pytest.raises(PullFailed, match="HF_TOKEN"):
        list_files(a_model())


def test_a_revision_that_there_is_not_and_a_hub_that_is_down_are_told(
    hub: HubDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PullFailed, match="no such revision"):
        list_files(a_model(), revision="b" * 40)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PullFailed, match="could not be reached"):
        list_files(a_model())


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = list_files(a_model())
    monkeypatch.setattr("vivant.engines.diffusers.hub.shutil.disk_usage", lambda path: SimpleNamespace(free=10**6))
    with pytest.raises(PullFailed, match="must stay free"):
        fetch(a_model(), listing, tmp_path / "m", accepted=True)
    assert not hub.sent


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.json", "a/../../b.json", "", "a\\b.json"])
def test_a_path_that_leads_out_of_the_folder_cannot_be_listed(path: str) -> None:
    with pytest.raises(ValueError, match="relative path"):
        RemoteFile(path, 1, "a" * 64, "")
