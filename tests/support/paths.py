"""Where the checkout and its test photos lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "vivant"
PHOTOS = ROOT / "tests" / "photos"
