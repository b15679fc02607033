"""Settings: flag > environment > TOML > default; wrong values and unknown names are refused before anything starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vivant.errors import Misconfigured
from vivant.settings import Settings, load_settings


def serve(data: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`vivant serve`, which these tests expect to be refused."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("VIVANT_")}
    return subprocess.run(
        [sys.executable, "-m", "vivant", "serve", "--port", "0", *options],
        capture_output=True, text=True, timeout=60, check=False,
        env={**surroundings, "VIVANT_DATA": str(data), **environment},
    )  # fmt: skip


def test_flags_win_over_the_environment_and_that_over_toml(tmp_path: Path) -> None:
    file = tmp_path / "vivant.toml"
    file.write_text('workers = 2\nengines = "testcard"\nlink_seconds = 600\nretention_days = 1\n')
    environment = {"VIVANT_CONFIG": str(file), "VIVANT_WORKERS": "3", "VIVANT_LINK_SECONDS": "700"}
    settings = load_settings(environment, link_seconds=800)
    assert (settings.engines, settings.workers, settings.link_seconds) == (("testcard",), 3, 800)
    assert settings.retention_days == 1


def test_an_empty_variable_counts_as_not_given(tmp_path: Path) -> None:
    assert load_settings({"VIVANT_WORKERS": "", "VIVANT_DATA": " ", "VIVANT_CONFIG": ""}) == Settings()


def test_record_and_files_live_under_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings({}, data=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/vivant.db"
    assert settings.storage == f"file://{tmp_path}/files"


def test_the_allow_list_is_split_at_commas() -> None:
    assert Settings(egress_allow=" minio.local, 10.0.0.0/8 ,").egress_allowed == ("minio.local", "10.0.0.0/8")


@pytest.mark.parametrize("address", ["https://video.example.com/vivant", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_an_address_with_or_without_a_path_is_a_public_url(address: str) -> None:
    assert Settings(public_url=address).public_url == address


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("VIVANT_DATA", "/dev/null/vivant", "must be the path of a folder, and /dev/null is a file"),
        ("VIVANT_DATABASE_URL", "postgresql://db/vivant", "VIVANT_DATABASE_URL must name an SQLite file"),
        ("VIVANT_STORAGE_URL", "files", "must be the URL of a folder or an object store"),
        ("VIVANT_ENGINES", "sora", "There is no engine 'sora'. Set VIVANT_ENGINES to some of: "),
        ("VIVANT_WORKERS", "many", "VIVANT_WORKERS must be a whole number from 1 to 64; it is 'many'."),
        ("VIVANT_PUBLIC_URL", "video.example.com", "must be an address such as https://video.example.com"),
        ("VIVANT_EGRESS_ALLOW", "http://store/", "neither a host, host:port, an address nor a CIDR network"),
        ("VIVANT_LINK_SECONDS", "59", "VIVANT_LINK_SECONDS must be a whole number from 60 to 604800; it is '59'."),
        ("VIVANT_RETENTION_DAYS", "-1", "VIVANT_RETENTION_DAYS must be a number of days from 0 to 36500; it is '-1'."),
        (
            "VIVANT_DIORAMA_DEPTH_MODEL",
            "/nowhere/depth.onnx",
            "VIVANT_DIORAMA_DEPTH_MODEL must be the path of a file that can be read",
        ),
        ("VIVANT_LOG_FORMAT", "xml", "VIVANT_LOG_FORMAT must be console or json; it is 'xml'."),
        ("VIVANT_CONFIG", "/nowhere/vivant.toml", "VIVANT_CONFIG names /nowhere/vivant.toml, which cannot be read"),
        ("VIVANT_WORKER", "2", "VIVANT_WORKER is not a setting; did you mean VIVANT_WORKERS?"),
        ("vivant_engine", "testcard", "vivant_engine is not a setting; did you mean VIVANT_ENGINES?"),
        ("VIVANT_COLOUR", "red", "VIVANT_COLOUR is not a setting; the settings are VIVANT_DATA, VIVANT_DATABASE_URL, "),
    ],
)
def test_the_command_line_refuses_it_in_words_before_anything_starts(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    ended = serve(tmp_path, **{name: value})
    assert ended.returncode == 1 and ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("vivant: ") and says in line and name in line
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    ended = serve(Path("/tmp"), "--data", "/dev/null")
    assert (
        ended.returncode == 1
        and "--data must be the path of a folder, and /dev/null is a file; it is '/dev/null'." in ended.stderr
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("worker = 2", "worker in FILE is not a setting; did you mean workers?"),
        ("config = 'other.toml'", "config in FILE is not a setting"),
        ("workers = '2 and a half'", "workers in FILE must be a whole number from 1 to 64; it is '2 and a half'."),
        ("workers = true", "workers in FILE must be a whole number"),
        ("workers = 2.0", "workers in FILE must be a whole number"),
        ("engines = 3", "engines in FILE must be names separated by commas; it is 3."),
        ("[diorama]\ndepth_model = 3", "diorama.depth_model in FILE must be text; it is 3."),
        ("[diorama]\ndepth = 3", "diorama.depth in FILE is not a setting; did you mean diorama.depth_model?"),
        ("retention_days = nan", "retention_days in FILE must be a number of days"),
        ("retention_days = 1" + "0" * 400, "retention_days in FILE must be a number of days"),
        ("[workers]\nall = 2", "workers in FILE must be a whole number"),
        ("workers", "VIVANT_CONFIG names FILE, which is not TOML: "),
    ],
)
def test_the_file_is_checked_as_the_environment_is(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "vivant.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured) as refused:
        load_settings({"VIVANT_CONFIG": str(file)})
    assert says.replace("FILE", str(file)) in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [{"workers": 0}, {"workers": 65}, {"workers": True}, {"link_seconds": 604_801}, {"link_seconds": 60.5},
     {"retention_days": float("inf")}, {"retention_days": False}, {"log_format": "JSON"}, {"log_format": None},
     {"data": ""}, {"data": 7}, {"data": "a\0b"}, {"data": "a" * 5000}, {"data": "~nobody-here/vivant"},
     {"workers": "٣"}, {"retention_days": 10**400},
     {"database_url": "sqlite+other:////srv/v.db"}, {"database_url": "sqlite:////srv/v.db?timeout=a"},
     {"database_url": "sqlite:///file:v?mode=memory&uri=true"}, {"database_url": "sqlite://host/v.db"},
     {"database_url": "sqlite://"}, {"database_url": "sqlite:///:memory:"},
     {"database_url": "vivant.db"}, {"database_url": "sqlite:////tmp"}, {"database_url": "sqlite:////dev/null/v.db"},
     {"storage_url": "ftp://store"}, {"storage_url": "file://files"}, {"storage_url": "file:///dev/null"},
     {"storage_url": "s3://"}, {"public_url": "ftp://a"}, {"public_url": "https://a b"},
     {"public_url": "https://a/?x=1"}, {"public_url": "https://"}, {"public_url": "https://a:99999"},
     {"public_url": "https://a:0"}, {"public_url": "https://a..b"}, {"public_url": "https://-a"},
     {"public_url": "http://[:::::]"}, {"public_url": "http://10.0.0.256"}, {"egress_allow": "*.internal"},
     *({"engine_settings": {"diorama": {"depth_model": wrong}}} for wrong in ("/tmp", "a\0b", 7, "~nobody/d.onnx")),
     {"engine_settings": {"diorama": {"colour": 1}}}, {"engine_settings": {"sora": {}}},
     {"egress_allow": "10.0.0.1/8"}, {"engines": ""}, {"engines": ("sora",)}, {"engines": "diorama,diorama"},
     {"models": {"fast": "testcard"}}, {"models": "fast"}, {"fallback": ("testcard",)}, {"fallback_after": 0}],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_right_cannot_be_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        Settings(**wrong)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings({"VIVANT_WORKERS": "0", "VIVANT_LINK_SECONDS": "long", "VIVANT_ENGINES": "sora"})
    assert all(name in str(refused.value) for name in ("VIVANT_WORKERS", "VIVANT_LINK_SECONDS", "VIVANT_ENGINES"))


@pytest.mark.parametrize(
    "name",
    ["VIVANT_TEST_SEED", "VIVANT_SERVICE_HOST", "VIVANT_SERVICE_PORT", "VIVANT_SERVICE_PORT_HTTP", "VIVANT_PORT",
     "VIVANT_PORT_8000_TCP", "VIVANT_PORT_8000_TCP_ADDR", "VIVANT_DB_SERVICE_HOST", "VIVANT_DB_PORT_5432_TCP_PROTO"],
)  # fmt: skip
def test_names_that_the_tests_or_a_cluster_set_are_passed_over(name: str) -> None:
    assert load_settings({name: "tcp://10.0.0.1:8000"}) == Settings()


def test_a_port_that_no_cluster_has_set_is_an_unknown_name() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_PORT is not a setting"):
        load_settings({"VIVANT_PORT": "8000"})
