"""sha256 of the frames and of the samples of eight clips, before encoding: equal before and after a change means that
the change touched neither picture nor sound.

    make fingerprints > before.txt
"""

from __future__ import annotations

import hashlib
import sys
from typing import Final

from support.clips import photo
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.media import Clip, Pictures
from vivant.request import Brief

# First picture, last picture, prompt: together they play nearly every motion, effect and camera move there is.
CLIPS: Final = (
    (
        "portrait_barkla",
        "",
        'The camera slowly pushes in as snow drifts past. Calm piano music. The man says: "Good day."',
    ),
    ("portrait_curie", "", "下着小雨，镜头缓缓推进。女人轻声说：“你好，很高兴见到你。”她微笑着眨眼。"),
    ("mountain_lake", "", "The camera pans slowly to the right. Gentle waves on the lake, birds, drifting clouds."),
    ("waves_sunset", "", "Handheld. Waves break on the shore, wind, fog, fireflies, smoke. Epic orchestral music."),
    ("city_day", "", "Heavy rain and lightning with thunder, traffic, footsteps, a crowd; the camera orbits left."),
    (
        "dahlia",
        "",
        "Petals drift, bubbles rise, leaves fall, the flower sways; dolly in, then tilt up. Happy guitar music.",
    ),
    ("antelope", "", "Grass in strong wind, dust, sparks from a campfire, crickets; zoom out with a slow roll."),
    ("mountain_lake", "sea_falls", "From the lake to the falls, a stream, jazz music."),
)


def fingerprint(clip: Clip) -> tuple[str, str]:
    """Hex sha256 of all planes in order, and of all samples; "" for a clip without sound."""
    frames = hashlib.sha256()
    for planes in clip.frames:
        for plane in (planes.y, planes.u, planes.v):
            frames.update(plane.tobytes())
    sound = hashlib.sha256(clip.soundtrack().samples.tobytes()).hexdigest() if clip.soundtrack else ""
    return frames.hexdigest(), sound


def main() -> None:
    engine = load_engine("diorama")
    engine.setup()
    for seed, (first, last, prompt) in enumerate(CLIPS):
        pictures = Pictures(photo(first), photo(last) if last else None)
        height, width = pictures.first.shape[:2]
        brief = Brief(prompt=prompt, resolution="480p", seconds=4, seed=seed)
        request = brief.resolve(width, height, has_last_frame=bool(last))
        clip = engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch())
        frames, samples = fingerprint(clip)
        sys.stdout.write(f"{first:16} frames {frames[:32]} samples {samples[:32]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
