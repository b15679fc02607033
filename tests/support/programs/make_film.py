"""A program for the engine `command`: makes a film as a video model's command line would, and prints its steps."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[3] / "src"))

from support.doubles.films import make_film, read_picture


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--end")
    for name in ("--width", "--height", "--frames", "--fps", "--seed"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--step-seconds", type=float, default=0.0)
    parser.add_argument("--silent", action="store_true")
    given = parser.parse_args()
    for step in range(1, 9):
        print(f"\rdenoising {step}/8", end="", file=sys.stderr, flush=True)
        time.sleep(given.step_seconds)
    film = make_film(
        read_picture(Path(given.image).read_bytes()),
        read_picture(Path(given.end).read_bytes()) if given.end else None,
        width=given.width,
        height=given.height,
        frames=given.frames,
        fps=given.fps,
        seed=given.seed,
        sound=not given.silent,
    )
    Path(given.output).write_bytes(film)


if __name__ == "__main__":
    main()
