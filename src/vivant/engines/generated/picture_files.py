"""Pictures as servers take them."""

from __future__ import annotations

import base64
import io

from PIL import Image

from vivant.media import U8


def to_png(picture: U8) -> bytes:
    """RGB uint8 (h, w, 3) as a PNG. Lossless, and quick rather than small."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def to_data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{to_base64(png)}"
