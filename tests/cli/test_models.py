"""`vivant models`: nothing is fetched before the licence was shown and accepted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.doubles.hub import COMMIT, HubDouble

pytest.importorskip("huggingface_hub")


def vivant(home: Path, hub: HubDouble, *words: str) -> subprocess.CompletedProcess[str]:
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("VIVANT_", "HF_"))}
    surroundings |= {"HOME": str(home), "XDG_DATA_HOME": str(home), "COLUMNS": "240", "HF_ENDPOINT": hub.url}
    return subprocess.run(
        [sys.executable, "-m", "vivant", "models", *words], capture_output=True, text=True, timeout=120, check=False,
        env=surroundings, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_model_is_shown_refused_fetched_listed_and_removed(tmp_path: Path) -> None:
    with HubDouble({"model_index.json": b"{}", "vae/model.safetensors": b"weights"}) as hub:
        asked = vivant(tmp_path, hub, "pull", "ltx-2.5")
        assert asked.returncode == 1 and "Nothing was fetched." in asked.stdout
        for shown in ("LTX-2.x Community License", "10 million US dollars", COMMIT, "no commit is pinned", "card"):
            assert shown in asked.stdout
        assert not list(tmp_path.rglob("*.safetensors"))
        done = vivant(tmp_path, hub, "pull", "ltx-2.5", "--yes")
        assert done.returncode == 0, done.stderr
        assert "every hash checked" in done.stdout
        (receipt,) = tmp_path.rglob("vivant-model.json")
        told = json.loads(receipt.read_text(encoding="utf-8"))
        assert told["accepted"] is True and told["revision"] == COMMIT
        assert [
            line
            for line in vivant(tmp_path, hub, "list").stdout.splitlines()
            if "ltx-2.5 " in line and "0.0 GB" in line
        ]
        kept = vivant(tmp_path, hub, "remove", "ltx-2.5")
        assert kept.returncode == 1 and receipt.exists()
        assert vivant(tmp_path, hub, "remove", "ltx-2.5", "--yes").returncode == 0 and not receipt.exists()


def test_a_model_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with HubDouble({}) as hub:
        ended = vivant(tmp_path, hub, "pull", "sora")
        assert ended.returncode == 1 and "There is no model 'sora'; there are ltx-2.5" in ended.stderr
