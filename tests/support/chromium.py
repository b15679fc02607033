"""What Chromium shows of picture files, pixel by pixel: one browser is started for all of them.

The browser draws each file on a white canvas, as a page with a white background would show it, and sends the pixels
back to a server on the loopback address. Its colours are sRGB, whatever the screen's are.

    make chromium-pictures     records anew what tests/intake/test_pictures_as_browsers_show_them.py compares with
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import numpy as np
from PIL import Image

from support.paths import ROOT
from support.picture_files import FAMILIES, picture_files
from vivant.media import U8

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIMEOUT: Final = 240.0  # seconds for all files
TILE: Final = 64  # pixels, the longer side of a recorded picture
PER_ROW: Final = 24  # recorded pictures beside each other
INDEX: Final = ROOT / "tests" / "intake" / "chromium_pictures.json"
SHEET: Final = ROOT / "tests" / "intake" / "chromium_pictures.png"
PAGE: Final = """<!doctype html><script>
const count = COUNT;
async function show(n) {
  const image = new Image();
  const shown = await new Promise(done => {
    image.onload = () => done(image.naturalWidth > 0);
    image.onerror = () => done(false);
    image.src = `/${n}`;
  });
  if (!shown) return await fetch(`/${n}`, {method: "POST", headers: {"X-Size": "0x0"}, body: ""});
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", {willReadFrequently: true, colorSpace: "srgb"});
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  await fetch(`/${n}`, {method: "POST", headers: {"X-Size": `${canvas.width}x${canvas.height}`}, body: pixels});
}
(async () => {
  for (let n = 0; n < count; n++) await show(n);
  await fetch("/done", {method: "POST", body: ""});
})();
</script>"""


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def chromium_version(program: str) -> int:
    """The major version."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.search(r"(\d+)\.\d", said)
    assert found, said
    return int(found[1])


def show_in_chromium(files: Sequence[bytes]) -> list[U8 | None]:
    """What Chromium draws of each file: RGB uint8 (height, width, 3) over white, or None where it shows nothing.

    Raises TimeoutError when the browser does not finish, RuntimeError when there is none.
    """
    program = find_chromium()
    if program is None:
        raise RuntimeError("Chromium is not installed.")
    shown: dict[int, U8 | None] = {}
    finished = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path[1:]
            page = PAGE.replace("COUNT", str(len(files))).encode()
            body = page if not name else files[int(name)] if name.isdigit() else b""
            self._answer(body, "text/html" if not name else "image/png")  # Chromium judges pictures by their bytes

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/done":
                finished.set()
            else:
                width, height = map(int, self.headers["X-Size"].split("x"))
                pixels = np.frombuffer(body, np.uint8).reshape(height, width, 4)[..., :3]
                shown[int(self.path[1:])] = pixels if width else None
            self._answer(b"", "text/plain")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory(prefix="vivant-chromium-", ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
             f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "HOME": profile},
        )  # fmt: skip
        try:
            if not finished.wait(TIMEOUT):
                raise TimeoutError(f"Chromium showed {len(shown)} of {len(files)} files in {TIMEOUT:.0f} s.")
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
            server.shutdown()
            thread.join()
            server.server_close()
    return [shown[n] for n in range(len(files))]


@dataclass(frozen=True, slots=True)
class Shown:
    """What Chromium showed of a file: size (width, height), the rows of which it showed anything, as (first, last + 1),
    and the picture reduced to at most 64 pixels, RGB uint8 (height, width, 3)."""

    size: tuple[int, int]
    rows: tuple[int, int]
    small: U8


def shown_rows(pixels: U8) -> tuple[int, int]:
    """(first, last + 1) of the rows that are not all white, without the one where the picture breaks off, which may be
    half drawn; RGB uint8 (height, width, 3)."""
    rows = np.flatnonzero((pixels != 255).any(axis=(1, 2)))
    if not len(rows):
        return (0, 0)
    first, end = int(rows[0]), int(rows[-1]) + 1
    return first + (first > 0), end - (end < len(pixels))


def only_rows(pixels: U8, rows: tuple[int, int]) -> U8:
    """The picture with all other rows white; RGB uint8 (height, width, 3)."""
    kept = np.full_like(pixels, 255)
    kept[slice(*rows)] = pixels[slice(*rows)]
    return kept


def reduce(pixels: U8) -> U8:
    """The picture averaged down to at most 64 pixels on its longer side; RGB uint8 (height, width, 3)."""
    height, width = pixels.shape[:2]
    scale = TILE / max(width, height)
    size = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def read_record() -> tuple[int, dict[str, Shown | None]]:
    """The version of Chromium that was recorded, and what it showed of each file; None where it showed nothing."""
    index = json.loads(INDEX.read_text(encoding="utf-8"))
    with Image.open(SHEET) as picture:
        sheet = np.asarray(picture.convert("RGB"))
    shown: dict[str, Shown | None] = {}
    for number, (name, facts) in enumerate(index["files"].items()):
        if facts is None:
            shown[name] = None
            continue
        width, height, first, end = facts
        y, x = (TILE * part for part in divmod(number, PER_ROW))
        scale = TILE / max(width, height)
        small = sheet[y : y + round(height * scale), x : x + round(width * scale)]
        shown[name] = Shown((width, height), (first, end), small)
    return index["chromium"], shown


def write_record() -> None:
    """Show all files in the Chromium of this machine and store what it shows, as one sheet and an index."""
    program = find_chromium()
    if program is None:
        raise SystemExit("Chromium is not installed.")
    files = [file for family in FAMILIES for file in picture_files(family)]
    sheet = np.full((TILE * -(-len(files) // PER_ROW), TILE * PER_ROW, 3), 255, np.uint8)
    facts: dict[str, list[int] | None] = {}
    for number, (file, pixels) in enumerate(zip(files, show_in_chromium([file.data for file in files]), strict=True)):
        facts[file.name] = None
        if pixels is not None:
            rows = shown_rows(pixels)
            facts[file.name] = [pixels.shape[1], pixels.shape[0], *rows]
            small = reduce(only_rows(pixels, rows) if file.kind == "cut" else pixels)
            y, x = (TILE * part for part in divmod(number, PER_ROW))
            sheet[y : y + small.shape[0], x : x + small.shape[1]] = small
    Image.fromarray(sheet).save(SHEET, optimize=True)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts.items())
    INDEX.write_text(f'{{"chromium": {chromium_version(program)}, "files": {{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"Recorded {len(files)} files in {INDEX.name} and {SHEET.name}.")


if __name__ == "__main__":
    write_record()
