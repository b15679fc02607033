"""Measures other programs that turn a picture into a clip, beside ours: one picture, one camera move, no sound.

Each peer is timed without its start and its imports. DepthFlow is given our depth, so that it estimates none.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from vivant.cli.bench_cases import CAMERA_ALONE, Case
from vivant.cli.measure import CLIP, measure_clip_apart
from vivant.media import fit
from vivant.request import FPS, Canvas

PICTURE: Final = "city_night"
PROMPT: Final = "The camera slowly zooms in. No clouds, no wind, no water. Silence, no sound, no music."
ZOOM: Final = 1.2  # what zoompan and MoviePy reach at the end
MOST_SECONDS: Final = 600.0  # for one run of a peer

# Programs for the peers' own Python. Arguments: picture, depth, out, width, height, seconds. Each prints its wall time.
_DEPTHFLOW: Final = """
import json, sys, time
from math import pi, sin
from depthflow.scene import DepthScene
picture, depth, out, width, height, seconds = sys.argv[1:]
class Scene(DepthScene):
    def update(self):
        self.state.isometric, self.state.steady = 0.6, 0.3
        self.state.offset = (0.3 * sin(self.cycle + pi / 2), 0.15 * sin(self.cycle))
scene = Scene(backend="headless")
scene.ffmpeg.h264(preset="veryfast")
scene.input(image=picture, depth=depth)
wall = time.perf_counter()
scene.main(output=out, time=float(seconds), fps=24, width=int(width), height=int(height), ssaa=1, quality=50)
print(json.dumps({"wall": time.perf_counter() - wall}))
"""
_MOVIEPY: Final = """
import json, sys, time
from moviepy import CompositeVideoClip, ImageClip
from moviepy.video.fx import Resize
picture, depth, out, width, height, seconds = sys.argv[1:]
size, seconds = (int(width), int(height)), float(seconds)
wall = time.perf_counter()
still = ImageClip(picture).with_duration(seconds)
moving = still.with_effects([Resize(lambda t: 1 + ZOOM * t / seconds)]).with_position("center")
film = CompositeVideoClip([moving], size=size).with_duration(seconds)
film.write_videofile(out, fps=24, codec="libx264", preset="veryfast", audio=False, logger=None, threads=2)
print(json.dumps({"wall": time.perf_counter() - wall}))
""".replace("ZOOM", f"{ZOOM - 1:.2f}")


def measure_peers(*, resolution: str, seconds: int, runs: int, python: Path | None = None) -> Iterator[dict[str, Any]]:
    """For ours and for each peer: name, wall and cpu (seconds, medians of the runs), times and cpu_times (those to
    ours), and in `told` why there are no figures. python: where DepthFlow and MoviePy are installed."""
    ours = measure_clip_apart(
        Case("ours", PICTURE, PROMPT, CAMERA_ALONE), resolution=resolution, seconds=seconds, engine="diorama", runs=runs
    )["rows"][CLIP]
    yield {"name": "vivant", **ours, "times": 1.0, "cpu_times": 1.0, "told": ""}
    canvas = Canvas.of(resolution, "16:9", seconds)
    with tempfile.TemporaryDirectory(prefix="vivant-peers-") as folder:
        files = _write_inputs(canvas, Path(folder))
        interpreter = str(python or sys.executable)
        ffmpeg = _find_ffmpeg(interpreter)
        environment = _with_ffmpeg(ffmpeg, Path(folder))
        arguments = [*files, str(Path(folder) / "out.mp4"), str(canvas.width), str(canvas.height), str(seconds)]
        for name, module, program in (("DepthFlow", "depthflow", _DEPTHFLOW), ("MoviePy", "moviepy", _MOVIEPY)):
            command = [interpreter, "-c", program, *arguments]
            missing = "" if _has(interpreter, module) else f"not installed in {Path(interpreter).name}"
            yield _row(name, command, ours, runs, missing, environment)
        command = _zoompan(ffmpeg, files[0], arguments[2], canvas)
        yield _row("ffmpeg zoompan", command, ours, runs, "" if ffmpeg else "no ffmpeg was found", environment)


def _write_inputs(canvas: Canvas, folder: Path) -> list[str]:
    """The picture at the canvas's size and our depth of it, as files."""
    from vivant.engines.diorama.scene.analysis import SceneAnalyser

    picture = fit(Case("", PICTURE, "", CAMERA_ALONE).load().first, canvas.width, canvas.height)
    depth = SceneAnalyser().analyse(picture, canvas).depth
    Image.fromarray(picture).save(folder / "picture.png")
    cv2.imwrite(str(folder / "depth.png"), np.rint(depth * 255).astype(np.uint8))
    return [str(folder / "picture.png"), str(folder / "depth.png")]


def _with_ffmpeg(ffmpeg: str, folder: Path) -> dict[str, str]:
    """The environment in which that ffmpeg is on the path by its usual name, as DepthFlow wants it."""
    if not ffmpeg:
        return dict(os.environ)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(ffmpeg)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}


def _row(
    name: str, command: list[str], ours: dict[str, float], runs: int, missing: str, environment: dict[str, str]
) -> dict[str, Any]:
    results: list[dict[str, float]] = []
    told = missing
    for _ in range(0 if missing else runs):
        result = _run(command, environment)
        if isinstance(result, str):
            told = result
            break
        results.append(result)
    if told:
        return {"name": name, "wall": None, "cpu": None, "times": None, "cpu_times": None, "told": told}
    wall, cpu = (round(statistics.median(result[key] for result in results), 3) for key in ("wall", "cpu"))
    times, cpu_times = round(wall / ours["wall"], 1), round(cpu / ours["cpu"], 1)
    return {"name": name, "wall": wall, "cpu": cpu, "times": times, "cpu_times": cpu_times, "told": ""}


def _run(command: list[str], environment: dict[str, str]) -> dict[str, float] | str:
    """Seconds of one run: those that the program prints, else those of the whole process; or why it failed. The CPU
    seconds are always those of the process and of all that it started."""
    started, before = time.perf_counter(), _cpu_of_children()
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"not done after {MOST_SECONDS:.0f} s"
    whole = {"wall": time.perf_counter() - started, "cpu": _cpu_of_children() - before}
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["it failed without a word"])[-1]
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return {**whole, "wall": float(json.loads(lines[-1])["wall"])} if lines else whole


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _has(python: str, module: str) -> bool:
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", look], capture_output=True).returncode == 0


def _find_ffmpeg(python: str) -> str:
    """The program on the path, or the one that imageio-ffmpeg carries; "" if there is neither."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    look = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    done = subprocess.run([python, "-c", look], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def _zoompan(ffmpeg: str, picture: str, out: str, canvas: Canvas) -> list[str]:
    """zoompan rounds to whole pixels; enlarging the picture before, as everybody does, makes that less visible."""
    last = canvas.frames - 1
    move = (
        f"scale=8000:-1:flags=bicubic,zoompan=z='1+{ZOOM - 1:.2f}*on/{last}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
        f":d={canvas.frames}:s={canvas.width}x{canvas.height}:fps={FPS},format=yuv420p"
    )
    return [
        ffmpeg, "-y", "-i", picture, "-vf", move, "-c:v", "libx264", "-preset", "veryfast", "-crf", "18",
        "-threads", "2", out,
    ]  # fmt: skip
