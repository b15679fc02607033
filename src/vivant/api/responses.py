"""JSON responses, built in one way."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


def json_response(data: Any, *, status: int = 200, media_type: str = "application/json") -> Response:
    """`data` as JSON, not to be cached: responses change and belong to one caller."""
    return Response(
        msgspec.json.encode(data), status_code=status, media_type=media_type, headers={"Cache-Control": "no-store"}
    )
