"""Settings: flag > environment > TOML > default."""

from __future__ import annotations

from pathlib import Path

import pytest

from vivant.errors import Misconfigured
from vivant.settings import load_settings


def test_flags_win_over_the_environment_and_that_over_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vivant.toml").write_text('workers = 2\nengine = "testcard"\nlink_seconds = 600\n')
    monkeypatch.setenv("VIVANT_CONFIG", str(tmp_path / "vivant.toml"))
    monkeypatch.setenv("VIVANT_WORKERS", "3")
    monkeypatch.setenv("VIVANT_LINK_SECONDS", "700")
    settings = load_settings(link_seconds=800)
    assert (settings.engine, settings.workers, settings.link_seconds) == ("testcard", 3, 800)


def test_a_wrong_value_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_WORKERS", "none")
    with pytest.raises(Misconfigured, match="VIVANT_WORKERS"):
        load_settings()


def test_a_named_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIVANT_CONFIG", str(tmp_path / "no.toml"))
    with pytest.raises(Misconfigured, match=r"no\.toml"):
        load_settings()


def test_record_and_files_live_under_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/vivant.db"
    assert settings.storage == f"file://{tmp_path}/files"


def test_the_allow_list_is_split_at_commas(tmp_path: Path) -> None:
    assert load_settings(egress_allow=" minio.local, 10.0.0.0/8 ,").egress_allowed == ("minio.local", "10.0.0.0/8")
