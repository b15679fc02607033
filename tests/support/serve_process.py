"""`vivant serve` with test cards as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType


@contextmanager
def serve_process(
    data: Path,
    *options: str,
    environment: Mapping[str, str] = MappingProxyType({}),
    in_child: Callable[[], None] | None = None,
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL, once it answers. Its log is `data`/log. in_child: run in the process before Python."""
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vivant", "serve", "--port", "0", "--data", str(data), *options],
            stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=in_child,
            env={**os.environ, "VIVANT_ENGINES": "testcard", **environment},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            _, found, url = line.strip().partition("serves at ")
            if found:
                yield process, url
                break
        else:
            raise AssertionError((data / "log").read_text())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
