"""The whole path of a neural engine on a machine without a card: builds a model folder of random weights, starts the
real service with it, sends a picture over HTTP, saves demo-neural.mp4.

What the model makes is noise, for it was never trained. So that nobody takes it for anything else, words that say so
are drawn into every frame afterwards. The first frame is the picture: the service makes it so, whatever the model does.

    make demo-neural
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from support.serve_process import serve_process
from support.tiny_models import make_tiny_model
from vivant.assets import asset
from vivant.encode.mp4 import write_mp4
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.film import read_film
from vivant.engines.generated.sound import fit_sound
from vivant.media import U8, Clip, Planes, to_planes
from vivant.request import Canvas

OUT: Final = Path("demo-neural.mp4")
WORDS: Final = "NOISE FROM UNTRAINED WEIGHTS"
MORE: Final = "a test of the path from HTTP to MP4, not of a model"
SECONDS: Final = 5
PATIENCE: Final = 300.0  # seconds for the clip
PROMPT: Final = "The camera pans slowly to the right. Gentle waves on the lake."


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vivant-demo-neural-") as folder:
        data = Path(folder)
        say("Building a model folder of random weights: LTX-2's pipeline and geometry, 0.7 MB instead of 71 GB")
        model = make_tiny_model("ltx2", data / "untrained-ltx-2")
        environment = {
            "VIVANT_ENGINES": "diffusers",
            "VIVANT_DIFFUSERS_MODEL": str(model),
            "VIVANT_DIFFUSERS_DEVICE": "cpu",
            "VIVANT_DIFFUSERS_MAX_PIXELS": "120000",
        }
        say("Starting the service: VIVANT_ENGINES=diffusers")
        (data / "service").mkdir()
        with serve_process(data / "service", environment=environment) as (_, url):
            say(f"POST {url}/v3/async/seedance-v1.5-pro-i2v with two pictures")
            film = data / "clip.mp4"
            task = make_clip(url, film)
        label(film, OUT)
    report = task["report"]
    say(
        f"Model {report['model']} on {report['device']}: {report['steps']} steps, {report['frames_made']} frames of "
        f"{report['generated_size'][0]}x{report['generated_size'][1]} in {report['seconds']} s, sound {report['sound']}"
    )
    say(f"{OUT}: {WORDS.lower()}, {MORE}. The words are drawn into every frame.")


def make_clip(url: str, film: Path) -> dict[str, Any]:
    """Submit, wait, download to `film`. Returns the task with its storyboard and report."""
    pictures = {
        field: "data:image/jpeg;base64," + base64.b64encode(asset(f"photos/{name}").read_bytes()).decode()
        for field, name in (("image", "mountain_lake.jpg"), ("last_image", "waves_sunset.jpg"))
    }
    body = {"prompt": PROMPT, "resolution": "480p", "ratio": "16:9", "duration": SECONDS, "seed": 7, **pictures}
    task_id = call(f"{url}/v3/async/seedance-v1.5-pro-i2v", body)["task_id"]
    deadline = time.monotonic() + PATIENCE
    while True:
        result = call(f"{url}/v3/async/task-result?task_id={task_id}")
        status = result["task"]["status"]
        if status == "TASK_STATUS_SUCCEED":
            break
        if status == "TASK_STATUS_FAILED" or time.monotonic() > deadline:
            raise SystemExit(f"The clip was not made: {status} {result['task'].get('reason', '')}")
        time.sleep(0.5)
    with urllib.request.urlopen(result["videos"][0]["video_url"], timeout=60) as answer:
        film.write_bytes(answer.read())
    task: dict[str, Any] = call(f"{url}/v1/tasks/{task_id}")
    return task


def label(film: Path, out: Path) -> None:
    """Write the film again, with the words in every frame."""
    canvas = Canvas.of("480p", "16:9", SECONDS)
    footage = read_film(
        film, canvas=GenerationCanvas.of(canvas, grid=2, max_pixels=0), seconds=SECONDS, check=lambda: None
    )
    assert footage.sound is not None, "the model makes sound with the picture"
    sound = fit_sound(footage.sound, canvas.frames)
    write_mp4(Clip(canvas=canvas, frames=draw_words(footage.frames), soundtrack=lambda: sound), out)


def draw_words(frames: Iterator[U8]) -> Iterator[Planes]:
    large, small = ImageFont.load_default(34), ImageFont.load_default(20)
    for frame in frames:
        picture = Image.fromarray(frame)
        draw = ImageDraw.Draw(picture)
        width, height = picture.size
        draw.rectangle((0, height // 2 - 44, width, height // 2 + 44), fill=(0, 0, 0))
        draw.text((width // 2, height // 2 - 14), WORDS, (255, 255, 255), large, anchor="mm")
        draw.text((width // 2, height // 2 + 22), MORE, (255, 255, 255), small, anchor="mm")
        yield to_planes(np.asarray(picture))


def call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def say(text: str) -> None:
    sys.stdout.write(f"→ {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
