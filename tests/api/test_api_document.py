"""docs/api.md says what the server does: every address, field, reason and limit is in it, and its curl works."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.live_server import LiveServer
from support.paths import ROOT
from vivant.api.dialects import native, novita
from vivant.api.files import routes as file_routes
from vivant.api.health import routes as health_routes

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_address_is_documented(server: LiveServer) -> None:
    context = server.context
    routes = [*novita.routes(context), *native.routes(context), *file_routes(context), *health_routes(context)]
    for route in routes:
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        path = route.path.replace("{path:path}", "{path}")
        assert f"`{method} {path}" in PAGE, f"{method} {path}"


def test_every_reason_is_documented() -> None:
    for status, reason in novita.REASONS.values():
        assert f"`{reason}`" in PAGE and str(status) in PAGE, reason
    for reason in ("CREATE_TASK_FAILED", "GET_RESULT_FAILED", *novita.STATUSES.values()):
        assert reason in PAGE


def test_every_size_is_documented() -> None:
    from vivant.request import SIZES

    for width, height in SIZES.values():
        assert f"{width}×{height}" in PAGE


def test_the_curl_on_the_page_works(server: LiveServer, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    script = PAGE.split("```sh\n")[1].split("```")[0].replace("http://127.0.0.1:8000", server.url)
    script = script.replace('"duration": 5', '"duration": 4, "resolution": "480p"')
    shutil.copy(ROOT / "tests" / "photos" / "portrait_curie.jpg", tmp_path / "photo.jpg")
    subprocess.run(
        ["sh", "-euc", script], cwd=tmp_path, check=True, timeout=90, env={"PATH": os.environ["PATH"], "no_proxy": "*"}
    )
    assert (tmp_path / "clip.mp4").read_bytes()[4:8] == b"ftyp"
