"""A clip at a glance: evenly spaced frames of it, each with its time, on one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAPTION: Final = 18  # px under each frame
MARGIN: Final = 4  # px between frames


def contact_sheet(path: Path, *, count: int = 12, columns: int = 4, side: int = 400) -> Image.Image:
    """`count` frames from the first to the last of a film, `columns` in a row, the long side of each `side` px.

    Of a film with fewer frames, all of them.
    """
    shots: list[tuple[float, Image.Image]] = []
    with av.open(str(path)) as movie:
        for frame in movie.decode(video=0):
            picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
            picture.thumbnail((side, side))
            shots.append((float(frame.time or 0), picture))
    chosen = [shots[n] for n in np.unique(np.linspace(0, len(shots) - 1, count).round().astype(int))]
    width, height = chosen[0][1].size
    rows = -(-len(chosen) // columns)
    step_x, step_y = width + MARGIN, height + CAPTION + MARGIN
    sheet = Image.new("RGB", (columns * step_x - MARGIN, rows * step_y - MARGIN), (24, 24, 24))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for n, (seconds, picture) in enumerate(chosen):
        x, y = n % columns * step_x, n // columns * step_y
        sheet.paste(picture, (x, y))
        draw.text((x + 4, y + height + 1), f"{seconds:.2f} s", fill=(220, 220, 220), font=font)
    return sheet
